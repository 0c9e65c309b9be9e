"""`training` as a constant of a call with tensors: a model's passes heed it, files keep it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast import ops
from lstmfast.layers import (
    GRU,
    LSTM,
    Attention,
    BatchNormalization,
    Bidirectional,
    ConvLSTM1D,
    Dense,
    Dropout,
    GaussianNoise,
    Input,
    Lambda,
    Layer,
    MultiHeadAttention,
    TimeDistributed,
)
from lstmfast.models import (
    EncoderDecoder,
    Model,
    Sequential,
    clone_model,
    load_model,
    model_from_json,
)
from lstmfast.optimizers import SGD

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 5, 4)).astype(np.float32)
Y = RNG.standard_normal((6, 2)).astype(np.float32)

# what draws or measures in training, on x (B, 5, 4)
LAYERS: dict[str, Any] = {
    "dropout": lambda: Dropout(0.5),
    "noise": lambda: GaussianNoise(0.5),
    "normalization": lambda: BatchNormalization(),
    "lstm": lambda: LSTM(3, dropout=0.5, recurrent_dropout=0.4, return_sequences=True),
    "zoneout": lambda: LSTM(3, zoneout_h=0.5, weight_drop=0.5, return_sequences=True),
    "gru": lambda: GRU(3, dropout=0.5),
    "bidirectional": lambda: Bidirectional(LSTM(3, dropout=0.5)),
    "time distributed": lambda: TimeDistributed(Sequential([Dense(3), Dropout(0.5)])),
    "model": lambda: Sequential([Input((5, 4)), Dense(3), BatchNormalization(), Dropout(0.5)]),
}


def around(layer: Any, training: bool | None) -> Model:
    x = Input((5, 4))
    y = (
        layer([x, x], training=training)
        if layer.kind == "attention"
        else layer(x, training=training)
    )
    model = Model(
        x,
        Dense(2)(
            Lambda(lambda t: ops.reshape(t, (-1, t.shape[1])))(y)
            if len(y.shape) == 2
            else ops.mean(y, axis=1)
        ),
        seed=1,
    )
    model.compile(SGD(0.1), "mse")
    return model


LAYERS["attention"] = lambda: Attention(dropout=0.5)


@pytest.mark.parametrize("name", LAYERS)
def test_false_trains_as_the_layer_does_without_what_is_random(name: str) -> None:
    """Loss and gradients of a step are those of the values that inference computes."""
    model = around(LAYERS[name](), False)
    again = around(LAYERS[name](), False)
    again.set_weights(model.get_weights())
    before = [weight.copy() for weight in model.get_weights()]
    want = float(np.mean((model.predict(X) - Y) ** 2))
    assert model.train_on_batch(X, Y) == pytest.approx(want, rel=1e-5)
    moved = [np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True)]
    statistics = [not weight.trainable for weight in model.weights]
    assert not any(m for m, is_statistic in zip(moved, statistics, strict=True) if is_statistic)
    assert any(moved)
    again.train_on_batch(X, Y)
    np.testing.assert_equal(again.get_weights(), model.get_weights())


@pytest.mark.parametrize("name", list(LAYERS))
def test_false_has_the_gradients_of_inference(name: str) -> None:
    """A step of SGD lowers the loss by rate times the square of the gradient, to first order."""
    model = around(LAYERS[name](), False)
    model.compile(SGD(1e-3), "mse")
    start, first = model.get_weights(), model.train_on_batch(X, Y)
    steps = [a - b for a, b in zip(start, model.get_weights(), strict=True)]
    gained = first - model.evaluate(X, Y, verbose=0)
    trained = [step for step, weight in zip(steps, model.weights, strict=True) if weight.trainable]
    assert all(step.any() for step in trained)
    predicted = sum(float(np.sum(step.astype(np.float64) ** 2)) for step in steps) / 1e-3
    assert gained == pytest.approx(predicted, rel=0.05)


@pytest.mark.parametrize("name", LAYERS)
def test_true_does_in_predict_what_training_does(name: str) -> None:
    layer = LAYERS[name]()
    model = around(layer, True)
    plain = around(layer, None)
    plain.set_weights(model.get_weights())
    weights = model.get_weights()
    one, two = model.predict(X, batch_size=6), model.predict(X, batch_size=6)
    if name == "normalization":
        np.testing.assert_array_equal(one, two)
        np.testing.assert_allclose(one, plain(X, training=True), rtol=1e-5, atol=1e-6)
        plain.set_weights(weights)
    else:
        assert np.any(one != two)
    assert np.any(one != plain.predict(X))
    np.testing.assert_equal(model.get_weights(), weights)  # statistics move in training alone
    again = around(layer, True)
    again.set_weights(weights)
    np.testing.assert_array_equal(again.predict(X, batch_size=6), one)  # by the model's seed
    batches = again.predict(X, batch_size=2)
    if name not in ("normalization", "model"):
        assert np.any(batches[:2] != batches[2:4])
    model.evaluate(X, Y, verbose=0)
    model.fit(X, Y, validation_data=(X, Y), epochs=2, verbose=0)


def test_dropout_in_inference_has_the_right_moments() -> None:
    x = Input((4,))
    model = Model(x, Dropout(0.25)(x, training=True), seed=3)
    y = np.stack([model(np.ones((50, 4))) for _ in range(50)])
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert abs(y.mean() - 1) < 5 * np.sqrt(0.25 / 0.75 / y.size)
    other = Model(x, Dropout(0.25)(x, training=True), seed=3)
    np.testing.assert_array_equal(other(np.ones((50, 4))), y[0])


class Own(Layer):
    def __init__(self, always: Any = None, **more: Any) -> None:
        super().__init__(**more)
        self.always = always
        self.drop = Dropout(0.5)

    def call(self, x: Any, training: Any = None) -> Any:
        return self.drop(x, training=training if self.always is None else self.always)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "always": self.always}


def drawn(call: Any) -> bool:
    """Whether dropout drew on ones, in predict and in a call as in training."""
    return bool(np.any(np.asarray(call) != 1))


ONES = np.ones((8, 4), np.float32)


@pytest.mark.parametrize(
    ("inner", "outer", "in_predict", "in_training"),
    [
        (None, None, False, True),
        (None, False, False, False),
        (None, True, True, True),
        (True, None, True, True),
        (False, None, False, False),
        (True, False, True, True),  # what stands nearer to the layer holds
        (False, True, False, False),
    ],
)
@pytest.mark.parametrize("form", ["layer", "model"])
def test_flags_inside_of_layers_and_models(
    form: str, inner: Any, outer: Any, in_predict: bool, in_training: bool
) -> None:
    x = Input((4,))
    within = Own(inner) if form == "layer" else Model(x, Dropout(0.5)(x, training=inner))
    model = Model(x, within(x, training=outer))
    assert drawn(model.predict(ONES)) == in_predict
    assert drawn(model(ONES)) == in_predict
    assert drawn(model(ONES, training=True)) == in_training


@pytest.mark.parametrize("ending", [".safetensors", ".keras", ".h5"])
@pytest.mark.parametrize("flag", [True, False])
def test_files_copies_and_texts_keep_the_flag(tmp_path: Any, ending: str, flag: bool) -> None:
    if ending != ".safetensors":
        pytest.importorskip("h5py")
    x = Input((4,))
    base = Sequential(
        [Input((4,)), Dense(4, "linear", kernel_initializer="identity"), Dropout(0.5)]
    )
    model = Model(x, base(x, training=flag), seed=0)
    model.save(tmp_path / f"m{ending}")
    made = [load_model(tmp_path / f"m{ending}"), clone_model(model)]
    made += [model_from_json(model.to_json()), Model.from_config(model.get_config())]
    for each in made:
        each.set_weights(model.get_weights())
        assert drawn(each.predict(ONES)) == flag
        assert drawn(each(ONES, training=True)) == flag


def test_files_keep_the_flag_inside_of_a_layer_of_one_s_own(tmp_path: Any) -> None:
    model = Sequential([Input((4,)), Own(True)])
    model.save(tmp_path / "m.safetensors")
    for objects in ({}, {"Own": Own}):
        assert drawn(load_model(tmp_path / "m.safetensors", custom_objects=objects).predict(ONES))


def test_fit_moves_no_averages_with_false() -> None:
    base = Sequential([Input((5, 4)), LSTM(3), BatchNormalization()])
    x = Input((5, 4))
    model = Model(x, Dense(2)(base(x, training=False)))
    model.compile("adam", "mse")
    before = base.layers[1].get_weights()
    model.fit(X, Y, epochs=3, verbose=0)
    after = base.layers[1].get_weights()
    np.testing.assert_equal(after[2:], before[2:])
    assert np.any(after[1] != before[1])  # beta is trained


def test_a_conv_lstm_without_dropout() -> None:
    x = Input((3, 5, 2))
    layer = ConvLSTM1D(2, 2, dropout=0.5)
    fixed, free = Model(x, layer(x, training=False)), Model(x, layer(x, training=True))
    data = RNG.random((2, 3, 5, 2))
    np.testing.assert_array_equal(fixed(data, training=True), fixed.predict(data))
    assert np.any(free.predict(data) != free.predict(data))


def test_attention_with_heads() -> None:
    x = Input((5, 4))
    layer = MultiHeadAttention(2, 3, dropout=0.5)
    fixed, free = Model(x, layer(x, x, training=False)), Model(x, layer(x, x, training=True))
    np.testing.assert_array_equal(fixed(X, training=True), fixed.predict(X))
    assert np.any(free.predict(X) != free.predict(X))


def test_generation_refuses_true() -> None:
    x = Input((None, 4))
    model = Model(x, Dense(4)(LSTM(3, dropout=0.5, return_sequences=True)(x, training=True)))
    with pytest.raises(ValueError, match=r"has a call with training=True, and the model runs step"):
        model.generate(X[:1], 3)


def test_windows_of_a_generation_draw_anew() -> None:
    x = Input((3, 1))
    model = Model(x, Dense(1)(LSTM(8)(Dropout(0.5)(x, training=True))), seed=0)
    prompt = np.ones((1, 3, 1), np.float32)
    first, second = model.generate(prompt, 8), model.generate(prompt, 8)
    assert np.any(first != second)


def test_encodings_of_a_decoding_draw_anew() -> None:
    x = Input((None, 2))
    encoder = Model(x, LSTM(8)(Dropout(0.5)(x, training=True)))
    model = EncoderDecoder(encoder, 8, features=1, length=4, seed=0)
    data = np.ones((3, 5, 2), np.float32)
    assert np.any(model.predict(data) != model.predict(data))

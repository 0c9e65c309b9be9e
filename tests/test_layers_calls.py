"""Layers on their own: called with arrays, states and masks; their configurations and errors.

Long, because the table of all layers stands here.
"""

from __future__ import annotations

import copy
import inspect
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import layers, models
from lstmfast._bench.options import LSTM_OPTIONS
from lstmfast.layers import LSTM, Bidirectional, Dense, Dropout, Input, Masking
from lstmfast.models import Sequential
from nets import MASK

B, T, I = 5, 6, 3
X = np.random.default_rng(0).standard_normal((B, T, I), dtype=np.float32)
# every option that goes with all others; what `lf.LSTM` has further are its own
OF_LAYERS = inspect.signature(LSTM).parameters
EVERY: dict[str, Any] = {
    "seed": 7,
    "return_sequences": True,
    "go_backwards": True,
    "stateful": True,
    "zero_output_for_mask": True,
    "use_bias": False,
} | {
    each.name: each.value
    for each in LSTM_OPTIONS
    if each.name in OF_LAYERS and each.name not in ("coupled", "return_cell_states")
}


def test_a_call_is_what_a_model_computes() -> None:
    layer = LSTM(4, return_sequences=True)
    y = layer(X)
    assert y.dtype == np.float32
    model = Sequential([Input((T, I)), layer])
    np.testing.assert_array_equal(model.predict(X), y)  # with the weights of the call
    np.testing.assert_array_equal(layer(X), y)
    np.testing.assert_array_equal(layer(X[:2, :3]), y[:2, :3])


@pytest.mark.parametrize("backwards", [False, True])
def test_chunks_are_the_whole(backwards: bool) -> None:
    layer = LSTM(4, return_sequences=True, return_state=True, go_backwards=backwards)
    y, h, c = layer(X)
    first, second = (X[:, 2:], X[:, :2]) if backwards else (X[:, :4], X[:, 4:])
    y0, h0, c0 = layer(first)
    y1, h1, c1 = layer(second, initial_state=[h0, c0])
    np.testing.assert_array_equal(np.concatenate([y0, y1], axis=1), y)
    np.testing.assert_array_equal(h1, h)
    np.testing.assert_array_equal(c1, c)


def test_cells_are_the_states_of_every_step() -> None:
    layer = LSTM(4, proj_size=2, return_sequences=True, return_state=True, return_cell_states=True)
    y, h, c, cells = layer(X, mask=MASK)
    assert (y.shape, h.shape, c.shape, cells.shape) == ((B, T, 2), (B, 2), (B, 4), (B, T, 4))
    np.testing.assert_array_equal(cells[:, -1], c)  # held where the last step is masked
    for t in range(T):
        *_, part = layer(X[:, : t + 1], mask=MASK[:, : t + 1])
        np.testing.assert_array_equal(part[:, -1], cells[:, t])


def test_both_directions_give_what_each_gives() -> None:
    options: dict[str, Any] = {"return_sequences": True, "return_state": True}
    both = Bidirectional(
        LSTM(4, return_cell_states=True, **options),
        None,
        backward_layer=LSTM(2, return_cell_states=True, go_backwards=True, **options),
    )
    states = [np.full((B, n), 0.1 * n, np.float32) for n in (4, 4, 2, 2)]
    results = both(X, initial_state=states, mask=MASK)
    ahead, back = copy.copy(both.forward_layer), copy.copy(both.backward_layer)
    ahead(X)
    back(X)
    ahead.set_weights(both.forward_layer.get_weights())
    back.set_weights(both.backward_layer.get_weights())
    y, h, c, cells = ahead(X, initial_state=states[:2], mask=MASK)
    y2, h2, c2, cells2 = back(X, initial_state=states[2:], mask=MASK)
    expected = [y, y2[:, ::-1], h, c, h2, c2, cells, cells2[:, ::-1]]
    assert len(results) == len(expected)
    for found, one in zip(results, expected, strict=True):
        np.testing.assert_array_equal(found, one)


@pytest.mark.parametrize("mode", ["concat", "sum", None])
@pytest.mark.parametrize("sequences", [False, True])
def test_halves_are_called_as_layers_of_their_own(mode: Any, sequences: bool) -> None:
    both = Bidirectional(LSTM(4, return_sequences=sequences), mode)
    whole = both(X)
    ahead, back = both.forward_layer(X), both.backward_layer(X)
    assert ahead.shape == back.shape == ((B, T, 4) if sequences else (B, 4))
    assert both.forward_layer.output_shape == (None, *((None,) if sequences else ()), 4)
    back = back[:, ::-1] if sequences else back
    whole = np.concatenate(whole, axis=-1) if mode is None else whole
    merged = ahead + back if mode == "sum" else np.concatenate([ahead, back], axis=-1)
    np.testing.assert_array_equal(merged, whole)
    alone = LSTM(4, return_sequences=sequences)
    alone(X)
    alone.set_weights(both.forward_layer.get_weights())
    np.testing.assert_array_equal(both.forward_layer(X), alone(X))
    both.forward_layer.set_weights([2 * w for w in alone.get_weights()])
    assert (both.forward_layer(X) != ahead).any()
    both.forward_layer.reset_states()
    random = Bidirectional(LSTM(4, dropout=0.5, seed=3, return_state=True))
    random(X)
    y, h, _ = random.forward_layer(X, mask=MASK, training=True)
    np.testing.assert_array_equal(y, h)
    assert (random.forward_layer(X, mask=MASK, training=True)[0] != y).any()


def test_a_batch_without_rows() -> None:
    y, h, c = LSTM(4, return_sequences=True, return_state=True)(X[:0])
    assert (y.shape, h.shape, c.shape) == ((0, T, 4), (0, 4), (0, 4))


def test_training_calls_draw() -> None:
    layer = LSTM(4, dropout=0.5, seed=3, return_sequences=True)
    calm = layer(X)
    first, second = layer(X, training=True), layer(X, training=True)
    assert (first != second).any()
    assert (first != calm).any()
    again = LSTM(4, dropout=0.5, seed=3, return_sequences=True)
    again(X)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(X, training=True), first)
    ones = np.ones((4, 8), np.float32)
    np.testing.assert_array_equal(Dropout(0.5)(ones), ones)
    assert set(np.unique(Dropout(0.5, seed=1)(ones, training=True))) == {0.0, 2.0}


def test_other_layers_are_called_alike() -> None:
    dense = Dense(2, activation="relu")
    y = dense(X)
    kernel, bias = dense.get_weights()
    np.testing.assert_allclose(y, np.maximum(X @ kernel + bias, 0), atol=1e-6)
    masked = X.copy()
    masked[~MASK] = 0.0
    np.testing.assert_array_equal(Masking()(masked), masked)
    np.testing.assert_array_equal(Masking().compute_mask(masked), MASK)
    odd = np.where(MASK[..., None], X, np.float32(-9.0))
    np.testing.assert_array_equal(Masking(-9.0)(odd), masked)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_to_mask_are_compared_in_the_layer_s_dtype(dtype: str) -> None:
    odd = np.where(MASK[..., None], X.astype(dtype), 0.1)
    layer = Masking(0.1)
    np.testing.assert_array_equal(layer.compute_mask(odd), MASK)
    assert layer.compute_mask([[1], [0]]).tolist() == [True, True]
    model = Sequential([Input((None, I)), layer, LSTM(3)])  # float32
    np.testing.assert_array_equal(layer.compute_mask(odd), MASK)
    cut = odd[1:2, MASK[1]]
    np.testing.assert_array_equal(model.predict(odd[1:2]), model.predict(cut))
    assert Masking(1e300).compute_mask(X).all()


def test_dtypes_of_layers() -> None:
    wide = LSTM(3, dtype="float64")
    assert (wide.dtype, LSTM(3).dtype) == ("float64", None)
    assert wide(X).dtype == np.float64
    for dtype in ("float32", "float64", np.float64):
        kinds: list[Any] = [
            Masking(dtype=dtype),
            Bidirectional(LSTM(3, dtype=dtype, return_sequences=True)),
            LSTM(3, dtype=dtype),
            Dropout(0.1, dtype=dtype),
            Dense(1, dtype=dtype),
        ]
        model = Sequential([Input((T, I), dtype=dtype), *kinds])
        name = np.dtype(dtype).name
        assert {layer.dtype for layer in model.layers} == {model.dtype} == {name}
        again = Sequential.from_config(model.get_config())
        assert again.get_config() == model.get_config()
        assert copy.deepcopy(model).predict(X).dtype == dtype
        model.layers[2].dtype = dtype


def test_no_word_of_training_is_none() -> None:
    layers_: list[Any] = [
        LSTM(4, dropout=0.5, seed=3),
        Dropout(0.5, seed=3),
        Bidirectional(LSTM(2)),
    ]
    for layer in layers_:
        np.testing.assert_array_equal(layer(X, training=None), layer(X))


def test_masks_go_through_calls() -> None:
    assert LSTM(2).compute_mask(X, MASK) is None
    for layer in (LSTM(2, return_sequences=True), Dense(2), Dropout(0.1)):
        np.testing.assert_array_equal(layer.compute_mask(X, MASK), MASK)
        assert layer.compute_mask(X) is None


@pytest.mark.parametrize("wrap", [False, True])
def test_configurations_come_back(wrap: bool, tmp_path: Path) -> None:
    options = EVERY | ({"go_backwards": False} if wrap else {})
    layer: layers.Layer = LSTM(5, **options)
    for key, value in options.items():
        assert getattr(layer, key) == value
    if wrap:
        layer = Bidirectional(
            LSTM(5, **options, kernel_constraint="non_neg", kernel_regularizer="l2"),
            "mul",
            activity_regularizer="l1",
        )
    again = layers.from_config({"class_name": type(layer).__name__, "config": layer.get_config()})
    assert again.get_config() == layer.get_config()
    model = Sequential([Input((T, I), batch_size=B), layer, Dense(1)], seed=0)
    model.compile("adam", "mse")
    model.fit(X, X[:, :, :1], batch_size=B, verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = models.load_model(tmp_path / "model.safetensors")
    for other in (loaded, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        model.reset_states()
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        assert other.layers[0].get_config() == model.layers[0].get_config()
        assert other.get_config() == model.get_config()
        model.reset_states()
        other.reset_states()
        how: dict[str, Any] = {"batch_size": B, "verbose": 0, "shuffle": False}
        twin = copy.deepcopy(model)
        other.fit(X, X[:, :, :1], **how)
        twin.fit(X, X[:, :, :1], **how)
        np.testing.assert_array_equal(other.get_weights()[0], twin.get_weights()[0])


OF_EACH: list[layers.Layer] = [
    LSTM(4, kernel_regularizer="l2", activity_regularizer="l1"),
    layers.GRU(4, bias_constraint="non_neg", reset_after=False, activity_regularizer="l2"),
    layers.SimpleRNN(4, "relu", recurrent_regularizer="l2", activity_regularizer="l2"),
    Bidirectional(LSTM(4), "ave", activity_regularizer="l2"),
    Dense(2, "relu", kernel_constraint="non_neg", activity_regularizer="l2"),
    Dropout(0.25, seed=3, activity_regularizer="l1"),
    Masking(-9.0, activity_regularizer="l2"),
    layers.Activation("elu", activity_regularizer="l2"),
    layers.Flatten(activity_regularizer="l2"),
    layers.Reshape((3, -1), activity_regularizer="l2"),
    layers.Permute((2, 1)),
    layers.RepeatVector(3, activity_regularizer="l1"),
    layers.TimeDistributed(Dense(2, "relu"), activity_regularizer="l1"),
    layers.Embedding(5, 2, embeddings_constraint="non_neg", mask_zero=True),
    layers.Add(activity_regularizer="l2"),
    layers.Subtract(),
    layers.Multiply(),
    layers.Average(),
    layers.Maximum(),
    layers.Minimum(),
    layers.Concatenate(1, activity_regularizer="l2"),
    layers.Dot(1, normalize=True),
    layers.Conv1D(3, 2, padding="causal", activation="relu", kernel_regularizer="l2"),
    layers.Conv2D(3, (2, 1), 2, "same", bias_constraint="non_neg", activity_regularizer="l1"),
    layers.ConvLSTM1D(3, 2, padding="same", recurrent_regularizer="l2", unit_forget_bias=False),
    layers.ConvLSTM2D(3, (2, 1), dropout=0.25, seed=3, bias_constraint="non_neg"),
    layers.MaxPooling1D(3, 1, activity_regularizer="l2"),
    layers.MaxPooling2D((2, 1), padding="same"),
    layers.AveragePooling1D(3, 2, "same"),
    layers.AveragePooling2D(2, (1, 2)),
    layers.GlobalMaxPooling1D(keepdims=True),
    layers.GlobalMaxPooling2D(activity_regularizer="l1"),
    layers.GlobalAveragePooling1D(),
    layers.GlobalAveragePooling2D(keepdims=True),
    layers.BatchNormalization(1, 0.5, center=False, gamma_regularizer="l2", beta_regularizer="l1"),
    layers.LayerNormalization([-2, -1], gamma_constraint="non_neg", rms_scaling=True),
    layers.RMSNormalization([1, 2], activity_regularizer="l2"),
    layers.UnitNormalization(1),
    layers.SpatialDropout1D(0.25, seed=3, activity_regularizer="l1"),
    layers.SpatialDropout2D(0.25, "channels_first"),
    layers.SpatialDropout3D(0.25),
    layers.AlphaDropout(0.25, (None, 1)),
    layers.GaussianDropout(0.25),
    layers.GaussianNoise(0.25, seed=3),
    layers.ActivityRegularization(0.5, 0.25),
    layers.UpSampling1D(3),
    layers.UpSampling2D(3, "channels_first", activity_regularizer="l1"),
    layers.ZeroPadding1D((0, 2)),
    layers.ZeroPadding2D(((1, 2), 3)),
    layers.Cropping1D(2),
    layers.Cropping2D((1, 2), "channels_first"),
    layers.LeakyReLU(0.5),
    layers.ReLU(6.0, 0.5, 0.25),
    layers.ELU(0.5),
    layers.PReLU(alpha_constraint="non_neg", shared_axes=[1, -1]),
    layers.Softmax([1, -1]),
    layers.MixtureDensity(2, 3, kernel_regularizer="l2"),
    layers.DecoderInput(1, 2, mask_value=0),
    layers.Attention(True, "concat", 0.25, seed=3),
    layers.AdditiveAttention(dropout=0.25),
    layers.MultiHeadAttention(2, 3, 4, output_shape=(2, 3), kernel_regularizer="l2"),
]
# arguments of plain ones
PLAIN: dict[str, tuple[Any, ...]] = {
    "lstm": (4,),
    "gru": (4,),
    "simple_rnn": (4,),
    "bidirectional": (LSTM(4),),
    "dense": (4,),
    "dropout": (0.5,),
    "masking": (4,),
    "activation": ("relu",),
    "reshape": ((4,),),
    "permute": ((1,),),
    "repeat_vector": (2,),
    "time_distributed": (Dense(1),),
    "embedding": (3, 2),
    "dot": (1,),
    "conv1d": (2, 3),
    "conv2d": (2, 3),
    "conv_lstm1d": (2, 3),
    "conv_lstm2d": (2, 3),
    "mixture_density": (2,),
    "multi_head_attention": (2, 3),
    "average_pooling1d": (2,),
    "average_pooling2d": (2,),
    **dict.fromkeys(("spatial_dropout1d", "spatial_dropout2d", "spatial_dropout3d"), (0.5,)),
    **dict.fromkeys(("alpha_dropout", "gaussian_dropout", "gaussian_noise"), (0.5,)),
}


def test_there_is_one_of_each() -> None:
    of_code = {layers.Lambda, layers.LAYERS.classes["operation"]}  # see test_traced.py
    others = {layers.InputLayer, models.Model, Sequential, models.EncoderDecoder, *of_code}
    others.add(layers.TextVectorization)
    assert {type(layer) for layer in OF_EACH} == set(layers.LAYERS.classes.values()) - others


@pytest.mark.parametrize("layer", OF_EACH, ids=lambda layer: layer.kind)
def test_every_layer_is_made_again(layer: layers.Layer) -> None:
    config = layer.get_config()
    others = [
        type(layer).from_config(config),
        layers.from_config({"class_name": type(layer).__name__, "config": config}),
        type(layer).from_core(layer.config(), layer.layers_inside()),
        copy.deepcopy(layer),
        pickle.loads(pickle.dumps(layer)),
    ]
    for other in others:
        assert type(other) is type(layer)
        assert other.config() == layer.config()
    for other in (others[0], *others[3:]):
        assert other.get_config() == config
    plain = type(layer)(*PLAIN.get(layer.kind, ()))
    assert type(plain).from_config(plain.get_config()).get_config() == plain.get_config()


def test_a_tagger_is_made_again(tmp_path: Path) -> None:
    model = Sequential(
        [
            Masking(0.0, input_shape=(None, I)),
            Bidirectional(LSTM(4, return_sequences=True)),
            Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X, MASK.astype(int), verbose=0)
    model.save(tmp_path / "tagger.safetensors")
    loaded = models.load_model(tmp_path / "tagger.safetensors")
    for other in (loaded, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
        assert other.get_config() == model.get_config()
        other.fit(X, MASK.astype(int), verbose=0)
    again = Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_what_masking_gives_out_may_cost() -> None:
    model = Sequential(
        [
            Masking(activity_regularizer=lf.regularizers.L2(0.5)),
            Dense(1, kernel_initializer="zeros"),
        ]
    )
    model.compile("sgd", "mse")
    assert model.evaluate(X, np.zeros((B, T, 1)), verbose=0) == pytest.approx(
        0.5 * float((X.astype(float) ** 2).sum()) / B, rel=1e-5
    )


def test_bidirectional_has_keras_s_weights() -> None:
    layer = Bidirectional(LSTM(4, name="mine"), name="both")
    model = Sequential([Input((None, I)), layer])
    names = [name for name, _ in layer.weight_parts()]
    each = ["kernel", "recurrent_kernel", "bias"]
    assert names == [f"{which}.{n}" for which in ("forward", "backward") for n in each]
    assert (layer.forward_layer.name, layer.backward_layer.name) == (
        "forward_mine",
        "backward_mine",
    )
    assert layer.output_shape == (None, 8)
    assert layer.forward_layer.output_shape == (None, 4)
    ours = layer.get_weights()
    halves = [*layer.forward_layer.get_weights(), *layer.backward_layer.get_weights()]
    for mine, one in zip(ours, halves, strict=True):
        np.testing.assert_array_equal(mine, one)
    layer.backward_layer.set_weights([np.zeros_like(w) for w in ours[3:]])
    np.testing.assert_array_equal(model.predict(X)[:, 4:], 0.0)
    given = Bidirectional(LSTM(4), weights=ours)
    np.testing.assert_array_equal(given(X), Sequential([Input((None, I)), given]).predict(X))
    for mine, one in zip(given.get_weights(), ours, strict=True):
        np.testing.assert_array_equal(mine, one)
    assert layer.count_params() == 2 * (4 * 4 * (I + 4 + 1))


def test_a_loss_of_one_s_own_sees_no_mask_behind_the_sequences() -> None:
    model = Sequential([Masking(input_shape=(T, I)), LSTM(2), Dense(1)])
    model.compile("sgd", lambda y, p: (float(np.mean((p - y) ** 2)), 2 * (p - y) / p.size))
    assert model.train_on_batch(X, X[:, 0, :1]) > 0


def test_layer_calls_leave_others_alone() -> None:
    model = Sequential([Masking(input_shape=(T, I)), LSTM(2, return_sequences=True), Dense(1)])
    before = model.predict(X)
    lf.utils.set_random_seed(1)
    model.layers[1](X, mask=MASK, training=True)
    np.testing.assert_array_equal(model.predict(X), before)

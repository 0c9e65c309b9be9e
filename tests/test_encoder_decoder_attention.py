"""EncoderDecoder with attention: against a functional model, the reference, masks, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lstmfast import reference
from lstmfast.layers import (
    LSTM,
    AdditiveAttention,
    Attention,
    Concatenate,
    Dense,
    Embedding,
    Input,
    Masking,
)
from lstmfast.models import EncoderDecoder, Model, Sequential, load_model
from lstmfast.optimizers import SGD, Adam
from runs import threads

Array = npt.NDArray[Any]
LOSS = "sparse_categorical_crossentropy"
RNG = np.random.default_rng(8)
LENGTHS = [5, 2, 4, 1, 5]
X = np.where(np.arange(5) < np.array(LENGTHS)[:, None], RNG.integers(1, 6, (5, 5)), 0)
Y = RNG.integers(1, 6, (5, 3))
FORCED = np.concatenate([np.full((5, 1), 4), Y[:, :-1]], axis=1)  # 4 starts


def scaled(model: Any) -> Any:
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0.0, 0.7, w.shape) for w in model.get_weights()])
    return model


def made(attention: Any, units: int = 6, **options: Any) -> EncoderDecoder:
    layers = [Embedding(6, 4, mask_zero=True), LSTM(6, return_sequences=True)]
    encoder = Sequential([Input((None,)), *layers])
    options = {"start_token": 4, "length": 4, "seed": 0} | options
    return scaled(EncoderDecoder(encoder, units, tokens=6, attention=attention, **options))


def by_hand(attention: str, units: int = 6) -> Model:
    """As one writes it with the functional API, for targets that are one step late."""
    x, y = Input((None,)), Input((None,))
    words = Embedding(6, 4, mask_zero=True)(x)
    steps, h, c = LSTM(6, return_sequences=True, return_state=True)(words)
    states = [h, c] if units == 6 else [Dense(units)(h), Dense(units)(c)]
    out = LSTM(units, return_sequences=True)(Embedding(6, units)(y), initial_state=states)
    if attention == "luong":
        key = steps if units == 6 else Dense(units, use_bias=False)(steps)
        found = Attention()([out, steps, key])
    else:
        query, key = (Dense(units, use_bias=False)(each) for each in (out, steps))
        found = AdditiveAttention()([query, steps, key])
    return Model([x, y], Dense(6, "softmax")(Concatenate()([found, out])), seed=0)


def same_weights(model: Model, like: Model) -> None:
    """Give a model another one's weights, which have the same names in another order."""
    values = {w.path: w.numpy() for w in like.weights}
    model.set_weights([values[w.path] for w in model.weights])


@pytest.mark.parametrize(
    ("attention", "units"), [("luong", 6), ("luong", 5), ("bahdanau", 6), ("bahdanau", 5)]
)
def test_is_the_functional_model(attention: str, units: int) -> None:
    model, hand = made(attention, units), by_hand(attention, units)
    same_weights(hand, model)
    np.testing.assert_array_equal(np.asarray(model([X, Y])), np.asarray(hand([X, FORCED])))
    losses = []
    for each, y in ((model, Y), (hand, FORCED)):
        each.compile(SGD(0.1), LOSS)
        losses.append([each.train_on_batch(X if y is Y else [X, y], Y) for _ in range(4)])
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0]


@pytest.mark.parametrize("attention", ["luong", "additive"])
def test_is_the_formula(attention: str) -> None:
    layers = [Masking(), LSTM(3, return_sequences=True, dtype="float64")]
    encoder = Sequential([Input((None, 2), dtype="float64"), *layers])
    model: Any = EncoderDecoder(encoder, 3, features=2, start_token=0.5, attention=attention)
    scaled(model)
    x, y = RNG.normal(size=(4, 5, 2)), RNG.normal(size=(4, 3, 2))
    real = np.arange(5) < np.array([5, 3, 1, 4])[:, None]
    x[~real] = 0.0
    forced = reference.decoder_input_forward(y, 0.5)
    lengths = real.sum(axis=1)

    def lstm(name: str, x: Array, **options: Any) -> Any:
        names = ("kernel", "recurrent_kernel", "bias")
        weights = dict(zip(names, model.get_layer(name).get_weights(), strict=True))
        return reference.lstm_forward(x, weights, **options)

    v, (h, c), _ = lstm("lstm", x, lengths=lengths)
    out = lstm("lstm_1", forced, h0=h, c0=c)[0]
    query, key, more = out, v, {}
    if attention == "additive":
        query = out @ model.get_layer("dense").get_weights()[0]
        key = v @ model.get_layer("dense_1").get_weights()[0]
        more = {"mode": "concat", "gains": model.get_layer("additive_attention").get_weights()[0]}
    seen = reference.attention_seen(3, 5, False, None, real[:, None])
    found = reference.attention_forward(query[:, None], key[:, None], v[:, None], seen, **more)[0]
    kernel, bias = model.layers[-1].get_weights()
    expected = np.concatenate([found[:, 0], out], axis=-1) @ kernel + bias
    np.testing.assert_allclose(np.asarray(model([x, y])), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("attention", ["luong", "additive"])
@pytest.mark.parametrize("beams", [1, 3])
def test_padding_of_x_is_not_seen(attention: str, beams: int) -> None:
    model = made(attention, 5)
    options: dict[str, Any] = {"beam_width": beams, "return_scores": True}
    whole = model.predict(X, **options)
    alone = [model.predict(X[n : n + 1, :t], **options) for n, t in enumerate(LENGTHS)]
    with threads(2):
        np.testing.assert_array_equal(model.predict(X, batch_size=2, **options)[1], whole[1])
    for k in range(2):
        np.testing.assert_array_equal(whole[k], np.concatenate([each[k] for each in alone]))


def test_values_are_fed_back() -> None:
    encoder = Sequential([Input((None, 2)), LSTM(4, return_sequences=True)])
    model = scaled(
        EncoderDecoder(encoder, 5, features=2, start_token=0.5, attention=AdditiveAttention())
    )
    x = RNG.standard_normal((6, 3, 2)).astype(np.float32)
    found = model.predict(x, length=4)
    y = np.concatenate([found, found[:, :1]], axis=1)
    np.testing.assert_array_equal(np.asarray(model([x, y]))[:, :4], found)


def test_files(tmp_path: Path) -> None:
    model = made("additive", sampling_rate=0.25)
    model.compile("adam", LOSS)
    model.fit(X, Y, epochs=1, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again: Any = load_model(tmp_path / "model.safetensors")
    like = EncoderDecoder.from_config(model.get_config())
    like.set_weights(model.get_weights())
    for other in (again, like):
        np.testing.assert_array_equal(
            other.predict(X, beam_width=2), model.predict(X, beam_width=2)
        )
    losses = [each.fit(X, Y, epochs=2, verbose=0).history["loss"] for each in (model, again)]
    assert losses[0] == losses[1]


def test_learns_what_it_must_look_up() -> None:
    """Long sequences backwards: more than the final states of small layers can hold."""
    x = np.random.default_rng(0).integers(0, 5, (300, 8))
    encoder = Sequential([Input((None,)), Embedding(5, 8), LSTM(24, return_sequences=True)])
    accuracy = []
    for attention in (None, "luong"):
        model = EncoderDecoder(
            encoder, 24, tokens=6, start_token=5, length=8, attention=attention, seed=0
        )
        model.compile(Adam(0.01), LOSS, metrics=["accuracy"])
        run = model.fit(x, x[:, ::-1], epochs=20, verbose=0)
        accuracy.append(run.history["accuracy"][-1])
    assert accuracy[1] > accuracy[0]


def test_encoders_learn_their_initial_states() -> None:
    layers = [Embedding(6, 4), LSTM(6, return_sequences=True, learn_initial_state=True)]
    encoder = Sequential([Input((None,)), *layers])
    model = scaled(EncoderDecoder(encoder, 6, tokens=6, start_token=4, attention="dot"))
    before = model.predict(X, length=3, return_scores=True, beam_width=2)
    model.compile(SGD(0.5), LOSS)
    model.fit(X, Y, verbose=0)
    after = model.predict(X, length=3, return_scores=True, beam_width=2)
    assert (before[1] != after[1]).all()
    found = np.asarray(model([X, model.predict(X, length=3)])).argmax(axis=-1)
    np.testing.assert_array_equal(found, model.predict(X, length=3))

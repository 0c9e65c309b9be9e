"""Shapes and masks at the edges of what layers and models take: values, no reads beyond arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import layers, ops, optimizers
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Model, Sequential, load_model

RNG = np.random.default_rng(0)


class EverySecond(layers.Layer):
    supports_masking = True

    def call(self, x: Any) -> Any:
        return x[:, ::2]


def test_a_mask_that_ends_in_a_layer_that_passes_masks() -> None:
    x = Input((None, 3))
    model = Model(x, EverySecond()(LSTM(4, return_sequences=True)(x)))
    samples = [RNG.normal(size=(6, 3)), RNG.normal(size=(4, 3))]
    assert [each.shape for each in model.predict(samples, verbose=0)] == [(3, 4), (3, 4)]


def test_several_rows_for_each_query() -> None:
    x = Input((4, 3), dtype="float64")
    y = layers.Masking()(x)
    model = Model(x, layers.MultiHeadAttention(2, 2, output_shape=(5, 3))(y, y))
    data = RNG.normal(size=(3, 4, 3))
    data[1, 2:] = 0.0
    model.compile("sgd", "mse")
    found = model.predict(data, verbose=0)
    wanted = np.mean(found[data.any(axis=-1)] ** 2)
    assert model.evaluate(data, np.zeros_like(found), verbose=0) == pytest.approx(wanted, rel=1e-12)
    with pytest.raises(ValueError, match="output_shape has 4 axes; expected at most 3"):
        layers.MultiHeadAttention(2, 2, output_shape=(1, 2, 1, 3))(data, data)


def test_targets_that_are_single_values() -> None:
    x = Input((3,), dtype="float64")
    model = Model(x, Dense(2)(layers.DecoderInput(0.0, mask_value=-1)(x)))
    model.compile("sgd", "mse")
    data = np.array([[1.0, -1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
    found = model.predict(data, verbose=0)
    wanted = np.mean(found**2)
    assert model.evaluate(data, np.zeros_like(found), verbose=0) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("name", ["Add", "Multiply", "Maximum"])
def test_no_steps_merged_with_one(name: str) -> None:
    layer = getattr(layers, name)()
    assert layer([np.zeros((2, 0, 3)), np.ones((2, 1, 3))]).shape == (2, 0, 3)


def test_outputs_without_axes() -> None:
    x = Input((4, 3))
    model = Model(x, [ops.sum(Dense(2)(x), axis=(1, 2)), Dense(1)(x)])
    model.compile("sgd", [None, "mse"], metrics=[["mae"], None])
    data, targets = np.ones((6, 4, 3)), [np.arange(6.0), np.zeros((6, 4, 1))]
    wanted = np.mean(np.abs(model.predict(data, verbose=0)[0] - targets[0]))
    found = model.evaluate(data, targets, verbose=0, return_dict=True)
    assert next(v for k, v in found.items() if "mean" in k or "mae" in k) == pytest.approx(
        wanted, rel=1e-5
    )


@pytest.mark.parametrize("in_a_row", [False, True])
def test_a_model_with_decoder_input_stays_what_it_is(tmp_path: Path, in_a_row: bool) -> None:
    rows = [layers.DecoderInput(0, mask_value=2), layers.Embedding(6, 4), LSTM(3)]
    x = Input((None,), dtype="int32")
    y = x
    for layer in rows:
        y = layer(y)
    model = Sequential([x, *rows]) if in_a_row else Model(x, y)
    model.save(tmp_path / "a.safetensors")
    loaded = load_model(tmp_path / "a.safetensors")
    assert type(loaded) is type(model)
    ids = np.array([[1, 3, 2, 2], [0, 1, 5, 4]])
    assert np.array_equal(loaded.predict(ids, verbose=0), model.predict(ids, verbose=0))


def sampled(rate: float) -> Model:
    x = Input((3, 2), batch_size=2, dtype="float64")
    t = Input((3, 1), batch_size=2, dtype="float64")
    encoded = LSTM(4, stateful=True, return_sequences=True, seed=1)(x)
    late = layers.DecoderInput(0.0, sampling_rate=rate)(t)
    model = Model([x, t], Dense(1)(layers.Concatenate()([encoded, late])), seed=0)
    model.compile(optimizers.SGD(0.0), "mse")
    return model


def test_scheduled_sampling_carries_states_once() -> None:
    """Nothing is sampled at a rate of 1e-30, so both leave the same states."""
    x, y = RNG.normal(size=(2, 3, 2)), RNG.normal(size=(2, 3, 1))
    plain, other = sampled(0.0), sampled(1e-30)
    other.set_weights(plain.get_weights())
    for model in (plain, other):
        model.train_on_batch([x, y], y)
    results = [model.predict([x, y], batch_size=2, verbose=0) for model in (plain, other)]
    assert np.array_equal(*results)


def test_sampled_tokens_that_are_taken_as_values_too() -> None:
    x = Input((3,), dtype="int32")
    late = layers.DecoderInput(0, sampling_rate=1.0)(x)
    both = [layers.Embedding(3, 1)(late), layers.Reshape((3, 1))(late)]
    model = Model(x, Dense(3, "softmax")(layers.Concatenate()(both)))
    kernel, bias = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.5]]), np.array([0.0, 0.3, 1.0])
    model.set_weights([np.zeros((3, 1)), kernel, bias])
    model.compile(optimizers.SGD(0.0), "sparse_categorical_crossentropy")

    def probabilities(ids: Any) -> Any:
        scores = np.exp(np.outer([0, *ids[:-1]], kernel[1]) + bias)
        return scores / scores.sum(axis=1, keepdims=True)

    target = np.array([1, 2, 0])
    drawn = probabilities(target).argmax(axis=1)
    wanted = -np.log(probabilities(drawn)[np.arange(3), target]).mean()
    assert model.train_on_batch(target[None], target[None]) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("name", ["train_step", "metrics", "compute_loss"])
def test_steps_in_python_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^\[Own\] has {name}, which is not available"):
        type("Own", (Model,), {name: lambda self: None})


class Both(layers.Layer):
    def call(self, x: Any) -> Any:
        return x, ops.softmax(x)


def test_the_summary_of_a_layer_with_two_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    x = Input((3,))
    Model(x, list(Both()(x))).summary()
    assert "[(None, 3), (None, 3)]" in capsys.readouterr().out

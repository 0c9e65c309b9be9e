"""generate: the outputs of repeated predict, what is drawn, prompts of every form, errors."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import philox
from lstmfast import reference, variants
from lstmfast.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Conv1D,
    Dense,
    Embedding,
    Flatten,
    Input,
    MixtureDensity,
    TimeDistributed,
)
from lstmfast.models import Model, Sequential

Array = npt.NDArray[Any]
V = 7
NAME = 0xFFFFFFFD  # of the random numbers


def tokens(last: str | None = "softmax", **options: Any) -> Sequential:
    layers = [Embedding(V, 8), LSTM(16, return_sequences=True, **options), GRU(9)]
    return Sequential([Input((None,)), *layers, Dense(V, activation=last)], seed=0)


def one_hot(steps: int | None = None, *layers: Any) -> Sequential:
    inner = layers or (LSTM(12),)
    return Sequential([Input((steps, V)), *inner, Dense(V, "softmax")], seed=1)


def last_of(y: Array) -> Array:
    return y[0, -1] if y.ndim == 3 else y[0]


def predicted(model: Sequential, prompt: list[int], length: int, window: int | None = None) -> Any:
    """Continue by predict on the whole sequence, or its last steps, with the best id each time."""
    ids = list(prompt)
    for _ in range(length):
        x = np.array(ids[-window:] if window else ids)[None]
        if len(model.input_shape) == 3:
            x = np.eye(V, dtype="float32")[x]
        ids.append(int(last_of(model.predict(x)).argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize(
    ("model", "window"),
    [
        (tokens(), None),
        (tokens(None), None),
        (tokens(stateful=True), None),
        (tokens(learn_initial_state=True), None),
        (variants.generative(V, embedding=8, units=(16, 9), dropout=0.3, seed=0), None),
        (variants.generative(V, steps=4, units=(16,), seed=0), 4),
        (one_hot(), None),
        (one_hot(None, LSTM(9, return_sequences=True)), None),
        (one_hot(None, Conv1D(9, 3, padding="causal", dilation_rate=2), LSTM(5)), None),
        (one_hot(4), 4),
        (one_hot(4, Bidirectional(LSTM(5, return_sequences=True)), Flatten()), 4),
        (one_hot(4, LSTM(6, return_sequences=True)), 4),
    ],
    ids=[
        "softmax", "logits", "stateful", "learned start", "variant", "variant of 4 steps",
        "one-hot", "all", "convolution", "window", "whole", "window-all",
    ],
)  # fmt: skip
def test_greedy_is_repeated_predict(model: Sequential, window: int | None) -> None:
    prompts = [[1, 2, 3, 4], [5, 5, 0, 6, 2, 1, 3]]
    found = model.generate(prompts, 12, temperature=0)
    assert found.dtype == np.int32
    for row, prompt in zip(found, prompts, strict=True):
        plain = tokens() if model.stateful else model  # predict of the other continues by itself
        plain.set_weights(model.get_weights())
        assert row.tolist() == predicted(plain, prompt, 12, window)
        np.testing.assert_array_equal(model.generate(prompt, 12, temperature=0), row)


def test_a_stateful_layer_keeps_its_state() -> None:
    model = tokens(stateful=True)
    x = np.array([[1, 2, 3]])
    model.predict(x)
    second = model.predict(x)
    model.reset_states()
    model.predict(x)
    model.generate([1, 2], 5)
    np.testing.assert_array_equal(model.predict(x), second)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_are_fed_back(dtype: str) -> None:
    layers = [LSTM(8, return_sequences=True, dtype=dtype), TimeDistributed(Dense(2, dtype=dtype))]
    model = Sequential([Input((None, 2), dtype=dtype), *layers], seed=2)
    prompt = np.random.default_rng(0).normal(size=(5, 2)).astype(dtype)
    found = model.generate(prompt, 6)
    x = prompt[None]
    for _ in range(6):
        x = np.concatenate([x, model.predict(x)[:, -1:]], axis=1)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, x[0, 5:])
    several = model.generate([prompt, prompt[:2]], 6)
    np.testing.assert_array_equal(several[0], found)
    np.testing.assert_array_equal(several[1], model.generate(prompt[:2], 6))


def uniforms(seed: int, row: int, length: int, more: int = 0) -> tuple[Array, Array]:
    """Return what decides each draw of a row, and normal numbers for it."""
    bits = philox.random_bits(seed, NAME, NAME, 0, (row + 1, length, 2 + more))[row].astype(float)
    uniform = (np.floor(bits[:, 0] / 32) * 2**26 + np.floor(bits[:, 1] / 64)) / 2**53
    normal = [[NormalDist().inv_cdf((b + 0.5) / 2**32) for b in step[2:]] for step in bits]
    return uniform, np.array(normal)


@pytest.mark.parametrize("last", ["softmax", None])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 2.0, "top_k": 3},
        {"top_p": 0.6},
        {"temperature": 1.5, "top_k": 5, "top_p": 0.7},
        {"top_k": 1},
    ],
)
def test_ids_are_drawn_as_the_reference_does(last: str | None, options: dict[str, Any]) -> None:
    model = tokens(last)
    prompts = [[1, 2], [3], [4, 5, 6]]
    found = model.generate(prompts, 20, seed=5, **options)
    for n, prompt in enumerate(prompts):
        ids, (uniform, _) = list(prompt), uniforms(5, n, 20)
        for u in uniform:
            scores = last_of(model.predict(np.array(ids)[None]))
            ids.append(reference.draw_id(scores, u, logits=last is None, **options))
        assert found[n].tolist() == ids[len(prompt) :]


def test_the_frequencies_are_the_probabilities() -> None:
    model = tokens()
    p = model.predict(np.array([[1, 2, 3]]))[0].astype(float)
    rows = 4000
    drawn = model.generate(np.tile([1, 2, 3], (rows, 1)), 1, seed=0)[:, 0]
    share = np.bincount(drawn, minlength=V) / rows
    assert np.abs(share - p).max() < 4 * np.sqrt((p * (1 - p)).max() / rows)
    best = model.generate(np.tile([1, 2, 3], (rows, 1)), 1, top_k=2, seed=0)[:, 0]
    assert set(best) == set(np.argsort(-p)[:2])


def test_draws_depend_on_seed_and_row_alone() -> None:
    model = tokens()
    prompts = [[1, 2], [3], [1, 2]]
    found = model.generate(prompts, 30, seed=9)
    threads = lf.get_num_threads()
    lf.set_num_threads(2)
    try:
        np.testing.assert_array_equal(model.generate(prompts, 30, seed=9), found)
    finally:
        lf.set_num_threads(threads)
    np.testing.assert_array_equal(model.generate([[1, 2]], 30, seed=9)[0], found[0])
    np.testing.assert_array_equal(model.generate(prompts, 12, seed=9), found[:, :12])
    assert (found[0] != found[2]).any()
    assert (model.generate(prompts, 30, seed=8) != found).any()
    again = [tokens().generate(prompts, 30) for _ in range(2)]  # by the model's own seed
    np.testing.assert_array_equal(*again)


@pytest.mark.parametrize("temperature", [1.0, 0.3, 0.0])
def test_mixtures(temperature: float) -> None:
    model = Sequential(
        [Input((None, 2)), LSTM(8, return_sequences=True), MixtureDensity(3, 2)], seed=3
    )
    prompt = np.random.default_rng(1).normal(size=(4, 2)).astype("float32")
    found = model.generate([prompt], 5, temperature, seed=2)[0]
    uniform, normal = uniforms(2, 0, 5, more=2)
    x = prompt
    for u, z, step in zip(uniform, normal, found, strict=True):
        row = model.predict(x[None])[0, -1]
        expected = reference.draw_mixture(row, u, z, 3, temperature)
        # the quantile has seven digits, the result those of float32
        np.testing.assert_allclose(step, expected, rtol=2e-6, atol=2e-6)
        x = np.concatenate([x, step[None]])


def test_outputs_side_by_side() -> None:
    x = Input((None, 5))
    h = LSTM(8, return_sequences=True)(x)
    model = Model(x, [MixtureDensity(3, 2)(h), Dense(3, activation="softmax")(h)], seed=0)
    found = model.generate(np.zeros((1, 5)), 9, seed=1)
    assert found.shape == (9, 5)
    assert (found[:, 2:].sum(1) == 1).all()
    assert set(found[:, 2:].ravel()) == {0.0, 1.0}


class Own(Model):
    """A subclass, whose weights are made with the first data."""

    def __init__(self, ids: bool) -> None:
        super().__init__(seed=0)
        self.first = Embedding(V, 8) if ids else Dense(8)
        self.state = LSTM(16)
        self.end = Dense(V, activation="softmax") if ids else Dense(2)

    def call(self, x: Any) -> Any:
        return self.end(self.state(self.first(x)))


@pytest.mark.parametrize("make", [Own, lambda ids: Sequential(Own(ids).layers, seed=0)])
def test_models_are_built_from_the_prompt(make: Any) -> None:
    rows = np.ones((4, 2))
    for prompts in ([1, 2], [[1, 2], [3, 4]], np.array([[1, 2]]), [[1], [2, 3]], (1, 2)):
        model = make(True)
        found = model.generate(prompts, 3, temperature=0)
        np.testing.assert_array_equal(found, model.generate(prompts, 3, temperature=0))
        assert model.input_shape == (None, None)
    for values in (rows, rows[None], [rows, rows[:2]], rows.tolist()):
        model = make(False)
        assert model.generate(values, 3).shape[-2:] == (3, 2)
        assert model.input_shape == (None, None, 2)
    with pytest.raises(TypeError, match=r"\[generate\] x is None"):
        Sequential([LSTM(2), Dense(2)]).generate([], 3)
    with pytest.raises(ValueError, match="needs sequences"):
        Sequential([LSTM(2), Dense(2)]).generate([1, 2], 3)


def test_prompts_of_every_form() -> None:
    model, ids = one_hot(), [1, 2, 3]
    rows = np.eye(V, dtype=int)[ids]
    found = model.generate(ids, 4, temperature=0)
    for prompt in (tuple(ids), np.array(ids), rows, rows.astype(bool), rows.astype("float64")):
        np.testing.assert_array_equal(model.generate(prompt, 4, temperature=0), found)
    for prompts in ([ids], np.array([ids]), rows[None], [rows], [np.array(ids)]):
        np.testing.assert_array_equal(model.generate(prompts, 4, temperature=0), found[None])
    assert model.generate([], 4).shape == (0, 4)


def test_errors() -> None:
    model = tokens()

    def refused(text: str, model: Any, *args: Any, kind: type = ValueError, **more: Any) -> None:
        with pytest.raises(kind) as error:
            model.generate(*args, **more)
        assert text in str(error.value)

    refused("[model.generate] length is 0; expected an integer from 1 to", model, [1], 0)
    refused("temperature is -1", model, [1], 3, temperature=-1)
    refused("top_k is 0", model, [1], 3, top_k=0)
    refused("top_p is 0", model, [1], 3, top_p=0)
    refused("top_p is", model, [1], 3, top_p=1.5)
    refused("prompt is 9 at step 1; expected ids from 0 to 6", model, [1, 9], 3)
    refused("prompt[1] is 9 at step 0", model, [[1], [9, 2]], 3)
    refused("prompt[1] has 0 steps; expected at least 1", model, [[1], []], 3)
    refused("top_k is", model, [1], 3, kind=TypeError, top_k="x")
    refused(
        "prompt has 2 steps; expected at least 4, the steps of the model's input",
        one_hot(4),
        [1, 2],
        3,
    )
    refused(
        "(bidirectional) needs all steps at once", one_hot(None, Bidirectional(LSTM(3))), [1], 3
    )
    values = Sequential([Input((None, 2)), LSTM(3), Dense(3)])
    refused("make 3 values of a step; expected 2", values, np.ones((2, 2)), 3)
    feeding = Sequential([Input((None, 2)), LSTM(3), Dense(2)])
    refused("top_k is given; expected None", feeding, np.ones((2, 2)), 3, top_k=2)
    refused("temperature is 0.5; expected 1", feeding, np.ones((2, 2)), 3, temperature=0.5)
    refused("shape (2, 3)", feeding, np.ones((2, 3)), 3)
    refused("neither probabilities nor logits", tokens("sigmoid"), [1], 3)
    broken = tokens()
    broken.set_weights([np.full_like(w, np.nan) for w in broken.get_weights()])
    refused("the output for prompt is not finite at step 0", broken, [1], 3)

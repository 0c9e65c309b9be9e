"""Initial states that are weights: learn_initial_state of LSTM, GRU, SimpleRNN and Bidirectional.

Values and gradients against the reference are among the nets of `test_layers_values`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from differences import slope_along
from lstmfast import reference
from lstmfast.layers import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Dense,
    Input,
    LSTMCell,
    Masking,
    SimpleRNN,
)
from lstmfast.models import Model, Sequential, load_model

RNG = np.random.default_rng(6)
B, T, I, H = 5, 4, 3, 6
X = RNG.standard_normal((B, T, I))
Y = RNG.standard_normal((B, 2))
EPS = float(np.finfo(np.float64).eps)
KINDS: dict[str, tuple[Any, list[str]]] = {
    "lstm": (LSTM, ["initial_h", "initial_c"]),
    "gru": (GRU, ["initial_h"]),
    "simple_rnn": (SimpleRNN, ["initial_h"]),
}


def model_of(*made: Any, seed: int = 0) -> Sequential:
    model = Sequential([Input((T, I), dtype="float64"), *made, Dense(2)], seed=seed)
    model.compile("sgd", "mse")
    return model


def moved(model: Any, seed: int = 1) -> Any:
    """The model with other initial states than zeros."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.name.startswith("initial_"):
            weight.assign(rng.standard_normal(weight.shape))
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_zeros_at_first_and_then_learnt(kind: str) -> None:
    make, names = KINDS[kind]
    layer = make(H, learn_initial_state=True)
    model, plain = model_of(layer), model_of(make(H))
    assert [weight.name for weight in layer.weights][-len(names) :] == names
    assert all(not getattr(layer, name).numpy().any() for name in names)
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))
    model.fit(X, Y, epochs=2, verbose=0)
    assert all(getattr(layer, name).numpy().all() for name in names)
    assert make(H, learn_initial_state=True).get_config()["learn_initial_state"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_begins_with_them(kind: str) -> None:
    make, names = KINDS[kind]
    options = {"return_sequences": True, "return_state": True, "dtype": "float64"}
    layer, given = make(H, learn_initial_state=True, **options), make(H, **options)
    layer(X), given(X)
    moved(layer)
    given.set_weights(layer.get_weights()[: -len(names)])
    states = [np.tile(getattr(layer, name).numpy(), (B, 1)) for name in names]
    mask = np.array([[True] * T, [False] * T, [False, True, True, False]] + [[True] * T] * 2)
    for more in ({}, {"mask": mask}):
        found, expected = layer(X, **more), given(X, initial_state=states, **more)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found[1][1], states[0][1])  # a row without a real step
    params = dict(zip([name for name, _ in layer.weight_parts()], layer.get_weights(),
                      strict=True))  # fmt: skip
    y = getattr(reference, f"{kind}_forward")(X, params)[0]
    np.testing.assert_allclose(layer(X)[0], y, rtol=1000 * EPS, atol=1000 * EPS)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_a_step(kind: str, masked: bool) -> None:
    """A step of SGD at rate 1 subtracts the gradient, which differences confirm."""
    make, _ = KINDS[kind]
    x = X.copy()
    x[0], x[1, 2:] = 0, 0
    before = [Masking()] if masked else []
    inside = make(H, learn_initial_state=True, return_sequences=True)
    model = moved(model_of(*before, inside, Bidirectional(make(2, learn_initial_state=True))))
    model.optimizer.learning_rate = 1.0
    weights = model.get_weights()
    model.train_on_batch(x, Y)
    gradients = [w - v for w, v in zip(weights, model.get_weights(), strict=True)]
    names = [weight.path for weight in model.weights]
    assert sum("initial_" in name for name in names) == (6 if kind == "lstm" else 3)
    for place, name in enumerate(names):
        if "initial_" not in name:
            continue
        way = np.random.default_rng(place).standard_normal(weights[place].shape)

        def loss(s: float, place: int = place, way: Any = way) -> float:
            moved_ones = [w.copy() for w in weights]
            moved_ones[place] += s * way
            model.set_weights(moved_ones)
            return float(model.evaluate(x, Y, verbose=0))

        numeric, bound = slope_along(loss)
        assert abs(float((gradients[place] * way).sum()) - numeric) <= bound < 1e-4


def test_no_bit_depends_on_threads_or_batches() -> None:
    found = []
    for threads in (1, 2):
        lf.set_num_threads(threads)
        model = moved(model_of(Bidirectional(LSTM(H, learn_initial_state=True))))
        model.fit(X, Y, epochs=2, batch_size=3, verbose=0)
        whole = model.predict(X)
        np.testing.assert_array_equal(model.predict(X, batch_size=2), whole)
        found.append([*model.get_weights(), whole])
    np.testing.assert_equal(*found)


def test_a_layer_used_twice_adds_its_gradients_up() -> None:
    layer = LSTM(H, learn_initial_state=True, dtype="float64")
    a, b = Input((T, I), dtype="float64"), Input((T, I), dtype="float64")
    both = Model([a, b], [layer(a), layer(b)])
    both.compile("sgd", "mse")
    moved(both)
    weights, y = both.get_weights(), RNG.standard_normal((B, H))
    steps = []
    for x in (X, X[::-1].copy()):
        one = Model(a, layer(a))
        one.compile("sgd", "mse")
        one.train_on_batch(x, y)
        steps.append([w - v for w, v in zip(weights, one.get_weights(), strict=True)])
        both.set_weights(weights)
    both.train_on_batch([X, X[::-1].copy()], [y, y])
    for first, second, weight, now in zip(*steps, weights, both.get_weights(), strict=True):
        np.testing.assert_allclose(weight - now, first + second, rtol=1e-9, atol=1e-15)


def test_frozen_layers_keep_them() -> None:
    layer = LSTM(H, learn_initial_state=True)
    model = model_of(layer)
    layer.trainable = False
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert not layer.initial_h.numpy().any()


def test_files(tmp_path: Path) -> None:
    model = moved(model_of(Bidirectional(GRU(H, learn_initial_state=True)), ))  # fmt: skip
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    again.fit(X, Y, verbose=0), model.fit(X, Y, verbose=0)
    np.testing.assert_equal(again.get_weights(), model.get_weights())
    pytest.importorskip("h5py")
    with pytest.raises(
        ValueError, match="has learn_initial_state=True; Keras has no learn_initial_state;"
    ):
        model.save(tmp_path / "model.keras")


def test_cells() -> None:
    made: Any = RNN(LSTMCell(3), learn_initial_state=True)
    assert made.learn_initial_state
    with pytest.raises(TypeError, match="learn_initial_state is an argument of RNN, not of a cell"):
        LSTMCell(3, learn_initial_state=True)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[layers.GRU\] learn_initial_state is True; expected "
                       "False in a stateful layer, which begins as it ended"):  # fmt: skip
        GRU(2, stateful=True, learn_initial_state=True)
    layer = LSTM(2, learn_initial_state=True)
    state = np.zeros((B, 2))
    message = "initial_state is given; expected None, for the layer learns its initial state"
    with pytest.raises(ValueError, match=message):
        layer(X, initial_state=[state, state])
    h, c = Input((2,)), Input((2,))
    with pytest.raises(ValueError, match=message):
        layer(Input((T, I)), initial_state=[h, c])
    plain = LSTM(2)
    plain(X)
    with pytest.raises(AttributeError, match=r"initial_h: .* has none"):
        _ = plain.initial_h

"""Losses of the user's own that are made of operations: values, gradients, weights, files."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast.keras as keras
from differences import slope_along
from lstmfast import backend, losses, ops
from lstmfast.layers import LSTM, Dense, Input, Masking
from lstmfast.models import Model, Sequential, load_model
from lstmfast.optimizers import SGD
from traced_losses import TRACED, B, D, T

RNG = np.random.default_rng(5)
Y, P = RNG.normal(size=(B, T, D)), RNG.normal(size=(B, T, D))


def values_of(name: str, y: Any, p: Any) -> np.ndarray[Any, Any]:
    """By NumPy, at once."""
    return np.asarray(TRACED[name](ops, losses, y, p))


def model_with_weights(p: Any, loss: Any, dtype: str = "float64", **more: Any) -> tuple[Any, Any]:
    """Return a model whose weights are its predictions, and its inputs."""
    x = np.eye(B * T).reshape(B, T, B * T)
    model = Sequential([Dense(D, use_bias=False, input_shape=(T, B * T))], dtype=dtype)
    model.set_weights([p.reshape(B * T, D)])
    model.compile(SGD(1.0), loss, **more)
    return model, x


def value_and_gradient(loss: Any, y: Any, p: Any, **more: Any) -> tuple[float, Any]:
    model, x = model_with_weights(p, loss)
    value = model.train_on_batch(x, y, **more)
    return value, p - model.get_weights()[0].reshape(p.shape)


@pytest.mark.parametrize("name", TRACED)
def test_values_and_gradients(name: str) -> None:
    loss = functools.partial(TRACED[name], ops, losses)
    value, gradient = value_and_gradient(loss, Y, P)
    # sums of some hundred terms of order 1 to 100, in another order
    assert value == pytest.approx(np.mean(values_of(name, Y, P)), rel=1e-12)
    for _ in range(2):
        direction = RNG.normal(size=P.shape)
        slope, bound = slope_along(
            lambda s, d=direction: float(np.mean(values_of(name, Y, P + s * d)))  # type: ignore[misc]
        )
        assert abs(np.sum(gradient * direction) - slope) <= bound


def rmse(y_true: Any, y_pred: Any) -> Any:
    return backend.sqrt(backend.mean(backend.square(y_pred - y_true)))


class Tilted(keras.losses.Loss):  # type: ignore[misc]
    def __init__(self, q: float = 0.5, name: str = "q", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.q = q

    def call(self, y_true: Any, y_pred: Any) -> Any:
        e = y_true - y_pred
        return keras.ops.mean(keras.ops.maximum(self.q * e, (self.q - 1) * e), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "q": self.q}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_trains_as_the_core_s(dtype: str) -> None:
    """In batches of 4 and of 3, with a validation part, for targets without the last axis too."""
    x, y = RNG.random((14, 5, 2)), RNG.random(14)
    runs = []
    for loss in ("mse", lambda t, p: ops.mean(ops.square(t - p), axis=-1)):
        model = Sequential([LSTM(4, input_shape=(5, 2)), Dense(1)], seed=0, dtype=dtype)
        model.compile("adam", loss, metrics=["mae"])
        run = model.fit(x, y, batch_size=4, epochs=3, validation_split=0.5, verbose=0)
        runs.append((run.history, model.evaluate(x, y, verbose=0)))
    (history, scores), (own_history, own_scores) = runs
    eps = float(np.finfo(dtype).eps)
    for name in history:  # 6 steps of Adam, each of which may move a rounding by its rate
        np.testing.assert_allclose(own_history[name], history[name], rtol=1e4 * eps)
    np.testing.assert_allclose(own_scores, scores, rtol=1e4 * eps)


@pytest.mark.parametrize("name", ["samples", "steps", "root of the mean", "operators"])
def test_weights_of_samples(name: str) -> None:
    weights = RNG.random(B)
    loss = functools.partial(TRACED[name], ops, losses)
    value, gradient = value_and_gradient(loss, Y, P, sample_weight=weights)
    each = values_of(name, Y, P)
    wide = weights.reshape(B, *[1] * (each.ndim - 1)) if each.ndim else weights.mean()
    assert value == pytest.approx(np.mean(wide * each), rel=1e-12)
    direction = RNG.normal(size=P.shape)
    slope, bound = slope_along(
        lambda s: float(np.mean(wide * values_of(name, Y, P + s * direction)))
    )
    assert abs(np.sum(gradient * direction) - slope) <= bound


def test_weights_of_steps_and_classes() -> None:
    weights = RNG.random((B, T))
    value, _ = value_and_gradient(
        functools.partial(TRACED["steps"], ops, losses), Y, P, sample_weight=weights
    )
    assert value == pytest.approx(np.mean(weights * values_of("steps", Y, P)), rel=1e-12)
    samples = functools.partial(TRACED["samples"], ops, losses)
    with pytest.raises(ValueError, match=r"values of shape \(4,\); expected one for each step"):
        value_and_gradient(samples, Y, P, sample_weight=weights)
    flat = lambda y, p: ops.reshape(p - y, (-1,))  # noqa: E731
    assert value_and_gradient(flat, Y, P)[0] == pytest.approx(np.mean(P - Y), rel=1e-12)
    with pytest.raises(ValueError, match=r"of shape \(24,\); expected one number, or one for each"):
        value_and_gradient(flat, Y, P, sample_weight=np.ones(B))
    model = Sequential([Dense(1, input_shape=(1,))], seed=0)
    model.compile("sgd", lambda y, p: ops.square(y - p))
    x = np.arange(4.0).reshape(4, 1)
    run = model.fit(x, x % 2, class_weight={0: 1.0, 1: 0.0}, verbose=0)
    assert run.history["loss"][0] > 0


def test_a_mask_leaves_out_steps() -> None:
    x = RNG.normal(size=(B, T, 1))
    x[1, 2] = x[3, 1:] = 0.0
    scores = []
    for loss in ("mae", lambda y, p: ops.mean(ops.abs(y - p), axis=-1)):
        layers = [Masking(), LSTM(3, return_sequences=True), Dense(D)]
        model = Sequential([Input((T, 1)), *layers], seed=0, dtype="float64")
        model.compile("sgd", loss)
        model.fit(x, Y, batch_size=3, shuffle=False, verbose=0)
        scores.append(model.evaluate(x, Y, batch_size=B, verbose=0))
    assert scores[1] == pytest.approx(scores[0], rel=1e-12)
    model.compile("sgd", rmse)  # one number of all steps: masked ones are in it
    p = model.predict(x)
    assert model.evaluate(x, Y, verbose=0) == pytest.approx(np.sqrt(np.mean((p - Y) ** 2)))
    model.compile("sgd", lambda y, p: (0.0, p))
    with pytest.raises(ValueError, match="the output has a mask; expected none with a loss of one"):
        model.fit(x, Y, verbose=0)


def test_several_outputs() -> None:
    a = Input((3,))
    first, second = Dense(2, name="first")(a), Dense(1, name="second")(a)
    model = Model(a, [first, second])
    model.compile("sgd", {"first": rmse, "second": Tilted(0.2)}, loss_weights=[1.0, 0.5])
    x, y = RNG.random((7, 3)), [RNG.random((7, 2)), RNG.random((7, 1))]
    p = model.predict(x)
    e = y[1] - p[1]
    parts = [np.sqrt(np.mean((y[0] - p[0]) ** 2)), np.mean(np.maximum(0.2 * e, -0.8 * e))]
    total, *own = model.evaluate(x, y, verbose=0)
    assert own == pytest.approx(parts, rel=1e-5)
    assert total == pytest.approx(parts[0] + 0.5 * parts[1], rel=1e-5)
    assert np.isfinite(model.fit(x, y, batch_size=3, verbose=0).history["loss"][0])


def test_a_function_is_called_once_for_each_shape() -> None:
    calls: list[Any] = []

    def loss(y: Any, p: Any) -> Any:
        calls.append(p.shape)
        return ops.mean(ops.square(y - p), axis=-1)

    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", loss)
    model.fit(np.ones((11, 2)), np.ones((11, 1)), batch_size=4, epochs=5, verbose=0)
    model.evaluate(np.ones((11, 2)), np.ones((11, 1)), batch_size=4, verbose=0)
    # once with arrays, since it might return a pair, and once with tensors of each shape
    assert calls == [(4, 1), (4, 1), (3, 1)]


def test_called_directly() -> None:
    own = Tilted(0.9)
    y, p = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    assert own(y, p) == pytest.approx(0.5)
    assert own(y, p, sample_weight=np.array([1.0, 0.0])) == pytest.approx(0.45)
    assert losses.get(rmse)(y, p) == pytest.approx(1.0)
    assert own.get_config() == {"name": "q", "reduction": "sum_over_batch_size", "q": 0.9}
    assert losses.Huber(0.5).get_config()["delta"] == 0.5


@pytest.mark.parametrize("ending", [".safetensors", ".keras", ".h5"])
def test_files(ending: str, tmp_path: Path) -> None:
    if ending != ".safetensors":
        pytest.importorskip("h5py")
    x, y = RNG.random((6, 3)), RNG.random((6, 1))
    for loss, objects in ((rmse, {"rmse": rmse}), (Tilted(0.8), {"Tilted": Tilted})):
        model = Sequential([Dense(1, input_shape=(3,))])
        model.compile("adam", loss)
        model.fit(x, y, verbose=0)
        path = tmp_path / f"m{ending}"
        model.save(path)
        again = load_model(path, custom_objects=objects)
        assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
        assert again.train_on_batch(x, y) == model.train_on_batch(x, y)


def in_numpy(y: Any, p: Any) -> Any:
    return np.mean(np.square(y - p))


def by_steps_of_python(y: Any, p: Any) -> Any:
    return ops.mean(y - p) if p[0, 0] > 0 else ops.mean(p)


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (in_numpy, r"numpy.square.*expected ops.square"),
        (by_steps_of_python, "expected a condition in values"),
        (lambda y, p: 1.0, "what it returned is .*expected a tensor"),
        (lambda y, p: ops.mean(Dense(1)(p)), "a loss has layer dense; expected operators"),
        (lambda y, p: losses.ESR()(y[:, None], p[:, None]), r"\[ESR\] y_pred is .*an array"),
    ],
)
def test_one_error_says_both_ways(loss: Any, reason: str) -> None:
    model = Sequential([Dense(1, input_shape=(3,))], seed=0)
    model.compile("adam", loss)
    before = model.get_weights()
    with pytest.raises(TypeError, match=r"expected a pair \(value, gradient\), or .*" + reason):
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    np.testing.assert_equal(model.get_weights(), before)


def test_from_several_threads_and_of_several_lengths() -> None:
    model = Sequential([Input((None, 2)), LSTM(8, return_sequences=True), Dense(1)], seed=0)
    model.compile("adam", rmse)
    data = [(RNG.random((6, steps, 2)), RNG.random((6, steps, 1))) for steps in (3, 9, 5)]
    expected = [np.sqrt(np.mean((model.predict(x) - y) ** 2)) for x, y in data]

    def scores(_: int) -> list[float]:
        return [model.evaluate(x, y, verbose=0) for x, y in data]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(scores, range(8)))
    assert found == [found[0]] * 8
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)
    assert np.isfinite(model.fit(iter(data), verbose=0).history["loss"]).all()


def test_rows_of_no_weight_may_hold_anything() -> None:
    y = Y.copy()
    y[0, 1], y[3] = np.nan, np.inf
    weights = np.ones((B, T))
    weights[0, 1] = weights[3] = 0

    def square(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_pred - y_true), axis=-1)

    mine = value_and_gradient(square, y, P, sample_weight=weights)
    core = value_and_gradient("mse", y, P, sample_weight=weights)
    np.testing.assert_allclose(mine[0], core[0], rtol=1e-12)
    np.testing.assert_allclose(mine[1], core[1], rtol=1e-12, atol=1e-15)


def test_a_value_of_one_sample_has_one_weight() -> None:
    def of_samples(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_pred - y_true), axis=(1, 2))

    weights = np.arange(1.0, B * T + 1).reshape(B, T)
    model, x = model_with_weights(P, of_samples)
    for size in (B, 1):  # one sample is no reason to take the mean weight
        with pytest.raises(ValueError, match="one for each step"):
            model.evaluate(x, Y, batch_size=size, sample_weight=weights, verbose=0)


def test_more_shapes_than_are_kept() -> None:
    def square(y_true: Any, y_pred: Any) -> Any:
        return ops.square(y_pred - y_true)

    mine, core = (Sequential([Dense(1, input_shape=(2,))], seed=0) for _ in range(2))
    mine.compile("sgd", square)
    core.compile("sgd", "mse")
    for _ in range(2):
        for rows in range(1, 70):
            x, y = np.ones((rows, 2)), np.ones((rows, 1))
            assert mine.evaluate(x, y, verbose=0, batch_size=rows) == pytest.approx(
                core.evaluate(x, y, verbose=0, batch_size=rows), rel=1e-6
            )

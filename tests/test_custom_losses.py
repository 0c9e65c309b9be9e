"""Losses of the user's own: what they are given, what they must return, what becomes of errors."""

from __future__ import annotations

import functools
import gc
import math
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from lstmfast import losses
from lstmfast.layers import LSTM, Dense
from lstmfast.models import Sequential
from own_code import Pinball, Scaled, model_and_data, squared


class Squared(losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return squared(y_true, y_pred)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("own", [squared, Squared, Squared(), functools.partial(squared)])
def test_it_trains_as_the_core_s(own: Any, dtype: str) -> None:
    runs = []
    for loss in ("mse", own):
        model, x, y = model_and_data(loss, ["mae"], dtype=dtype)
        run = model.fit(x, y, epochs=4, batch_size=4, validation_split=0.2, verbose=0)
        runs.append((model, run.history))
    (core, history), (mine, own_history) = runs
    # the same gradients, so the same bits; only the loss's sum is in another order
    np.testing.assert_equal(mine.get_weights(), core.get_weights())
    assert own_history["val_mae"] == history["val_mae"]
    for name in ("loss", "val_loss"):
        eps = float(np.finfo(dtype).eps)
        assert own_history[name] == pytest.approx(history[name], rel=2 * y.size * eps)
    assert mine.evaluate(x, y, verbose=0) == pytest.approx(core.evaluate(x, y, verbose=0), rel=1e-5)
    assert mine.train_on_batch(x, y) == pytest.approx(core.train_on_batch(x, y), rel=1e-5)
    np.testing.assert_equal(mine.get_weights(), core.get_weights())
    assert mine.test_on_batch(x, y) == pytest.approx(core.test_on_batch(x, y), rel=1e-5)


def test_sequences_labels_and_other_targets() -> None:
    shapes: list[Any] = []

    def loss(y_true: Any, y_pred: Any) -> Any:
        shapes.append((y_true.shape, y_pred.shape, y_true.dtype, y_pred.dtype))
        return 1, np.zeros_like(y_pred)

    x = np.zeros((5, 4, 1))
    model = Sequential([LSTM(3, return_sequences=True), Dense(2)])
    model.compile("sgd", loss)
    f32 = np.dtype(np.float32)
    for y in (np.zeros((5, 4, 2)), np.zeros((5, 4), int), np.zeros(5), np.zeros((5, 1, 2, 7))):
        shapes.clear()
        model.fit(x, y, batch_size=3, verbose=0)
        assert shapes == [((n, *y.shape[1:]), (n, 4, 2), f32, f32) for n in (3, 2)]
    model.compile("sgd", loss, metrics=["accuracy"])  # chooses by the targets that come
    assert model.evaluate(x, np.zeros((5, 4), int), verbose=0)[1] == 1.0
    model.compile("sgd", loss, metrics=["mse"])
    with pytest.raises(ValueError, match="target has 0 values a row"):
        model.evaluate(x, np.zeros((5, 3)), verbose=0)


def test_the_arrays_are_the_user_s_to_keep_and_to_spoil() -> None:
    kept: list[Any] = []

    def loss(y_true: Any, y_pred: Any) -> Any:
        kept.append((y_true, y_pred, y_true.copy(), y_pred.copy()))
        result = squared(y_true, y_pred)
        if len(kept) % 2:
            y_true[:] = y_pred[:] = np.nan
            kept.pop()
            kept.append(None)
        return result

    runs = []
    for one in (squared, loss):
        model, x, y = model_and_data(one)
        targets = y.astype(np.float32)
        model.fit(x.astype(np.float32), targets, epochs=3, batch_size=4, shuffle=False, verbose=0)
        np.testing.assert_array_equal(targets, y.astype(np.float32))
        runs.append(model.get_weights())
    np.testing.assert_equal(*runs)
    del model
    gc.collect()
    for item in kept:
        if item is not None:
            np.testing.assert_equal(item[:2], item[2:])


def test_a_quantile() -> None:
    rng = np.random.default_rng(0)
    y = rng.random((200, 1))
    model = Sequential([Dense(1, input_shape=(1,))], seed=0)
    model.compile("sgd", Pinball(0.8))
    model.fit(np.zeros_like(y), y, epochs=100, verbose=0)
    assert np.mean(y < model.predict(np.zeros((1, 1)))) == pytest.approx(0.8, abs=0.02)
    assert repr(losses.get(squared)) == "FunctionLoss(squared)"


def test_the_gradient_reaches_every_weight() -> None:
    """Central differences of the loss against one step of gradient descent, in float64."""
    x = np.random.default_rng(0).random((4, 3, 2))
    y = np.random.default_rng(1).random((4, 3, 2))

    def loss(y_true: Any, y_pred: Any) -> Any:
        error = y_pred - y_true
        return np.mean(np.log(np.cosh(error))), np.tanh(error) / error.size

    layers = [LSTM(3, return_sequences=True, input_shape=(3, 2)), Dense(2, activation="sigmoid")]
    model = Sequential(layers, seed=0, dtype="float64")
    model.compile("sgd", loss)
    assert model.optimizer is not None
    model.optimizer.learning_rate = 1.0
    before = model.get_weights()
    model.train_on_batch(x, y)
    gradients = [w - after for w, after in zip(before, model.get_weights(), strict=True)]
    step = 1e-5
    for index, weight in enumerate(before):
        for at in list(np.ndindex(weight.shape))[::5]:
            values = []
            for sign in (1, -1):
                moved = [w.copy() for w in before]
                moved[index][at] += sign * step
                model.set_weights(moved)
                values.append(model.evaluate(x, y, verbose=0))
            slope = (values[0] - values[1]) / (2 * step)
            # differences: step² of the third derivative, and rounding over the step
            assert gradients[index][at] == pytest.approx(slope, abs=1e-9)


class Endless:
    """A data set, say: no index raises an IndexError."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> float:
        assert index < 1000, "read without end"
        return 0.0


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "value alone": (
        lambda t, p: 1.0,
        TypeError,
        r"\[lambda\] returned float; expected a pair \(value, gradient\)",
    ),
    "three": (lambda t, p: (1.0, p, p), TypeError, "returned 3 items; expected a pair"),
    "an array": (lambda t, p: np.abs(p), TypeError, "returned ndarray; expected a pair"),
    "value kind": (lambda t, p: ("1", p), TypeError, r"value is str; expected a number"),
    "no value": (lambda t, p: (None, p), TypeError, r"value is NoneType; expected a number"),
    "complex": (lambda t, p: (1j, p), TypeError, r"value is complex; expected a number"),
    "values": (
        lambda t, p: (np.ones(4), p),
        TypeError,
        r"value has shape \(4,\); expected a number",
    ),
    "gradient's shape": (
        lambda t, p: (1.0, p[:, 0]),
        ValueError,
        r"gradient has shape \(4,\); expected \(4, 2\), the shape of y_pred",
    ),
    "a number as gradient": (lambda t, p: (1.0, 2.0), ValueError, r"gradient has shape \(\)"),
    "gradient's kind": (
        lambda t, p: (1.0, p + 0j),
        TypeError,
        "gradient has dtype complex64; expected real numbers",
    ),
    "objects": (lambda t, p: (1.0, p.astype(object)), TypeError, "dtype object; expected real"),
    "no gradient": (lambda t, p: (1.0, None), TypeError, "gradient is None; expected an array"),
    "gradient without an end": (
        lambda t, p: (1.0, Endless()),
        TypeError,
        r"\[lambda\] gradient is of type Endless; expected an array or nested lists of numbers",
    ),
    "masked gradient": (
        lambda t, p: (1.0, np.ma.masked_array(p, mask=True)),
        ValueError,
        r"\[lambda\] gradient is a masked array with 8 masked values",
    ),
    "its own error": (lambda t, p: 1 // 0, ZeroDivisionError, "division"),
    "arguments": (lambda t: 1, TypeError, "positional argument"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_it_must_return(name: str) -> None:
    loss, kind, pattern = WRONG[name]
    model, x, y = model_and_data(loss)
    before = model.get_weights()
    with pytest.raises(kind, match=pattern):
        model.fit(x, y, batch_size=4, verbose=0)
    np.testing.assert_equal(model.get_weights(), before)
    if "gradient" not in name and name != "objects":  # of which evaluate looks at nothing
        with pytest.raises(kind, match=pattern):
            model.evaluate(x, y, batch_size=4, verbose=0)


def test_what_it_may_return() -> None:
    runs = []
    for cast in (
        lambda value, gradient: (value, gradient),
        lambda value, gradient: [np.float32(value), gradient.astype(np.float64)],
        lambda value, gradient: (np.array(value), gradient.tolist()),
        lambda value, gradient: (value, np.asfortranarray(gradient)),
    ):
        model, x, y = model_and_data(lambda t, p, cast=cast: cast(*squared(t, p)))
        model.fit(x, y, epochs=2, batch_size=4, verbose=0)
        runs.append(model.get_weights())
    for run in runs[1:]:
        np.testing.assert_equal(run, runs[0])


def test_an_error_keeps_the_last_whole_step() -> None:
    calls = []

    def loss(y_true: Any, y_pred: Any) -> Any:
        calls.append(None)
        if len(calls) == 5:
            raise LookupError("mine")
        return squared(y_true, y_pred)

    model, x, y = model_and_data(loss)
    with pytest.raises(LookupError, match="mine"):
        model.fit(x, y, epochs=3, batch_size=4, verbose=0)
    assert model.optimizer is not None
    assert model.optimizer.iterations == 4
    assert model.history is not None
    assert len(model.history.epoch) == 1
    assert len(model.fit(x, y, verbose=0).epoch) == 1


def test_what_is_not_finite() -> None:
    def at_third(bad_value: float, bad_gradient: float) -> Any:
        calls: list[None] = []

        def loss(y_true: Any, y_pred: Any) -> Any:
            calls.append(None)
            value, gradient = squared(y_true, y_pred)
            if len(calls) == 3:
                gradient[0, 0] += bad_gradient
                value += bad_value
            return value, gradient

        return loss

    for bad, what in [((math.nan, 0), "the loss"), ((0, math.inf), "a gradient")]:
        model, x, y = model_and_data(at_third(*bad))
        with pytest.raises(FloatingPointError, match=f"{what} is not finite in epoch 1 of 1, b"):
            model.fit(x, y, batch_size=4, verbose=0)
        assert model.optimizer is not None
        assert model.optimizer.iterations == 2
        assert all(np.isfinite(w).all() for w in model.get_weights())
        model, x, y = model_and_data(at_third(*bad))
        model.fit(x, y, batch_size=4, epochs=3, verbose=0, on_nonfinite="stop")
        assert model.stop_training


def test_python_sees_denormals_and_the_core_does_not_leak_its_mode() -> None:
    tiny = np.float32(1e-40)
    seen = []

    def loss(y_true: Any, y_pred: Any) -> Any:
        seen.append(float(np.add(tiny, tiny, dtype=np.float32)))
        return squared(y_true, y_pred)

    def metric(y_true: Any, y_pred: Any) -> Any:
        seen.append(float(np.add(tiny, tiny, dtype=np.float32)))
        return 0.0

    model, x, y = model_and_data(loss, [metric])
    model.fit(x, y, batch_size=4, validation_split=0.3, verbose=0)
    assert len(seen) == 6
    assert set(seen) == {float(tiny + tiny)}
    assert seen[0] > 0


def test_a_loss_that_knows_its_model_does_not_keep_it() -> None:
    class Own(Sequential):
        def my_loss(self, y_true: Any, y_pred: Any) -> Any:
            assert self.built
            return squared(y_true, y_pred)

        def my_metric(self, y_true: Any, y_pred: Any) -> Any:
            return len(self.layers)

    model = Own([Dense(2, input_shape=(3,))])
    model.compile("sgd", model.my_loss, metrics=[model.my_metric])
    model.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0)
    watched, loss = weakref.ref(model), weakref.ref(model.loss)
    del model
    gc.collect()
    assert watched() is None
    assert loss() is None


def test_a_compiled_anew_model_forgets_its_loss() -> None:
    model, x, y = model_and_data(Scaled(2.0))
    model.fit(x, y, verbose=0)
    watched = weakref.ref(model.loss)
    model.compile("sgd", "mse")
    assert watched() is None
    with pytest.raises(TypeError, match=r"\[model.compile\] loss is int"):
        model._core_model.compile({}, [3])  # type: ignore[union-attr]
    with pytest.raises(TypeError, match="a metric of type int has no name"):
        model._core_model.compile({}, [], [3])  # type: ignore[union-attr]
    assert model.evaluate(x, y, verbose=0) > 0


def test_from_several_threads() -> None:
    """Large enough for the core to let the others run."""
    x = np.random.default_rng(0).random((64, 30, 8), dtype=np.float32)
    y = x[:, 0, :2].copy()
    model = Sequential([LSTM(64), Dense(2)], seed=0)
    model.compile("adam", squared, metrics=[lambda t, p: abs(t - p)])
    alone = model.evaluate(x, y, verbose=0)
    others = []
    for seed in range(3):
        other = Sequential([LSTM(64), Dense(2)], seed=seed)
        other.compile("adam", Pinball())
        others.append(other)
    with ThreadPoolExecutor(4) as pool:
        fits = [pool.submit(other.fit, x, y, epochs=3, verbose=0) for other in others]
        values = list(pool.map(lambda _: model.evaluate(x, y, verbose=0), range(20)))
        assert all(len(fit.result().epoch) == 3 for fit in fits)
    assert values == [alone] * 20


def test_a_loss_may_use_the_model() -> None:
    x = np.random.default_rng(0).random((8, 3, 1))
    model = Sequential([LSTM(4), Dense(1)], seed=0)
    seen: list[Any] = []

    def loss(y_true: Any, y_pred: Any) -> Any:
        seen.append(model.predict(x).shape)
        with pytest.raises(RuntimeError, match="a call that changes this object is running"):
            model.train_on_batch(x, x[:, 0])
        return squared(y_true, y_pred)

    model.compile("adam", loss)
    model.fit(x, x[:, 0], batch_size=4, verbose=0)
    assert seen == [(8, 1)] * 2

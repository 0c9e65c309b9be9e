"""Metrics of the user's own: functions and classes, among the core's."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from lstmfast import metrics
from lstmfast.callbacks import EarlyStopping, LambdaCallback
from lstmfast.layers import LSTM, Input, Masking
from lstmfast.metrics import MeanMetricWrapper, Metric
from lstmfast.models import Sequential
from own_code import Worst, model_and_data, off_by, squared


def test_names_and_order() -> None:
    given = ["mse", off_by, Worst(name="extreme"), "mae", Worst, lambda t, p: 0.5]
    names = ["loss", "mse", "off_by", "extreme", "mae", "worst", "lambda"]
    model, x, y = model_and_data("mse", given)
    run = model.fit(x, y, epochs=2, batch_size=4, validation_split=0.2, verbose=0)
    assert list(run.history) == sorted(names + [f"val_{name}" for name in names])
    assert run.history["lambda"] == [0.5, 0.5]
    assert run.history["extreme"] == run.history["worst"]
    np.testing.assert_allclose(run.history["off_by"], run.history["mae"], rtol=1e-6)
    values = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(values) == sorted(names)
    assert model.metrics_names == names
    assert model.evaluate(x, y, verbose=0) == [values[name] for name in names]
    error = abs(model.predict(x) - y.astype(np.float32))
    assert values["extreme"] == error.max()
    assert values["off_by"] == pytest.approx(error.mean(), rel=1e-6)
    assert list(model.test_on_batch(x, y, return_dict=True)) == sorted(names)
    assert list(model.train_on_batch(x, y, return_dict=True)) == sorted(names)


def test_means_over_batches_of_different_sizes() -> None:
    """11 samples in batches of 4, 4 and 3: each counts the same; a number is that of a batch."""
    forms = {
        "each": lambda t, p: abs(t - p),
        "row": lambda t, p: abs(t - p).mean(-1),
        "number": lambda t, p: float(abs(t - p).mean()),
        "list": lambda t, p: abs(t - p).mean(-1).tolist(),
        "flags": lambda t, p: abs(t - p) >= 0,
    }
    given = [MeanMetricWrapper(form, name) for name, form in forms.items()]
    model, x, y = model_and_data(squared, ["mae", *given])
    values = model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True)
    for name in ("each", "row", "list"):
        assert values[name] == pytest.approx(values["mae"], rel=1e-6)
    error = abs(y - model.predict(x))
    of_batches = [error[at : at + 4].mean() for at in (0, 4, 8)]
    assert values["number"] == pytest.approx(np.mean(of_batches), rel=1e-6)  # as in Keras
    assert values["flags"] == 1.0


def test_epochs_start_anew_and_calls_do_not_meet() -> None:
    """One object in training, validation, a callback's evaluation and four threads at a time."""

    class Count(Metric):
        def reset_state(self) -> None:
            self.seen: list[int] = []

        def update_state(self, y_true: Any, y_pred: Any) -> None:
            self.seen.append(len(y_pred))

        def result(self) -> float:
            return float(sum(self.seen))

    model, x, y = model_and_data("mse", [Count(), "mae"])
    during = []
    listener = LambdaCallback(
        on_train_batch_end=lambda batch, logs: during.append(
            (logs["count"], model.evaluate(x, y, verbose=0)[1])
        )
    )
    run = model.fit(
        x, y, epochs=2, batch_size=4, validation_split=0.2, verbose=0, callbacks=[listener]
    )
    assert run.history["count"] == [8, 8]
    assert run.history["val_count"] == [3, 3]
    assert during == [(4, 11), (8, 11)] * 2
    with ThreadPoolExecutor(4) as pool:
        assert {v[1] for v in pool.map(lambda _: model.evaluate(x, y, verbose=0), range(40))} == {
            11
        }


def test_names_of_functions() -> None:
    class Callable:
        def __call__(self, y_true: Any, y_pred: Any) -> float:
            return 1.0

    given = [lambda t, p: 1, lambda t, p: 2, functools.partial(off_by), Callable()]
    model, x, y = model_and_data("mse", given)
    values = model.evaluate(x, y, verbose=0, return_dict=True)
    assert model.metrics_names == ["loss", "lambda", "lambda_1", "off_by", "callable"]
    assert (values["lambda"], values["lambda_1"]) == (1, 2)
    model.compile("sgd", "mse", metrics=[off_by, off_by])
    assert model.metrics_names == ["loss", "off_by", "off_by_1"]
    model.compile("sgd", "mse", metrics=[off_by, MeanMetricWrapper(off_by, "again")])
    values = model.evaluate(x, y, verbose=0)
    assert values[1] == values[2]
    assert repr(metrics.get(off_by)) == "MeanMetricWrapper(name='off_by')"


def test_directions() -> None:
    class Unsaid(Worst):
        direction = None

    class Partly(Metric):
        def reset_state(self) -> None: ...
        def update_state(self, y_true: Any, y_pred: Any) -> None: ...
        def result(self) -> float:
            return 1.0

    model, x, y = model_and_data("mse", [Worst(), Unsaid(), Partly(), off_by, "acc", "mae"])
    for name, known in [("worst", "min"), ("acc", "max"), ("mae", "min")]:
        stop = EarlyStopping(name)
        model.fit(x, y, epochs=2, verbose=0, callbacks=[stop])
        assert stop.direction() == known
    for name in ("unsaid", "partly", "off_by"):
        with pytest.raises(ValueError, match=f"whether '{name}' should be small or large: pass mo"):
            model.fit(x, y, epochs=2, verbose=0, callbacks=[EarlyStopping(name)])
        model.fit(x, y, epochs=2, verbose=0, callbacks=[EarlyStopping(name, mode="max")])


class NoReset(Metric):
    def update_state(self, y_true: Any, y_pred: Any) -> None: ...


class NoName(Worst):
    def __init__(self) -> None:
        pass


class Text(Worst):
    def result(self) -> Any:
        return "large"


class Values(Worst):
    def result(self) -> Any:
        return np.ones(3)


class Fails(Worst):
    def update_state(self, y_true: Any, y_pred: Any) -> None:
        raise LookupError("mine")


WRONG: dict[str, tuple[Any, type[Exception], str]] = {
    "incomplete": (NoReset, TypeError, r"\[NoReset\] the metric lacks result and reset_state"),
    "nameless": (NoName, TypeError, r"\[NoName\] the metric has no name; call super"),
    "no metric": (3, TypeError, "metric is of type int; expected a name or an object"),
    "another class": (dict, TypeError, "metric is the class dict; expected a name"),
    "a text": (Text, TypeError, r"\[text\] result is str; expected a number"),
    "several": (Values, TypeError, r"\[values\] result has shape \(3,\); expected a number"),
    "an error": (Fails, LookupError, "mine"),
    "nothing": (
        lambda t, p: None,
        TypeError,
        r"\[lambda\] the returned value is None; expected an array",
    ),
    "rows of others": (
        lambda t, p: p.T,
        ValueError,
        r"\[lambda\] the returned value has shape \(2, 11\); expected a number or \(11, ...\)",
    ),
    "a word": (lambda t, p: "x", TypeError, r"\[lambda\] the returned value holds <U1 values"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name: str) -> None:
    metric, kind, pattern = WRONG[name]

    def evaluated() -> Any:
        model, x, y = model_and_data("mse", [metric])
        return model.evaluate(x, y, verbose=0)

    with pytest.raises(kind, match=pattern):
        evaluated()


class Weights(Metric):
    """The weights of all rows that come with some."""

    def reset_state(self) -> None:
        self.seen: list[Any] = []

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.seen += [] if sample_weight is None else [sample_weight]

    def result(self) -> float:
        return float(np.concatenate(self.seen).sum()) if self.seen else -1.0


class Worse(metrics.Mean):
    """A mean of values that are computed in Python."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        super().update_state(abs(y_true - y_pred), sample_weight)


def test_weighted_ones() -> None:
    """Functions and classes get the weights where they are among weighted_metrics."""
    forms = [off_by, lambda t, p: float(abs(t - p).mean()), lambda t, p: abs(t - p).mean(-1)]
    model, x, y = model_and_data("mse")
    given = [Weights(), Worse("worse"), *forms]
    model.compile("sgd", "mse", metrics=given, weighted_metrics=["mae", *given])
    weights = np.arange(11.0)
    how: dict[str, Any] = {"verbose": 0, "return_dict": True}
    logs = model.evaluate(x, y, batch_size=11, sample_weight=weights, **how)
    assert (logs["weights"], logs["weighted_weights"]) == (-1, weights.sum())
    error = abs(model.predict(x) - y).mean(-1)
    for name in ("worse", "off_by", "lambda", "lambda_1"):
        assert logs[name] == pytest.approx(error.mean(), rel=1e-6)
    of_rows = np.average(error, weights=weights)
    for name in ("mae", "weighted_worse", "weighted_off_by", "weighted_lambda_1"):
        assert logs[name] == pytest.approx(of_rows, rel=1e-6)
    assert logs["weighted_lambda"] == pytest.approx(error.mean(), rel=1e-6)  # of a number a batch
    for size in (4, 11):
        again = model.evaluate(x, y, batch_size=size, sample_weight=weights, **how)
        assert again["weighted_off_by"] == pytest.approx(of_rows, rel=1e-6)
    assert model.evaluate(x, y, **how)["weighted_off_by"] == pytest.approx(error.mean(), rel=1e-6)


def test_masks_of_weighted_ones() -> None:
    """A mask comes as weights; without these, the metric would count masked steps."""
    x = np.array([[[1.0], [2.0], [0.0]], [[3.0], [0.0], [0.0]]])
    model = Sequential([Input((3, 1)), Masking(), LSTM(1, return_sequences=True)])
    model.compile("sgd", "mse", weighted_metrics=[off_by, Weights()])
    y = np.ones((2, 3, 1))
    logs = model.evaluate(x, y, sample_weight=[1.0, 2.0], verbose=0, return_dict=True)
    error = abs(model.predict(x) - y)[..., 0]
    assert logs["weights"] == 4.0
    expected = (error[0, 0] + error[0, 1] + 2 * error[1, 0]) / 4
    assert logs["off_by"] == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match=r"metrics is .*off_by.*; expected built-in metr"):
        model.compile("sgd", "mse", metrics=[off_by])


def test_an_error_comes_after_the_whole_step() -> None:
    model, x, y = model_and_data("mse", [Fails()])
    with pytest.raises(LookupError):
        model.fit(x, y, batch_size=4, verbose=0)
    assert model.optimizer is not None
    assert model.optimizer.iterations == 1
    assert all(np.isfinite(w).all() for w in model.get_weights())

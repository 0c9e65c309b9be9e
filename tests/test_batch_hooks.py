"""Hooks of callbacks in evaluate and predict: when they are called, and with what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast.callbacks import Callback, LambdaCallback
from lstmfast.layers import Dense, Input
from lstmfast.models import Sequential

RNG = np.random.default_rng(2)
X, Y = RNG.random((10, 3), dtype=np.float32), RNG.random((10, 1), dtype=np.float32)


class Heard(Callback):
    def __init__(self, stop_at: int = -1) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.logs: list[Any] = []
        self.stop_at = stop_at

    def _hear(self, name: str, logs: Any, batch: int | None = None) -> None:
        self.calls.append(name if batch is None else f"{name} {batch}")
        self.logs.append(dict(logs or {}))

    def on_test_begin(self, logs: Any = None) -> None:
        self._hear("test", logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._hear("end", logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._hear("batch", logs, batch)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self._hear("done", logs, batch)
        self.model.stop_evaluating = batch == self.stop_at

    def on_predict_begin(self, logs: Any = None) -> None:
        self._hear("predict", logs)

    def on_predict_end(self, logs: Any = None) -> None:
        self._hear("end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._hear("batch", logs, batch)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._hear("done", logs, batch)
        self.model.stop_predicting = batch == self.stop_at


def model() -> Sequential:
    made = Sequential([Input((3,)), Dense(1)], seed=0)
    made.compile("sgd", "mse", metrics=["mae"])
    return made


BATCHES = [f"{what} {n}" for n in range(3) for what in ("batch", "done")]


def batches() -> Any:
    return ((X[at : at + 4], Y[at : at + 4]) for at in range(0, 10, 4))


@pytest.mark.parametrize("kind", ["arrays", "batches"])
def test_evaluate(kind: str) -> None:
    made, heard = model(), Heard()
    expected = made.evaluate(X, Y, batch_size=4, verbose=0)
    data: dict[str, Any] = (
        {"x": X, "y": Y, "batch_size": 4} if kind == "arrays" else {"x": batches()}
    )
    assert made.evaluate(**data, verbose=0, callbacks=[heard]) == expected
    assert heard.calls == ["test", *BATCHES, "end"]
    assert [list(heard.logs[-2].values()), list(heard.logs[-1].values())] == [expected] * 2
    first = made.evaluate(X[:4], Y[:4], verbose=0)
    assert heard.logs[2] == dict(zip(("loss", "mae"), first, strict=True))


@pytest.mark.parametrize("kind", ["arrays", "batches"])
def test_predict(kind: str) -> None:
    made, heard = model(), Heard()
    expected = made.predict(X)
    data: dict[str, Any] = {"x": X, "batch_size": 4} if kind == "arrays" else {"x": batches()}
    found = made.predict(**data, callbacks=[heard])
    np.testing.assert_array_equal(found, expected)
    assert heard.calls == ["predict", *BATCHES, "end"]
    np.testing.assert_array_equal(heard.logs[4]["outputs"], expected[4:8])


def test_an_evaluation_or_prediction_may_be_stopped() -> None:
    made, heard = model(), Heard(stop_at=0)
    found = made.evaluate(X, Y, batch_size=4, verbose=0, callbacks=heard)
    assert found == made.evaluate(X[:4], Y[:4], verbose=0)
    assert made.predict(X, batch_size=4, callbacks=heard).shape == (4, 1)
    assert made.predict(batches(), callbacks=heard).shape == (4, 1)
    assert made.evaluate(X, Y, verbose=0) == model().evaluate(X, Y, verbose=0)


@pytest.mark.parametrize("kind", ["arrays", "batches"])
def test_validation_in_fit(kind: str) -> None:
    made, heard, silent = model(), Heard(), model()
    held_out: Any = (X, Y) if kind == "arrays" else batches()
    run = made.fit(X, Y, verbose=0, validation_data=held_out, validation_batch_size=4
                   if kind == "arrays" else None, callbacks=[heard])  # fmt: skip
    expected = silent.fit(X, Y, verbose=0, validation_data=(X, Y), validation_batch_size=4)
    assert run.history == expected.history
    assert heard.calls == ["test", *BATCHES, "end"]


def test_functions_and_errors() -> None:
    made = model()
    seen: list[int] = []
    listener = LambdaCallback(on_test_batch_begin=lambda n, logs: seen.append(n))
    made.evaluate(X, Y, batch_size=5, verbose=0, callbacks=[listener])
    assert seen == [0, 1]

    def fail(batch: int, logs: Any) -> None:
        raise LookupError("mine")

    for hook, call in (
        ("on_test_batch_end", lambda c: made.evaluate(X, Y, verbose=0, callbacks=c)),
        ("on_predict_batch_begin", lambda c: made.predict(X, callbacks=c)),
    ):
        with pytest.raises(LookupError, match="mine"):
            call([LambdaCallback(**{hook: fail})])
    with pytest.raises(TypeError, match="there is no hook on_test_batch"):
        LambdaCallback(on_test_batch=fail)

"""Callbacks: which hooks are called when, and what the ready-made ones do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast import callbacks
from lstmfast.callbacks import (
    Callback,
    History,
    LambdaCallback,
    TerminateOnNaN,
)
from lstmfast.layers import LSTM, Dense
from lstmfast.models import Sequential

HOOKS = [name for name in dir(Callback) if name.startswith("on_")]


def model_and_data(metrics: Any = None) -> tuple[Sequential, np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).random((10, 3, 1))
    model = Sequential([LSTM(4), Dense(1)], seed=0)
    model.compile("adam", "mse", metrics=metrics)
    return model, x, x[:, 0]


class Recorder(Callback):
    """Notes every call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []


def _recording(name: str) -> Any:
    def hook(self: Recorder, *arguments: Any) -> None:
        first = arguments[0] if len(arguments) > 1 else None
        self.calls.append((name, first) if first is not None else name)

    return hook


for _name in HOOKS:
    if not _name.startswith("on_batch"):
        setattr(Recorder, _name, _recording(_name))


def test_the_order_of_hooks() -> None:
    model, x, y = model_and_data()
    recorder = Recorder()
    model.fit(x, y, batch_size=4, epochs=2, validation_split=0.2, verbose=0, callbacks=[recorder])
    epoch = [
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
        ("on_train_batch_begin", 1),
        ("on_train_batch_end", 1),
        "on_test_begin",
        ("on_test_batch_begin", 0),
        ("on_test_batch_end", 0),
        "on_test_end",
    ]
    assert recorder.calls == [
        "on_train_begin",
        ("on_epoch_begin", 0),
        *epoch,
        ("on_epoch_end", 0),
        ("on_epoch_done", 0),
        ("on_epoch_begin", 1),
        *epoch,
        ("on_epoch_end", 1),
        ("on_epoch_done", 1),
        "on_train_end",
    ]
    assert recorder.model is model
    assert recorder.params == {"verbose": 0, "epochs": 2, "steps": 2}
    recorder.calls.clear()
    model.evaluate(x, y, verbose=0, callbacks=recorder)
    model.predict(x, callbacks=[recorder])
    assert recorder.calls == [
        f"on_{stage}_{what}" if number is None else (f"on_{stage}_{what}", number)
        for stage in ("test", "predict")
        for what, number in (("begin", None), ("batch_begin", 0), ("batch_end", 0), ("end", None))
    ]


def test_logs_of_batches_and_epochs() -> None:
    model, x, y = model_and_data(metrics=["MAE"])
    batches: list[dict[str, float]] = []
    epochs: list[dict[str, float]] = []
    listener = LambdaCallback(
        on_train_batch_end=lambda batch, logs: batches.append(logs),
        on_epoch_end=lambda epoch, logs: epochs.append(logs),
    )
    run = model.fit(x, y, batch_size=5, verbose=0, validation_split=0.5, callbacks=[listener])
    assert [list(logs) for logs in batches] == [["MAE", "loss"]]
    assert list(epochs[0]) == ["MAE", "loss", "val_MAE", "val_loss"]
    assert batches[0]["loss"] == epochs[0]["loss"] == run.history["loss"][0]


def test_the_older_names_of_batch_hooks() -> None:
    class Old(Callback):
        seen = 0

        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen += 1

    model, x, y = model_and_data()
    old = Old()
    model.fit(x, y, batch_size=5, verbose=0, callbacks=[old])
    assert old.seen == 2


def test_what_a_callback_adds_to_the_logs_is_history() -> None:
    model, x, y = model_and_data()
    add = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(mine=epoch * 2))
    history = History()
    run = model.fit(x, y, epochs=3, verbose=0, callbacks=[add, history])
    assert run is history is model.history
    assert run.history["mine"] == [0, 2, 4]


@pytest.mark.parametrize("hook", ["on_epoch_begin", "on_epoch_end", "on_train_batch_end"])
def test_stop_training(hook: str) -> None:
    model, x, y = model_and_data()
    stop = LambdaCallback(**{hook: lambda index, logs: setattr(model, "stop_training", True)})
    run = model.fit(x, y, batch_size=2, epochs=9, verbose=0, callbacks=[stop])
    assert run.epoch == ([] if hook == "on_epoch_begin" else [0])
    assert model.fit(x, y, epochs=2, verbose=0).epoch == [0, 1]


def test_a_callback_may_use_the_model() -> None:
    model, x, y = model_and_data()
    values: list[Any] = []

    def use(epoch: int, logs: Any) -> None:
        values.append((model.evaluate(x, y, verbose=0), model.predict(x)[0, 0]))
        model.set_weights(model.get_weights())
        assert model.optimizer is not None
        model.optimizer.learning_rate /= 2

    run = model.fit(x, y, epochs=3, verbose=0, callbacks=[LambdaCallback(on_epoch_end=use)])
    assert len(values) == len(run.epoch) == 3
    assert model.optimizer is not None
    assert model.optimizer.learning_rate == pytest.approx(1e-3 / 8)


def test_an_error_in_a_callback_reaches_the_caller() -> None:
    model, x, y = model_and_data()

    def fail(epoch: int, logs: Any) -> None:
        if epoch == 1:
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        model.fit(x, y, epochs=3, verbose=0, callbacks=[LambdaCallback(on_epoch_end=fail)])
    assert model.history is not None
    assert model.history.epoch == [0]
    assert model.fit(x, y, verbose=0).epoch == [0]


def test_what_is_no_callback() -> None:
    model, x, y = model_and_data()
    with pytest.raises(TypeError, match=r"\[fit\] callbacks\[0\] is of type int"):
        model.fit(x, y, verbose=0, callbacks=[3])


def test_terminate_on_nan() -> None:
    model, x, y = model_and_data()
    x[3] = np.nan
    run = model.fit(x, y, epochs=5, batch_size=2, verbose=0, callbacks=[TerminateOnNaN()])
    assert run.epoch == [0]
    assert np.isnan(run.history["loss"]).all()
    assert model.stop_training
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    with pytest.raises(FloatingPointError):
        model.fit(x, y, verbose=0, callbacks=[TerminateOnNaN(raise_error=True)])


def test_every_callback_is_listed() -> None:
    assert set(callbacks.__all__) == {
        name for name in dir(callbacks) if isinstance(getattr(callbacks, name), type)
    }

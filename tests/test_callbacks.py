"""Callbacks: which hooks are called when, and what the ready-made ones do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import callbacks
from lstmfast.callbacks import (
    Callback,
    EarlyStopping,
    History,
    LambdaCallback,
    ModelCheckpoint,
    TerminateOnNaN,
)
from lstmfast.layers import LSTM, Dense
from lstmfast.models import Sequential, load_model

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
        "on_test_end",
    ]
    assert recorder.calls == [
        "on_train_begin",
        ("on_epoch_begin", 0),
        *epoch,
        ("on_epoch_end", 0),
        ("on_epoch_begin", 1),
        *epoch,
        ("on_epoch_end", 1),
        "on_train_end",
    ]
    assert recorder.model is model
    assert recorder.params == {"verbose": 0, "epochs": 2, "steps": 2}
    recorder.calls.clear()
    model.evaluate(x, y, verbose=0, callbacks=recorder)
    model.predict(x, callbacks=[recorder])
    assert recorder.calls == ["on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end"]


def test_logs_of_batches_and_epochs() -> None:
    model, x, y = model_and_data(metrics=["MAE"])
    batches: list[dict[str, float]] = []
    epochs: list[dict[str, float]] = []
    listener = LambdaCallback(
        on_train_batch_end=lambda batch, logs: batches.append(logs),
        on_epoch_end=lambda epoch, logs: epochs.append(logs),
    )
    run = model.fit(x, y, batch_size=5, verbose=0, validation_split=0.5, callbacks=[listener])
    assert [list(logs) for logs in batches] == [["loss", "MAE"]]
    assert list(epochs[0]) == ["loss", "MAE", "val_loss", "val_MAE"]
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
    with pytest.raises(TypeError, match=r"\[callbacks\] got a int"):
        model.fit(x, y, verbose=0, callbacks=[3])

    class Late(Callback):
        def on_test_batch_end(self, batch: int, logs: Any = None) -> None: ...

    with pytest.raises(ValueError, match="Late has on_test_batch_end, which is not available"):
        model.evaluate(x, y, callbacks=[Late()])


# -- EarlyStopping -----------------------------------------------------------------------------


def stopped_after(values: list[float], **options: Any) -> tuple[EarlyStopping, int]:
    """Run the callback over given values of "loss"; how many epochs it let pass."""
    model, x, y = model_and_data()
    feed = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(loss=values[epoch]))
    stop = EarlyStopping(monitor="loss", **options)
    run = model.fit(x, y, epochs=len(values), verbose=0, callbacks=[feed, stop])
    return stop, len(run.epoch)


@pytest.mark.parametrize(
    ("values", "options", "epochs"),
    [
        ([5, 4, 3, 2, 1], {}, 5),
        ([5, 4, 4, 3, 2], {}, 3),
        ([5, 6, 4, 3, 2], {"patience": 2}, 5),
        ([5, 6, 6, 3, 2], {"patience": 2}, 3),
        ([5, 5, 4, 3, 2], {"patience": 0}, 2),
        ([5, 4.9, 4.8, 4.7, 1], {"min_delta": 0.5, "patience": 1}, 2),
        ([1, 2, 3, 2, 5], {"mode": "max"}, 4),
        ([5, 4, 3, 2, 1], {"baseline": 2.5, "patience": 2}, 5),
        ([5, 4, 3.5, 3, 3], {"baseline": 2.5, "patience": 2}, 5),
        ([1, 2, 3, 2, 3], {"start_from_epoch": 2, "patience": 1}, 5),
    ],
)
def test_early_stopping(values: list[float], options: dict[str, Any], epochs: int) -> None:
    assert stopped_after(values, **options)[1] == epochs


def test_early_stopping_restores_the_best_weights(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = model_and_data()
    weights: list[Any] = []
    values = [3, 1, 2, 2, 0]

    def feed(epoch: int, logs: dict[str, float]) -> None:
        logs["loss"] = values[epoch]
        weights.append(model.get_weights())

    stop = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True, verbose=1)
    feeder = LambdaCallback(on_epoch_end=feed)
    model.fit(x, y, epochs=5, verbose=0, callbacks=[feeder, stop])
    assert (stop.best_epoch, stop.stopped_epoch, stop.best) == (1, 3, 1)
    np.testing.assert_equal(model.get_weights(), weights[1])
    assert capsys.readouterr().out == (
        "Epoch 4: early stopping\nRestoring the weights of the best epoch: 2.\n"
    )


def test_early_stopping_knows_directions() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3, 1)), rng.integers(0, 2, 20)
    model = Sequential([LSTM(4), Dense(1, activation="sigmoid")], seed=0)
    model.compile("adam", "binary_crossentropy", metrics=["acc"])
    stop = EarlyStopping(monitor="val_acc")
    model.fit(x, y, epochs=3, verbose=0, validation_split=0.5, callbacks=[stop])
    assert stop.direction() == "max"
    unknown = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(score=1.0))
    with pytest.raises(ValueError, match="pass mode='min' or mode='max'"):
        model.fit(x, y, epochs=3, verbose=0, callbacks=[unknown, EarlyStopping("score")])
    with pytest.raises(ValueError, match="mode is 'up'"):
        EarlyStopping(mode="up")
    with pytest.warns(UserWarning, match="the logs have no 'val_loss'; they have: loss, acc"):
        model.fit(x, y, verbose=0, callbacks=[EarlyStopping()])


# -- ModelCheckpoint, TerminateOnNaN -----------------------------------------------------------


def test_checkpoints_of_epochs(tmp_path: Path) -> None:
    model, x, y = model_and_data()
    path = tmp_path / "new" / "{epoch:02d}-{val_loss:.4f}.safetensors"
    save = ModelCheckpoint(path)
    run = model.fit(x, y, epochs=2, verbose=0, validation_split=0.2, callbacks=[save])
    names = sorted(file.name for file in path.parent.iterdir())
    values = run.history["val_loss"]
    assert names == [f"{e:02d}-{v:.4f}.safetensors" for e, v in enumerate(values, start=1)]
    again = load_model(path.parent / names[-1])
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.optimizer is not None
    assert again.optimizer.iterations == 2


def test_checkpoints_of_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = model_and_data()
    values = [3.0, 5.0, 2.0, 2.0]
    feed = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(loss=values[epoch]))
    save = ModelCheckpoint(
        tmp_path / "{epoch}.safetensors", monitor="loss", save_best_only=True, verbose=1
    )
    model.fit(x, y, epochs=4, verbose=0, callbacks=[feed, save])
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["1", "3"]
    assert save.best == 2.0
    out = capsys.readouterr().out
    assert "Epoch 2: loss did not improve from 3.00000\n" in out
    assert "Epoch 3: loss improved from 3.00000 to 2.00000\n" in out
    bar = ModelCheckpoint(
        tmp_path / "none.safetensors",
        monitor="loss",
        save_best_only=True,
        initial_value_threshold=1.0,
    )
    model.fit(x, y, epochs=4, verbose=0, callbacks=[feed, bar])
    assert not (tmp_path / "none.safetensors").exists()


def test_checkpoints_of_batches(tmp_path: Path) -> None:
    model, x, y = model_and_data()
    save = ModelCheckpoint(
        tmp_path / "{epoch}-{batch}.safetensors", save_freq=3, save_weights_only=True
    )
    model.fit(x, y, batch_size=5, epochs=4, verbose=0, callbacks=[save])
    assert sorted(file.stem for file in tmp_path.iterdir()) == ["2-1", "3-2"]
    assert load_model(tmp_path / "3-2.safetensors").optimizer is not None


def test_checkpoint_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="save_freq is 'batch'"):
        ModelCheckpoint("a.safetensors", save_freq="batch")
    with pytest.raises(ValueError, match=r"\[ModelCheckpoint\] filepath is 'a.h5'"):
        ModelCheckpoint("a.h5")
    model, x, y = model_and_data()
    with pytest.raises(KeyError, match="val_loss"):
        model.fit(x, y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "{val_loss}.safetensors")])


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

"""Callbacks that watch a value: EarlyStopping and ModelCheckpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast.callbacks import (
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
)
from lstmfast.layers import LSTM, Dense
from lstmfast.metrics import Precision
from lstmfast.models import Sequential, load_model


def model_and_data(metrics: Any = None) -> tuple[Sequential, np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).random((10, 3, 1))
    model = Sequential([LSTM(4), Dense(1)], seed=0)
    model.compile("adam", "mse", metrics=metrics)
    return model, x, x[:, 0]


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
    model.compile("adam", "binary_crossentropy", metrics=[Precision([0.2, 0.8], name="p")])
    with pytest.raises(ValueError, match=r"\[EarlyStopping\] 'p' has 2 values; expected a metric"):
        model.fit(x, y, verbose=0, callbacks=[EarlyStopping("p")])
    model.compile("adam", "binary_crossentropy", metrics=["acc"])
    stop = EarlyStopping(monitor="val_acc")
    model.fit(x, y, epochs=3, verbose=0, validation_split=0.5, callbacks=[stop])
    assert stop.direction() == "max"
    unknown = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(score=1.0))
    with pytest.raises(ValueError, match="pass mode='min' or mode='max'"):
        model.fit(x, y, epochs=3, verbose=0, callbacks=[unknown, EarlyStopping("score")])
    with pytest.raises(ValueError, match="mode is 'up'"):
        EarlyStopping(mode="up")
    with pytest.warns(UserWarning, match="the logs have no 'val_loss'; they have: acc, loss"):
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
    with pytest.raises(ValueError, match=r"\[ModelCheckpoint\] filepath is 'a.onnx'"):
        ModelCheckpoint("a.onnx")
    model, x, y = model_and_data()
    with pytest.raises(KeyError, match="val_loss"):
        model.fit(x, y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "{val_loss}.safetensors")])

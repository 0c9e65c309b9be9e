"""Callbacks that change the rate, write records, and keep backups."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast.callbacks import (
    BackupAndRestore,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    ReduceLROnPlateau,
    TensorBoard,
    WandbCallback,
)
from lstmfast.layers import LSTM, Dense, Dropout, Input
from lstmfast.models import Sequential, load_model
from lstmfast.optimizers import SGD

RNG = np.random.default_rng(2)
X, Y = RNG.random((20, 4, 2)), RNG.random((20, 1))


def model(optimizer: Any = "adam") -> Sequential:
    made = Sequential([Input((4, 2)), LSTM(3), Dropout(0.2), Dense(1)], seed=0)
    made.compile(optimizer, "mse")
    return made


def fit(made: Sequential, *callbacks: Any, epochs: int = 6, **options: Any) -> Any:
    return made.fit(X, Y, 5, epochs, verbose=0, callbacks=[*callbacks], **options)


def rates(values: list[float], **options: Any) -> list[float]:
    """The rate in each epoch where the watched value has these values."""
    feed = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(v=values[epoch]))
    reduce = ReduceLROnPlateau("v", mode="min", factor=0.5, **options)
    found: list[float] = fit(model(SGD(0.08)), feed, reduce, epochs=len(values)).history[
        "learning_rate"
    ]
    return found


def test_plateaus() -> None:
    flat = [1.0] * 6
    assert rates(flat, patience=1) == [0.08, 0.08, 0.04, 0.02, 0.01, 0.005]
    assert rates(flat, patience=2) == [0.08, 0.08, 0.08, 0.04, 0.04, 0.02]
    assert rates(flat, patience=0) == [0.08, 0.08, 0.04, 0.02, 0.01, 0.005]
    assert rates(flat, patience=1, cooldown=2) == [0.08, 0.08, 0.04, 0.04, 0.02, 0.02]
    assert rates(flat, patience=1, min_lr=0.03) == [0.08, 0.08, 0.04, 0.03, 0.03, 0.03]
    falling = [1.0, 0.9999, 0.5, 0.4, 0.4, 0.4]
    assert rates(falling, patience=1) == [0.08, 0.08, 0.04, 0.04, 0.04, 0.02]
    assert rates(falling, patience=1, min_delta=0) == [0.08, 0.08, 0.08, 0.08, 0.08, 0.04]


def test_what_plateaus_say(capsys: pytest.CaptureFixture[str]) -> None:
    rates([1.0, 1.0], patience=1, verbose=1)
    assert capsys.readouterr().out == "Epoch 2: the learning rate is reduced to 0.04.\n"
    fit(model(), LearningRateScheduler(lambda epoch: 0.5, verbose=1), epochs=1)
    assert capsys.readouterr().out == "Epoch 1: the learning rate is set to 0.5.\n"
    with pytest.warns(
        UserWarning, match=r"\[ReduceLROnPlateau\] the logs have no 'val_loss'; they"
    ):
        fit(model(), ReduceLROnPlateau(), epochs=1)


def test_schedules() -> None:
    seen: list[Any] = []

    def of_both(epoch: int, rate: float) -> float:
        seen.append((epoch, rate))
        return rate / 2

    made = model(SGD(0.8))
    run = fit(made, LearningRateScheduler(of_both), epochs=3)
    assert run.history["learning_rate"] == [0.4, 0.2, 0.1]
    assert seen == [(0, 0.8), (1, 0.4), (2, 0.2)]
    assert made.optimizer is not None
    assert made.optimizer.learning_rate == 0.1
    run = fit(made, LearningRateScheduler(lambda epoch: np.float32(0.5)), epochs=2)
    assert run.history["learning_rate"] == [0.5, 0.5]
    with pytest.raises(TypeError, match=r"\[LearningRateScheduler\] what schedule returned is Non"):
        fit(made, LearningRateScheduler(lambda epoch: None))  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="list indices must be"):
        fit(made, LearningRateScheduler(lambda epoch, rate: [][rate]))  # type: ignore[call-overload]


def test_paths_may_hold_the_rate(tmp_path: Path) -> None:
    save = ModelCheckpoint(tmp_path / "{learning_rate:.2f}.safetensors", monitor="loss")
    fit(model(SGD(0.25)), LearningRateScheduler(lambda epoch, rate: rate), save, epochs=1)
    assert (tmp_path / "0.25.safetensors").exists()


def test_tables(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CSVLogger(path)
    run = fit(model(), log, epochs=2, validation_split=0.25)
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch,loss,val_loss"
    assert lines[2] == f"1,{run.history['loss'][1]},{run.history['val_loss'][1]}"
    fit(model(), CSVLogger(path, separator=";", append=True), epochs=1)
    lines = path.read_text().splitlines()
    assert len(lines) == 4
    assert lines[3].startswith("0;")
    assert lines[3].endswith(";NA")
    feed = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(w=np.arange(2), name="a"))
    fit(model(), feed, log, epochs=1)
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch,loss,name,w,val_loss,val_name,val_w"
    assert lines[1].split(",", 2)[2] == 'a,"""[0, 1]""",NA,NA,NA'


def test_the_bar_of_keras(capsys: pytest.CaptureFixture[str]) -> None:
    fit(model(), ProgbarLogger(), epochs=1)
    assert capsys.readouterr() == ("", "")


WRONG = {
    "factor": (lambda: ReduceLROnPlateau(factor=1.0), "[ReduceLROnPlateau] factor is 1.0; expecte"),
    "cooldown": (lambda: ReduceLROnPlateau(cooldown=-1), "[ReduceLROnPlateau] cooldown is -1"),
    "schedule": (lambda: LearningRateScheduler(0.1), "[LearningRateScheduler] schedule is of type"),
    "backup": (lambda: BackupAndRestore(""), "[BackupAndRestore] backup_dir is empty"),
    "save_freq": (lambda: BackupAndRestore("a", 0), "[BackupAndRestore] save_freq is 0; expected"),
    "count_mode": (lambda: ProgbarLogger("samples"), "[ProgbarLogger] count_mode='samples' is not"),
    "images": (lambda: TensorBoard("a", write_images=True), "[TensorBoard] write_images=True is n"),
}


@pytest.mark.parametrize("name", WRONG)
def test_messages(name: str) -> None:
    make, text = WRONG[name]
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    assert str(caught.value).startswith(text)


# -- backups -----------------------------------------------------------------------------------


class PowerError(Exception):
    pass


def fails_in(epoch: int) -> LambdaCallback:
    def fail(now: int, logs: Any) -> None:
        if now == epoch:
            raise PowerError

    return LambdaCallback(on_epoch_begin=fail)


def all_calls(folder: Path, **options: Any) -> list[Any]:
    return [
        BackupAndRestore(folder, **options),
        EarlyStopping("loss", patience=4, restore_best_weights=True),
        ReduceLROnPlateau("loss", patience=1, factor=0.5, min_delta=1.0),
    ]


@pytest.mark.parametrize("same_object", [True, False])
def test_a_training_goes_on_as_if_it_had_not_ended(same_object: bool, tmp_path: Path) -> None:
    whole = model()
    expected = fit(whole, *all_calls(tmp_path / "other")).history
    made = model()
    with pytest.raises(PowerError):
        fit(made, *all_calls(tmp_path / "a"), fails_in(4))
    if not same_object:
        made = Sequential([Input((4, 2)), LSTM(3), Dropout(0.2), Dense(1)], seed=9)
        made.compile("adam", "mse")
    run = fit(made, *all_calls(tmp_path / "a"))
    assert run.epoch == [4, 5]
    for name, values in run.history.items():
        assert values == expected[name][4:]
    for mine, other in zip(made.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert not (tmp_path / "a").exists()
    assert fit(made, *all_calls(tmp_path / "a")).epoch == list(range(6))


def test_backups_are_kept_if_wanted(tmp_path: Path) -> None:
    calls = BackupAndRestore(tmp_path, delete_checkpoint=False, double_checkpoint=True)
    made = model()
    fit(made, calls, epochs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "latest.safetensors",
        "previous.safetensors",
    ]
    np.testing.assert_array_equal(
        load_model(tmp_path / "latest.safetensors").get_weights()[0], made.get_weights()[0]
    )
    assert fit(model(), calls, epochs=3).epoch == [2]
    (tmp_path / "latest.safetensors").write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="the backup before the latest is taken"):
        assert fit(model(), calls, epochs=4).epoch == [2, 3]
    for path in tmp_path.iterdir():
        path.write_bytes(b"damaged")
    text = "the backup before the latest is taken"
    with pytest.warns(UserWarning, match=text), pytest.raises(ValueError, match="safetensors"):
        fit(model(), calls, epochs=4)


def test_backups_by_batches(tmp_path: Path) -> None:
    calls = BackupAndRestore(tmp_path, save_freq=3)
    made = model()
    with pytest.raises(PowerError):
        fit(made, calls, fails_in(2))
    run = fit(model(), BackupAndRestore(tmp_path, save_freq=3), epochs=3)
    assert run.epoch == [1, 2]


def test_backups_of_other_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PowerError):
        fit(model(), BackupAndRestore(tmp_path), fails_in(1))
    other = Sequential([Input((4, 2)), LSTM(5), Dense(1)])
    other.compile("adam", "mse")
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"\"layers\.0\.kernel\" is F32 \(2, 12\); expected"):
        fit(other, BackupAndRestore(tmp_path))
    np.testing.assert_array_equal(other.get_weights()[0], before[0])
    with pytest.raises(ValueError, match="belongs to no part of the model"):
        fit(model("sgd"), BackupAndRestore(tmp_path))
    plain = tmp_path / "plain"
    plain.mkdir()
    model().save(plain / "latest.safetensors")
    with pytest.raises(ValueError, match="the file is no backup"):
        fit(model(), BackupAndRestore(plain))
    doubles = Sequential([Input((4, 2)), LSTM(3), Dropout(0.2), Dense(1)], dtype="float64")
    doubles.compile("adam", "mse")
    with pytest.raises(ValueError, match=r"\[model.restore\] .* holds float32; expected float64"):
        fit(doubles, BackupAndRestore(tmp_path))
    shutil.rmtree(plain)


# -- records of other packages -----------------------------------------------------------------


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboardX", None)
    with pytest.raises(
        ImportError, match=r'needs the package tensorboardX: pip install "lstmfast\['
    ):
        TensorBoard()
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(ImportError, match=r'needs the package wandb: pip install "lstmfast\[wandb'):
        fit(model(), WandbCallback())


class Run:
    """As the run that wandb.init returns."""

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        self.config = self

    def update(self, settings: dict[str, Any], allow_val_change: bool) -> None:
        assert allow_val_change
        self.settings |= settings

    def log(self, values: dict[str, Any]) -> None:
        json.dumps(values)
        self.logged.append(values)


def test_a_run_of_wandb(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import ModuleType

    wandb: Any = ModuleType("wandb")
    wandb.run = None
    monkeypatch.setitem(__import__("sys").modules, "wandb", wandb)
    with pytest.raises(RuntimeError, match=r"there is no run; expected wandb\.init\(\) before fit"):
        fit(model(), WandbCallback())
    wandb.run = run = Run()
    history = fit(model(), WandbCallback("loss", log_batch_frequency=2), epochs=3).history
    epochs = [values for values in run.logged if "epoch" in values]
    assert [values["loss"] for values in epochs] == history["loss"]
    assert len(run.logged) == 3 + 3 * 2
    assert run.summary == {
        "best_loss": min(history["loss"]),
        "best_epoch": int(np.argmin(history["loss"])),
    }
    assert run.settings["epochs"] == 3
    assert run.settings["optimizer.kind"] == "adam"


def test_wandb_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = wandb.init(mode="offline", dir=str(tmp_path), project="test")
    history = fit(model(), WandbCallback("loss"), epochs=2).history
    assert run.summary["best_loss"] == min(history["loss"])
    assert run.config["epochs"] == 2
    run.finish()
    assert list(tmp_path.rglob("*.wandb"))


@pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="needs tensorboardX")
def test_tensorboard(tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event

    board = TensorBoard(tmp_path, histogram_freq=1, update_freq=2, write_steps_per_second=True)
    history = fit(model(), board, epochs=2, validation_split=0.25).history
    found: dict[str, list[float]] = {}
    for path in tmp_path.rglob("events*"):
        content, at = path.read_bytes(), 0
        while at < len(content):
            size = int.from_bytes(content[at : at + 8], "little")
            event = Event.FromString(content[at + 12 : at + 12 + size])
            at += size + 16
            for value in event.summary.value:
                found.setdefault(f"{path.parent.name}/{value.tag}", []).append(value.simple_value)
    np.testing.assert_allclose(found["train/epoch_loss"], history["loss"], rtol=1e-6)
    np.testing.assert_allclose(found["validation/epoch_loss"], history["val_loss"], rtol=1e-6)
    assert len(found["train/batch_loss"]) == 3
    assert len(found["train/epoch_steps_per_second"]) == 2
    assert sum(name.endswith("/histogram") for name in found) == 5

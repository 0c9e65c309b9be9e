"""Paths of ModelCheckpoint with fields: tried before the first epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast.callbacks import Callback, EarlyStopping, LambdaCallback, ModelCheckpoint
from lstmfast.layers import Dense
from lstmfast.models import Sequential


def fit(*callbacks: Callback, **options: Any) -> Sequential:
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.zeros((6, 2)), np.zeros((6, 1))
    model.fit(x, y, epochs=2, batch_size=2, verbose=0, callbacks=callbacks, **options)
    return model


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("{val_loss:.2f}", {}, KeyError, "wants 'val_loss'; there are: epoch, loss, mae"),
        ("{mse}", {}, KeyError, "wants 'mse'; there are: epoch, loss, mae"),
        ("{batch}", {}, KeyError, "wants 'batch'; there are: epoch, loss, mae"),
        ("{val_loss}", {"save_freq": 2}, KeyError, "there are: epoch, batch, loss, mae"),
        ("{epoch:02d", {}, ValueError, "cannot be filled in: .*[{}]"),
        ("{}", {}, ValueError, "cannot be filled in: "),
        ("{loss:d}", {}, ValueError, "cannot be filled in: .*format code 'd'"),
        ("{epoch.real.x}", {}, ValueError, "cannot be filled in: .*attribute 'x'"),
        ("{epoch:\ud800>3}", {}, ValueError, "no file name can hold"),
        ("{loss!r:\0>20}", {}, ValueError, "contains a NUL"),
    ],
)
def test_a_path_that_cannot_be(
    name: str, options: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    def train() -> None:
        save = ModelCheckpoint(f"{tmp_path}/{name}", **options)
        fit(save, EarlyStopping("loss"), validation_split=0.5 if options else 0.0)

    with pytest.raises(error, match=rf"\[ModelCheckpoint\] filepath .*{message}"):
        train()
    assert files(tmp_path) == []


def test_validation_that_comes_in_some_epochs_only(tmp_path: Path) -> None:
    path = f"{tmp_path}/{{epoch}}-{{val_mae:.0f}}"
    with pytest.raises(KeyError, match="wants 'val_mae'"):
        fit(ModelCheckpoint(path), validation_split=0.5, validation_freq=2)
    assert files(tmp_path) == []
    fit(ModelCheckpoint(path), validation_split=0.5, validation_freq=[1, 2])
    assert files(tmp_path) == ["1-0", "2-0"]


def test_names_that_other_callbacks_add(tmp_path: Path) -> None:
    class Adds(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["extra"] = 7

    by_function = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(extra=8))
    for number, callback in enumerate((Adds(), by_function)):
        fit(callback, ModelCheckpoint(f"{tmp_path}/{{epoch}}-{number}-{{extra}}"))
    assert files(tmp_path) == ["1-0-7", "1-1-8", "2-0-7", "2-1-8"]


def test_a_count_of_batches_beyond_the_limit(tmp_path: Path) -> None:
    """As from a file of a fit that saved less often."""
    save = ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_freq=3)
    save._batches = 5
    fit(save)
    assert files(tmp_path) == ["1-1", "2-1"]
    for damaged in (-1, 2**53 + 1, 10**30, 1.5, True, "1"):
        with pytest.raises(ValueError, match=r"batches is .*; expected a count"):
            save.set_state({"monitor": "val_loss", "best": None, "batches": damaged})
    with pytest.raises(ValueError, match=r"best is 1000.*; expected a number or None"):
        save.set_state({"monitor": "val_loss", "best": 10**300, "batches": 0})

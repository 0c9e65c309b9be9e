"""Processes that are killed in the middle of their work: what they leave, and how it goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast.callbacks import EarlyStopping, ModelCheckpoint
from lstmfast.layers import LSTM, Dense, Dropout
from lstmfast.models import Sequential, load_model

EPOCHS = 20
_READY = "ready"


def fit(model: Sequential, folder: Path, done: int) -> None:
    """Train to the end, with checkpoints under new names and under old ones."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 5, 2)), rng.standard_normal((60, 1))
    every = ModelCheckpoint(folder / "{epoch:02d}.safetensors")
    latest = ModelCheckpoint(folder / "latest.safetensors")
    batches = ModelCheckpoint(folder / "batch.safetensors", save_freq=2)
    stop = EarlyStopping("loss", patience=EPOCHS, restore_best_weights=True)
    callbacks = [every, latest, batches, stop]
    options: dict[str, Any] = {"batch_size": 10, "verbose": 0, "callbacks": callbacks}
    model.fit(x, y, epochs=EPOCHS, initial_epoch=done, **options)


def new_model() -> Sequential:
    """Return the model before its first epoch."""
    model = Sequential([LSTM(8, input_shape=(5, 2)), Dropout(0.2), Dense(1)], seed=0)
    model.compile("adam", "mse", metrics=["mae"])
    return model


def killed_fits(folder: Path, count: int, seed: int = 0) -> Counter[str]:
    """Kill so many fits, each at a random time; load all that they left, and go on with the last.

    The fit that goes on must end with the bits of one that was never interrupted, and after its
    saves there may be no other files than checkpoints.
    """
    whole = folder / "whole"
    whole.mkdir()
    never_interrupted = new_model()
    begin = time.perf_counter()
    fit(never_interrupted, whole, 0)
    longest = time.perf_counter() - begin
    draws = random.Random(seed)
    found: Counter[str] = Counter()
    for number in range(count):
        left = folder / str(number)
        left.mkdir()
        _kill(["fit", str(left)], draws.uniform(0, longest))
        names = [each.name for each in left.iterdir()]
        found["left by the killed"] += sum(name.startswith(".") for name in names)
        whole_files = sorted(name for name in names if not name.startswith("."))
        for name in whole_files:
            load_model(left / name)
            found["loaded"] += 1
        numbered = [name for name in whole_files if name[0].isdigit()]
        model = load_model(left / numbered[-1]) if numbered else new_model()
        fit(model, left, len(numbered))
        for mine, other in zip(model.get_weights(), never_interrupted.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, other)
        expected = {f"{epoch + 1:02d}.safetensors" for epoch in range(EPOCHS)}
        expected |= {"latest.safetensors", "batch.safetensors"}
        assert {each.name for each in left.iterdir()} == expected
        found["resumed to the same bits"] += 1
        found["in the middle"] += 0 < len(numbered) < EPOCHS
    return found


def killed_forecasts(folder: Path, count: int, seed: int = 0) -> Counter[str]:
    """Kill so many forecast commands; outputs are whole or not there, and nothing else is left."""
    rows = [f"{1990 + n // 12}-{n % 12 + 1:02d},{100 + n + 10 * (n % 12)}" for n in range(60)]
    data = folder / "data.csv"
    data.write_text("\n".join(["month,value", *rows, ""]))
    scratch = folder / "scratch"
    scratch.mkdir()
    outputs = {"--out": "out.csv", "--save": "network.safetensors"}
    draws = random.Random(seed)
    found: Counter[str] = Counter()

    def command(left: Path) -> list[str]:
        options = [part for name, file in outputs.items() for part in (name, str(left / file))]
        return ["forecast", str(data), "--column", "value", "--epochs", "2", *options]

    def expect(left: Path, names: set[str]) -> None:
        assert {each.name for each in left.iterdir()} <= names, sorted(left.iterdir())
        if (left / "out.csv").exists():
            assert (left / "out.csv").read_text() == text
        if (left / "network.safetensors").exists():
            load_model(left / "network.safetensors")

    whole = folder / "whole"
    whole.mkdir()
    begin = time.perf_counter()
    _kill(command(whole), None, scratch)
    longest = time.perf_counter() - begin
    text = (whole / "out.csv").read_text()
    for number in range(count):
        left = folder / str(number)
        left.mkdir()
        _kill(command(left), draws.uniform(0, 1.05 * longest), scratch)
        temporary = {each.name for each in left.iterdir() if each.name.startswith(".")}
        found["left by the killed"] += len(temporary) + len(list(scratch.iterdir()))
        expect(left, {*outputs.values(), *temporary})
        _kill(command(left), None, scratch)
        expect(left, set(outputs.values()))
        assert len(list(left.iterdir())) == len(outputs)
        assert list(scratch.iterdir()) == []
        found["repeated to the same text"] += 1
    return found


def _kill(arguments: list[str], after: float | None, scratch: Path | None = None) -> None:
    """Run this file in a process, killed so many seconds after its imports, or never."""
    environment = os.environ if scratch is None else os.environ | {"TMPDIR": str(scratch)}
    process = subprocess.Popen(
        [sys.executable, __file__, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == _READY
        if after is None:
            assert process.wait(timeout=300) == 0
        else:
            time.sleep(after)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


if __name__ == "__main__":
    from lstmfast import cli

    print(_READY, flush=True)
    if sys.argv[1] == "fit":
        fit(new_model(), Path(sys.argv[2]), 0)
    else:
        sys.exit(cli.main(sys.argv[1:]))

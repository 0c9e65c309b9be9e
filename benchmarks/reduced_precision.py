"""What reduced precision costs trained tasks: the table of docs/reduced_precision.md.

python -m benchmarks.reduced_precision
python -m benchmarks.reduced_precision --tasks text,weather
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import lstmfast as lf

TASKS = ("adding_problem", "air_passengers", "spoken_words", "dna", "text", "weather")
SIZES = (32, 64, 128, 256, 512, 1024)
HEAD = "| task | kernels | file | mean error | largest error | score |\n|---|---|---|---|---|---|"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reduced_precision")
    parser.add_argument("--tasks", default=",".join(TASKS), help="default: %(default)s")
    parser.add_argument("--speed", action="store_true", help="time a step in place of the tasks")
    args = parser.parse_args(argv)
    if args.speed:
        print("\n".join(speeds()))
        return 0
    print(HEAD)
    for name in args.tasks.split(","):
        for line in lines(name):
            print(line, flush=True)
    return 0


def lines(name: str) -> Iterator[str]:
    """Solve a task and yield the rows of its model in each precision.

    Errors are parts of the standard deviation of the outputs.
    """
    task = lf.tasks.load(name)
    model: Any = task.solve().model
    x = task.inputs(model, task.test.x)
    expected = outputs(model, x)
    for made in (model, model.astype("bfloat16"), model.quantize("int8")):
        error = abs(outputs(made, x) - expected)
        errors = [f"{each / expected.std():.2%}" for each in (error.mean(), error.max())]
        cells = [name, made.precision, size(made), *errors, f"{task.score(made):.4g}"]
        yield f"| {' | '.join(cells)} |"


def speeds() -> Iterator[str]:
    """Yield a table of the time of a step of an LSTM, one row, by size and precision."""
    yield "| kernels | " + " | ".join(f"H={H} I={H // 4}" for H in SIZES) + " |"
    yield "|---" * (1 + len(SIZES)) + "|"
    cells: dict[str, list[str]] = {}
    for H in SIZES:
        layers = [lf.Input((None, H // 4)), lf.layers.LSTM(H, return_sequences=True)]
        model = lf.Sequential(layers, seed=0)
        streams = {
            made.precision: made.stream()
            for made in (model, model.astype("bfloat16"), model.quantize("int8"))
        }
        x, y = np.ones((1, H // 4), np.float32), np.zeros((1, H), np.float32)
        times: dict[str, list[float]] = {name: [] for name in streams}
        count = max(20, 40_000_000 // (5 * H * H))
        for _ in range(25):  # in turn, so that all have the same disturbances
            for name, stream in streams.items():
                started = perf_counter()
                for _ in range(count):
                    stream.step(x, out=y)
                times[name].append((perf_counter() - started) / count * 1e6)
        for name, each in times.items():
            cells.setdefault(name, []).append(f"{np.median(each):.2f}")
    for name, each in cells.items():
        yield f"| {name} | {' | '.join(each)} |"


def outputs(model: Any, x: Any) -> np.ndarray:
    """Return the outputs for all test samples, one after the other."""
    found = model.predict(x, verbose=0)
    parts = found if isinstance(found, list) else [found]
    return np.concatenate([part.ravel() for part in parts])


def size(model: Any) -> str:
    """Return the size of the model's file without its training."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        model.save(path, include_optimizer=False)
        return f"{path.stat().st_size / 1024:.0f} KB"


if __name__ == "__main__":
    raise SystemExit(main())

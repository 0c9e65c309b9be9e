"""Write the models that `step.cpp` times: LSTM layers of one width, and a Dense(1).

    python -m benchmarks.step_models models
    python -m benchmarks.step_models models 1x8 2x16 1x64x16

A size is LAYERSxUNITS, or LAYERSxUNITSxINPUTS.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from lstmfast._bench.shapes import STEP_SHAPES
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential
from lstmfast.utils import set_random_seed

# Those of guitar amplifiers' models, and those of the suite `step`.
SIZES = ("1x8", "1x16", "1x24", "2x16", *(f"1x{shape.H}x{shape.I}" for shape in STEP_SHAPES))


def main(argv: Sequence[str]) -> int:
    if not argv:
        print(__doc__)
        return 2
    folder = Path(argv[0])
    folder.mkdir(parents=True, exist_ok=True)
    for size in argv[1:] or SIZES:
        count, units, inputs = (*map(int, size.split("x")), 1)[:3]
        set_random_seed(0)
        layers = [LSTM(units, return_sequences=True) for _ in range(count)]
        Sequential([Input((None, inputs)), *layers, Dense(1)]).save(folder / f"{size}.safetensors")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

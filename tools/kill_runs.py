"""Kill many fits and forecast commands at random times; print what they left.

    python tools/kill_runs.py [FITS [FORECASTS [SEED]]]

`tests/test_killed_runs.py` does the same at the size of a test. It ends by an error where a file
does not load, where a fit that goes on ends with other bits than one that was never interrupted, or
where the next save leaves temporary files.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import killed_runs


def main() -> None:
    fits, forecasts, seed = [*map(int, sys.argv[1:]), *(200, 200, 0)[len(sys.argv) - 1 :]]
    run(killed_runs.killed_fits, fits, seed)
    run(killed_runs.killed_forecasts, forecasts, seed)


def run(kind: Callable[[Path, int, int], Counter[str]], count: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = kind(Path(folder), count, seed)
    print(f"{kind.__name__}: {count} killed; {dict(found)}", flush=True)


if __name__ == "__main__":
    main()

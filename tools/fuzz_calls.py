"""Make random calls of lf.LSTM and lf.functional, right and wrong, against lf.reference.

    python tools/fuzz_calls.py [--count N] [--seed S] [--first K]

`tests/test_call_fuzz.py` does the same at the size of a test. A failure names the seed and the
problem at which to begin again with ``--first``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from call_fuzz import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    counts = fuzz(given.count, given.seed, given.first)
    print(f"{counts.total()} calls:", ", ".join(f"{n} {kind}" for kind, n in counts.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

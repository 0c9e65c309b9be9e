"""Fit many models, with random calls in their callbacks, losses and metrics; print what they did.

    python tools/chaos.py [--count FITS] [--first SEED]

`tests/test_chaos.py` does the same at the size of a test. Exit status 1 where anything was wrong.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import chaos


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, add_help=False)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    found = chaos.run_many(options.count, options.first)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(found.items())))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())

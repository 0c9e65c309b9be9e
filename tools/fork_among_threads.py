"""Fork many times next to threads that infer, train, predict and fit; print what the children did.

    python tools/fork_among_threads.py [FORKS]

`tests/test_forks.py` does the same at the size of a test. Exit status 1 where a child hangs or
fails.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import forks


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    found = forks.beside_threads(count)
    print(", ".join(f"{found[kind]} {kind}" for kind in ("done", "hung", "failed")))
    return 0 if found["done"] == count else 1


if __name__ == "__main__":
    sys.exit(main())

"""Load many damaged model files; print how they ended.

    python tools/fuzz_files.py [FILES [FIRST_SEED]]

`tests/test_fuzz_files.py` does the same at the size of a test. Slices of 5000 files run in
processes of their own, so that a crash or a hang is one of the results. Exit status 1 where a file
did anything but load or be refused in our own words.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import damaged_files

SLICE = 5000  # files of one process
LONGEST = 600  # seconds that it may take


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    total: Counter[str] = Counter()
    for seed in range(first, first + -(-count // SLICE)):
        folder = tempfile.mkdtemp(prefix="fuzz-files-", dir=damaged_files.scratch())
        command = [sys.executable, "-X", "faulthandler", __file__, "--slice", folder, str(seed)]
        try:
            done = subprocess.run(
                command, timeout=LONGEST, capture_output=True, text=True, check=False
            )
            ends = eval(done.stdout) if done.returncode == 0 else {f"crash: {done.stderr}": 1}
        except subprocess.TimeoutExpired:
            ends = {f"hang: {folder}": 1}
        total += Counter(ends)
        if ends.keys() <= {"loaded", "refused"}:
            subprocess.run(["rm", "-r", folder], check=True)
        print(f"seed {seed}: {', '.join(f'{n} {end}' for end, n in ends.items())}", flush=True)
    wrong = sum(total.values()) - total["loaded"] - total["refused"]
    print(f"{total['loaded']} loaded, {total['refused']} refused, {wrong} otherwise")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--slice"]:
        print(dict(damaged_files.run(Path(sys.argv[2]), SLICE, int(sys.argv[3]))))
    else:
        sys.exit(main())

"""Lets every allocation, file operation and thread start of every kind of call fail, one by one.

    python tools/inject_faults.py [--share 0.1] [NAME ...]

NAME is a case of tests/fault_cases.py or a group of them, `lstm.`; all run by default, each in a
process of its own. --share runs an evenly spread part of the places. Needs Linux and a C compiler.
Ends with 1 where a call did not fail as it should; what it is about stands in
tests/fault_injection.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import fault_injection
from fault_cases import CASES


def main() -> int:
    parser = argparse.ArgumentParser(description="Let calls of the system fail, one by one.")
    parser.add_argument("names", nargs="*", help="cases, or groups of them, which end with a dot")
    parser.add_argument("--share", type=float, default=1.0, help="part of all places")
    args = parser.parse_args()
    names = [case.name for case in CASES if not args.names or case.named(args.names)]
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        library = fault_injection.build(Path(folder))
        for name in names:
            done = fault_injection.run_in_process(library, args.share, name)
            if done.returncode == 0:
                print(done.stdout.splitlines()[0], flush=True)
            else:
                failed.append(name)
                print(f"{name}: FAILED\n{done.stderr}", flush=True)
    print(f"{len(names)} cases, {len(failed)} failed{': ' if failed else ''}{', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

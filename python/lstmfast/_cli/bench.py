"""`lstmfast bench`: how fast this machine runs LSTMs, here and elsewhere."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

NAME = "bench"
HELP = "time lstmfast against the NumPy reference and other engines"

# What the libraries under NumPy and torch read their number of threads from, once, at import.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LSTMFAST_NUM_THREADS",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--against", metavar="NAMES", help="other engines, e.g. torch (default: all installed)"
    )
    parser.add_argument("--shapes", metavar="NAMES", help="e.g. toy,medium (default: all)")
    parser.add_argument("--mode", choices=["forward", "training", "both"], default="both")
    parser.add_argument("--threads", type=int, default=1, help="threads of every engine")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="time a shape and mode (default 1)"
    )
    parser.add_argument("--json", metavar="FILE", help="write all figures to FILE")


def run(args: argparse.Namespace) -> int:
    """Run the benchmarks in a fresh process with the number of threads fixed for everybody."""
    if args.threads < 1:
        print(
            f"lstmfast bench: error: --threads is {args.threads}; expected 1 or more",
            file=sys.stderr,
        )
        return 2
    command = [sys.executable, "-m", "lstmfast._bench", "--mode", args.mode]
    command += ["--threads", str(args.threads), "--seconds", str(args.seconds)]
    for option in ("against", "shapes", "json"):
        value = getattr(args, option)
        if value is not None:
            command += [f"--{option}", value]
    environment = dict(os.environ, **dict.fromkeys(_THREAD_VARIABLES, str(args.threads)))
    return subprocess.run(command, env=environment, check=False).returncode

"""`lstmfast bench`: how fast this machine runs LSTMs, here and elsewhere."""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

from .common import check_outputs, whole_number

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
    parser.add_argument(
        "--threads",
        metavar="N",
        type=whole_number(1),
        default=1,
        help="of every engine (default 1)",
    )
    parser.add_argument(
        "--seconds",
        metavar="S",
        type=_seconds,
        default=1.0,
        help="how long to measure each shape and mode (default 1)",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to FILE")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number above 0")
    return value


def run(args: argparse.Namespace) -> int:
    """Run the benchmarks in a fresh process with the number of threads fixed for everybody."""
    if args.json is not None:
        check_outputs([args.json], [])
    command = [sys.executable, "-m", "lstmfast._bench", "--mode", args.mode]
    command += ["--threads", str(args.threads), "--seconds", str(args.seconds)]
    for option in ("against", "shapes", "json"):
        value = getattr(args, option)
        if value is not None:
            command += [f"--{option}", str(value)]
    environment = dict(os.environ, **dict.fromkeys(_THREAD_VARIABLES, str(args.threads)))
    return _run_child(command, environment)


def _run_child(command: list[str], environment: dict[str, str]) -> int:
    """Run a process; Ctrl-C ends it without a word of its own."""
    # Ctrl-C reaches the child too, and could strike in an import, where nothing catches it. A
    # child that is started while it is ignored goes on ignoring it, and is ended from here.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(command, env=environment)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        code = child.wait()
        return code if code >= 0 else 128 - code  # as shells count an end by a signal
    except BaseException:
        child.kill()
        child.wait()
        raise

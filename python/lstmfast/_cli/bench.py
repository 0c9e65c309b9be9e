"""`lstmfast bench`: how fast this machine runs LSTMs, with lstmfast and other engines."""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

from lstmfast._bench.pinning import environment

from .common import check_outputs, whole_number
from .forecast import plot_kind

NAME = "bench"
HELP = "time lstmfast against the NumPy reference and other engines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--against", metavar="NAMES", help="other engines, e.g. torch (default: all installed)"
    )
    parser.add_argument(
        "--suite",
        metavar="NAMES",
        help="of forward, training, step, options, fit, scaling, memory, kernels; or all "
        "(default: forward,training)",
    )
    parser.add_argument(
        "--shapes",
        metavar="NAMES",
        help="e.g. toy,medium, or B, T, I, H as 32x100x64x128 (default: those of the suite)",
    )
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
        help="how long to measure each case (default 1)",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to FILE")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw a chart (needs matplotlib)")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number above 0")
    return value


def run(args: argparse.Namespace) -> int:
    """Run the benchmarks in a new process with one number of threads for all engines."""
    check_outputs([path for path in (args.json, args.plot) if path is not None], [])
    if args.plot is not None:
        plot_kind(args.plot)
    command = [sys.executable, "-m", "lstmfast._bench", "--mode", args.mode]
    command += ["--threads", str(args.threads), "--seconds", str(args.seconds)]
    for option in ("against", "suite", "shapes", "json", "plot"):
        value = getattr(args, option)
        if value is not None:
            command += [f"--{option}", str(value)]
    return _run_child(command, environment(args.threads, os.environ))


def _run_child(command: list[str], variables: dict[str, str]) -> int:
    """Run a process; Ctrl-C ends it without a message of its own."""
    # Ctrl-C reaches the child too, possibly during an import, where nothing catches it. A child
    # that is started while the signal is ignored goes on ignoring it, and is ended from here.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(command, env=variables)
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        code = child.wait()
        return code if code >= 0 else 128 - code  # as shells count an end by a signal
    except BaseException:
        child.kill()
        child.wait()
        raise

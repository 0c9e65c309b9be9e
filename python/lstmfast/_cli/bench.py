"""`lstmfast bench`: how fast this machine runs LSTMs, with lstmfast and other engines."""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys

from .common import Parser, check_outputs, number
from .forecast import plot_kind

HELP = "time lstmfast against the NumPy reference and other engines"

# The variables from which libraries of NumPy and the rivals read their number of threads, once, at
# import.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LSTMFAST_NUM_THREADS",
    "NPROC",  # XLA's pool
)

# What holds lstmfast, torch, oneDNN, MKL and OpenBLAS to an instruction set.
_HELD = {
    "avx2": {
        "LSTMFAST_ISA": "avx2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    }
}


def add_arguments(parser: Parser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--against", metavar="NAMES", help="other engines, e.g. torch (default: all installed)")
    add(
        "--suite",
        metavar="NAMES",
        help="of forward, training, step, options, fit, tutorials, tasks, layers, scaling, "
        "threads, memory, kernels, machine; or all (default: forward,training)",
    )
    add(
        "--shapes",
        metavar="NAMES",
        help="e.g. toy,medium, or B, T, I, H as 32x100x64x128 (default: those of the suite)",
    )
    add("--mode", choices=["forward", "training", "both"], default="both")
    add(
        "--isa",
        choices=list(_HELD),
        help="hold lstmfast and the engines that have a way to it to this instruction set; leave "
        "out the others",
    )
    parser.add_number("--threads", 1, "of every engine", default=1)
    add(
        "--seconds",
        metavar="S",
        type=number(float, lambda value: 0.0 < value < math.inf, "a number above 0"),
        default=1.0,
        help="how long to measure each case (default 1)",
    )
    parser.add_file("--json", "FILE", "write all figures to FILE")
    parser.add_file("--plot", "FILE", "draw a chart (needs matplotlib)")


def run(args: argparse.Namespace) -> int:
    """Run the benchmarks in a new process with one number of threads for all engines."""
    check_outputs([args.json, args.plot])
    if args.plot is not None:
        plot_kind(args.plot)
    command = [sys.executable, "-m", "lstmfast._bench"]
    for option in (
        "against", "suite", "shapes", "mode", "isa", "threads", "seconds", "json", "plot"
    ):  # fmt: skip
        value = getattr(args, option)
        if value is not None:
            command += [f"--{option}", str(value)]
    return _run_child(command, _environment(args.threads, args.isa))


def _environment(threads: int, isa: str | None) -> dict[str, str]:
    """Return the environment of a process that measures with this many threads."""
    fixed = dict.fromkeys(_THREAD_VARIABLES, str(threads)) | _HELD.get(isa or "", {})
    return {**os.environ, **fixed, "KERAS_BACKEND": "torch", "JAX_PLATFORMS": "cpu"}


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

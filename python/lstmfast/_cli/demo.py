"""`lstmfast demo`: the airline passengers, forecast and compared."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .common import check_outputs, whole_number, write_file
from .forecast import plot_kind, progress_bar

HELP = "forecast the airline passengers of 1949 to 1960 and compare with simpler rules"

_PICTURE = Path("air_passengers_forecast.png")
_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("--plot", metavar="F.png", type=Path, help=f"where to draw the forecast ({_PICTURE})")
    add("--seeds", metavar="N", type=whole_number(1), default=10, help="how many (10)")
    add("--epochs", metavar="N", type=whole_number(1), default=80, help="length of a training (80)")


def run(args: argparse.Namespace) -> int:
    """Train, compare, print, draw."""
    # Read once, when NumPy is loaded. The core trains this network on one thread; on matrices as
    # small as these, more threads of NumPy's BLAS would only wait for each other.
    os.environ.update(dict.fromkeys(_BLAS_VARIABLES, "1"))
    from lstmfast.forecasting import plot
    from lstmfast.forecasting.demo import run_demo
    from lstmfast.forecasting.report import demo_text

    path = args.plot or _PICTURE
    # without matplotlib a plot that was asked for is an error; the usual one is a note
    drawing = args.plot is not None or plot.available()
    kind = ""
    if drawing:
        check_outputs([path], [])
        kind = plot_kind(path)
    with progress_bar(f"training with {args.seeds} seeds", disable=False) as advance:
        result = run_demo(args.seeds, args.epochs, advance)
    print(demo_text(result))
    if drawing:
        write_file(path, plot.plot_demo(result, kind))
        print(f"\nPlot: {path}")
    else:
        print(f"\nNo plot: {plot.MISSING}")
    return 0

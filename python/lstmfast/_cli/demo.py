"""`lstmfast demo`: the airline passengers, forecast and compared."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .common import UserError, check_outputs, whole_number, write_file
from .forecast import plot_kind
from .progress import progress_bar

HELP = "forecast the airline passengers of 1949 to 1960 and compare with simpler rules"

_PICTURE = Path("air_passengers_forecast.png")
_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add(
        "--plot",
        metavar="F.png",
        type=Path,
        help=f"where to draw the forecast: .png, .svg or .pdf (default {_PICTURE})",
    )
    add(
        "--seeds",
        metavar="N",
        type=whole_number(1),
        default=10,
        help="how many seeds to train with and compare (default 10)",
    )
    add(
        "--epochs",
        metavar="N",
        type=whole_number(1),
        default=80,
        help="length of a training (default 80)",
    )


def run(args: argparse.Namespace) -> int:
    """Train, compare, print and draw."""
    # Read once, when NumPy is loaded. The core trains this network on one thread; on matrices as
    # small as these, more threads of NumPy's BLAS would only wait for each other.
    os.environ.update(dict.fromkeys(_BLAS_VARIABLES, "1"))
    from lstmfast.forecasting import plot
    from lstmfast.forecasting.demo import run_demo
    from lstmfast.forecasting.report import demo_text

    path = args.plot or _PICTURE
    # where a plot cannot be made: an error if --plot asks for it, else a note
    obstacle = "" if plot.available() else plot.MISSING
    kind = ""
    try:
        check_outputs([path], [])
        if not obstacle or args.plot is not None:
            kind = plot_kind(path)
    except UserError as error:
        if args.plot is not None:
            raise
        obstacle = obstacle or str(error)
    seeds = "1 seed" if args.seeds == 1 else f"{args.seeds} seeds"
    with progress_bar(f"training with {seeds}", disable=False) as advance:
        result = run_demo(args.seeds, args.epochs, advance)
    print(demo_text(result))
    if not obstacle:
        try:
            write_file(path, plot.plot_demo(result, kind))
        except UserError as error:
            if args.plot is not None:
                raise
            obstacle = str(error)
    print(f"\nNo plot: {obstacle}" if obstacle else f"\nPlot: {path}")
    return 0

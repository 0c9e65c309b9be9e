"""`lstmfast demo`: the airline passengers, forecast and compared."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from .common import Parser, UserError, check_outputs, progress_bar, write_file
from .forecast import plot_kind

HELP = "forecast the airline passengers of 1949 to 1960 and compare with simpler rules"

_PICTURE = Path("air_passengers_forecast.png")
_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    where = f"where to draw the forecast: .png, .svg or .pdf (default {_PICTURE})"
    parser.add_file("--plot", "F.png", where)
    parser.add_number("--seeds", 1, "how many seeds to train with and compare", default=10)
    parser.add_number("--epochs", 1, "length of a training", default=80)


def run(args: argparse.Namespace) -> int:
    """Train, compare, print and draw."""
    # Read once, when NumPy is loaded. The core trains this network on one thread; on matrices as
    # small as these, more threads of NumPy's BLAS would only wait for each other.
    os.environ.update(dict.fromkeys(_BLAS_VARIABLES, "1"))
    from lstmfast.forecasting import plot
    from lstmfast.forecasting.demo import run_demo
    from lstmfast.forecasting.errors import counted
    from lstmfast.forecasting.report import demo_text
    from lstmfast.plot.looks import MISSING, available

    path = args.plot or _PICTURE

    def obstacle_to(action: Callable[[], object]) -> str:
        """Return why a plot cannot be made, or ""; that is an error if --plot asks for one."""
        try:
            action()
        except UserError as error:
            if args.plot is not None:
                raise
            return str(error) if available() else MISSING
        return ""

    def check() -> None:
        check_outputs([path])
        plot_kind(path)

    obstacle = obstacle_to(check)
    with progress_bar(f"training with {counted(args.seeds, 'seed')}", disable=False) as advance:
        result = run_demo(args.seeds, args.epochs, advance)
    print(demo_text(result))
    if not obstacle:
        picture = plot.plot_demo(result, plot_kind(path))
        obstacle = obstacle_to(lambda: write_file(path, picture))
    print(f"\nNo plot: {obstacle}" if obstacle else f"\nPlot: {path}")
    return 0

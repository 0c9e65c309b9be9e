"""`lstmfast forecast`: the forecast of a column of a CSV file."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from .common import (
    Parser,
    UserError,
    check_outputs,
    check_standard_output,
    names,
    progress_bar,
    save_model,
    write_file,
    write_text,
)

HELP = "train on a column of a CSV file and write its forecast with prediction intervals"


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add("file", metavar="FILE.csv", type=Path, help="the data; its first line names the columns")
    add("--column", metavar="NAME", required=True, help="the column to forecast")
    add("--time", metavar="COLUMN", help="the column of times: ascending, in even steps")
    add(
        "--time-format",
        metavar="FORMAT",
        help="how the times are written, with the directives of Python's strptime and %%q for a "
        "quarter, such as %%d.%%m.%%Y (default: found in the data)",
    )
    add(
        "--inputs",
        metavar="A,B",
        type=names,
        default=[],
        help="more columns to look at; their future is not asked for but forecast along. A name "
        "that has a comma is put in double quotes",
    )
    parser.add_number("--horizon", 1, "steps to forecast", default=12)
    parser.add_number(
        "--lookback", 1, "steps that the model sees (default: the season + 1; 12 without a season)"
    )
    parser.add_number("--season", 0, "steps of a season, 0 for none (default: found in the data)")
    parser.add_choice(
        "--transform",
        ("log-diff", "diff", "none"),
        "what the model sees: relative changes, changes or values (default %(default)s)",
    )
    parser.add_choice(
        "--missing",
        ("error", "interpolate"),
        "what to do about missing numbers and rows (default %(default)s). Rows that are incomplete "
        "at the start, and rows at the end without a number to forecast, are left out",
    )
    parser.add_choice(
        "--outliers",
        ("replace", "keep"),
        "what to do about single values far from all around them, as typos are: put them on "
        "the line between their neighbours, or keep them (default %(default)s)",
    )
    parser.add_number("--epochs", 1, "length of the training", default=80)
    parser.add_number("--seed", 0, "seed of the random numbers", default=0)
    parser.add_file("--plot", "F.png", "draw the forecast into this file: .png, .svg or .pdf")
    parser.add_file(
        "--save",
        "F.safetensors",
        "save the bare network for lstmfast.models.load_model: it takes and gives "
        "transformed, scaled values, and the file does not hold the scaling",
    )
    parser.add_file("--out", "F.csv", "write here instead of to standard output")


def run(args: argparse.Namespace) -> int:
    """Forecast and write the results; all checks come before training."""
    from lstmfast.forecasting import DataError, plot, read_series
    from lstmfast.forecasting.model import Setup
    from lstmfast.forecasting.pipeline import choose_window, forecast_prepared, prepare
    from lstmfast.forecasting.report import forecast_csv, forecast_note
    from lstmfast.forecasting.season import calendar_periods
    from lstmfast.forecasting.transforms import TRANSFORMS
    from lstmfast.forecasting.validation import plan_validation
    from lstmfast.forecasting.windows import Window

    if args.time_format is not None and args.time is None:
        raise UserError("argument --time-format: expected --time with it")
    if args.season == 1:
        raise UserError("argument --season: 1; expected 0 for none, or a whole number from 2 on")
    check_standard_output(args.out)
    check_outputs([args.out, args.plot, args.save], [args.file])
    kind = "" if args.plot is None else plot_kind(args.plot)
    if args.save is not None:
        _check_model_name(args.save)
    transform = TRANSFORMS[args.transform]
    try:
        series = read_series(
            args.file,
            args.column,
            time=args.time,
            time_format=args.time_format,
            inputs=args.inputs,
            missing=args.missing,
        )
        values, replaced = prepare(series.values, transform, series.where, args.outliers)
    except DataError as error:
        raise UserError(str(error)) from None
    periods = calendar_periods(series.clock.unit, series.clock.step)
    window = choose_window(values[:, 0], transform, args.lookback, args.season, periods)

    def check_length(window: Window) -> None:
        plan_validation(len(values), transform, window, args.horizon)
        series.future(args.horizon)

    try:
        check_length(window)
    except DataError as error:
        hint = ""
        with suppress(DataError):
            check_length(Window(1, window.season))
            hint = " (or a smaller --lookback)"
        raise UserError(f'{series.name}: column "{args.column}": {error}{hint}') from None
    setup = Setup(transform, window, args.epochs, args.seed)
    with progress_bar("training", disable=None) as advance:
        coming = forecast_prepared(values, replaced, setup, args.horizon, progress=advance)
    picture = plot.plot_forecast(series, coming, kind) if kind else b""
    print(forecast_note(series, coming), file=sys.stderr)
    if args.save is not None:
        save_model(coming.trained.forecaster.network, args.save)
        print(
            f"{args.save}: the bare network, which takes and gives transformed, scaled values; "
            "read it with lstmfast.models.load_model",
            file=sys.stderr,
        )
    if args.plot is not None:
        write_file(args.plot, picture)
    write_text(args.out, forecast_csv(series, coming))
    return 0


def plot_kind(path: Path) -> str:
    """Return the kind of picture that a file's name asks for, if it can be drawn."""
    from lstmfast.plot.looks import MISSING, available, formats

    if not available():
        raise UserError(f"{path}: {MISSING}")
    kind = path.suffix.lower().lstrip(".")
    if kind not in formats():
        raise UserError(f"{path}: expected a name that ends in .png, .svg or .pdf")
    return kind


def _check_model_name(path: Path) -> None:
    from lstmfast._files import check_path
    from lstmfast.models import saving

    try:
        is_foreign = saving.writer_of(check_path(path, "forecast")) is not None
    except ValueError:
        is_foreign = True
    if is_foreign:
        raise UserError(f"{path}: expected a name that ends in .safetensors")

"""From a CSV file to the series to forecast: numbers in even steps of time, or a clear error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .cells import parse_numbers
from .errors import DataError
from .table import Table, read_table
from .times import Clock, parse_times

__all__ = ["Series", "read_series"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Columns of numbers in even steps of time.

    Attributes
    ----------
    name : str
        The file.
    columns : list of str
        Names; the first is the column to forecast.
    values : ndarray of shape (N, C)
        The numbers.
    places : list of str
        Where each row stands, for messages.
    times : list of str
        The time of each row; its number, from 1, where the file has no time column.
    time_name : str
        Heading of the times.
    clock : Clock
        What the times count in.
    last : float
        Position of the last row on the clock.
    filled : int
        How many numbers were missing and interpolated.
    notes : tuple of str
        How numbers were read where that had to be guessed.
    """

    name: str
    columns: list[str]
    values: Array
    places: list[str]
    times: list[str]
    time_name: str
    clock: Clock
    last: float
    filled: int = 0
    notes: tuple[str, ...] = ()

    def future(self, count: int) -> list[str]:
        """Return the times of the `count` rows that would follow."""
        return self.clock.after(self.last, count)

    def where(self, row: int, column: int) -> str:
        """Return what messages call a number: ``air.csv line 17: column "Passengers"``."""
        return f'{self.places[row]}: column "{self.columns[column]}"'


def read_series(
    path: str | Path,
    column: str,
    *,
    time: str | None = None,
    inputs: Sequence[str] = (),
    missing: str = "error",
) -> Series:
    """Read the column to forecast, and more input columns, from a CSV file.

    Parameters
    ----------
    path : str or Path
        A CSV file whose first line names the columns.
    column : str
        The column to forecast.
    time : str, optional
        The column of times: ascending, each once, in even steps.
    inputs : sequence of str
        More columns for the model to look at.
    missing : {"error", "interpolate"}
        What to do about missing numbers and missing rows between two times.

    Returns
    -------
    Series

    Raises
    ------
    DataError
        With one line that says what is wrong, and where.
    """
    table = read_table(path)
    columns = [column, *inputs]
    for name in [*columns, *([] if time is None else [time])]:
        table.column(name)
        if [*columns, time].count(name) > 1:
            raise DataError(f'{table.name}: column "{name}" is asked for twice; expected once')
    allow = missing == "interpolate"
    notes: list[str] = []
    numbers = [
        parse_numbers(
            table.column(name),
            name,
            table.at,
            delimiter=table.delimiter,
            allow_missing=allow,
            notes=notes,
        )
        for name in columns
    ]
    values = np.array(numbers, dtype=np.float64).T
    if time is None:
        rows = len(values)
        clock = Clock("number", 1.0, lambda position: f"{position:.0f}")
        times = [str(row + 1) for row in range(rows)]
        steps, last, heading = list(range(rows)), float(rows), "step"
    else:
        times = table.column(time)
        steps, positions, clock = parse_times(times, time, table.at)
        last, heading = positions[-1], time
        if steps[-1] + 1 > len(steps):
            if not allow:
                _complain_of_gap(table, time, steps, times)
            positions = _even_positions(positions, steps, clock)
            times = [clock.write(position) for position in positions]
    places = [table.at(row) for row in range(len(values))]
    values, places = _spread(table, values, places, steps)
    filled = int(np.isnan(values).sum())
    if filled:
        values = _interpolated(table.name, columns, values)
    return Series(
        table.name, columns, values, places, times, heading, clock, last, filled, tuple(notes)
    )


def _complain_of_gap(table: Table, time: str, steps: list[int], times: list[str]) -> None:
    row = next(row for row in range(1, len(steps)) if steps[row] > steps[row - 1] + 1)
    lost = steps[row] - steps[row - 1] - 1
    raise DataError(
        f'{table.at(row)}: column "{time}" jumps from "{times[row - 1]}" to "{times[row]}", '
        f"{lost} missing between; expected no gap (or use --missing interpolate)"
    )


def _even_positions(positions: list[float], steps: list[int], clock: Clock) -> list[float]:
    """Return a position for every step, the file's own where it has one."""
    known = dict(zip(steps, positions, strict=True))
    return [known.get(s, positions[0] + s * clock.step) for s in range(steps[-1] + 1)]


def _spread(
    table: Table, values: Array, places: list[str], steps: list[int]
) -> tuple[Array, list[str]]:
    """Put each row where its step is; the rows between are NaN."""
    total = steps[-1] + 1
    if total == len(steps):
        return values, places
    if total > 2 * len(steps):
        raise DataError(
            f"{table.name}: {total - len(steps)} of {total} rows are missing; "
            "expected at least half of them"
        )
    spread = np.full((total, values.shape[1]), np.nan)
    spread[steps] = values
    names = [f"{table.name} (missing row)"] * total
    for step, place in zip(steps, places, strict=True):
        names[step] = place
    return spread, names


def _interpolated(name: str, columns: list[str], values: Array) -> Array:
    """Fill what is missing on the straight line between its neighbours in time."""
    rows = np.arange(len(values))
    filled = values.copy()
    for place, column in enumerate(columns):
        known = ~np.isnan(values[:, place])
        if 2 * known.sum() < len(known):
            raise DataError(
                f'{name}: column "{column}" has {known.sum()} numbers in {len(known)} rows; '
                "expected at least half of them"
            )
        if not (known[0] and known[-1]):
            end = "starts" if not known[0] else "ends"
            raise DataError(
                f'{name}: column "{column}" {end} with a missing value; '
                "expected numbers on both sides to interpolate between"
            )
        filled[:, place] = np.interp(rows, rows[known], values[known, place])
    return filled

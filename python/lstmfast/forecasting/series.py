"""The series to forecast, from a CSV file: numbers in even steps of time, or a clear error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lstmfast._arrays import Array

from .cells import parse_numbers
from .errors import DataError
from .table import Table, read_table
from .times import Clock, parse_times


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
        The clock of the times.
    last : int
        Position of the last row on the clock.
    filled : int
        How many numbers were missing and interpolated.
    notes : tuple of str
        How numbers were read, where it had to be guessed.
    """

    name: str
    columns: list[str]
    values: Array
    places: list[str]
    times: list[str]
    time_name: str
    clock: Clock
    last: int
    filled: int = 0
    notes: tuple[str, ...] = ()

    def future(self, count: int) -> list[str]:
        """Return the times of the `count` rows that would follow."""
        return self.clock.after(self.last, count)

    def where(self, row: int, column: int) -> str:
        """Return the place of a number for messages: ``air.csv line 17: column "Passengers"``."""
        return f'{self.places[row]}: column "{self.columns[column]}"'


def read_series(
    path: str | Path,
    column: str,
    *,
    time: str | None = None,
    time_format: str | None = None,
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
        The column of times: ascending, without repetitions, in even steps.
    time_format : str, optional
        How its times are written, as for `datetime.strptime`; ``%q`` is a quarter. By default the
        format is found in the column.
    inputs : sequence of str
        Further input columns.
    missing : {"error", "interpolate"}
        What to do about missing numbers and missing rows between two times. Rows at the start in
        which a column has no number yet are left out, as are rows at the end without a number to
        forecast: the forecast begins at the first of those.

    Returns
    -------
    Series

    Raises
    ------
    DataError
        With one line that names the reason and the place.
    """
    columns = [column, *inputs]
    known = columns if time is None else [*columns, time]
    table = read_table(path, known, empty_rows=time is None)
    for name in known:
        table.column(name)
        if known.count(name) > 1:
            raise DataError(f'{table.name}: column "{name}" is asked for twice; expected once')
    allow = missing == "interpolate"
    notes: list[str] = []
    numbers = [
        parse_numbers(table.column(name), notes, delimiter=table.delimiter, allow_missing=allow)
        for name in columns
    ]
    steps, positions, times, clock = _time_axis(table, time, time_format, allow)
    values = np.full((len(positions), len(columns)), np.nan)
    values[steps] = np.array(numbers).T
    places = [f"{table.name} (missing row)"] * len(positions)
    for row, step in enumerate(steps):
        places[step] = table.at(row)
    begin, end = _known_rows(table.name, columns, values, places, notes)
    values, places, times = values[begin:end], places[begin:end], times[begin:end]
    filled = int(np.isnan(values).sum())
    rows = np.arange(len(values))
    for each in values.T:  # missing numbers lie on the straight line between their neighbours
        there = ~np.isnan(each)
        each[:] = np.interp(rows, rows[there], each[there])
    return Series(
        table.name,
        columns,
        values,
        places,
        times,
        "step" if time is None else time,
        clock,
        positions[end - 1],
        filled,
        tuple(notes),
    )


def _time_axis(
    table: Table, time: str | None, time_format: str | None, allow_gaps: bool
) -> tuple[list[int], list[int], list[str], Clock]:
    """Return the step of each row of the table; position and time of each step; the clock."""
    if time is None:
        numbers = [*range(1, len(table.rows) + 1)]
        return [*range(len(numbers))], numbers, [*map(str, numbers)], Clock("number", 1.0, 1, str)
    column = table.column(time)
    times = [*column.cells]
    steps, positions, clock = parse_times(column, time_format)
    total = steps[-1] + 1
    if total == len(steps):
        return steps, positions, times, clock
    if not allow_gaps:
        row = next(row for row in range(1, len(steps)) if steps[row] > steps[row - 1] + 1)
        raise column.error(
            row,
            f'jumps from "{times[row - 1]}" to "{times[row]}", '
            f"{steps[row] - steps[row - 1] - 1} missing between; expected no gap "
            "(or use --missing interpolate)",
        )
    if total > 2 * len(steps):
        raise DataError(
            f"{table.name}: {total - len(steps)} of {total} rows are missing; "
            "expected at least half of them"
        )
    known = dict(zip(steps, positions, strict=True))
    positions = [known.get(step, positions[0] + step * clock.stride) for step in range(total)]
    return steps, positions, [clock.write(position) for position in positions], clock


def _known_rows(
    name: str, columns: list[str], values: Array, places: list[str], notes: list[str]
) -> tuple[int, int]:
    """Return the rows from the first in which all columns have values to the target's last number.

    A note reports the rows that are left out at the ends.
    """
    present = ~np.isnan(values)
    for column, known in zip(columns, present.T, strict=True):
        if not known.any():
            raise DataError(f'{name}: column "{column}" has no numbers; expected some')
    firsts = present.argmax(axis=0)
    ends = len(values) - present[::-1].argmax(axis=0)
    begin, end = int(firsts.max()), int(ends[0])
    late = columns[int(firsts.argmax())]
    if begin >= end:
        raise DataError(
            f'{places[begin]}: column "{late}" has its first number here, after the last one of '
            f'"{columns[0]}"; expected rows with both'
        )
    for column, stop in zip(columns, ends, strict=True):
        if stop < end:
            raise DataError(
                f'{places[stop]}: column "{column}" has no number from here on; expected them as '
                f'far as those of "{columns[0]}"'
            )
    if begin > 0:
        notes.append(f'{places[begin]}: the series begins with the first number of "{late}"')
    if end < len(values):
        notes.append(f'{places[end]}: the forecast begins after the last number of "{columns[0]}"')
    for column, known in zip(columns, present[begin:end].T, strict=True):
        if 2 * known.sum() < len(known):
            raise DataError(
                f'{name}: column "{column}" has {known.sum()} numbers in {len(known)} rows; '
                "expected at least half of them"
            )
    return begin, end

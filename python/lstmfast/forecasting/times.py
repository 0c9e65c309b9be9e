"""A time column as steps: what it counts in, whether it is complete, how it goes on.

Each kind of time is turned into whole numbers in which equal steps are equal differences: months
for ``1949-01``, days for ``1949-01-31``, seconds for dates with a time of day.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from .errors import DataError

__all__ = ["Clock", "parse_times"]

_MONTH = re.compile(r"(\d{4})[-/](\d{1,2})")
_QUARTER = re.compile(r"(\d{4})[-/ ]?[qQ]([1-4])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})([T ])(\d{2}:\d{2})(:\d{2})?(Z|\+00:00)?")
_NUMBER = re.compile(r"[+-]?\d+(?:\.(\d+))?")
_EPOCH = datetime(1970, 1, 1)
_EXPECTED = "1949-01, 1949-Q1, 1949-01-31, 1949-01-31 12:00 or a plain number"


@dataclass(frozen=True)
class Clock:
    """What the times of a file count in.

    Attributes
    ----------
    unit : str
        ``month``, ``quarter``, ``day``, ``workday``, ``second`` or ``number``.
    step : float
        Distance of two neighbours, in units.
    write : callable
        Turns a position in units into text as in the file.
    """

    unit: str
    step: float
    write: Callable[[float], str]

    def after(self, position: float, count: int) -> list[str]:
        """Return the times of the `count` steps that follow `position`.

        Raises
        ------
        DataError
            Where they leave the calendar, which ends with the year 9999.
        """
        try:
            return [self.write(position + self.step * (k + 1)) for k in range(count)]
        except (ValueError, OverflowError):
            raise DataError(f"the {count} times to come go beyond the year 9999") from None


def parse_times(
    cells: Sequence[str], column: str, at: Callable[[int], str]
) -> tuple[list[int], list[float], Clock]:
    """Read a column of times.

    Parameters
    ----------
    cells : sequence of str
        The cells, in the order of the file.
    column : str
        Name of the column, for messages.
    at : callable
        Gives the place of a row for messages.

    Returns
    -------
    steps : list of int
        How many steps after the first row each row is: 0, 1, 2, ... where none is missing.
    positions : list of float
        Each row's time in the clock's units.
    clock : Clock
        What the times count in.

    Raises
    ------
    DataError
        On text that is no time, a mixture of kinds, times that repeat, go back or are not a
        whole number of steps apart.

    Examples
    --------
    >>> steps, positions, clock = parse_times(["1949-11", "1949-12", "1950-02"], "Month", str)
    >>> steps, clock.unit, clock.after(positions[-1], 2)
    ([0, 1, 3], 'month', ['1950-03', '1950-04'])
    """
    positions, unit, write = _positions(cells, column, at)
    for row in range(1, len(cells)):
        if positions[row] == positions[row - 1]:
            raise DataError(
                f'{at(row)}: column "{column}" repeats "{cells[row]}"; expected each time once'
            )
        if positions[row] < positions[row - 1]:
            raise DataError(
                f'{at(row)}: column "{column}" has "{cells[row]}" after "{cells[row - 1]}"; '
                "expected times in ascending order"
            )
    if len(cells) < 3:
        found = "1 time" if len(cells) == 1 else f"{len(cells)} times"
        raise DataError(f'{at(0)}: column "{column}" has {found}; expected 3 or more')
    if unit == "day":
        positions, unit, write = _calendar(positions, cells, write)
    gaps = Counter(b - a for a, b in pairwise(positions))
    most = max(gaps.values())
    step = min(gap for gap, count in gaps.items() if count == most)
    if unit == "number":  # decimal years such as 1949.083 are rounded: take the middle one
        ordered = sorted(gaps.elements())
        step = ordered[len(ordered) // 2]
    steps = [0]
    for row in range(1, len(cells)):
        count = (positions[row] - positions[row - 1]) / step
        if abs(count - round(count)) > 0.05 or round(count) < 1:
            raise DataError(
                f'{at(row)}: column "{column}" goes from "{cells[row - 1]}" to "{cells[row]}"; '
                f"expected steps of {_step_text(step, unit)}"
            )
        steps.append(steps[-1] + round(count))
    if unit == "number":  # the same for the step itself, from end to end
        step = (positions[-1] - positions[0]) / steps[-1]
    return steps, positions, Clock(unit, step, write)


_Reading = tuple[list[float], str, Callable[[float], str]]


def _positions(cells: Sequence[str], column: str, at: Callable[[int], str]) -> _Reading:
    """Return each cell's position, all in the unit that the first cell shows."""
    positions = []
    first = ""
    for row, cell in enumerate(cells):
        if not cell:
            raise DataError(f'{at(row)}: column "{column}" is empty; expected a time')
        unit, position = _position(cell)
        if not unit:
            raise DataError(
                f'{at(row)}: column "{column}" has "{cell[:40]}"; '
                f"expected a time such as {_EXPECTED}"
            )
        if first and unit != first:
            raise DataError(
                f'{at(row)}: column "{column}" has "{cell}"; expected the form of "{cells[0]}"'
            )
        first = unit
        positions.append(position)
    return positions, first, _writer(first, cells)


def _position(cell: str) -> tuple[str, float]:
    """Return unit and position of one cell; no unit where it is no time."""
    try:
        if match := _MONTH.fullmatch(cell):
            year, month = int(match[1]), int(match[2])
            return ("month", 12 * year + month - 1) if 1 <= month <= 12 else ("", 0)
        if match := _QUARTER.fullmatch(cell):
            return "quarter", 4 * int(match[1]) + int(match[2]) - 1
        if _DATE.fullmatch(cell):
            return "day", date.fromisoformat(cell).toordinal()
        if match := _MOMENT.fullmatch(cell):
            moment = datetime.fromisoformat(f"{match[1]}T{match[3]}{match[4] or ''}")
            return "second", (moment - _EPOCH).total_seconds()
        if _NUMBER.fullmatch(cell):
            return "number", float(cell)
    except ValueError:  # 1949-02-30
        pass
    return "", 0


def _writer(unit: str, cells: Sequence[str]) -> Callable[[float], str]:
    """Return the function that writes positions in the form of the file."""
    sample = cells[0]
    if unit == "month":
        width = min(len(cell) for cell in cells) - 5  # 1949-1 or 1949-01
        return lambda p: f"{int(p) // 12:04d}{sample[4]}{int(p) % 12 + 1:0{width}d}"
    if unit == "quarter":
        return lambda p: f"{int(p) // 4:04d}{sample[4:-1]}{int(p) % 4 + 1}"
    if unit == "day":
        return lambda p: date.fromordinal(int(p)).isoformat()
    if (match := _MOMENT.fullmatch(sample)) is not None:
        seconds = ":%S" if match[4] else ""
        form = f"%Y-%m-%d{match[2]}%H:%M{seconds}{match[5] or ''}"
        return lambda p: (_EPOCH + timedelta(seconds=round(p))).strftime(form)
    decimals = max(len(match[1] or "") for cell in cells if (match := _NUMBER.fullmatch(cell)))
    return lambda p: f"{p:.{decimals}f}"


def _calendar(days: list[float], cells: Sequence[str], write: Callable[[float], str]) -> _Reading:
    """Return days as months or working days, where they are these."""
    dates = [date.fromordinal(int(day)) for day in days]
    if min(b - a for a, b in pairwise(days)) >= 28:
        months = [float(12 * d.year + d.month - 1) for d in dates]
        if len({d.day for d in dates}) == 1:
            day = dates[0].day
            return months, "month", lambda p: _month_day(int(p), day)
        if all((d + timedelta(days=1)).day == 1 for d in dates):
            return months, "month", lambda p: _month_day(int(p), 31)
    jumps = {b - a for a, b in pairwise(days)}
    if 1 in jumps and all(d.weekday() < 5 for d in dates) and any(d.weekday() == 0 for d in dates):
        # working days since a Monday: five a week
        weeks = [divmod(int(day) - 1, 7) for day in days]
        return (
            [float(5 * week + day) for week, day in weeks],
            "workday",
            lambda p: write(int(p) // 5 * 7 + int(p) % 5 + 1),
        )
    return days, "day", write


def _month_day(month: int, day: int) -> str:
    """Return the date with this day in a month, or the month's last day."""
    following = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return date(month // 12, month % 12 + 1, min(day, last)).isoformat()


def _step_text(step: float, unit: str) -> str:
    if unit == "number":
        return f"{step:g}"
    return f"{step:g} {unit}" if step == 1 else f"{step:g} {unit}s"

"""A time column as steps: its unit, missing rows, and the times that follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median_high, multimode

from .cells import Column
from .counting import Reading
from .errors import DataError, short
from .readings import possible_forms, read_numbers, read_times
from .time_forms import TimeForm, wrong_with

# Clocks of machines are not exact: the tolerance of a time, as a share of the step.
_SLACK = 0.05


@dataclass(frozen=True)
class Clock:
    """The unit and step of a file's times.

    Attributes
    ----------
    unit : str
        ``month``, ``quarter``, ``day``, ``workday``, ``second`` or ``number``.
    step : float
        Distance of two neighbours, in units.
    stride : int
        The same as a difference of positions.
    write : callable
        Turns a position into text as in the file.
    """

    unit: str
    step: float
    stride: int
    write: Callable[[int], str]

    def after(self, position: int, count: int) -> list[str]:
        """Return the times of the `count` rows that follow `position`.

        Raises
        ------
        DataError
            Where they exceed the calendar, which ends with the year 9999.
        """
        try:
            return [self.write(position + self.stride * (k + 1)) for k in range(count)]
        except (ValueError, OverflowError):
            raise DataError(f"the {count} times to come go beyond the year 9999") from None


def parse_times(column: Column, format: str | None = None) -> tuple[list[int], list[int], Clock]:
    """Read a column of times.

    Where digits can be read in more than one way (``200101`` is a month, a day or a number), the
    reading with the fewest missing rows is taken.

    Parameters
    ----------
    column : Column
        The cells.
    format : str, optional
        How the times are written, as for `datetime.strptime`; found in the cells by default.

    Returns
    -------
    steps : list of int
        The number of steps from the first row to each row: 0, 1, 2, ... where none is missing.
    positions : list of int
        Each row's time, as the clock counts.
    clock : Clock
        What the times count in.

    Raises
    ------
    DataError
        On text that is not a time, a mixture of forms, times that repeat, go back or are not a
        whole number of steps apart.

    Examples
    --------
    >>> column = Column(["1949-11", "1949-12", "1950-02"], "Month", str)
    >>> steps, positions, clock = parse_times(column)
    >>> steps, clock.unit, clock.after(positions[-1], 2)
    ([0, 1, 3], 'month', ['1950-03', '1950-04'])
    """
    for row, cell in enumerate(column.cells):
        if not cell:
            raise column.error(row, "is empty; expected a time")
    if format is not None and (problem := wrong_with(format)):
        raise DataError(f'time format "{short(format)}" {problem}')
    found, wrong = [], []
    for form in possible_forms(column.cells) if format is None else [TimeForm(format)]:
        try:
            if form is None:
                reading = read_numbers(column)
            else:
                reading = read_times(form, column, given=format is not None)
            found.append(_in_steps(reading, column))
        except DataError as error:
            wrong.append(error)
    if not found:
        raise wrong[0]
    return min(found, key=lambda each: each[0][-1])


def _in_steps(reading: Reading, column: Column) -> tuple[list[int], list[int], Clock]:
    """Return steps, positions and clock of a column that was read."""

    def uneven(row: int) -> DataError:
        before, cell = column.cells[row - 1], column.cells[row]
        step = float(stride / reading.ticks)
        unit = "" if reading.unit == "number" else f" {reading.unit}{'s' * (step != 1)}"
        return column.error(
            row, f'goes from "{before}" to "{cell}"; expected steps of {step:g}{unit}'
        )

    rounded = reading.ticks > 1
    gaps = [b - a for a, b in pairwise(reading.positions)]
    stride = _stride(gaps, reading.unit, rounded)
    one, of = stride.as_integer_ratio()
    steps, doubtful = [0], 0
    for row, gap in enumerate(gaps, 1):
        count = max(1, (2 * gap * of + one) // (2 * one))
        off = abs(gap * of - count * one)
        if off > _SLACK * one:
            # the two ends of a gap are rounded: together by up to one tick
            if not rounded or off > _SLACK * one + of:
                raise uneven(row)
            doubtful = doubtful or row
        steps.append(steps[-1] + count)
    even = _even(reading.positions, steps, reading.ticks) if rounded else None
    if even is not None:
        positions, stride = even
    elif doubtful:
        raise uneven(doubtful)
    else:
        if rounded or reading.unit == "number":
            # the clock is not exact, nor is its last row: the step from end to end counts
            stride = Fraction(reading.positions[-1] - reading.positions[0], steps[-1])
        middle = stride.denominator
        positions = [2 * middle * row + middle for row in reading.positions]
    parts = 2 * stride.denominator  # of a tick
    clock = Clock(
        reading.unit,
        float(stride / reading.ticks),
        2 * stride.numerator,
        lambda position: reading.write(position // parts),
    )
    return steps, positions, clock


def _even(
    rows: Sequence[int], steps: Sequence[int], ticks: int
) -> tuple[list[int], Fraction] | None:
    """Return exact positions of rounded rows, and their stride; None where the rows are not even.

    Decimal years may be rounded or cut. In both cases a row is the whole part of
    offset + stride * step, with any offset that fits all rows. A stride that divides the
    unit, such as 1/12, is tried before the mean one. Positions are in parts of a tick, of which it
    has 2 * stride.denominator.
    """
    mean = Fraction(rows[-1] - rows[0], steps[-1])
    for stride in (Fraction(ticks, max(1, round(ticks / mean))), mean):
        one, of = stride.as_integer_ratio()
        rest = [row * of - step * one for row, step in zip(rows, steps, strict=True)]
        if max(rest) - min(rest) < of:
            offset = max(rest) + min(rest) + of
            return [offset + 2 * one * step for step in steps], stride
    return None


def _stride(gaps: Sequence[int], unit: str, rounded: bool) -> Fraction:
    """Return the distance of two neighbours."""
    if not rounded and unit != "number":
        return Fraction(min(multimode(gaps)))
    middle = median_high(gaps)
    if not rounded:
        return Fraction(middle)
    # 1949.08, 1949.17, 1949.25: the mean of all that are one step and differ by their rounding
    single = [gap for gap in gaps if abs(gap - middle) <= 1]
    return Fraction(sum(single), len(single))

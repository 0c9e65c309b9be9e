"""A time column as whole numbers: dates and times in one form, or plain numbers.

Digits may be readable in more than one way (``200101`` is a month, a day or a number); `times.py`
chooses the reading with even steps.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from .cells import Column
from .counting import Reading, count_times
from .errors import DataError, counted
from .time_forms import TimeForm, compact_forms, format_of, suggested_format

_NUMBER = re.compile(r"(-?)(0|[1-9]\d*)(?:([.,])(\d+))?", re.ASCII)
_EXPECTED = "1949-01, 1949-Q1, 1949-01-31, 1949-01-31 12:00, 19490131 or a plain number"
_ZONE = re.compile(r" ?(Z|UTC|[+-]\d{2}(:?\d{2})?)$")


def possible_forms(cells: Sequence[str]) -> list[TimeForm | None]:
    """Return the forms that a column may have, the most likely first; None means numbers."""
    known = Counter(format for cell in cells if (format := format_of(cell)))
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in cells)
    if known and max(known.values()) >= numbers:
        return [TimeForm(max(known, key=lambda format: known[format]))]
    some = cells[:: 1 + len(cells) // 1000]
    sure: list[tuple[int, TimeForm | None]] = []
    maybe: list[TimeForm | None] = []
    for form in compact_forms(cells):
        moments = [form.read(cell) for cell in some]
        plausible = sum(moment is not None and 1500 <= moment.year < 2500 for moment in moments)
        if form.year_first and 2 * plausible > len(some):
            sure.append((plausible, form))
        elif plausible == len(some):
            maybe.append(form)
    # the majority of cells decides: where 20200131 is a date, 20200132 is a typo, not the next
    # number
    return [form for _, form in sorted(sure, key=lambda each: -each[0])] or [*maybe, None]


def read_numbers(column: Column) -> Reading:
    """Read plain numbers: 7, 1949, 1949.083."""
    found: list[tuple[str, str, str]] = []  # sign, digits before the mark, digits after it
    mark = ""
    for row, cell in enumerate(column.cells):
        match = _NUMBER.fullmatch(cell)
        if match is None or (mark and match[3] and match[3] != mark):
            raise _other_form(column, row, sample=column.cells[0] if row else "")
        mark = mark or match[3] or ""
        found.append((match[1], match[2], match[4] or ""))
    most = max(len(part) for _, _, part in found)
    least = min(len(part) for _, _, part in found)
    # 1959.75, 1960: zeros at the end are left out
    stripped = all(len(part) == least or part[-1] != "0" for _, _, part in found)

    def write(position: int) -> str:
        digits = f"{abs(position):0{most + 1}d}"
        whole, part = digits[: len(digits) - most], digits[len(digits) - most :]
        if stripped:
            part = part[:least] + part[least:].rstrip("0")
        return f"{'-' if position < 0 else ''}{whole}{mark if part else ''}{part}"

    positions = [int(sign + whole + part.ljust(most, "0")) for sign, whole, part in found]
    _check_order(positions, column)
    return Reading("number", 10**most, positions, write)


def read_times(form: TimeForm, column: Column, *, given: bool) -> Reading:
    """Read times of the calendar in one form, the user's where it is `given`."""
    cells = column.cells
    sample = next((cell for cell in cells if form.read(cell) is not None), "")
    moments: list[datetime] = []
    for row, cell in enumerate(cells):
        moment = form.read(cell)
        if moment is None:
            if given:
                raise column.unexpected(row, f'the form of --time-format "{form.format}"')
            raise _other_form(column, row, sample, form)
        if moments and moment.utcoffset() != moments[0].utcoffset():
            raise _other_offset(column, row)
        moments.append(moment)
    write, odd = form.settled(cells, moments)
    if odd is not None:
        expected = f'the form of "{sample}"'
        if given:
            expected = f'"{write(moments[odd])}", as --time-format "{form.format}" writes it'
        raise column.unexpected(odd, expected)
    moments = [moment.replace(tzinfo=None) for moment in moments]
    if "%y" in form.tokens:
        moments = _in_one_century(moments)
    _check_order(moments, column)
    return count_times(moments, write, quarters="%q" in form.tokens)


def _in_one_century(moments: list[datetime]) -> list[datetime]:
    """Move times later than the last one back a century: 68 was read as 2068, 69 as 1969."""
    try:
        return [m if m <= moments[-1] else m.replace(year=m.year - 100) for m in moments]
    except ValueError:  # 29 February
        return moments


def _check_order(values: Sequence[Any], column: Column) -> None:
    """Refuse times that repeat or go back, and fewer than three."""
    back = sum(a > b for a, b in pairwise(values))
    hint = " (sort the file, oldest first)" if 2 * back > len(values) else ""
    for row, (before, value) in enumerate(pairwise(values), 1):
        if value == before:
            raise column.error(row, f'repeats "{column.cells[row]}"; expected each time once')
        if value < before:
            raise _after(column, row, f"times in ascending order{hint}")
    if len(values) < 3:
        raise column.error(0, f"has {counted(len(values), 'time')}; expected 3 or more")


def _other_form(column: Column, row: int, sample: str, form: TimeForm | None = None) -> DataError:
    """Return the error for a cell that is not a time, or not written like the sample."""
    cells, cell = column.cells, column.cells[row]
    written, other = form.format if form else "", format_of(cell)
    expected = f"a time such as {_EXPECTED}"
    if form is None and re.fullmatch(r"0\d+", cell):
        # 0059 may be followed by 0060 or, an hour later, by 0100
        expected = "a number without zeros before it, or --time-format for times such as hhmm"
    elif not sample:
        format = suggested_format(cells)
        expected += f' (or use --time-format "{format}")' if format else " (or use --time-format)"
    elif form is not None and _NUMBER.fullmatch(sample):
        expected = f'a time such as "{sample}", read as {form.name}'
    elif (other and other != written) or _NUMBER.fullmatch(cell):
        if other and _ZONE.sub("", other) == _ZONE.sub("", written):
            first = format_of(cells[0])
            return _other_offset(
                column, next(k for k in range(1, len(cells)) if format_of(cells[k]) != first)
            )
        expected = f'the form of "{sample}"'
    return column.unexpected(row, expected)


def _other_offset(column: Column, row: int) -> DataError:
    return _after(column, row, "one offset for all times (write them in UTC, or without offset)")


def _after(column: Column, row: int, expected: str) -> DataError:
    """Return the error for a cell that cannot follow the one before it."""
    before, cell = column.cells[row - 1], column.cells[row]
    return column.error(row, f'has "{cell}" after "{before}"; expected {expected}')

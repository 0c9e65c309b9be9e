"""From the cells of one column to numbers: thousands, decimal commas, missing values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from .errors import DataError

__all__ = ["parse_numbers"]

# what people and programs write where there is no value
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-", "--", ".", "?"})

_SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'](?=\d{3}(?:\D|$))")
_COMMA_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_DOT_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_AMBIGUOUS = re.compile(r"[+-]?\d{1,3},\d{3}")


def parse_numbers(
    cells: Sequence[str],
    column: str,
    at: Callable[[int], str],
    *,
    delimiter: str = ",",
    allow_missing: bool = False,
) -> list[float]:
    """Return the cells of a column as numbers, NaN for a missing one.

    One meaning of the comma holds for the whole column: decimal where a cell proves it
    (``12,5``), thousands where one proves that (``1,234,567``); without proof, decimal in a
    file with semicolons and thousands in others.

    Parameters
    ----------
    cells : sequence of str
        The cells.
    column : str
        Name of the column, for messages.
    at : callable
        Gives the place of a row for messages.
    delimiter : str
        What separates the cells of the file.
    allow_missing : bool
        Whether empty cells, ``NA``, ``NaN`` and the like are let through as NaN.

    Returns
    -------
    list of float

    Raises
    ------
    DataError
        On text, on an infinite number, and on a missing value that is not allowed.

    Examples
    --------
    >>> parse_numbers(["1,234", "12,345,678"], "x", str)
    [1234.0, 12345678.0]
    >>> parse_numbers(["1,5", "2,25"], "x", str, delimiter=";")
    [1.5, 2.25]
    """
    cells = [_SPACES.sub("", cell) for cell in cells]
    decimal_comma = _comma_is_decimal(cells, delimiter)
    values = []
    for row, cell in enumerate(cells):
        missing = cell.lower() in MISSING
        if missing and allow_missing:
            values.append(math.nan)
            continue
        value = None if missing else _number(cell, decimal_comma)
        if value is None:
            raise DataError(f'{at(row)}: column "{column}" {_complaint(cell, missing)}')
        values.append(value)
    return values


def _complaint(cell: str, missing: bool) -> str:
    found = f'has text "{_short(cell)}"' if cell else "is empty"
    if cell.lower().lstrip("+-") in ("inf", "infinity"):
        return f'has "{cell}"; expected a finite number'
    return f"{found}; expected a number" + (" (or use --missing interpolate)" if missing else "")


def _short(cell: str) -> str:
    """Return text fit for a one-line message: printable, not endless."""
    cell = "".join(letter if letter.isprintable() else " " for letter in cell)
    return cell if len(cell) <= 40 else cell[:37] + "..."


def _comma_is_decimal(cells: Sequence[str], delimiter: str) -> bool:
    with_comma = [cell for cell in cells if "," in cell]
    for cell in with_comma:
        if _AMBIGUOUS.fullmatch(cell):
            continue
        if _COMMA_THOUSANDS.fullmatch(cell):
            return False
        if _DECIMAL_COMMA.fullmatch(cell) or _DOT_THOUSANDS.fullmatch(cell):
            return True
    if not with_comma:  # 1.234.567 alone: dots part thousands, so the comma is the decimal mark
        return any(cell.count(".") > 1 and _DOT_THOUSANDS.fullmatch(cell) for cell in cells)
    return delimiter == ";"


def _number(cell: str, decimal_comma: bool) -> float | None:
    """Return a finite number, or None."""
    if decimal_comma:
        if _DOT_THOUSANDS.fullmatch(cell):
            cell = cell.replace(".", "")
        cell = cell.replace(",", ".")
    elif _COMMA_THOUSANDS.fullmatch(cell):
        cell = cell.replace(",", "")
    if "_" in cell:  # Python reads 1_000; people who write CSV do not mean it
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

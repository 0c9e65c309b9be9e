"""Numbers from the cells of one column: thousands, decimal commas, missing values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .errors import DataError, short

# cells that mean a missing value
MISSING = frozenset((
    "", "na", "n/a", "n.a.", "(na)", "<na>", "#na", "#n/a", "#n/a n/a", "nan", "-nan", "nat",
    "null", "none", "-", "--", "\u2013", "\u2014", ".", "..", "...", "\u2026", ":", "?",
))  # fmt: skip
_MINUS = "\u2212"

_SPACES = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'](?=\d{3}(?:\D|$))")
_COMMA_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
_DOT_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True)
class Column:
    """The cells of one column.

    Attributes
    ----------
    cells : sequence of str
        In the order of the file.
    name : str
        Name of the column, for messages.
    at : callable
        Gives the place of a row for messages.
    """

    cells: Sequence[str]
    name: str
    at: Callable[[int], str]

    def place(self, row: int) -> str:
        """Return where a cell stands: ``air.csv line 17: column "Passengers"``."""
        return f'{self.at(row)}: column "{self.name}"'

    def error(self, row: int, what: str) -> DataError:
        """Return the error for a cell: its place, and what is wrong."""
        return DataError(f"{self.place(row)} {what}")

    def unexpected(self, row: int, expected: str) -> DataError:
        """Return the error for a cell in place of which something else was expected."""
        return self.error(row, f'has "{short(self.cells[row])}"; expected {expected}')


def parse_numbers(
    column: Column, notes: list[str], *, delimiter: str = ",", allow_missing: bool = False
) -> list[float]:
    """Return the cells of a column as numbers, NaN for a missing one.

    One meaning of the comma holds for the whole column: decimal where a cell proves it
    (``12,5``), thousands where one proves that (``1,234,567``, or ``12.5`` elsewhere). Without
    proof, a file that has semicolons between its cells has decimal commas and one that has commas
    has thousands, as programs write them; others are refused.

    Parameters
    ----------
    column : Column
        The cells.
    notes : list of str
        A line is appended where the meaning of the comma had to be guessed.
    delimiter : str
        What separates the cells of the file.
    allow_missing : bool
        Whether empty cells, ``NA``, ``NaN`` and the like become NaN.

    Returns
    -------
    list of float

    Raises
    ------
    DataError
        On text, on an infinite number, on a missing value that is not allowed, and on commas that
        could mean both.

    Examples
    --------
    >>> parse_numbers(Column(["1,234", "12,345,678"], "x", str), [])
    [1234.0, 12345678.0]
    >>> parse_numbers(Column(["1,5", "2,25"], "x", str), [], delimiter=";")
    [1.5, 2.25]
    """
    cells = [_SPACES.sub("", cell.replace(_MINUS, "-")) for cell in column.cells]
    column = replace(column, cells=cells)
    decimal_comma = _comma_is_decimal(cells)
    if decimal_comma is None:
        decimal_comma = _guessed(column, delimiter, notes)
    elif delimiter != ",":
        _note_points(column, notes)
    values = []
    for row, cell in enumerate(cells):
        missing = cell.lower() in MISSING
        value = math.nan if missing else _number(cell, decimal_comma)
        if value is None or (missing and not allow_missing):
            raise column.error(row, _complaint(cell, missing))
        values.append(value)
    return values


def _complaint(cell: str, missing: bool) -> str:
    found = f'has text "{short(cell)}"' if cell else "is empty"
    if cell.lower().lstrip("+-") in ("inf", "infinity"):
        return f'has "{cell}"; expected a finite number'
    return f"{found}; expected a number" + (" (or use --missing interpolate)" if missing else "")


def _guessed(column: Column, delimiter: str, notes: list[str]) -> bool:
    """Return whether the comma is the decimal mark where the cells do not prove it."""
    row, cell = next((row, cell) for row, cell in enumerate(column.cells) if "," in cell)
    as_decimal, as_thousands = cell.replace(",", "."), cell.replace(",", "")
    if delimiter not in ",;":
        raise column.error(
            row,
            f'has "{cell}", which may mean {as_decimal} or {as_thousands}; expected numbers that '
            "tell (no comma, or a decimal point)",
        )
    decimal = delimiter == ";"
    value, other = (as_decimal, as_thousands) if decimal else (as_thousands, as_decimal)
    mark = "decimal mark" if decimal else "thousands separator"
    notes.append(_note(column, row, f"as {value}, the comma as {mark}", other))
    return decimal


def _note_points(column: Column, notes: list[str]) -> None:
    """Note how 1.234 was read, where nothing in a column proves the meaning of the point."""
    points = [row for row, cell in enumerate(column.cells) if "." in cell.strip(".")]
    if any("," in cell for cell in column.cells) or not points:
        return
    if all(_AMBIGUOUS.fullmatch(column.cells[row].replace(".", ",")) for row in points):
        other = column.cells[points[0]].replace(".", "")
        notes.append(_note(column, points[0], "with the point as decimal mark", other))


def _note(column: Column, row: int, how: str, other: str) -> str:
    cell = column.cells[row]
    return f'{column.place(row)}: "{cell}" was read {how}; if it means {other}, write it so'


def _comma_is_decimal(cells: Sequence[str]) -> bool | None:
    """Return what the cells prove about the comma; None where commas prove nothing."""
    with_comma = [cell for cell in cells if "," in cell]
    for cell in with_comma:
        if _AMBIGUOUS.fullmatch(cell):
            continue
        if _COMMA_THOUSANDS.fullmatch(cell):
            return False
        if _DECIMAL_COMMA.fullmatch(cell) or _DOT_THOUSANDS.fullmatch(cell):
            return True
    if not with_comma:  # 1.234.567 alone: dots separate thousands, so the comma is the decimal mark
        return any(cell.count(".") > 1 and _DOT_THOUSANDS.fullmatch(cell) for cell in cells)
    if not all(_AMBIGUOUS.fullmatch(cell) for cell in with_comma):
        return False  # a cell that is not a number in any reading is reported with its place
    # a point that cannot separate thousands is the decimal mark, so the comma is not
    proof = any(_DECIMAL_POINT.fullmatch(c) and not _DOT_THOUSANDS.fullmatch(c) for c in cells)
    return False if proof else None


def _number(cell: str, decimal_comma: bool) -> float | None:
    """Return a finite number, or None."""
    if decimal_comma:
        if _DOT_THOUSANDS.fullmatch(cell):
            cell = cell.replace(".", "")
        cell = cell.replace(",", ".")
    elif _COMMA_THOUSANDS.fullmatch(cell):
        cell = cell.replace(",", "")
    try:
        # Python reads 1_000 as a number; CSV files do not mean that
        value = math.nan if "_" in cell else float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

"""A CSV file as text: encoding, delimiter, header, and the line each row came from.

Knows nothing about numbers or times; `series.py` reads those from the cells.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import DataError

__all__ = ["Table", "read_table"]

_DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_ROWS = 50
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Table:
    """Cells of a CSV file.

    Attributes
    ----------
    name : str
        The file as the user named it; messages begin with it.
    delimiter : str
        What separates the cells.
    header : list of str
        Column names.
    rows : list of list of str
        Cells without surrounding space, as many a row as there are names.
    lines : list of int
        Line of the file on which each row begins, counted from 1.
    """

    name: str
    delimiter: str
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def column(self, name: str) -> list[str]:
        """Return the cells of the column with this name.

        Raises
        ------
        DataError
            If no column or more than one has this name.
        """
        places = [place for place, known in enumerate(self.header) if known == name]
        if not places:
            known = ", ".join(f'"{column}"' for column in self.header)
            raise DataError(f'{self.name}: no column "{name}"; the columns are {known}')
        if len(places) > 1:
            raise DataError(f'{self.name}: {len(places)} columns are named "{name}"; expected one')
        return [row[places[0]] for row in self.rows]

    def at(self, row: int) -> str:
        """Return where a row stands, as messages write it: ``air.csv line 17``."""
        return f"{self.name} line {self.lines[row]}"


def read_table(path: str | Path) -> Table:
    """Read a CSV file whose first line names the columns.

    The delimiter (comma, semicolon, tab or bar) is the one that cuts the lines evenly. UTF-8
    with or without its mark, and UTF-16 with it, are understood. Empty lines are skipped.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file cannot be read, is empty, or a row has too many or too few cells.
    """
    name = str(path)
    text = _decoded(_content(Path(path), name), name)
    delimiter = _delimiter(text)
    records = _records(text, delimiter, name)
    line, header = next(_without_empty(records, keep=False), (0, []))
    if not header:
        raise DataError(f"{name}: the file is empty")
    if all(_looks_numeric(cell) for cell in header):
        raise DataError(f"{name} line {line}: expected the names of the columns, got numbers")
    rows, lines = [], []
    for line, cells in _without_empty(records, keep=len(header) == 1):
        if len(cells) != len(header):
            raise DataError(
                f"{name} line {line}: {_count(len(cells), 'cell')}; expected {len(header)}, "
                "one for each column"
            )
        rows.append(cells)
        lines.append(line)
    if not rows:
        raise DataError(f"{name}: no rows below the names of the columns")
    return Table(name, delimiter, header, rows, lines)


def _content(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{name}: no such file") from None
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None


def _decoded(content: bytes, name: str) -> str:
    encoding = "utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{name} line {line}: not UTF-8 text; save the file as UTF-8") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(f"{name} line {line}: a zero byte; this is no text file")
    return text


def _delimiter(text: str) -> str:
    """Return the delimiter that gives the first rows the same number of cells, the most cells."""
    best, most = ",", 1
    for delimiter in _DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            widths = [len(cells) for cells, _ in zip(reader, range(_SNIFFED_ROWS), strict=False)]
        except csv.Error:
            continue
        widths = [width for width in widths if width > 0]
        # a stray row is reported later, with its line: only the header and most rows must agree
        agree = sum(width == widths[0] for width in widths) if widths else 0
        if widths and widths[0] > most and 2 * agree > len(widths):
            best, most = delimiter, widths[0]
    return best


def _records(text: str, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line and stripped cells of each record that is not empty."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{name} line {line}: {error}") from None
        yield line, cells or [""]


def _without_empty(
    records: Iterator[tuple[int, list[str]]], keep: bool
) -> Iterator[tuple[int, list[str]]]:
    """Drop empty lines; where the file has one column, they are empty cells, except at the end."""
    waiting: list[tuple[int, list[str]]] = []
    for line, cells in records:
        if cells == [""]:
            waiting.append((line, cells))
            continue
        if keep:
            yield from waiting
        waiting = []
        yield line, cells


def _looks_numeric(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

"""A CSV file as text: encoding, delimiter, header, and the line each row came from.

Numbers and times are read from the cells in `series.py`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice
from pathlib import Path
from statistics import mode

from .cells import Column
from .errors import DataError, counted, short
from .text_file import decoded, read_bytes

_DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_ROWS = 1000
_EXCEL_SEPARATOR = re.compile(r"\"?sep=([,;\t|])\"?[\r\n]")

_SAVE = "expected a CSV file (save the sheet as CSV)"
_UNPACK = "expected a CSV file (unpack it first)"
# how files of other kinds begin; newer workbooks and OpenDocument files are zip archives
_FOREIGN = {
    rb"PK\x03\x04.*xl/workbook|\xd0\xcf\x11\xe0": f"an Excel workbook; {_SAVE}",
    rb"PK\x03\x04.{0,200}opendocument\.spreadsheet": f"an OpenDocument spreadsheet; {_SAVE}",
    rb"PK\x03\x04": f"a zip archive; {_UNPACK}",
    rb"\x1f\x8b": f"compressed with gzip; {_UNPACK}",
    rb"BZh91AY&SY": f"compressed with bzip2; {_UNPACK}",
    rb"\xfd7zXZ": f"compressed with xz; {_UNPACK}",
    rb"\x28\xb5\x2f\xfd": f"compressed with zstd; {_UNPACK}",
    rb"PAR1\x15": "a Parquet file; expected a CSV file",
    rb"ARROW1\0\0": "an Arrow file; expected a CSV file",
    rb"\x89HDF": "an HDF5 file; expected a CSV file",
    rb"%PDF": "a PDF file; expected a CSV file",
}
_MARKUP = re.compile(r"\s*(?:(<(?:!doctype|html|\?xml)\b)|\{\s*\"|\[\s*[{\[])", re.IGNORECASE)

_Record = tuple[int, list[str]]


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
        Cells without surrounding space, one for each name.
    lines : list of int
        Line of the file on which each row begins, counted from 1.
    """

    name: str
    delimiter: str
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def column(self, name: str) -> Column:
        """Return the column with this name.

        Raises
        ------
        DataError
            If no column or more than one has this name.
        """
        count = self.header.count(name)
        if not count:
            known = ", ".join(f'"{column}"' for column in self.header)
            raise DataError(f'{self.name}: no column "{name}"; the columns are {known}')
        if count > 1:
            raise DataError(f'{self.name}: {count} columns are named "{name}"; expected one')
        place = self.header.index(name)
        return Column([row[place] for row in self.rows], name, self.at)

    def at(self, row: int) -> str:
        """Return where a row stands, as messages write it: ``air.csv line 17``."""
        return f"{self.name} line {self.lines[row]}"


def read_table(path: str | Path, wanted: Collection[str] = (), *, empty_rows: bool = True) -> Table:
    """Read a CSV file whose first line names the columns.

    The delimiter (comma, semicolon, tab or bar) is the one with which the wanted columns exist and
    lines have equal numbers of cells, or that of a first line ``sep=;``. UTF-8 with or without a
    byte order mark, and UTF-16 with one, are read. Empty lines are skipped, as are empty rows at
    the end.

    Parameters
    ----------
    path : str or Path
        The file.
    wanted : collection of str
        Names of columns that the file should have.
    empty_rows : bool
        Whether to keep rows of empty cells that have others below them.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file cannot be read, is empty, does not begin with the names of the columns, or a row
        has too many or too few cells.
    """
    name = str(path)
    content = read_bytes(path)
    _refuse_foreign(content, name)
    text = decoded(content, name)
    _refuse_markup(text, name)
    first = _EXCEL_SEPARATOR.match(text)
    delimiter = first[1] if first else _delimiter(text, wanted)
    records = [*_records(text, delimiter, name, strict=True)][1 if first else 0 :]
    records = [*dropwhile(lambda record: not any(record[1]), records)]
    if not records:
        raise DataError(f"{name}: the file is empty")
    _, header = records[0]
    named = max(place for place, cell in enumerate(header) if cell) + 1
    _check_heading(name, records, wanted)
    rows, lines = [], []
    for line, cells in _without_empty(records[1:], single=len(header) == 1):
        width = max((place for place, cell in enumerate(cells) if cell), default=-1) + 1
        if (len(cells) < named and any(cells)) or width > len(header):
            cell = f', "{short(cells[0])}"' if len(cells) == 1 else ""
            raise DataError(
                f"{name} line {line}: {counted(len(cells), 'cell')}{cell}; expected {len(header)}, "
                "one for each column"
            )
        if empty_rows or any(cells):
            rows.append((cells + [""] * len(header))[: len(header)])
            lines.append(line)
    if not rows:
        raise DataError(f"{name}: no rows below the names of the columns")
    return Table(name, delimiter, header, rows, lines)


def _check_heading(name: str, records: Sequence[_Record], wanted: Collection[str]) -> None:
    """Refuse a file that does not begin with the names of the columns."""
    line, header = records[0]
    title = short(next(cell for cell in header if cell))
    begins = f'{name} line {line}: "{title}"; expected the names of the columns'
    if all(_looks_numeric(cell) for cell in header):
        raise DataError(f"{name} line {line}: expected the names of the columns, got numbers")
    if wanted and not any(_looks_numeric(cell) for cell in wanted):
        at = next((at for at, cells in records if {*wanted} <= {*cells}), None)
        if at == line:
            return
        if at is not None:
            raise DataError(f"{begins}, which stand in line {at} (remove what is above)")
    below = [len(cells) for _, cells in records[1:] if any(cells)]
    if len(header) == 1 and (mode(below or [0]) > 1 or header[0].startswith("#")):
        raise DataError(f"{begins} (remove titles and comments above them)")


def _refuse_foreign(content: bytes, name: str) -> None:
    """Refuse a file of another kind, which its first bytes tell."""
    for beginning, kind in _FOREIGN.items():
        if re.match(beginning, content, re.DOTALL):
            raise DataError(f"{name}: {kind}")


def _refuse_markup(text: str, name: str) -> None:
    if match := _MARKUP.match(text):
        kind = "HTML or XML" if match[1] else "JSON"
        raise DataError(f"{name}: looks like {kind}; expected a CSV file")


def _delimiter(text: str, wanted: Collection[str]) -> str:
    """Return the delimiter with which the names and most rows have the same number of cells.

    The names are in the first row that has the wanted ones, else in the first row. Of several
    delimiters, the one with most cells is taken.
    """
    best, score = ",", (False, 1)
    for delimiter in _DELIMITERS:
        try:
            some = islice(_records(text, delimiter), _SNIFFED_ROWS)
            records = [cells for _, cells in some if cells != [""]]
        except DataError:
            continue
        if not records:
            continue
        names = next((cells for cells in records if {*wanted} <= {*cells}), None)
        width = len(names or records[0])
        # a stray row is reported later, with its line: only the header and most rows must agree
        agree = sum(len(cells) == width for cells in records)
        if (2 * agree > len(records) or names) and (names is not None, width) > score:
            best, score = delimiter, (names is not None, width)
    return best


def _records(text: str, delimiter: str, name: str = "", strict: bool = False) -> Iterator[_Record]:
    """Yield line and stripped cells of each record; an empty line is an empty cell."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=strict
    )
    line = 1
    try:
        for cells in reader:
            yield line, [cell.strip() for cell in cells] or [""]
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{name} line {line}: {error}") from None


def _without_empty(records: Sequence[_Record], single: bool) -> list[_Record]:
    """Drop empty lines, and at the end also rows of empty cells.

    Where the file has a single column, an empty line is an empty cell.
    """
    kept = [record for record in records if single or len(record[1]) > 1 or any(record[1])]
    while kept and not any(kept[-1][1]):
        kept.pop()
    return kept


def _looks_numeric(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

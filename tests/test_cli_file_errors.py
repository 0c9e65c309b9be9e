"""The one line that `lstmfast forecast` says of a file that is no table, or has no such times."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from cli_runs import SALES, TIMED, Run, check_refusal, monthly, runner


def _open_document() -> bytes:
    """A file that begins as LibreOffice's spreadsheets do."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<office:document-content/>")
    return file.getvalue()


# name -> file content, arguments after the file, the line without its beginning
WRONG: dict[str, tuple[str | bytes, list[str], str]] = {
    "too many cells": (
        monthly(40, L17="1950-04,1,2"),
        SALES,
        "data.csv line 17: 3 cells; expected 2, one for each column",
    ),
    "a footer": (
        monthly(40) + "\nAll figures in thousands\n",
        SALES,
        'data.csv line 43: 1 cell, "All figures in thousands"; expected 2, one for each column',
    ),
    "a title": (
        "Sales of the firm\n\n" + monthly(40),
        TIMED,
        (
            'data.csv line 1: "Sales of the firm"; expected the names of the columns, '
            "which stand in line 3 (remove what is above)"
        ),
    ),
    "a title as wide as the table": (
        "Sales of the firm,\n,\n" + monthly(40),
        TIMED,
        'data.csv line 1: "Sales of the firm"; expected the names of the columns, which stand in ',
    ),
    "a title above semicolons": (
        "Sales, monthly\n" + monthly(40).replace(",", ";"),
        TIMED,
        'data.csv line 1: "Sales, monthly"; expected the names of the columns, which stand in line',
    ),
    "comments above one column": (
        "# monthly\n# sales\nSales\n" + "1\n2\n" * 20,
        SALES,
        'data.csv line 1: "# monthly"; expected the names of the columns, which stand in line 3 ',
    ),
    "a title, and no such column": (
        "Sales of the firm\n" + monthly(40),
        ["--column", "Units"],
        (
            'data.csv line 1: "Sales of the firm"; expected the names of the columns '
            "(remove titles and comments above them)"
        ),
    ),
    "a comment among the data": (
        monthly(40, L17="# revised"),
        TIMED,
        'data.csv line 17: 1 cell, "# revised"; expected 2, one for each column',
    ),
    "a line of units": (
        "Month,Sales\nYYYY-MM,USD\n" + monthly(40).partition("\n")[2],
        TIMED,
        'data.csv line 2: column "Sales" has text "USD"; expected a number',
    ),
    "a workbook": (
        b"PK\x03\x04\x14\0\x06\0\x08\0[Content_Types].xml\0PK\x03\x04xl/workbook.xml",
        SALES,
        "data.csv: an Excel workbook; expected a CSV file (save the sheet as CSV)",
    ),
    "an old workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        SALES,
        "data.csv: an Excel workbook; expected a CSV file (save the sheet as CSV)",
    ),
    "an OpenDocument spreadsheet": (
        _open_document(),
        SALES,
        "data.csv: an OpenDocument spreadsheet; expected a CSV file (save the sheet as CSV)",
    ),
    "gzip": (
        gzip.compress(monthly(40).encode()),
        SALES,
        "data.csv: compressed with gzip; expected a CSV file (unpack it first)",
    ),
    "zip": (b"PK\x03\x04sales.csv", SALES, "data.csv: a zip archive; expected a CSV file "),
    "Parquet": (b"PAR1\x15\0", SALES, "data.csv: a Parquet file; expected a CSV file"),
    "a web page": (
        "\n<!DOCTYPE html>\n<html>\n",
        SALES,
        "data.csv: looks like HTML or XML; expected a CSV file",
    ),
    "JSON": ('[{"Sales": 1},\n', SALES, "data.csv: looks like JSON; expected a CSV file"),
    "open quote": (
        monthly(40, L41='"1952-04,7'),
        SALES,
        "data.csv line 41: unexpected end of data",
    ),
    "not text": (b"Month,Sales\n1949-01,\xff\n", SALES, "data.csv line 2: not UTF-8 text; "),
    "zero byte": ("Month,Sales\n1949-01,\0\n", SALES, "data.csv line 2: a zero byte; "),
    "gap": (
        monthly(40, L17="", L18=""),
        TIMED,
        (
            'data.csv line 19: column "Month" jumps from "1950-03" to "1950-06", '
            "2 missing between; expected no gap (or use --missing interpolate)"
        ),
    ),
    "duplicate time": (
        monthly(40, L17="1950-03,5"),
        TIMED,
        'data.csv line 17: column "Month" repeats "1950-03"; expected each time once',
    ),
    "unsorted times": (
        monthly(40, L17="1949-03,5"),
        TIMED,
        (
            'data.csv line 17: column "Month" has "1949-03" after "1950-03"; '
            "expected times in ascending order"
        ),
    ),
    "no time": (
        monthly(40, L17="soon,5"),
        TIMED,
        'data.csv line 17: column "Month" has "soon"; expected a time such as 1949-01',
    ),
    "no such month": (
        monthly(40, L17="1950-13,5"),
        TIMED,
        'data.csv line 17: column "Month" has "1950-13"; expected a time such as 1949-01',
    ),
    "mixed times": (
        monthly(40, L17="1950-04-01,5"),
        TIMED,
        'data.csv line 17: column "Month" has "1950-04-01"; expected the form of "1949-01"',
    ),
    "German dates": (
        "Month,Sales\n" + "".join(f"{k + 1:02d}.01.2020,{k % 3}\n" for k in range(31)),
        TIMED,
        (
            'data.csv line 2: column "Month" has "01.01.2020"; expected a time such as 1949-01, '
            "1949-Q1, 1949-01-31, 1949-01-31 12:00, 19490131 or a plain number "
            '(or use --time-format "%d.%m.%Y")'
        ),
    ),
    "a date that is none": (
        "Month,Sales\n" + "".join(f"{20200101 + k},{k % 3}\n" for k in range(32)),
        TIMED,
        (
            'data.csv line 33: column "Month" has "20200132"; expected a time such as "20200101", '
            "read as YYYYMMDD"
        ),
    ),
    "offsets that change": (
        "Month,Sales\n"
        + "".join(f"2020-03-{k + 1:02d} 00:00:00-0{5 - (k > 7)}:00,{k % 3}\n" for k in range(30)),
        TIMED,
        (
            'data.csv line 10: column "Month" has "2020-03-09 00:00:00-04:00" after '
            '"2020-03-08 00:00:00-05:00"; expected one offset for all times (write them in UTC, '
            "or without offset)"
        ),
    ),
    "a time format that does not fit": (
        monthly(40),
        [*TIMED, "--time-format", "%Y/%m"],
        'data.csv line 2: column "Month" has "1949-01"; expected the form of --time-format "%Y/%m"',
    ),
    "a time format that is none": (
        monthly(40),
        [*TIMED, "--time-format", "%Q"],
        "time format \"%Q\" cannot be used: 'Q' is a bad directive in format '%Q'",
    ),
    "a time format for no times": (
        monthly(40),
        [*SALES, "--time-format", "%Y"],
        "argument --time-format: expected --time with it",
    ),
    "inputs with an open quote": (
        monthly(40),
        [*SALES, "--inputs", '"Price'],
        "argument --inputs: '\"Price'; expected names with commas between them, in double quotes ",
    ),
    "empty time": (
        monthly(40, L17=",5"),
        TIMED,
        'data.csv line 17: column "Month" is empty; expected a time',
    ),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    return runner(capsys)


@pytest.mark.parametrize("name", WRONG)
def test_forecast_says_in_one_line_what_is_wrong_with_a_file(
    name: str, run: Run, tmp_path: Path
) -> None:
    check_refusal(run, tmp_path, *WRONG[name])

"""The one line that `lstmfast forecast` says when something is wrong; it then writes nothing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cli_runs import SALES, TIMED, Run, monthly, runner

# name -> file content (None: no file), arguments after the file, the line without its beginning
WRONG: dict[str, tuple[str | bytes | None, list[str], str]] = {
    "no file": (None, SALES, "data.csv: no such file"),
    "empty file": ("", SALES, "data.csv: the file is empty"),
    "blank file": ("\n\n", SALES, "data.csv: the file is empty"),
    "header only": ("Month,Sales\n", SALES, "data.csv: no rows below the names of the columns"),
    "no header": (
        "1,2\n3,4\n",
        SALES,
        "data.csv line 1: expected the names of the columns, got numbers",
    ),
    "no such column": (
        monthly(40),
        ["--column", "sales"],
        'data.csv: no column "sales"; the columns are "Month", "Sales"',
    ),
    "no such time": (
        monthly(40),
        [*SALES, "--time", "When"],
        'data.csv: no column "When"; the columns are "Month", "Sales"',
    ),
    "no such input": (
        monthly(40),
        [*SALES, "--inputs", "Price"],
        'data.csv: no column "Price"; the columns are "Month", "Sales"',
    ),
    "column twice": (
        "Sales,Sales\n1,2\n",
        SALES,
        'data.csv: 2 columns are named "Sales"; expected one',
    ),
    "input is the target": (
        monthly(40),
        [*SALES, "--inputs", "Sales"],
        'data.csv: column "Sales" is asked for twice; expected once',
    ),
    "text": (
        monthly(40, L17="1950-04,abc"),
        SALES,
        'data.csv line 17: column "Sales" has text "abc"; expected a number',
    ),
    "missing marker": (
        monthly(40, L17="1950-04,n/a"),
        SALES,
        (
            'data.csv line 17: column "Sales" has text "n/a"; expected a number '
            "(or use --missing interpolate)"
        ),
    ),
    "empty cell": (
        monthly(40, L17="1950-04,"),
        SALES,
        (
            'data.csv line 17: column "Sales" is empty; expected a number '
            "(or use --missing interpolate)"
        ),
    ),
    "text is never interpolated": (
        monthly(40, L17="1950-04,abc"),
        [*SALES, "--missing", "interpolate"],
        'data.csv line 17: column "Sales" has text "abc"; expected a number',
    ),
    "infinite": (
        monthly(40, L17="1950-04,inf"),
        SALES,
        'data.csv line 17: column "Sales" has "inf"; expected a finite number',
    ),
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
    "uneven times": (
        "t,Sales\n" + "".join(f"{k + 0.5 * (k == 7)},{k % 3}\n" for k in range(40)),
        [*SALES, "--time", "t"],
        'data.csv line 9: column "t" goes from "6.0" to "7.5"; expected steps of 1',
    ),
    "not positive": (
        monthly(40, L17="1950-04,0"),
        SALES,
        (
            'data.csv line 17: column "Sales" has 0; log-diff expects numbers above 0 '
            "(or use another --transform)"
        ),
    ),
    "constant": (
        "Sales\n" + "7\n" * 60,
        SALES,
        'data.csv line 2: column "Sales" never changes; expected something to learn',
    ),
    "constant steps": (
        "Sales\n" + "".join(f"{k}\n" for k in range(60)),
        [*SALES, "--transform", "diff"],
        'data.csv line 2: column "Sales" changes by the same step all the time; expected ',
    ),
    "too short": (
        monthly(20),
        SALES,
        (
            'data.csv: column "Sales": length 20 is too short for a look-back of 12; '
            "expected at least 25 (or a smaller --lookback)"
        ),
    ),
    "too short for the look-back": (
        monthly(60),
        [*SALES, "--lookback", "50"],
        (
            'data.csv: column "Sales": length 60 is too short for a look-back of 50 '
            "and a season of 12; expected at least 63"
        ),
    ),
    "horizon beyond reason": (
        monthly(40),
        [*SALES, "--horizon", "41"],
        'data.csv: column "Sales": a horizon of 41 is longer than the 40 values before it',
    ),
    "huge": (
        monthly(40, L17="1950-04,1e200"),
        SALES,
        'data.csv line 17: column "Sales" has 1e+200; expected at most 1e+100',
    ),
    "end of time": (
        "day,Sales\n"
        + "".join(f"9999-11-{1 + k},{2 + k % 5}\n" for k in range(9, 30))
        + "".join(f"9999-12-{1 + k:02d},{2 + k % 5}\n" for k in range(31)),
        [*SALES, "--time", "day"],
        'data.csv: column "Sales": the 12 times to come go beyond the year 9999',
    ),
    "an input ends early": (
        "Sales,Price\n" + "".join(f"{k % 7 + 1},{k}\n" for k in range(40)) + "3,NA\n4,\n",
        [*SALES, "--inputs", "Price", "--missing", "interpolate"],
        'data.csv line 42: column "Price" has no number from here on; expected them as far as ',
    ),
    "an input begins late": (
        "Sales,Price\n" + "".join(f"{k % 7 + 1},\n" for k in range(40)) + ",7\n",
        [*SALES, "--inputs", "Price", "--missing", "interpolate"],
        (
            'data.csv line 42: column "Price" has its first number here, after the last one of '
            '"Sales"; expected rows with both'
        ),
    ),
    "nothing but missing": (
        "Month,Sales,Price\n" + "".join(f"{1949 + k},1,..\n" for k in range(40)),
        [*TIMED, "--inputs", "Price", "--missing", "interpolate"],
        'data.csv: column "Price" has no numbers; expected some',
    ),
    "mostly missing": (
        "Month,Sales\n1949-01,1\n1949-02,2\n1979-02,6\n",
        [*TIMED, "--missing", "interpolate"],
        "data.csv: 359 of 362 rows are missing; expected at least half of them",
    ),
    "one time": (
        "Month,Sales\n1949-01,5\n",
        TIMED,
        'data.csv line 2: column "Month" has 1 time; expected 3 or more',
    ),
    "one row": (
        "Sales\n5\n",
        SALES,
        (
            'data.csv: column "Sales": length 1 is too short for a look-back of 12; '
            "expected at least 25"
        ),
    ),
    "horizon": (
        monthly(40),
        [*SALES, "--horizon", "0"],
        "argument --horizon: '0'; expected a whole number from 1 on",
    ),
    "epochs": (
        monthly(40),
        [*SALES, "--epochs", "many"],
        "argument --epochs: 'many'; expected a whole number from 1 on",
    ),
    "season": (
        monthly(40),
        [*SALES, "--season", "1"],
        "argument --season: 1; expected 0 for none, or a whole number from 2 on",
    ),
    "transform": (monthly(40), [*SALES, "--transform", "sqrt"], "argument --transform: invalid "),
    "no column given": (monthly(40), [], "the following arguments are required: --column"),
    "no folder": (
        monthly(40),
        [*SALES, "--out", "away/out.csv"],
        "away/out.csv: the folder away does not exist",
    ),
    "a folder as file": (monthly(40), [*SALES, "--out", "."], ".: is a folder; "),
    "onto the data": (
        monthly(40),
        [*SALES, "--out", "data.csv"],
        "data.csv: is used twice; expected another file for the output",
    ),
    "two outputs in one": (
        monthly(40),
        [*SALES, "--out", "x", "--save", "x"],
        "x: is used twice; expected another file for the output",
    ),
    "foreign model": (
        monthly(40),
        [*SALES, "--save", "model.h5"],
        "model.h5: expected a name that ends in .safetensors",
    ),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    return runner(capsys)


@pytest.mark.parametrize("name", WRONG)
def test_forecast_says_in_one_line_what_is_wrong(name: str, run: Run, tmp_path: Path) -> None:
    content, arguments, expected = WRONG[name]
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / "data.csv").write_bytes(data)
    before = sorted(tmp_path.iterdir())
    outputs = ["--out", "forecast.csv"] if "--out" not in arguments else []
    code, out, err = run("forecast", "data.csv", *arguments, *outputs)
    assert code == 2
    assert out == ""
    assert err.startswith(f"lstmfast forecast: error: {expected}")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before

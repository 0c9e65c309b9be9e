"""The one line that `lstmfast forecast` says when something is wrong; it then writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runs import SALES, TIMED, Run, check_refusal, monthly, runner

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
    check_refusal(run, tmp_path, *WRONG[name])

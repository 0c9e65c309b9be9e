"""Reading a series: tables, numbers and times as people write them, gaps."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmfast.forecasting import DataError, read_series
from lstmfast.forecasting.cells import Column, parse_numbers
from lstmfast.forecasting.demo import air_passengers
from lstmfast.forecasting.table import read_table
from lstmfast.forecasting.times import parse_times


def test_air_passengers_are_the_known_series() -> None:
    series = air_passengers()
    values = series.values[:, 0]
    assert len(values) == 144
    assert values[:6].tolist() == [112, 118, 132, 129, 121, 135]
    assert (series.times[0], series.times[-1], values[-1]) == ("1949-01", "1960-12", 432)
    assert (series.times[values.argmax()], values.max()) == ("1960-07", 622)
    assert (series.times[values.argmin()], values.min()) == ("1949-11", 104)
    assert values.sum() == 40363
    assert series.future(2) == ["1961-01", "1961-02"]


def test_empty_rows_within_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("t,x\n1,1\n,\n2,2\n\n3,3\n")
    table = read_table(tmp_path / "t.csv")
    assert (table.rows[1], table.lines) == (["", ""], [2, 3, 4, 6])
    # what has no time is no row of the series; without times, it is a missing value
    series = read_series(tmp_path / "t.csv", "x", time="t")
    assert (series.times, series.places[1][-6:]) == (["1", "2", "3"], "line 4")
    with pytest.raises(DataError, match='line 3: column "x" is empty'):
        read_series(tmp_path / "t.csv", "x")


def test_empty_lines_of_one_column_are_missing_values(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n\n3\n\n\n")
    assert read_table(tmp_path / "t.csv").rows == [["1"], [""], ["3"]]
    series = read_series(tmp_path / "t.csv", "a", missing="interpolate")
    assert series.values[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert series.filled == 1


@pytest.mark.parametrize(
    ("cells", "delimiter", "expected"),
    [
        (["1", "2.5", "-3e2", "+4"], ",", [1.0, 2.5, -300.0, 4.0]),
        (["1,234", "12"], ",", [1234.0, 12.0]),
        (["1,234.5", "1,234,567"], ";", [1234.5, 1234567.0]),
        (["1,234"], ";", [1.234]),
        (["1,5", "1.234,5", "1.234"], ",", [1.5, 1234.5, 1234.0]),
        (["1.234.567", "1,5"], ";", [1234567.0, 1.5]),
        (["1.234.567"], ";", [1234567.0]),
        (["12 345", "1\u00a0234.5", "1'000"], ",", [12345.0, 1234.5, 1000.0]),
    ],
)
def test_numbers_as_people_write_them(
    cells: list[str], delimiter: str, expected: list[float]
) -> None:
    assert parse_numbers(Column(cells, "x", str), [], delimiter=delimiter) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,234", "12.5"], [1234.0, 12.5]),  # a decimal point elsewhere
        (["1,234", "0,125"], [1.234, 0.125]),  # no thousands begin with 0
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_cell_that_tells_what_commas_mean(
    cells: list[str], expected: list[float], delimiter: str
) -> None:
    notes: list[str] = []
    assert parse_numbers(Column(cells, "x", str), notes, delimiter=delimiter) == expected
    assert notes == []


def test_guesses_about_commas_leave_a_note() -> None:
    for delimiter, value, note in (
        (",", 1234.0, "as 1234, the comma as thousands separator; if it means 1.234, write it so"),
        (";", 1.234, "as 1.234, the comma as decimal mark; if it means 1234, write it so"),
    ):
        notes: list[str] = []
        got = parse_numbers(Column(["7", "1,234"], "x", str), notes, delimiter=delimiter)
        assert got == [7.0, value]
        assert notes == [f'1: column "x": "1,234" was read {note}']
    with pytest.raises(DataError, match=r"may mean 1\.234 or 1234; expected numbers that tell"):
        parse_numbers(Column(["7", "1,234"], "x", str), [], delimiter="\t")


def test_minus_signs_and_missing_values_of_all_kinds() -> None:
    missing = [
        "",
        "<NA>",
        ":",
        "..",
        "#N/A",
        "(NA)",
        "NaT",
        "null",
        "\u2013",
        "\u2014",
        "\u2212",
        ".",
    ]
    cells = ["\u22121.5", *missing, "-2"]
    values = parse_numbers(Column(cells, "x", str), [], allow_missing=True)
    assert (values[0], values[-1]) == (-1.5, -2.0)
    assert all(math.isnan(value) for value in values[1:-1])
    for cell in missing[1:]:
        with pytest.raises(DataError, match=r"1: column \"x\" has .*or use --missing interpolate"):
            parse_numbers(Column(["1", cell], "x", str), [])


def test_points_that_may_part_thousands_leave_a_note() -> None:
    for cells, count in (
        (["987", "1.234"], 1),
        (["987", "1.234", "1,5"], 0),
        (["987", "1.234", "1.5"], 0),
        (["0.123"], 0),
        (["987"], 0),
    ):
        notes: list[str] = []
        parse_numbers(Column(cells, "x", str), notes)
        assert notes == []
        for delimiter in (";", "\t"):
            parse_numbers(Column(cells, "x", str), notes, delimiter=delimiter)
        assert len(notes) == 2 * count
        assert all(note.endswith("if it means 1234, write it so") for note in notes)


@pytest.mark.parametrize("cell", ["12a", "1,5,3", "0x10", "1_000", "1-2", "--5", "1e999", "१२x"])
def test_text_is_no_number(cell: str) -> None:
    with pytest.raises(DataError, match=r"^row 1: column \"x\" has "):
        parse_numbers(Column(["1", cell], "x", lambda row: f"row {row}"), [])


@given(st.text(max_size=12))
def test_any_cell_is_a_number_or_a_one_line_error(cell: str) -> None:
    message, value = "", 0.0
    try:
        (value,) = parse_numbers(Column([cell], "x", str), [])
    except DataError as error:
        message = str(error)
    assert math.isfinite(value)
    assert len(message.splitlines()) <= 1


@pytest.mark.parametrize(
    ("cells", "unit", "after"),
    [
        (["1949-11", "1949-12", "1950-01"], "month", ["1950-02", "1950-03"]),
        (["1949/1", "1949/4", "1949/7"], "month", ["1949/10", "1950/1"]),
        (["1959-Q3", "1959-Q4", "1960-Q1"], "quarter", ["1960-Q2", "1960-Q3"]),
        (["1959Q3", "1959Q4", "1960Q1"], "quarter", ["1960Q2", "1960Q3"]),
        (["2023-12-30", "2023-12-31", "2024-01-01"], "day", ["2024-01-02", "2024-01-03"]),
        (["2024-02-12", "2024-02-19", "2024-02-26"], "day", ["2024-03-04", "2024-03-11"]),
        (["2023-11-30", "2023-12-31", "2024-01-31"], "month", ["2024-02-29", "2024-03-31"]),
        (["2023-11-15", "2023-12-15", "2024-01-15"], "month", ["2024-02-15", "2024-03-15"]),
        (["2022-01-01", "2023-01-01", "2024-01-01"], "month", ["2025-01-01", "2026-01-01"]),
        (
            ["2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12"],
            "workday",
            ["2024-03-13", "2024-03-14", "2024-03-15", "2024-03-18"],
        ),
        (
            ["2024-02-28 22:00", "2024-02-28 23:00", "2024-02-29 00:00"],
            "second",
            ["2024-02-29 01:00", "2024-02-29 02:00"],
        ),
        (
            ["2024-01-01T00:00:00Z", "2024-01-01T00:00:30Z", "2024-01-01T00:01:00Z"],
            "second",
            ["2024-01-01T00:01:30Z"],
        ),
        (["1821", "1822", "1823"], "number", ["1824", "1825"]),
        (["0", "0.5", "1.0"], "number", ["1.5", "2.0"]),
        (["1949.000", "1949.083", "1949.167", "1949.250"], "number", ["1949.333", "1949.417"]),
    ],
)
def test_times_go_on(cells: list[str], unit: str, after: list[str]) -> None:
    steps, positions, clock = parse_times(Column(cells, "t", str))
    assert steps == list(range(len(cells)))
    assert clock.unit == unit
    assert clock.after(positions[-1], len(after)) == after


def test_gaps_are_filled_on_the_line(tmp_path: Path) -> None:
    text = "t,x,y\n2020-01,1,9\n2020-02,2,\n2020-05,8,3\n2020-06,9,1\n2020-07,7,2\n"
    (tmp_path / "t.csv").write_text(text)
    series = read_series(tmp_path / "t.csv", "x", time="t", inputs=["y"], missing="interpolate")
    assert series.times == [f"2020-0{month}" for month in range(1, 8)]
    np.testing.assert_allclose(series.values[:, 0], [1, 2, 4, 6, 8, 9, 7])
    np.testing.assert_allclose(series.values[:, 1], [9, 7.5, 6, 4.5, 3, 1, 2])
    assert series.filled == 5
    assert series.where(4, 0).endswith('t.csv line 4: column "x"')


@pytest.mark.parametrize(
    ("rows", "first", "values", "future", "notes"),
    [
        (
            ["5,NA,1", "6,2,2", "7,3,3"],
            "6",
            [2, 3],
            "8",
            ["line 3: the series begins with the first"],
        ),
        (["5,1,", "6,2,2", "7,3,3"], "6", [2, 3], "8", ['first number of "y"']),
        (
            ["5,1,1", "6,2,2", "7,,3", "8,,"],
            "5",
            [1, 2],
            "7",
            ["line 4: the forecast begins after"],
        ),
        (["5,,1", "6,2,2", "8,4,4", "9,,1"], "6", [2, 3, 4], "9", ["line 3: ", "line 5: "]),
    ],
)
def test_missing_values_at_the_ends(
    rows: list[str],
    first: str,
    values: list[float],
    future: str,
    notes: list[str],
    tmp_path: Path,
) -> None:
    (tmp_path / "t.csv").write_text("t,x,y\n" + "\n".join(rows) + "\n")
    series = read_series(tmp_path / "t.csv", "x", time="t", inputs=["y"], missing="interpolate")
    assert series.times[0] == first
    assert series.values[:, 0].tolist() == values
    assert series.future(1) == [future]
    assert len(series.places) == len(series.times) == len(values)
    assert len(series.notes) == len(notes)
    for note, part in zip(series.notes, notes, strict=True):
        assert part in note
    numbered = read_series(tmp_path / "t.csv", "x", inputs=["y"], missing="interpolate")
    assert numbered.future(1) == [str(len(numbered.values) + int(numbered.times[0]))]


def test_a_gap_beyond_reason_takes_no_memory(tmp_path: Path) -> None:
    rows = ["2020-01-01 00:00:00,1", "2020-01-01 00:00:01,2", "2020-01-01 00:00:02,3"]
    (tmp_path / "t.csv").write_text("\n".join(["t,x", *rows, "9020-01-01 00:00:00,4"]))
    with pytest.raises(DataError, match=r"\d{12} of \d{12} rows are missing"):
        read_series(tmp_path / "t.csv", "x", time="t", missing="interpolate")


@settings(max_examples=40)
@given(
    cells=st.lists(
        st.lists(
            st.sampled_from(["t", "x", "1", "2020-01-03", "20200131", "-4.5", "1,5", "", "..", "#"])
            | st.text(max_size=3),
            max_size=3,
        ),
        max_size=6,
    ),
    delimiter=st.sampled_from([",", ";", "\t"]),
    time=st.sampled_from(["t", None]),
    missing=st.sampled_from(["error", "interpolate"]),
)
def test_any_file_is_a_series_or_a_one_line_error(
    cells: list[list[str]],
    delimiter: str,
    time: str | None,
    missing: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    text = "\n".join(delimiter.join(row) for row in [["t", "x"], *cells])
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    message, rows = "", 0
    try:
        series = read_series(path, "x", time=time, missing=missing)
        rows = len(series.times)
        assert series.values.shape == (rows, 1)
        assert np.isfinite(series.values).all()
    except DataError as error:
        message = str(error)
    assert len(message.splitlines()) == (rows == 0)

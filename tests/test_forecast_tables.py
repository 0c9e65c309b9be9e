"""Tables: delimiters, headers and lines, as programs and people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstmfast.forecasting.table import read_table


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,4\n",
        b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4\r\n",
        b"a;b\n1;2\n3;4",
        b"a\tb\n1\t2\n\n3\t4\n\n",
        b"a|b\n1|2\n3|4\n",
        b'"a", "b"\n"1", "2"\n3 , 4\n',
        "a,b\n1,2\n3,4\n".encode("utf-16"),
    ],
)
def test_tables_of_all_kinds(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    table = read_table(tmp_path / "t.csv")
    assert table.header == ["a", "b"]
    assert table.rows == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("sep=;\r\na;b\r\n1;2\r\n3;4\r\n", [3, 4]),
        ("a,b\n1,2\n3,4\n,\n,\n\n", [2, 3]),  # empty rows at the end
        ("a,b,,\n1,2,,\n3,4\n,,,\n", [2, 3]),  # columns without a name, of which some end early
        ("a,b\n1,2,\n3,4,,\n", [2, 3]),
        (",,\na,b,\n1,2,\n3,4,\n", [3, 4]),
        ("a,b\r1,2\r3,4\r", [2, 3]),
    ],
)
def test_tables_as_spreadsheets_write_them(content: str, lines: list[int], tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content.encode())
    table = read_table(tmp_path / "t.csv", ["a", "b"])
    assert table.header[:2] == ["a", "b"]
    assert [row[:2] for row in table.rows] == [["1", "2"], ["3", "4"]]
    assert table.lines == lines


@pytest.mark.parametrize(
    ("content", "wanted", "header"),
    [
        ("a;b\n1,5;2,5\n2,5;3,5\n", ["b"], ["a", "b"]),
        ("a;b, c\n1,5;2,5\n2,5;3,5\n", ["b, c"], ["a", "b, c"]),
        ("a,b;c\n1,2;3\n", ["a"], ["a", "b;c"]),
        ("a,b;c\n1,2;3\n", ["c"], ["a,b", "c"]),
        ("a,b\n1,2\n", ["x"], ["a", "b"]),
    ],
)
def test_the_wanted_columns_choose_the_delimiter(
    content: str, wanted: list[str], header: list[str], tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(content)
    assert read_table(tmp_path / "t.csv", wanted).header == header


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n\n1,"x\ny"\n\n2,z\n')
    assert read_table(tmp_path / "t.csv").lines == [3, 6]

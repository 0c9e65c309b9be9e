"""Command lines run in this process, and a file for them to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lstmfast import cli

Run = Callable[..., tuple[int, str, str]]

SALES = ["--column", "Sales"]
TIMED = [*SALES, "--time", "Month"]


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command line and returns exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = cli.main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def monthly(count: int, **changes: str) -> str:
    """A CSV file of Month and Sales; `changes` replaces lines, by number: L17="1950-03,n/a"."""
    lines = ["Month,Sales"]
    for k in range(count):
        lines.append(f"{1949 + k // 12}-{k % 12 + 1:02d},{100 + 20 * (k % 12 in (6, 7)) + k}")
    for key, line in changes.items():
        lines[int(key[1:]) - 1] = line
    return "\n".join(lines) + "\n"


def check_refusal(
    run: Run, folder: Path, content: str | bytes | None, arguments: list[str], expected: str
) -> None:
    """Check that a forecast from `content` is refused in one line, and writes nothing."""
    if content is not None:
        data = content.encode() if isinstance(content, str) else content
        (folder / "data.csv").write_bytes(data)
    before = sorted(folder.iterdir())
    outputs = ["--out", "forecast.csv"] if "--out" not in arguments else []
    code, out, err = run("forecast", "data.csv", *arguments, *outputs)
    assert code == 2
    assert out == ""
    assert err.startswith(f"lstmfast forecast: error: {expected}")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert sorted(folder.iterdir()) == before

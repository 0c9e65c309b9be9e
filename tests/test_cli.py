"""The command line: what it writes."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from cli_runs import SALES, TIMED, Run, monthly, runner
from lstmfast import cli


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    return runner(capsys)


def test_forecast_in_a_process(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(monthly(48))
    command = [sys.executable, "-m", "lstmfast.cli", "forecast", "sales.csv", *TIMED]
    command += ["--horizon", "3", "--epochs", "2", "--seed", "5"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    header, *rows = csv.reader(first.stdout.splitlines())
    assert header == ["Month", "Sales", "lower_80", "upper_80", "lower_95", "upper_95"]
    assert [row[0] for row in rows] == ["1953-01", "1953-02", "1953-03"]
    for row in rows:
        middle, low, high, lower, higher = map(float, row[1:])
        assert lower < low < middle < high < higher
    assert '48 values of "Sales", 1949-01 to 1952-12' in first.stderr
    assert "Traceback" not in first.stderr
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.stdout == first.stdout


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_closed_standard_streams(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(monthly(48))

    def shell(arguments: str) -> tuple[int, str, str]:
        command = f'"{sys.executable}" -m lstmfast.cli {arguments}'
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False, shell=True
        )
        return done.returncode, done.stdout, done.stderr

    base = "forecast sales.csv --column Sales --epochs 1 --horizon 2"
    closed = "lstmfast forecast: error: standard output is closed; expected it open, or --out F.csv"
    assert shell(f"{base} >&-") == (2, "", closed + "\n")
    code, _, err = shell(f"{base} --out out.csv >&-")
    assert code == 0
    assert "RMSE on the last" in err
    # notes and errors do not go to standard output instead
    code, out, _ = shell(f"{base} 2>&-")
    assert (code, out) == (0, (tmp_path / "out.csv").read_text())
    assert shell("bench --shapes none 2>&-") == (2, "", "")


def test_forecast_writes_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(monthly(48))
    base = ["forecast", "sales.csv", *TIMED, "--epochs", "1", "--horizon", "2"]
    code, printed, _ = run(*base)
    assert code == 0
    code, out, err = run(*base, "--out", "out.csv", "--save", "model.safetensors")
    assert code == 0
    assert out == ""
    assert "model.safetensors: the bare network, which takes and gives transformed," in err
    assert (tmp_path / "out.csv").read_text() == printed
    from lstmfast.models import load_model

    model = load_model(tmp_path / "model.safetensors")
    assert model.output_shape == (None, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.safetensors",
        "out.csv",
        "sales.csv",
    ]


def test_forecast_with_inputs_and_interpolation(run: Run, tmp_path: Path) -> None:
    lines = ["day;sales;price"]
    for k in range(60):
        sales = "" if k == 20 else f"{50 + k % 7},5"
        if k != 30:
            lines.append(f"{date(2024, 1, 1) + timedelta(days=k)};{sales};-{k % 5}")
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n")
    arguments = ["forecast", "d.csv", "--column", "sales", "--time", "day", "--inputs", "price"]
    code, _, err = run(*arguments)
    assert code == 2
    assert 'line 22: column "sales" is empty' in err
    code, out, err = run(*arguments, "--missing", "interpolate", "--epochs", "1", "--horizon", "2")
    assert code == 0, err
    assert [row[0] for row in csv.reader(out.splitlines())] == ["day", "2024-03-01", "2024-03-02"]
    assert '60 values of "sales", 3 of them interpolated' in err


@pytest.mark.parametrize("name", ["plot.png", "plot.svg"])
def test_forecast_draws(name: str, run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "sales.csv").write_text(monthly(48))
    code, _, err = run("forecast", "sales.csv", *TIMED, "--epochs", "1", "--plot", name)
    assert code == 0, err
    assert len((tmp_path / name).read_bytes()) > 10_000


def test_unknown_kind_of_picture(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "sales.csv").write_text(monthly(48))
    code, _, err = run("forecast", "sales.csv", *SALES, "--plot", "plot.txt")
    assert code == 2
    assert err == (
        "lstmfast forecast: error: plot.txt: expected a name that ends in .png, .svg or .pdf\n"
    )


def test_without_matplotlib(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstmfast.plot.looks.available", lambda: False)
    (tmp_path / "sales.csv").write_text(monthly(48))
    for arguments in (
        ["forecast", "sales.csv", *SALES, "--plot", "p.png"],
        ["demo", "--plot", "p"],
    ):
        code, _, err = run(*arguments)
        assert code == 2
        assert "a plot needs matplotlib: pip install matplotlib\n" in err
        assert err.count("\n") == 1
    code, out, _ = run("demo", "--seeds", "1", "--epochs", "1")
    assert code == 0
    assert out.endswith("\nNo plot: a plot needs matplotlib: pip install matplotlib\n")


def test_demo(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code, out, err = run("demo", "--seeds", "2", "--epochs", "1")
    assert code == 0
    assert "training with 2 seeds: 100%" in err
    assert "0 epochs [" not in err  # a frame from before the number of epochs is known
    assert ", 4 a seed (3 to validate, 1 final)." in out
    assert re.search(r"^LSTM, median of 2 seeds +\d+\.\d +\d+\.\d$", out, re.MULTILINE)
    # these do not depend on the network
    for row in (
        r"persistence +48\.0 +90\.6",
        r"seasonal naive +41\.9 +41\.2",
        r"seasonal naive with drift +21\.2 +21\.8",
        r"linear autoregression on log differences +13\.9 +23\.7",
    ):
        assert re.search(f"^{row}$", out, re.MULTILINE)
    assert out.endswith("\nPlot: air_passengers_forecast.png\n")
    assert (tmp_path / "air_passengers_forecast.png").stat().st_size > 10_000


def test_info(run: Run) -> None:
    code, out, _ = run("info")
    assert code == 0
    assert re.search(r"^isa +\w+", out, re.MULTILINE)


def test_version_and_help(run: Run) -> None:
    from lstmfast import __version__

    assert run("--version") == (0, f"lstmfast {__version__}\n", "")
    code, out, _ = run()
    assert code == 2
    assert all(name in out for name in cli.COMMANDS)
    code, _, err = run("predictt")
    assert code == 2
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["info", "demo", "bench", "forecast", "tasks", "run"])
@pytest.mark.parametrize(
    ("variable", "value"),
    [("LSTMFAST_ISA", "nonsense"), ("LSTMFAST_NUM_THREADS", "0"), ("LSTMFAST_NUM_THREADS", "abc")],
)
def test_bad_environment_is_one_line(
    command: str, variable: str, value: str, tmp_path: Path
) -> None:
    arguments = {"forecast": ["no.csv", *SALES], "run": ["echo"]}.get(command, [])
    # the core reads them once in a process
    got = subprocess.run(
        [sys.executable, "-m", "lstmfast.cli", command, *arguments],
        cwd=tmp_path,
        env=dict(os.environ, **{variable: value}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert got.returncode == 2
    assert got.stderr.startswith(f'lstmfast {command}: error: {variable} is "{value}"')
    assert got.stderr.count("\n") == 1


def test_demo_where_no_plot_can_be_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    # not by rights: who runs the tests may have all of them
    monkeypatch.setattr("os.access", lambda *arguments: False)
    code, out, _ = run("demo", "--seeds", "1", "--epochs", "1")
    assert code == 0
    assert out.endswith(
        "\nNo plot: air_passengers_forecast.png: no permission to write into the folder .\n"
    )
    code, _, err = run("demo", "--plot", "p.png")
    assert code == 2
    assert err.count("\n") == 1


def test_a_horizon_beyond_what_can_be_measured(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(monthly(48))
    code, _, err = run("forecast", "sales.csv", *SALES, "--epochs", "1", "--horizon", "40")
    assert code == 0
    assert "1 to 11 steps: so far ahead from each of 4 origins" in err
    assert "These values can measure 11 steps ahead, not 40:" in err
    assert not re.search(r" -$", err, re.MULTILINE)
    assert ", 1 epoch\n" in err
    assert "The forecast is the LSTM's nevertheless" in err


def test_a_guess_about_commas_is_told(run: Run, tmp_path: Path) -> None:
    lines = [f"{k};{1 + k % 7},{100 + k}" for k in range(40)]
    (tmp_path / "d.csv").write_text("day;sales\n" + "\n".join(lines) + "\n")
    code, _, err = run("forecast", "d.csv", "--column", "sales", "--epochs", "1")
    assert code == 0
    assert err.startswith(
        'd.csv line 2: column "sales": "1,100" was read as 1.100, the comma as decimal mark; '
        "if it means 1100, write it so\n"
    )

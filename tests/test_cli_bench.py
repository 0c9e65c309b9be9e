"""`lstmfast bench`: what it refuses, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli_runs import runner
from lstmfast._bench import __main__ as bench

COMMAND = [sys.executable, "-m", "lstmfast.cli", "bench"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "nodir/x.json"], "nodir/x.json: the folder nodir does not exist"),
        (["--plot", "nodir/x.png"], "nodir/x.png: the folder nodir does not exist"),
        (["--plot", "x", "--json", "x"], "x: is used twice; expected another file for the output"),
        (["--seconds", "0"], "argument --seconds: '0'; expected a number above 0"),
        (["--seconds", "nan"], "argument --seconds: 'nan'; expected a number above 0"),
        (["--seconds", "inf"], "argument --seconds: 'inf'; expected a number above 0"),
        (["--threads", "0"], "argument --threads: '0'; expected a whole number from 1 on"),
    ],
)
def test_refused_before_measuring(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert runner(capsys)("bench", *arguments) == (2, "", f"lstmfast bench: error: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shapes", "nope"], "no shape 'nope'; there are toy, "),
        (["--shapes", "3x0x1x2"], "no shape '3x0x1x2'; there are toy, "),
        (["--against", "nope"], "no engine 'nope'; there are lstmfast, numpy, torch, "),
        (["--suite", "nope"], "no suite 'nope'; there are forward, training, step, "),
        (["--suite", "fit", "--shapes", "toy"], "--shapes has no meaning for the suite fit"),
        (["--suite", "training", "--mode", "forward"], "--mode forward leaves nothing of --suite "),
    ],
)
def test_names_that_are_not_known(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the process that `lstmfast bench` starts; the next test is about the way there."""
    assert bench.main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"lstmfast bench: error: {message}")
    assert errors.count("\n") == 1


def test_an_error_of_the_process_that_measures_is_passed_on() -> None:
    got = subprocess.run([*COMMAND, "--shapes", "x"], capture_output=True, text=True, check=False)
    assert got.returncode == 2
    assert got.stderr.startswith("lstmfast bench: error: no shape 'x'; there are toy, ")
    assert got.stderr.count("\n") == 1


def test_table_and_json(tmp_path: Path) -> None:
    arguments = ["--shapes", "toy", "--seconds", "0.01", "--against", "numpy", "--json", "b.json"]
    got = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert got.returncode == 0, got.stderr
    written = json.loads((tmp_path / "b.json").read_text())
    assert {"date", "cpu", "isa", "threads", "engines", "commit"} <= written["machine"].keys()
    results = written["results"]
    assert {(row["engine"], row["mode"]) for row in results} == {
        (engine, mode) for engine in ("lstmfast", "numpy") for mode in ("forward", "training")
    }


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_interrupted() -> None:
    arguments = ["--shapes", "toy", "--seconds", "60", "--against", "numpy"]
    with subprocess.Popen(
        [*COMMAND, *arguments],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # whoever starts the tests may ignore it, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline()  # the child of the child is at work
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to both
        _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert errors == "lstmfast bench: interrupted\n"

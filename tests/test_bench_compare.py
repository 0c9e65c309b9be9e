"""`python -m benchmarks.compare`: JSON and charts kept, a run set against an earlier one."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import lstmfast as lf

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="no benchmarks next to the tests"
)


Compare = Callable[..., tuple[int, str, str]]


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Compare:
    """Run the command in this process; what measures is a process of its own all the same."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(ROOT)
    command = importlib.import_module("benchmarks.compare")

    def run(*arguments: str) -> tuple[int, str, str]:
        return command.main(arguments), *capfd.readouterr()

    return run


def test_it_is_a_command() -> None:
    got = subprocess.run(
        [sys.executable, "-m", "benchmarks.compare", "--before", "none.json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert got.returncode == 2
    assert got.stderr == "compare: error: none.json: No such file or directory\n"


def test_run_and_before(tmp_path: Path, compare: Compare) -> None:
    out = tmp_path / "results"
    arguments = ["--suite", "forward", "--shapes", "toy", "--seconds", "0.001"]
    arguments += ["--against", "numpy", "--out", str(out)]
    code, _, errors = compare(*arguments)
    assert code == 0, errors
    found = json.loads((out / "1_threads.json").read_text(encoding="utf-8"))
    assert [row["engine"] for row in found["results"]] == ["lstmfast", "numpy"]
    assert (out / "1_threads_forward.png").is_file() == (find_spec("matplotlib") is not None)

    was = found["results"][0]
    was["value"] = was["low"] = was["high"] = 1.0  # a second: surely another
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(found), encoding="utf-8")
    code, shown, errors = compare(*arguments, "--before", str(earlier))
    assert code == 0, errors
    (line,) = [each for each in shown.splitlines() if each.endswith(" *")]
    assert line.split()[:4] == ["forward", "toy", "(3,3,1,50)", "forward"]


def test_models_for_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that `benchmarks/step.cpp` times."""
    monkeypatch.syspath_prepend(ROOT)
    command = importlib.import_module("benchmarks.step_models")
    assert command.main([]) == 2
    assert command.main([str(tmp_path / "new"), "2x3x4", "1x5"]) == 0
    stream = lf.models.load_model(tmp_path / "new" / "2x3x4.safetensors").stream()
    assert [part.shape for part in stream.state] == [(1, 3)] * 4
    assert stream.step(np.zeros((1, 4), np.float32)).shape == (1, 1)
    assert (tmp_path / "new" / "1x5.safetensors").is_file()


@pytest.mark.parametrize("content", ["", "[]", '{"results": [{}]}'])
def test_before_that_is_none(tmp_path: Path, content: str, compare: Compare) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(content, encoding="utf-8")
    code, _, errors = compare("--before", str(earlier), "--out", str(tmp_path / "results"))
    assert code == 2
    assert errors == f"compare: error: {earlier}: expected the JSON of `lstmfast bench`\n"


def test_missing_file(tmp_path: Path, compare: Compare) -> None:
    code, _, errors = compare("--before", str(tmp_path / "none.json"))
    assert code == 2
    assert errors == f"compare: error: {tmp_path / 'none.json'}: No such file or directory\n"

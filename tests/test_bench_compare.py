"""`python -m benchmarks.compare`: JSON and charts kept, a run set against an earlier one."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="no benchmarks beside the tests"
)


def compare(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.compare", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_run_and_before(tmp_path: Path) -> None:
    out = tmp_path / "results"
    arguments = ["--suite", "forward", "--shapes", "toy", "--seconds", "0.001"]
    arguments += ["--against", "numpy", "--out", str(out)]
    first = compare(*arguments)
    assert first.returncode == 0, first.stderr
    found = json.loads((out / "1_threads.json").read_text(encoding="utf-8"))
    assert [row["engine"] for row in found["results"]] == ["lstmfast", "numpy"]
    assert (out / "1_threads_forward.png").is_file() == (find_spec("matplotlib") is not None)

    was = found["results"][0]
    was["value"] = was["low"] = was["high"] = 1.0  # a second: surely another
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(found), encoding="utf-8")
    second = compare(*arguments, "--before", str(earlier))
    assert second.returncode == 0, second.stderr
    (line,) = [each for each in second.stdout.splitlines() if each.endswith(" *")]
    assert line.split()[:4] == ["forward", "toy", "(3,3,1,50)", "forward"]


@pytest.mark.parametrize("content", ["", "[]", '{"results": [{}]}'])
def test_before_that_is_none(tmp_path: Path, content: str) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(content, encoding="utf-8")
    got = compare("--before", str(earlier), "--out", str(tmp_path / "results"))
    assert got.returncode == 2
    assert got.stderr == f"compare: error: {earlier}: expected the JSON of `lstmfast bench`\n"


def test_missing_file(tmp_path: Path) -> None:
    got = compare("--before", str(tmp_path / "none.json"))
    assert got.returncode == 2
    assert got.stderr == f"compare: error: {tmp_path / 'none.json'}: No such file or directory\n"

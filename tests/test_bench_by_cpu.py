"""Results kept by processor, and README's tables, which are made from them."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast._bench import report
from lstmfast._bench.protocol import Row, Timing, make_row
from lstmfast._bench.shapes import SHAPES

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="no benchmarks next to the tests"
)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.results_by_cpu")


def run(suite: str, us: float, threads: int = 1, held_to: str | None = None) -> str:
    """A run of a suite in which lstmfast takes `us`, and torch twice as long."""

    def row(case: Any, engine: str, seconds: float) -> Row:
        made = make_row(case.name, suite, Timing(np.array([seconds])), engine, shape=case)
        return replace(made, suite=suite, peak_share=0.5, ratio=2.0)

    rows = []
    for shape in SHAPES:
        rows += [row(shape, "lstmfast", us * 1e-6), row(shape, "torch", 2e-6 * us)]
    facts = report.machine({"lstmfast": "1", "torch": "2"}, threads, held_to)
    facts |= {"cpu id": "AuthenticAMD family 26 model 2", "cpu": "AMD EPYC", "isa": "avx512"}
    if held_to is not None:
        facts["isa"] = held_to
    return report.to_json(facts, rows, [])


def test_a_run_replaces_its_suites_alone(kept: Any, tmp_path: Path) -> None:
    runs = (
        ("forward", 3.0), ("training", 9.0), ("forward", 1.0, 2), ("forward", 7.0, 1, "avx2"),
        ("forward", 5.0),
    )  # fmt: skip
    paths = {kept.keep(run(*each), tmp_path) for each in runs}
    assert paths == {tmp_path / "amd-26-2.json"}
    (path,) = paths
    parts = json.loads(path.read_text(encoding="utf-8"))
    assert [
        (part["suite"], part["machine"]["threads"], part["machine"]["isa"]) for part in parts
    ] == [
        ("forward", 1, "avx512"), ("forward", 1, "avx2"), ("forward", 2, "avx512"),
        ("training", 1, "avx512"),
    ]  # fmt: skip
    facts, rows = kept.rows_of(path, "forward")
    assert facts["held to"] is None
    assert rows[0] == report.from_json(run("forward", 5.0))[1][0]
    assert kept.rows_of(path, "forward", threads=2)[1][0].value == pytest.approx(1e-6)
    assert kept.rows_of(path, "step") is None


def test_table_of_a_processor(kept: Any, tmp_path: Path) -> None:
    kept.keep(run("forward", 1234.0), tmp_path)
    assert kept.tables(tmp_path) == ""  # without a run of training there is none
    kept.keep(run("training", 2.5), tmp_path)
    lines = kept.tables(tmp_path).splitlines()
    assert lines[0].startswith("**AMD EPYC, Zen 5** (avx512), one thread, 20")
    row = "| toy (3, 3, 1, 50) | **1,234** | 50 % | 2,468 torch | 2.00x "
    assert row + "| **2.5** | 50 % | 5.0 torch | 2.00x |" in lines
    assert lines[-1] == "lstmfast 1, torch 2."


def test_names_of_processors(kept: Any) -> None:
    facts = {"cpu": "Xeon", "cpu id": "GenuineIntel family 6 model 143"}
    assert (kept.cpu_name(facts), kept.title(facts)) == ("intel-6-143", f"Xeon, {facts['cpu id']}")
    unknown = "unknown family unknown model unknown"
    assert kept.cpu_name({"cpu id": unknown}) == "unknown-unknown-unknown"
    arm = "0x41 family 8 model 0xd40"
    assert kept.cpu_name({"cpu id": arm}) == "0x41-8-0xd40"


def test_readme_shows_the_kept_results(kept: Any) -> None:
    text = kept.README.read_text(encoding="utf-8")
    shown = text.partition(kept.BEGIN)[2].partition(kept.END)[0]
    assert shown
    assert shown == kept.tables(kept.RESULTS)
    for path in kept.RESULTS.glob(kept.FILES):
        assert (kept.CHARTS / kept.chart_name(path)).is_file()

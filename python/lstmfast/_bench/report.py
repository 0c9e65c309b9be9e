"""The table of a benchmark run, and its JSON."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import lstmfast as lf
from lstmfast import _core
from lstmfast._bench.engines import Engine
from lstmfast._bench.protocol import Result


def machine(engines: Sequence[Engine], threads: int) -> dict[str, Any]:
    """Describe what the figures hold for."""
    config = _core.config()
    return {
        "date": date.today().isoformat(),
        "cpu": config["cpu"],
        "isa": lf.isa(),
        "caches": f"L1d {config['l1d']}, L2 {config['l2']}, L3 {config['l3']}",
        "threads": threads,
        "python": platform.python_version(),
        "engines": {engine.name: engine.version() for engine in engines},
    }


def header(facts: dict[str, Any]) -> str:
    """Return the lines above the table."""
    engines = ", ".join(f"{name} {version}" for name, version in facts["engines"].items())
    threads = f"{facts['threads']} thread" + ("s" if facts["threads"] > 1 else "")
    return (
        f"{facts['cpu']} ({facts['caches']}), {threads}, Python {facts['python']}, "
        f"{facts['date']}\n{engines}\n"
        "Median microseconds a call (quartiles). peak: share of the FMA peak measured in the "
        "same run;\nratio: the best other engine's time over lstmfast's."
    )


def table_header() -> str:
    """Return the column heads of `table_rows`."""
    return (
        f"{'shape (B,T,I,H)':32}{'mode':10}{'engine':10}{'median us':>12}{'quartiles':>24}"
        f"{'peak':>8}{'ratio':>8}"
    )


def table_rows(results: Sequence[Result], threads: int) -> str:
    """Return a line a result; lstmfast's line has the ratio to the best of the others."""
    lines = []
    for result in results:
        t = result.timing
        ratio = ""
        if result.engine == "lstmfast":
            others = [
                r.timing.median for r in results if r.mode == result.mode and r.engine != "lstmfast"
            ]
            ratio = f"{min(others) / t.median:.2f}x" if others else ""
        place = f"{result.shape.name} {result.shape.text}"
        spread = f"{t.low * 1e6:.1f} .. {t.high * 1e6:.1f}"
        lines.append(
            f"{place:32}{result.mode:10}{result.engine:10}{t.median * 1e6:12.1f}{spread:>24}"
            f"{100 * result.peak_share(threads):7.1f}%{ratio:>8}"
        )
    return "\n".join(lines)


def to_json(facts: dict[str, Any], results: Sequence[Result]) -> str:
    """Return the whole run as JSON."""
    rows = [asdict(r) | {"peak_share": r.peak_share(facts["threads"])} for r in results]
    return json.dumps({"machine": facts, "results": rows}, indent=1)

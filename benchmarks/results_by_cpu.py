"""Results kept by processor, `benchmarks/results/<cpu>.json`, and what README shows of them.

    python -m benchmarks.results_by_cpu     # writes README's tables, and its charts into docs/

A file has a part for each suite, number of threads and instruction set that engines were held to:
the facts and rows of the last whole run of it on that processor. No figure is ever taken from one
processor to another.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstmfast._bench import chart, report
from lstmfast._bench.protocol import Row
from lstmfast._bench.shapes import SHAPES
from lstmfast._bench.suites import FORWARD, SUITES, TRAINING
from lstmfast._cli.common import write_file

Part = dict[str, Any]  # "machine", "suite", "results" as `report.to_json` has them

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
FILES = "[a-z0-9]*-[0-9]*-[0-9a-z]*.json"
README, BEGIN, END = ROOT / "README.md", "<!-- results: begin -->\n", "<!-- results: end -->\n"
CHARTS = ROOT / "docs"
# What "vendor family model" is called
MICROARCHITECTURES = {
    "AuthenticAMD family 25 model 17": "Zen 4",
    "AuthenticAMD family 26 model 2": "Zen 5",
}
VENDORS = {"AuthenticAMD": "amd", "GenuineIntel": "intel"}
JUDGED = ("goal", "met")  # by the suites, and not kept
MODES = {"forward": "forward", "training": "training step"}


def cpu_name(facts: dict[str, Any]) -> str:
    """Return the name of a processor's file: vendor, family and model, as amd-26-2."""
    vendor, *numbers = facts["cpu id"].replace("family ", "").replace("model ", "").split()
    name = "-".join([VENDORS.get(vendor, vendor.lower()), *numbers])
    return re.sub(r"[^a-z0-9-]+", "_", name)


def title(facts: dict[str, Any]) -> str:
    """Return a processor's name for people."""
    return f"{facts['cpu']}, {MICROARCHITECTURES.get(facts['cpu id'], facts['cpu id'])}"


def keep(found: str, folder: Path) -> Path:
    """Put the parts of a run, the JSON of `lstmfast bench`, into the file of its processor."""
    run = json.loads(found)
    facts = run["machine"]
    facts.pop("system")  # says nothing of the processor
    path = folder / f"{cpu_name(facts)}.json"
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    parts = {_key(part["machine"], part["suite"]): part for part in old}
    for suite in dict.fromkeys(row["suite"] for row in run["results"]):
        rows = [row for row in run["results"] if row["suite"] == suite]
        parts[_key(facts, suite)] = {"suite": suite, "machine": facts, "results": rows}
    order = [suite.name for suite in SUITES]
    wanted = sorted(parts, key=lambda key: (order.index(key[0]), *key[1:]))
    write_file(path, _text([parts[key] for key in wanted]).encode())
    return path


def _key(facts: dict[str, Any], suite: str) -> tuple[str, int, str]:
    return suite, facts["threads"], facts["held to"] or ""


def _text(parts: list[Part]) -> str:
    """Return JSON with a line a row, so that a change of a figure is a change of a line."""
    texts = []
    for part in parts:
        rows = ",\n".join(
            json.dumps({k: v for k, v in row.items() if v not in (None, "") and k not in JUDGED})
            for row in part["results"]
        )
        head = f'{{"suite": "{part["suite"]}", "machine": {json.dumps(part["machine"])},'
        texts.append(f'{head}\n"results": [\n{rows}\n]}}')
    return "[\n" + ",\n".join(texts) + "\n]\n"


def rows_of(path: Path, suite: str, threads: int = 1) -> tuple[dict[str, Any], list[Row]] | None:
    """Return the facts and rows of a suite, on the processor's best instruction set; or None."""
    for part in json.loads(path.read_text(encoding="utf-8")):
        facts = part["machine"]
        if (part["suite"], facts["threads"]) == (suite, threads) and not facts["held to"]:
            return report.from_json(json.dumps({**part, "left_out": []}))
    return None


def tables(folder: Path) -> str:
    """Return README's part: a chart and a table for each processor."""
    return "\n".join(part for path in sorted(folder.glob(FILES)) for part in _of_cpu(path))


def _of_modes(path: Path) -> list[tuple[dict[str, Any], list[Row]]]:
    """Return the facts and rows of forward and of training; nothing where one is missing."""
    found = [result for mode in MODES if (result := rows_of(path, mode))]
    return found if len(found) == len(MODES) else []


def _of_cpu(path: Path) -> Iterator[str]:
    found = _of_modes(path)
    if not found:
        return
    facts, _ = found[0]
    engines = ", ".join(
        f"{name} {version.partition('-')[0]}"
        for name, version in facts["engines"].items()
        if "_" not in name  # another way to run the one before
    )
    yield f"**{title(facts)}** ({facts['isa']}), one thread, {facts['date']}.\n"
    yield f"![Times as fast as the best other engine](docs/{chart_name(path)})\n"
    heads = [f"{head} | of peak | best other | ratio" for head in MODES.values()]
    yield f"| shape (B, T, I, H) | {' | '.join(heads)} |"
    yield "|---" * (1 + 4 * len(MODES)) + "|"
    for shape in SHAPES:
        cells = (cell for _, rows in found for cell in _cells(rows, shape.name))
        yield f"| {shape.name} {shape.text.replace(',', ', ')} | {' | '.join(cells)} |"
    yield f"\n{engines}.\n"


def _cells(rows: list[Row], case: str) -> list[str]:
    """Return the figures of a shape: ours, its share of the peak, the best other's, the ratio."""
    here = {row.engine: row for row in rows if row.case == case}
    own = here.pop("lstmfast")
    best = min(here.values(), key=lambda row: row.value)
    ratio, share = own.ratio or 0.0, own.peak_share or 0.0
    return [
        f"**{_us(own)}**", f"{share:.0%}".replace("%", " %"), f"{_us(best)} {best.engine}",
        f"{ratio:.2f}x",
    ]  # fmt: skip


def _us(row: Row) -> str:
    us = row.value * 1e6
    return f"{us:,.0f}" if us >= 100.0 else f"{us:.1f}"


def chart_name(path: Path) -> str:
    """Return the name of a processor's chart."""
    return f"benchmark_{path.stem}.png"


def main() -> int:
    """Write README's part and the charts."""
    for path in sorted(RESULTS.glob(FILES)):
        if found := _of_modes(path):
            rows = [row for _, of_mode in found for row in of_mode]
            picture = chart.draw(found[0][0], [FORWARD, TRAINING], rows, "png")
            write_file(CHARTS / chart_name(path), picture)
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    write_file(README, (before + BEGIN + tables(RESULTS) + END + after).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())

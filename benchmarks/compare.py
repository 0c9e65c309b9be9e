"""Run the benchmarks, keep their JSON, draw a chart a suite; or set a run against an earlier one.

    python -m benchmarks.compare --out results
    python -m benchmarks.compare --suite forward,training --before results/before.json

All that measures is in the installed package, in `lstmfast._bench`; this calls `lstmfast bench`.
Whole suites against all engines are kept by processor (`benchmarks/results_by_cpu.py`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import results_by_cpu
from lstmfast._bench import chart, report
from lstmfast._bench.protocol import Row
from lstmfast._bench.suites import SUITES
from lstmfast._cli.common import UserError, write_file
from lstmfast.plot import looks as plot

PASSED_ON = ("suite", "against", "shapes", "mode", "isa", "threads", "seconds")
PARTIAL = ("against", "shapes", "mode")  # with one of these a run is not kept by processor


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare",
        description="Time lstmfast against everything that is installed; keep JSON and charts.",
        epilog="The other options are those of `lstmfast bench`.",
    )
    parser.add_argument("--suite", default="all", help="default: all")
    for name in PASSED_ON[1:]:
        parser.add_argument(f"--{name}")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results"), help="folder for JSON and charts"
    )
    parser.add_argument("--before", type=Path, help="JSON of an earlier run to set this against")
    args = parser.parse_args(argv)
    try:
        before = None if args.before is None else read(args.before)
        args.out.mkdir(parents=True, exist_ok=True)
        found = args.out / f"{args.threads or 1}_threads{f'_{args.isa}' if args.isa else ''}.json"
        command = [sys.executable, "-m", "lstmfast.cli", "bench", "--json", str(found)]
        for name in PASSED_ON:
            if getattr(args, name) is not None:
                command += [f"--{name}", getattr(args, name)]
        code = subprocess.run(command, check=False).returncode
        if code:
            return code
        facts, rows = read(found)
        draw(found, facts, rows)
        whole = not any(getattr(args, name) for name in PARTIAL)
        if whole and "LSTMFAST_ISA" not in os.environ and "LSTMFAST_PLAN" not in os.environ:
            kept = results_by_cpu.keep(found.read_text(encoding="utf-8"), args.out)
            print(f"kept: {kept}")
        if before is not None:
            print(f"\n{before_and_after(before, rows)}")
    except UserError as error:
        print(f"compare: error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"compare: error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def read(path: Path) -> tuple[dict[str, Any], list[Row]]:
    try:
        return report.from_json(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path}: expected the JSON of `lstmfast bench`") from None


def draw(found: Path, facts: dict[str, Any], rows: list[Row]) -> None:
    """Write a chart a suite beside the JSON; forward and training share one."""
    if not plot.available():
        print(f"no charts: {plot.MISSING}")
        return
    groups = [[s for s in SUITES if s.name in ("forward", "training")]]
    groups += [[s] for s in SUITES if s.name not in ("forward", "training")]
    for group in groups:
        here = [row for row in rows if row.suite in {suite.name for suite in group}]
        if any(getattr(row, suite.figure) is not None for suite in group for row in here):
            path = found.with_name(f"{found.stem}_{group[0].name}.png")
            write_file(path, chart.draw(facts, group, here, "png"))
            print(f"chart: {path}")


def before_and_after(before: tuple[dict[str, Any], list[Row]], now: list[Row]) -> str:
    """Return lstmfast's rows of both runs side by side.

    A change below the spread of the quartiles says nothing, and is left without a mark.
    """
    facts, earlier = before
    old = {(row.suite, row.label, row.mode): row for row in earlier if row.engine == "lstmfast"}
    lines = [
        f"before: {facts['date']}, {facts['commit'] or 'no commit'}",
        f"{'suite':10}{'case':32}{'mode':10}{'before':>14}{'now':>14}{'now/before':>12}",
    ]
    for row in now:
        was = old.get((row.suite, row.label, row.mode))
        if row.engine != "lstmfast" or was is None or was.value == 0.0:
            continue
        apart = row.low > was.high or row.high < was.low
        lines.append(
            f"{row.suite:10}{row.label:32}{row.mode:10}{was.value:14.4g}{row.value:14.4g}"
            f"{row.value / was.value:12.3f}{' *' if apart else ''}"
        )
    lines.append("* the quartiles of both runs are apart; values in seconds, bytes or a second")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

"""Run the benchmarks in this process; `lstmfast bench` starts it with threads pinned."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from lstmfast._bench import report
from lstmfast._bench.engines import ENGINES, Engine
from lstmfast._bench.protocol import Result, compare
from lstmfast._bench.shapes import SHAPES
from lstmfast._cli.common import UserError, write_file


def pin(threads: int) -> None:
    """Keep this process on as many CPUs as it has threads, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:threads])


def choose_engines(names: str | None) -> list[Engine]:
    """Return lstmfast, the NumPy reference and the rivals asked for, or all that are installed."""
    installed = [e for e in ENGINES if importlib.util.find_spec(e.module) is not None]
    if names is None:
        return [engine() for engine in installed]
    wanted = {"lstmfast", "numpy", *_split(names)}
    missing = wanted - {engine.name for engine in installed}
    if missing:
        known = ", ".join(engine.name for engine in installed)
        raise UserError(f"{', '.join(sorted(missing))} is not installed; here are {known}")
    return [engine() for engine in installed if engine.name in wanted]


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def main(argv: list[str]) -> int:
    """Run the suites and print the table."""
    parser = argparse.ArgumentParser(prog="lstmfast bench")
    parser.add_argument("--against")
    parser.add_argument("--shapes")
    parser.add_argument("--mode", choices=["forward", "training", "both"], default="both")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--json")
    args = parser.parse_args(argv)
    try:
        engines = choose_engines(args.against)
        names = [s.name for s in SHAPES]
        wanted = _split(args.shapes) if args.shapes else names
        unknown = [name for name in wanted if name not in names]
        if unknown:
            raise UserError(f"no shape {unknown[0]!r}; there are {', '.join(names)}")
        _measure(args, engines, wanted)
    except UserError as error:
        print(f"lstmfast bench: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _measure(args: argparse.Namespace, engines: list[Engine], wanted: list[str]) -> None:
    pin(args.threads)
    modes = ["forward", "training"] if args.mode == "both" else [args.mode]
    facts = report.machine(engines, args.threads)
    print(report.header(facts))
    print(report.table_header(), flush=True)
    results: list[Result] = []
    for shape in SHAPES:
        if shape.name in wanted:
            rows = compare(shape, engines, modes, args.threads, args.seconds)
            print(report.table_rows(rows, args.threads), flush=True)
            results += rows
    if args.json:
        write_file(Path(args.json), report.to_json(facts, results).encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Run the benchmarks in this process; `lstmfast bench` starts it with threads pinned."""

from __future__ import annotations

import argparse
import os
import sys
import warnings

from lstmfast._bench import chart, report
from lstmfast._bench.contest import OWN, Settings, Suite, WrongAnswerError
from lstmfast._bench.engines import ENGINES, Engine
from lstmfast._bench.protocol import Row
from lstmfast._bench.shapes import choose_shapes
from lstmfast._bench.suites import SUITES
from lstmfast._cli.bench import add_arguments
from lstmfast._cli.common import Parser, UserError, open_standard_error, write_file
from lstmfast._cli.forecast import plot_kind

DEFAULT_SUITES = ("forward", "training")


def choose_engines(names: str | None, isa: str | None = None) -> list[Engine]:
    """Return lstmfast, the NumPy reference and the rivals asked for, or all that are installed.

    Of these only the ones that can be held to the instruction set, if one is given.
    """
    installed = {engine.name: engine for engine in ENGINES if engine.installed}
    wanted = set(installed) if names is None else {*OWN, *_split(names)}
    _refuse_unknown(wanted, [engine.name for engine in ENGINES], "engine")
    missing = ", ".join(sorted(wanted - installed.keys()))
    if missing:
        raise UserError(f"{missing} is not installed; here are {', '.join(installed)}")
    chosen = [engine for name, engine in installed.items() if name in wanted]
    free = [engine.name for engine in chosen if isa is not None and not engine.holds]
    if free and names is not None:
        raise UserError(f"{', '.join(free)} cannot be held to {isa}")
    return [engine for engine in chosen if engine.name not in free]


def choose_suites(names: str | None, mode: str) -> list[Suite]:
    """Return the suites asked for; of forward and training only those of the mode."""
    known = [suite.name for suite in SUITES]
    wanted = set(DEFAULT_SUITES if names is None else known if names == "all" else _split(names))
    _refuse_unknown(wanted, known, "suite")
    if mode != "both":
        wanted -= {*DEFAULT_SUITES} - {mode}
    if not wanted:
        raise UserError(f"--mode {mode} leaves nothing of --suite {names}")
    return [suite for suite in SUITES if suite.name in wanted]


def _refuse_unknown(names: set[str], known: list[str], what: str) -> None:
    unknown = sorted(names - set(known))
    if unknown:
        raise UserError(f"no {what} {unknown[0]!r}; there are {', '.join(known)}")


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def main(argv: list[str]) -> int:
    """Run the suites and print their tables."""
    open_standard_error()
    parser = Parser(prog="lstmfast bench")
    add_arguments(parser)
    try:
        _measure(parser.parse_args(argv))
    except (UserError, WrongAnswerError) as error:
        print(f"lstmfast bench: error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UserError) else 1
    except KeyboardInterrupt:
        return 130
    return 0


def pin(threads: int) -> None:
    """Keep this process on as many CPUs as it has threads, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:threads])


def _measure(args: argparse.Namespace) -> None:
    suites = choose_suites(args.suite, args.mode)
    shapes = None if args.shapes is None else choose_shapes(_split(args.shapes))
    fixed = [suite.name for suite in suites if not suite.takes_shapes]
    if shapes is not None and fixed:
        raise UserError(f"--shapes has no meaning for the suite {fixed[0]}")
    modes = ("forward", "training") if args.mode == "both" else (args.mode,)
    settings = Settings(
        choose_engines(args.against, args.isa), shapes, modes, args.threads, args.seconds
    )
    pin(args.threads)
    warnings.simplefilter("ignore")  # of rivals at their import: not part of the table
    versions = settings.enter("", "", lambda engine: engine.version())
    settings.engines = [engine for engine in settings.engines if engine.name in versions]
    facts = report.machine(versions, args.threads, args.isa)
    print(report.header(facts))
    rows: list[Row] = []
    for suite in suites:
        print(report.table_header(suite), flush=True)
        for group in suite.rows(settings):
            print(report.table_rows(group), flush=True)
            rows += group
    if settings.left_out:
        print(f"\n{report.left_out_lines(settings.left_out)}", flush=True)
    if args.json:
        write_file(args.json, report.to_json(facts, rows, settings.left_out).encode())
    if args.plot:
        write_file(args.plot, chart.draw(facts, suites, rows, plot_kind(args.plot)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`lstmfast tasks`: what `lstmfast run` can train."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .common import Parser
from .shown import print_text, table

HELP = "list the tasks that `lstmfast run` trains: their kind, model, score and source"


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the tasks."""
    from lstmfast.tasks import TASKS, find

    tasks = [find(name)() for name in TASKS]
    if args.json:
        print_text(json.dumps([_facts(task) for task in tasks], indent=2))
        return 0
    rows = []
    for task in tasks:
        relation = "at least" if task.measure.higher_is_better else "at most"
        solved = f"Solved: {task.measure.name}, {relation} {task.measure.text(task.target)}"
        about = f"{task.summary}\n{solved}\nSource: {task.source}\n "
        rows.append((f"{task.name}\n{task.mode}\n{task.settings.variant}", about))
    print_text(table(rows, ("bold",)))
    print_text("lstmfast run TASK trains one; lstmfast run TASK --help shows its options.")
    return 0


def _facts(task: Any) -> dict[str, Any]:
    return {
        "name": task.name,
        "summary": task.summary,
        "mode": task.mode,
        "variant": task.settings.variant,
        "score": task.measure.name,
        "higher_is_better": task.measure.higher_is_better,
        "target": task.target,
        "source": task.source,
    }

"""`lstmfast tasks`: what `lstmfast run` can train."""

from __future__ import annotations

import argparse

from .common import Parser
from .shown import print_text, table

HELP = "list the tasks that `lstmfast run` trains: their kind, model, score and source"


def add_arguments(parser: Parser) -> None:
    """Add none."""


def run(args: argparse.Namespace) -> int:
    """Print the tasks."""
    from lstmfast.tasks import TASKS, find

    rows = []
    for task in [find(name)() for name in TASKS]:
        relation = "at least" if task.measure.higher_is_better else "at most"
        solved = f"Solved: {task.measure.name}, {relation} {task.measure.text(task.target)}"
        about = f"{task.summary}\n{solved}\nSource: {task.source}\n "
        rows.append((f"{task.name}\n{task.mode}\n{task.settings.variant}", about))
    print_text(table(rows, ("bold",)))
    print_text("lstmfast run TASK trains one; lstmfast run TASK --help shows its options.")
    return 0

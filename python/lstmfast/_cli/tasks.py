"""`lstmfast tasks`: what `lstmfast run` can train."""

from __future__ import annotations

import argparse
import inspect
import re

from .common import Parser
from .run import task_name
from .shown import print_text, table

HELP = "list the tasks that `lstmfast run` trains: their kind, model, score and source"


def add_arguments(parser: Parser) -> None:
    """Add the name of a task."""
    parser.add_option("task", "TASK", "show all about this one", task_name, nargs="?")


def run(args: argparse.Namespace) -> int:
    """Print the tasks."""
    from lstmfast.tasks import TASKS, find

    heads = "problem\nthe score that solves it\nwhere it comes from\n "
    rows = [("task\nkind\nmodel", heads)]
    for task in [find(name)() for name in ([args.task] if args.task else TASKS)]:
        relation = "at least" if task.measure.higher_is_better else "at most"
        solved = f"Solved: {task.measure.name}, {relation} {task.measure.text(task.target)}"
        text = re.split(r"\w+\n---", inspect.getdoc(type(task)) or "")[0]
        text = " ".join(text.split()) if args.task else task.summary
        about = f"{text}\n{solved}\nSource: {task.source}\n "
        rows.append((f"{task.name}\n{task.mode}\n{task.settings.variant}", about))
    print_text(table(rows, ("bold",)))
    name = args.task or "TASK"
    print_text(f"lstmfast run {name} trains it; lstmfast run {name} --help shows its options.")
    return 0

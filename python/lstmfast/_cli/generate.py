"""`lstmfast generate`: what a saved model continues a text or a sequence with."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from .common import Parser, UserError, names, number, reason, write_text

HELP = "continue a text, or a sequence of numbers, with what a saved model predicts"

_TEMPERATURE = "above 1 is more varied, below 1 more likely, 0 the most likely (default 1)"
_TOP_P = "draw from the most likely ones only, which together have this probability"
_PROMPT = (
    "the text to continue, in the characters or words that the model knows (default: a line break, "
    "a space or the first of them)"
)
_INPUT = (
    "what a model of numbers continues: F.csv, a row a step below a line of names, or F.npy, "
    "(steps, features)"
)


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    not_negative = number(float, lambda value: 0.0 <= value < math.inf, "a number from 0 on")
    share = number(float, lambda value: 0.0 < value <= 1.0, "a number above 0, up to 1")
    add = parser.add_option
    add("model", "MODEL", "a file of a saved model", Path)
    parser.add_number("--length", 1, "steps to make: characters, words or rows", default=200)
    add("--temperature", "X", _TEMPERATURE, not_negative, default=1.0)
    parser.add_number("--top-k", 1, "draw from the N most likely ones only")
    add("--top-p", "P", _TOP_P, share)
    parser.add_number("--seed", 0, "seed of what is drawn (default: another one each time)")
    add("--prompt", "TEXT", _PROMPT)
    add("--input", "F", _INPUT, Path)
    add("--columns", "A,B", "of a CSV file (default: all)", names, default=[])
    parser.add_file("--out", "F", "write here instead of to standard output")
    parser.epilog = (
        "The output is the prompt and its continuation, or of numbers a CSV table of the latter."
    )


def run(args: argparse.Namespace) -> int:
    """Generate and write."""
    from . import data

    model = data.read_model(args)
    _check_continues(model, args.model)
    tokens, prompt = _prompt(model, args)
    drawn = args.length, args.temperature, args.top_k, args.top_p, args.seed
    try:
        (found,) = data.finite([model.generate(prompt, *drawn)])
    except (MemoryError, TypeError, ValueError) as error:
        raise UserError(f"{args.model}: {reason(error)}") from None
    if args.input is not None:
        text = data.answers_table([data.unscaled(found, model)], tokens)
    else:
        space = " " if data.are_words(tokens) else ""
        text = f"{space.join(filter(None, (tokens[k] for k in [*prompt, *found])))}\n"
    write_text(args.out, text)
    return 0


def _check_continues(model: Any, path: Path) -> None:
    """Refuse a model whose classes are no next steps, by the task that it has learnt."""
    from lstmfast.tasks import TASKS, find

    from . import data

    task = model.metadata.get("task")
    if data.names_in(model, "labels") and task in TASKS and find(task).mode != "generation":
        raise UserError(
            f"{path}: {task} answers a question about a sequence; it does not continue it (use "
            "lstmfast predict)"
        )


def _prompt(model: Any, args: argparse.Namespace) -> tuple[list[str], Any]:
    """Return the names of a model's tokens, if it has some, and what it is to continue."""
    from . import data

    tokens = data.names_in(model, "vocabulary") or data.names_in(model, "labels")
    features, scores = model.inputs[0].sample[-1], model.output_shape[-1]
    if args.input is not None:
        if args.prompt is not None or data.takes_ids(model):
            raise UserError("argument --input: expected --prompt alone, or a model of numbers")
        numbers = data.read_numbers(args.input, args.columns, features)
        return tokens, data.scaled(numbers, model.metadata)
    if not data.takes_ids(model) and features != len(tokens):
        raise UserError(f"{args.model}: the model continues numbers; expected --input")
    if not tokens or scores != len(tokens):
        vocabulary = f"a vocabulary of {len(tokens)} names" if tokens else "no vocabulary"
        raise UserError(
            f"{args.model}: the model returns {scores} numbers and has {vocabulary}; expected a "
            "score of each name in its metadata"
        )
    start = next((name for name in ("\n", " ") if name in tokens), tokens[0])
    text = start if args.prompt is None else args.prompt
    return tokens, data.ids_of_text(text, tokens, "argument --prompt")

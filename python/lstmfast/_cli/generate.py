"""`lstmfast generate`: what a saved model continues a text or a sequence with."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from .common import (
    Parser,
    UserError,
    check_outputs,
    check_standard_output,
    names,
    number,
    reason,
    write_text,
)
from .predict import answers_table

HELP = "continue a text, or a sequence of numbers, with what a saved model predicts"


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="a file of a saved model")
    parser.add_number("--length", 1, "steps to make: characters, words or rows", default=200)
    parser.add_argument(
        "--temperature",
        metavar="X",
        default=1.0,
        type=number(float, lambda value: 0.0 <= value < math.inf, "a number from 0 on"),
        help="above 1 is more varied, below 1 more likely, 0 the most likely (default 1)",
    )
    parser.add_number("--top-k", 1, "draw from the N most likely ones only")
    parser.add_argument(
        "--top-p",
        metavar="P",
        type=number(float, lambda value: 0.0 < value <= 1.0, "a number above 0, up to 1"),
        help="draw from the most likely ones only, which together have this probability",
    )
    parser.add_number("--seed", 0, "seed of what is drawn (default: another one each time)")
    parser.add_argument(
        "--prompt",
        metavar="TEXT",
        help="what to continue, in the characters or words that the model knows, or in ids "
        "where it has no names for them (default: a line break, a space or the first name)",
    )
    parser.add_argument(
        "--input",
        metavar="F",
        type=Path,
        help="what a model of numbers continues: F.csv, a row a step under a line of names, "
        "or F.npy, (steps, features)",
    )
    parser.add_argument(
        "--columns", metavar="A,B", type=names, default=[], help="of a CSV file (default: all)"
    )
    parser.add_file("--out", "F", "write here instead of to standard output")
    parser.epilog = (
        "The output is the prompt and its continuation; of numbers a CSV table of the "
        "continuation alone."
    )


def run(args: argparse.Namespace) -> int:
    """Generate and write."""
    from .inputs import read_model

    check_standard_output(args.out)
    check_outputs([args.out], [path for path in (args.model, args.input) if path is not None])
    model = read_model(args.model)
    tokens, prompt = _prompt(model, args)
    drawn = args.length, args.temperature, args.top_k, args.top_p, args.seed
    try:
        found = model.generate(prompt, *drawn)
    except (MemoryError, ValueError) as error:
        raise UserError(f"{args.model}: {reason(error)}") from None
    if args.input is not None:
        text = answers_table([found], tokens)
    else:
        shown = [tokens[k] if tokens else str(k) for k in [*prompt, *found]]
        space = " " if not tokens or any(len(token) > 1 for token in tokens) else ""
        text = f"{space.join(filter(None, shown))}\n"
    write_text(args.out, text)
    return 0


def _prompt(model: Any, args: argparse.Namespace) -> tuple[list[str], Any]:
    """Return the names of a model's tokens, if it has some, and what it is to continue."""
    from .inputs import ids_of_text, names_in, read_numbers

    tokens = names_in(model, "vocabulary") or names_in(model, "labels")
    takes_ids = not model.inputs[0].dtype.startswith("float")
    if args.input is not None:
        if args.prompt is not None or takes_ids:
            raise UserError("argument --input: expected --prompt alone, or a model of numbers")
        return tokens, read_numbers(args.input, args.columns, model.inputs[0].sample[-1])
    if not takes_ids and model.inputs[0].sample[-1] != len(tokens):
        raise UserError(f"{args.model}: the model continues numbers; expected --input")
    scores = model.output_shape[-1]
    if tokens and scores != len(tokens):
        raise UserError(
            f"{args.model}: the model returns {scores} numbers; expected a score of each of the "
            f"{len(tokens)} names of its vocabulary"
        )
    if tokens:
        start = next((name for name in ("\n", " ") if name in tokens), tokens[0])
        text = start if args.prompt is None else args.prompt
        return tokens, ids_of_text(text, tokens, "argument --prompt")
    try:
        return [], [int(word) for word in (args.prompt or "0").split()]
    except ValueError:
        raise UserError(
            f"argument --prompt: {args.prompt!r}; expected ids, for the model has no vocabulary"
        ) from None

"""`lstmfast predict`: the answers of a saved model."""

from __future__ import annotations

import argparse
from pathlib import Path

from .common import Parser, UserError, names, reason, write_file, write_text

HELP = "read inputs from a file and write the answers of a saved model"

_INPUT = (
    "F.csv: the first line names the columns; a row is a step and a column a feature; all rows are "
    "one sequence, or with --window each run of so many rows is one. For a model without steps a "
    "row is a sample. F.npy: an array of all samples, or of one. F.txt, for a model with a "
    "vocabulary: a line is a sample, of characters or words"
)
_OUTPUT = (
    "The output is CSV: the number of the sample, from 1 on; of answers with steps the step; the "
    "numbers that the model returns, or the label and its probability where the model's metadata "
    "have labels."
)


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_option("model", "MODEL", "a file of a saved model", Path)
    parser.add_option("--input", "F", _INPUT, Path, required=True)
    parser.add_option("--columns", "A,B", "of a CSV file (default: all)", names, default=[])
    parser.add_number("--window", 1, "steps of a sample (default: the model's number of steps)")
    parser.add_file(
        "--out", "F", "write here instead of to standard output: CSV, or the array itself as F.npy"
    )
    parser.epilog = _OUTPUT


def run(args: argparse.Namespace) -> int:
    """Predict and write."""
    from . import data

    model = data.read_model(args)
    inputs, outputs = 1 if model._decodes else len(model.inputs), len(model.outputs)
    if inputs > 1 or outputs > 1:
        counts = f"{inputs} inputs and {outputs} outputs"
        raise UserError(f"{args.model}: the model has {counts}; expected one of each")
    is_text = args.input.suffix.lower() == ".txt"
    x = data.lines(model, args.input) if is_text else data.samples(model, args)
    try:
        found = data.finite(data.unscaled(model.predict(x, verbose=0), model))
    except (MemoryError, TypeError, ValueError) as error:
        raise UserError(f"{args.input}: {reason(error)}") from None
    if args.out is None or args.out.suffix.lower() != ".npy":
        labels = data.names_in(model, "labels")
        write_text(args.out, data.answers_table(found, labels, as_text=is_text))
    elif isinstance(found, list):
        raise UserError(f"{args.out}: the answers differ in length; expected a name in .csv")
    else:
        write_file(args.out, data.npy(found))
    return 0

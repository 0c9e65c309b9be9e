"""`lstmfast predict`: the answers of a saved model."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from .common import (
    Parser,
    UserError,
    check_outputs,
    check_standard_output,
    names,
    reason,
    write_file,
    write_text,
)

HELP = "read inputs from a file and write the answers of a saved model"


def add_arguments(parser: Parser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="a file of a saved model")
    parser.add_argument(
        "--input",
        metavar="F",
        type=Path,
        required=True,
        help="F.csv: a row is a step and a column a feature, the first line names the columns; "
        "all rows are one sequence, or with --window each run of so many rows is one. For a model "
        "without steps a row is a sample. F.npy: an array of all samples, or of one. F.txt, for a "
        "model with a vocabulary: a line is a sample, of characters or words",
    )
    parser.add_argument(
        "--columns", metavar="A,B", type=names, default=[], help="of a CSV file (default: all)"
    )
    parser.add_number(
        "--window", 1, "steps of each sample (default: those that the model has, or all)"
    )
    parser.add_file(
        "--out",
        "F",
        "write here instead of to standard output: F.csv, or the array itself into F.npy",
    )
    parser.epilog = (
        "The output is CSV: the number of the sample, from 1 on; of answers with steps the step; "
        "the numbers that the model returns, or the label and its probability where the model's "
        "metadata have labels."
    )


def run(args: argparse.Namespace) -> int:
    """Predict and write."""
    import numpy as np

    from .inputs import names_in, read_model

    check_standard_output(args.out)
    check_outputs([args.out], [args.model, args.input])
    model = read_model(args.model)
    is_text = args.input.suffix.lower() == ".txt"
    x = _lines(model, args.input) if is_text else _samples(model, args)
    try:
        found: Any = model.predict(x, verbose=0)
    except (MemoryError, ValueError) as error:
        raise UserError(f"{args.input}: {reason(error)}") from None
    if len(model.outputs) > 1:
        raise UserError(f"{args.model}: the model has {len(model.outputs)} outputs; expected one")
    if args.out is None or args.out.suffix.lower() != ".npy":
        write_text(args.out, answers_table(found, names_in(model, "labels"), is_text))
        return 0
    if isinstance(found, list):
        raise UserError(f"{args.out}: the answers differ in length; expected a name in .csv")
    content = io.BytesIO()
    np.save(content, found)
    write_file(args.out, content.getvalue())
    return 0


def _lines(model: Any, path: Path) -> list[Any]:
    """Return the ids of each line of a text file."""
    from .inputs import ids_of_text, names_in, read_lines

    vocabulary = names_in(model, "vocabulary")
    if not vocabulary:
        raise UserError(f"{path}: the model has no vocabulary; expected a .csv or .npy file")
    found = []
    for number, line in enumerate(read_lines(path), 1):
        found.append(ids_of_text(line, vocabulary, f"{path} line {number}"))
        if not found[-1].size:
            raise UserError(f"{path} line {number} is empty; expected a sample")
    return found


def _samples(model: Any, args: argparse.Namespace) -> Any:
    """Return samples of numbers, (N, ...) as the model takes them."""
    import numpy as np

    from lstmfast.forecasting.errors import counted

    from .inputs import read_numbers

    if len(model.inputs) > 1 and not model._decodes:
        raise UserError(f"{args.model}: the model has {len(model.inputs)} inputs; expected one")
    sample: tuple[int | None, ...] = model.inputs[0].sample
    takes_ids = not model.inputs[0].dtype.startswith("float")
    array = read_numbers(args.input, args.columns, 1 if takes_ids else sample[-1])
    if takes_ids and args.input.suffix.lower() == ".csv" and (array % 1 == 0).all():
        array = array[:, 0].astype(np.int64)
    elif array.ndim == 1 and sample[1:] == (1,):
        array = array[:, np.newaxis]
    given, window = array.shape, args.window
    if _fits(given[1:], sample) and not window:
        return array
    has_steps = takes_ids or len(sample) > 1
    if not has_steps or not _fits(given, (None, *sample[1:])):
        sizes = ", ".join("T" if size is None else str(size) for size in sample)
        one = "" if window or not has_steps else f", or ({sizes}) of one sample"
        whole = f"({sizes}), one sequence" if window else f"(N, {sizes})"
        raise UserError(f"{args.input} has shape {given}; expected {whole}{one}")
    if window and sample[0] not in (None, window):
        raise UserError(f"argument --window: {window}; the model takes {sample[0]} steps")
    steps = window or sample[0] or len(array)
    if len(array) < steps:
        found = counted(len(array), "step")
        raise UserError(f"{args.input} has {found}; expected at least {steps}")
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(array, steps, axis=0), -1, 1)


def _fits(shape: tuple[int, ...], sample: tuple[int | None, ...]) -> bool:
    return len(shape) == len(sample) and all(
        expected in (None, size) for size, expected in zip(shape, sample, strict=True)
    )


def answers_table(answers: Any, labels: list[str], as_text: bool = False) -> str:
    """Return a CSV table of the answers to samples; as_text: one with steps is one text."""
    import numpy as np

    from lstmfast.tasks._words import joined

    head: list[str] = []
    rows: list[list[Any]] = []
    for number, answer in enumerate(answers, 1):
        are_ids = answer.dtype.kind in "iu"
        has_steps = answer.ndim > (0 if are_ids else 1)
        values = answer.reshape(len(answer) if has_steps else 1, -1)
        best = values[:, 0] if are_ids else values.argmax(axis=1)
        if not labels or (not are_ids and values.shape[1] != len(labels)):
            many = values.shape[1] > 1
            head = [f"prediction{f'_{k}' if many else ''}" for k in range(1, values.shape[1] + 1)]
            cells = values.tolist() if values.dtype == np.float64 else values.astype(str).tolist()
        elif as_text and has_steps:
            head, cells = ["prediction"], [[joined(labels, best)]]
            has_steps = False
        elif are_ids:
            head, cells = ["label"], [[labels[k]] for k in best]
        else:
            is_probability = np.allclose(values.sum(axis=1), 1.0, atol=1e-3)
            head = ["label", "probability" if is_probability else "score"]
            cells = [[labels[k], str(row[k])] for k, row in zip(best, values, strict=True)]
        rows += [
            [number, *([step] if has_steps else []), *each] for step, each in enumerate(cells, 1)
        ]
        head = ["sample", *(["step"] if has_steps else []), *head]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue()

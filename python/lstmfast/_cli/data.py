"""What `predict` and `generate` read and write: models, tables of numbers, lines of text."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast._arrays import Array, expect
from lstmfast.forecasting.cells import parse_numbers
from lstmfast.forecasting.errors import DataError, counted
from lstmfast.forecasting.table import read_table
from lstmfast.forecasting.text_file import read_text
from lstmfast.tasks._words import joined

from .common import UserError, check_outputs, check_standard_output, reason

_MODELS = ".safetensors", ".keras", ".h5"
_WHOLE, _OR_GAP = "a whole number", "a number or nothing"  # that files must hold
_MOST_SHOWN = 200  # characters of a vocabulary in a message


def read_model(args: argparse.Namespace) -> Any:
    """Return the model that a command names, once its output is known to be possible."""
    check_standard_output(args.out)
    check_outputs([args.out], filter(None, [args.model, args.input]))
    return load(args.model)


def load(path: Path) -> Any:
    """Return a saved model."""
    from lstmfast.models import load_model

    try:
        return load_model(path, compile=False)
    except (ImportError, OSError, ValueError) as error:
        is_named = isinstance(error, OSError) or path.suffix in _MODELS
        text = f"{path}: not a saved model; expected {' or '.join(_MODELS)}"
        raise UserError(reason(error) if is_named else text) from None


def takes_ids(model: Any) -> bool:
    """Tell whether a model takes ids of tokens."""
    return not model.inputs[0].dtype.startswith("float")


def names_in(model: Any, key: str) -> list[str]:
    """Return the names of tokens ("vocabulary") or classes ("labels") in a model's metadata."""
    names = model.metadata.get(key)
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_list else []


def are_words(names: Sequence[str]) -> bool:
    """Tell whether names are those of words, with spaces between them, and not of characters."""
    return any(len(name) > 1 for name in names)


def ids_of_text(text: str, names: Sequence[str], where: str) -> Array:
    """Return the ids of the words or characters of a text."""
    tokens = text.split() if are_words(names) else list(text)
    ids = {name: place for place, name in enumerate(names)}
    unknown = [token for token in dict.fromkeys(tokens) if token not in ids]
    if unknown:
        known = ", ".join(filter(str.strip, names)) if are_words(names) else repr("".join(names))
        if len(known) > _MOST_SHOWN:
            known = f"{known[:_MOST_SHOWN]}... ({len(names)} in all)"
        missing = ", ".join(map(repr, unknown[:5]))
        raise UserError(f"{where} has {missing}; the model's vocabulary has {known}")
    return np.array([ids[token] for token in tokens], np.int32)


def read_numbers(
    path: Path, columns: Sequence[str], features: int | None, expected: str = "a number"
) -> Array:
    """Return an array of a .npy file, or columns of a CSV file, all by default: (rows, columns)."""
    kind = path.suffix.lower()
    if kind != ".csv" and columns:
        raise UserError(f"argument --columns: {path} has none; expected a .csv file")
    try:
        if kind == ".npy":
            return _array(path, expected)
        if kind == ".csv":
            return _columns(path, columns, features, expected)
    except ValueError as error:
        raise UserError(reason(error)) from None
    raise UserError(f"{path}: expected a name that ends in .csv, .npy or .txt")


def _array(path: Path, expected: str) -> Array:
    try:
        array: Array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except (EOFError, ValueError):  # numpy's message speaks of pickles
        raise DataError(f"{path}: expected an array of numbers, from numpy.save") from None
    if array.dtype.kind not in "fiub":
        raise DataError(f"{path} has dtype {array.dtype}; expected numbers")
    is_known = np.isfinite(array) | (np.isnan(array) & (expected == _OR_GAP))
    expect(is_known, array, "predict", str(path), "finite numbers")
    return array


def _columns(path: Path, names: Sequence[str], features: int | None, expected: str) -> Array:
    notes: list[str] = []
    table = read_table(path, names)
    columns = [table.column(name) for name in names or table.header]
    if features not in (None, len(columns)):
        found = f"{counted(len(columns), 'column')} ({', '.join(each.name for each in columns)})"
        raise DataError(f"{path}: {found}; the model takes {features} (choose with --columns)")
    values = []
    for column in columns:
        cells = parse_numbers(column, notes, delimiter=table.delimiter, allow_missing=True)
        values.append(cells)
        if np.isnan(cells).any() and expected != _OR_GAP:
            raise column.error(int(np.isnan(cells).argmax()), f"is empty; expected {expected}")
        if expected == _WHOLE and np.mod(cells, 1).any():
            raise column.unexpected(int(np.mod(cells, 1).argmax()), expected)
    print(*notes, sep="\n", end="\n" * bool(notes), file=sys.stderr)
    return np.array(values).T


def lines(model: Any, path: Path) -> list[Any]:
    """Return the ids of each line of a text file, filled up as the model has learnt."""
    vocabulary = names_in(model, "vocabulary")
    if not vocabulary:
        raise UserError(f"{path}: the model has no vocabulary; expected a .csv or .npy file")
    try:
        lines = read_text(path).splitlines() or [""]
    except DataError as error:
        raise UserError(str(error)) from None
    steps = model.metadata.get("steps")
    found = []
    for number, line in enumerate(lines, 1):
        ids = ids_of_text(line, vocabulary, f"{path} line {number}")
        if not ids.size:
            raise UserError(f"{path} line {number} is empty; expected a sample")
        room = max(0, steps - ids.size) if isinstance(steps, int) else 0
        is_before = model.metadata.get("blanks") == "before"
        found.append(np.pad(ids, (room, 0) if is_before else (0, room)))
    return found


def samples(model: Any, args: argparse.Namespace) -> Any:
    """Return samples of numbers, (N, ...) as the model takes them."""
    sample: tuple[int | None, ...] = model.inputs[0].sample
    of_ids, window, about = takes_ids(model), args.window, model.metadata
    is_row = about.get("rows") == "sequences"  # a row is a sequence of numbers, not a step
    columns = args.columns or names_in(model, "columns")
    features = 1 if of_ids else None if is_row else sample[-1]
    expected = _WHOLE if of_ids else _OR_GAP if "padding" in about else "a number"
    array = read_numbers(args.input, columns, features, expected)
    if of_ids and args.input.suffix.lower() == ".csv":
        array = array[:, 0].astype(np.int64)
    elif not of_ids:
        array = scaled(array, about, is_row)
        array = array[:, np.newaxis] if array.ndim == 1 and sample[1:] == (1,) else array
    if _fits(array.shape[1:], sample) and not window:
        return array
    has_steps = of_ids or len(sample) > 1
    if not has_steps or not _fits(array.shape, (None, *sample[1:])):
        sizes = ", ".join("T" if size is None else str(size) for size in sample)
        one = "" if window or not has_steps else f", or ({sizes}) of one sample"
        whole = f"({sizes}), one sequence" if window else f"(N, {sizes})"
        raise UserError(f"{args.input} has shape {array.shape}; expected {whole}{one}")
    steps = window or sample[0] or len(array)
    if steps != (sample[0] or steps):
        raise UserError(f"argument --window: {window}; the model takes {sample[0]} steps")
    if len(array) < steps:
        raise UserError(f"{args.input} has a length of {len(array)}; expected at least {steps}")
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(array, steps, axis=0), -1, 1)


def scaled(array: Array, about: Mapping[str, Any], is_row: bool = False) -> Array:
    """Return numbers as a model learnt from them, by its metadata; gaps are the mean."""
    try:
        array = (array - np.array(about.get("mean", 0.0))) / np.array(about.get("deviation", 1.0))
        array = array[..., np.newaxis] if is_row else array
        if "padding" in about:
            empty = np.isnan(array).all(axis=-1, keepdims=True)
            array = np.where(empty, about["padding"], np.nan_to_num(array))
    except (TypeError, ValueError):
        expected = np.shape(about.get("mean", 0.0))
        raise UserError(f"the model's mean has shape {expected}; the data {array.shape}") from None
    return array


def unscaled(answers: Any, model: Any) -> Any:
    """Return answers in their own unit, by a model's metadata."""
    scale = model.metadata.get("answers")
    deviation = scale.get("deviation") if isinstance(scale, dict) else None
    is_number = isinstance(deviation, int | float) and isinstance(answers, np.ndarray)
    return answers * np.asarray(deviation, answers.dtype) if is_number else answers


def finite(answers: Any) -> Any:
    """Return answers to samples if all their numbers are finite, or raise a ValueError."""
    for number, answer in enumerate(answers, 1):
        where = f"the answer to sample {number}"
        expect(np.isfinite(answer), answer, "predict", where, "a finite number")
    return answers


def _fits(shape: tuple[int, ...], sample: tuple[int | None, ...]) -> bool:
    same = len(shape) == len(sample)
    return same and all(b in (None, a) for a, b in zip(shape, sample, strict=True))


def answers_table(answers: Any, labels: list[str], as_text: bool = False) -> str:
    """Return a CSV table of the answers to samples; as_text: one with steps is one text."""
    head: list[str] = []
    rows: list[list[Any]] = []
    for number, answer in enumerate(answers, 1):
        are_ids = answer.dtype.kind in "iu"
        has_steps = answer.ndim > (0 if are_ids else 1)
        values = answer.reshape(len(answer) if has_steps else 1, -1)
        best = values[:, 0] if are_ids else values.argmax(axis=1)
        known = [*labels, *[""] * (best.max() + 1 - len(labels))]  # a start token has no name
        if not labels or (not are_ids and values.shape[1] != len(labels)):
            ends = [f"_{k + 1}" for k in range(values.shape[1])] if values.shape[1] > 1 else [""]
            head = [f"prediction{end}" for end in ends]
            cells = values.astype(str).tolist()
        elif as_text and has_steps:
            head, cells, has_steps = ["prediction"], [[joined(known, best)]], False
        elif are_ids:
            head, cells = ["label"], [[known[k]] for k in best]
        else:
            is_probability = np.allclose(values.sum(axis=1), 1.0, atol=1e-3)
            head = ["label", "probability" if is_probability else "score"]
            cells = [[labels[k], str(row[k])] for k, row in zip(best, values, strict=True)]
        steps = [[step] if has_steps else [] for step in range(1, len(cells) + 1)]
        rows += [[number, *step, *each] for step, each in zip(steps, cells, strict=True)]
        head = ["sample", *(["step"] if has_steps else []), *head]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    return text.getvalue()


def npy(array: Array) -> bytes:
    """Return an array as a .npy file."""
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()

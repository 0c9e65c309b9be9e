"""What `predict` and `generate` read: models, tables of numbers, lines of text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.forecasting.cells import parse_numbers
from lstmfast.forecasting.errors import DataError, counted
from lstmfast.forecasting.table import read_table
from lstmfast.forecasting.text_file import read_text

from .common import UserError, reason

_MOST_SHOWN = 200  # characters of a vocabulary in a message


def read_model(path: Path) -> Any:
    """Return a saved model."""
    from lstmfast.models import load_model

    try:
        return load_model(path, compile=False)
    except (ImportError, OSError, ValueError) as error:
        raise UserError(reason(error)) from None


def names_in(model: Any, key: str) -> list[str]:
    """Return the names of tokens ("vocabulary") or classes ("labels") in a model's metadata."""
    names = model.metadata.get(key)
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_list else []


def ids_of_text(text: str, names: Sequence[str], where: str) -> Array:
    """Return the ids of the characters of a text, or of its words where names are longer."""
    of_words = any(len(name) > 1 for name in names)
    tokens = text.split() if of_words else list(text)
    ids = {name: place for place, name in enumerate(names)}
    unknown = [token for token in dict.fromkeys(tokens) if token not in ids]
    if unknown:
        known = ", ".join(filter(str.strip, names)) if of_words else repr("".join(names))
        if len(known) > _MOST_SHOWN:
            known = f"{known[:_MOST_SHOWN]}... ({len(names)} in all)"
        missing = ", ".join(map(repr, unknown[:5]))
        raise UserError(f"{where} has {missing}; the model's vocabulary has {known}")
    return np.array([ids[token] for token in tokens], np.int32)


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, at least one."""
    try:
        lines = read_text(path).splitlines()
    except DataError as error:
        raise UserError(str(error)) from None
    if not lines:
        raise UserError(f"{path}: the file is empty")
    return lines


def read_numbers(path: Path, columns: Sequence[str], features: int | None) -> Array:
    """Return an array of a .npy file, or the columns of a CSV file (rows, columns).

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Names of the columns to read; by default all.
    features : int, optional
        How many columns are expected.
    """
    kind = path.suffix.lower()
    if kind == ".npy":
        if columns:
            raise UserError(f"argument --columns: {path} has none; expected a .csv file")
        try:
            array: Array = np.load(path, allow_pickle=False)
        except OSError as error:
            raise UserError(f"{path}: {error.strerror or error}") from None
        except (EOFError, ValueError):  # numpy's message speaks of pickles
            raise UserError(f"{path}: expected an array of numbers, from numpy.save") from None
        if array.dtype.kind not in "fiub":
            raise UserError(f"{path} has dtype {array.dtype}; expected numbers")
        return array
    if kind != ".csv":
        raise UserError(f"{path}: expected a name that ends in .csv, .npy or .txt")
    notes: list[str] = []
    try:
        table = read_table(path, columns)
        found = [table.column(name) for name in columns or table.header]
        if features not in (None, len(found)):
            names = ", ".join(column.name for column in found)
            raise UserError(
                f"{path}: {counted(len(found), 'column')} ({names}); the model takes {features} "
                "(choose with --columns)"
            )
        values = [
            parse_numbers(column, notes, delimiter=table.delimiter, allow_missing=True)
            for column in found
        ]
        for column, numbers in zip(found, values, strict=True):
            if np.isnan(numbers).any():
                raise column.error(int(np.isnan(numbers).argmax()), "is empty; expected a number")
    except DataError as error:
        raise UserError(str(error)) from None
    for note in notes:
        print(note, file=sys.stderr)
    return np.array(values).T

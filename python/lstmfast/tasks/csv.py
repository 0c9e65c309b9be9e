"""Sequences, in a CSV file of the user's or made, are classified by one column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import string
from lstmfast._files import path_text
from lstmfast.forecasting.cells import Column, parse_numbers
from lstmfast.forecasting.errors import DataError, counted
from lstmfast.forecasting.table import Table, read_table

from ._given import Given
from ._records import Part, Settings
from ._words import numbers

_CHARTS = ("cyclic", "falling", "normal", "rising", "shifted down", "shifted up")
_STEPS, _MADE = 60, 900
_PADDING = -1000.0  # in steps that a sequence does not have
_SHARES = (0.6, 0.75)  # the first sequences train, those up to the second share validate
_FEWEST = 20


class Sequences(NamedTuple):
    """Values (N, T, F), NaN where there are none, the class of each sequence, names in the file."""

    values: Array
    classes: Sequence[str]
    columns: Sequence[str] = ()


def control_charts(rng: np.random.Generator) -> Sequences:
    """Return measurements about 30 that are as they should be, or go wrong in one of five ways."""
    kind, time = np.arange(_MADE) % len(_CHARTS), np.arange(_STEPS)
    period, height, slope, step, start = rng.uniform(
        [10, 10, 0.2, 7.5, _STEPS / 3], [15, 15, 0.5, 20, 2 * _STEPS / 3], (_MADE, 5)
    ).T[..., np.newaxis]
    ramp, jump = slope * time, step * (time >= start)
    wave = height * np.sin(2 * np.pi * time / period)
    added = np.choose(kind[:, np.newaxis], [wave, -ramp, 0, ramp, -jump, jump])
    values = 30 + 2 * rng.uniform(-3, 3, added.shape) + added
    return Sequences(values[..., np.newaxis], [_CHARTS[i] for i in kind])


def read_sequences(path: Path, column: str, group: str) -> Sequences:
    """Return the sequences of a CSV file; `Csv` says what its columns are."""
    table = read_table(path, [name for name in (column, group) if name])
    column = column or next(name for name in reversed(table.header) if name)
    classes = table.column(column)
    if column == group:
        raise DataError(f'{path}: column and group are both "{group}"; expected two columns')
    groups = table.column(group) if group else None
    for named, expected in ((classes, "a class"), (groups, "the name of a sequence")):
        if named is not None and "" in named.cells:
            raise named.error(named.cells.index(""), f"is empty; expected {expected}")
    names = [name for name in table.header if name not in ("", column, group)]
    columns = [each for each in map(table.column, names) if _has_numbers(each, table)]
    if not columns:
        raise DataError(f'{path}: no column of numbers besides "{column}"')
    read = [
        parse_numbers(each, [], delimiter=table.delimiter, allow_missing=True) for each in columns
    ]
    values = np.array(read).T
    if groups is None:
        found = Sequences(values[..., np.newaxis], classes.cells)
    else:
        found = _grouped(values, classes, groups)
    size, kinds = len(found.classes), len(set(found.classes))
    if size < _FEWEST:
        raise DataError(f"{path}: {counted(size, 'sequence')}; expected at least {_FEWEST}")
    if not 1 < kinds <= size / 2:
        what = f'{kinds} {"class" if kinds == 1 else "classes"} in column "{column}"'
        raise DataError(f"{path}: {what}; expected 2 to {size // 2}")
    return found._replace(columns=[each.name for each in columns])


def _has_numbers(column: Column, table: Table) -> bool:
    def is_number(cell: str) -> bool:
        try:
            parse_numbers(Column([cell], column.name, str), [], delimiter=table.delimiter)
        except DataError:
            return False
        return True

    return any(map(is_number, column.cells))


def _grouped(values: Array, classes: Column, groups: Column) -> Sequences:
    """Return the rows of each group as one sequence, in their order."""
    _, firsts, group = np.unique(list(groups.cells), return_index=True, return_inverse=True)
    for row, first in enumerate(firsts[group]):
        if classes.cells[row] != classes.cells[first]:
            expected = f'"{classes.cells[first]}", the class of "{groups.cells[row]}" above'
            raise classes.unexpected(row, expected)
    order = group.argsort(kind="stable")
    sizes = np.bincount(group)
    step = np.arange(len(order)) - np.repeat(sizes.cumsum() - sizes, sizes)
    padded = np.full((len(sizes), sizes.max(), values.shape[1]), np.nan)
    padded[group[order], step] = values[order]
    return Sequences(padded, [classes.cells[row] for row in firsts])


@dataclass(kw_only=True)
class Csv(Given):
    """Tell the classes of sequences in a CSV file; by default six kinds of control charts.

    Each column is standardised with the mean and the deviation of the training part; an empty cell
    counts as the mean. Columns without any number are left out. Of the sequences, in random order,
    60 % train, 15 % validate and 25 % test.

    Parameters
    ----------
    file : Path, optional
        The CSV file, its first line the names of the columns.
    column : str
        The column with the class; by default the last one.
    group : str
        The column that says which rows are the steps of one sequence, in their order; by default
        each row is a sequence, and its columns of numbers, from left to right, are the steps.
    """

    file: Path | None = None
    column: str = ""
    group: str = ""

    mode = "many to one"
    source = (
        "Alcock and Manolopoulos: Time-Series Similarity Queries Employing a Feature-Based "
        "Approach, 1999"
    )

    def __post_init__(self) -> None:
        for name in ("column", "group"):
            string(getattr(self, name), name, self.name)
            if self.file is None and getattr(self, name):
                raise ValueError(f"[csv] {name} is given without file; expected both")
        if self.file is not None:
            self.file = Path(path_text(self.file, self.name))
        super().__post_init__()
        _ = self.sequences  # read now, so that a file that cannot be read is refused here

    @property
    def settings(self) -> Settings:  # type: ignore[override]
        """A small model, and all sequences."""
        size = len(self.sequences.classes)
        first, second = (int(share * size) for share in _SHARES)
        return Settings(
            units=32, epochs=50, learning_rate=0.01, samples=(first, second - first, size - second),
            model={"mask_value": _PADDING},
        )  # fmt: skip

    @property
    def target(self) -> float:  # type: ignore[override]
        """Nearly all charts; of a file half of the mistakes that one class for all makes."""
        return 0.95 if self.file is None else (1 + self.chance) / 2

    @cached_property
    def sequences(self) -> Sequences:
        """All sequences, in random order."""
        rng = np.random.default_rng(self.seed)
        if self.file is None:
            found = control_charts(rng)
        else:
            found = read_sequences(self.file, self.column, self.group)
        order = rng.permutation(len(found.classes))
        classes = [found.classes[i] for i in order]
        return Sequences(found.values[order], classes, found.columns)

    @cached_property
    def labels(self) -> Sequence[str]:  # type: ignore[override]
        """The classes, in the order of the alphabet."""
        return sorted(set(self.sequences.classes))

    @cached_property
    def scale(self) -> tuple[Array, Array]:
        """Mean and deviation of each column in the training part."""
        train = np.ma.masked_invalid(self.sequences.values[: self.settings.samples[0]])
        axes = (0, 1) if self.group else (0,)
        spread = train.std(axes).filled(0.0)
        return train.mean(axes).filled(0.0), np.where(spread > 0.0, spread, 1.0)

    @property
    def metadata(self) -> dict[str, Any]:
        """What files of a model hold: also which columns it reads, and how."""
        mean, spread = (each.ravel().tolist() for each in self.scale)
        found = {"mean": mean, "deviation": spread, "padding": _PADDING}
        rows = {} if self.group else {"rows": "sequences"}
        return {**super().metadata, **found, **rows, "columns": list(self.sequences.columns)}

    @cached_property
    def data(self) -> Part:  # type: ignore[override]
        """All sequences, standardised; steps without any number are masked."""
        values, (mean, spread) = self.sequences.values, self.scale
        x = np.nan_to_num((values - mean) / spread)
        x[np.isnan(values).all(axis=2)] = _PADDING
        return Part(x.astype(np.float32), np.searchsorted(self.labels, self.sequences.classes))

    def show_x(self, x: Array) -> str:
        """Return the numbers as they stand in the file."""
        mean, spread = self.scale
        found = x * spread + mean
        found[np.abs(found) < 1e-6 * spread] = 0.0  # what x, of float32, cannot tell from 0
        return numbers(found[(x != _PADDING).any(axis=1)])

"""Adapters for arrays that are read a batch at a time, in an order of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lstmfast.models.ragged import Padded
from lstmfast.models.sources.base import Batches

_STORES = ("h5py", "zarr", "tables")  # whose arrays lie in files


def is_on_disk(value: Any, dtype: Any, lists: int = 2) -> bool:
    """Tell whether an array, or one in lists and dictionaries, lies in a file.

    Those that the core can read where they are do not count: of that dtype, in C order. lists: in
    how many lists an array may stand, among the first items.
    """
    if isinstance(value, Padded):
        return is_on_disk(value.x, dtype, lists)
    if isinstance(value, Mapping) or type(value) in (list, tuple):
        items = value.values() if isinstance(value, Mapping) else value[:16]
        return lists > 0 and any(is_on_disk(each, dtype, lists - 1) for each in items)
    if isinstance(value, np.ndarray):
        flags = value.flags
        ready = value.dtype == dtype and flags.c_contiguous and flags.aligned
        return isinstance(value, np.memmap) and not ready
    module = type(value).__module__.partition(".")[0]
    return module in _STORES and hasattr(value, "shape")


def rows_of(value: Any) -> int:
    """Return how many rows arrays have, which may stand in lists and dictionaries."""
    if isinstance(value, Mapping):
        return rows_of(next(iter(value.values())))
    return rows_of(value[0]) if isinstance(value, list | tuple) else len(value)


def with_arrays(value: Any) -> Any:
    """Return arrays in lists and dictionaries, with lists of numbers made arrays."""
    if isinstance(value, Mapping):
        return {key: with_arrays(each) for key, each in value.items()}
    if isinstance(value, Padded):
        return Padded(*map(with_arrays, value))
    if type(value) not in (list, tuple):
        return value
    if any(isinstance(each, Mapping) or hasattr(each, "shape") for each in value):
        return type(value)(map(with_arrays, value))
    return np.asarray(value)


def taken(value: Any, rows: Any) -> Any:
    """Return rows, by a slice or an array of numbers, of arrays in lists and dictionaries."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {key: taken(each, rows) for key, each in value.items()}
    if isinstance(value, Padded):
        return Padded(*(taken(each, rows) for each in value))
    if type(value) in (list, tuple):
        return type(value)(taken(each, rows) for each in value)
    if hasattr(value, "iloc"):
        return value.iloc[rows]
    if isinstance(rows, slice) or isinstance(value, np.ndarray):
        return np.asarray(value[rows])
    order = np.argsort(rows)  # files are read in their own order
    back = np.empty_like(order)
    back[order] = np.arange(len(rows))
    return np.asarray(value[rows[order]])[back]


class Rows(Batches):
    """Arrays, of which each batch takes rows.

    Parameters
    ----------
    parts : tuple
        x, y and the weights, as users give them.
    samples : range
        The rows that count.
    """

    uses_order = True

    def __init__(
        self,
        parts: tuple[Any, Any, Any],
        samples: range,
        where: str,
        steps: int | None,
    ) -> None:
        super().__init__(where, steps)
        self.parts = parts
        self.samples = samples
        self.batch_size = 32

    @property
    def length(self) -> int:  # type: ignore[override]
        """Batches in a pass."""
        return -(-len(self.samples) // self.batch_size)

    def _batch(self, rows: Any) -> Any:
        return tuple(taken(part, rows) for part in self.parts)

    def first(self) -> Any:
        """Return a batch like the first one, which stays."""
        first = self.samples.start
        return self._batch(slice(first, min(first + self.batch_size, self.samples.stop)))

    def new_pass(self) -> Iterator[Any]:
        """Return an iterator over the batches of a pass."""
        first, size, count = self.samples.start, self.batch_size, len(self.samples)
        starts = range(0, count, size)
        if self.order is None:
            ends = [slice(first + at, first + min(at + size, count)) for at in starts]
            return map(self._batch, ends)
        order = first + self.order(count)
        return (self._batch(order[at : at + size]) for at in starts)

    def cut(self, samples: range) -> Rows:
        """Return other rows of the same arrays."""
        other = Rows(self.parts, samples, self.where, self.steps)
        other.batch_size = self.batch_size
        return other

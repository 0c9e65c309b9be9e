"""Which adapter is for what a user gives."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from lstmfast._checks import wrong_kind
from lstmfast._foreign import is_array_like
from lstmfast.models.data import ArrayNames
from lstmfast.models.ragged import Padded, ragged_lengths
from lstmfast.models.sources.base import Batches
from lstmfast.models.sources.rows import Rows, is_on_disk, rows_of, with_arrays
from lstmfast.models.sources.streams import Iterated, Numbered


def is_batches(x: Any) -> bool:
    """Tell whether x gives batches: an iterator, a data set of Keras, torch or TensorFlow."""
    return not (x is None or isinstance(x, Mapping | Set | str | bytes) or is_array_like(x))


def batches_of(
    parts: tuple[Any, Any, Any],
    where: str,
    steps: int | None,
    names: ArrayNames,
    dtype: Any,
    of_steps: str,
) -> Batches | None:
    """Return the adapter for x, y and the weights; None: they are arrays that the core can read.

    names, of_steps: what errors call the three, and steps; dtype: the model's.
    """
    x, y, weights = parts
    name = names[0]
    if isinstance(x, Padded) and is_batches(x.x):
        raise ValueError(
            f"[{where}] lengths is given; expected None: {name} is of type {type(x.x).__name__}, "
            "whose batches bring their own, as lists of samples of different lengths"
        )
    if not is_batches(x):
        if not is_on_disk(parts, dtype) or ragged_lengths(x) is not None:
            return None
        x, y, weights = map(with_arrays, parts)
        return Rows((x, y, weights), range(rows_of(x)), where, steps)
    for other, value in zip(names[1:], (y, weights), strict=True):
        if value is not None:
            raise ValueError(
                f"[{where}] {other} is given; expected None: {name} is of type "
                f"{type(x).__name__}, whose batches bring their own"
            )
    of_torch = any(base.__module__.startswith("torch.utils.data") for base in type(x).__mro__)
    if hasattr(x, "__getitem__"):
        if of_torch:
            raise wrong_kind(where, name, x, "a torch.utils.data.DataLoader of it, for batches")
        return Numbered(x, where, steps, of_steps)
    return Iterated(x, where, steps, of_steps)

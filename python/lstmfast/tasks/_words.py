"""Samples in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array

BLANK = " "
"""The name of the token 0 where it fills shorter sequences up."""


def ids_of(texts: Sequence[Sequence[str]], names: Sequence[str], length: int) -> Array:
    """Return the ids of the tokens of texts (N, length), with 0 on the right of shorter ones."""
    ids = {name: place for place, name in enumerate(names)}
    return np.array([[*map(ids.__getitem__, text)] + [0] * (length - len(text)) for text in texts])


def joined(names: Sequence[str], ids: Iterable[int]) -> str:
    """Return names side by side, with spaces where one is longer than a letter.

    An id without a name, as that which starts a sequence, is left out.
    """
    space = "" if all(len(name) == 1 for name in names) else " "
    return space.join(names[i] for i in ids if i < len(names)).strip() or "(nothing)"


def numbers(values: Array, most: int = 10) -> str:
    """Return numbers in few digits, steps with several of them in brackets, the middle left out."""

    def text(step: Any) -> str:
        row = np.ravel(step)
        return f"{row[0]:.4g}" if row.size == 1 else f"({' '.join(f'{v:.3g}' for v in row)})"

    steps = [text(step) for step in np.atleast_1d(values)]
    if len(steps) > most:
        steps = [*steps[: most // 2], "...", *steps[-most // 2 :]]
    return " ".join(steps)

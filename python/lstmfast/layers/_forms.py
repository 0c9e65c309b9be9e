"""Options that layers keep in Keras's form and the core has in another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Form(NamedTuple):
    """How the core has an option, and how the attribute keeps it."""

    for_core: Callable[[Any], Any]
    kept: Callable[[Any], Any]


def _replaced(sizes: Any, old: int | None, new: int | None) -> Any:
    if not isinstance(sizes, tuple | list):
        return sizes
    return tuple(new if size == old else size for size in sizes)


def _flat(pairs: Any) -> Any:
    """Return ((1, 2), 3) as (1, 2, 3, 3), what else is given as it is."""
    nested = isinstance(pairs, tuple | list) and any(isinstance(p, tuple | list) for p in pairs)
    if not nested:
        return pairs
    ends = [p if isinstance(p, tuple | list) else (p, p) for p in pairs]
    return [one for pair in ends for one in pair] if all(len(p) == 2 for p in ends) else pairs


# sizes or axes, one of which may be -1; the core has None for it
OPEN = Form(lambda sizes: _replaced(sizes, -1, None), lambda sizes: _replaced(sizes, None, -1))
# (before, after) for rows and for columns
PAIRS = Form(_flat, lambda flat: (tuple(flat[:2]), tuple(flat[2:])))
DATA_FORMAT = Form(lambda given: given, lambda given: given or "channels_last")

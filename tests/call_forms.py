"""One array in the many forms in which a caller may have it, all with the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Form = Callable[[Array], Any]


class Holder:
    """No array, but it can make one."""

    def __init__(self, value: Array) -> None:
        self._value = value

    def __array__(self, *_: Any, **__: Any) -> Array:
        return self._value


class Subclass(np.ndarray):
    """An array of a class of its own."""


def unaligned(value: Array) -> Array:
    """A copy that begins at an odd address."""
    memory = np.zeros(value.nbytes + 1, np.uint8)[1:]
    copy = memory[: value.nbytes].view(value.dtype).reshape(value.shape)
    copy[...] = value
    return copy


def read_only(value: Array) -> Array:
    """A copy that nobody may write to."""
    copy = value.copy()
    copy.flags.writeable = False
    return copy


def every_second(value: Array) -> Array:
    """A copy with a gap after each element."""
    copy = np.repeat(value[..., None], 2, axis=-1)
    return copy[..., 0]


def backwards(value: Array) -> Array:
    """A copy that lies from its end to its beginning."""
    return np.array(value[tuple([slice(None, None, -1)] * value.ndim)])[
        tuple([slice(None, None, -1)] * value.ndim)
    ]


PLACES: tuple[Form, ...] = (
    np.array, np.asfortranarray, unaligned, read_only, every_second, backwards, Holder,
    lambda a: a.astype(a.dtype.newbyteorder()), lambda a: a.view(Subclass), np.ma.masked_array,
)  # fmt: skip
# The others need elements: a list of none has lost its shape.

# of numbers that are those of float32, exact in every one
FLOATS: tuple[Form, ...] = (
    *PLACES,
    lambda a: a.astype(np.float32),
    lambda a: a.astype(np.float64),
    lambda a: unaligned(a.astype(np.float64)),
    lambda a: a.astype(np.longdouble),
    lambda a: a.astype(object),
    np.ndarray.tolist,
    list,
)
INTEGERS: tuple[Form, ...] = (
    *PLACES, np.ndarray.tolist, lambda a: tuple(a.tolist()) if a.ndim else a.tolist(),
    lambda a: a.astype(np.int8), lambda a: a.astype(np.uint64), lambda a: a.astype(np.int32),
    lambda a: a.astype(object),
)  # fmt: skip
FLAGS: tuple[Form, ...] = (
    *(form for form in PLACES if form is not unaligned), np.ndarray.tolist,
    lambda a: a.astype(np.uint8), lambda a: unaligned(a.astype(np.int64)),
    lambda a: a.astype(object),
)  # fmt: skip

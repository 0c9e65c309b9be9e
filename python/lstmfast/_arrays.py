"""The only way from a caller's data to an array that the core takes.

Kind, dtype and memory order are settled here; shapes are checked where they are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lstmfast._checks import wrong_kind

if TYPE_CHECKING:  # numpy.typing takes 4 ms to load
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
ArrayLike: TypeAlias = Any
"""NumPy arrays, nested lists, numbers, torch or JAX arrays on the CPU, pandas objects, anything
with ``__array__`` or ``__dlpack__``."""

_DTYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}


def as_dtype(dtype: Any, where: str) -> np.dtype[Any]:
    """Return float32 or float64 as NumPy's dtype; any spelling that NumPy knows is accepted."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = repr(dtype)
    if name not in _DTYPES:
        raise ValueError(f"[{where}] dtype is {name}; expected float32 or float64")
    return _DTYPES[name]


def as_array(
    value: ArrayLike, where: str, name: str, kinds: str = "fiub", expected: str = "real numbers"
) -> Array:
    """Return any array-like as an array of numbers, copying only where NumPy must."""
    array: Array = value if type(value) is np.ndarray else _foreign_array(value, where, name)
    if array.dtype.kind not in kinds and (array.size or array.dtype.kind not in "fiub"):
        if array.shape == () and array.dtype.kind == "O":  # an iterator, a dictionary, a loader
            raise wrong_kind(where, name, array[()], "an array")
        raise TypeError(f"[{where}] {name} holds {array.dtype} values; expected {expected}")
    return array


def _foreign_array(value: ArrayLike, where: str, name: str) -> Array:
    if value is None:
        raise wrong_kind(where, name, value, "an array")
    try:
        if hasattr(value, "detach"):  # a torch tensor that requires gradients refuses to be read
            value = value.detach()
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(value, list | tuple):  # rows of different lengths
            raise ValueError(f"[{where}] {name} is not a full array: {error}") from None
        raise TypeError(
            f"[{where}] {name} is of type {type(value).__name__} and cannot be read as an array: "
            f"{error}"
        ) from error


def as_float(value: ArrayLike, dtype: np.dtype[Any], where: str, name: str) -> Array:
    """Return a C-contiguous array of `dtype`; it is `value` itself where that is one already."""
    if type(value) is np.ndarray and value.dtype == dtype:
        flags = value.flags
        if flags.c_contiguous and flags.aligned:
            return value
    array = as_array(value, where, name)
    try:
        with np.errstate(over="raise"):
            array = np.asarray(array, dtype=dtype, order="C")
    except FloatingPointError:
        raise ValueError(f"[{where}] {name} has values beyond {dtype}'s range") from None
    return array if array.flags.aligned else array.copy()


def as_integers(value: ArrayLike, where: str, name: str) -> NDArray[np.int64]:
    """Return a C-contiguous array of int64 for integers of any width; floats are refused."""
    array = as_array(value, where, name, "iu", "integers")
    return np.asarray(array, dtype=np.int64, order="C")


def as_flags(value: ArrayLike, where: str, name: str) -> NDArray[np.bool_]:
    """Return a C-contiguous array of booleans; integers must be 0 or 1."""
    array = as_array(value, where, name, "iub", "booleans")
    if array.dtype.kind in "iu" and array.size and not 0 <= array.min() <= array.max() <= 1:
        raise ValueError(f"[{where}] {name} holds other values than 0 and 1; expected booleans")
    return np.asarray(array, dtype=np.bool_, order="C")


def shape_text(shape: tuple[int | None, ...]) -> str:
    """Return a shape as messages write it: ``(15, 3, 1)``, ``()``, and ``?`` for any size."""
    sizes = ["?" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

"""The only way from a caller's data to an array that the core takes.

Kind, dtype and memory order are checked and converted here; shapes are checked by each operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lstmfast._checks import wrong_kind
from lstmfast._foreign import ARRAY, columns, held, plain_numbers, read

if TYPE_CHECKING:  # numpy.typing takes 4 ms to load
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
Data: TypeAlias = "Array | tuple[Array, ...]"
"""What an input carries: values of the model's dtype, int32 ids, or both, perhaps with a mask."""
ArrayLike: TypeAlias = Any
"""NumPy arrays, nested lists, numbers, torch or JAX arrays on the CPU, pandas objects, anything
with ``__array__`` or ``__dlpack__``."""

_DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in ("float32", "float64")}
_LARGEST = 2**63 - 1


def as_dtype(dtype: Any, where: str) -> np.dtype[Any]:
    """Return float32 or float64 as NumPy's dtype, for a name or dtype of NumPy, torch or Keras."""
    name = dtype_name(dtype)
    if name not in _DTYPES:
        raise ValueError(f"[{where}] dtype is {name}; expected float32 or float64")
    return _DTYPES[name]


def dtype_name(dtype: Any) -> str:
    """Return NumPy's name of a dtype of NumPy, torch or Keras."""
    try:
        return "None" if dtype is None else str(np.dtype(dtype).name)  # NumPy's None is float64
    except TypeError:
        # dtypes of other libraries: TensorFlow's and Keras's policies have a name, torch's have
        # none
        return str(getattr(dtype, "name", None) or repr(dtype).removeprefix("torch."))


def as_array(
    value: ArrayLike, where: str, name: str, kinds: str = "fiub", expected: str = "real numbers"
) -> Array:
    """Return any array-like as an array of numbers, copying only where NumPy must."""
    if value is None:
        raise wrong_kind(where, name, value, ARRAY)
    array: Array = value if type(value) is np.ndarray else read(value, where, name)
    if array.dtype.kind in "OV":
        parts = [
            as_array(column, where, f"column {title!r} of {name}", kinds, expected)
            for title, column in columns(value)
        ]
        array = np.stack(parts, axis=1) if parts else plain_numbers(array)
    if array.dtype.kind not in kinds and (array.size or array.dtype.kind not in "fiub"):
        if array.shape == () and array.dtype.kind == "O":
            raise wrong_kind(where, name, array[()], ARRAY)
        raise TypeError(f"[{where}] {name} holds {held(array)} values; expected {expected}")
    return array


def as_float(value: ArrayLike, dtype: np.dtype[Any], where: str, name: str) -> Array:
    """Return a C-contiguous array of `dtype`; it is `value` itself where that is one already."""
    if type(value) is np.ndarray and (value.dtype is dtype or value.dtype == dtype):
        flags = value.flags
        if flags.c_contiguous and flags.aligned:
            return value
    try:
        array = as_array(value, where, name)
        with np.errstate(over="raise"):
            array = np.asarray(array, dtype=dtype, order="C")
    except (FloatingPointError, OverflowError):  # OverflowError: from Python's integers
        raise ValueError(f"[{where}] {name} has values beyond {dtype}'s range") from None
    return _aligned(array)


def described(value: Array) -> dict[str, Any]:
    """Return how Keras's files and configurations hold an array."""
    held = {"value": value.tolist(), "dtype": value.dtype.name}
    return {"class_name": "__numpy__", "config": held}


class ResultArray(np.ndarray):
    """An array with the method of TensorFlow's tensors."""

    def numpy(self) -> Array:
        """Return the plain array, which shares the memory."""
        return self.view(np.ndarray)

    def __array_wrap__(self, array: Any, *_: Any) -> Any:
        return array.view(ResultArray) if array.ndim else array.view(np.ndarray)[()]

    def __repr__(self) -> str:
        return repr(self.numpy())


class Result(float):
    """A number with the method of TensorFlow's tensors."""

    def numpy(self) -> float:
        """Return the plain number."""
        return float(self)


def as_integers(value: ArrayLike, where: str, name: str) -> NDArray[np.int64]:
    """Return a C-contiguous array of int64 for integers of any width; floats are refused."""
    array = as_array(value, where, name, "iu", "integers")
    if array.dtype == np.uint64 and array.size and int(array.max()) > _LARGEST:
        raise ValueError(f"[{where}] {name} holds {array.max()}; expected at most {_LARGEST}")
    return _aligned(np.asarray(array, dtype=np.int64, order="C"))


def as_ids(value: ArrayLike, below: int, where: str, name: str) -> NDArray[np.int32]:
    """Return a C-contiguous array of int32 for whole numbers of any dtype; 0: below no limit."""
    array = as_array(value, where, name)
    most = (below or 2**31) - 1
    right = (array >= 0) & (array <= most)
    if array.dtype.kind == "f":
        right &= array == np.floor(array)
    expect(right, array, where, name, f"whole numbers from 0 to {most}")
    return _aligned(np.asarray(array, dtype=np.int32, order="C"))


def as_weights(value: ArrayLike, dtype: np.dtype[Any], where: str, name: str) -> Array:
    """Return what `as_float` does for weights of samples."""
    array = as_float(value, dtype, where, name)
    right = (array >= 0) & np.isfinite(array)
    expect(right, array, where, name, "finite numbers of at least 0")
    return array


def as_flags(value: ArrayLike, where: str, name: str) -> NDArray[np.bool_]:
    """Return a C-contiguous array of booleans; integers must be 0 or 1."""
    array = as_array(value, where, name, "iub", "booleans")
    if array.dtype.kind in "iu" and array.size and not 0 <= array.min() <= array.max() <= 1:
        raise ValueError(f"[{where}] {name} holds other values than 0 and 1; expected booleans")
    return np.asarray(array, dtype=np.bool_, order="C")


def _aligned(array: Array) -> Array:
    return array if array.flags.aligned else array.copy()


def expect(right: Array, array: Array, where: str, name: str, expected: str) -> None:
    """Refuse an array unless all of its values are right; the error names the first wrong one."""
    if not right.all():
        place = np.argwhere(~right)[0].tolist()
        value = array[tuple(place)]
        raise ValueError(f"[{where}] {name}{place or ''} is {value}; expected {expected}")


def wrong_shape(
    where: str, name: str, shape: tuple[int, ...], expected: tuple[int | str, ...] | str
) -> ValueError:
    """Return the error for an argument of a wrong shape."""
    text = expected if isinstance(expected, str) else shape_text(expected)
    return ValueError(f"[{where}] {name} has shape {shape_text(shape)}; expected {text}")


def shape_text(shape: tuple[int | str | None, ...]) -> str:
    """Return a shape as messages write it: ``(15, 3, 1)``, ``()``, and ``?`` for any size."""
    sizes = ["?" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

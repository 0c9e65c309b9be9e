"""Conversion of values that are not NumPy arrays: lists, tensors, data frames, arrays of objects.

The type of a value is checked before NumPy sees it: NumPy reads any object with ``__getitem__``
until that raises IndexError, which that of a data set may never do.
"""

from __future__ import annotations

import array
import numbers
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._checks import wrong_kind
from lstmfast._core import item_types

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARRAY = "an array"
_PROTOCOLS = ("__array__", "__array_interface__", "__array_struct__", "__dlpack__")
DEEPEST = 64  # axes of an array: NumPy's limit


def read(value: Any, where: str, name: str) -> NDArray[Any]:
    """Return an array of any dtype for a value of any type; a TypeError names a wrong type."""
    _check_kind(value, where, name)
    try:
        if hasattr(value, "detach"):  # a torch tensor that requires gradients cannot be read
            value = value.detach()
            if str(getattr(value, "dtype", "")) == "torch.bfloat16":  # NumPy has no such type
                value = value.float()
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(value, list | tuple):
            reason = _why(value, error)
            raise ValueError(f"[{where}] {name} is not a full array: {reason}") from None
        raise TypeError(
            f"[{where}] {name} is of type {type(value).__name__} and cannot be read as an array: "
            f"{error}"
        ) from error


def _why(value: Sequence[Any], error: Exception) -> str:
    """Return the reason why NumPy cannot make an array of a list."""
    shapes = [str(tuple(item.shape)) for item in value if hasattr(item, "shape")]
    if len(shapes) == len(value) and len(set(shapes)) > 1:
        several = ", ".join(dict.fromkeys(shapes))
        return f"it is a list of arrays of shapes {several}; expected one shape"
    if "inhomogeneous" in str(error) or "ragged" in str(error):  # the latter: NumPy 1.23
        return "its rows differ in length; expected the same everywhere (pad the shorter ones)"
    return str(error)


def _check_kind(value: Any, where: str, name: str) -> None:
    """Refuse objects that are not arrays, sequences or numbers, also inside lists."""
    if type(value).__name__ == "PackedSequence":
        expected = (
            "a padded array, as torch.nn.utils.rnn.pad_packed_sequence returns it, and lengths= "
            "of lf.LSTM or mask= of layers"
        )
        raise wrong_kind(where, name, value, expected)
    above: list[Sequence[Any]] = [[value]]  # the lists with the items of a level
    for _ in range(DEEPEST + 1):
        kinds = item_types(above)
        for kind in kinds:
            if not _may_be_array(kind):
                first = next(item for each in above for item in each if type(item) is kind)
                if not _is_buffer(first):
                    raise _refusal(first, where, name, inside=first is not value)
            if issubclass(kind, np.ma.MaskedArray):
                for each in above:
                    for item in each:
                        _check_unmasked(item, where, name)
        lists = tuple(kind for kind in kinds if issubclass(kind, list | tuple))
        if not lists:
            return
        above = [item for each in above for item in each if isinstance(item, lists)]
    raise ValueError(
        f"[{where}] {name} has lists in lists deeper than {DEEPEST}, or one that holds itself; "
        f"expected {ARRAY}"
    )


def _may_be_array(kind: type) -> bool:
    """Tell whether NumPy may read objects of a type, that is whether reading one ends."""
    if issubclass(kind, Mapping | Set):
        return False
    if issubclass(kind, Sequence | array.array):
        return True
    if any(hasattr(kind, protocol) for protocol in _PROTOCOLS):
        return True
    return not (hasattr(kind, "__getitem__") or hasattr(kind, "__iter__"))


def is_array_like(value: Any) -> bool:
    """Tell whether a value may be read as an array."""
    return _may_be_array(type(value)) or _is_buffer(value)


def _is_buffer(value: Any) -> bool:
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


def _refusal(value: Any, where: str, name: str, inside: bool) -> TypeError:
    text = str(wrong_kind(where, f"an item of {name}" if inside else name, value, ARRAY))
    if not isinstance(value, Mapping | Set):
        text += " or nested lists of numbers; data sets and generators are x of fit, evaluate and"
        text += " predict alone"
    return TypeError(text)


def _check_unmasked(value: Any, where: str, name: str) -> None:
    masked = int(np.sum(np.ma.getmaskarray(value))) if isinstance(value, np.ma.MaskedArray) else 0
    if masked:
        raise ValueError(
            f"[{where}] {name} is a masked array with {masked} masked values; expected values "
            "everywhere: fill them with .filled(value)"
        )


def plain_numbers(found: NDArray[Any]) -> NDArray[Any]:
    """Convert arrays of Python numbers and of narrow floats to one of NumPy's dtypes.

    Such arrays come from data frames whose columns differ in type, and from bfloat16. Other arrays
    are returned unchanged.
    """
    if found.dtype.kind == "V":
        is_narrow_float = found.dtype.names is None and "float" in found.dtype.name
        return found.astype(np.float32) if is_narrow_float else found
    if not found.size or not all(map(_is_number, set(map(type, found.flat)))):
        return found
    plain = np.array(found.tolist())  # integers beyond 64 bits, fractions and such stay objects
    return plain.astype(np.float64) if plain.dtype.kind == "O" else plain


def _is_number(kind: type) -> bool:
    is_complex = issubclass(kind, complex | np.complexfloating)
    return issubclass(kind, numbers.Number | np.bool_) and not is_complex


def held(found: NDArray[Any]) -> str:
    """Return the kind of values that an array holds, for an error message."""
    if found.dtype.kind != "O":
        return str(found.dtype)
    others = [item for item in found.flat if not _is_number(type(item))]
    names = {"None" if item is None else type(item).__name__ for item in others}
    return " and ".join(sorted(names)) or "object"


def columns(value: Any) -> Iterable[tuple[str, Any]]:
    """Return the names and columns of a data frame; an empty list for other values."""
    if hasattr(value, "iloc") and hasattr(value, "columns"):
        return [(str(name), value.iloc[:, place]) for place, name in enumerate(value.columns)]
    return []

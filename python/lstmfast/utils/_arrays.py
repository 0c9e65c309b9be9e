"""Arrays made of what users have: classes as rows of zeros and a one, sequences of one length."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, shape_text, wrong_shape
from lstmfast._checks import choice, count, integer, wrong_kind


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> Array:
    """Return classes as rows of zeros with a one at the class.

    Parameters
    ----------
    x : array_like
        (...,) or (..., 1): whole numbers from 0.
    num_classes : int, optional
        How many there are; by default one more than the largest of `x`.

    Returns
    -------
    numpy.ndarray
        (..., num_classes), of float64.

    Raises
    ------
    ValueError
        For classes that are not from 0 to below `num_classes`.

    Examples
    --------
    >>> from lstmfast.utils import to_categorical
    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    where = "to_categorical"
    classes = as_array(x, where, "x").astype(np.int64)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if not num_classes:
        if not classes.size:
            raise ValueError(f"[{where}] x is empty; expected num_classes next to it")
        num_classes = int(classes.max()) + 1
    total = count(num_classes, "num_classes", where)
    low, high = (int(classes.min()), int(classes.max())) if classes.size else (0, 0)
    if low < 0 or high >= total:
        raise ValueError(
            f"[{where}] x holds {low if low < 0 else high}; expected whole numbers from 0 to "
            f"{total - 1}"
        )
    rows = np.zeros((*classes.shape, total))
    np.put_along_axis(rows, classes[..., None], 1.0, axis=-1)
    return rows


def normalize(x: ArrayLike, axis: int = -1, order: float = 2) -> Array:
    """Return an array whose vectors along an axis have norm 1; vectors of zeros stay.

    Parameters
    ----------
    x : array_like
        Numbers.
    axis : int
        The axis of the vectors.
    order : float
        Of the norm, as `numpy.linalg.norm` takes it.

    Returns
    -------
    numpy.ndarray
        Of the shape of `x`; of one vector alone, as in Keras, (1, n).

    Examples
    --------
    >>> from lstmfast.utils import normalize
    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    where = "normalize"
    array = as_array(x, where, "x")
    at = integer(axis, "axis", where)
    if not -array.ndim <= at < array.ndim:
        raise ValueError(
            f"[{where}] axis is {at}; expected one of x, which has shape {shape_text(array.shape)}"
        )
    norm = np.expand_dims(np.atleast_1d(np.linalg.norm(array, order, at)), at)
    return np.asarray(array / np.where(norm == 0, 1, norm))


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Array:
    """Return sequences of different lengths as one array: shorter ones padded, longer ones cut.

    Parameters
    ----------
    sequences : list of array_like
        Of each (steps, ...), with the same axes after the first.
    maxlen : int, optional
        The length of all; by default that of the longest.
    dtype : dtype
        Of the array; `object` for texts of any length.
    padding, truncating : {"pre", "post"}
        Whether steps are added, or removed, at the beginning or at the end.
    value : float or str
        What is added.

    Returns
    -------
    numpy.ndarray
        (len(sequences), maxlen, ...).

    Examples
    --------
    >>> from lstmfast.utils import pad_sequences
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    where = "pad_sequences"
    if not hasattr(sequences, "__len__") or isinstance(sequences, str | dict):
        raise wrong_kind(where, "sequences", sequences, "a list of sequences")
    before = choice(padding, "padding", where, "pre", "post") == "pre"
    last = choice(truncating, "truncating", where, "pre", "post") == "pre"
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise ValueError(f"[{where}] value is {value!r} and dtype {kind}; expected dtype=object")
    for place, each in enumerate(sequences):
        if not hasattr(each, "__len__"):
            raise wrong_kind(where, f"sequences[{place}]", each, "a sequence")
    lengths = [len(each) for each in sequences]
    longest = max(lengths, default=0) if maxlen is None else count(maxlen, "maxlen", where, 0)
    full = (each for each, length in zip(sequences, lengths, strict=True) if length)
    step = np.asarray(next(full, ())).shape[1:]
    padded = np.full((len(lengths), longest, *step), value, kind)
    for place, (each, length) in enumerate(zip(sequences, lengths, strict=True)):
        kept = min(length, longest)
        if not kept:
            continue
        part = np.asarray(each[length - kept :] if last else each[:kept], kind)
        if part.shape[1:] != step:
            expected = shape_text((length, *step))
            shape = (length, *part.shape[1:])
            raise wrong_shape(where, f"sequences[{place}]", shape, expected)
        padded[place, slice(longest - kept, None) if before else slice(kept)] = part
    return padded

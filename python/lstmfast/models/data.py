"""From what a user calls x and y to arrays that fit a model, with messages in the user's words."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, shape_text
from lstmfast._checks import count, number, wrong_kind
from lstmfast._foreign import DEEPEST

Dtype: TypeAlias = "np.dtype[Any]"
Sample: TypeAlias = "tuple[int | None, ...]"
Names: TypeAlias = "tuple[str, str]"
"""What the user calls x and y."""


def parts(
    given: Any, names: Sequence[str], where: str, what: str, optional: Container[str] = ()
) -> list[tuple[str, Any]]:
    """Return what each input or output is given, with what the user calls it.

    Those of several come in a list, or in a dictionary by name, which may lack the optional ones.
    """
    if isinstance(given, Mapping) and (len(names) > 1 or set(names) <= set(given)):
        lacking = [name for name in names if name not in given and name not in optional]
        if lacking:
            raise ValueError(
                f"[{where}] {what} lacks {', '.join(map(repr, lacking))}; expected a dictionary "
                f"with {', '.join(map(repr, names))}"
            )
        return [(f"{what}[{name!r}]", given.get(name)) for name in names]
    if len(names) == 1:
        return [(what, given)]
    expected = f"a list of {len(names)}, or a dictionary: {', '.join(map(str, names))}"
    if not isinstance(given, list | tuple):
        raise wrong_kind(where, what, given, expected)
    if len(given) != len(names):
        raise ValueError(f"[{where}] {what} has {len(given)} items; expected {expected}")
    return [(f"{what}[{place}]", each) for place, each in enumerate(given)]


def only(value: ArrayLike, axes: int, samples: int = 1) -> ArrayLike:
    """Return the array of a list that holds one, as Keras takes inputs; anything else as it is.

    axes: how many the array has, at most; samples: how long it must be, where that is known. They
    tell a list of one array from a list of one sample.
    """
    if not isinstance(value, list | tuple) or len(value) != 1:
        return value
    found = _axes(value)
    return value[0] if found > axes or (found > 1 and samples != 1) else value


def _axes(value: ArrayLike) -> int:
    lists = 0
    while isinstance(value, list | tuple) and value and lists < DEEPEST:
        value = value[0]
        lists += 1
    return lists + int(getattr(value, "ndim", 0))


def checked_input(x: ArrayLike, dtype: Dtype, sample: Sample, where: str, name: str = "x") -> Array:
    """Return samples as the core takes them: (N, *sample)."""
    if not isinstance(x, np.ndarray):
        x = only(x, len(sample) + 1)
    array = as_float(x, dtype, where, name)
    check_shape(array, sample, where, name, x)
    return array


def check_shape(array: Array, sample: Sample, where: str, name: str, x: Any) -> None:
    """Refuse an array, made of x, that holds no samples of that shape."""
    shape = array.shape[1:]
    if array.ndim == 0 or (shape != sample and not _fits(shape, sample)):
        hint = ""
        if _fits(array.shape, sample):
            hint = f"; for one sample pass {name}[None]"
        elif _fits((*shape, 1), sample):
            hint = f"; for one feature pass {name}[..., None]"
        if isinstance(x, list | tuple) and array.ndim == len(sample) + 2:
            hint = f"; {len(x)} inputs came, and the model has one"
        raise ValueError(
            f"[{where}] {name} has shape {shape_text(array.shape)}; expected "
            f"{shape_text(('N', *sample))}{hint}"
        )


def _fits(shape: tuple[int, ...], sample: Sample) -> bool:
    return len(shape) == len(sample) and all(
        want in (None, have) for have, want in zip(shape, sample, strict=True)
    )


def checked_target(
    y: ArrayLike, dtype: Dtype, samples: int, where: str, names: Names = ("x", "y")
) -> Array:
    """Return targets for that many samples. What else they must be is for the loss to say."""
    x_name, name = names
    if y is None:
        raise ValueError(f"[{where}] {name} is missing")
    array = as_float(y, dtype, where, name)
    if array.ndim == 0 or len(array) != samples:
        raise ValueError(
            f"[{where}] {name} has shape {shape_text(array.shape)}; expected "
            f"({samples}, ...), for {x_name} has {samples} samples"
        )
    if samples == 0:
        raise ValueError(f"[{where}] {x_name} has no samples")
    return array


def checked_weights(
    weights: ArrayLike, samples: int, dtype: Dtype, where: str, name: str = "sample_weight"
) -> Array | None:
    """Return the part of each sample, or of each of its steps, in the loss; None: all alike."""
    if weights is None:
        return None
    array = as_float(only(weights, 2, samples), dtype, where, name)
    if array.ndim == 0 or len(array) != samples:
        raise ValueError(
            f"[{where}] {name} has shape {shape_text(array.shape)}; expected ({samples},), or one "
            "weight for each step"
        )
    wrong = ~((array >= 0) & np.isfinite(array))
    if wrong.any():
        place = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"[{where}] {name}{place} is {array[tuple(place)]}; expected finite numbers of at "
            "least 0"
        )
    return array


def class_weights(given: Any, y: Array, one_hot: bool, dtype: Dtype, where: str) -> Array:
    """Return the weights of targets by their classes: labels, or rows with a 1 at the class."""
    if not isinstance(given, Mapping):
        raise wrong_kind(where, "class_weight", given, "a dictionary from class to weight")
    labels = y.argmax(axis=-1) if one_hot else y
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    weights = np.ones(labels.shape, dtype)
    for label, weight in given.items():
        share = number(weight, f"class_weight[{label!r}]", where)
        if not 0.0 <= share < math.inf:
            raise ValueError(
                f"[{where}] class_weight[{label!r}] is {share}; expected a finite number of at "
                "least 0"
            )
        if isinstance(label, float | np.floating) and label.is_integer():  # of np.unique(y)
            label = int(label)
        weights[labels == count(label, f"class_weight's key {label!r}", where, least=0)] = share
    return weights

"""From what a user calls x and y to arrays that fit a model, with messages in the user's words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, shape_text
from lstmfast._checks import count, number, wrong_kind
from lstmfast._foreign import DEEPEST

Dtype = np.dtype[Any]
Names = tuple[str, str]  # what the user calls x and y


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


def checked_input(
    x: ArrayLike, dtype: Dtype, sample: tuple[int | None, ...], where: str, name: str = "x"
) -> Array:
    """Return samples as the core takes them: (N, *sample)."""
    if not isinstance(x, np.ndarray):
        x = only(x, len(sample) + 1)
    array = as_float(x, dtype, where, name)
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
            f"{shape_text(('N', *sample))}{hint}"  # type: ignore[arg-type]
        )
    return array


def _fits(shape: tuple[int, ...], sample: tuple[int | None, ...]) -> bool:
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


def split(arrays: list[Array | None], share: float) -> tuple[list[Any], list[Any]]:
    """Return what is for training and what for validation: the last `share` of the samples."""
    samples = len(arrays[0]) if arrays[0] is not None else 0
    if not 0.0 < share < 1.0:
        raise ValueError(f"[fit] validation_split is {share}; expected 0 to below 1")
    first = math.floor(samples * (1.0 - share))
    if first in (0, samples):
        raise ValueError(
            f"[fit] validation_split={share} of {samples} samples leaves one part empty"
        )
    parts = [(None, None) if a is None else (a[:first], a[first:]) for a in arrays]
    return [part[0] for part in parts], [part[1] for part in parts]

"""Samples of different lengths: as one padded array, with a mask of the steps that are real."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from lstmfast._arrays import Array, as_array, as_integers, expect, shape_text, wrong_shape
from lstmfast._core import item_types


class Padded(NamedTuple):
    """Samples padded by the caller, with their lengths, as users give both."""

    x: Any
    lengths: Any


def with_lengths(x: Any, lengths: Any) -> Any:
    """Return x with the lengths of its samples, if there are any."""
    return x if lengths is None else Padded(x, lengths)


def ragged_lengths(value: Any) -> Array | None:
    """Return the lengths of samples that differ in length; None for anything else."""
    if getattr(value, "ndim", 0) == 1 and getattr(value.dtype, "kind", "") == "O":
        value = value.tolist()  # arrays, and columns of data frames
    if not isinstance(value, list | tuple) or len(value) < 2:
        return None
    for kind in item_types([value]):
        if not hasattr(kind, "__len__") or issubclass(kind, str | bytes | Mapping | Set):
            return None
    try:
        lengths = np.array(list(map(len, value)))
    except TypeError:  # arrays without axes
        return None
    return lengths if lengths.min() < lengths.max() else None


def padded(value: Any, lengths: Array, steps: int | None, where: str, name: str) -> Array:
    """Return samples of these lengths as one array (N, steps, ...) with zeros at their ends.

    steps: None for those of the longest.
    """
    longest = int(lengths.max())
    steps = longest if steps is None else steps
    if longest > steps:
        text = f"{name}[{lengths.argmax()}] has {longest} steps"
        raise ValueError(f"[{where}] {text}; expected at most {steps}")
    each = [as_array(one, where, f"{name}[{place}]") for place, one in enumerate(value)]
    full = [one for one in each if len(one)]
    for place, one in enumerate(each):
        if len(one) and one.shape[1:] != full[0].shape[1:]:
            expected = shape_text(("steps", *full[0].shape[1:]))
            raise wrong_shape(where, f"{name}[{place}]", one.shape, expected)
    flat = np.concatenate(full)
    out = np.zeros((len(lengths), steps, *flat.shape[1:]), flat.dtype)
    out[real_steps(lengths, steps)] = flat
    return out


def real_steps(lengths: Array, steps: int) -> Array:
    """Return (N, steps): where a step is within the length of its sample."""
    return np.arange(steps) < lengths[:, None]


def mask_of(lengths: Array, shape: tuple[int, ...]) -> Array:
    """Return a mask of that shape, (N, steps, ...)."""
    mask = real_steps(lengths, shape[1]).reshape(*shape[:2], *[1] * (len(shape) - 2))
    return np.ascontiguousarray(np.broadcast_to(mask, shape))


def checked_lengths(lengths: Any, shape: tuple[int, ...], where: str, name: str) -> Array:
    """Return lengths of samples of an array (N, steps, ...)."""
    array = as_integers(lengths, where, name)
    if array.shape != shape[:1]:
        raise wrong_shape(where, name, array.shape, f"({shape[0]},), one for each sample of x")
    right = (array >= 0) & (array <= shape[1])
    expect(right, array, where, name, f"whole numbers from 0 to {shape[1]}, the steps of x")
    return array


def lengths_of(data: Any) -> Array | None:
    """Return the lengths of the samples of an input in the core's form; None: it has no mask."""
    mask = data[-1] if isinstance(data, tuple) else None
    if mask is None or mask.dtype != np.bool_:
        return None
    counted: Array = mask.reshape(*mask.shape[:2], -1).any(axis=2).sum(axis=1)
    return counted


def unpadded(output: Array, mask: Array | None) -> Any:
    """Return an output as a list of its samples, each without its masked steps."""
    if mask is None:
        return output
    real = mask.reshape(*mask.shape[:2], -1).any(axis=2)
    return np.split(output[real], np.cumsum(real.sum(axis=1))[:-1])


class Padding:
    """The way of targets and weights that have a value for each step, and come in lists.

    Parameters
    ----------
    inputs : list
        The inputs in the core's form.
    masked_outputs : callable
        Tells which outputs have a mask, given which inputs have one.
    outputs : int
        How many there are.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        masked_outputs: Callable[[list[bool]], list[bool]],
        outputs: int,
        where: str,
    ) -> None:
        self.masked_outputs, self.outputs, self.where = masked_outputs, outputs, where
        self.known = [lengths_of(each) for each in inputs]
        self.steps = [each[0].shape[1] if isinstance(each, tuple) else 0 for each in inputs]

    def of(self, given: Any, name: str) -> Any:
        """Return what is given, padded where samples differ in length, as those of x are."""
        if isinstance(given, Mapping):
            return {key: self._padded(each, f"{name}[{key!r}]") for key, each in given.items()}
        if self.outputs > 1 and isinstance(given, list | tuple) and len(given) == self.outputs:
            return [self._padded(each, f"{name}[{place}]") for place, each in enumerate(given)]
        return self._padded(given, name)

    def _padded(self, given: Any, name: str) -> Any:
        found = ragged_lengths(given)
        if found is None:
            return given
        masks = [lengths is not None for lengths in self.known]
        if not any(masks) or not any(self.masked_outputs(masks)):
            raise ValueError(
                f"[{self.where}] the samples of {name} differ in length; expected one length, for "
                "those of the output do not"
            )
        for lengths, steps in zip(self.known, self.steps, strict=True):
            if lengths is not None and np.array_equal(lengths, found):
                return padded(given, found, steps, self.where, name)
        first = next(lengths for lengths in self.known if lengths is not None)
        place = int(np.argmax(found != first)) if len(found) == len(first) else 0
        raise ValueError(
            f"[{self.where}] {name}[{place}] has {found[place]} steps; expected {first[place]}, as "
            "that sample of x has"
        )

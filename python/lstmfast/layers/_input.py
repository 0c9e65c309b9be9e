"""The shape of a model's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmfast._arrays import as_dtype, shape_text
from lstmfast._checks import count, string


class Input:
    """The shape of one sample, as the first item of a `lstmfast.models.Sequential`.

    Parameters
    ----------
    shape : tuple of int or None
        ``(steps, features)`` for sequences, with None for any number of steps; ``(features,)``.
    batch_size : int, optional
        The size of every batch, for stateful layers; otherwise any will do.
    dtype : str, optional
        ``"float32"`` or ``"float64"``: the dtype of the model, where it was given none itself.
    name : str, optional
        A name of one's own.
    batch_shape : tuple of int or None, optional
        `batch_size` and `shape` in one.

    Examples
    --------
    >>> from lstmfast.layers import Input
    >>> Input((None, 8)).shape
    (None, 8)
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        name: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
    ) -> None:
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError(
                    "[layers.Input] batch_shape is given; expected neither shape nor batch_size "
                    "beside it"
                )
            batch_size, shape = split_batch(batch_shape, "layers.Input")
        self.shape = sample_shape(shape, "layers.Input")
        self.batch_size = (
            None if batch_size is None else count(batch_size, "batch_size", "layers.Input")
        )
        self.dtype = None if dtype is None else as_dtype(dtype, "layers.Input").name
        self.name = "input_layer" if name is None else string(name, "name", "layers.Input")

    def __repr__(self) -> str:
        return f"<Input shape={shape_text((None, *self.shape))}, name={self.name}>"


def split_batch(
    shape: Any, where: str, name: str = "batch_shape"
) -> tuple[int | None, tuple[int | None, ...]]:
    """Return batch size and sample shape of a shape that has both."""
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise TypeError(
            f"[{where}] {name} is {shape!r}; expected a tuple such as (batch, steps, 1)"
        )
    if not shape:
        raise ValueError(f"[{where}] {name} is (); expected the batch size first")
    batch, *sample = shape
    return batch, tuple(sample)


def sample_shape(shape: Any, where: str, name: str = "shape") -> tuple[int | None, ...]:
    """Return the shape of one sample: sizes of at least 1, None for any number of steps."""
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise TypeError(
            f"[{where}] {name} is {shape!r}; expected a tuple such as (steps, features)"
        )
    sizes = tuple(
        None if size is None else count(size, f"{name}[{place}]", where)
        for place, size in enumerate(shape)
    )
    if not sizes or sizes[-1] is None:
        raise ValueError(
            f"[{where}] {name} is {shape_text(sizes)}; expected "
            "(steps, features) or (features,), where only steps may be None"
        )
    return sizes

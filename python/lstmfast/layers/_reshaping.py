"""Layers that move elements without looking at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lstmfast._arrays import ArrayLike
from lstmfast.layers._convolution import ChannelsLast
from lstmfast.layers._forms import OPEN
from lstmfast.layers.base import Layer


class Rearranging(Layer):
    """A layer that moves elements, numbers or ids; it drops masks."""

    moves_elements = True

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> None:
        """Return None: steps of the output are not those of the input."""


class Flatten(ChannelsLast, Rearranging):
    """All values of a sample in one row, (B, ...) to (B, N), as `keras.layers.Flatten`.

    Parameters
    ----------
    data_format : {None, "channels_last"}
        Keras's argument; values keep their order.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Flatten
    >>> Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    kind = "flatten"

    def __init__(self, data_format: str | None = None, **options: Any) -> None:
        self._take_arguments(locals())


class Reshape(Rearranging):
    """The values of a sample, in their order, in another shape, as `keras.layers.Reshape`.

    Parameters
    ----------
    target_shape : tuple of int
        1 to 5 sizes without the batch. One may be -1: it follows from the others.
    **options
        As in `Layer`.

    Raises
    ------
    ValueError
        Where a sample has another number of values.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Reshape
    >>> Reshape((-1, 2))(np.arange(12.0).reshape(1, 12)).shape
    (1, 6, 2)
    """

    kind = "reshape"
    target_shape: tuple[int, ...]
    forms: ClassVar = {"target_shape": OPEN}

    def __init__(self, target_shape: Sequence[int | None], **options: Any) -> None:
        self._take_arguments(locals())


class Permute(Rearranging):
    """The axes of a sample in another order, as `keras.layers.Permute`: axis i is axis dims[i].

    Parameters
    ----------
    dims : tuple of int
        Each axis of a sample once, counted from 1.
    **options
        As in `Layer`.

    Raises
    ------
    ValueError
        Where a sample has another number of axes.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Permute
    >>> Permute((2, 1))(np.zeros((5, 3, 4))).shape
    (5, 4, 3)
    """

    kind = "permute"
    dims: tuple[int, ...]

    def __init__(self, dims: Sequence[int], **options: Any) -> None:
        self._take_arguments(locals())


class RepeatVector(Rearranging):
    """The input at each of n steps, (B, F) to (B, n, F), as `keras.layers.RepeatVector`.

    Its gradient is the sum over the steps.

    Parameters
    ----------
    n : int
        Steps.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import RepeatVector
    >>> RepeatVector(2)(np.array([[1.0, 3.0]])).tolist()
    [[[1.0, 3.0], [1.0, 3.0]]]
    """

    kind = "repeat_vector"
    n: int

    def __init__(self, n: int, **options: Any) -> None:
        self._take_arguments(locals())

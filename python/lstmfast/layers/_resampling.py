"""Layers that repeat, add or cut off steps of a sequence, or rows and columns of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lstmfast.layers._forms import DATA_FORMAT, PAIRS
from lstmfast.layers._reshaping import Rearranging


class UpSampling1D(Rearranging):
    """Each step `size` times in turn, (B, T, F) to (B, size·T, F), as `keras.layers.UpSampling1D`.

    Its gradient is the sum over the copies. A mask ends here.

    Parameters
    ----------
    size : int
        How often.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import UpSampling1D
    >>> UpSampling1D(2)(np.array([[[1.0], [3.0]]])).ravel().tolist()
    [1.0, 1.0, 3.0, 3.0]
    """

    kind = "up_sampling1d"
    size: int

    def __init__(self, size: int = 2, **options: Any) -> None:
        self._take_arguments(locals())


class UpSampling2D(Rearranging):
    """Each row and column several times in turn, as `keras.layers.UpSampling2D`.

    Parameters
    ----------
    size : int or tuple of int
        How often; for rows and columns.
    data_format : {"channels_last", "channels_first"}, optional
        The order of the axes; by default (B, rows, columns, channels).
    interpolation : {"nearest"}
        Keras's argument; other ways than repeating are not available.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import UpSampling2D
    >>> UpSampling2D((2, 3))(np.zeros((1, 4, 5, 1))).shape
    (1, 8, 15, 1)
    """

    kind = "up_sampling2d"
    forms: ClassVar = {"data_format": DATA_FORMAT}
    size: tuple[int, int]
    unavailable: ClassVar = {"interpolation": "nearest"}

    def __init__(
        self,
        size: int | tuple[int, int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class ZeroPadding1D(Rearranging):
    """Zeros before and after the steps, as `keras.layers.ZeroPadding1D`.

    A mask ends here.

    Parameters
    ----------
    padding : int or tuple of int
        How many steps, at both ends, or at the beginning and at the end.
    data_format : {"channels_last", "channels_first"}, optional
        The order of the axes; by default (B, steps, features).
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import ZeroPadding1D
    >>> ZeroPadding1D((2, 0))(np.array([[[1.0], [3.0]]])).ravel().tolist()
    [0.0, 0.0, 1.0, 3.0]
    """

    kind = "zero_padding1d"
    forms: ClassVar = {"data_format": DATA_FORMAT}
    padding: tuple[int, int]

    def __init__(
        self,
        padding: int | tuple[int, int] = 1,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class ZeroPadding2D(Rearranging):
    """Zeros around the rows and columns, as `keras.layers.ZeroPadding2D`.

    Parameters
    ----------
    padding : int, tuple of int, or tuple of pairs of int
        How many at every side; above and below, and left and right; or
        ``((above, below), (left, right))``.
    data_format : {"channels_last", "channels_first"}, optional
        The order of the axes; by default (B, rows, columns, channels).
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import ZeroPadding2D
    >>> ZeroPadding2D(((1, 0), (2, 2)))(np.zeros((1, 4, 5, 1))).shape
    (1, 5, 9, 1)
    """

    kind = "zero_padding2d"
    forms: ClassVar = {"data_format": DATA_FORMAT, "padding": PAIRS}
    padding: Any

    def __init__(
        self,
        padding: int | Sequence[int] | Sequence[Sequence[int]] = (1, 1),
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class Cropping1D(Rearranging):
    """The steps without the first and the last ones, as `keras.layers.Cropping1D`.

    A mask ends here.

    Parameters
    ----------
    cropping : int or tuple of int
        How many are cut off, at both ends, or at the beginning and at the end.
    **options
        As in `Layer`.

    Raises
    ------
    ValueError
        Where nothing is left.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Cropping1D
    >>> Cropping1D((1, 0))(np.array([[[1.0], [3.0]]])).ravel().tolist()
    [3.0]
    """

    kind = "cropping1d"
    cropping: tuple[int, int]

    def __init__(self, cropping: int | tuple[int, int] = (1, 1), **options: Any) -> None:
        self._take_arguments(locals())


class Cropping2D(Rearranging):
    """The rows and columns without the outer ones, as `keras.layers.Cropping2D`.

    Parameters
    ----------
    cropping : int, tuple of int, or tuple of pairs of int
        How many are cut off at every side; above and below, and left and right; or
        ``((above, below), (left, right))``.
    data_format : {"channels_last", "channels_first"}, optional
        The order of the axes; by default (B, rows, columns, channels).
    **options
        As in `Layer`.

    Raises
    ------
    ValueError
        Where nothing is left.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Cropping2D
    >>> Cropping2D(((1, 0), (1, 1)))(np.zeros((1, 4, 5, 1))).shape
    (1, 3, 3, 1)
    """

    kind = "cropping2d"
    forms: ClassVar = {"data_format": DATA_FORMAT, "cropping": PAIRS}
    cropping: Any

    def __init__(
        self,
        cropping: int | Sequence[int] | Sequence[Sequence[int]] = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())

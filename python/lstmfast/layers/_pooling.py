"""The greatest elements or means of windows, and of whole axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstmfast.layers._convolution import Windowed, in_lower_case


class Pooling(Windowed):
    """A layer that makes one element of each window, feature by feature."""

    pool_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str

    def _take_arguments(self, given: Mapping[str, Any]) -> None:
        strides = given["pool_size"] if given["strides"] is None else given["strides"]
        padding = in_lower_case(given["padding"])
        super()._take_arguments({**given, "strides": strides, "padding": padding})


class MaxPooling(Pooling):
    """What `MaxPooling1D` and `MaxPooling2D` share."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class AveragePooling(Pooling):
    """What `AveragePooling1D` and `AveragePooling2D` share."""

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class GlobalPooling(Windowed):
    """A layer whose only window is all of its input."""

    keepdims: bool

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **options: Any
    ) -> None:
        self._take_arguments(locals())


class MaxPooling1D(MaxPooling):
    """The greatest element of each window of steps, as `keras.layers.MaxPooling1D`.

    x is (B, steps, features), y (B, windows, features). Windows lie as in `Conv1D`; padding does
    not count. The gradient goes to the first of equal elements.

    Parameters
    ----------
    pool_size : int or tuple of int
        Steps of a window.
    strides : int or tuple of int, optional
        Steps from window to window; None is ``pool_size``.
    padding : {"valid", "same"}
        Where windows lie.
    data_format : {None, "channels_last"}
        Features are the last axis.
    name, **options
        As in `Layer`.

    Raises
    ------
    ValueError
        In calls, where ``"valid"`` leaves no window; for other formats.

    Notes
    -----
    A mask ends here, as in Keras, and models warn of that.

    Examples
    --------
    >>> from lstmfast.layers import MaxPooling1D
    >>> MaxPooling1D()([[[1.0], [4.0], [3.0], [2.0]]]).ravel()
    array([4., 3.], dtype=float32)
    """

    kind = "max_pooling1d"


class MaxPooling2D(MaxPooling):
    """The greatest element of each window of rows and columns, as `keras.layers.MaxPooling2D`.

    x is (B, rows, columns, features), y (B, windows, windows, features).

    Parameters
    ----------
    pool_size, strides : int or tuple of int, optional
        As in `MaxPooling1D`, for rows and columns; a number stands for both.
    padding, data_format, name, **options
        As in `MaxPooling1D`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import MaxPooling2D
    >>> MaxPooling2D((2, 3), padding="same")(np.zeros((1, 5, 7, 2))).shape
    (1, 3, 3, 2)
    """

    kind = "max_pooling2d"


class AveragePooling1D(AveragePooling):
    """The mean of each window of steps, as `keras.layers.AveragePooling1D`.

    x is (B, steps, features), y (B, windows, features). Windows lie as in `Conv1D`; padding does
    not count, so that a window at an end is the mean of fewer steps.

    Parameters
    ----------
    pool_size : int or tuple of int
        Steps of a window.
    strides, padding, data_format, name, **options
        As in `MaxPooling1D`.

    Notes
    -----
    With ``"same"`` and windows that need more padding on the right than on the left, Keras counts
    some elements at the ends twice on its torch backend, and as here on its others.

    Examples
    --------
    >>> from lstmfast.layers import AveragePooling1D
    >>> AveragePooling1D(2, padding="same")([[[1.0], [4.0], [3.0]]]).ravel()
    array([2.5, 3. ], dtype=float32)
    """

    kind = "average_pooling1d"


class AveragePooling2D(AveragePooling):
    """The mean of each window of rows and columns, as `keras.layers.AveragePooling2D`.

    x is (B, rows, columns, features), y (B, windows, windows, features). Padding does not count.

    Parameters
    ----------
    pool_size, strides : int or tuple of int, optional
        As in `AveragePooling1D`, for rows and columns; a number stands for both.
    padding, data_format, name, **options
        As in `MaxPooling1D`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import AveragePooling2D
    >>> AveragePooling2D(2)(np.arange(4.0).reshape(1, 2, 2, 1)).ravel()
    array([1.5], dtype=float32)
    """

    kind = "average_pooling2d"


class GlobalMaxPooling1D(GlobalPooling):
    """The greatest element of all steps, (B, steps, features) to (B, features), as in Keras.

    Parameters
    ----------
    data_format : {None, "channels_last"}
        Features are the last axis.
    keepdims : bool
        Return (B, 1, features).
    **options
        As in `Layer`.

    Examples
    --------
    >>> from lstmfast.layers import GlobalMaxPooling1D
    >>> GlobalMaxPooling1D()([[[1.0, 5.0], [4.0, 3.0]]]).tolist()
    [[4.0, 5.0]]
    """

    kind = "global_max_pooling1d"


class GlobalMaxPooling2D(GlobalPooling):
    """The greatest element of all rows and columns, as `keras.layers.GlobalMaxPooling2D`.

    Parameters
    ----------
    data_format, **options
        As in `GlobalMaxPooling1D`.
    keepdims : bool
        Return (B, 1, 1, features), in place of (B, features).

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import GlobalMaxPooling2D
    >>> GlobalMaxPooling2D(keepdims=True)(np.zeros((2, 4, 4, 3))).shape
    (2, 1, 1, 3)
    """

    kind = "global_max_pooling2d"


class GlobalAveragePooling1D(GlobalPooling):
    """The mean of all steps, (B, steps, features) to (B, features), as in Keras.

    Masked steps do not count; the mean of no steps is NaN.

    Parameters
    ----------
    data_format, keepdims, **options
        As in `GlobalMaxPooling1D`.

    Examples
    --------
    >>> from lstmfast.layers import GlobalAveragePooling1D
    >>> x = [[[1.0], [3.0], [8.0]]]
    >>> GlobalAveragePooling1D()(x).tolist()
    [[4.0]]
    >>> GlobalAveragePooling1D()(x, mask=[[True, True, False]]).tolist()
    [[2.0]]
    """

    kind = "global_average_pooling1d"


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of all rows and columns, as `keras.layers.GlobalAveragePooling2D`.

    Parameters
    ----------
    data_format, keepdims, **options
        As in `GlobalMaxPooling2D`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import GlobalAveragePooling2D
    >>> GlobalAveragePooling2D()(np.arange(4.0).reshape(1, 2, 2, 1)).tolist()
    [[1.5]]
    """

    kind = "global_average_pooling2d"


MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D

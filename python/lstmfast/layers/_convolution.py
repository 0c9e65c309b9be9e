"""Convolutions over one axis or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lstmfast._activation import activation_text
from lstmfast._arrays import ArrayLike
from lstmfast.layers.base import QUANTIZATION, Layer
from lstmfast.layers.weights import weight


class ChannelsLast(Layer):
    """A layer whose features are the last axis, the only order that it has of Keras's."""

    unavailable: ClassVar[Mapping[str, Any]] = {"data_format": "channels_last"}
    data_format = "channels_last"

    def _take_arguments(self, given: Mapping[str, Any]) -> None:
        given = {**given}
        if given["data_format"] is None:
            given["data_format"] = self.data_format
        super()._take_arguments(given)


class Windowed(ChannelsLast):
    """A layer that acts on the axes between the batch and the features."""

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> None:
        """Return None: steps of the output are not those of the input."""


def in_lower_case(padding: Any) -> Any:
    """Return a way of padding, which Keras takes in any case."""
    return padding.lower() if isinstance(padding, str) else padding


class Convolution(Windowed):
    """What `Conv1D` and `Conv2D` share: all but the number of axes."""

    filters: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation_rate: tuple[int, ...]
    activation: str
    use_bias: bool
    unavailable: ClassVar = {**Windowed.unavailable, **QUANTIZATION, "groups": 1}
    groups = 1
    kernel = weight("kernel")
    bias = weight("bias")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        padding = in_lower_case(padding)
        activation = activation_text(activation, self.where, rows=True)
        self._take_arguments(locals())


class Conv1D(Convolution):
    """y[t] = activation(bias + Σᵢ x[t·strides + i·dilation_rate - p]·kernel[i]), as Keras's.

    x is (B, steps, features), y (B, windows, filters) and ``kernel`` (kernel_size, features,
    filters). What lies outside of x counts as 0. With S = (kernel_size - 1)·dilation_rate + 1, the
    steps that a window spans, there are

    - ``"valid"``: ⌊(steps - S) / strides⌋ + 1 windows, all inside of x (p = 0),
    - ``"same"``: ⌈steps / strides⌉, with p steps of padding on the left and as many or one more on
      the right,
    - ``"causal"``: ⌈steps / strides⌉, with p = S - 1: y[t] depends on no later step.

    Parameters
    ----------
    filters : int
        Size of the output's last axis.
    kernel_size : int or tuple of int
        How many steps enter a window.
    strides : int or tuple of int
        Steps from window to window.
    padding : {"valid", "same", "causal"}
        Where windows lie.
    data_format : {None, "channels_last"}
        Features are the last axis.
    dilation_rate : int or tuple of int
        Steps from one that enters a window to the next; above 1 with ``strides=1`` only.
    groups : int
        1: each filter sees all features.
    activation : str or Activation, optional
        Any of `lstmfast.activations`, ``"softmax"`` among them; None is ``"linear"``.
    use_bias : bool
        Whether there is a bias.
    kernel_initializer, bias_initializer : str or Initializer
        What makes the first weights.
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
        What these weights, and the outputs, cost.
    kernel_constraint, bias_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    **options
        As in `Layer`.

    Raises
    ------
    ValueError
        In calls, where ``"valid"`` leaves no window; for ``groups`` and other formats.

    Notes
    -----
    A mask ends here, as in Keras, and models warn of that.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Conv1D
    >>> Conv1D(1, 2, padding="causal", kernel_initializer="ones")([[[1.0], [2.0], [4.0]]]).ravel()
    array([1., 3., 6.], dtype=float32)
    """

    kind = "conv1d"


class Conv2D(Convolution):
    """A convolution over rows and columns, as `keras.layers.Conv2D`.

    x is (B, rows, columns, features), y (B, windows, windows, filters) and ``kernel`` (rows of the
    window, its columns, features, filters). Both axes follow the formulas of `Conv1D`, each with
    its own sizes; a number stands for both.

    Parameters
    ----------
    filters : int
        Size of the output's last axis.
    kernel_size, strides, dilation_rate : int or tuple of int
        As in `Conv1D`, for rows and columns.
    padding : {"valid", "same"}
        Where windows lie.
    data_format, groups, activation, use_bias
        As in `Conv1D`.
    kernel_initializer, bias_initializer : str or Initializer
        What makes the first weights.
    kernel_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
        What these weights, and the outputs, cost.
    kernel_constraint, bias_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    **options
        As in `Layer`.

    Raises
    ------
    ValueError
        In calls, where ``"valid"`` leaves no window; for ``groups`` and other formats.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Conv2D
    >>> Conv2D(8, 3, padding="same", strides=2)(np.zeros((1, 28, 27, 3))).shape
    (1, 14, 14, 8)
    """

    kind = "conv2d"


Convolution1D = Conv1D
Convolution2D = Conv2D

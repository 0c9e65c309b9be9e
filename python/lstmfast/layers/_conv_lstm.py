"""LSTMs whose products are convolutions, over one axis or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array, shape_text
from lstmfast.layers._convolution import ChannelsLast, in_lower_case
from lstmfast.layers._recurrent import RecurrentCells
from lstmfast.layers._symbolic import Sample, Tensor


class ConvLSTM(RecurrentCells, ChannelsLast):
    """What `ConvLSTM1D` and `ConvLSTM2D` share: all but the number of axes."""

    axes: ClassVar[int]
    states = 2
    has_twin = False
    flags: ClassVar = ("return_state", "unit_forget_bias")
    unit_forget_bias: bool
    filters: int
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation_rate: tuple[int, ...]
    recurrent_activation: str

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        zero_output_for_mask: bool = False,
        **options: Any,
    ) -> None:
        padding = in_lower_case(padding)
        self._take_arguments(locals())

    def _adjust_first(
        self, name: str, values: Array, rng: np.random.Generator, sample: Sample
    ) -> None:
        if name == "bias" and self.unit_forget_bias:
            values[self.filters : 2 * self.filters] = 1.0

    def _check_inputs(self, inputs: Sequence[Tensor]) -> None:
        """Leave it to the core, which names the axes."""

    def _compute(self, core: Any, arrays: Any, masks: Any, *more: Any, **named: Any) -> Any:
        """Stretch a mask of steps over their positions, as the core has it."""
        shape = arrays[0].shape[:-1]
        return super()._compute(
            core, arrays, [self._stretched(mask, shape) for mask in masks], *more, **named
        )

    def _stretched(self, mask: Any, shape: tuple[int, ...]) -> Any:
        if mask is None:
            return None
        steps = np.asarray(mask)
        if steps.shape != shape[:2]:
            text = f"mask has shape {shape_text(steps.shape)}; expected {shape_text(shape[:2])}"
            raise ValueError(f"[{self.where}] {text}: one value for each step of x")
        return np.broadcast_to(steps.reshape(*shape[:2], *[1] * self.axes), shape)


class ConvLSTM1D(ConvLSTM):
    """An LSTM over sequences of lines, as `keras.layers.ConvLSTM1D`.

    x is (B, T, positions, features); y (B, windows, filters), or (B, T, windows, filters) with
    `return_sequences`. With ∗ for a convolution, one step is::

        z = b + x ∗ kernel + h ∗ recurrent_kernel
        i, f, o = σ(z_i), σ(z_f), σ(z_o)
        c = f ⊙ c + i ⊙ φ(z_g)
        h = o ⊙ φ(c)

    The convolution of x is that of `Conv1D`, with its `strides`, `padding` and `dilation_rate`; the
    one of h has the same window with padding ``"same"`` and steps of 1. Weights are those of Keras:
    kernel (kernel_size, features, 4·filters), recurrent_kernel (kernel_size, filters, 4·filters),
    bias (4·filters), with gates in order i, f, g, o.

    Parameters
    ----------
    filters : int
        Size of the output's last axis.
    kernel_size : int or tuple of int
        How many positions enter a window.
    strides : int or tuple of int
        Positions from window to window.
    padding : {"valid", "same"}
        Where windows of x lie.
    data_format : {None, "channels_last"}
        Features are the last axis.
    dilation_rate : int or tuple of int
        Positions from one that enters a window to the next; above 1 with ``strides=1`` only.
    activation, recurrent_activation : str or Activation, optional
        φ, and σ of the gates: any of `lstmfast.activations` but softmax; None is ``"linear"``.
    use_bias : bool
        Whether there is a bias.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        What makes the first weights.
    unit_forget_bias : bool
        Start the forget gate's bias at 1.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        What these weights cost.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    kernel_constraint, recurrent_constraint, bias_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    dropout : float
        In training, the share of x that is set to 0, by one mask for all steps of a row.
    recurrent_dropout : float
        The same for h on its way into the gates.
    seed : int, optional
        Of the layer's random masks; by default they follow the model's seed.
    return_sequences : bool
        Return h of every step instead of the last.
    return_state : bool
        Return also the last h and c. For calls of the layer itself, see `__call__`.
    go_backwards : bool
        Go from the last step to the first; outputs stand in that order.
    stateful : bool
        Begin each batch with the state in which row by row the batch before ended; see `LSTM`. The
        number of positions must be known.
    zero_output_for_mask : bool
        Return 0 at masked steps, in place of the output of the step before.
    **shared
        As in `Layer`.

    Raises
    ------
    ValueError
        In calls, where ``"valid"`` leaves no window; for other formats.

    Notes
    -----
    `__call__` takes and returns as that of `LSTM`, with states (B, windows, filters) and a mask
    (B, T). Behind `Masking`, which marks positions, a step counts if any of its positions does.
    Where Keras drops x and h by a mask of its own for each gate, here one mask serves all.

    Shi, Chen, Wang, Yeung, Wong, Woo: Convolutional LSTM Network, 2015; without its peepholes.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import ConvLSTM1D
    >>> layer = ConvLSTM1D(4, 3, padding="same", return_sequences=True, return_state=True)
    >>> y, h, c = layer(np.ones((2, 5, 8, 3)))
    >>> y.shape, h.shape, bool((y[:, -1] == h).all())
    ((2, 5, 8, 4), (2, 8, 4), True)
    """

    kind = "conv_lstm1d"
    axes = 1


class ConvLSTM2D(ConvLSTM):
    """An LSTM over sequences of images, as `keras.layers.ConvLSTM2D`.

    x is (B, T, rows, columns, features), y (B, windows, windows, filters), or (B, T, windows,
    windows, filters) with `return_sequences`. The step is that of `ConvLSTM1D` with windows of both
    axes, each with its own sizes; a number stands for both.

    Parameters
    ----------
    filters : int
        Size of the output's last axis.
    kernel_size, strides, dilation_rate : int or tuple of int
        As in `ConvLSTM1D`, for rows and columns.
    padding, data_format, activation, recurrent_activation, use_bias
        As in `ConvLSTM1D`.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        What makes the first weights.
    unit_forget_bias : bool
        Start the forget gate's bias at 1.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        What these weights cost.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    kernel_constraint, recurrent_constraint, bias_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    dropout, recurrent_dropout, seed
        As in `ConvLSTM1D`.
    return_sequences, return_state, go_backwards, stateful, zero_output_for_mask
        As in `ConvLSTM1D`.
    **shared
        As in `Layer`.

    Raises
    ------
    ValueError
        In calls, where ``"valid"`` leaves no window; for other formats.

    Examples
    --------
    >>> from lstmfast.layers import ConvLSTM2D, Flatten, Dense
    >>> from lstmfast.models import Sequential
    >>> frames = ConvLSTM2D(8, (1, 3), activation="relu", input_shape=(2, 1, 4, 1))
    >>> model = Sequential([frames, Flatten(), Dense(1)])
    >>> frames.output_shape, [w.shape for w in frames.get_weights()]
    ((None, 1, 2, 8), [(1, 3, 1, 32), (1, 3, 8, 32), (32,)])
    """

    kind = "conv_lstm2d"
    axes = 2

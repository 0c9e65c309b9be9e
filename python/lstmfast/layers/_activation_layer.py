"""The layer that is an activation alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmfast._activation import activation_text
from lstmfast.layers.base import Layer


class Activation(Layer):
    """y = activation(x), element by element, or softmax along the last axis.

    At the end of a model, losses take it together with their own formula, as that of `Dense`.

    Parameters
    ----------
    activation : str or Activation
        Any of `lstmfast.activations`, ``"softmax"`` among them.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    name, input_shape, dtype
        As in `Layer`.
    **unavailable
        Keras's other arguments, at their defaults.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Activation
    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    kind = "activation"
    activation: str

    def __init__(
        self,
        activation: Any,
        *,
        activity_regularizer: Any = None,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        **unavailable: Any,
    ) -> None:
        super().__init__(name, input_shape, **unavailable)
        self.activity_regularizer = activity_regularizer
        self._set(activation=activation_text(activation, self.where, rows=True))

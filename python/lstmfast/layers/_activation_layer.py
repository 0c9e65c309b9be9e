"""The layer that is an activation alone."""

from __future__ import annotations

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
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Activation
    >>> Activation("relu")(np.array([[-1.0, 2.0]])).tolist()
    [[0.0, 2.0]]
    """

    kind = "activation"
    activation: str

    def __init__(self, activation: Any, **options: Any) -> None:
        super().__init__(**options)
        self._set(activation=activation_text(activation, self.where, rows=True))

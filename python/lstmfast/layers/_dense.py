"""The fully connected layer of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lstmfast import initializers
from lstmfast._activation import activation_text
from lstmfast._arrays import Array
from lstmfast.layers.base import UNAVAILABLE, Layer, Parts, Sample
from lstmfast.layers.weights import weight


class Dense(Layer):
    """y = activation(x·kernel + bias) on the last axis, as `keras.layers.Dense`.

    Parameters
    ----------
    units : int
        Size of the output's last axis.
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
    name, input_shape, dtype
        As in `Layer`.
    **unavailable
        Keras's other arguments, at their defaults.

    Examples
    --------
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> Sequential([Dense(2, input_shape=(3,))]).count_params()
    8
    """

    kind = "dense"
    units: int
    activation: str
    use_bias: bool
    unavailable: ClassVar[dict[str, Any]] = UNAVAILABLE | {
        "lora_rank": None,
        "lora_alpha": None,
        "quantization_config": None,
    }
    rules = (
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    kernel = weight("kernel")
    bias = weight("bias")

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        *,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        **unavailable: Any,
    ) -> None:
        super().__init__(name, input_shape, **unavailable)
        text = activation_text(activation, self.where, rows=True)
        self._set(units=units, activation=text, use_bias=use_bias)
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.activity_regularizer = activity_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights, for parts given as name and shape, and samples of that shape."""
        makers = {"kernel": self.kernel_initializer, "bias": self.bias_initializer}
        return [makers[name](shape, dtype, rng) for name, shape in parts]

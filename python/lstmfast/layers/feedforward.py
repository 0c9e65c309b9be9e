"""The layers of feed-forward networks, which know no steps."""

from __future__ import annotations

from importlib import import_module
from inspect import Parameter
from typing import Any

from lstmfast import _activation as known
from lstmfast._activation import activation_text
from lstmfast.layers.base import QUANTIZATION, Layer
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
    **options
        As in `Layer`.

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
    unavailable = QUANTIZATION
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
        **options: Any,
    ) -> None:
        activation = activation_text(activation, self.where, rows=True)
        self._take_arguments(locals())


class MixtureDensity(Layer):
    """The parameters of a mixture of K normal densities of D values, from x·kernel + bias.

    The output's last axis has K·(1 + 2·D) values: K logits, whose softmax are the weights of the
    densities; then the K·D means, those of the first density first; then as many standard
    deviations, positive as softplus of what stands there. The densities have no correlations.
    `losses.MixtureNegativeLogLikelihood` with the same number of components trains it.

    Parameters
    ----------
    components : int
        K.
    dimensions : int
        D: the values of a target.
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

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import MixtureDensity
    >>> layer = MixtureDensity(2, kernel_initializer="zeros")
    >>> np.round(layer(np.ones((1, 3))), 4).tolist()
    [[0.0, 0.0, 0.0, 0.0, 0.6930999755859375, 0.6930999755859375]]
    """

    kind = "mixture_density"
    components: int
    dimensions: int
    use_bias: bool
    kernel = weight("kernel")
    bias = weight("bias")

    def __init__(
        self,
        components: int,
        dimensions: int = 1,
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
        self._take_arguments(locals())


class Activation(Layer):
    """y = activation(x), element by element, or softmax along the last axis.

    At the end of a model, losses take it together with their own formula, as that of `Dense`.

    Parameters
    ----------
    activation : str, Activation or callable
        Any of `lstmfast.activations`, ``"softmax"`` among them; of another function of a tensor
        the layer is a `Lambda`.
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

    def __new__(cls, activation: Any = Parameter.empty, **options: Any) -> Any:
        """Return the layer; of a function that is no activation a `Lambda`."""
        is_other = callable(activation) and not isinstance(activation, known.Activation | type)
        if is_other and known.of_function(activation) is None:
            return import_module("lstmfast.layers").Lambda(activation, **options)
        return super().__new__(cls)

    def __init__(self, activation: Any, **options: Any) -> None:
        activation = activation_text(activation, self.where, rows=True)
        self._take_arguments(locals())

"""Activations with their parameters: layers and cells take these or plain names.

Functions without parameters are objects here (`relu`, `tanh`, `silu`, ...), those with parameters
are functions that make one (`leaky_relu`, `elu`, ...), all under Keras's names. As an argument,
these mean the same: ``"leaky_relu"``, ``"leaky_relu:0.2"`` (numbers after colons),
``activations.leaky_relu``, ``activations.leaky_relu(0.2)``. With ONNX's names (``"HardSigmoid"``)
the default numbers are ONNX's.

All act on each element alone except `softmax`, which needs a whole row: `layers.Dense` takes it,
gates do not. The slope at a kink is that of the flat side.
"""

from __future__ import annotations

from typing import Any

from lstmfast._activation import Activation, find
from lstmfast._core import kinds
from lstmfast._keras_names import explain_missing

# the core's activations, Keras's other names of two of them, and what makes one of any identifier
__all__ = sorted(["Activation", "get", "hard_swish", "serialize", "swish", *kinds("activation")])

explain_missing(__name__)

exponential = Activation("exponential")
gelu_tanh = Activation("gelu_tanh")
hard_silu = hard_swish = Activation("hard_silu")
hard_tanh = Activation("hard_tanh")
linear = Activation("linear")
log_sigmoid = Activation("log_sigmoid")
mish = Activation("mish")
relu = Activation("relu")
relu6 = Activation("relu6")
selu = Activation("selu")
sigmoid = Activation("sigmoid")
silu = swish = Activation("silu")
softmax = Activation("softmax")
softplus = Activation("softplus")
softsign = Activation("softsign")
sparse_plus = Activation("sparse_plus")
sparse_sigmoid = Activation("sparse_sigmoid")
tanh = Activation("tanh")
tanh_shrink = Activation("tanh_shrink")


def affine(alpha: float = 1.0, beta: float = 0.0) -> Activation:
    """Make alpha x + beta."""
    return Activation("affine", alpha, beta)


def celu(alpha: float = 1.0) -> Activation:
    """Make x above 0, alpha (exp(x / alpha) - 1) below; alpha is above 0."""
    return Activation("celu", alpha)


def elu(alpha: float = 1.0) -> Activation:
    """Make x above 0, alpha (exp(x) - 1) below; alpha is at least 0."""
    return Activation("elu", alpha)


def gelu(approximate: bool = False) -> Activation:
    """Make x Φ(x), Φ the normal distribution; approximated by a tanh if wanted (gelu_tanh).

    Examples
    --------
    >>> from lstmfast import activations
    >>> activations.gelu(approximate=True)
    Activation('gelu_tanh')
    """
    return Activation("gelu_tanh" if approximate else "gelu")


def hard_shrink(threshold: float = 0.5) -> Activation:
    """Make x where |x| is above the threshold, else 0."""
    return Activation("hard_shrink", threshold)


def hard_sigmoid(alpha: float = 1.0 / 6.0, beta: float = 0.5) -> Activation:
    """Make alpha x + beta, limited to 0 .. 1; ONNX's alpha is 0.2."""
    return Activation("hard_sigmoid", alpha, beta)


def leaky_relu(negative_slope: float = 0.2) -> Activation:
    """Make x above 0, negative_slope x below.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.LSTM(8, 16, activation=lf.activations.leaky_relu(negative_slope=0.3), seed=0)
    LSTM(8, 16, activation='leaky_relu:0.3')
    """
    return Activation("leaky_relu", negative_slope)


def scaled_tanh(alpha: float = 1.0, beta: float = 1.0) -> Activation:
    """Make alpha tanh(beta x)."""
    return Activation("scaled_tanh", alpha, beta)


def soft_shrink(threshold: float = 0.5) -> Activation:
    """Make x less the threshold above it, x plus the threshold below its negative, else 0."""
    return Activation("soft_shrink", threshold)


def squareplus(b: float = 4.0) -> Activation:
    """Make (x + sqrt(x² + b)) / 2; b is above 0."""
    return Activation("squareplus", b)


def threshold(threshold: float, default_value: float) -> Activation:
    """Make x above the threshold, else the default value."""
    return Activation("threshold", threshold, default_value)


def thresholded_relu(alpha: float = 1.0) -> Activation:
    """Make x above alpha, else 0."""
    return Activation("thresholded_relu", alpha)


def get(identifier: Any) -> Activation:
    """Return the activation that `identifier` stands for.

    Parameters
    ----------
    identifier : str, Activation, dict, callable or None
        A name of Keras's or ONNX's, with numbers after colons if need be; an `Activation`; what
        `get_config` of it returned, or Keras's configuration of a function; a function of this
        module; None is ``"linear"``.

    Returns
    -------
    Activation
        Softmax among them.

    Raises
    ------
    TypeError
        If it is none of these kinds.
    ValueError
        If the name is unknown, or a number is not one that the function takes.

    Examples
    --------
    >>> from lstmfast import activations
    >>> activations.get("swish"), activations.get("elu:0.5"), activations.get("LeakyRelu")
    (Activation('silu'), Activation('elu', alpha=0.5), Activation('leaky_relu', alpha=0.01))
    """
    return find(identifier, "activations.get", "identifier", rows=True)


def serialize(activation: Any) -> str:
    """Return the text from which `get` makes an equal activation.

    Examples
    --------
    >>> from lstmfast import activations
    >>> activations.serialize(activations.scaled_tanh(1.7159, 2 / 3))
    'scaled_tanh:1.7159:0.6666666666666666'
    """
    return str(get(activation))

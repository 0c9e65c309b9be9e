"""Elementwise activations: value and derivative of each, in one list.

Every entry of `ACTIVATIONS` is a pair of formulas. The derivative is one with respect to the
pre-activation x; it gets y = value(x) as well, because for many functions y is the cheaper road.
At a kink (relu at 0, hard_sigmoid at ±3, ...) the derivative is that of the flat side; a leaky
function has none and takes the slope left of 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import Array

__all__ = ["ACTIVATIONS", "Activation", "get_activation"]

_SQRT_HALF = math.sqrt(0.5)
_SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
_SELU_ALPHA = 1.6732632423543772848
_SELU_SCALE = 1.0507009873554804934
_GELU_CUBIC = 0.044715


@dataclass(frozen=True)
class Activation:
    """A function applied to each element alone.

    Attributes
    ----------
    name : str
        What a user types.
    value : callable
        ``value(x) -> y``, x and y of one shape and dtype.
    derivative : callable
        ``derivative(x, y) -> dy/dx`` with ``y = value(x)``; a fresh array.
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + exp(-x)); exp(-x) may overflow to inf, and 1/inf is the right 0.

    Callers silence the warning of that overflow once for a whole sequence (`quiet_overflow`).
    """
    y: Array = np.exp(-x)
    y += 1.0
    return np.reciprocal(y, out=y)


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which cannot overflow."""
    y: Array = np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
    return y


def hard_sigmoid(x: Array) -> Array:
    """clip(x/6 + 1/2, 0, 1)."""
    y: Array = np.clip(x / 6.0 + 0.5, 0.0, 1.0)
    return y


def normal_cdf(x: Array) -> Array:
    """Φ(x) = erfc(-x/√2) / 2; erfc keeps the relative accuracy of the left tail."""
    erfc = np.frompyfunc(lambda v: math.erfc(-_SQRT_HALF * v), 1, 1)
    y: Array = np.asarray(erfc(x), dtype=x.dtype)
    return y * 0.5


def _where(condition: Array, yes: Array | float, no: Array | float, like: Array) -> Array:
    return np.where(condition, yes, no).astype(like.dtype, copy=False)


def _gelu_inner(x: Array) -> Array:
    return np.tanh(_SQRT_2_OVER_PI * (x + _GELU_CUBIC * x**3))


def _gelu_tanh_derivative(x: Array, _y: Array) -> Array:
    t = _gelu_inner(x)
    inner_slope = _SQRT_2_OVER_PI * (1.0 + 3.0 * _GELU_CUBIC * x**2)
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner_slope


def _silu_derivative(x: Array, _y: Array) -> Array:
    s = sigmoid(x)
    return s * (1.0 + x * (1.0 - s))


def _mish_derivative(x: Array, _y: Array) -> Array:
    t = np.tanh(softplus(x))
    return t + x * (1.0 - t * t) * sigmoid(x)


def leaky_relu(negative_slope: float = 0.2) -> Activation:
    """Make y = x for x > 0, a·x elsewhere."""
    a = negative_slope
    return Activation(
        "leaky_relu",
        lambda x: _where(x > 0.0, x, a * x, x),
        lambda x, y: _where(x > 0.0, 1.0, a, x),
    )


def elu(alpha: float = 1.0) -> Activation:
    """Make y = x for x > 0, α(exp(x) - 1) elsewhere."""
    return Activation(
        "elu",
        lambda x: _where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0)), x),
        lambda x, y: _where(x > 0.0, 1.0, alpha * np.exp(np.minimum(x, 0.0)), x),
    )


def celu(alpha: float = 1.0) -> Activation:
    """Make y = x for x > 0, α(exp(x/α) - 1) elsewhere."""
    return Activation(
        "celu",
        lambda x: _where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0) / alpha), x),
        lambda x, y: _where(x > 0.0, 1.0, np.exp(np.minimum(x, 0.0) / alpha), x),
    )


def _selu() -> Activation:
    inner = elu(_SELU_ALPHA)
    return Activation(
        "selu",
        lambda x: _SELU_SCALE * inner.value(x),
        lambda x, y: _SELU_SCALE * inner.derivative(x, y),
    )


def affine(alpha: float, beta: float) -> Activation:
    """Make y = α·x + β."""
    return Activation("affine", lambda x: alpha * x + beta, lambda x, y: np.full_like(x, alpha))


def scaled_tanh(alpha: float, beta: float) -> Activation:
    """Make y = α·tanh(β·x)."""
    return Activation(
        "scaled_tanh",
        lambda x: alpha * np.tanh(beta * x),
        lambda x, y: alpha * beta * (1.0 - np.tanh(beta * x) ** 2),
    )


def thresholded_relu(alpha: float = 1.0) -> Activation:
    """Make y = x for x > α, 0 elsewhere."""
    return Activation(
        "thresholded_relu",
        lambda x: _where(x > alpha, x, 0.0, x),
        lambda x, y: (x > alpha).astype(x.dtype),
    )


def clipped_line(name: str, slope: float, offset: float, low: float, high: float) -> Activation:
    """Make y = clip(slope·x + offset, low, high): hard tanh, ONNX's hard sigmoid, relu6."""
    return Activation(
        name,
        lambda x: np.clip(slope * x + offset, low, high),
        lambda x, y: slope * ((y > low) & (y < high)).astype(x.dtype),
    )


def _squareplus(x: Array) -> Array:
    """(x + √(x² + 4)) / 2, left of 0 as 2 / (√(x² + 4) - x), where nothing cancels."""
    root = np.sqrt(x * x + 4.0)
    return _where(x >= 0.0, 0.5 * (x + root), 2.0 / (root + np.abs(x)), x)


def _shrink(name: str, threshold: float, pull: float) -> Activation:
    """Make y = x ∓ pull outside [-threshold, threshold], 0 inside."""
    return Activation(
        name,
        lambda x: _where(np.abs(x) > threshold, x - pull * np.sign(x), 0.0, x),
        lambda x, y: (np.abs(x) > threshold).astype(x.dtype),
    )


_LIST = (
    Activation("linear", lambda x: x, lambda x, y: np.ones_like(x)),
    Activation("tanh", np.tanh, lambda x, y: 1.0 - y * y),
    Activation("sigmoid", sigmoid, lambda x, y: y * (1.0 - y)),
    Activation("hard_sigmoid", hard_sigmoid, lambda x, y: (np.abs(x) < 3.0).astype(x.dtype) / 6.0),
    Activation("relu", lambda x: np.maximum(x, 0.0), lambda x, y: (x > 0.0).astype(x.dtype)),
    clipped_line("relu6", 1.0, 0.0, 0.0, 6.0),
    leaky_relu(),
    elu(),
    celu(),
    _selu(),
    Activation("softplus", softplus, lambda x, y: sigmoid(x)),
    Activation("softsign", lambda x: x / (1.0 + np.abs(x)), lambda x, y: (1.0 + np.abs(x)) ** -2.0),
    Activation("silu", lambda x: x * sigmoid(x), _silu_derivative),
    Activation(
        "gelu",
        lambda x: x * normal_cdf(x),
        lambda x, y: normal_cdf(x) + x * (_INV_SQRT_2PI * np.exp(-0.5 * x * x)),
    ),
    Activation("gelu_tanh", lambda x: 0.5 * x * (1.0 + _gelu_inner(x)), _gelu_tanh_derivative),
    Activation("mish", lambda x: x * np.tanh(softplus(x)), _mish_derivative),
    Activation("exponential", np.exp, lambda x, y: y.copy()),
    clipped_line("hard_tanh", 1.0, 0.0, -1.0, 1.0),
    Activation(
        "hard_silu",
        lambda x: x * hard_sigmoid(x),
        lambda x, y: _where(np.abs(x) < 3.0, x / 3.0 + 0.5, x > 0.0, x),
    ),
    Activation("log_sigmoid", lambda x: -softplus(-x), lambda x, y: sigmoid(-x)),
    Activation("squareplus", _squareplus, lambda x, y: 0.5 * (1.0 + x / np.sqrt(x * x + 4.0))),
    Activation(
        "sparse_plus",
        lambda x: _where(x >= 1.0, x, 0.25 * np.clip(x + 1.0, 0.0, None) ** 2, x),
        lambda x, y: np.clip(0.5 * (x + 1.0), 0.0, 1.0),
    ),
    clipped_line("sparse_sigmoid", 0.5, 0.5, 0.0, 1.0),
    Activation("tanh_shrink", lambda x: x - np.tanh(x), lambda x, y: np.tanh(x) ** 2),
    _shrink("soft_shrink", 0.5, 0.5),
    _shrink("hard_shrink", 0.5, 0.0),
    thresholded_relu(),
)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in _LIST}
"""Every named activation. The ones with parameters stand here with Keras's defaults; `elu(0.5)`
and its like make others, which `CellOptions` takes in place of a name."""


def get_activation(which: str | Activation) -> Activation:
    """Look an activation up by name; an `Activation` passes through.

    Examples
    --------
    >>> import numpy as np
    >>> get_activation("hard_sigmoid").value(np.array([-3.0, 0.0, 1.5])).tolist()
    [0.0, 0.5, 0.75]
    """
    if isinstance(which, Activation):
        return which
    if which not in ACTIVATIONS:
        known = ", ".join(sorted(ACTIVATIONS))
        raise ValueError(f"[reference.activation] {which!r} is unknown; known are {known}")
    return ACTIVATIONS[which]

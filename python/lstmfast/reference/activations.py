"""Elementwise activations: value and derivative of each, in one list.

Every entry of `ACTIVATIONS` is a pair of formulas. The derivative is one with respect to the
pre-activation x; it gets y = value(x) as well, because for many functions the derivative is cheaper
to compute from y. At a kink (relu at 0, hard_sigmoid at ±3, ...) the derivative is that of the flat
side; a leaky function has none and takes the slope left of 0.
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
        The name in arguments.
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


def _gelu_tanh_gate(x: Array) -> Array:
    """(1 + tanh(u)) / 2 = σ(2u), which keeps the relative accuracy of the left tail."""
    return sigmoid(2.0 * _SQRT_2_OVER_PI * (x + _GELU_CUBIC * x**3))


def _gelu_tanh_derivative(x: Array, _y: Array) -> Array:
    s = _gelu_tanh_gate(x)
    inner_slope = 2.0 * _SQRT_2_OVER_PI * (1.0 + 3.0 * _GELU_CUBIC * x**2)
    return s * (1.0 + x * (1.0 - s) * inner_slope)


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


def affine(alpha: float = 1.0, beta: float = 0.0) -> Activation:
    """Make y = α·x + β."""
    return Activation("affine", lambda x: alpha * x + beta, lambda x, y: np.full_like(x, alpha))


def scaled_tanh(alpha: float = 1.0, beta: float = 1.0) -> Activation:
    """Make y = α·tanh(β·x)."""
    return Activation(
        "scaled_tanh",
        lambda x: alpha * np.tanh(beta * x),
        lambda x, y: alpha * beta * (1.0 - np.tanh(beta * x) ** 2),
    )


def threshold(
    limit: float = 0.0, default_value: float = 0.0, name: str = "threshold"
) -> Activation:
    """Make y = x for x > limit, the default value elsewhere."""
    return Activation(
        name,
        lambda x: _where(x > limit, x, default_value, x),
        lambda x, y: (x > limit).astype(x.dtype),
    )


def thresholded_relu(alpha: float = 1.0) -> Activation:
    """Make y = x for x > α, 0 elsewhere."""
    return threshold(alpha, 0.0, "thresholded_relu")


def clipped_line(name: str, slope: float, offset: float, low: float, high: float) -> Activation:
    """Make y = clip(slope·x + offset, low, high): hard tanh, ONNX's hard sigmoid, relu6."""
    return Activation(
        name,
        lambda x: np.clip(slope * x + offset, low, high),
        lambda x, y: slope * ((y > low) & (y < high)).astype(x.dtype),
    )


def squareplus(b: float = 4.0) -> Activation:
    """Make y = (x + √(x² + b)) / 2, left of 0 as b/2 / (√(x² + b) - x), where nothing cancels."""

    def value(x: Array) -> Array:
        root = np.sqrt(x * x + b)
        return _where(x >= 0.0, 0.5 * (x + root), 0.5 * b / (root + np.abs(x)), x)

    return Activation("squareplus", value, lambda x, y: y / np.sqrt(x * x + b))


def _shrink(name: str, limit: float, pull: float) -> Activation:
    return Activation(
        name,
        lambda x: _where(np.abs(x) > limit, x - pull * np.sign(x), 0.0, x),
        lambda x, y: (np.abs(x) > limit).astype(x.dtype),
    )


def hard_shrink(limit: float = 0.5) -> Activation:
    """Make y = x outside [-limit, limit], 0 inside."""
    return _shrink("hard_shrink", limit, 0.0)


def soft_shrink(limit: float = 0.5) -> Activation:
    """Make y = x ∓ limit outside [-limit, limit], 0 inside."""
    return _shrink("soft_shrink", limit, limit)


def sloped_sigmoid(alpha: float = 1.0 / 6.0, beta: float = 0.5) -> Activation:
    """Make y = clip(α·x + β, 0, 1): a hard sigmoid with another slope, such as ONNX's 0.2."""
    return clipped_line("hard_sigmoid", alpha, beta, 0.0, 1.0)


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
    Activation("gelu_tanh", lambda x: x * _gelu_tanh_gate(x), _gelu_tanh_derivative),
    Activation("mish", lambda x: x * np.tanh(softplus(x)), _mish_derivative),
    Activation("exponential", np.exp, lambda x, y: y.copy()),
    clipped_line("hard_tanh", 1.0, 0.0, -1.0, 1.0),
    Activation(
        "hard_silu",
        lambda x: x * hard_sigmoid(x),
        lambda x, y: _where(np.abs(x) < 3.0, x / 3.0 + 0.5, x > 0.0, x),
    ),
    Activation("log_sigmoid", lambda x: -softplus(-x), lambda x, y: sigmoid(-x)),
    squareplus(),
    Activation(
        "sparse_plus",
        lambda x: _where(x >= 1.0, x, 0.25 * np.clip(x + 1.0, 0.0, None) ** 2, x),
        lambda x, y: np.clip(0.5 * (x + 1.0), 0.0, 1.0),
    ),
    clipped_line("sparse_sigmoid", 0.5, 0.5, 0.0, 1.0),
    Activation("tanh_shrink", lambda x: x - np.tanh(x), lambda x, y: np.tanh(x) ** 2),
    soft_shrink(),
    hard_shrink(),
    threshold(),
    thresholded_relu(),
    affine(),
    scaled_tanh(),
)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in _LIST}
"""Every named activation, the ones with parameters with their defaults. `elu(0.5)` and its like
make others, which `CellOptions` takes in place of a name, or as ``"elu:0.5"``."""

_MAKERS: dict[str, Callable[..., Activation]] = {
    "affine": affine,
    "celu": celu,
    "elu": elu,
    "hard_shrink": hard_shrink,
    "hard_sigmoid": sloped_sigmoid,
    "leaky_relu": leaky_relu,
    "scaled_tanh": scaled_tanh,
    "soft_shrink": soft_shrink,
    "squareplus": squareplus,
    "threshold": threshold,
    "thresholded_relu": thresholded_relu,
}


def get_activation(which: str | Activation) -> Activation:
    """Return the activation of a name with numbers after colons, or the `Activation` given.

    Examples
    --------
    >>> import numpy as np
    >>> get_activation("hard_sigmoid").value(np.array([-3.0, 0.0, 1.5])).tolist()
    [0.0, 0.5, 0.75]
    >>> get_activation("leaky_relu:0.5").value(np.array([-3.0, 2.0])).tolist()
    [-1.5, 2.0]
    """
    if isinstance(which, Activation):
        return which
    name, *numbers = which.split(":")
    if name not in (_MAKERS if numbers else ACTIVATIONS):
        known = ", ".join(sorted(_MAKERS if numbers else ACTIVATIONS))
        what = "unknown" if name not in ACTIVATIONS else "without parameters"
        raise ValueError(f"[reference.activation] {which!r} is {what}; known are {known}")
    return _MAKERS[name](*map(float, numbers)) if numbers else ACTIVATIONS[name]

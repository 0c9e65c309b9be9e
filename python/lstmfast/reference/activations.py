"""Elementwise activations: value and derivative of each, in one table.

The derivative is one with respect to the pre-activation x; it gets y = value(x) as well, because
for many functions the derivative is cheaper to compute from y. At a kink (relu at 0, hard_sigmoid
at ±3, ...) the derivative is that of the flat side; a leaky function has none and takes the slope
left of 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

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


def normal_cdf(x: Array) -> Array:
    """Φ(x) = erfc(-x/√2) / 2; erfc keeps the relative accuracy of the left tail."""
    erfc = np.frompyfunc(lambda v: math.erfc(-_SQRT_HALF * v), 1, 1)
    y: Array = np.asarray(erfc(x), dtype=x.dtype)
    return y * 0.5


def _where(condition: Array, yes: Array | float, no: Array | float, like: Array) -> Array:
    return np.where(condition, yes, no).astype(like.dtype, copy=False)


def _inside(y: Array, low: float, high: float) -> Array:
    """1 where y is strictly between the bounds, 0 elsewhere."""
    return ((y > low) & (y < high)).astype(y.dtype)


def _elu(x: Array, alpha: float) -> Array:
    return _where(x > 0.0, x, alpha * np.expm1(np.minimum(x, 0.0)), x)


def _elu_derivative(x: Array, _y: Array, alpha: float) -> Array:
    return _where(x > 0.0, 1.0, alpha * np.exp(np.minimum(x, 0.0)), x)


def _squareplus(x: Array, b: float) -> Array:
    """(x + √(x² + b)) / 2, left of 0 as b/2 / (√(x² + b) - x), where nothing cancels."""
    root = np.sqrt(x * x + b)
    return _where(x >= 0.0, 0.5 * (x + root), 0.5 * b / (root + np.abs(x)), x)


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


class _Formulas(NamedTuple):
    """value(x, *parameters), derivative(x, y, *parameters), and the parameters' defaults."""

    value: Callable[..., Array]
    derivative: Callable[..., Array]
    defaults: tuple[float, ...] = ()


_FORMULAS = {
    "linear": _Formulas(lambda x: x, lambda x, y: np.ones_like(x)),
    "tanh": _Formulas(np.tanh, lambda x, y: 1.0 - y * y),
    "sigmoid": _Formulas(sigmoid, lambda x, y: y * (1.0 - y)),
    "hard_sigmoid": _Formulas(
        lambda x, a, b: np.clip(a * x + b, 0.0, 1.0),
        lambda x, y, a, b: a * _inside(y, 0.0, 1.0),
        (1.0 / 6.0, 0.5),
    ),
    "relu": _Formulas(lambda x: np.maximum(x, 0.0), lambda x, y: (x > 0.0).astype(x.dtype)),
    "relu6": _Formulas(lambda x: np.clip(x, 0.0, 6.0), lambda x, y: _inside(y, 0.0, 6.0)),
    "leaky_relu": _Formulas(
        lambda x, slope: _where(x > 0.0, x, slope * x, x),
        lambda x, y, slope: _where(x > 0.0, 1.0, slope, x),
        (0.2,),
    ),
    "elu": _Formulas(_elu, _elu_derivative, (1.0,)),
    "celu": _Formulas(
        lambda x, a: _where(x > 0.0, x, a * np.expm1(np.minimum(x, 0.0) / a), x),
        lambda x, y, a: _where(x > 0.0, 1.0, np.exp(np.minimum(x, 0.0) / a), x),
        (1.0,),
    ),
    "selu": _Formulas(
        lambda x: _SELU_SCALE * _elu(x, _SELU_ALPHA),
        lambda x, y: _SELU_SCALE * _elu_derivative(x, y, _SELU_ALPHA),
    ),
    "softplus": _Formulas(softplus, lambda x, y: sigmoid(x)),
    "softsign": _Formulas(lambda x: x / (1.0 + np.abs(x)), lambda x, y: (1.0 + np.abs(x)) ** -2.0),
    "silu": _Formulas(lambda x: x * sigmoid(x), _silu_derivative),
    "gelu": _Formulas(
        lambda x: x * normal_cdf(x),
        lambda x, y: normal_cdf(x) + x * (_INV_SQRT_2PI * np.exp(-0.5 * x * x)),
    ),
    "gelu_tanh": _Formulas(lambda x: x * _gelu_tanh_gate(x), _gelu_tanh_derivative),
    "mish": _Formulas(lambda x: x * np.tanh(softplus(x)), _mish_derivative),
    "exponential": _Formulas(np.exp, lambda x, y: y.copy()),
    "hard_tanh": _Formulas(lambda x: np.clip(x, -1.0, 1.0), lambda x, y: _inside(y, -1.0, 1.0)),
    "hard_silu": _Formulas(
        lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
        lambda x, y: _where(np.abs(x) < 3.0, x / 3.0 + 0.5, x > 0.0, x),
    ),
    "log_sigmoid": _Formulas(lambda x: -softplus(-x), lambda x, y: sigmoid(-x)),
    "squareplus": _Formulas(_squareplus, lambda x, y, b: y / np.sqrt(x * x + b), (4.0,)),
    "sparse_plus": _Formulas(
        lambda x: _where(x >= 1.0, x, 0.25 * np.clip(x + 1.0, 0.0, None) ** 2, x),
        lambda x, y: np.clip(0.5 * (x + 1.0), 0.0, 1.0),
    ),
    "sparse_sigmoid": _Formulas(
        lambda x: np.clip(0.5 * x + 0.5, 0.0, 1.0), lambda x, y: 0.5 * _inside(y, 0.0, 1.0)
    ),
    "tanh_shrink": _Formulas(lambda x: x - np.tanh(x), lambda x, y: np.tanh(x) ** 2),
    "soft_shrink": _Formulas(
        lambda x, limit: _where(np.abs(x) > limit, x - limit * np.sign(x), 0.0, x),
        lambda x, y, limit: (np.abs(x) > limit).astype(x.dtype),
        (0.5,),
    ),
    "hard_shrink": _Formulas(
        lambda x, limit: _where(np.abs(x) > limit, x, 0.0, x),
        lambda x, y, limit: (np.abs(x) > limit).astype(x.dtype),
        (0.5,),
    ),
    "threshold": _Formulas(
        lambda x, limit, low: _where(x > limit, x, low, x),
        lambda x, y, limit, low: (x > limit).astype(x.dtype),
        (0.0, 0.0),
    ),
    "thresholded_relu": _Formulas(
        lambda x, limit: _where(x > limit, x, 0.0, x),
        lambda x, y, limit: (x > limit).astype(x.dtype),
        (1.0,),
    ),
    "affine": _Formulas(
        lambda x, a, b: a * x + b, lambda x, y, a, b: np.full_like(x, a), (1.0, 0.0)
    ),
    "scaled_tanh": _Formulas(
        lambda x, a, b: a * np.tanh(b * x),
        lambda x, y, a, b: a * b * (1.0 - np.tanh(b * x) ** 2),
        (1.0, 1.0),
    ),
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
    known = [each for each in _FORMULAS if len(_FORMULAS[each].defaults) >= len(numbers)]
    if name not in known:
        what = "without these parameters" if name in _FORMULAS else "unknown"
        raise ValueError(
            f"[reference.activation] {which!r} is {what}; known are {', '.join(sorted(known))}"
        )
    value, derivative, defaults = _FORMULAS[name]
    if not defaults:
        return Activation(name, value, derivative)
    parameters = (*map(float, numbers), *defaults[len(numbers) :])
    return Activation(
        name, lambda x: value(x, *parameters), lambda x, y: derivative(x, y, *parameters)
    )


ACTIVATIONS = {name: get_activation(name) for name in _FORMULAS}
"""Every named activation, the ones with parameters with their defaults; ``"elu:0.5"`` and its like
make others."""

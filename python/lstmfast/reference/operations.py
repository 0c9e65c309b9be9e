"""Operations of users' code: functions of elements, reductions, slices, products of matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import erf, pi
from typing import Any

import numpy as np

from .arrays import Array

__all__ = [
    "cumsum_backward",
    "cumsum_forward",
    "elementwise_backward",
    "elementwise_forward",
    "matmul_backward",
    "matmul_forward",
    "reduce_backward",
    "reduce_forward",
    "slice_backward",
]

_Function = tuple[Callable[..., Any], tuple[Callable[..., Any], ...]]


def _none(*_: Array) -> float:
    return 0.0


def _share(wins: Callable[[Array, Array], Any]) -> tuple[Callable[..., Any], ...]:
    return (
        lambda a, b: np.where(a == b, 0.5, wins(a, b)),
        lambda a, b: np.where(a == b, 0.5, wins(b, a)),
    )


# of each function its value, and its slope by each operand
ELEMENTWISE: dict[str, _Function] = {
    "add": (np.add, (lambda a, b: 1.0, lambda a, b: 1.0)),
    "subtract": (np.subtract, (lambda a, b: 1.0, lambda a, b: -1.0)),
    "multiply": (np.multiply, (lambda a, b: b, lambda a, b: a)),
    "divide": (np.divide, (lambda a, b: 1 / b, lambda a, b: -a / b**2)),
    "power": (np.power, (lambda a, b: b * a ** (b - 1), lambda a, b: a**b * np.log(a))),
    "arctan2": (np.arctan2, (lambda a, b: b / (a * a + b * b), lambda a, b: -a / (a * a + b * b))),
    "maximum": (np.maximum, _share(np.greater)),
    "minimum": (np.minimum, _share(np.less)),
    "absolute": (np.abs, (np.sign,)),
    "sqrt": (np.sqrt, (lambda a: 0.5 / np.sqrt(a),)),
    "square": (np.square, (lambda a: 2 * a,)),
    "log": (np.log, (lambda a: 1 / a,)),
    "log1p": (np.log1p, (lambda a: 1 / (1 + a),)),
    "expm1": (np.expm1, (np.exp,)),
    "sin": (np.sin, (np.cos,)),
    "cos": (np.cos, (lambda a: -np.sin(a),)),
    "tan": (np.tan, (lambda a: 1 / np.cos(a) ** 2,)),
    "arcsin": (np.arcsin, (lambda a: 1 / np.sqrt(1 - a * a),)),
    "arccos": (np.arccos, (lambda a: -1 / np.sqrt(1 - a * a),)),
    "arctan": (np.arctan, (lambda a: 1 / (1 + a * a),)),
    "sinh": (np.sinh, (np.cosh,)),
    "cosh": (np.cosh, (np.sinh,)),
    "erf": (np.vectorize(erf), (lambda a: 2 / np.sqrt(pi) * np.exp(-a * a),)),
    **{
        name: (getattr(np, name), (_none, _none))
        for name in ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")
    },
    **{name: (getattr(np, name), (_none,)) for name in ("sign", "floor", "ceil", "round")},
}


def elementwise_forward(name: str, *xs: Array) -> Array:
    """Return a function of the elements of one operand or two."""
    return np.asarray(ELEMENTWISE[name][0](*xs), np.float64)


def elementwise_backward(name: str, dy: Array, *xs: Array) -> list[Array]:
    """Return the gradient for each operand: summed over what it was stretched to."""
    out = []
    for x, slope in zip(xs, ELEMENTWISE[name][1], strict=True):
        d = dy * slope(*xs)
        along = tuple(i for i in range(d.ndim) if x.shape[i] == 1)
        out.append(np.broadcast_to(d, dy.shape).sum(axis=along, keepdims=True))
    return out


def reduce_forward(kind: str, x: Array, axes: Sequence[int], keepdims: bool = False) -> Array:
    """Return the sum, mean, max, min or prod along axes; argmax or argmin along one."""
    if kind.startswith("arg"):
        return np.asarray(getattr(np, kind)(x, axis=axes[0], keepdims=keepdims), np.float64)
    y: Array = getattr(np, kind)(x, axis=tuple(axes), keepdims=keepdims)
    return y


def reduce_backward(kind: str, dy: Array, x: Array, axes: Sequence[int]) -> Array:
    """Return dx for the dy of kept axes; equal extremes share it."""
    y = reduce_forward(kind, x, axes, True)
    if kind.startswith("arg"):
        return np.zeros_like(x)
    if kind == "sum":
        return np.broadcast_to(dy, x.shape)
    if kind == "mean":
        return np.broadcast_to(dy, x.shape) * (y.size / x.size)
    if kind == "prod":
        return dy * y / x
    best = x == y
    dx: Array = dy * best / best.sum(axis=tuple(axes), keepdims=True)
    return dx


def cumsum_forward(x: Array, axis: int) -> Array:
    """Return the sums of the elements up to each along an axis."""
    return np.cumsum(x, axis)


def cumsum_backward(dy: Array, axis: int) -> Array:
    """Return dx: the sums of dy from each element on."""
    return np.flip(np.cumsum(np.flip(dy, axis), axis), axis)


def slice_backward(dy: Array, x: Array, key: Any) -> Array:
    """Return the dx of ``x[key]``."""
    dx = np.zeros_like(x)
    dx[key] = dy
    return dx


def matmul_forward(a: Array, b: Array) -> Array:
    """Return a b of the last two axes."""
    return a @ b


def matmul_backward(dy: Array, a: Array, b: Array) -> list[Array]:
    """Return the gradients dy bᵀ and aᵀ dy."""
    return [dy @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ dy]

"""Operations on tensors, with the reference's forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graph_layer_cases import Array, Case
from lstmfast import ops, reference
from lstmfast.reference.operations import ELEMENTWISE

# functions by which the reference names the core's, where they have other names in ops
NAMES = {"absolute": "abs"}
POSITIVE = {"log", "log1p", "sqrt", "power", "divide"}
BELOW_1 = {"arcsin", "arccos"}


class Positive(Case):
    def inputs(self) -> list[Array]:
        return [np.abs(x) + 0.5 for x in super().inputs()]


class Below1(Case):
    def inputs(self) -> list[Array]:
        return [np.tanh(x) * 0.9 for x in super().inputs()]


def _case(function: Callable[..., Any], *given: Any, kind: type[Case] = Case) -> Case:
    return kind(lambda of: of.Lambda(function), *given)


def _elementwise(name: str, *shapes: tuple[int, ...]) -> Case:
    of_ops = getattr(ops, NAMES.get(name, name))
    many = len(shapes) > 1
    return _case(
        (lambda x: of_ops(*x)) if many else of_ops,
        list(shapes),
        lambda x: reference.elementwise_forward(name, *x),
        lambda dy, x: reference.elementwise_backward(name, dy, *x),
        kind=Positive if name in POSITIVE else Below1 if name in BELOW_1 else Case,
    )


def _number(name: str, number: float, first: bool) -> Case:
    def both(x: Array) -> list[Any]:
        return [np.full((1,) * x.ndim, number), x] if first else [x, np.full((1,) * x.ndim, number)]

    of_ops = getattr(ops, name)
    return _case(
        lambda x: of_ops(number, x) if first else of_ops(x, number),
        [(4, 3)],
        lambda x: reference.elementwise_forward(name, *both(x[0])),
        lambda dy, x: [reference.elementwise_backward(name, dy, *both(x[0]))[first]],
        kind=Positive,
    )


def _reduce(kind: str, axes: tuple[int, ...], keepdims: bool = False) -> Case:
    def kept(dy: Array) -> Array:
        return dy if keepdims else np.expand_dims(dy, axes)

    of_ops = getattr(ops, kind)
    return _case(
        lambda x: of_ops(x, axis=axes if len(axes) > 1 else axes[0], keepdims=keepdims),
        [(4, 3, 2)],
        lambda x: reference.reduce_forward(kind, x[0], axes, keepdims),
        lambda dy, x: [reference.reduce_backward(kind, kept(dy), x[0], axes)],
    )


def _cumsum(axis: int) -> Case:
    return _case(
        lambda x: ops.cumsum(x, axis),
        [(4, 3, 2)],
        lambda x: reference.cumsum_forward(x[0], axis),
        lambda dy, x: [reference.cumsum_backward(dy, axis)],
    )


def _slice(*key: Any) -> Case:
    return _case(
        lambda x: x[key],
        [(6, 3, 2)],
        lambda x: x[0][key],
        lambda dy, x: [reference.slice_backward(dy, x[0], key)],
    )


def _matmul(*shapes: tuple[int, ...]) -> Case:
    return _case(
        lambda x: x[0] @ x[1],
        list(shapes),
        lambda x: reference.matmul_forward(*x),
        lambda dy, x: reference.matmul_backward(dy, *x),
    )


EVERY = slice(None)
CASES: dict[str, Case] = {
    "matmul": _matmul((4, 3), (3, 5)),
    "matmul_heads": _matmul((2, 4, 3), (2, 3, 5)),
    "one": _slice(EVERY, -1),
    "some": _slice(EVERY, slice(1, 5, 2)),
    "backwards": _slice(EVERY, slice(None, None, -1)),
    "backwards_some": _slice(EVERY, slice(-2, 0, -3)),
    "last_axis": _slice(Ellipsis, 0),
    "two_axes": _slice(EVERY, slice(-3, None), 1),
    "new_axis": _slice(EVERY, None, EVERY, slice(0, 2)),
    "a_number_less": _number("subtract", 2.0, False),
    "less_a_number": _number("subtract", 2.0, True),
    "a_number_over": _number("divide", 2.0, True),
    "to_a_number": _number("power", 3.0, False),
    "a_number_to": _number("power", 3.0, True),
    "greatest_of_a_number": _number("maximum", 1.0, False),
    "sum_all": _reduce("sum", (1, 2, 3)),
    "cumsum": _cumsum(1),
    "cumsum_last": _cumsum(3),
    "argmax": _reduce("argmax", (2,)),
    "argmin_last": _reduce("argmin", (3,), True),
    "matmul_wide": _matmul((3, 17), (17, 21)),
    "matmul_one_row": _matmul((2, 1, 5), (2, 5, 1)),
}
for _kind in ("sum", "mean", "max", "min", "prod"):
    CASES[_kind] = _reduce(_kind, (1,))
    CASES[f"{_kind}_last"] = _reduce(_kind, (3,), True)
    CASES[f"{_kind}_axes"] = _reduce(_kind, (1, 3), True)
for _name, (_value, _slopes) in ELEMENTWISE.items():
    if len(_slopes) == 1:
        CASES[_name] = _elementwise(_name, (4, 3))
    else:
        CASES[_name] = _elementwise(_name, (4, 3), (4, 3))
        CASES[f"{_name}_stretched"] = _elementwise(_name, (4, 1), (1, 3))

"""Layers that reshape and merge, with the reference's forward and backward of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstmfast import reference

Array = npt.NDArray[Any]
B = 3


class Case(NamedTuple):
    """How a layer is made by a library, of inputs of these shapes, and what it computes."""

    make: Callable[[Any], Any]  # with lstmfast.layers or keras.layers
    shapes: list[tuple[int, ...]]
    forward: Callable[[list[Array]], Array]
    backward: Callable[[Array, list[Array]], list[Array]]
    masks: tuple[Array | None, ...] = ()

    def inputs(self) -> list[Array]:
        rng = np.random.default_rng(4)
        return [rng.standard_normal((B, *shape)) for shape in self.shapes]


def _moved(make: Callable[[Any], Any], *target: int) -> Case:
    """A layer that keeps elements in order."""
    return Case(
        make,
        [(4, 3)],
        lambda x: x[0].reshape(B, *target),
        lambda dy, x: [dy.reshape(x[0].shape)],
    )


def _permute(*dims: int) -> Case:
    return Case(
        lambda of: of.Permute(dims),
        [(4, 3, 2)],
        lambda x: reference.permute_forward(x[0], dims),
        lambda dy, x: [reference.permute_backward(dy, dims)],
    )


def _merge(kind: str, shapes: list[tuple[int, ...]], *masks: Array | None) -> Case:
    return Case(
        lambda of: getattr(of, kind.capitalize())(),
        shapes,
        lambda x: reference.merge_forward(kind, x, masks),
        lambda dy, x: reference.merge_backward(kind, dy, x, masks),
        masks,
    )


def _concatenate(axis: int, *shapes: tuple[int, ...]) -> Case:
    return Case(
        lambda of: of.Concatenate(axis),
        list(shapes),
        lambda x: reference.concatenate_forward(x, axis),
        lambda dy, x: reference.concatenate_backward(dy, x, axis),
    )


def _dot(axes: tuple[int, int], normalize: bool, *shapes: tuple[int, ...]) -> Case:
    return Case(
        lambda of: of.Dot(axes, normalize),
        list(shapes),
        lambda x: reference.dot_forward(x[0], x[1], axes, normalize),
        lambda dy, x: reference.dot_backward(dy, x[0], x[1], axes, normalize),
    )


MASKS = [np.random.default_rng(k).random((B, 4)) < 0.6 for k in range(3)]
for _mask in MASKS:
    _mask[0, 0] = False  # nothing counts there
MERGES = ("add", "subtract", "multiply", "average", "maximum", "minimum")

CASES: dict[str, Case] = {
    "flatten": _moved(lambda of: of.Flatten(), 12),
    "reshape": _moved(lambda of: of.Reshape((2, -1, 3)), 2, 2, 3),
    "permute": _permute(3, 1, 2),
    "permute_back": _permute(2, 3, 1),
    "repeat_vector": Case(
        lambda of: of.RepeatVector(4),
        [(3,)],
        lambda x: reference.repeat_vector_forward(x[0], 4),
        lambda dy, x: [reference.repeat_vector_backward(dy)],
    ),
    "concatenate": _concatenate(-1, (4, 3), (4, 2), (4, 1)),
    "concatenate_steps": _concatenate(1, (4, 3), (2, 3)),
    "dot": _dot((2, 2), False, (4, 3), (2, 3)),
    "dot_rows": _dot((1, 1), False, (3,), (3,)),
    "dot_normalised": _dot((1, 2), True, (3, 4), (2, 3)),
}
for _kind in MERGES:
    _count = 2 if _kind == "subtract" else 3
    CASES[_kind] = _merge(_kind, [(4, 3)] * _count)
    CASES[f"{_kind}_stretched"] = _merge(_kind, [(4, 3), (1, 3), (4, 1)][:_count])
    CASES[f"{_kind}_of_rank_1"] = _merge(_kind, [(4, 3), (3,)])
    CASES[f"{_kind}_masked"] = _merge(_kind, [(4, 3)] * _count, *MASKS[:_count])
    CASES[f"{_kind}_one_masked"] = _merge(_kind, [(4, 3)] * 2, MASKS[0], None)

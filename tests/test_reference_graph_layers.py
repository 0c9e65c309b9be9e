"""Layers of the reference that reshape, embed and merge: gradients by differences, and masks."""

from __future__ import annotations

import numpy as np
import pytest

from differences import slope_along
from graph_layer_cases import CASES, B
from lstmfast import reference


@pytest.mark.parametrize("name", CASES)
def test_gradients(name: str) -> None:
    """Along two directions of each input."""
    case = CASES[name]
    x = case.inputs()
    rng = np.random.default_rng(0)
    dy = rng.standard_normal(case.forward(x).shape)
    for place, dx in enumerate(case.backward(dy, x)):
        assert dx.shape == x[place].shape
        for _ in range(2):
            way = rng.standard_normal(dx.shape) / dx.size**0.5

            def loss(s: float, place: int = place, way: np.ndarray = way) -> float:
                moved = [*x[:place], x[place] + s * way, *x[place + 1 :]]
                return float((dy * case.forward(moved)).sum())

            numeric, bound = slope_along(loss)
            assert abs(float((dx * way).sum()) - numeric) <= bound < 1e-5


def test_gradient_of_embedding() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 5, (B, 4))
    table, dy = rng.standard_normal((6, 2)), rng.standard_normal((B, 4, 2))
    gradient = reference.embedding_backward(dy, ids, table)
    assert not gradient[5].any()
    way = rng.standard_normal(table.shape)
    numeric, bound = slope_along(
        lambda s: float((dy * reference.embedding_forward(ids, table + s * way)).sum())
    )
    assert abs(float((gradient * way).sum()) - numeric) <= bound < 1e-5


@pytest.mark.parametrize("kind", ["maximum", "minimum"])
def test_ties(kind: str) -> None:
    """Half for each of two that are equal, the later one first."""
    x = [np.ones((1, 1))] * 3
    parts = reference.merge_backward(kind, np.ones((1, 1)), x)
    assert [float(part[0, 0]) for part in parts] == [0.25, 0.25, 0.5]


def test_time_distributed_is_a_layer_at_each_step() -> None:
    x = np.random.default_rng(0).standard_normal((B, 4, 2))
    kernel = np.random.default_rng(1).standard_normal((2, 3))
    np.testing.assert_allclose(reference.time_distributed(lambda s: s @ kernel, x), x @ kernel)

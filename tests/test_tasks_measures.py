"""What measures make of weights: those of samples, and of their steps."""

from __future__ import annotations

import numpy as np
import pytest

from lstmfast.tasks import _measures as measures


@pytest.mark.parametrize("shape", [(4, 1, 1), (4, 3, 1)])
def test_weights_of_samples_or_steps_count_for_all_their_numbers(shape: tuple[int, ...]) -> None:
    """The measures are those of the answers repeated as often as the weights say."""
    rng = np.random.default_rng(1)
    expected = rng.integers(0, 2, (4, 3, 2)).astype(float)
    given = np.where(rng.random(expected.shape) < 0.8, expected, 1.0 - expected)
    weights = rng.integers(0, 3, shape)
    each = np.broadcast_to(weights, expected.shape)
    as_given = weights.reshape(shape[:2] if shape[1] > 1 else shape[:1])
    one, other = np.repeat(expected.ravel(), each.ravel()), np.repeat(given.ravel(), each.ravel())
    error = np.sqrt(np.square(one - other).mean())
    spread = np.square(one - one.mean()).mean()
    assert measures.ACCURACY.score(expected, given, as_given) == pytest.approx(
        (one == other).mean()
    )
    assert measures.error().score(expected, given, as_given) == pytest.approx(error)
    explained = measures.EXPLAINED.score(expected, given, as_given)
    assert explained == pytest.approx(1.0 - error**2 / spread)
    right = [
        ((a == b) | (w == 0)).all()
        for a, b, w in zip(expected, given, each, strict=True)
        if w.any()
    ]
    assert measures.EXACT.score(expected, given, as_given) == np.mean(right)
    assert measures.within(0.5).score(expected, given, as_given) == np.mean(right)


def test_samples_that_do_not_count_are_not_right() -> None:
    expected, given = np.zeros((2, 3)), np.ones((2, 3))
    weights = np.array([[0, 0, 0], [1, 0, 1]])
    assert measures.EXACT.score(expected, given, weights) == 0.0
    assert measures.EXACT.score(expected, given, np.array([0, 1])) == 0.0

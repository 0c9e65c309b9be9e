"""How good answers are: functions of the expected and the given answers of a part of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

Score = Callable[[Array, Array, "Array | None"], float]
"""Of the expected answers, the given ones, and the weights of those that count, or None."""


@dataclass(frozen=True)
class Measure:
    """A score in the terms of a problem.

    Attributes
    ----------
    name : str
        What it is, with its unit: ``"accuracy"``, ``"error, thousands of passengers"``.
    score : callable
        Of the expected answers, the given ones, and their weights (1 counts, 0 does not) or None.
    higher_is_better : bool
    """

    name: str
    score: Score
    higher_is_better: bool = True

    def reached(self, score: float, target: float) -> bool:
        """Tell whether a score is at least as good as a target."""
        return score >= target if self.higher_is_better else score <= target

    def text(self, score: float) -> str:
        """Return a score as it is shown."""
        return f"{score:.4g}"


def mean_of(values: Array, weights: Array | None) -> float:
    """Return the mean of the values whose weight is not 0, weighted."""
    return float(np.average(values, weights=weights))


def _right(expected: Array, given: Array, weights: Array | None) -> float:
    return mean_of(expected == given, weights)


def _all_right(expected: Array, given: Array, weights: Array | None) -> float:
    right = expected == given
    if weights is not None:
        right |= weights == 0
    return float(right.reshape(len(right), -1).all(axis=1).mean())


ACCURACY = Measure("accuracy", _right)
"""The share of right answers, of each step where there is one at each step."""
EXACT = Measure("exact sequences", _all_right)
"""The share of sequences all of whose steps are right."""


def error(unit: str = "", scale: float = 1.0) -> Measure:
    """Return the root of the mean squared error, in a unit; 1 in the answers is `scale` of it."""

    def score(expected: Array, given: Array, weights: Array | None) -> float:
        return scale * float(np.sqrt(mean_of(np.square(given - expected), weights)))

    return Measure(f"error, {unit}" if unit else "error", score, higher_is_better=False)


def within(tolerance: float, unit: str = "") -> Measure:
    """Return the share of samples all of whose numbers are at most `tolerance` off."""

    def score(expected: Array, given: Array, weights: Array | None) -> float:
        near = np.abs(given - expected) <= tolerance
        return _all_right(near, np.ones_like(near), weights)

    return Measure(f"share within {tolerance:g}{unit and ' '}{unit}", score)


def explained(expected: Array, given: Array, weights: Array | None) -> float:
    """Return 1 - (squared error) / (variance of the expected values): R²."""
    spread = mean_of(np.square(expected - mean_of(expected, weights)), weights)
    return 1.0 - mean_of(np.square(given - expected), weights) / spread


EXPLAINED = Measure("variance explained", explained)

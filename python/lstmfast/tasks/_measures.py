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


def _of_each(weights: Array, values: Array) -> Array:
    """Return weights, of samples or of their steps, for each of their values."""
    missing = (1,) * (values.ndim - weights.ndim)
    return np.broadcast_to(weights.reshape(*weights.shape, *missing), values.shape)


def mean_of(values: Array, weights: Array | None) -> float:
    """Return the mean of the values whose weight is not 0, weighted."""
    each = None if weights is None else _of_each(weights, values)
    return float(np.average(values, weights=each))


def share_of(right: Array, weights: Array | None) -> float:
    """Return the share of samples that are right in all that counts; others do not count."""
    rows = len(right), -1
    if weights is None:
        return float(right.reshape(rows).all(axis=1).mean())
    counts = _of_each(weights, right) != 0
    counted = counts.reshape(rows).any(axis=1)
    return float((right | ~counts).reshape(rows).all(axis=1)[counted].mean())


def _right(expected: Array, given: Array, weights: Array | None) -> float:
    return mean_of(expected == given, weights)


def _all_right(expected: Array, given: Array, weights: Array | None) -> float:
    return share_of(expected == given, weights)


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
        return share_of(np.abs(given - expected) <= tolerance, weights)

    return Measure(f"share within {tolerance:g}{unit and ' '}{unit}", score)


def explained(expected: Array, given: Array, weights: Array | None) -> float:
    """Return 1 - (squared error) / (variance of the expected values): R²."""
    spread = mean_of(np.square(expected - mean_of(expected, weights)), weights)
    return 1.0 - mean_of(np.square(given - expected), weights) / spread


EXPLAINED = Measure("variance explained", explained)

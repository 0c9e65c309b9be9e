"""Scaling of steps to a network's inputs, of mean 0 and spread 1, and back.

A step a hundred times as large as usual, where a series takes a new level, would reduce all others
to a hundredth of the spread. Where such steps are rare, they are limited to a few times the usual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from .outliers import rare_beyond


@dataclass(frozen=True)
class Scaling:
    """Limits, mean and spread of each column.

    Attributes
    ----------
    low, high : ndarray of shape (C,)
        Steps are limited to these; infinite where no step was far from the others.
    mean, spread : ndarray of shape (C,)
        Mean and standard deviation of the limited steps.
    """

    low: Array
    high: Array
    mean: Array
    spread: Array

    @staticmethod
    def of(steps: Array) -> Scaling:
        """Measure steps (N, C).

        Examples
        --------
        >>> import numpy as np
        >>> steps = np.append(np.linspace(-1.0, 1.0, 99), 500.0)[:, None]
        >>> scaling = Scaling.of(steps)
        >>> scaling.high.round(1), scaling.apply(steps).max().round(1)
        (array([5.5]), np.float64(6.8))
        """
        centre = np.median(steps, axis=0)
        bound = np.array([rare_beyond(column, column) for column in abs(steps - centre).T])
        low, high = centre - bound, centre + bound
        kept = np.clip(steps, low, high)
        mean = kept.mean(axis=0)
        # the squares of tiny deviations would vanish, those of large ones overflow
        unit = abs(kept - mean).max(axis=0)
        unit = np.where(unit > 0, unit, 1.0)
        spread = unit * ((kept - mean) / unit).std(axis=0)
        return Scaling(low, high, mean, np.where(spread > 0, spread, 1.0))

    def apply(self, steps: Array) -> Array:
        """Return limited, standardised steps."""
        return np.asarray((np.clip(steps, self.low, self.high) - self.mean) / self.spread)

    def undo(self, z: Array, column: int) -> Array:
        """Return the steps of one column from standardised ones."""
        return np.asarray(z * self.spread[column] + self.mean[column])

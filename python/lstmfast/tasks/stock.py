"""The next day of a stock, most of which is noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lstmfast._arrays import Array

from ._records import Part, Settings
from ._task import Task, option

_KEPT = 0.95  # of the expected return, from one day to the next
_SIGNAL = 0.3  # share of the expected return in the variance of returns


@dataclass(kw_only=True)
class Stock(Task):
    """Tell whether a stock rises tomorrow; noise hides an expected return that drifts.

    Daily returns, in percent of the price, are m + noise. The expected return m goes back towards
    0, by 5 % a day, and has 30 % of the variance: ``m = 0.95 m + noise``. Nobody sees m, so nobody
    can be right more often than `best`; a linear model of the returns is as good as any.

    Parameters
    ----------
    days : int
        Days to look at.
    """

    days: int = option(40, most=1000)

    mode = "many to one"
    source = "Conrad and Kaul: Time-Variation in Expected Returns, 1988"
    settings = Settings(
        units=8, epochs=6, learning_rate=0.01, batch_size=64, samples=(8000, 1000, 5000)
    )
    labels = ("falls", "rises")

    @cached_property
    def best(self) -> float:
        """How often the best predictor is right that knows all but m.

        It has a correlation ρ with tomorrow's return, that of linear regression on the days for
        their covariance, and for normal values is right in 1/2 + arcsin(ρ)/π of all cases.
        """
        lags = np.arange(self.days + 1)
        covariance = _SIGNAL * _KEPT ** np.abs(lags[:, np.newaxis] - lags)
        covariance += (1.0 - _SIGNAL) * np.eye(len(lags))
        known, with_next = covariance[1:, 1:], covariance[0, 1:]
        correlation = np.sqrt(with_next @ np.linalg.solve(known, with_next))
        return float(0.5 + np.arcsin(correlation) / np.pi)

    @property
    def target(self) -> float:  # type: ignore[override]
        """85 % of the way from guesses to the best that there can be."""
        return 0.5 + 0.85 * (self.best - 0.5)

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return days of returns, and the direction of the next one."""
        shocks = rng.standard_normal((2, self.days + 1, samples))
        expected = np.empty(shocks.shape[1:])
        expected[0] = np.sqrt(_SIGNAL) * shocks[0, 0]
        for day in range(1, self.days + 1):
            step = np.sqrt(_SIGNAL * (1.0 - _KEPT**2)) * shocks[0, day]
            expected[day] = _KEPT * expected[day - 1] + step
        returns = (expected + np.sqrt(1.0 - _SIGNAL) * shocks[1]).T.astype(np.float32)
        return Part(returns[:, :-1, np.newaxis], (returns[:, -1] > 0.0).astype(int))

    def persistence(self, part: Part) -> Array:
        """Return what the last day did."""
        return (part.x[:, -1, 0] > 0.0).astype(int)

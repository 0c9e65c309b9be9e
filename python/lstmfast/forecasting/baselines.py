"""Baselines of a forecast: four rules without a network.

Each takes the target's values (N,), the number of training values, the origins (B,) and the number
of steps, and returns forecasts (B, H). Rows use only the values before their origin; coefficients
are fitted on the training values.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lstmfast._arrays import Array

from .transforms import Transform
from .windows import Scaling, Window

# An unstable recurrence may grow without bound; its square must still be finite.
_LARGEST_STEP = 1e50
_MOST_LAGS = 64
Baseline = Callable[[Array, int, Array, int], Array]


def persistence(values: Array, train: int, origins: Array, horizon: int) -> Array:
    """Forecast the last value.

    Examples
    --------
    >>> import numpy as np
    >>> persistence(np.array([1.0, 2.0, 4.0]), 3, np.array([2, 3]), 2)
    array([[2., 2.],
           [4., 4.]])
    """
    return np.repeat(values[origins - 1][:, None], horizon, axis=1)


def seasonal_naive(season: int) -> Baseline:
    """Return the rule: the value a season ago."""

    def rule(values: Array, train: int, origins: Array, horizon: int) -> Array:
        back = season - np.arange(horizon) % season
        return np.asarray(values[origins[:, None] - back])

    return rule


def seasonal_drift(season: int) -> Baseline:
    """Return the rule: the value a season ago, plus the mean change over a season in training."""

    def rule(values: Array, train: int, origins: Array, horizon: int) -> Array:
        drift = float(np.mean(values[season:train] - values[: train - season]))
        before = seasonal_naive(season)(values, train, origins, horizon)
        return np.asarray(before + drift * (1 + np.arange(horizon) // season))

    return rule


def linear(lags: int, transform: Transform, season: int = 0) -> Baseline:
    """Return the rule: a linear autoregression on the transformed values, by least squares.

    Where the season is longer than the `lags` last values, the three values around a season ago are
    regressors, too.
    """
    around = (season - 1, season, season + 1) if season > lags else ()
    back = np.array(sorted({*range(1, lags + 1), *around}, reverse=True))
    longest = int(back[0])

    def rule(values: Array, train: int, origins: Array, horizon: int) -> Array:
        steps = transform.steps(values[:, None])
        known = train - int(transform.difference)
        # standardised, since least squares drop columns that are tiny next to the constant one
        scaling = Scaling.of(steps[:known])
        z = scaling.apply(steps)[:, 0]
        fitted = z[:known]
        rows = np.arange(longest, len(fitted))
        design = np.column_stack([np.ones(len(rows)), fitted[rows[:, None] - back]])
        weights = np.linalg.lstsq(design, fitted[longest:], rcond=None)[0]
        ahead = np.zeros((len(origins), longest + horizon))
        ahead[:, :longest] = z[
            (origins - int(transform.difference))[:, None] + np.arange(-longest, 0)
        ]
        for h in range(longest, longest + horizon):
            step = weights[0] + ahead[:, h - back] @ weights[1:]
            ahead[:, h] = np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        before = transform.scale(values[origins - 1])
        return transform.unscale(transform.integrate(before, scaling.undo(ahead[:, longest:], 0)))

    return rule


def baselines_for(window: Window, transform: Transform) -> dict[str, Baseline]:
    """Return the rules by name, those with a season only where there is one.

    The linear autoregression has one lag more than the first step that the network is trained on
    has before it, up to 64: a season and one, or half the look-back and one. So it is defined
    wherever a network is, and does not fit one weight for each day of a year.
    """
    rules: dict[str, Baseline] = {"persistence": persistence}
    if window.season:
        rules["seasonal naive"] = seasonal_naive(window.season)
        rules["seasonal naive with drift"] = seasonal_drift(window.season)
    scale = {"log-diff": "log differences", "diff": "differences", "none": "values"}[transform.name]
    rules[f"linear autoregression on {scale}"] = linear(
        min(window.first + 1, _MOST_LAGS), transform, window.season
    )
    return rules

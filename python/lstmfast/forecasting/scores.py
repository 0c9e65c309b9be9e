"""Errors of forecasts from many origins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstmfast._arrays import Array


class Scores(NamedTuple):
    """Root mean squared errors.

    Attributes
    ----------
    one_step : float
        Of the first step from every origin: each value forecast from the true values before it.
    rolling : float
        Over all steps from every origin from which the truth of all of them is known; NaN where
        there is none.
    """

    one_step: float
    rolling: float


def values_ahead(values: Array, origins: Array, horizon: int) -> Array:
    """Return the true values (B, H) from each origin on, NaN after the end.

    Examples
    --------
    >>> import numpy as np
    >>> values_ahead(np.array([1.0, 2.0, 3.0]), np.array([1, 2]), 2)
    array([[ 2.,  3.],
           [ 3., nan]])
    """
    padded = np.concatenate([values, np.full(horizon, np.nan)])
    return np.asarray(padded[origins[:, None] + np.arange(horizon)])


def score(forecasts: Array, truth: Array) -> Scores:
    """Compare forecasts (B, H) with `values_ahead` of the same origins.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1.0, 2.0], [2.0, np.nan]])
    >>> score(np.array([[1.0, 4.0], [6.0, 0.0]]), truth)
    Scores(one_step=2.8284271247461903, rolling=1.4142135623730951)
    """
    errors = forecasts - truth
    whole = ~np.isnan(truth).any(axis=1)
    rolling = _root_mean_square(errors[whole]) if whole.any() else float("nan")
    return Scores(_root_mean_square(errors[:, 0]), rolling)


def _root_mean_square(errors: Array) -> float:
    """Return it, computed in units of the largest error: squares of tiny ones would underflow."""
    unit = float(np.nanmax(np.abs(errors))) or 1.0
    return unit * float(np.sqrt(np.nanmean(np.square(errors / unit))))


def coverage(lower: Array, upper: Array, truth: Array) -> float:
    """Return the share of known values that lie in their interval."""
    known = ~np.isnan(truth)
    inside = (lower <= truth) & (truth <= upper)
    return float(inside[known].mean())

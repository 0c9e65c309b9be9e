"""Errors of forecasts from many origins, and the prediction intervals that follow from them."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from lstmfast._arrays import Array

# A mean square of fewer errors is unreliable: such steps take the scale of nearer ones.
_FEWEST = 4


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


def student_quantile(probability: float, freedom: float) -> float:
    """Return a quantile of Student's t distribution by its expansion around the normal one.

    Good to 0.2 % from 4 degrees of freedom on, up to a probability of 0.975.

    Examples
    --------
    >>> round(student_quantile(0.975, 10), 3)
    2.228
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (k + 1) for k, term in enumerate(terms))


def isotonic(values: Array, weights: Array) -> Array:
    """Return the non-decreasing sequence nearest to `values` in weighted least squares.

    Neighbours that decrease are pooled into their mean until none do.

    Examples
    --------
    >>> import numpy as np
    >>> isotonic(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4))
    array([1. , 2.5, 2.5, 4. ])
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, total, length = value, weight, 1
        while blocks and blocks[-1][0] > mean:
            before, its, size = blocks.pop()
            mean = (mean * total + before * its) / (total + its)
            total, length = total + its, length + size
        blocks.append((mean, total, length))
    return np.repeat([b[0] for b in blocks], [b[2] for b in blocks])


def measured_steps(errors: Array) -> int:
    """Return for how many steps ahead there are enough errors to measure, at least 1.

    Parameters
    ----------
    errors : ndarray of shape (origins, H)
        Forecast minus truth, NaN where the truth is not known.

    Examples
    --------
    >>> import numpy as np
    >>> measured_steps(np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 1.0], [1.0, np.nan]]))
    1
    """
    counts = (~np.isnan(errors)).sum(axis=0)
    return int((counts >= _FEWEST).sum()) or 1


def error_scale(errors: Array, level: float) -> Array:
    """Return the half width of the interval for each step ahead.

    Parameters
    ----------
    errors : ndarray of shape (origins, H)
        Forecast minus truth on the transform's scale, NaN where the truth is not known.
    level : float
        Share of cases that the interval must hold, 0.8 for instance.

    Returns
    -------
    ndarray of shape (H,)
        Root mean square of the errors at each step, made non-decreasing over the steps, times the
        quantile of Student's t distribution for as many errors as there were. Steps with fewer
        than 4 errors take the scale of the last step with more, growing with the square root of
        the step.
    """
    counts = (~np.isnan(errors)).sum(axis=0)
    usable = measured_steps(errors)
    # in units of the largest, as squares of tiny errors would vanish
    unit = float(np.nanmax(np.abs(errors))) or 1.0
    squares = np.nanmean(np.square(errors[:, :usable] / unit), axis=0)
    rms = unit * np.sqrt(isotonic(squares, counts[:usable].astype(np.float64)))
    quantiles = np.array([student_quantile(0.5 + level / 2, n) for n in counts[:usable]])
    width = rms * quantiles
    beyond = np.arange(usable + 1, errors.shape[1] + 1)
    return np.concatenate([width, width[-1] * np.sqrt(beyond / usable)])

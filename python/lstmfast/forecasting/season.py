"""Length of the season, found in the data.

A period is tested by the share of the series that its phases explain: each cycle is cut into a few
bins, and the spread between the means of the bins is compared with the spread within them. Trend
and autocorrelation can look like a season (a random walk wanders through the bins of each cycle),
so both are estimated from the residuals of the season and filtered out first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from lstmfast._arrays import Array

from .outliers import rare_beyond

# Lengths in seconds, and by the other units in which times are counted.
_YEARS = {"quarter": 4.0, "month": 12.0, "workday": 260.9, "day": 365.25, "second": 31_557_600.0}
_WEEKS = {"workday": 5.0, "day": 7.0, "second": 604_800.0}
_SECONDS = (60.0, 3_600.0, 86_400.0)

USUAL_PERIODS = (4.0, 5.0, 7.0, 12.0, 24.0, 48.0, 52.18, 168.0, 336.0, 365.25)
"""What is tested where nothing is known of the times."""

_FEWEST_CYCLES = 3
# Fine bins detect a pattern, coarse ones a smooth cycle in noise.
_FINE, _COARSE = 24, 6
_MEMORY = 3
_CYCLES_OF_CHANGE = 8
# A period of the calendar is accepted at a p-value of e^-6. Hundreds of other periods are tried,
# and cycles that drift in phase may look like seasons, so these need more evidence.
_EXPECTED, _UNEXPECTED = 6.0, 16.0
# What an unexpected period leaves to an expected multiple that is believed by itself.
_OF_A_PART = 3.0
_LEAST_SHARE = 0.05
_LONGEST_UNEXPECTED = 400
# Enough values to find an unexpected period; more would only take longer.
_SEARCHED_VALUES = 4_000


def calendar_periods(unit: str, step: float) -> tuple[float, ...]:
    """Return the periods, in steps, that are natural for times `step` units apart.

    Parameters
    ----------
    unit, step : str, float
        As in `Clock`. Plain numbers give the usual periods and, where they count in fractions, a
        whole: 1949.083 is a month later than 1949.

    Examples
    --------
    >>> calendar_periods("month", 1.0), calendar_periods("second", 3600.0)
    ((12.0,), (24.0, 168.0, 8766.0))
    """
    if unit not in _YEARS:
        return USUAL_PERIODS if step > 0.5 else (1.0 / step, *USUAL_PERIODS)
    lengths = [*(_SECONDS if unit == "second" else ()), _WEEKS.get(unit, 0.0), _YEARS[unit]]
    return tuple(length / step for length in lengths if length / step >= 2.0)


def find_season(values: Array, periods: Iterable[float] = USUAL_PERIODS) -> int:
    """Return after how many steps a series repeats itself; 0 where it does not.

    The periods given are tested first; any other needs stronger evidence. A longer one that
    contains the season found, as a week contains days, is taken where it explains the rest, with
    less evidence where the season found is not among the periods given.

    Parameters
    ----------
    values : ndarray of shape (N,)
        The series, on the scale in which the model sees it (logarithms for log-diff).
    periods : iterable of float
        Likely periods in steps; 365.25 for instance. The series must hold at least three cycles.

    Examples
    --------
    >>> import numpy as np
    >>> find_season(np.tile([1.0, 5.0, 2.0, 2.0], 8))
    4
    >>> find_season(np.arange(10.0) ** 2)
    0
    """
    values = _without_leaps(values)
    longest = len(values) / _FEWEST_CYCLES
    expected = sorted(period for period in periods if period <= longest)
    # the margin over the required evidence, so that likely periods and others can be compared
    margins = {period: seasonal_evidence(values, period) - _EXPECTED for period in expected}
    recent = values[-_SEARCHED_VALUES:]
    for period in range(2, min(len(recent) // (_FEWEST_CYCLES + 1), _LONGEST_UNEXPECTED) + 1):
        if period not in margins:
            margins[period] = seasonal_evidence(recent, period) - _UNEXPECTED
    best = max(margins, key=lambda period: margins[period], default=0)
    if not best or margins[best] <= 0:
        return 0
    season = round(best)
    likely = {round(period): margins[period] for period in expected}
    for longer, margin in likely.items():
        if longer > season and longer % season == 0:
            # also free of a season that changes slowly; noise may count twice in differences
            changes = values[season:] - values[:-season]
            # half a year in quarters is likely a part of the year, if that shows by itself, too
            part = season not in likely and margin > 0
            if seasonal_evidence(changes, longer) > (_OF_A_PART if part else 2 * _EXPECTED):
                season = longer
    return season


def _without_leaps(values: Array) -> Array:
    """Return the series without rare leaps to a new level, which would hide any season."""
    if len(values) < 2:
        return values
    steps = np.diff(values)
    usual = np.median(steps)
    limit = rare_beyond(abs(steps - usual), abs(steps - usual))
    return np.append(0.0, np.cumsum(np.clip(steps, usual - limit, usual + limit)))


def seasonal_evidence(values: Array, period: float) -> float:
    """Return the evidence for a season of this period: minus the logarithm of a p-value.

    Zero where the season would explain less than a twentieth of the steps.
    """
    whole = round(period)
    ways = [min(whole, _FINE), *([_COARSE] if whole > _COARSE + 2 else [])]
    return max(_evidence(_binned(values, period, bins), bins) for bins in ways)


def _binned(values: Array, period: float, bins: int) -> Array:
    """Return means over the bins of each cycle, counted from the end of the series.

    The series is interpolated linearly between its values: with bins of unequal numbers of values,
    a trend would look like a season.
    """
    if bins == period:
        return values
    # the integral up to each value, and between two values the square of the distance
    areas = np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2)])
    width = period / bins
    count = int((len(values) - 1) / width)
    edges = np.maximum(len(values) - 1 - width * np.arange(count, -1, -1), 0.0)
    left = np.minimum(edges.astype(np.intp), len(values) - 2)
    part = edges - left
    slopes = values[left + 1] - values[left]
    integral = areas[left] + part * values[left] + part**2 / 2 * slopes
    return np.asarray(np.diff(integral) / width)


def _evidence(series: Array, bins: int) -> float:
    """Return the evidence for a pattern of so many bins: see `seasonal_evidence`."""
    count = len(series)
    memory = min(_MEMORY, count // 12)
    within = count - 2 * memory - bins - 1
    if within < bins:
        return 0.0
    place = np.arange(count) % bins
    time = np.arange(count, dtype=np.float64) - (count - 1) / 2
    left, left_time = series - _means(series, place), time - _means(time, place)
    slope = (left @ left_time) / (left_time @ left_time)
    series, left = series - series.mean() - slope * time, left - slope * left_time
    # the rounding errors of a straight line are no pattern
    if np.ptp(series) <= 1e-9 * max(abs(slope) * count, np.abs(series).max()):
        return 0.0
    if count >= _CYCLES_OF_CHANGE * bins:
        # a growing pattern leaves a cycle in the residuals, which is no autocorrelation
        slopes = _means(left * left_time, place) / _means(left_time**2, place)
        left = left - slopes * left_time
    lags = np.arange(1, memory + 1)
    rows = np.arange(memory, count)
    past = rows[:, None] - lags
    weights = np.linalg.lstsq(left[past], left[rows], rcond=None)[0]
    news: Array = np.asarray(series[rows] - series[past] @ weights)
    news -= news.mean()
    explained = _means(news, place[rows])
    total = float(news @ news)
    share = float(explained @ explained) / total if total > 0 else 0.0
    if share < _LEAST_SHARE:
        return 0.0
    return _rarity(share, (bins - 1) / 2, within / 2)


def _means(series: Array, place: Array) -> Array:
    """Return for each value the mean of all values in the same bin."""
    return np.asarray((np.bincount(place, series) / np.bincount(place))[place])


def _rarity(share: float, between: float, within: float) -> float:
    """Return minus the logarithm of how likely chance explains so much: Chernoff's bound.

    Without a season the share explained follows a beta distribution with parameters `between`
    and `within`, half the degrees of freedom.
    """
    mean = between / (between + within)
    if share <= mean:
        return 0.0
    # exact repetitions have no spread within bins, only rounding errors
    rest = max(1.0 - share, 1e-12)
    return between * math.log(mean / share) + within * math.log((1.0 - mean) / rest)

"""Single values that look wrong: a typo, a failed sensor, another unit.

One such value dominates the scaling of a network's inputs, and every least-squares fit. A value
counts as wrong only where it differs from both sides; a step to a new level does not.
"""

from __future__ import annotations

import numpy as np

from lstmfast._arrays import Array

from .transforms import Transform

_NEIGHBOURS = 3
_FEWEST_VALUES = 12
# Nine of ten distances are usual; a far one is so many times as large, and rare.
_USUAL_SHARE = 0.9
_TIMES_THE_USUAL = 6.0
_LARGEST_SHARE = 0.01
_ALWAYS_FEW = 2


def rare_beyond(distances: Array, usual: Array) -> float:
    """Return the limit beyond which a distance is far from the usual ones.

    Infinity where more than one in a hundred and more than two would be far: leaps then belong to
    the series. Where most of the usual distances are 0, no distance is far either.

    Examples
    --------
    >>> import numpy as np
    >>> distances = np.append(np.ones(30), 70.0)
    >>> rare_beyond(distances, distances), rare_beyond(np.arange(9.0), np.zeros(9))
    (6.0, inf)
    """
    limit = _TIMES_THE_USUAL * float(np.quantile(usual, _USUAL_SHARE))
    far = np.count_nonzero(distances > limit)
    few = far <= max(_LARGEST_SHARE * len(distances), _ALWAYS_FEW)
    return limit if few and limit > 0 else float("inf")


def find_outliers(values: Array) -> Array:
    """Return the rows of single values far from all around them.

    A value stands out by the lesser of its distances from the medians of the three values before
    and the three after it, and only where both lie on the same side. The last value has nothing
    after it and may begin a new level: it never counts as wrong.

    Parameters
    ----------
    values : ndarray of shape (N,)
        The series, on the scale in which the model sees it.

    Examples
    --------
    >>> import numpy as np
    >>> series = np.sin(np.arange(40.0))
    >>> series[17] = 300.0
    >>> find_outliers(series)
    array([17])
    """
    return np.flatnonzero(_far(values)[:-1])


def ends_far(values: Array) -> bool:
    """Return whether the last value is far from those before it: a typo or a new level.

    Examples
    --------
    >>> import numpy as np
    >>> series = np.sin(np.arange(40.0))
    >>> ends_far(series), ends_far(np.append(series, 300.0))
    (False, True)
    """
    return bool(_far(values)[-1])


def _far(values: Array) -> Array:
    """Return which values are far from both sides; at the ends there is one."""
    if len(values) < _FEWEST_VALUES:
        return np.zeros(len(values), dtype=np.bool_)
    rows, lags = np.arange(len(values))[:, None], np.arange(1, _NEIGHBOURS + 1)
    # Missing neighbours at the start are taken from the other side, so that two typos there are
    # found. At the end the series is reflected about its last value, since two values may begin a
    # new level.
    earlier = np.where(rows >= lags, rows - lags, rows + lags)
    later = len(values) - 1 - abs(rows + lags - (len(values) - 1))
    before = values - np.median(values[earlier], axis=1)
    after = values - np.median(values[later], axis=1)
    lesser = np.where((before > 0) == (after > 0), np.minimum(abs(before), abs(after)), 0.0)
    return np.asarray(lesser > rare_beyond(lesser, np.maximum(abs(before), abs(after))))


def replace_outliers(
    values: Array, transform: Transform
) -> tuple[Array, tuple[tuple[int, int], ...]]:
    """Replace single values that look wrong by the straight line between their neighbours.

    Parameters
    ----------
    values : ndarray of shape (N, C)
        The series, the target first. It is not changed.
    transform : Transform
        The target is judged on its scale.

    Returns
    -------
    values : ndarray of shape (N, C)
        The series with replacements.
    places : tuple of (int, int)
        Row and column of each value that was replaced.
    """
    result, places = values.copy(), []
    for column in range(values.shape[1]):
        scaled = transform.scale(values[:, 0]) if column == 0 else values[:, column]
        rows = find_outliers(scaled)
        kept = np.setdiff1d(np.arange(len(values)), rows)
        line = np.interp(rows, kept, scaled[kept])
        result[rows, column] = transform.unscale(line) if column == 0 else line
        places += [(int(row), column) for row in rows]
    return result, tuple(places)

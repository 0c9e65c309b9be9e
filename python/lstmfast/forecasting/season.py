"""Length of the season, found in the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["autocorrelation", "find_season"]

Array = NDArray[np.float64]

MAX_SEASON = 200
_LEAST_CORRELATION = 0.3
# Among lags that correlate nearly as well, the shortest is the season, the others its multiples.
_NEARLY = 0.85


def autocorrelation(z: Array, lags: int) -> Array:
    """Return the correlation of a series with itself 0, 1, ..., `lags` steps later.

    Examples
    --------
    >>> import numpy as np
    >>> autocorrelation(np.array([1.0, -1.0, 1.0, -1.0]), 2)
    array([ 1.  , -0.75,  0.5 ])
    """
    centred = z - z.mean()
    power = float(centred @ centred)
    if power == 0.0:
        return np.zeros(lags + 1)
    return np.array([centred[: len(z) - k] @ centred[k:] / power for k in range(lags + 1)])


def find_season(values: Array) -> int:
    """Return after how many steps the changes of a series repeat; 0 where they do not.

    The season is the lag, of at most a third of the series, at which the autocorrelation of the
    differences peaks clearly: above 0.3 and above three times the 1/√N that noise reaches.

    Parameters
    ----------
    values : ndarray of shape (N,)
        The series, on the scale in which the model sees it (logarithms for log-diff).

    Examples
    --------
    >>> import numpy as np
    >>> find_season(np.tile([1.0, 5.0, 2.0, 2.0], 8))
    4
    >>> find_season(np.arange(10.0) ** 2)
    0
    """
    changes = np.diff(values)
    lags = min(len(changes) // 3, MAX_SEASON)
    if lags < 3:
        return 0
    r = autocorrelation(changes, lags + 1)
    # before its first zero the autocorrelation tells how smooth the series is, not how it repeats
    start = int(np.argmax(r <= 0)) if (r <= 0).any() else lags
    peaks = [k for k in range(start + 1, lags + 1) if r[k] >= r[k - 1] and r[k] >= r[k + 1]]
    if not peaks:
        return 0
    best = max(r[k] for k in peaks)
    if best < max(_LEAST_CORRELATION, 3.0 / np.sqrt(len(changes))):
        return 0
    return next(k for k in peaks if r[k] >= _NEARLY * best)

"""Transforms of the values that the model learns from, with exact inverses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .errors import DataError

__all__ = ["TRANSFORMS", "Transform", "check_values", "get_transform"]

Array = NDArray[np.float64]


# Squares of larger numbers, and their sums, may overflow.
_LARGEST = 1e100
# Equal steps differ by a few roundings of the values between which they lie.
_ROUNDINGS = 8.0


class Transform:
    """A scale (logarithm or none), then differences or none.

    Parameters
    ----------
    name : str
        The name in arguments.
    log : bool
        Work on logarithms: equal factors become equal distances.
    difference : bool
        Work on the change from one step to the next: the level has no effect.

    Examples
    --------
    >>> import numpy as np
    >>> log_diff = TRANSFORMS["log-diff"]
    >>> z = log_diff.forward(np.array([100.0, 110.0, 121.0]))
    >>> z.round(4)
    array([0.0953, 0.0953])
    >>> log_diff.unscale(log_diff.integrate(np.log(100.0), z)).round(6)
    array([110., 121.])
    """

    def __init__(self, name: str, *, log: bool, difference: bool) -> None:
        self.name = name
        self.log = log
        self.difference = difference

    def scale(self, values: Array) -> Array:
        """Return logarithms, or the values as they are."""
        return np.log(values) if self.log else values

    def unscale(self, scaled: Array) -> Array:
        """Undo `scale`; results are limited to e³⁰⁰, so that their squares are finite."""
        return np.exp(np.minimum(scaled, 300.0)) if self.log else scaled

    def forward(self, values: Array) -> Array:
        """Return the steps of the target (N,): one fewer where it differences."""
        scaled = self.scale(values)
        return np.diff(scaled) if self.difference else scaled

    def steps(self, values: Array) -> Array:
        """Return the steps of the target and of the other columns (N, C) after it.

        Other columns are differenced where the target is, but keep their scale: they may be
        negative.
        """
        scaled = np.column_stack([self.scale(values[:, 0]), values[:, 1:]])
        return np.diff(scaled, axis=0) if self.difference else scaled

    def integrate(self, origin: Array | float, changes: Array) -> Array:
        """Return scaled values from the scaled value before them and the changes that follow.

        The steps are on the last axis; `origin` has one value for each series.
        """
        if not self.difference:
            return changes
        return np.asarray(np.asarray(origin)[..., None] + np.cumsum(changes, axis=-1))


TRANSFORMS = {
    transform.name: transform
    for transform in (
        Transform("log-diff", log=True, difference=True),
        Transform("diff", log=False, difference=True),
        Transform("none", log=False, difference=False),
    )
}


def get_transform(name: str) -> Transform:
    """Return the transform with this name."""
    if name not in TRANSFORMS:
        raise ValueError(
            f"[forecast] transform is {name!r}; expected one of {', '.join(TRANSFORMS)}"
        )
    return TRANSFORMS[name]


def check_values(values: Array, transform: Transform, where: Callable[[int, int], str]) -> None:
    """Refuse values that the transform cannot take, and columns that never change.

    Parameters
    ----------
    values : ndarray of shape (N, C)
        The series.
    transform : Transform
        The transform that will be applied.
    where : callable
        ``where(row, column)`` names a value in messages.

    Raises
    ------
    DataError
        With the first bad value and its place.
    """
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(f"{where(row, column)} has {values[row, column]}; expected a finite number")
    huge = np.abs(values) > _LARGEST
    if huge.any():
        row, column = np.argwhere(huge)[0]
        raise DataError(
            f"{where(row, column)} has {values[row, column]:g}; expected at most {_LARGEST:g}"
        )
    if transform.log and (values[:, 0] <= 0).any():
        row = int(np.argmax(values[:, 0] <= 0))
        raise DataError(
            f"{where(row, 0)} has {values[row, 0]:g}; {transform.name} expects numbers above 0 "
            "(or use another --transform)"
        )
    steps = transform.steps(values)
    if len(steps) < 2:  # too short for any forecast; the check of the look-back reports it
        return
    # a value has a relative rounding error; its logarithm has as large an absolute one, and a
    # relative one of its own
    size = np.abs(values).max(axis=0)
    if transform.log:
        size[0] = 1.0 + np.abs(np.log(values[:, 0])).max()
    spread = np.ptp(steps, axis=0)
    for column in np.flatnonzero(~(spread > _ROUNDINGS * np.finfo(np.float64).eps * size)):
        even = transform.difference and np.ptp(values[:, column]) > 0
        how = "changes by the same step all the time" if even else "never changes"
        raise DataError(f"{where(0, int(column))} {how}; expected something to learn")

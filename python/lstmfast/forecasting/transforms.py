"""Transforms of the values that the model learns from, with exact inverses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from .errors import DataError

# Squares of larger numbers, and their sums, may overflow.
_LARGEST = 1e100
# Equal steps differ by a few roundings of the values between which they lie.
_ROUNDINGS = 8.0


@dataclass(frozen=True)
class Transform:
    """A scale (logarithm or none), then differences or none.

    Attributes
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
    >>> z = log_diff.steps(np.array([[100.0], [110.0], [121.0]]))[:, 0]
    >>> z.round(4)
    array([0.0953, 0.0953])
    >>> log_diff.unscale(log_diff.integrate(np.log(100.0), z)).round(6)
    array([110., 121.])
    """

    name: str
    log: bool
    difference: bool

    def scale(self, values: Array) -> Array:
        """Return logarithms, or the values as they are."""
        return np.log(values) if self.log else values

    def unscale(self, scaled: Array) -> Array:
        """Undo `scale`; results are limited to e³⁰⁰, so that their squares are finite."""
        return np.exp(np.minimum(scaled, 300.0)) if self.log else scaled

    def steps(self, values: Array) -> Array:
        """Return the steps of the target and of the other columns (N, C) after it.

        Differences are one fewer than values. Other columns are differenced where the target is,
        but keep their scale: they may be negative.
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
    too_low = f"{transform.name} expects numbers above 0 (or use another --transform)"
    for wrong, complaint in (
        (~np.isfinite(values), "expected a finite number"),
        (np.abs(values) > _LARGEST, f"expected at most {_LARGEST:g}"),
        (transform.log & (values[:, :1] <= 0), too_low),
    ):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise DataError(f"{where(row, column)} has {values[row, column]:g}; {complaint}")
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

"""A forecast from values: validation, training on everything, running ahead, intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from lstmfast._arrays import Array

from .model import Forecaster, Setup
from .outliers import replace_outliers
from .scores import error_scale
from .season import USUAL_PERIODS, find_season
from .transforms import Transform, check_values
from .validation import Validation, plan_validation, validate
from .windows import Window

Ends = dict[float, Array]
"""Ends of intervals by their level."""
Progress = Callable[[int, int], object]
"""Called after each epoch with the number of epochs done, and of all."""

LEVELS = (0.8, 0.95)
OUTLIERS = ("replace", "keep")


@dataclass(frozen=True)
class Trained:
    """A forecaster trained on a whole series, and the validation of forecasters like it."""

    forecaster: Forecaster
    validation: Validation

    def intervals(self, scaled: Array, levels: Sequence[float]) -> tuple[Ends, Ends]:
        """Return lower and upper ends around forecasts (..., H) on the transform's scale."""
        unscale = self.forecaster.setup.transform.unscale
        errors = self.validation.errors[:, : scaled.shape[-1]]
        widths = {level: error_scale(errors, level) for level in levels}
        lower = {level: unscale(scaled - width) for level, width in widths.items()}
        upper = {level: unscale(scaled + width) for level, width in widths.items()}
        return lower, upper


@dataclass(frozen=True)
class Forecast:
    """Forecast values with intervals.

    Attributes
    ----------
    mean : ndarray of shape (H,)
        The forecast. With a logarithm in the transform it is the median.
    lower, upper : dict of float to ndarray of shape (H,)
        Ends of the intervals by their level, 0.8 and 0.95 by default.
    trained : Trained
        The forecaster, with its window and its validation.
    replaced : tuple of (int, int)
        Row and column (the target is column 0) of single values that are far from all around them,
        as typos are. In all computations the straight line between their neighbours replaces them.
        Empty where outliers were kept.
    """

    mean: Array
    lower: Ends
    upper: Ends
    trained: Trained
    replaced: tuple[tuple[int, int], ...]

    @property
    def season(self) -> int:
        """Steps of the season that was found or given; 0 for none."""
        return self.trained.forecaster.setup.window.season


def prepare(
    values: Array, transform: Transform, where: Callable[[int, int], str], outliers: str
) -> tuple[Array, tuple[tuple[int, int], ...]]:
    """Check the values; replace single values that look wrong, or keep them.

    Returns
    -------
    values : ndarray of shape (N, C)
        The values for the forecast.
    replaced : tuple of (int, int)
        As in `Forecast`.
    """
    check_values(values, transform, where)
    if outliers == "keep":
        return values, ()
    mended, replaced = replace_outliers(values, transform)
    check_values(mended, transform, where)
    return mended, replaced


def choose_window(
    target: Array,
    transform: Transform,
    lookback: int | None = None,
    season: int | None = None,
    periods: Iterable[float] = USUAL_PERIODS,
) -> Window:
    """Return the window for a target (N,), with the parts that are not given found in the data.

    A season is looked for among `periods` first, see `find_season`.
    """
    if season is None:
        season = find_season(transform.scale(target), periods)
    return Window.default(season) if lookback is None else Window(lookback, season)


def train(values: Array, setup: Setup, horizon: int, progress: Progress | None = None) -> Trained:
    """Validate on the last parts of the series, then train on all of it in the same way.

    Parameters
    ----------
    values : ndarray of shape (N, C)
        The series, the target first.
    setup : Setup
        How to train. Where validation ends clearly worse than its best, later trainings stop before
        the last epoch; a series too short to decide uses half of the epochs.
    horizon : int
        For how many steps ahead to measure errors.
    progress : callable, optional
        Called after each epoch.

    Returns
    -------
    Trained

    Raises
    ------
    DataError
        If the series is too short for its look-back and season.
    """
    plan = plan_validation(len(values), setup.transform, setup.window, horizon)
    total = (plan.parts + 1) * setup.epochs
    done = count(1)

    def on_epoch() -> None:
        if progress is not None:
            progress(next(done), total)

    validation = validate(values, setup, plan, horizon, on_epoch)
    total -= setup.epochs - validation.epochs
    forecaster = Forecaster.train(values, setup, on_epoch, stop=validation.epochs)
    return Trained(forecaster, validation)


def forecast_prepared(
    values: Array,
    replaced: tuple[tuple[int, int], ...],
    setup: Setup,
    horizon: int,
    levels: Sequence[float] = LEVELS,
    progress: Progress | None = None,
) -> Forecast:
    """Train and forecast from what `prepare` and `choose_window` returned; see `train`."""
    trained = train(values, setup, horizon, progress)
    scaled = trained.forecaster.ahead(values, np.array([len(values)]), horizon)[0]
    lower, upper = trained.intervals(scaled, levels)
    return Forecast(setup.transform.unscale(scaled), lower, upper, trained, replaced)

"""From values to a forecast: validate, train on everything, run ahead, put intervals around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmfast._arrays import as_float

from .intervals import error_scale
from .model import EPOCHS, Forecaster
from .outliers import replace_outliers
from .season import USUAL_PERIODS, find_season
from .transforms import Transform, check_values, get_transform
from .validation import Validation, plan_validation, validate
from .windows import Window

__all__ = [
    "LEVELS",
    "Forecast",
    "Progress",
    "Trained",
    "choose_window",
    "forecast",
    "prepare",
    "train",
]

Array = NDArray[np.float64]
Progress = Callable[[int, int], object]
"""Called after each epoch with the number of epochs done, and of all."""

LEVELS = (0.8, 0.95)


@dataclass(frozen=True)
class Trained:
    """A forecaster trained on a whole series, and what validation found of its like."""

    forecaster: Forecaster
    validation: Validation

    def intervals(self, scaled: Array, level: float) -> tuple[Array, Array]:
        """Return lower and upper ends around forecasts (..., H) on the transform's scale."""
        transform = self.forecaster.transform
        width = error_scale(self.validation.errors[:, : scaled.shape[-1]], level)
        return transform.unscale(scaled - width), transform.unscale(scaled + width)


@dataclass(frozen=True)
class Forecast:
    """Values to come, with intervals.

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
        as typos are. In all that was computed, the line between their neighbours stands for them.
    """

    mean: Array
    lower: dict[float, Array]
    upper: dict[float, Array]
    trained: Trained
    replaced: tuple[tuple[int, int], ...]

    @property
    def season(self) -> int:
        """Steps of the season that was found or given; 0 for none."""
        return self.trained.forecaster.window.season


def prepare(
    values: Array, transform: Transform, where: Callable[[int, int], str]
) -> tuple[Array, tuple[tuple[int, int], ...]]:
    """Refuse what cannot be forecast from, and replace single values that look wrong.

    Returns
    -------
    values : ndarray of shape (N, C)
        What the forecast is made from.
    replaced : tuple of (int, int)
        As in `Forecast`.
    """
    check_values(values, transform, where)
    mended, replaced = replace_outliers(values, transform)
    if replaced:
        check_values(mended, transform, where)
    return mended, replaced


def choose_window(
    target: Array,
    transform: Transform,
    lookback: int | None = None,
    season: int | None = None,
    periods: Iterable[float] = USUAL_PERIODS,
) -> Window:
    """Return the window for a target (N,), finding what is not given in the data.

    A season is looked for among `periods` first, see `find_season`.
    """
    if season is None:
        season = find_season(transform.scale(target), periods)
    return Window.default(season) if lookback is None else Window(lookback, season)


def train(
    values: Array,
    transform: Transform,
    window: Window,
    *,
    horizon: int,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Validate on the last parts of the series, then train on all of it as was validated.

    Parameters
    ----------
    values : ndarray of shape (N, C)
        The series, the target first.
    transform, window : Transform, Window
        What the network sees.
    horizon : int
        How many steps ahead errors are wanted for.
    epochs : int
        Length of the schedule; where validation ends clearly worse than its best, later
        trainings stop earlier. A series too short to tell has half of it.
    seed : int
        Of initial weights and shuffling.
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
    plan = plan_validation(len(values), transform, window, horizon)
    total = (plan.parts + 1) * epochs
    done = 0

    def on_epoch() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    validation = validate(
        values,
        transform,
        window,
        plan,
        horizon=horizon,
        epochs=epochs,
        seed=seed,
        on_epoch=on_epoch,
    )
    total -= epochs - validation.epochs
    forecaster = Forecaster.train(
        values,
        transform,
        window,
        epochs=epochs,
        stop=validation.epochs,
        seed=seed,
        on_epoch=on_epoch,
    )
    return Trained(forecaster, validation)


def forecast(
    series: ArrayLike,
    *,
    horizon: int = 12,
    inputs: ArrayLike | None = None,
    lookback: int | None = None,
    season: int | None = None,
    transform: str = "log-diff",
    epochs: int = EPOCHS,
    seed: int = 0,
    levels: Sequence[float] = LEVELS,
    progress: Progress | None = None,
) -> Forecast:
    """Train an LSTM on a series and forecast the values that follow it.

    The network predicts one step from the steps before it; further steps follow from its own
    predictions. More input columns are predicted along with the target, as their future is not
    known either.

    Parameters
    ----------
    series : array_like of shape (N,)
        The values, in even steps of time.
    horizon : int
        H, how many values to forecast.
    inputs : array_like of shape (N,) or (N, K), optional
        More columns to look at, of the same times.
    lookback : int, optional
        How many steps the network sees; by default a season and one step, or 12.
    season : int, optional
        After how many steps the season repeats, 0 for no season; by default found in the data.
    transform : {"log-diff", "diff", "none"}
        What the network sees: relative changes, changes, or the values themselves.
    epochs : int
        Length of the training.
    seed : int
        Of initial weights and shuffling.
    levels : sequence of float
        Levels of the intervals.
    progress : callable, optional
        Called after each epoch with the number of epochs done, and of all.

    Returns
    -------
    Forecast

    Raises
    ------
    DataError
        A ValueError: values that cannot be forecast from.
    ValueError
        Arguments out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.forecasting import forecast
    >>> t = np.arange(60)
    >>> coming = forecast(100 + 10 * np.sin(t * np.pi / 6), horizon=3, epochs=5)
    >>> coming.season, coming.mean.shape
    (12, (3,))
    """
    values = _columns(series, inputs)
    for name, number in (("horizon", horizon), ("epochs", epochs), ("lookback", lookback)):
        if number is not None and number < 1:
            raise ValueError(f"[forecast] {name} is {number}; expected at least 1")
    if season is not None and (season < 0 or season == 1):
        raise ValueError(f"[forecast] season is {season}; expected 0 for none, or at least 2")
    if not all(0.0 < level < 1.0 for level in levels):
        raise ValueError(f"[forecast] levels are {tuple(levels)}; expected numbers between 0 and 1")
    chosen = get_transform(transform)
    values, replaced = prepare(values, chosen, _place)
    window = choose_window(values[:, 0], chosen, lookback, season)
    trained = train(
        values, chosen, window, horizon=horizon, epochs=epochs, seed=seed, progress=progress
    )
    scaled = trained.forecaster.ahead(values, np.array([len(values)]), horizon)[0]
    ends = {level: trained.intervals(scaled, level) for level in levels}
    return Forecast(
        chosen.unscale(scaled),
        {level: low for level, (low, _) in ends.items()},
        {level: high for level, (_, high) in ends.items()},
        trained,
        replaced,
    )


def _columns(series: ArrayLike, inputs: ArrayLike | None) -> Array:
    """Return target and inputs as (N, C)."""
    target = as_float(series, np.dtype(np.float64), "forecast", "series")
    if target.ndim != 1:
        raise ValueError(f"[forecast] series has shape {target.shape}; expected one axis")
    if inputs is None:
        return target[:, None]
    more = as_float(inputs, np.dtype(np.float64), "forecast", "inputs")
    if more.ndim not in (1, 2) or len(more) != len(target):
        raise ValueError(
            f"[forecast] inputs has shape {more.shape}; expected ({len(target)}, K) to match series"
        )
    return np.column_stack([target, more])


def _place(row: int, column: int) -> str:
    return f"[forecast] series[{row}]" if column == 0 else f"[forecast] inputs[{row}, {column - 1}]"

"""`forecast`, the function: a forecast from arrays."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float
from lstmfast._checks import count

from .model import EPOCHS, Setup
from .pipeline import (
    LEVELS,
    OUTLIERS,
    Forecast,
    Progress,
    choose_window,
    forecast_prepared,
    prepare,
)
from .transforms import TRANSFORMS

_MOST_NAMED = 10


def forecast(
    series: ArrayLike,
    *,
    horizon: int = 12,
    inputs: ArrayLike | None = None,
    lookback: int | None = None,
    season: int | None = None,
    transform: str = "log-diff",
    outliers: str = "replace",
    epochs: int = EPOCHS,
    seed: int = 0,
    levels: Sequence[float] = LEVELS,
    progress: Progress | None = None,
) -> Forecast:
    """Train an LSTM on a series and forecast the values that follow it.

    The network predicts one step from the steps before it; further steps follow from its own
    predictions. Further input columns are predicted together with the target, because their future
    is not known either.

    Parameters
    ----------
    series : array_like of shape (N,)
        The values, in even steps of time.
    horizon : int
        H, how many values to forecast.
    inputs : array_like of shape (N,) or (N, K), optional
        Further input columns, of the same times.
    lookback : int, optional
        How many steps the network sees; by default a season and one step, or 12.
    season : int, optional
        After how many steps the season repeats, 0 for no season; by default found in the data.
    transform : {"log-diff", "diff", "none"}
        What the network sees: relative changes, changes, or the values themselves.
    outliers : {"replace", "keep"}
        What to do about single values that are far from all around them, as typos are: replace them
        by the straight line between their neighbours, with a warning, or keep them, where such
        peaks are real.
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
        A ValueError: values from which no forecast can be made.
    ValueError
        Arguments out of range.

    Warns
    -----
    UserWarning
        Where values were replaced, with their positions.

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
        if number is not None:
            count(number, name, "forecast")
    if season is not None and (season < 0 or season == 1):
        raise ValueError(f"[forecast] season is {season}; expected 0 for none, or at least 2")
    if not all(0.0 < level < 1.0 for level in levels):
        raise ValueError(f"[forecast] levels are {tuple(levels)}; expected numbers between 0 and 1")
    for name, choice, known in (
        ("outliers", outliers, OUTLIERS),
        ("transform", transform, TRANSFORMS),
    ):
        if choice not in known:
            raise ValueError(f"[forecast] {name} is {choice!r}; expected one of {', '.join(known)}")
    chosen = TRANSFORMS[transform]
    values, replaced = prepare(
        values, chosen, lambda row, column: f"[forecast] {_place(row, column)}", outliers
    )
    if replaced:
        warnings.warn(_replaced_text(replaced), UserWarning, stacklevel=2)
    window = choose_window(values[:, 0], chosen, lookback, season)
    setup = Setup(chosen, window, epochs, seed)
    return forecast_prepared(values, replaced, setup, horizon, levels, progress)


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
    return f"series[{row}]" if column == 0 else f"inputs[{row}, {column - 1}]"


def _replaced_text(replaced: Sequence[tuple[int, int]]) -> str:
    """Return the warning that names the values that were replaced."""
    named = ", ".join(_place(row, column) for row, column in replaced[:_MOST_NAMED])
    if len(replaced) > _MOST_NAMED:
        named += f" and {len(replaced) - _MOST_NAMED} more (see Forecast.replaced)"
    return (
        f"[forecast] {named}: far from all values around, and replaced by what lies between the "
        'values next to it; use outliers="keep" to keep such values'
    )

"""What forecasts of a series are worth, learnt from its own past.

The last two parts of the series are forecast one after the other, each by a forecaster trained on
the values before it alone. From this come the errors behind the prediction intervals, the scores
against the baselines, and when to stop training. Two parts, because one alone may happen to be
calmer or wilder than the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .baselines import baselines_for
from .errors import DataError
from .intervals import measured_steps
from .model import Forecaster
from .scores import Scores, score, values_ahead
from .transforms import Transform
from .windows import Window

__all__ = ["Plan", "Validation", "best_epoch", "plan_validation", "validate"]

Array = NDArray[np.float64]

# Fewer training windows than this, validation included, are no basis for a network.
_FEWEST_WINDOWS = 12
# The loss on a handful of windows is too noisy to choose the number of epochs by.
_ENOUGH_TO_STOP = 24
_CLEARLY_WORSE = 1.1
_MOST_PARTS = 2


@dataclass(frozen=True)
class Plan:
    """Which parts of a series are forecast for validation.

    Attributes
    ----------
    part : int
        Values in each part.
    parts : int
        How many parts there are, at the end of the series.
    """

    part: int
    parts: int


@dataclass(frozen=True)
class Validation:
    """What validation found.

    Attributes
    ----------
    errors : ndarray of shape (origins, H)
        Forecast minus truth on the transform's scale, NaN beyond the end of the series.
    reach : int
        How many steps ahead the errors are measured for, at most H: a part may be shorter.
    scores : dict of str to Scores
        Errors of the network and of the baselines, by name; rolling over `reach` steps.
    epochs : int
        After how many epochs to stop training.
    plan : Plan
        On which parts.
    """

    errors: Array
    reach: int
    scores: dict[str, Scores]
    epochs: int
    plan: Plan


def plan_validation(count: int, transform: Transform, window: Window, horizon: int) -> Plan:
    """Return the parts to validate on for a series of `count` values.

    A part has a fifth of the windows, or a few more than the horizon, at most a third. At least a
    third of the windows remains for the first training.

    Raises
    ------
    DataError
        If the series is too short for its look-back and season, or shorter than the horizon.

    Examples
    --------
    >>> from .transforms import TRANSFORMS
    >>> plan_validation(96, TRANSFORMS["log-diff"], Window(13, 12), 12)
    Plan(part=17, parts=2)
    """
    offset = int(transform.difference)
    fewest = max(window.first, window.lookback) + _FEWEST_WINDOWS + offset
    if count < fewest:
        season = f" and a season of {window.season}" if window.season else ""
        raise DataError(
            f"length {count} is too short for a look-back of {window.lookback}{season}; "
            f"expected at least {fewest}"
        )
    if horizon > count:
        raise DataError(f"a horizon of {horizon} is longer than the {count} values before it")
    windows = count - offset - window.first
    part = max(round(0.2 * windows), min(horizon + 4, windows // 3))
    return Plan(part, min(max(2 * windows // (3 * part), 1), _MOST_PARTS))


def validate(
    values: Array,
    transform: Transform,
    window: Window,
    plan: Plan,
    *,
    horizon: int,
    epochs: int,
    seed: int,
    on_epoch: Callable[[], object] | None = None,
) -> Validation:
    """Train once for each part on what lies before it, and forecast the part."""
    target = values[:, 0]
    rules = baselines_for(window, transform)
    truths, errors, losses = [], [], []
    forecasts: dict[str, list[Array]] = {name: [] for name in ["LSTM", *rules]}
    for k in reversed(range(plan.parts)):
        end = len(values) - k * plan.part
        trial = Forecaster.train(
            values[:end],
            transform,
            window,
            held_out=plan.part,
            epochs=epochs,
            seed=seed,
            on_epoch=on_epoch,
        )
        losses.append(trial.losses)
        origins = np.arange(end - plan.part, end)
        truth = values_ahead(target, origins, horizon)
        scaled = trial.ahead(values, origins, horizon)
        truths.append(truth)
        errors.append(scaled - transform.scale(truth))
        forecasts["LSTM"].append(transform.unscale(scaled))
        for name, rule in rules.items():
            forecasts[name].append(rule(target, end - plan.part, origins, horizon))
    found = np.concatenate(errors)
    reach = measured_steps(found)
    known = np.concatenate(truths)[:, :reach]
    scores = {
        name: score(np.concatenate(each)[:, :reach], known) for name, each in forecasts.items()
    }
    stop = epochs
    if plan.part * plan.parts >= _ENOUGH_TO_STOP:
        stop = best_epoch(np.mean(losses, axis=0))
    return Validation(found, reach, scores, stop, plan)


def best_epoch(losses: Array) -> int:
    """Return after how many epochs to stop: all, unless the loss ends clearly above its best.

    The losses are averaged over five epochs first.

    Examples
    --------
    >>> import numpy as np
    >>> best_epoch(np.array([3.0, 2.0, 2.0, 2.0, 2.1, 2.0])), best_epoch(np.arange(1.0, 10.0))
    (6, 3)
    """
    if len(losses) < 5:
        return len(losses)
    smooth = np.convolve(losses, np.full(5, 0.2), mode="valid")
    best = int(smooth.argmin())
    return best + 3 if smooth[-1] > _CLEARLY_WORSE * smooth[best] else len(losses)

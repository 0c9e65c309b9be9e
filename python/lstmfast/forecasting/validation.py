"""Validation of forecasts on a series' own past.

The last parts of the series are forecast one after the other, each by a forecaster trained only on
the values before it. The loss on a part decides when the later trainings stop; so a forecast is
scored on values that did not influence its network, and the last training, on everything, is one
more of the kind that was scored. The scored parts give the errors for the prediction intervals and
the scores against the baselines. Two are scored where the series is long enough, because a single
one may be calmer or wilder than the rest by chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from .baselines import baselines_for
from .errors import DataError
from .model import Forecaster, Setup
from .scores import Scores, measured_steps, score, values_ahead
from .transforms import Transform
from .windows import Window

# The fewest training windows, validation included, for a network.
_FEWEST_WINDOWS = 12
# Fewer leave too little to train on before three parts that are long enough to score.
_FEWEST_FOR_PARTS = 20
_CLEARLY_WORSE = 0.4


@dataclass(frozen=True)
class Plan:
    """Which parts of a series are forecast for validation.

    Attributes
    ----------
    part : int
        Values in each part.
    parts : int
        How many parts there are, at the end of the series: three, of which the first only tells
        when to stop and the others are scored, or a single one that is scored.
    """

    part: int
    parts: int

    @property
    def chooses(self) -> bool:
        """Whether the data decide when to stop; else trainings have half of their epochs."""
        return self.parts > 1

    @property
    def scored(self) -> int:
        """How many values at the end of the series are scored."""
        return self.part * (self.parts - self.chooses)


@dataclass(frozen=True)
class Validation:
    """The results of validation.

    Attributes
    ----------
    errors : ndarray of shape (origins, H)
        Forecast minus truth on the transform's scale, NaN beyond the end of the series.
    reach : int
        How many steps ahead the errors are measured for, at most H: a part may be shorter.
    scores : dict of str to Scores
        Errors of the network and of the baselines, by name; rolling over `reach` steps.
    epochs : int
        After how many epochs the last training stops.
    plan : Plan
        The parts.
    """

    errors: Array
    reach: int
    scores: dict[str, Scores]
    epochs: int
    plan: Plan


def plan_validation(count: int, transform: Transform, window: Window, horizon: int) -> Plan:
    """Return the parts to validate on for a series of `count` values.

    Each of three parts has a fifth of the windows; of few windows, a single part has a third.

    Raises
    ------
    DataError
        If the series is too short for its look-back and season, or shorter than the horizon.

    Examples
    --------
    >>> from .transforms import TRANSFORMS
    >>> plan_validation(96, TRANSFORMS["log-diff"], Window(13, 12), 12)
    Plan(part=17, parts=3)
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
    if windows < _FEWEST_FOR_PARTS:
        return Plan(windows // 3, 1)
    return Plan(round(windows / 5), 3)


def validate(
    values: Array,
    setup: Setup,
    plan: Plan,
    horizon: int,
    on_epoch: Callable[[], object] = lambda: None,
) -> Validation:
    """Train once for each part on the values before it, and forecast the part."""
    target, transform = values[:, 0], setup.transform
    rules = baselines_for(setup.window, transform)
    origins = np.arange(len(values) - plan.scored, len(values))
    truth = values_ahead(target, origins, horizon)
    losses: list[Array] = []
    ahead = np.empty_like(truth)
    forecasts = {name: np.empty_like(truth) for name in ("LSTM", *rules)}
    stop = max(setup.epochs // 2, 1)
    for k in reversed(range(plan.parts)):
        end = len(values) - k * plan.part
        start = end - plan.part
        trial = Forecaster.train(values[:end], setup, on_epoch, held_out=plan.part, stop=stop)
        if start >= origins[0]:
            part = slice(start - origins[0], end - origins[0])
            ahead[part] = trial.ahead(values, origins[part], horizon)
            for name, rule in rules.items():
                forecasts[name][part] = rule(target, start, origins[part], horizon)
        if plan.chooses:
            losses.append(trial.losses)
            stop = best_epoch(np.mean(losses, axis=0), len(losses) * plan.part)
    forecasts["LSTM"] = transform.unscale(ahead)
    errors = ahead - transform.scale(truth)
    reach = measured_steps(errors)
    scores = {name: score(each[:, :reach], truth[:, :reach]) for name, each in forecasts.items()}
    return Validation(errors, reach, scores, stop, plan)


def best_epoch(losses: Array, count: int) -> int:
    """Return after how many epochs to stop: all, unless the loss ends clearly above its best.

    The losses are averaged over five epochs first. What counts as clear depends on the `count` of
    values that they were measured on: a tenth for 16, a twentieth for 64.

    Examples
    --------
    >>> import numpy as np
    >>> best_epoch(np.array([3.0, 2, 2, 2, 2.1, 2]), 64), best_epoch(np.arange(1.0, 10.0), 64)
    (6, 3)
    """
    if len(losses) < 5:
        return len(losses)
    smooth = np.convolve(losses, np.full(5, 0.2), mode="valid")
    best = int(smooth.argmin())
    clear = 1.0 + _CLEARLY_WORSE / math.sqrt(count)
    return best + 3 if smooth[-1] > clear * smooth[best] else len(losses)

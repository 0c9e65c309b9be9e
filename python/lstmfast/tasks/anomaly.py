"""Windows of a sensor series; in some of them something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lstmfast._arrays import Array

from ._measures import Measure
from ._pictures import legend, panels
from ._records import Example, Part, Settings
from ._task import Task, option

_KINDS = ("no fault", "spike", "flat line", "other period")


def _area(expected: Array, given: Array, weights: Array | None) -> float:
    """Return how often a sample of class 1 has a larger value than one of class 0."""
    ranks = given.argsort().argsort() + 1
    ones = np.count_nonzero(expected)
    pairs = ones * (len(expected) - ones)
    return float((ranks[expected == 1].sum() - ones * (ones + 1) / 2) / pairs)


@dataclass(kw_only=True)
class Anomaly(Task):
    """Find what is wrong in a sensor series, by the errors of a forecast of what is usual.

    A usual window is a periodic pattern with drift and noise. The model learns to forecast the
    next value at each step of such windows alone. In half of the windows that it is judged by
    something is wrong: a spike, a line that stays flat, or from some step on another period. The
    largest error of the forecasts in a window says how unusual it is; those in its first third, in
    which nothing is wrong, do not count.

    Parameters
    ----------
    length : int
        Steps of a window.
    """

    length: int = option(60, least=20)

    mode = "many to many"
    source = (
        "Malhotra, Vig, Shroff and Agarwal: Long Short Term Memory Networks for Anomaly Detection "
        "in Time Series, 2015"
    )
    settings = Settings(units=32, epochs=15, learning_rate=0.01, samples=(1000, 200, 1000))
    measure = Measure("area under the ROC curve", _area)
    target = 0.95

    @cached_property
    def chance(self) -> float:
        """The score of errors that say nothing."""
        return 0.5

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return usual windows, and the next value of each step."""
        steps = np.arange(self.length + 1)
        cycles = steps / rng.uniform(10.0, 16.0, (samples, 1)) + rng.random((samples, 1))
        wave = np.sin(2.0 * np.pi * cycles) + 0.4 * np.sin(4.0 * np.pi * cycles + 1.0)
        drift = rng.uniform(-0.5, 0.5, (samples, 1)) * steps / self.length
        series = 0.6 * (wave + drift) + 0.05 * rng.standard_normal(wave.shape)
        return self.forecasts(series)

    def forecasts(self, series: Array) -> Part:
        """Return each step of series, and the step after it."""
        values = series.astype(np.float32)[..., np.newaxis]
        return Part(values[:, :-1], values[:, 1:])

    def damaged(self, part: Part) -> tuple[Part, Array]:
        """Return windows of which every second one is damaged, and how: the place in the kinds."""
        rng = np.random.default_rng(self.seed)
        series = np.concatenate([part.x[:, :1], part.y], axis=1)[..., 0]
        samples = len(series)
        kinds = rng.integers(1, len(_KINDS), samples) * (np.arange(samples) % 2)
        steps = np.arange(series.shape[1])
        begin = rng.integers(self.length // 3, self.length * 2 // 3, (samples, 1))
        height = rng.uniform(0.15, 0.4, (samples, 1)) * rng.choice([-1, 1], (samples, 1))
        spike = series + height * (steps == begin)
        flat = np.take_along_axis(series, np.minimum(steps, begin), axis=1)
        slower = np.minimum(steps, begin + (steps - begin) * 0.75)
        place = slower.astype(int)
        later = np.minimum(place + 1, steps[-1])
        value, after = (np.take_along_axis(series, each, axis=1) for each in (place, later))
        period = value + (slower - place) * (after - value)
        made = np.choose(kinds[:, np.newaxis], [series, spike, flat, period])
        return self.forecasts(made), kinds

    def judged(self, model: Any, part: Part | None = None) -> tuple[Array, Array, None]:
        """Return which windows are damaged (1), and the largest error in each."""
        windows, kinds = self.damaged(self.test if part is None else part)
        errors = np.abs(self.predict(model, windows.x) - windows.y)[:, self.length // 3 - 1 :]
        return (kinds > 0).astype(int), errors.max(axis=(1, 2)), None

    def examples(self, model: Any, number: int = 3) -> list[Example]:
        """Return the first windows that it is judged by, what is wrong, and the largest error."""
        windows, kinds = self.damaged(self.test)
        _, errors, _ = self.judged(model)
        return [
            Example(self.show_x(x), _KINDS[kind], f"largest error {error:.2f}")
            for x, kind, error in zip(windows.x[:number], kinds, errors, strict=False)
        ]

    def picture(self, model: Any) -> Any:
        """Return a figure of the window of each kind with the largest error of a forecast."""
        from lstmfast.plot.looks import INK, RED

        windows, kinds = self.damaged(self.test)
        found = self.predict(model, windows.x)[..., 0]
        _, largest, _ = self.judged(model)
        steps = np.arange(2, self.length + 2)
        counted = slice(self.length // 3 - 1, None)
        text = f"error, counted from step {steps[counted][0]} on"
        titles = [kind.capitalize() for kind in _KINDS]
        figure, all_axes = panels(titles, 2, (5.0, 2.6), "step", "sensor")
        for kind, axes in enumerate(all_axes):
            place = np.where(kinds == kind, largest, -1.0).argmax()
            truth, answers = windows.y[place, :, 0], found[place]
            axes.plot(steps, truth, color=INK, linewidth=1.2, label="series")
            axes.plot(steps, answers, color=RED, linewidth=1.0, label="forecast of each step")
            axes.fill_between([], [], color=RED, alpha=0.3, lw=0, label=text)
            below = axes.twinx()
            errors = np.abs(answers - truth)[counted]
            below.fill_between(steps[counted], errors, color=RED, alpha=0.3, lw=0)
            below.set_ylim(0.0, 3.0 * largest.max())
            below.tick_params(colors=RED, labelsize=8, labelright=kind % 2 == 1)
            below.spines[:].set_visible(False)
            if kind % 2:
                below.set_ylabel("error", color=RED)
        legend(figure)
        return figure

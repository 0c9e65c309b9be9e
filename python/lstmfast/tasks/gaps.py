"""A noisy series with missing values, and the value that comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array

from ._measures import EXPLAINED
from ._pictures import legend, panels
from ._records import Part, Settings
from ._task import Task, option

_MISSING = -9.0  # in place of all features of a step; none is that low


@dataclass(kw_only=True)
class Gaps(Task):
    """Forecast the next value of a wave from noisy values, many of which are missing.

    The wave's period, phase and height differ from sample to sample. Missing steps are masked, so
    the network does not see them; with each other step it reads the value, the steps since the last
    known value, and the steps until the forecast. The suggested model explains 0.96 of the
    variance, and 1.00 of the same waves complete and clean: ``missing=0, noise=0``.

    Parameters
    ----------
    length : int
        Steps of a series.
    missing : int
        Percent of the values that are missing, up to 90.
    noise : int
        Standard deviation of the noise, in percent of the waves' mean height, up to 100.
    """

    length: int = option(40, least=10)
    missing: int = option(30, least=0, most=90)
    noise: int = option(20, least=0, most=100)

    mode = "many to one"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017"
    settings = Settings(
        units=32, epochs=30, learning_rate=0.02, samples=(4000, 500, 1000),
        model={"mask_value": _MISSING},
    )  # fmt: skip
    measure = EXPLAINED
    target = 0.9

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return what is known of noisy waves, and their clean next values.

        Feature 0 is the value; 1 and 2 are, in tens, the steps since the last known value (or the
        beginning) and those until the forecast.
        """
        period, phase, height = rng.uniform([8, 0, 0.5], [20, 1, 1.5], (samples, 3)).T[..., None]
        time = np.arange(self.length + 1)
        wave = height * np.sin(2 * np.pi * (time / period + phase))
        values = wave[:, :-1] + self.noise / 100 * rng.standard_normal((samples, self.length))
        order = rng.random(values.shape).argsort(axis=1).argsort(axis=1)
        known = order >= self.missing * self.length // 100
        step = time[1:]
        last = np.maximum.accumulate(np.where(known, step, 0), axis=1)
        since = step - np.pad(last[:, :-1], ((0, 0), (1, 0)))
        until = np.broadcast_to(self.length + 1 - step, known.shape)
        x = np.stack([values, since / 10, until / 10], axis=2)
        x[~known] = _MISSING
        return Part(x.astype(np.float32), wave[:, -1:].astype(np.float32))

    def picture(self, model: Any) -> Any:
        """Return a figure of some test samples: what is known, the next value, the forecast."""
        from lstmfast.plot.looks import INK, RED

        found = self.predict(model, self.test.x[:4])
        titles = [f"Sample {n + 1}" for n in range(len(found))]
        figure, all_axes = panels(titles, 2, (5.0, 2.6), "step", "value")
        for n, axes in enumerate(all_axes):
            known = self.test.x[n, :, 0]
            steps = np.flatnonzero(known != _MISSING)
            axes.plot(steps + 1, known[steps], "o", color=INK, markersize=3, label="known")
            axes.plot(self.length + 1, self.test.y[n], "o", mec=INK, mfc="white", label="next")
            axes.plot(self.length + 1, found[n], "x", color=RED, mew=2, label="forecast")
        legend(figure)
        return figure

    def persistence(self, part: Part) -> Array:
        """Return the last values that are known."""
        steps = part.x.shape[1] - 1 - (part.x[:, ::-1, 0] != _MISSING).argmax(axis=1)
        return part.x[np.arange(len(steps)), steps, :1]

    def show_x(self, x: Array) -> str:
        """Return the last values; a missing one is a dash."""
        return "... " + " ".join("-" if a == _MISSING else f"{a:.2f}" for a in x[-10:, 0])

"""A noisy series with missing values, and the value that comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array

from ._measures import EXPLAINED
from ._records import Part, Settings
from ._task import Task, option

_MISSING = -9.0  # in place of a value and of its time; no value is that low


@dataclass(kw_only=True)
class Gaps(Task):
    """Forecast the next value of a wave from noisy values, many of which are missing.

    Each step has a value and its time, from 0 to 1; missing steps are masked, so the network does
    not see them. The wave's period, phase and height differ from sample to sample. ``missing=0,
    noise=0`` is the same waves, clean and complete.

    Parameters
    ----------
    length : int
        Steps of a series.
    missing : int
        Percent of the values that are missing, up to 90.
    noise : int
        Standard deviation of the noise, in percent of the mean height of the waves.
    """

    length: int = option(40, least=10)
    missing: int = option(30, least=0)
    noise: int = option(20, least=0)

    mode = "many to one"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017"
    settings = Settings(
        units=32, epochs=30, learning_rate=0.01, samples=(4000, 500, 1000),
        model={"mask_value": _MISSING},
    )  # fmt: skip
    measure = EXPLAINED
    target = 0.85

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.missing > 90:
            raise ValueError(f"[gaps] missing is {self.missing}; expected at most 90 percent")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return values (feature 0) and times (feature 1) of noisy waves; clean next values."""
        period, phase, height = rng.uniform([8, 0, 0.5], [20, 1, 1.5], (samples, 3)).T[..., None]
        time = np.arange(self.length + 1)
        wave = height * np.sin(2 * np.pi * (time / period + phase))
        noise = self.noise / 100 * rng.standard_normal((samples, self.length))
        order = rng.random((samples, self.length)).argsort(axis=1).argsort(axis=1)
        times = np.broadcast_to(time[:-1] / self.length, noise.shape)
        x = np.stack([wave[:, :-1] + noise, times], axis=2)
        x[order < self.missing * self.length // 100] = _MISSING
        return Part(x.astype(np.float32), wave[:, -1:].astype(np.float32))

    def picture(self, model: Any) -> Any:
        """Return a figure of some test samples: what is known, the next value, the forecast."""
        from lstmfast.plot._looks import INK, RED, panels, style

        found = self.predict(model, self.test.x[:4])
        figure, all_axes = panels(4, 2, 5.0, 2.6, None, self.name)
        for n, axes in enumerate(all_axes):
            known = self.test.x[n, :, 0]
            steps = np.flatnonzero(known != _MISSING)
            style(axes, f"Sample {n + 1}", "y", ticks=9, fontsize=11)
            axes.plot(steps + 1, known[steps], "o", color=INK, markersize=3, label="known")
            axes.plot(self.length + 1, self.test.y[n], "o", mec=INK, mfc="white", label="next")
            axes.plot(self.length + 1, found[n], "x", color=RED, mew=2, label="forecast")
            axes.set_xlabel("step", color=INK)
        all_axes[1].legend(
            frameon=False,
            fontsize=9,
            labelcolor=INK,
            ncols=3,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.2,
        )
        return figure

    def persistence(self, part: Part) -> Array:
        """Return the last values that are known."""
        steps = part.x.shape[1] - 1 - (part.x[:, ::-1, 0] != _MISSING).argmax(axis=1)
        return part.x[np.arange(len(steps)), steps, :1]

    def show_x(self, x: Array) -> str:
        """Return the last values; a missing one is a dash."""
        return "... " + " ".join("-" if a == _MISSING else f"{a:.2f}" for a in x[-10:, 0])

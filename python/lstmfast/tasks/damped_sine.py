"""A damped sine wave is to be continued from its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._measures import error
from ._records import Part, Settings
from ._task import Task, option


@dataclass(kw_only=True)
class DampedSine(Task):
    """Forecast the rest of a damped sine wave from its beginning.

    Parameters
    ----------
    length : int
        Steps of a wave that are seen.
    horizon : int
        Steps after them to forecast.
    """

    length: int = option(50)
    horizon: int = option(10)

    mode = "many to many"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 7"
    settings = Settings("stacked", units=(32, 32), epochs=15, learning_rate=0.01)
    measure = error()
    target = 0.02

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return waves sin(2π (t / period + phase)) exp(-damping t) in two pieces."""
        period = rng.uniform(10.0, 20.0, (samples, 1))
        damping = rng.uniform(0.01, 0.04, (samples, 1))
        phase = rng.random((samples, 1))
        time = np.arange(self.length + self.horizon)
        wave = np.sin(2.0 * np.pi * (time / period + phase)) * np.exp(-damping * time)
        return Part(wave[:, : self.length, np.newaxis], wave[:, self.length :])

    def picture(self, model: Any) -> Any:
        """Return a figure of the forecast of the first test wave."""
        from lstmfast.plot import forecast

        x, y, _ = self.test
        found = self.predict(model, x[:1])[0]
        return forecast(x[0, :, 0], found, truth=y[0], name="known", title="A damped sine wave")

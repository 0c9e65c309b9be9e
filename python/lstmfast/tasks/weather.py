"""Hours of weather, with seasons, days and fronts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array

from ._measures import error
from ._records import Part, Settings
from ._task import Task, option

_DEGREES = 10.0  # that 1 in the data means
_YEARS = 4
_MOST = 365 * 24  # hours of a window and its forecast


@dataclass(kw_only=True)
class Weather(Task):
    """Forecast the temperature from hours of temperature, pressure and humidity.

    The temperature has a season, days whose range is large in summer and small under clouds, and
    fronts. Before a front the pressure falls and clouds come; after it, cold air stays for days.
    Each part of the data is of other years.

    Parameters
    ----------
    hours : int
        Hours to look at.
    ahead : int
        Hours from the last of them to the forecast.
    """

    hours: int = option(36)
    ahead: int = option(12)

    mode = "many to one"
    source = "Ahrens: Meteorology Today, on fronts and on the daily range of temperature"
    settings = Settings(
        units=32, epochs=15, learning_rate=0.01, batch_size=64, samples=(4000, 500, 1000)
    )
    measure = error("°C", _DEGREES)
    target = 1.7

    def __post_init__(self) -> None:
        super().__post_init__()
        if (whole := self.hours + self.ahead) > _MOST:
            raise ValueError(f"[weather] hours + ahead is {whole}; expected at most {_MOST}")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return windows of the weather of some years, at random."""
        series = self.series(rng)
        most = len(series) - self.hours - self.ahead
        return self.windows(series, rng.integers(0, most + 1, samples))

    def windows(self, series: Array, first: Array) -> Part:
        """Return windows that begin at the hours `first`, and their answers."""
        x = series[first[:, np.newaxis] + np.arange(self.hours)]
        return Part(x, series[first + self.hours + self.ahead - 1, :1])

    def series(self, rng: np.random.Generator) -> Array:
        """Return the weather of some years, hour by hour (T, 5).

        It is the temperature, the pressure, the humidity, and the hour as a sine and a cosine.
        """
        hour = np.arange(_YEARS * _MOST)
        clock = 2.0 * np.pi * hour / 24.0
        summer = np.cos(2.0 * np.pi * (hour / 24.0 - 200.0) / 365.25)
        fronts = rng.exponential(1.0, hour.size) * (rng.random(hour.size) < 1.0 / 96.0)

        def passing(before: float, after: float) -> Array:
            """Return what grows to 1 in so many hours until a front and falls in so many after."""
            lag = np.arange(-240.0, 241.0)
            shape = np.exp(-np.abs(lag) / np.where(lag < 0.0, before, after))
            risen: Array = np.convolve(fronts, shape, "same")
            return risen

        def drift(size: float) -> Array:
            """Return noise that is forgotten within a day."""
            shape = np.exp(-np.arange(120.0) / 12.0)
            noise = np.convolve(rng.standard_normal(hour.size), shape, "same")
            scaled: Array = size * noise / np.sqrt(np.square(shape).sum())
            return scaled

        clouds = 1.0 - np.exp(-1.5 * passing(8.0, 4.0))
        day = (5.0 + 2.0 * summer) * (1.0 - 0.8 * clouds) * np.cos(clock - 2.0 * np.pi * 15 / 24)
        cold = 6.0 * (passing(1.0, 48.0) - passing(1.0, 3.0))
        temperature = 10.0 + 9.0 * summer + day - cold + drift(0.8)
        pressure = 1016.0 - 9.0 * passing(18.0, 6.0) + drift(1.0)
        humidity = 55.0 + 35.0 * clouds - 2.0 * day + drift(3.0)
        columns = [
            temperature / _DEGREES, (pressure - 1010.0) / 10.0, (humidity - 60.0) / 20.0,
            np.sin(clock), np.cos(clock),
        ]  # fmt: skip
        return np.stack(columns, axis=1).astype(np.float32)

    def persistence(self, part: Part) -> Array:
        """Return the temperature as it is now."""
        return part.x[:, -1, :1]

    def show_x(self, x: Array) -> str:
        """Return the first and the last temperatures and pressures."""
        ends = [
            f"{step[0] * _DEGREES:.1f} °C, {step[1] * 10 + 1010:.0f} hPa" for step in x[[0, -1]]
        ]
        return f"{ends[0]} ... {ends[1]}"

    def show_y(self, y: Array) -> str:
        """Return a temperature."""
        return f"{y[0] * _DEGREES:.1f} °C"

    def picture(self, model: Any) -> Any:
        """Return a figure of the forecasts of some days, each made so many hours before."""
        from lstmfast.plot import forecast

        series = self.series(np.random.default_rng(self.seed))[: 14 * 24 + self.hours + self.ahead]
        first = np.arange(len(series) - self.hours - self.ahead)
        x, y, _ = self.windows(series, first)
        known = series[: self.hours + self.ahead - 1, 0]
        figure = forecast(
            _DEGREES * known,
            _DEGREES * self.predict(model, x),
            truth=_DEGREES * y,
            name="known",
            title=f"Temperature of two weeks by hours, each forecast {self.ahead} hours before",
        )
        days = range(len(series) // 24 + 1)
        figure.axes[0].set_xticks([24 * day for day in days], [str(day + 1) for day in days])
        figure.axes[0].set(xlabel="day", ylabel="°C")
        return figure

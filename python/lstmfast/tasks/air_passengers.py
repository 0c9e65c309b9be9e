"""Monthly totals of international airline passengers, 1949 to 1960."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lstmfast import ops as _ops
from lstmfast._arrays import Array
from lstmfast.forecasting.demo import air_passengers
from lstmfast.layers import Input
from lstmfast.models import Model

from ._given import Given
from ._measures import error
from ._networks import Units
from ._records import Part, Settings

ops: Any = _ops  # most of its functions come from tables
_SCALE = 5.0  # the logarithms of the quotients are about 0.2 in size


@dataclass(kw_only=True)
class AirPassengers(Given):
    """Forecast next month's airline passengers from those of the last twelve months.

    The model takes and returns thousands of passengers. Inside, it divides the twelve months by the
    last of them, so no scale comes from later months. 1950 to 1956 train, 1957 validates, 1958 to
    1960 test. The target is half the error of persistence. A linear model that sees two months
    more, and so how the same month grew a year ago, has an error of 15.
    """

    mode = "many to one"
    source = "Box and Jenkins: Time Series Analysis: Forecasting and Control, 1970, series G"
    settings = Settings(
        "bidirectional", units=32, epochs=400, learning_rate=0.01, batch_size=8,
        samples=(84, 12, 36), model={"dropout": 0.5},
    )  # fmt: skip
    measure = error("thousands of passengers")
    target = 25.0
    loss = "mean_squared_logarithmic_error"

    @cached_property
    def data(self) -> Part:  # type: ignore[override]
        """Twelve months and the one after them, in order of time."""
        months = air_passengers().values.astype(np.float32)
        years = np.lib.stride_tricks.sliding_window_view(months, 13, axis=0).swapaxes(1, 2)
        return Part(years[:, :-1], years[:, -1])

    def network(self, variant: str, units: Units, options: dict[str, Any]) -> Model:
        """Return a variant that works on logarithms, less that of the last month."""
        months = Input((12, 1))
        logs = ops.log(months)
        last = logs[:, -1:]
        growth = super().network(variant, units, options)((logs - last) * _SCALE)
        return Model(months, ops.exp(growth / _SCALE + last[:, 0]), seed=self.seed)

    def picture(self, model: Any) -> Any:
        """Return a figure of the forecasts of the test years, each made a month before."""
        from lstmfast.plot import forecast

        series = air_passengers()
        known = series.values[: -len(self.test.x), 0]
        figure = forecast(
            known,
            self.predict(model, self.test.x),
            truth=self.test.y,
            times=series.times,
            name="known",
            title="Airline passengers, forecast month by month",
        )
        figure.axes[0].set_ylabel("thousands of passengers")
        return figure

    def persistence(self, part: Part) -> Array:
        """Return the last month."""
        return part.x[:, -1]

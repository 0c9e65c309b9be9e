"""Forecasts of a time series, with prediction intervals, from one call or one command.

`forecast` takes an array; `read_series` reads a column of a CSV file, and reports an error in it in
one line. The parts of a forecast have a file each: the transforms, the network's inputs, the
network, the baselines that it is compared with, and the scores and intervals from its errors on
validation data.

Examples
--------
>>> import numpy as np
>>> from lstmfast.forecasting import forecast
>>> sales = 100 * 1.01 ** np.arange(60) * np.tile([1.0, 1.2, 0.9, 1.1], 15)
>>> coming = forecast(sales, horizon=4, epochs=20)
>>> coming.season
4
>>> bool((coming.lower[0.8] <= coming.mean).all())
True
"""

from __future__ import annotations

from .errors import DataError
from .from_arrays import forecast
from .pipeline import Forecast
from .series import Series, read_series

__all__ = ["DataError", "Forecast", "Series", "forecast", "read_series"]

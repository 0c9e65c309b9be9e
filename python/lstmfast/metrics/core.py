"""What metrics share that the core gathers: their options."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._core import check
from lstmfast._options import Options, is_known
from lstmfast.metrics.base import Metric


class CoreMetric(Metric):
    """A metric that the core gathers.

    Its options are the arguments of its constructor and, checked, attributes of the object.
    """

    def __init__(self, name: str | None = None, dtype: None = None, **options: Any) -> None:
        super().__init__(name, dtype)
        lists = {
            key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in options.items()
        }
        self._options: Options = lists
        if is_known("metric", self.kind):
            self._options = check("metric", self.kind, lists, type(self).__name__)
        for key, value in self._options.items():
            setattr(self, key, value)

    def options(self) -> Options:
        """Return the options that the core reads."""
        return dict(self._options)

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {"name": self.name, **self._options}

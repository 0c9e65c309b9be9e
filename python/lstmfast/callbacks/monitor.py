"""The common base of EarlyStopping and ModelCheckpoint: whether a value is better."""

from __future__ import annotations

from types import NoneType
from typing import Any

import numpy as np

from lstmfast._checks import choice, level, number, string
from lstmfast._warnings import warn
from lstmfast.callbacks.base import Callback, Logs, State
from lstmfast.callbacks.states import checked


class MonitorCallback(Callback):
    """A callback that watches one value of the logs.

    Parameters
    ----------
    monitor : str
        The value's key in the logs.
    mode : {"auto", "min", "max"}
        Whether less or more is better; "auto" knows it of the loss and of the model's metrics.
    verbose : int
        Print what happens if above 0.
    best : float, optional
        What the first value is compared with; None: the first value is the best so far.
    min_delta : float
        A change of no more than this is no improvement.
    """

    def __init__(
        self, monitor: str, mode: str, verbose: int, min_delta: float = 0.0, best: Any = None
    ) -> None:
        super().__init__()
        where = type(self).__name__
        self.mode = choice(mode, "mode", where, "auto", "min", "max")
        self.monitor = string(monitor, "monitor", where)
        self.verbose = level(verbose, "verbose", where)
        self.best = None if best is None else number(best, "initial_value_threshold", where)
        self.min_delta = abs(number(min_delta, "min_delta", where))

    def direction(self) -> str:
        """Return "min" or "max"."""
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        direction: str | None = self.model.log_directions().get(name)
        if direction is None:
            raise ValueError(
                f"[{type(self).__name__}] cannot tell whether {self.monitor!r} should be small or "
                "large: pass mode='min' or mode='max'"
            )
        return direction

    def is_better(self, value: float, reference: float | None) -> bool:
        """Tell whether `value` improves on `reference` by more than ``min_delta``."""
        if reference is None:
            return True
        if self.direction() == "min":
            return value + self.min_delta < reference
        return value - self.min_delta > reference

    def best_of(self, state: State) -> float | None:
        """Return the best value of a state; refuse that of a callback that watches another."""
        if state.get("monitor") != self.monitor:
            raise ValueError(f"monitor is {state.get('monitor')!r}; expected {self.monitor!r}")
        best: float | None = checked(state, "best", "a number or None", float, int, NoneType)
        return best

    def value(self, logs: Logs | None) -> float | None:
        """Return the watched value; warn where the logs lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warn(
                f"[{type(self).__name__}] the logs have no {self.monitor!r}; they have: "
                f"{', '.join(logs or {})}"
            )
            return None
        if np.ndim(value):
            raise ValueError(
                f"[{type(self).__name__}] {self.monitor!r} has {np.size(value)} values; expected "
                "a metric of one, such as with average= or a single threshold"
            )
        return float(value)

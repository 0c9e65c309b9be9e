"""Callbacks that change the learning rate as training goes on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from lstmfast._checks import count, level, number, wrong_kind
from lstmfast.callbacks.base import Callback, Logs, State
from lstmfast.callbacks.monitor import MonitorCallback
from lstmfast.callbacks.states import checked

_RATE = "learning_rate"


class ReduceLROnPlateau(MonitorCallback):
    """Reduce the learning rate when the watched value has not improved for some epochs.

    The logs of each epoch get the rate as ``learning_rate``.

    Parameters
    ----------
    monitor : str
        The value's key in the logs.
    factor : float
        From 0 to below 1: the new rate is the old one times this.
    patience : int
        How many epochs without improvement to wait for.
    verbose : int
        1 prints a line for each change.
    mode : {"auto", "min", "max"}
        Whether less or more is better.
    min_delta : float
        A change of no more than this is no improvement.
    cooldown : int
        How many epochs after a change do not count.
    min_lr : float
        The least rate.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.callbacks import ReduceLROnPlateau
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> from lstmfast.optimizers import SGD
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile(SGD(0.5), "mse")
    >>> slower = ReduceLROnPlateau("loss", factor=0.5, patience=1)
    >>> x, y = np.zeros((4, 2)), np.zeros((4, 1))
    >>> model.fit(x, y, epochs=3, verbose=0, callbacks=[slower]).history["learning_rate"]
    [0.5, 0.5, 0.25]
    """

    adds = (_RATE,)

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, verbose, min_delta)
        where = "ReduceLROnPlateau"
        self.factor = number(factor, "factor", where)
        if not 0.0 <= self.factor < 1.0:
            raise ValueError(f"[{where}] factor is {self.factor}; expected 0 to below 1")
        self.patience = count(patience, "patience", where, least=0)
        self.cooldown = count(cooldown, "cooldown", where, least=0)
        self.min_lr = number(min_lr, "min_lr", where)
        ReduceLROnPlateau.on_train_begin(self)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset: one object may serve several fits."""
        self.best = None
        self.wait = self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Tell whether a change is so recent that epochs do not count."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the value with the best, and reduce the rate once patience is used up."""
        optimizer = self.model.optimizer
        rate = float(optimizer.learning_rate)
        if logs is not None:
            logs[_RATE] = rate
        value = self.value(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                optimizer.learning_rate = reduced = max(rate * self.factor, self.min_lr)
                if self.verbose > 0:
                    print(f"Epoch {epoch + 1}: the learning rate is reduced to {reduced}.")
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def get_state(self) -> State:
        """Return the values seen so far."""
        return {
            "monitor": self.monitor,
            "best": self.best,
            "wait": self.wait,
            "cooldown": self.cooldown_counter,
        }

    def set_state(self, state: State) -> None:
        """Continue from a state."""
        best = self.best_of(state)
        wait = checked(state, "wait", "a count", int)
        cooldown = checked(state, "cooldown", "a count", int)
        self.best, self.wait, self.cooldown_counter = best, wait, cooldown


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch to what a function returns.

    The logs of each epoch get the rate as ``learning_rate``.

    Parameters
    ----------
    schedule : callable(epoch, learning_rate)
        Returns the rate for the epoch, which counts from 0, given the rate so far. It may also take
        the epoch alone.
    verbose : int
        1 prints a line for each epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.callbacks import LearningRateScheduler
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    >>> x, y = np.zeros((4, 2)), np.zeros((4, 1))
    >>> model.fit(x, y, epochs=3, verbose=0, callbacks=[halve]).history["learning_rate"]
    [0.01, 0.005, 0.0025]
    """

    adds = (_RATE,)

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        where = "LearningRateScheduler"
        if not callable(schedule):
            raise wrong_kind(where, "schedule", schedule, "a function of epoch and rate")
        self.schedule = schedule
        self.verbose = level(verbose, "verbose", where)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        given: list[Any] = [epoch, float(optimizer.learning_rate)]
        returned = self.schedule(*given if _takes_two(self.schedule) else given[:1])
        rate = number(returned, "what schedule returned", "LearningRateScheduler")
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: the learning rate is set to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the rate."""
        if logs is not None:
            logs[_RATE] = float(self.model.optimizer.learning_rate)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a function without a signature
        return True
    return True

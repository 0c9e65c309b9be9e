"""Callbacks that end training: where a value no longer improves, or is no longer a number."""

from __future__ import annotations

from types import NoneType
from typing import Any

from lstmfast._arrays import Array
from lstmfast._checks import count, flag, number
from lstmfast.callbacks.base import Callback, Logs, State
from lstmfast.callbacks.monitor import MonitorCallback
from lstmfast.callbacks.states import checked


class EarlyStopping(MonitorCallback):
    """Stop when the watched value has not improved for some epochs.

    Parameters
    ----------
    monitor : str
        The value's key in the logs.
    min_delta : float
        A change of no more than this is no improvement.
    patience : int
        How many epochs without improvement to wait for.
    verbose : int
        1 prints a line when training stops.
    mode : {"auto", "min", "max"}
        Whether less or more is better.
    baseline : float, optional
        A value that must be reached before improvements count.
    restore_best_weights : bool
        At the end, give the model the weights of the best epoch.
    start_from_epoch : int
        Do not watch before this epoch.

    Attributes
    ----------
    best : float or None
        The best value.
    best_epoch, stopped_epoch : int
        The epoch of the best value, and the one after which training stopped (0: it did not).

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.callbacks import EarlyStopping
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> stop = EarlyStopping(monitor="loss", patience=2)
    >>> x, y = np.zeros((4, 2)), np.zeros((4, 1))
    >>> model.fit(x, y, epochs=100, verbose=0, callbacks=[stop]).epoch
    [0, 1, 2]
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, verbose, min_delta)
        where = "EarlyStopping"
        self.patience = count(patience, "patience", where, least=0)
        self.baseline = None if baseline is None else number(baseline, "baseline", where)
        self.restore_best_weights = flag(restore_best_weights, "restore_best_weights", where)
        self.start_from_epoch = count(start_from_epoch, "start_from_epoch", where, least=0)
        EarlyStopping.on_train_begin(self)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset: one object may serve several fits."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: list[Array] | None = None
        self._ended = False

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the value with the best, keep it, and stop once patience is used up."""
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._remember(epoch)
        self.wait += 1
        if self.is_better(value, self.best):
            self.best = value
            self._remember(epoch)
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _remember(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights, with `restore_best_weights`."""
        self._ended = True
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring the weights of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_state(self) -> State:
        """Return the values seen so far, and the best weights."""
        return {
            "monitor": self.monitor,
            "wait": self.wait,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
            # a fit that ended may be followed by another; one that was interrupted may not
            "stopped": None if self._ended or not self.stopped_epoch else self.stopped_epoch,
        }

    def set_state(self, state: State) -> None:
        """Continue from a state; stop again if training was to stop."""
        best = self.best_of(state)
        wait = checked(state, "wait", "a count", int)
        best_epoch = checked(state, "best_epoch", "an epoch", int)
        stopped = checked(state, "stopped", "an epoch or None", int, NoneType)
        weights = checked(state, "best_weights", "arrays or None", list, NoneType)
        if not self.restore_best_weights or best is None:
            weights = None
        elif list(map(_form, weights or [])) != list(map(_form, self.model.get_weights())):
            raise ValueError("best_weights are not arrays that fit the model")
        self.wait, self.best, self.best_epoch, self.best_weights = wait, best, best_epoch, weights
        if stopped is not None:
            self.stopped_epoch = stopped
            self.model.stop_training = True


def _form(value: Any) -> tuple[Any, Any]:
    return getattr(value, "shape", None), getattr(value, "dtype", None)


class TerminateOnNaN(Callback):
    """End training where a loss or gradient is NaN or infinite.

    The weights are those from before that batch.

    Without it `fit` raises an error there. The core does the checking, so this callback costs
    nothing.

    Parameters
    ----------
    raise_error : bool
        Raise, as `fit` does without this callback.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.callbacks import TerminateOnNaN
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.full((4, 2), np.inf), np.zeros((4, 1))
    >>> run = model.fit(x, y, epochs=5, verbose=0, callbacks=[TerminateOnNaN()])
    >>> bool(np.isfinite(model.get_weights()[0]).all())
    True
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = flag(raise_error, "raise_error", "TerminateOnNaN")

"""The network of a forecast: how it is built, trained, and run ahead in time.

Letters: N steps, C columns, B origins, H steps ahead. An origin is the number of the first value
that is forecast: everything before it is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmfast.callbacks import Callback
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential
from lstmfast.optimizers import Adam

from .scaling import Scaling
from .transforms import Transform
from .windows import Window

__all__ = [
    "EPOCHS",
    "Forecaster",
    "TrainingData",
    "batch_size_for",
    "build_network",
    "cosine_rate",
]

Array = NDArray[np.float64]

UNITS = 32
EPOCHS = 80
LEARNING_RATE = 3e-3


def batch_size_for(windows: int) -> int:
    """Return a power of two near a sixth of the windows, from 16 to 256.

    With about six steps an epoch, short series get enough training steps and epochs of long ones
    stay cheap.

    Examples
    --------
    >>> batch_size_for(83), batch_size_for(1000), batch_size_for(100_000)
    (16, 128, 256)
    """
    return 1 << min(max(round(math.log2(max(windows, 1) / 6)), 4), 8)


def cosine_rate(epoch: int, epochs: int) -> float:
    """Return the learning rate of an epoch, falling from `LEARNING_RATE` to nearly 0."""
    return LEARNING_RATE * 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))


def build_network(window: Window, columns: int, seed: int) -> Sequential:
    """Return the untrained network: one LSTM, then a linear layer for the next step."""
    return Sequential(
        [Input((window.lookback, window.channels(columns))), LSTM(UNITS), Dense(columns)],
        seed=seed,
    )


class _Schedule(Callback):
    """Sets each epoch's learning rate, keeps the weights of one, and reports the end of each."""

    def __init__(
        self, optimizer: Adam, epochs: int, keep: int, on_epoch: Callable[[], object] | None
    ) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.epochs = epochs
        self.keep = keep
        self.on_epoch = on_epoch
        self.kept: list[Any] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.optimizer.learning_rate = cosine_rate(epoch, self.epochs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch + 1 == self.keep:
            self.kept = self.model.get_weights()
        if self.on_epoch is not None:
            self.on_epoch()


@dataclass(frozen=True)
class TrainingData:
    """Windows and targets of a series, standardised.

    Attributes
    ----------
    x, y : ndarray of shape (windows, L, channels) and (windows, C)
        To train on.
    x_val, y_val : ndarray
        To validate on: those whose target is held out.
    scaling : Scaling
        Measured on the steps that are not held out.
    """

    x: Array
    y: Array
    x_val: Array
    y_val: Array
    scaling: Scaling

    @staticmethod
    def of(values: Array, transform: Transform, window: Window, held_out: int = 0) -> TrainingData:
        """Cut values (N, C) into windows; the last `held_out` values are for validation."""
        steps = transform.steps(values)
        cut = len(steps) - held_out
        scaling = Scaling.of(steps[:cut])
        z = scaling.apply(steps)
        targets = np.arange(window.first, len(z))
        x, y = window.features(*window.tails(z, targets)), z[targets]
        split = cut - window.first
        return TrainingData(x[:split], y[:split], x[split:], y[split:], scaling)


@dataclass
class Forecaster:
    """A network, with the conversions from values to its inputs and from its outputs to values.

    Attributes
    ----------
    network : Sequential
        Predicts the next step of every column, standardised.
    transform : Transform
        From values to steps.
    window : Window
        Which past steps the network sees.
    scaling : Scaling
        Measured on the steps that it was trained on.
    losses : ndarray of shape (epochs,)
        Loss of each epoch on the validation windows; empty where there were none.
    """

    network: Sequential
    transform: Transform
    window: Window
    scaling: Scaling
    losses: Array

    @staticmethod
    def train(
        values: Array,
        transform: Transform,
        window: Window,
        *,
        held_out: int = 0,
        epochs: int = EPOCHS,
        stop: int | None = None,
        seed: int = 0,
        on_epoch: Callable[[], object] | None = None,
    ) -> Forecaster:
        """Train on a series.

        Parameters
        ----------
        values : ndarray of shape (N, C)
            The series; the first column is the target, the others are inputs and are forecast
            together with it.
        transform : Transform
            What the network sees of them.
        window : Window
            How far back it sees.
        held_out : int
            How many values at the end are only validated on: neither weights nor scaling depend on
            them.
        epochs : int
            Length of the schedule over which the learning rate falls.
        stop : int, optional
            Take the weights after so many epochs. Where values are held out, the schedule
            continues, to measure their losses.
        seed : int
            Of initial weights and shuffling.
        on_epoch : callable, optional
            Called after each epoch.

        Returns
        -------
        Forecaster
        """
        data = TrainingData.of(values, transform, window, held_out)
        network = build_network(window, values.shape[1], seed)
        optimizer = Adam(LEARNING_RATE)
        network.compile(optimizer=optimizer, loss="mse")
        stop = epochs if stop is None else stop
        schedule = _Schedule(optimizer, epochs, stop, on_epoch)
        run = network.fit(
            data.x,
            data.y,
            batch_size=batch_size_for(len(data.x)),
            epochs=epochs if held_out else stop,
            validation_data=(data.x_val, data.y_val) if held_out else None,
            callbacks=[schedule],
            verbose=0,
        )
        network.set_weights(schedule.kept)
        losses = np.asarray(run.history.get("val_loss", []), dtype=np.float64)
        return Forecaster(network, transform, window, data.scaling, losses)

    def ahead(self, values: Array, origins: NDArray[np.intp], horizon: int) -> Array:
        """Forecast the target from each origin, from only the values before it.

        Each step is predicted from the steps before it, predicted ones included.

        Parameters
        ----------
        values : ndarray of shape (N, C)
            The known series.
        origins : ndarray of shape (B,)
            From 1 (2 with differences) to N.
        horizon : int
            H, how many steps.

        Returns
        -------
        ndarray of shape (B, H)
            On the transform's scale, see `Transform.unscale`.
        """
        z = self.scaling.apply(self.transform.steps(values))
        window = self.window
        recent, past = window.tails(z, origins - int(self.transform.difference), horizon)
        steps = np.empty((len(origins), horizon))
        for h in range(horizon):
            x = window.features(recent, past, h)
            step = self.network.predict(x, batch_size=1024, verbose=0)
            steps[:, h] = step[:, 0]
            # slices: no later prediction uses the last steps
            recent[:, window.lookback + h : window.lookback + h + 1] = step[:, None]
            if window.season:
                past[:, window.reach + h : window.reach + h + 1] = step[:, None]
        before = self.transform.scale(values[origins - 1, 0])
        return self.transform.integrate(before, self.scaling.undo(steps, 0))

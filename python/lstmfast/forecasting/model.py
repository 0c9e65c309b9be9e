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

from lstmfast._arrays import Array
from lstmfast.callbacks import LambdaCallback
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential
from lstmfast.optimizers import Adam

from .transforms import Transform
from .windows import Scaling, Window

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


@dataclass(frozen=True)
class Setup:
    """How the forecasters of a series are built and trained, those of its validation included.

    Attributes
    ----------
    transform : Transform
        What the network sees of the values.
    window : Window
        How far back it sees.
    epochs : int
        Length of the schedule over which the learning rate falls.
    seed : int
        Of initial weights and shuffling.
    """

    transform: Transform
    window: Window
    epochs: int = EPOCHS
    seed: int = 0


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
    setup : Setup
        The conversion from values to steps, and which past steps the network sees.
    scaling : Scaling
        Measured on the steps that it was trained on.
    losses : ndarray of shape (epochs,)
        Loss of each epoch on the validation windows; empty where there were none.
    """

    network: Sequential
    setup: Setup
    scaling: Scaling
    losses: Array

    @staticmethod
    def train(
        values: Array,
        setup: Setup,
        on_epoch: Callable[[], object] = lambda: None,
        *,
        held_out: int = 0,
        stop: int | None = None,
    ) -> Forecaster:
        """Train on a series.

        Parameters
        ----------
        values : ndarray of shape (N, C)
            The series; the first column is the target, the others are inputs and are forecast
            together with it.
        setup : Setup
            How to train.
        on_epoch : callable, optional
            Called after each epoch.
        held_out : int
            How many values at the end are only validated on: neither weights nor scaling depend on
            them.
        stop : int, optional
            Take the weights after so many epochs. Where values are held out, the schedule
            continues, to measure their losses.

        Returns
        -------
        Forecaster
        """
        data = TrainingData.of(values, setup.transform, setup.window, held_out)
        network = build_network(setup.window, values.shape[1], setup.seed)
        optimizer = Adam(LEARNING_RATE)
        network.compile(optimizer=optimizer, loss="mse")
        last = setup.epochs if stop is None else stop
        kept: list[Any] = []

        def begin(epoch: int, logs: Any) -> None:
            optimizer.learning_rate = cosine_rate(epoch, setup.epochs)

        def end(epoch: int, logs: Any) -> None:
            if epoch + 1 == last:
                kept.extend(network.get_weights())
            on_epoch()

        run = network.fit(
            data.x,
            data.y,
            batch_size=batch_size_for(len(data.x)),
            epochs=setup.epochs if held_out else last,
            validation_data=(data.x_val, data.y_val) if held_out else None,
            callbacks=[LambdaCallback(begin, end)],
            verbose=0,
        )
        network.set_weights(kept)
        losses = np.asarray(run.history.get("val_loss", []), dtype=np.float64)
        return Forecaster(network, setup, data.scaling, losses)

    def ahead(self, values: Array, origins: Array, horizon: int) -> Array:
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
        transform, window = self.setup.transform, self.setup.window
        z = self.scaling.apply(transform.steps(values))
        recent, past = window.tails(z, origins - int(transform.difference), horizon)
        steps = np.empty((len(origins), horizon))
        for h in range(horizon):
            x = window.features(recent, past, h)
            step = self.network.predict(x, batch_size=1024, verbose=0)
            steps[:, h] = step[:, 0]
            # slices: no later prediction uses the last steps
            recent[:, window.lookback + h : window.lookback + h + 1] = step[:, None]
            if window.season:
                past[:, window.reach + h : window.reach + h + 1] = step[:, None]
        before = transform.scale(values[origins - 1, 0])
        return transform.integrate(before, self.scaling.undo(steps, 0))

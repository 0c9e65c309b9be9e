"""A `Task` for packages with Keras's Sequential: lstmfast and Keras itself."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Fitter
from lstmfast._bench.problems import Array
from lstmfast._bench.tasks import Task


class SequentialFitter(Fitter):
    """`Sequential` of a package with modules `layers` and `Sequential`."""

    def __init__(self, sequential: Any, layers: Any, task: Task) -> None:
        self.sequential, self.layers, self.task = sequential, layers, task
        split = task.held_out / len(task.x)
        self.call = {"batch_size": task.batch_size, "validation_split": split}
        self.model = self._build()

    def _build(self) -> Any:
        layers, task = self.layers, self.task
        model = self.sequential(
            [
                layers.Input(task.x.shape[1:]),
                layers.LSTM(task.units, activation=task.activation),
                layers.Dense(task.y.shape[1], activation=task.dense_activation),
            ]
        )
        model.compile(optimizer="adam", loss=task.loss)
        model.set_weights(task.weights())
        return model

    def fit(self, count: int) -> None:
        """Train on."""
        task = self.task
        calls, epochs = (count, 1) if task.by_call else (1, count)
        for _ in range(calls):
            self.model.fit(task.x, task.y, epochs=epochs, verbose=0, **self.call)

    def losses(self, count: int) -> Array:
        """Train a fresh model in order."""
        history = self._build().fit(
            self.task.x, self.task.y, epochs=count, verbose=0, shuffle=False, **self.call
        )
        return np.asarray(history.history["loss"])

    def predict(self) -> object:
        """Predict the first rows."""
        return self.model.predict(self.task.x[:3], verbose=0)

    def fit_printing(self, count: int) -> None:
        """Train with verbose=2; the output is discarded."""
        with open(os.devnull, "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
            self.model.fit(self.task.x, self.task.y, epochs=count, verbose=2, **self.call)

"""A `Task` for packages with Keras's Sequential: lstmfast and Keras itself."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Fitter
from lstmfast._bench.problems import Array, Task


class SequentialFitter(Fitter):
    """`Sequential` of a package that has it and `layers`."""

    def __init__(self, package: Any, task: Task) -> None:
        self.package, self.task = package, task
        self.call = {
            "x": task.x,
            "y": task.y,
            "batch_size": task.batch_size,
            "validation_split": task.held_out / len(task.x),
        }
        self.model = self._build()

    def _build(self) -> Any:
        layers, task = self.package.layers, self.task
        model = self.package.Sequential(
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
        calls, epochs = (count, 1) if self.task.by_call else (1, count)
        for _ in range(calls):
            self.model.fit(**self.call, epochs=epochs, verbose=0)

    def losses(self, count: int) -> Array:
        """Train a fresh model in order."""
        history = self._build().fit(**self.call, epochs=count, verbose=0, shuffle=False)
        return np.asarray(history.history["loss"])

    def predict(self) -> object:
        """Predict the first rows."""
        return self.model.predict(self.task.x[:3], verbose=0)

    def fit_printing(self, count: int) -> None:
        """Train with verbose=2; the output is discarded."""
        with open(os.devnull, "w", encoding="utf-8") as out, contextlib.redirect_stdout(out):
            self.model.fit(**self.call, epochs=count, verbose=2)

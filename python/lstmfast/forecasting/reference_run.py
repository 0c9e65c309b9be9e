"""The same training in the NumPy reference, for comparison with the compiled core."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np

from lstmfast import reference
from lstmfast._arrays import Array
from lstmfast._layouts import KERAS_WEIGHTS

from .model import TrainingData, batch_size_for, cosine_rate


def train_in_numpy(
    weights: list[Array], data: TrainingData, epochs: int, seed: int
) -> tuple[list[Array], float]:
    """Train LSTM and Dense as `Forecaster.train` does, in float32.

    Parameters
    ----------
    weights : list of ndarray
        The first weights, in the order of ``Sequential.get_weights``.
    data : TrainingData
        What to train on.
    epochs : int
        How many; the learning rate falls over as many.
    seed : int
        Of the shuffling.

    Returns
    -------
    weights : list of ndarray
        The last weights.
    seconds : float
        How long it took.
    """
    lstm = dict(zip(KERAS_WEIGHTS, weights[:3], strict=True))
    dense = dict(zip(("kernel", "bias"), weights[3:], strict=True))
    model = reference.Chain(
        [
            reference.LstmLayer(lstm, dtype=np.float32),
            reference.DenseLayer(dense, dtype=np.float32),
        ]
    )
    optimizer = reference.Adam()
    rng = np.random.default_rng(seed)
    size = batch_size_for(len(data.x))

    def batches() -> Iterator[list[Array]]:
        for epoch in range(epochs):
            optimizer.learning_rate = cosine_rate(epoch, epochs)
            rows = rng.permutation(len(data.x))
            yield [rows[start : start + size] for start in range(0, len(rows), size)]

    x, y = data.x.astype(np.float32), data.y.astype(np.float32)
    started = perf_counter()
    reference.fit(model, x, y, loss="mse", optimizer=optimizer, epochs=batches())
    seconds = perf_counter() - started
    return [np.asarray(value, dtype=np.float32) for value in model.params()], seconds

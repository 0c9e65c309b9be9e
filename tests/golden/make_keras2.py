"""Write the golden `.h5` files of Keras 2 to an archive next to this script.

    pip install tf-keras tensorflow      # tf-keras is Keras 2; these are of tf-keras 2.21
    python make_keras2.py

One file a model in `keras2.zip`, `<name>.h5`; `keras2.npz` holds the inputs and, of each model,
what it predicts and the losses of the epochs that follow the saving (`tests/test_keras2_files.py`).
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras

HERE = Path(__file__).parent
layers, optimizers = keras.layers, keras.optimizers
RNG = np.random.default_rng(2)
STEPS = RNG.normal(size=(4, 5, 2)).astype(np.float32)
STEPS[0, 3:] = STEPS[2, 1] = 0  # what masks leave out
IDS = np.array([[1, 2, 3, 0], [4, 5, 0, 0], [6, 1, 2, 3], [3, 0, 0, 0]], np.int32)
EPOCHS = 2


def lstm() -> Any:
    model = keras.Sequential([layers.LSTM(3, input_shape=(5, 2)), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model, [STEPS]


def stacked() -> Any:
    model = keras.Sequential(
        [
            layers.LSTM(3, return_sequences=True, input_shape=(None, 2)),
            layers.LSTM(2, activation="relu", recurrent_activation="hard_sigmoid"),
            layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.01)),
        ]
    )
    rmsprop = optimizers.RMSprop(0.01, momentum=0.5, centered=True)
    model.compile(rmsprop, keras.losses.Huber(0.5), metrics=[keras.metrics.RootMeanSquaredError()])
    return model, [STEPS]


def both_ways() -> Any:
    model = keras.Sequential(
        [
            layers.Bidirectional(layers.LSTM(2, return_sequences=True), input_shape=(5, 2)),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode="sum"),
            layers.TimeDistributed(layers.Dense(1)),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile(optimizers.legacy.Adam(0.01, decay=0.1), "mean_absolute_error")
    return model, [STEPS]


def tokens() -> Any:
    model = keras.Sequential(
        [
            layers.Embedding(7, 3, mask_zero=True, input_length=4),
            layers.LSTM(2, dropout=0.0, recurrent_dropout=0.0),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizers.SGD(0.1, momentum=0.9), "binary_crossentropy", metrics=["accuracy"])
    return model, [IDS]


def gru() -> Any:
    model = keras.Sequential(
        [layers.Masking(0.0, input_shape=(5, 2)), layers.GRU(3), layers.Dense(1)]
    )
    rate = optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)
    model.compile(optimizers.Adam(rate, amsgrad=True), "mse")
    return model, [STEPS]


def gru_before() -> Any:
    units = layers.GRU(3, reset_after=False, return_sequences=True, input_shape=(5, 2))
    model = keras.Sequential([units, layers.SimpleRNN(2), layers.Dense(1)])
    model.compile(optimizers.legacy.RMSprop(0.01, momentum=0.5), "mse")
    return model, [STEPS]


def states() -> Any:
    ids, steps = keras.Input((4,), name="ids"), keras.Input((5, 2), name="steps")
    table = layers.Embedding(7, 3, name="table")
    _, h, c = layers.LSTM(2, return_state=True, name="encoder")(table(ids))
    y = layers.LSTM(2, return_sequences=True, name="decoder")(steps, initial_state=[h, c])
    y = layers.TimeDistributed(layers.Dense(3, activation="tanh"), name="each")(y)
    y = layers.Concatenate(name="joined")([layers.Flatten(name="flat")(y), h])
    model = keras.Model([ids, steps], layers.Dense(1, name="out")(y), name="states")
    model.compile(optimizers.Adamax(0.01), "mse")
    return model, [IDS, STEPS]


def write(archive: zipfile.ZipFile, folder: str) -> None:
    arrays: dict[str, Any] = {"steps": STEPS, "ids": IDS}
    for make in (lstm, stacked, both_ways, tokens, gru, gru_before, states):
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        model, inputs = make()
        y = np.array([[0.0], [1.0], [1.0], [0.0]], np.float32)
        x = inputs if len(inputs) > 1 else inputs[0]
        how = {"batch_size": 2, "shuffle": False, "verbose": 0}
        model.fit(x, y, epochs=EPOCHS, **how)
        name = make.__name__
        model.save(f"{folder}/{name}.h5")
        archive.write(f"{folder}/{name}.h5", f"{name}.h5")
        arrays[f"{name}.y"] = model.predict(x, verbose=0)
        arrays[f"{name}.loss"] = np.array(model.fit(x, y, epochs=EPOCHS, **how).history["loss"])
    np.savez_compressed(HERE / "keras2.npz", **arrays)


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(HERE / "keras2.zip", "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        write(archive, folder)

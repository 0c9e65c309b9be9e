"""`lstmfast.keras`: Keras's layout of names, each of them lstmfast's own object."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest

import lstmfast as lf
import lstmfast.keras as keras

PARTS = [name for name in keras.__all__ if name.islower() and not name.startswith("_")]


@pytest.mark.parametrize("part", PARTS)
def test_modules_are_the_same_objects(part: str) -> None:
    assert getattr(keras, part) is getattr(lf, part)
    assert importlib.import_module(f"lstmfast.keras.{part}") is getattr(lf, part)


@pytest.mark.parametrize(
    "name", ["preprocessing.sequence", "preprocessing.text", "datasets.imdb", "datasets.mnist"]
)
def test_modules_inside_are_the_same_objects(name: str) -> None:
    found = importlib.import_module(f"lstmfast.keras.{name}")
    assert found is importlib.import_module(f"lstmfast.{name}")


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_forms_of_imports() -> None:
    """Each in a process of its own: what the first import makes must not depend on others."""
    forms = [
        "import lstmfast as tf; print(tf.keras.layers.LSTM.__module__)",
        "from lstmfast.keras.layers import LSTM; print(LSTM.__module__)",
        "import lstmfast.keras.layers as L; print(L.LSTM.__module__)",
        "from lstmfast import keras; print(keras.layers.LSTM.__module__)",
    ]
    assert {run(code) for code in forms} == {"lstmfast.layers._lstm\n"}
    code = "from lstmfast.keras.preprocessing.sequence import pad_sequences as p; print(p([[1]]))"
    assert run(code) == "[[1]]\n"


def test_it_loads_lazily() -> None:
    assert run("import sys, lstmfast; print('lstmfast.keras' in sys.modules)") == "False\n"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(AttributeError, match=r"the name is Keras's \(keras\.applications\)"):
        _ = keras.applications
    with pytest.raises(ImportError, match=r"the name is Keras's \(keras\.layers\.TFSMLayer\)"):
        exec("from lstmfast.keras.layers import TFSMLayer", {})
    with pytest.raises(AttributeError, match="has no attribute 'Sequental'"):
        _ = keras.Sequental


def test_a_script_of_keras() -> None:
    keras.utils.set_random_seed(1)
    keras.backend.clear_session()
    series = np.sin(np.arange(60.0))
    data = keras.utils.timeseries_dataset_from_array(
        series[:-5, None], series[5:], sequence_length=5, batch_size=16
    )
    model = keras.Sequential(
        [
            keras.layers.Input(shape=(5, 1)),
            keras.layers.LSTM(8, kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), loss=keras.losses.MeanSquaredError())
    stop = keras.callbacks.EarlyStopping("loss", patience=50)
    run = model.fit(data, epochs=40, verbose=0, callbacks=[stop])
    assert run.history["loss"][-1] < 0.3 * run.history["loss"][0]
    assert model.predict(data).shape == (51, 1)

"""Files of Keras against live Keras: each predicts what the other does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_file_models import MODELS, answers
from lstmfast import layers, models

keras: Any = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:.*the mask ends at"),
    pytest.mark.filterwarnings("ignore:.*does not support mask"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    pytest.mark.filterwarnings("ignore:.*saving your model as an HDF5"),
]
cases = pytest.mark.parametrize("name", MODELS)
endings = pytest.mark.parametrize("ending", ["keras", "h5"])
# outputs are below 1, of at most 30 terms each; both round in float32
close = {"rtol": 0, "atol": 30 * 2.0**-23}


def check(ours: list[Any], theirs: list[Any]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, **close)


@cases
@endings
def test_of_keras(tmp_path: Path, name: str, ending: str) -> None:
    model, inputs = MODELS[name](keras.layers, keras)
    model.save(tmp_path / f"a.{ending}")
    model.save_weights(tmp_path / "a.weights.h5")
    expected = answers(model, inputs)
    loaded = models.load_model(tmp_path / f"a.{ending}")
    check(answers(loaded, inputs), expected)
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    assert [layer.trainable for layer in loaded.layers] == [each.trainable for each in model.layers]
    fresh, _ = MODELS[name](layers, models)
    fresh.load_weights(tmp_path / "a.weights.h5")
    check(answers(fresh, inputs), expected)


@cases
@endings
def test_of_ours(tmp_path: Path, name: str, ending: str) -> None:
    model, inputs = MODELS[name](layers, models)
    model.save(tmp_path / f"a.{ending}")
    model.save_weights(tmp_path / "a.weights.h5")
    expected = answers(model, inputs)
    loaded = keras.models.load_model(tmp_path / f"a.{ending}")
    check(answers(loaded, inputs), expected)
    fresh, _ = MODELS[name](keras.layers, keras)
    fresh.load_weights(tmp_path / "a.weights.h5")
    check(answers(fresh, inputs), expected)


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_how_it_was_compiled(tmp_path: Path, ending: str) -> None:
    model, (x,) = MODELS["row"](keras.layers, keras)
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9), keras.losses.MeanAbsoluteError(), metrics=["mse"]
    )
    y = np.ones((2, 2), np.float32)
    model.save(tmp_path / f"a.{ending}")
    loaded = models.load_model(tmp_path / f"a.{ending}")
    expected, found = model.evaluate(x, y, verbose=0), loaded.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(found, expected, **close)
    assert loaded.optimizer.momentum == 0.9
    assert np.float32(loaded.optimizer.learning_rate) == np.float32(0.1)

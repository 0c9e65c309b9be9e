"""Compiled models in Keras's files: live Keras goes on where we stopped, and we where it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from keras_compiled import OPTIMIZERS, X, Y, Z, compiled, losses

keras: Any = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    pytest.mark.filterwarnings("ignore:.*saving your model as an HDF5"),
    pytest.mark.filterwarnings("error:Skipping variable loading"),
]
each = pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
# 6 more steps, whose float32 errors grow by the roots of small squares; losses are below 4
close = {"rtol": 0, "atol": 4 * 6 * 2.0**-20}


def check(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], **close)


@each
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_of_keras(tmp_path: Path, kind: str, options: dict[str, Any], ending: str) -> None:
    model = compiled(keras, kind, options)
    losses(model)
    model.save(tmp_path / f"a.{ending}")
    loaded = lf.models.load_model(tmp_path / f"a.{ending}")
    check(losses(loaded), losses(model))


@each
def test_of_ours(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    model = compiled(lf, kind, options)
    losses(model)
    model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    check(losses(model), losses(loaded))


@each
def test_of_ours_in_h5(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    # Keras 3.15 does not train on with its own .h5 either: it builds the optimizer for no weights
    model = compiled(lf, kind, options)
    losses(model)
    model.save(tmp_path / "a.h5")
    loaded = keras.models.load_model(tmp_path / "a.h5")
    expected = model.evaluate(X, [Y, Z], verbose=0, return_dict=True)
    check(expected, loaded.evaluate(X, [Y, Z], verbose=0, return_dict=True))
    assert type(loaded.optimizer).__name__ == kind

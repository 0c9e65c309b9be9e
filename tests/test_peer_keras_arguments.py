"""Against live Keras 3: names are here or refused as Keras's; arguments come in all its forms."""

from __future__ import annotations

import importlib
import os
import warnings
from typing import Any

import numpy as np
import pytest

import lstmfast.keras  # with the modules that older versions of Keras had
from lstmfast import _keras_names

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("part", sorted({"regularizers", "constraints", *_keras_names.all_names()}))
def test_every_name_is_known(part: str) -> None:
    theirs = importlib.import_module(f"keras.{part}".rstrip("."))
    ours = importlib.import_module(f"lstmfast.{part}".rstrip("."))
    names = {name for name in dir(theirs) if not name.startswith("_")} - {"src"}
    assert {name for name in names if not hasattr(ours, name)} <= _keras_names.names_of(part)


def trained(library: Any, weights: Any) -> tuple[dict[str, list[float]], np.ndarray]:
    """Train and predict with lists of one input, target, loss, list of metrics and weight."""
    rng = np.random.default_rng(0)
    x, y, w = rng.random((9, 4, 2)), rng.random((9, 1)), rng.random(9)
    by_class = {0: 1.0, 1: 0.5}
    layers = library.layers
    model = library.Sequential([layers.Input((4, 2)), layers.LSTM(3), layers.Dense(1)])
    model.set_weights(weights)
    model.compile("sgd", loss=["mse"], metrics=[["mae", "mse"]], weighted_metrics=[])
    model.optimizer.learning_rate.assign(0.25)
    options = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    run = model.fit([x], [y], sample_weight=w, validation_data=([x], [y]), **options)
    more = model.fit(x, (y > 0.5) * 1.0, class_weight=by_class, **options)
    history = run.history | {f"more_{key}": values for key, values in more.history.items()}
    return history, np.asarray(model.predict([x], verbose=0))


def test_forms_of_arguments() -> None:
    layers = [keras.layers.Input((4, 2)), keras.layers.LSTM(3), keras.layers.Dense(1)]
    weights = keras.Sequential(layers).get_weights()
    (ours, our_y), (theirs, their_y) = (trained(each, weights) for each in (lstmfast, keras))
    assert ours.keys() == theirs.keys()
    # float32 on both sides: 12 steps whose sums have at most some hundred terms
    for key, values in theirs.items():
        np.testing.assert_allclose(ours[key], values, rtol=1e-5, err_msg=key)
    np.testing.assert_allclose(our_y, their_y, rtol=1e-5)

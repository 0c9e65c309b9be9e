"""What is accepted without effect, which names there are, and what is shown of objects."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from lstmfast import callbacks, functional, layers, losses, metrics, models, optimizers
from lstmfast._activation import ELEMENTWISE

X, Y = np.zeros((15, 3, 1)), np.zeros((15, 2))


def compiled() -> models.Sequential:
    model = models.Sequential([layers.Input((3, 1)), layers.LSTM(5), layers.Dense(2)])
    model.compile("adam", "mse")
    return model


def test_what_changes_nothing_is_accepted() -> None:
    model = compiled()
    model.trainable = model.layers[0].trainable = True
    assert model.trainable
    assert model.layers[0].trainable
    model.layers[0].stateful = False
    model.optimizer.learning_rate = 0.1
    model.fit(X, Y, verbose=0, shuffle=np.bool_(True), validation_split=0)
    model.fit(X, Y, verbose=0, validation_split=0.2, validation_freq=np.array([1]))
    lf.LSTM(1, 2, bias=np.bool_(False)).batch_first = False
    rnn = lf.LSTM(1, 2)
    rnn.load_state_dict(rnn.state_dict(), strict=True)


def test_keras_s_arguments_of_losses_and_metrics() -> None:
    how = {"name": "mine", "reduction": "sum_over_batch_size", "dtype": None}
    for kind, cls in losses.LOSSES.classes.items():
        needed = {"components": 1} if kind.startswith("mixture") else {}
        plain, named = cls(**needed), cls(**needed, **how)  # type: ignore[arg-type]
        assert (plain.name, named.name) == (None, "mine")
        assert (named, named.config(), repr(named)) == (plain, plain.config(), repr(plain))
        assert pickle.loads(pickle.dumps(named)).name == "mine"
        if not needed:
            compiled().compile("adam", named)

    class Own(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return 0.0, np.zeros_like(y_pred)

    assert Own(**how).config() == {"loss": "custom", "loss.name": "mine"}  # type: ignore[arg-type]
    for metric in metrics.METRICS.classes.values():
        assert metric(name="mine", dtype=None).name == "mine"
    assert metrics.MeanMetricWrapper(np.add, dtype=None).name == "add"


def test_no_activation_is_linear() -> None:
    x = np.random.default_rng(0).random((2, 3, 1))
    one = lf.LSTM(1, 2, activation=None, recurrent_activation=None, seed=0)
    other = lf.LSTM(1, 2, activation="linear", recurrent_activation="linear", seed=0)
    np.testing.assert_array_equal(one(x)[0], other(x)[0])
    weights = {runs.FUNCTION_NAMES[name]: value for name, value in one.state_dict().items()}
    y, _ = functional.lstm(x, **weights, activation=None, recurrent_activation=None)
    np.testing.assert_array_equal(y, one(x)[0])


def test_the_core_has_the_names_that_are_listed() -> None:
    for name in ELEMENTWISE:
        lf.LSTM(1, 1, activation=name, recurrent_activation=name)
    for name in [*losses.LOSSES.classes, *losses.LOSSES.aliases]:
        if not name.startswith("mixture"):  # which needs an argument
            compiled().compile("adam", name)
    for name in {*metrics.METRICS.classes, *metrics.METRICS.aliases} - {"mean"}:
        loss = "sparse_categorical_crossentropy" if name.startswith("sparse") else "mse"
        compiled().compile("adam", loss, metrics=[name])


def test_what_is_shown_of_objects() -> None:
    assert repr(layers.LSTM(4)) == "<LSTM units=4, name=None, built=False>"
    assert "clipvalue=0.5" in repr(optimizers.Adam(clipvalue=0.5))
    assert models.Sequential([layers.LSTM(3)]).get_weights() == []
    assert layers.LSTM(3).get_weights() == []


def test_warnings_of_callbacks_show_the_callers_line() -> None:
    with pytest.warns(UserWarning, match="the logs have no 'val_loss'") as caught:
        compiled().fit(X, Y, verbose=0, callbacks=[callbacks.EarlyStopping()])
    assert Path(caught[0].filename) == Path(__file__)


def test_forecasting_is_an_attribute() -> None:
    code = "import lstmfast as lf; assert 'forecasting' in dir(lf); lf.forecasting.forecast"
    subprocess.run([sys.executable, "-c", code], check=True)

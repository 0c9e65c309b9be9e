"""A loss of validation or evaluation that is not finite: one warning, and where it comes from."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from lstmfast.callbacks import LambdaCallback
from lstmfast.layers import LSTM, Dense
from lstmfast.models import Sequential

X = np.random.default_rng(0).random((10, 3, 1), dtype=np.float32)
Y = X[:, 0]
XN, YN = X.copy(), Y.copy()
XN[7, 2, 0] = np.nan
YN[9, 0] = np.inf


def compiled() -> Sequential:
    model = Sequential([LSTM(2, input_shape=(3, 1)), Dense(1)], seed=0)
    model.compile("sgd", "mse")
    return model


def warned(call: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    for each in caught:
        assert (each.category, each.filename) == (RuntimeWarning, __file__)
    return [str(each.message) for each in caught]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"callbacks": [LambdaCallback(on_epoch_end=lambda epoch, logs: None)]},
        {"validation_freq": 2},
    ],
)
def test_validation_data(more: dict[str, Any]) -> None:
    def fit(x: Any, y: Any) -> None:
        more_data = {"validation_data": (x, y), "epochs": 4, "verbose": 0}
        history = compiled().fit(X, Y, **more_data, **more).history
        assert not any(map(math.isfinite, history["val_loss"]))

    text = "[fit] val_loss is nan; validation_data[0][7, 2, 0] is nan (row 7, step 2)"
    assert warned(lambda: fit(XN, Y)) == [text]
    assert warned(lambda: fit(X, YN)) == [
        "[fit] val_loss is inf; validation_data[1][9, 0] is inf (row 9)"
    ]


def test_validation_split() -> None:
    model = compiled()
    assert warned(lambda: model.fit(XN, Y, validation_split=0.4, epochs=2, verbose=0)) == [
        "[fit] val_loss is nan; x[6:][1, 2, 0] is nan (row 1, step 2)"
    ]


def test_evaluation() -> None:
    model = compiled()
    for name in ("evaluate", "test_on_batch"):
        call = getattr(model, name)
        assert warned(lambda call=call: call(XN, Y)) == [
            f"[{name}] loss is nan; x[7, 2, 0] is nan (row 7, step 2)"
        ]
        assert warned(lambda call=call: call(X, Y)) == []
    model.set_weights([np.full_like(weight, 1e38) for weight in model.get_weights()])
    (text,) = warned(lambda: model.evaluate(X, Y, verbose=0))
    assert text.endswith("x and y are finite everywhere: the outputs grow too large")


def test_no_warning_where_non_finite_values_are_to_be_ignored() -> None:
    data = {"validation_data": (XN, Y), "verbose": 0, "on_nonfinite": "ignore"}
    assert warned(lambda: compiled().fit(X, Y, **data)) == []

"""What training shows: lines, a bar, or nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lstmfast.callbacks import LambdaCallback
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.metrics import Precision
from lstmfast.models import Sequential


def model_and_data(metrics: object = None) -> tuple[Sequential, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x, y = rng.random((15, 3, 1)), rng.random((15, 2))
    model = Sequential([Input((3, 1)), LSTM(5), Dense(2)], seed=0)
    model.compile("adam", "mse", metrics=metrics)
    return model, x, y


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = model_and_data(metrics=["mae"])
    model.fit(x, y, epochs=2, batch_size=4, validation_split=0.2, verbose=2)
    value = r"\d\.\d{4}(e-\d\d)?"
    line = r"3/3 - 0s - \d+(us|ms)/step"
    line += "".join(f" - {name}: {value}" for name in ("loss", "mae", "val_loss", "val_mae"))
    shown = capsys.readouterr()
    assert re.fullmatch(f"Epoch 1/2\n{line}\nEpoch 2/2\n{line}\n", shown.out)
    assert shown.err == ""
    stop = LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True))
    model.fit(x, y, epochs=2, verbose=2, callbacks=[stop])
    assert capsys.readouterr().out.count("Epoch") == 1
    model.evaluate(x, y, verbose=2)
    assert re.fullmatch(
        rf"1/1 - 0s - \S+/step - loss: {value} - mae: {value}\n", capsys.readouterr().out
    )
    model.compile("adam", "mse", metrics=[Precision([0.2, 0.4], name="p"), "Recall"])
    model.evaluate(x, y > 0.5, verbose=2)
    line = f"Recall: {value} - loss: {value} - p: {value}"  # the mean of several values
    assert re.fullmatch(rf"1/1 - 0s - \S+/step - {line}\n", capsys.readouterr().out)
    model.predict(x, verbose=1)
    assert re.fullmatch(r"1/1 - 0s - \S+/step\n", capsys.readouterr().out)
    model.predict(x)
    assert capsys.readouterr().out == ""


def test_bar(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = model_and_data()
    model.fit(x, y, epochs=2, batch_size=4, verbose=1)
    shown = capsys.readouterr()
    assert shown.out == ""
    drawn = [line.split("\r")[-1] for line in shown.err.splitlines() if line]
    assert len(drawn) == 2
    for epoch, line in enumerate(drawn, start=1):
        assert line.startswith(f"Epoch {epoch}/2: 4/4 |")
        assert re.search(r" - loss: 0\.\d{4}", line)


def test_auto_is_lines_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = model_and_data()
    model.fit(x, y)
    shown = capsys.readouterr()
    assert shown.out.startswith("Epoch 1/1\n")
    assert shown.err == ""


@pytest.mark.parametrize("verbose", [1, 2])
def test_nothing_is_shown_before_an_error(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    model, x, y = model_and_data()
    with pytest.raises(ValueError, match="target has shape"):
        model.fit(x, y[:, :1], verbose=verbose)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")
    model.fit(x, y, epochs=2, initial_epoch=2, verbose=verbose)
    assert capsys.readouterr().out == ""

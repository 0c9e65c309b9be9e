"""Saved models: what comes back, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lstmfast import metrics, optimizers
from lstmfast.layers import LSTM, Dense, Dropout, Input
from lstmfast.models import Sequential, load_model, save_model


def model_and_data(
    samples: int = 15, dropout: float = 0.0, metrics: object = None, optimizer: object = "adam"
) -> tuple[Sequential, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x, y = rng.random((samples, 3, 1)), rng.random((samples, 2))
    model = Sequential([Input((3, 1)), LSTM(5), Dropout(dropout), Dense(2)], seed=0)
    model.compile(optimizer=optimizer, loss="mse", metrics=metrics)
    return model, x, y


def test_a_loaded_model_continues_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    optimizer = optimizers.Adam(0.003, clipnorm=1.0)
    named = [metrics.MeanAbsoluteError(name="off, by"), "mse"]
    model, x, y = model_and_data(metrics=named, dropout=0.2, optimizer=optimizer)
    model.fit(x, y, epochs=3, batch_size=4, verbose=0)
    model.save(path)
    again = load_model(path)
    assert again.get_config() == model.get_config()
    assert again.optimizer is not None
    assert again.optimizer.get_config() == optimizer.get_config()
    assert again.optimizer.iterations == optimizer.iterations == 12
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    runs = [
        m.fit(
            x, y, epochs=6, initial_epoch=3, batch_size=4, verbose=0, validation_split=0.2
        ).history
        for m in (model, again)
    ]
    assert runs[0] == runs[1]
    assert "val_off, by" in runs[0]
    np.testing.assert_equal(model.get_weights(), again.get_weights())


def test_saving_without_what_only_training_needs(tmp_path: Path) -> None:
    model, x, y = model_and_data()
    model.fit(x, y, epochs=3, verbose=0)
    small, whole = tmp_path / "small.safetensors", tmp_path / "whole.safetensors"
    save_model(model, small, include_optimizer=False)
    save_model(model, whole)
    assert small.stat().st_size < whole.stat().st_size
    again = load_model(str(small))
    assert again.optimizer is not None
    assert again.optimizer.iterations == 0
    assert load_model(whole, compile=False).optimizer is None
    other, _, _ = model_and_data()
    other.load_weights(whole)
    np.testing.assert_equal(other.get_weights(), model.get_weights())
    never_compiled = Sequential([Dense(1, input_shape=(2,))])
    never_compiled.save(small)
    assert load_model(small).loss is None


def test_files_that_are_none_of_ours(tmp_path: Path) -> None:
    model, _, _ = model_and_data()
    path = tmp_path / "model.safetensors"
    model.save(path)
    with pytest.raises(FileExistsError, match=r"\[save\] .*overwrite=True"):
        model.save(path, overwrite=False)
    with pytest.raises(ValueError, match=r"end.? in .safetensors"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nowhere.safetensors")
    whole = path.read_bytes()
    for damaged in (b"", whole[:7], whole[: len(whole) // 2], whole[:-1], b"\xff" * 100, whole[8:]):
        path.write_bytes(damaged)
        with pytest.raises((ValueError, OSError)):
            load_model(path)

"""Neural Amp Modeler's files: written here by hand, against the format's own equations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential, load_model
from tolerances import allowed_errors

Array = npt.NDArray[Any]
T = 12
METADATA = {"name": "Müller", "loudness": -18.25, "gain": None, "date": {"year": 2026}}


def file_of(inputs: int, units: int, count: int, outputs: int, **more: Any) -> dict[str, Any]:
    """A file whose numbers follow the format: each layer's W, b, h and c in one list, the head."""
    sizes = [inputs, *[units] * (count - 1)]
    length = sum(4 * units * (size + units) + 6 * units for size in sizes) + outputs * (units + 1)
    weights = np.random.default_rng(units).uniform(-0.9, 0.9, length).astype(np.float32)
    config = {"input_size": inputs, "hidden_size": units, "num_layers": count}
    channels = {"in_channels": inputs, "out_channels": outputs}
    config |= {key: value for key, value in channels.items() if value > 1}
    return {
        "version": "0.5.4", "metadata": METADATA, "architecture": "LSTM", "config": config,
        "weights": weights.tolist(), **more,
    }  # fmt: skip


FILES = {
    "one layer": file_of(1, 3, 1, 1, sample_rate=48000.0),
    "two layers": file_of(1, 4, 2, 1, version="0.7.0", sample_rate=44100),
    "channels": file_of(2, 3, 2, 3),
}


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


def forward(config: dict[str, int], weights: Array, x: Array) -> Array:
    """What a player computes of x (T, input_size)."""
    H = config["hidden_size"]
    place = 0

    def take(*shape: int) -> Array:
        nonlocal place
        place += int(np.prod(shape))
        return weights[place - int(np.prod(shape)) : place].reshape(shape)

    for _ in range(config["num_layers"]):
        W, b, h, c = take(4 * H, x.shape[1] + H), take(4 * H), take(H), take(H)
        rows = []
        for row in x:
            z = W @ np.concatenate([row, h]) + b
            i, f, g, o = (z[n * H : (n + 1) * H] for n in range(4))
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            rows.append(h)
        x = np.array(rows)
    outputs = config.get("out_channels", 1)
    y = x @ take(outputs, H).T + take(outputs)
    assert place == len(weights)
    return y


@pytest.mark.parametrize("name", FILES)
def test_files_of_the_format(name: str, tmp_path: Path) -> None:
    file = FILES[name]
    config, path = file["config"], tmp_path / "m.nam"
    path.write_text(json.dumps(file), "utf-8")
    model = load_model(path)
    x = np.random.default_rng(0).standard_normal((2, T, config["input_size"])).astype(np.float32)

    def run(numbers: dict[str, Array]) -> dict[str, Array]:
        # biases and states move absolutely, too
        weights = numbers["weights"] + numbers["bias"]
        return {"y": np.array([forward(config, weights, row) for row in numbers["x"]])}

    weights = np.array(file["weights"])
    numbers = {"x": x, "weights": weights, "bias": 0.0 * weights}
    longest = 2 * config["hidden_size"] + config["input_size"] + 1
    allowed = allowed_errors(run, numbers, longest=longest, dtype="float32")["y"]
    exact = run({key: value.astype(np.float64) for key, value in numbers.items()})["y"]
    assert abs(model.predict(x) - exact).max() <= allowed < 1e-3

    assert model.metadata == {key: file[key] for key in file.keys() & EXTRA}
    assert all(layer.learn_initial_state for layer in model.layers[:-1])
    model.save(tmp_path / "again.nam")
    assert json.loads((tmp_path / "again.nam").read_text("utf-8")) == file
    other = load_model(path)
    other.set_weights([0.0 * each for each in other.get_weights()])
    other.load_weights(tmp_path / "again.nam")
    assert all(map(np.array_equal, other.get_weights(), model.get_weights()))


EXTRA = {"version", "metadata", "sample_rate"}


def test_models_of_ones_own(tmp_path: Path) -> None:
    """Zeros stand for biases and first states that a model lacks."""
    layers = [LSTM(5, return_sequences=True, use_bias=use_bias) for use_bias in (True, False)]
    for head in (Dense(1), Dense(2, use_bias=False)):
        model = Sequential([Input((None, 3)), *layers, head], seed=0)
        model.save(tmp_path / "m.nam")
        again = load_model(tmp_path / "m.nam")
        x = np.random.default_rng(0).standard_normal((2, T, 3)).astype(np.float32)
        assert np.array_equal(again.predict(x), model.predict(x))
        assert again.metadata == {"version": "0.5.4"}

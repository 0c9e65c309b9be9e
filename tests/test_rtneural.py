"""RTNeural's and AIDA-X's JSON: files written here by hand against the format's own equations."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lstmfast import layers as given
from lstmfast.layers import GRU, LSTM, Activation, Add, Conv1D, Dense, Input
from lstmfast.models import Model, Sequential, load_model
from tolerances import allowed_errors

Array = npt.NDArray[Any]
T = 12
SEQ = {"return_sequences": True}


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "": lambda z: z,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda z: np.maximum(z, 0.0),
    "elu": lambda z: np.where(z > 0.0, z, np.exp(np.minimum(z, 0.0)) - 1.0),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True),
}


def lstm(x: Array, w: Array, u: Array, b: Array) -> Array:
    h = c = np.zeros(len(u))
    y = []
    for row in x:
        i, f, g, o = np.split(row @ w + h @ u + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        y.append(h)
    return np.array(y)


def gru(x: Array, w: Array, u: Array, b: Array) -> Array:
    h = np.zeros(len(u))
    y = []
    for row in x:
        (z, r, g), (zh, rh, gh) = np.split(row @ w + b[0], 3), np.split(h @ u + b[1], 3)
        z = sigmoid(z + zh)
        h = (1.0 - z) * np.tanh(g + sigmoid(r + rh) * gh) + z * h
        y.append(h)
    return np.array(y)


def conv1d(x: Array, entry: Any, kernel: Array, bias: Array) -> Array:
    taps, (dilation,), groups = len(kernel), entry["dilation"], entry["groups"]
    size, filters = kernel.shape[1], kernel.shape[2] // groups
    y = np.tile(bias, (len(x), 1))
    for t in range(len(x)):
        for k in range(taps):
            past = t - (taps - 1 - k) * dilation
            for group in range(groups if past >= 0 else 0):
                of_out = slice(group * filters, (group + 1) * filters)
                of_in = slice(group * size, (group + 1) * size)
                y[t, of_out] += x[past, of_in] @ kernel[k, :, of_out]
    return y


def forward(file: Any, x: Array) -> Array:
    """What a player computes of x (T, features), from the definition of the format."""
    start = x
    for entry in file["layers"]:
        w = entry["weights"]
        match entry["type"]:
            case "dense" | "time-distributed-dense":
                x = x @ w[0] + (w[1] if w[1:] else 0.0)
            case "conv1d":
                x = conv1d(x, entry, *w)
            case "gru":
                x = gru(x, *w)
            case "lstm":
                x = lstm(x, *w)
            case "prelu":
                x = np.where(x > 0.0, x, w[0] * x)
            case "batchnorm":
                gamma, beta = w[:2] if w[2:] else (1.0, 0.0)
                x = gamma * (x - w[-2]) / np.sqrt(w[-1] + entry["epsilon"]) + beta
        if entry["type"] not in ("gru", "lstm"):
            x = ACTIVATIONS[entry["activation"]](x)
    return x + start[:, :1] if file.get("in_skip") else x


def entry(kind: str, units: int, shapes: list[tuple[int, ...]], act: str = "", **more: Any) -> Any:
    rng = np.random.default_rng(units)
    weights = [rng.uniform(-0.9, 0.9, shape).astype(np.float32) for shape in shapes]
    if kind == "batchnorm":
        weights[-1] = abs(weights[-1]) + np.float32(0.5)
    head = {"type": kind, "activation": act, "shape": [None, None, units]}
    return {**head, **more, "weights": weights}


def dense(size: int, units: int, act: str = "") -> Any:
    return entry("dense", units, [(size, units), (units,)], act)


def recurrent(kind: str, size: int, units: int) -> Any:
    width = units * (3 if kind == "gru" else 4)
    bias = (2, width) if kind == "gru" else (width,)
    return entry(kind, units, [(size, width), (units, width), bias], "tanh")


def conv(size: int, units: int, taps: int, dilation: int, groups: int = 1, act: str = "") -> Any:
    more = {"kernel_size": [taps], "dilation": [dilation], "groups": groups}
    return entry("conv1d", units, [(taps, size // groups, units), (units,)], act, **more)


def file_of(size: int, *layers: Any, **more: Any) -> dict[str, Any]:
    return {"in_shape": [None, None, size], "layers": list(layers), **more}


CASES = {
    "lstm": file_of(1, recurrent("lstm", 1, 5), dense(5, 1), samplerate="44100"),
    "gru": file_of(2, recurrent("gru", 2, 4), recurrent("gru", 4, 3), dense(3, 2, "softmax")),
    "conv": file_of(
        2, conv(2, 4, 3, 2, act="relu"), entry("prelu", 4, [(1, 4)]),
        entry("batchnorm", 4, [(4,)] * 4, epsilon=0.25), conv(4, 1, 1, 1, act="tanh"),
    ),
    "few weights": file_of(
        3, entry("dense", 4, [(3, 4)], "elu"), entry("prelu", 4, [(1, 1)]),
        entry("batchnorm", 4, [(4,)] * 2, epsilon=5.0), entry("activation", 4, [], "sigmoid"),
    ),
    "skip": file_of(1, recurrent("lstm", 1, 3), dense(3, 1), in_skip=1, in_gain=-3.5,
                    metadata={"samplerate": 48000, "name": "ä", "esr": 0.1}, input_batch=[0.5]),
    "skip of the first": file_of(3, recurrent("gru", 3, 2), dense(2, 1), in_skip=1),
}  # fmt: skip


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=lambda array: array.tolist()))


def loaded(file: Any, folder: Path) -> Model:
    (folder / "given.json").write_text(json.dumps(plain(file)), "utf-8")
    return load_model(folder / "given.json")


def assert_computes(model: Model, file: Any) -> None:
    x = np.random.default_rng(0).standard_normal((2, T, file["in_shape"][-1])).astype(np.float32)
    named = {"x": x}
    for n, each in enumerate(file["layers"]):
        for k, array in enumerate(each["weights"]):
            named[f"{n}.{'bias' if k and each['type'] != 'batchnorm' else 'w'}.{k}"] = array

    def run(numbers: dict[str, Array]) -> dict[str, Array]:
        changed = copy.deepcopy(file)
        arrays = iter([value for name, value in numbers.items() if name != "x"])
        for each in changed["layers"]:
            each["weights"] = [next(arrays) for _ in each["weights"]]
        return {"y": np.array([forward(changed, row) for row in numbers["x"]])}

    longest = max(sum(a.size for a in each["weights"]) for each in file["layers"])  # more than any
    allowed = allowed_errors(run, named, longest=longest, dtype="float32")["y"]
    exact = run({name: value.astype(np.float64) for name, value in named.items()})["y"]
    assert abs(model.predict(x) - exact).max() <= allowed < 1e-3


@pytest.mark.parametrize("name", CASES)
def test_files_of_the_format(name: str, tmp_path: Path) -> None:
    file = CASES[name]
    model = loaded(file, tmp_path)
    assert_computes(model, file)
    keys = file.keys() - {"in_shape", "layers", "in_skip"}
    assert model.metadata == {key: plain(file[key]) for key in keys}
    model.save(tmp_path / "again.JSON")
    assert json.loads((tmp_path / "again.JSON").read_text("utf-8")) == plain(file)
    other = loaded(file, tmp_path)
    other.set_weights([0.0 * each for each in other.get_weights()])
    other.load_weights(tmp_path / "again.JSON")
    assert all(map(np.array_equal, other.get_weights(), model.get_weights()))


def test_what_exporters_write_otherwise(tmp_path: Path) -> None:
    """Sizes without lists, no groups, a number of steps, no activation of a recurrent layer."""
    file = file_of(2, conv(2, 4, 2, 3, 2), recurrent("lstm", 4, 2), dense(2, 1))
    expected = copy.deepcopy(file)
    first, second, last = file["layers"]
    first.update(kernel_size=2, dilation=3)
    file["in_shape"] = [None, 99, 2]
    second["activation"], last["type"] = "", "time-distributed-dense"
    assert_computes(loaded(file, tmp_path), expected)
    rows = {**CASES["few weights"], "in_shape": [None, 3]}
    rows["layers"] = [each for each in rows["layers"] if each["type"] != "prelu"]
    x = np.ones((4, 3), np.float32)
    model = loaded(rows, tmp_path)
    np.testing.assert_allclose(model.predict(x), forward(rows, x), rtol=1e-5)
    model.save(tmp_path / "rows.json")
    assert json.loads((tmp_path / "rows.json").read_text())["in_shape"] == [None, 3]


def test_models_of_ones_own(tmp_path: Path) -> None:
    """What the format lacks and a zero or a one can stand for; the ways to write a skip."""
    layers = [
        given.TimeDistributed(Dense(3)),
        Conv1D(3, 2, padding="causal", use_bias=False),
        given.BatchNormalization(center=False),
        given.PReLU(shared_axes=[1, 2], alpha_initializer="ones"),
        LSTM(3, use_bias=False, stateful=False, dropout=0.1, **SEQ),
        GRU(2, use_bias=False, **SEQ),
        Activation("linear"),
        Dense(1),
    ]
    x = Input((None, 1))
    y = Sequential([Input((None, 1)), *layers])(x)
    row = Sequential([Input((None, 1)), *layers], seed=0)
    values = np.random.default_rng(0).standard_normal((2, T, 1)).astype(np.float32)
    net: Any = x
    for layer in row.layers:
        net = layer(net)
    for model in (row, Model(x, Add()([x, net])), Model(x, net + x), Model(x, x[:, :, :1] + net)):
        model.save(tmp_path / "m.json")
        again = load_model(tmp_path / "m.json")
        assert np.array_equal(again.predict(values), model.predict(values))
        assert ("in_skip" in json.loads((tmp_path / "m.json").read_text())) == (model is not row)
    with pytest.raises(ValueError, match=r"layer 'sequential.*', of the class Sequential, cannot"):
        Model(x, y).save(tmp_path / "nested.json")

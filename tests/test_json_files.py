"""Files of RTNeural and Neural Amp Modeler: damaged ones, and models that they cannot hold."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lstmfast.layers import GRU, LSTM, Add, Conv1D, Dense, Dropout, Input, PReLU
from lstmfast.models import Model, Sequential, load_model

SEQ = {"return_sequences": True}

RTNEURAL: dict[str, Any] = {
    "in_shape": [None, None, 1],
    "in_skip": 1,
    "layers": [
        {"type": "dense", "activation": "tanh", "shape": [None, None, 2],
         "weights": [[[0.5, 1.0]], [0.0, 1]]},
        {"type": "conv1d", "activation": "", "shape": [None, None, 2], "kernel_size": [1],
         "dilation": [1], "groups": 2, "weights": [[[[1.0, 2.0]]], [0.0, 0.0]]},
        {"type": "batchnorm", "activation": "", "shape": [None, None, 2], "epsilon": 0.1,
         "weights": [[0.0, 0.0], [1.0, 1.0]]},
        {"type": "prelu", "activation": "", "shape": [None, None, 2], "weights": [[[0.1, 0.2]]]},
        {"type": "lstm", "activation": "", "shape": [None, None, 1],
         "weights": [[[1, 2, 3, 4], [5, 6, 7, 8]], [[1, 2, 3, 4]], [1, 2, 3, 4]]},
        {"type": "gru", "activation": "", "shape": [None, None, 1],
         "weights": [[[1, 2, 3]], [[1, 2, 3]], [[1, 2, 3], [4, 5, 6]]]},
        {"type": "activation", "activation": "elu", "shape": [None, None, 1], "weights": []},
    ],
    "metadata": {"samplerate": "48000"},
}  # fmt: skip
NAM: dict[str, Any] = {
    "version": "0.5.4",
    "architecture": "LSTM",
    "config": {"input_size": 1, "hidden_size": 1, "num_layers": 1, "out_channels": 1},
    "weights": [0.5] * 16,
    "sample_rate": 48000.0,
}
FILES = {"json": RTNEURAL, "nam": NAM}
Change = Callable[[Any], Any]


def put(*path: Any) -> Change:
    """A change of a file: the value at the end of the path is put in its place."""
    *way, key, value = path

    def change(file: Any) -> Any:
        at = file
        for step in way:
            at = at[step]
        at[key] = value
        return file

    return change


def lacking(*path: Any) -> Change:
    def change(file: Any) -> Any:
        at = file
        for step in path[:-1]:
            at = at[step]
        del at[path[-1]]
        return file

    return change


LAYERS = "layers"
WRONG: list[tuple[str, Change, str]] = [
    ("json", lambda _: "", "it is no JSON: Expecting value"),
    ("json", lambda _: b"\xff\xfe\x00", "it is no JSON: .*decode"),
    ("nam", lambda _: "[" * 200_000, "lists and objects lie in each other too deep"),
    ("json", lambda _: '{"a":' * 200_000, "lists and objects lie in each other too deep"),
    ("nam", lambda _: [], "the whole is a list of 0; expected an object"),
    ("json", lacking("in_shape"), "it lacks in_shape"),
    ("json", put("in_shape", [None, 2, 2, 1]), "in_shape is a list of 4; expected at most 3"),
    ("json", put("in_shape", -1, 10**40), r"in_shape\[-1\] is 10\*\*39 or more; expected a whole"),
    ("json", put(LAYERS, []), "layers is a list of 0; expected at least one layer"),
    ("json", put(LAYERS, 1, "type", "conv2d"), r"layers\[1\].type is 'conv2d'; expected one of d"),
    ("json", put(LAYERS, 0, "activation", "gelu"), r"layers\[0\].activation is 'gelu'; expected o"),
    ("json", put(LAYERS, 4, "activation", "relu"), r"layers\[4\].activation is 'relu'; expected o"),
    ("json", put(LAYERS, 0, "weights", 0, [[1, 2], [3]]), r"layers\[0\].weights\[0\] is not a ful"),
    ("json", put(LAYERS, 0, "weights", 1, [1, "2"]), r"layers\[0\].weights\[1\] holds .* expected"),
    ("json", put(LAYERS, 0, "weights", 1, 1, 1e39), r"layers\[0\].weights\[1\] has values beyond"),
    ("json", put(LAYERS, 0, "weights", 1, 1, float("nan")), "it is no JSON: NaN is no number"),
    ("json", put(LAYERS, 0, "weights", []), r"\[0\].weights is a list of 0; .* 2: kernel, bias"),
    ("json", put(LAYERS, 0, "shape", -1, 2**31 - 1), r"\[0\] has shape .* \(1, 2147483647\)"),
    ("json", put(LAYERS, 4, "shape", -1, 3), r"\[4\].weights\[0\] has shape .* expected \(2, 12\)"),
    ("json", put(LAYERS, 2, "shape", -1, 3), r"\[2\].shape\[-1\] is 3; expected 2, what the layer"),
    ("json", put(LAYERS, 1, "groups", 3), r"layers\[1\].groups is 3; expected a divisor of 2 and"),
    ("json", put(LAYERS, 1, "dilation", [2**30]), r"layers\[1\]: dilation_rate is 1073741824; exp"),
    ("json", put(LAYERS, 2, "epsilon", -1), r"layers\[2\]: epsilon is -1; expected"),
    ("json", put("in_skip", 2), "in_skip is 2; expected a whole number from 0 to 1"),
    ("json", lacking(LAYERS, slice(4, 7)), "in_skip is 1; expected 0 for a model of 2 outputs"),
    ("nam", lacking("config", "num_layers"), "it lacks config.num_layers"),
    ("nam", put("architecture", "WaveNet"), "architecture is 'WaveNet'; expected 'LSTM', the only"),
    ("nam", put("version", "0.8.0"), "version is '0.8.0'; expected a version from 0.5.0 to 0.7"),
    ("nam", put("config", "in_channels", 2), "config.in_channels is 2; expected 1, the input_size"),
    ("nam", put("config", "hidden_size", 2**30), r"weights has shape \(16,\); expected \(46116860"),
    ("nam", put("weights", [0.5] * 17), r"weights has shape \(17,\); expected \(16,\)"),
    ("nam", put("weights", 3, None), "weights holds None values; expected real numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("ending", "change", "message"), WRONG)
def test_wrong_files(ending: str, change: Change, message: str, tmp_path: Path) -> None:
    file = change(copy.deepcopy(FILES[ending]))
    content = file if isinstance(file, str | bytes) else json.dumps(file)
    path = tmp_path / f"m.{ending}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message) as caught:
        load_model(path)
    assert str(caught.value).startswith(f"[load_model] {path}: ")


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what holds a value and where, for each value of a file."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.parametrize("ending", FILES)
def test_any_value_anywhere(ending: str, tmp_path: Path) -> None:
    """Each value of a file becomes another one: it loads, or is refused as files are."""
    path, file = tmp_path / f"m.{ending}", copy.deepcopy(FILES[ending])
    path.write_text(json.dumps(file))
    load_model(path)
    others: list[Any] = [None, -1, 2**62, 1e300, "x", {}, [[1.0]]]
    refused = []
    for holder, key in places(file):
        kept = holder[key]
        for other in others:
            holder[key] = other
            path.write_text(json.dumps(file))
            try:
                load_model(path)
            except ValueError as error:
                refused.append(str(error))
        holder[key] = kept
    assert len(refused) > 100
    assert all(text.startswith(f"[load_model] {path}: ") for text in refused)


def test_no_file(tmp_path: Path) -> None:
    path = tmp_path / "none.nam"
    with pytest.raises(FileNotFoundError, match=r"\[load_model\] .*none.nam: there is no such fil"):
        load_model(path)


REFUSED: dict[str, list[tuple[Any, str]]] = {
    "json": [
        ([Dropout(0.5)], "layer 'dropout', of the class Dropout,"),
        ([LSTM(2)], "layer 'lstm', whose return_sequences is False,"),
        ([LSTM(2, peephole=True, **SEQ)], "layer 'lstm', whose peephole is True,"),
        ([LSTM(2, activation="relu", **SEQ)], "layer 'lstm', whose activation is 'relu',"),
        ([GRU(2, learn_initial_state=True, **SEQ)], "'gru', whose learn_initial_state is True,"),
        ([GRU(2, reset_after=False, **SEQ)], "layer 'gru', whose reset_after is False,"),
        ([Conv1D(2, 3, padding="same")], "layer 'conv1d', whose padding is 'same',"),
        ([Conv1D(2, 3, padding="causal", strides=2)], r"'conv1d', whose strides is \(2,\),"),
        ([Dense(2, activation="gelu")], "layer 'dense', whose activation is 'gelu',"),
        ([Input((5, 2)), PReLU()], r"layer 'p_re_lu', whose alpha is \(5, 2\),"),
    ],
    "nam": [
        ([LSTM(2, **SEQ)], "model 'sequential.*', which is no row of LSTM layers and a Dense,"),
        ([Dense(1)], "model 'sequential.*', which is no row of LSTM layers and a Dense,"),
        ([LSTM(2, **SEQ), LSTM(3, **SEQ), Dense(1)], "'lstm_1', which is no LSTM of 2 units,"),
        ([Dense(2), LSTM(2, **SEQ), Dense(1)], "layer 'dense', which is no LSTM"),
        ([LSTM(2), Dense(1)], "layer 'lstm', whose return_sequences is False,"),
        ([LSTM(2, coupled=True, **SEQ), Dense(1)], "layer 'lstm', whose coupled is True,"),
        ([LSTM(2, **SEQ), Dense(1, activation="tanh")], "'dense', whose activation is 'tanh',"),
    ],
}


@pytest.mark.parametrize("ending", FILES)
def test_what_files_cannot_hold(ending: str, tmp_path: Path) -> None:
    x = Input((None, 2))
    y = Dense(1)(x)
    no_row = "model 'functional.*', whose layers are not in a row,"
    refused = [(Model(x, z), no_row) for z in ([y, y], y * y, Add()([y, x[:, :, 1:]]))]
    x = Input((None, 1))
    several = "which (adds its input to 3 outputs|is no row of LSTM layers and a Dense),"
    refused.append((Model(x, Dense(3)(x) + x), several))
    for layers, message in REFUSED[ending]:
        start = [] if isinstance(layers[0], Input) else [Input((None, 2))]
        refused.append((Sequential([*start, *layers]), message))
    path = tmp_path / f"m.{ending}"
    for model, message in refused:
        text = f"{message}.* cannot stand in .*'s files; expected a name that ends in .safetensors"
        with pytest.raises(ValueError, match=rf"\[save\] .*{text}"):
            model.save(path)
    assert not path.exists()


def test_metadata_that_files_cannot_hold(tmp_path: Path) -> None:
    model = Sequential([Input((None, 2)), LSTM(2, **SEQ), Dense(1)])
    for ending, metadata, message in [
        ("json", {"in_skip": 1}, "metadata has 'in_skip', which the file says of the model"),
        ("nam", {"weights": []}, "metadata has 'weights', which the file says of the model"),
        ("json", {"esr": float("nan")}, "model 'sequential.*' with its metadata is no JSON: "),
        ("nam", {"version": "1.0.0"}, r"metadata\['version'\] is '1.0.0'; expected a version"),
    ]:
        model.metadata = metadata
        with pytest.raises(ValueError, match=rf"\[save\] {message}"):
            model.save(tmp_path / f"m.{ending}")
    assert not list(tmp_path.iterdir())

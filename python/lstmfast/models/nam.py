"""Neural Amp Modeler's ``.nam`` files of LSTMs: names, layout, versions.

Facts from the sources of that project:

- sdatkinson/NeuralAmpModelerCore, NAM/lstm.cpp: config and the order of the weights, which are one
  list. For each layer W (4H, I + H), row by row, whose columns are those of x, then of h; b (4H);
  the first h (H); the first c (H). Then the head (out_channels, H), row by row, and its bias. Gates
  are in torch's order; the states are those before the first sample, until the player resets.
- The same, NAM/get_dsp.cpp and get_dsp.h: versions from 0.5.0 to 0.7 are read; a higher minor
  version may mean another thing.
- The same, NAM/nam_file.cpp: which keys there must be. sdatkinson/neural-amp-modeler,
  nam/models/base.py, exportable.py, docs/source/model-file.rst: sample_rate (48000 Hz where it is
  absent), and metadata such as loudness, gain, input_level_dbu, with no effect on the samples.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._layouts import from_torch, to_torch
from lstmfast.layers import LSTM, Dense
from lstmfast.models import json_files
from lstmfast.models.json_files import Part, Row
from lstmfast.models.keras_graph import lacks

_FILES = "Neural Amp Modeler's files"
_VERSION = "0.5.4"  # the newest that all players of LSTMs read
_MODEL = "architecture", "config", "weights"  # keys that say what the model is


def read(part: Part) -> Row:
    """Return the model that a file holds."""
    if part["architecture"].text() != "LSTM":
        raise part["architecture"].wrong("'LSTM', the only one that can be loaded")
    _check_version(part["version"])
    config = part["config"]
    inputs, units, count = (
        config[name].whole() for name in ("input_size", "hidden_size", "num_layers")
    )
    outputs = config["out_channels"].whole() if "out_channels" in config else 1
    if "in_channels" in config and config["in_channels"].value != inputs:
        raise config["in_channels"].wrong(f"{inputs}, the input_size")
    lengths = [4 * units * (size + units) + 6 * units for size in (inputs, units)]
    head = (units + 1) * outputs
    flat = part["weights"].array((lengths[0] + (count - 1) * lengths[1] + head,))
    rows = np.split(flat[:-head], range(lengths[0], len(flat) - head, lengths[1]))
    kernel, bias = np.split(flat[-head:], [outputs * units])
    return Row(
        (None, inputs),
        [
            *(LSTM(units, return_sequences=True, learn_initial_state=True) for _ in rows),
            Dense(outputs),
        ],
        [each for row in rows for each in _cell(row, units)]
        + [kernel.reshape(outputs, units).T, bias],
        part.without(*_MODEL),
    )


def _cell(row: Array, units: int) -> list[Array]:
    """Return the weights of a layer."""
    matrix, bias, h, c = np.split(row, np.cumsum([len(row) - 6 * units, 4 * units, units]))
    matrix = matrix.reshape(4 * units, -1)
    of_x, of_h = matrix[:, :-units], matrix[:, -units:]
    core = from_torch({"weight_ih": of_x, "weight_hh": of_h, "bias_ih": bias})
    return [*core.values(), h, c]


def _check_version(version: Part) -> None:
    if not re.fullmatch(r"0\.[567]\.\d{1,9}", version.text(), re.ASCII):
        raise version.wrong("a version from 0.5.0 to 0.7, such as '0.5.4'")


def content(model: Any) -> bytes:
    """Return a file with a model."""
    (*cells, head), skips = json_files.row_of(model, _FILES)
    if skips or not cells or not isinstance(head, Dense):
        raise lacks(f"model {model.name!r}, which is no row of LSTM layers and a Dense,", _FILES)
    flat: list[Array] = []
    units = getattr(cells[0], "units", None)
    for layer in cells:
        if not isinstance(layer, LSTM) or layer.units != units:
            what = f"layer {layer.name!r}, which is no LSTM of {units} units,"
            raise lacks(what, _FILES)
        held = "units", "use_bias", "learn_initial_state"
        json_files.check_plain(layer, _FILES, held)
        weights = json_files.named_weights(layer)
        weights.setdefault("bias", np.zeros(4 * units))
        torch = to_torch(weights)
        flat.append(np.concatenate([torch["weight_ih"], torch["weight_hh"]], axis=1))
        flat.append(weights["bias"])
        flat += [weights.get(f"initial_{state}", np.zeros(units)) for state in "hc"]
    json_files.check_plain(head, _FILES, ("units", "use_bias"))
    weights = json_files.named_weights(head)
    flat += [weights["kernel"].T, weights.get("bias", np.zeros(head.units))]
    features = model.inputs[0].shape[-1]
    config = {"input_size": features, "hidden_size": units, "num_layers": len(cells)}
    channels = {"in_channels": features, "out_channels": head.units}
    facts: dict[str, Any] = {
        "architecture": "LSTM",
        "config": config | {key: value for key, value in channels.items() if value != 1},
        "weights": np.concatenate([each.ravel() for each in flat]).tolist(),
    }
    version = model.metadata.get("version", _VERSION)
    try:
        _check_version(Part(version, "metadata['version']"))
    except ValueError as error:
        raise ValueError(f"[save] {error}") from None
    if "version" not in model.metadata:
        facts = {"version": version, **facts}
    return json_files.content(model, facts)

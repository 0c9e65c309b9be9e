"""RTNeural's JSON files, which the player AIDA-X reads too: names and layouts.

Facts from the sources of these projects:

- jatinchowdhury18/RTNeural, RTNeural/model_loader.h: the types of layers and their keys; the last
  number of ``in_shape``, and of each layer's ``shape``, is a size; ``kernel_size`` and ``dilation``
  are numbers or lists that end in one. Layers run step by step: recurrent layers return each step,
  start at zero, and have tanh and sigmoid whatever ``activation`` says; convolutions are causal
  (RTNeural/conv1d/conv1d.h). Types that it does not know it passes over; here they are refused.
- The same, python/model_utils.py: the weights are those of Keras's ``get_weights()``.
- AidaDSP/aidadsp-lv2, rt-neural-generic/src/rt-neural-generic.cpp: ``in_skip`` of 1 adds the
  input's first number to the one output, ``in_gain`` and ``out_gain`` (dB) are the player's, and so
  are ``samplerate`` (its own key, or one in ``metadata``; 48000 Hz where it is absent) and what
  AidaDSP/Automated-GuitarAmpModelling writes (model_utils.py): ``metadata``, ``input_batch``,
  ``output_batch``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Conv1D,
    Dense,
    Layer,
    PReLU,
    TimeDistributed,
)
from lstmfast.models import json_files
from lstmfast.models.json_files import Part, Row
from lstmfast.models.keras_graph import lacks

_FILES = "RTNeural's files"
_MODEL = "in_shape", "in_skip", "layers"  # keys that say what the model is
_ACTIVATIONS = "tanh", "relu", "sigmoid", "softmax", "elu"
# by type, the kinds of our layers and which of their options an entry holds
_TYPES = {
    "dense": ("dense", "units", "activation", "use_bias"),
    "time-distributed-dense": ("time_distributed",),
    "conv1d": ("conv1d", "filters", "kernel_size", "dilation_rate", "activation", "use_bias"),
    "gru": ("gru", "units", "use_bias"),
    "lstm": ("lstm", "units", "use_bias"),
    "prelu": ("p_re_lu", "shared_axes"),
    "batchnorm": ("batch_normalization", "epsilon", "center", "scale"),
    "activation": ("activation", "activation"),
}
# arrays that an entry may lack, all or none
_OPTIONAL = {"dense": {"bias"}, "batchnorm": {"gamma", "beta"}}
_OF_ROWS = {"dense", "activation", "batchnorm"}  # types that need no steps
_LARGEST = 1 << 26  # numbers of a kernel that is made of groups


def _shapes(kind: str, size: int, units: int, taps: int = 1) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a layer's arrays, in their order; size: its inputs."""
    match kind:
        case "dense":
            return {"kernel": (size, units), "bias": (units,)}
        case "conv1d":
            return {"kernel": (taps, size, units), "bias": (units,)}
        case "gru" | "lstm":
            width = units * (3 if kind == "gru" else 4)
            bias = (2, width) if kind == "gru" else (width,)
            return {"kernel": (size, width), "recurrent_kernel": (units, width), "bias": bias}
        case "prelu":
            return {"alpha": (1, units)}
        case "batchnorm":
            names = "gamma", "beta", "moving_mean", "moving_variance"
            return dict.fromkeys(names, (units,))
    return {}


def read(part: Part) -> Row:
    """Return the model that a file holds."""
    shape = part["in_shape"]
    size = _size(shape)
    types = {entry["type"].text() for entry in part["layers"]}
    sample = (size,) if len(shape) == 2 and types <= _OF_ROWS else (None, size)
    layers, weights = [], []
    for entry in part["layers"]:
        layer, arrays, size = _layer(entry, size)
        layers.append(layer)
        weights += arrays
    skips = "in_skip" in part and part["in_skip"].whole(0, 1) == 1
    if skips and size != 1:
        raise part["in_skip"].wrong(f"0 for a model of {size} outputs")
    if not layers:
        raise part["layers"].wrong("at least one layer")
    return Row(sample, layers, weights, part.without(*_MODEL), skips)


def _layer(entry: Part, size: int) -> tuple[Layer, list[Array], int]:
    """Return a layer, its weights, and how many numbers it returns for a step of that many."""
    kind = entry["type"].text().removeprefix("time-distributed-")
    if entry["type"].value not in _TYPES:
        raise entry["type"].wrong(f"one of {', '.join(_TYPES)}")
    units = _size(entry["shape"])
    if kind in ("prelu", "batchnorm", "activation") and units != size:
        raise entry["shape"][-1].wrong(f"{size}, what the layer before returns")
    activation = _activation(entry, kind)
    taps = _last(entry["kernel_size"]).whole() if kind == "conv1d" else 1
    groups = entry["groups"].whole() if kind == "conv1d" and "groups" in entry else 1
    if size % groups or units % groups:
        raise entry["groups"].wrong(f"a divisor of {size} and {units}")
    is_shared = kind == "prelu" and len(entry["weights"][0][0]) == 1
    shapes = _shapes(kind, size // groups, 1 if is_shared else units, taps)
    arrays = _arrays(entry["weights"], shapes, _OPTIONAL.get(kind, set()))
    layer: Layer
    match kind:
        case "dense":
            layer = Dense(units, activation, use_bias="bias" in arrays)
        case "conv1d":
            options = {"dilation_rate": _last(entry["dilation"]).whole(), "activation": activation}
            layer = entry.made(Conv1D, units, taps, padding="causal", **options)
            if groups > 1:
                if arrays["kernel"].size * groups > _LARGEST:
                    raise entry["groups"].wrong(f"a kernel of at most {_LARGEST} numbers")
                arrays["kernel"] = _joined(arrays["kernel"], groups)
        case "gru":
            layer = GRU(units, return_sequences=True)
        case "lstm":
            layer = LSTM(units, return_sequences=True)
        case "prelu":
            layer = PReLU(shared_axes=[1, 2] if is_shared else [1])
        case "batchnorm":
            has_both = "gamma" in arrays
            options = {"epsilon": entry["epsilon"].value, "center": has_both, "scale": has_both}
            layer = entry.made(BatchNormalization, **options)
        case _:
            layer = Activation(activation)
    return layer, list(arrays.values()), units


def _arrays(held: Part, shapes: dict[str, tuple[int, ...]], optional: set[str]) -> dict[str, Array]:
    """Return the arrays of an entry by their names."""
    if len(held) == len(shapes) - len(optional):
        shapes = {name: shape for name, shape in shapes.items() if name not in optional}
    if len(held) != len(shapes):
        raise held.wrong(f"a list of {len(shapes)}: {', '.join(shapes)}")
    return {name: held[k].array(shape) for k, (name, shape) in enumerate(shapes.items())}


def _size(shape: Part) -> int:
    if len(shape) > 3:
        raise shape.wrong("at most 3 sizes: of batch, steps and features")
    return shape[-1].whole()


def _last(part: Part) -> Part:
    return part[-1] if isinstance(part.value, list) else part


def _activation(entry: Part, kind: str) -> str:
    if "activation" not in entry or entry["activation"].text() == "":
        return "linear"
    known: tuple[str, ...] = ()
    if "activation" in _TYPES[kind]:
        known = _ACTIVATIONS
    elif kind in ("gru", "lstm"):
        known = ("tanh",)
    if entry["activation"].value not in known:
        raise entry["activation"].wrong(f"one of {', '.join(known)}, or ''" if known else "''")
    return entry["activation"].text()


def _joined(kernel: Array, groups: int) -> Array:
    """Return the kernel over all inputs for one over those of each filter's group."""
    taps, size, filters = kernel.shape
    whole = np.zeros((taps, groups, size, filters), kernel.dtype)
    for group, part in enumerate(np.split(np.arange(filters), groups)):
        whole[:, group, :, part] = kernel[:, :, part].transpose(2, 0, 1)
    return whole.reshape(taps, groups * size, filters)


def content(model: Any) -> bytes:
    """Return a file with a model."""
    row, skips = json_files.row_of(model, _FILES)
    *lead, size = model.inputs[0].shape
    if len(lead) > 2:
        raise lacks(f"model {model.name!r}, whose input has {len(lead) + 1} axes,", _FILES)
    facts: dict[str, Any] = {"in_shape": [*lead, size], **({"in_skip": 1} if skips else {})}
    facts["layers"] = []
    for layer in row:
        facts["layers"].append(_entry(layer, lead, size))
        size = facts["layers"][-1]["shape"][-1]
    if skips and size != 1:
        raise lacks(f"model {model.name!r}, which adds its input to {size} outputs,", _FILES)
    return json_files.content(model, facts, _MODEL)


def _entry(layer: Any, lead: list[int | None], size: int) -> dict[str, Any]:
    """Return the description of a layer with that many inputs."""
    if isinstance(layer, TimeDistributed) and isinstance(layer.layer, Dense):
        inside = _entry(layer.layer, lead, size)
        return inside | {"type": "time-distributed-dense"}
    types = {kind: (each, held) for each, (kind, *held) in _TYPES.items()}
    if layer.kind not in types or layer.kind == "time_distributed":
        raise lacks(f"layer {layer.name!r}, of the class {type(layer).__name__},", _FILES)
    kind, held = types[layer.kind]
    only = {"padding": "causal", "strides": (1,)} if kind == "conv1d" else {}
    json_files.check_plain(layer, _FILES, held, **only)
    activation = getattr(layer, "activation", "linear")
    if activation not in ("linear", *_ACTIVATIONS):
        raise lacks(f"layer {layer.name!r}, whose activation is {activation!r},", _FILES)
    units = next((getattr(layer, name) for name in ("units", "filters") if name in held), size)
    weights = json_files.named_weights(layer)
    entry = {
        "type": kind,
        "activation": "" if activation == "linear" else activation,
        "shape": [*lead, units],
    }
    if kind == "conv1d":
        entry |= {"kernel_size": list(layer.kernel_size), "dilation": list(layer.dilation_rate)}
        entry["groups"] = 1
    if kind == "batchnorm":
        entry["epsilon"] = layer.epsilon
    shapes = _shapes(kind, size, units, *entry.get("kernel_size", ()))
    if kind == "prelu" and weights["alpha"].shape not in ((1, size), (1, 1)):
        raise lacks(f"layer {layer.name!r}, whose alpha is {weights['alpha'].shape},", _FILES)
    optional = _OPTIONAL.get(kind, set())
    names = [name for name in shapes if name not in optional or optional & weights.keys()]
    # of what the layer lacks, the values that change nothing
    entry["weights"] = [
        weights.get(name, np.full(shapes[name], float(name == "gamma"))).tolist() for name in names
    ]
    return entry

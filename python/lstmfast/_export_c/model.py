"""A model as layers in a row, for a step at a time; what cannot be exported is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import feedforward, lstm, units
from .parts import Layer, Part

if TYPE_CHECKING:
    from lstmfast.models import Model

KINDS: dict[str, Callable[[Layer], Part]] = {
    "lstm": lstm.lstm,
    "gru": units.gru,
    "simple_rnn": units.simple_rnn,
    "dense": feedforward.dense,
    "conv1d": feedforward.conv1d,
    "embedding": feedforward.embedding,
    "activation": feedforward.activation,
    "leaky_re_lu": feedforward.leaky_re_lu,
    "elu": feedforward.elu,
    "re_lu": feedforward.re_lu,
    "p_re_lu": feedforward.p_re_lu,
    "softmax": feedforward.softmax,
    "batch_normalization": feedforward.batch_normalization,
    "layer_normalization": feedforward.layer_normalization,
    "rms_normalization": feedforward.rms_normalization,
}
# layers that pass on what comes, where nothing is trained
_IDENTITIES = {
    "dropout", "spatial_dropout1d", "alpha_dropout", "gaussian_dropout", "gaussian_noise",
    "activity_regularization",
}  # fmt: skip


_STEP_RANKS = (1, 2)  # axes of a sample of numbers: features, or steps and features


class Row(NamedTuple):
    """The layers of a model, and what a step takes: an id below `ids`, or so many numbers."""

    layers: list[tuple[Layer, Part]]
    inputs: int
    ids: int
    outputs: int


def read(model: Model, int8: bool) -> Row:
    """Return the parts of a model.

    Raises
    ------
    ValueError
        With the layer that cannot be exported, or what else is wrong.
    """
    model._built_core()
    core = model._core_model
    assert core is not None
    structure = core.structure
    handles, ends = structure["layers"], (structure["inputs"], structure["outputs"])
    if model._decodes or [len(each) for each in ends] != [1, 1]:
        counts = f"{len(ends[0])} inputs and {len(ends[1])} outputs"
        found = "is an EncoderDecoder" if model._decodes else f"has {counts}"
        raise ValueError(f"[export_c] the model {found}; expected one input and one output")
    if core.graph.dtype != "float32":
        raise ValueError(f"[export_c] the model computes in {core.graph.dtype}; expected float32")
    ((shape, _, takes_ids, ids),) = core.inputs
    if not takes_ids and (len(shape) not in _STEP_RANKS or shape[-1] is None):
        raise ValueError(
            f"[export_c] the model takes samples of shape {shape}; expected (steps, features), "
            "(features,), or ids (steps,)"
        )
    taken = [list(inputs) for _, inputs, _ in structure["nodes"]]
    if [*taken, structure["outputs"]] != [[(place, 0)] for place in range(len(taken) + 1)]:
        raise ValueError("[export_c] the model's layers branch; expected a graph in a row")
    numbered = _names([_inside(handles[n]).kind for n, _, _ in structure["nodes"]])
    layers: list[tuple[Layer, Part]] = []
    width = 1 if takes_ids else int(shape[-1] or 0)
    inputs = width
    for name, (n, _, training) in zip(numbered, structure["nodes"], strict=True):
        layer = _layer(handles[n], name, width, int8)
        if training:
            raise layer.refuse("is called with training=True; expected it as in inference")
        if layer.kind in _IDENTITIES:
            continue
        if layer.kind not in KINDS:
            raise layer.refuse(f"has no form in C; expected layers of {', '.join(sorted(KINDS))}")
        part = KINDS[layer.kind](layer)
        layers.append((layer, part))
        width = part.outputs
    if not layers:
        raise ValueError("[export_c] the model computes nothing; expected a layer that does")
    return Row(layers, inputs, ids if takes_ids else 0, width)


def _names(kinds: list[str]) -> list[str]:
    """Return a name in C for each layer: its kind, and from the second of a kind on a number."""
    found = []
    for place, kind in enumerate(kinds):
        before = kinds[:place].count(kind)
        found.append(kind.replace("normalization", "norm") + (f"_{before}" if before else ""))
    return found


def _inside(handle: Any) -> Any:
    """Return a layer, or that inside of TimeDistributed."""
    return handle.child("layer") if handle.kind == "time_distributed" else handle


def _layer(handle: Any, name: str, inputs: int, int8: bool) -> Layer:
    """Return a layer as builders get it."""
    label = re.sub(r"[^\w .-]", "_", handle.name, flags=re.ASCII)
    inner = _inside(handle)
    names = [name for name, _ in inner.weight_names()]
    weights = dict(zip(names, map(np.ascontiguousarray, inner.get_weights()), strict=True))
    layer = Layer(name, label, inner.kind, inner.config, weights, inputs, int8)
    for each, value in weights.items():
        if not np.isfinite(value).all():
            raise layer.refuse(f"has a {each} that is not finite")
    layer.expect(go_backwards=False)
    return layer

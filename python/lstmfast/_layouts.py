"""Names and layouts of an LSTM layer in one direction: the core's, torch's, Keras's, ONNX's.

The core, `lstmfast.layers` and `lstmfast.reference` hold kernel (I, G·H), recurrent_kernel
(P, G·H), bias (G·H), projection_kernel (H, P), peephole (one row a gate that has one, H) and the
norms' weights, with the gates in the order of `gates`. Keras has the same names and layouts.
torch has the same order, two biases, and matrices transposed. ONNX has another order, two biases
in one array, and matrices transposed.

Gates are named by letters: i (input), f (forget), g (candidate; Keras and ONNX call it c) and
o (output).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lstmfast._arrays import Array

KERAS_WEIGHTS = ("kernel", "recurrent_kernel", "bias")
"""In the order of a Keras layer's ``get_weights()``."""

ONNX_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
"""In the order of the operator's inputs."""

# By whether gates are coupled. Then, with input_forget, ONNX Runtime takes f = 1 - i. As
# 1 - σ(z) = σ(-z), its weights of i are those of our f, negated; it does not read its own of f.
_ONNX_GATES = {False: "iofg", True: "fo_g"}
_ONNX_PEEPHOLES = {False: "iof", True: "fo_"}


class Parameter(NamedTuple):
    """One parameter in torch's layout."""

    torch: str  # name in a state dict, without the layer
    argument: str  # name in `lstmfast.functional`
    core: str
    transposed: bool


PARAMETERS = (
    Parameter("weight_ih", "w_ih", "kernel", True),
    Parameter("weight_hh", "w_hh", "recurrent_kernel", True),
    Parameter("bias_ih", "b_ih", "bias", False),
    Parameter("bias_hh", "b_hh", "bias", False),
    Parameter("weight_hr", "w_hr", "projection_kernel", True),
    Parameter("weight_peephole", "w_peephole", "peephole", False),
    Parameter("norm_z_weight", "norm_z_weight", "norm_z_weight", False),
    Parameter("norm_z_bias", "norm_z_bias", "norm_z_bias", False),
    Parameter("norm_c_weight", "norm_c_weight", "norm_c_weight", False),
    Parameter("norm_c_bias", "norm_c_bias", "norm_c_bias", False),
)
"""In torch's order. The core's one bias is the sum of torch's two."""


def gates(coupled: bool = False) -> str:
    """Return the gates in the order in which the core, torch and Keras have them."""
    return "fgo" if coupled else "ifgo"


def peepholes(coupled: bool = False) -> str:
    """Return the gates that have peepholes, in the core's order."""
    return "fo" if coupled else "ifo"


def gate_part(gate: str, units: int, coupled: bool = False) -> slice:
    """Return where a gate stands among G·H columns."""
    start = gates(coupled).index(gate) * units
    return slice(start, start + units)


def permute(value: Array, order: str, wanted: str, axis: int = -1) -> Array:
    """Return a copy with the gates along an axis in another order.

    Parameters
    ----------
    value : numpy.ndarray
        Blocks of equal length along the axis, one for each letter of `order`.
    order, wanted : str
        Gates by their letters. A letter of `wanted` that `order` lacks stands for zeros.
    axis : int
        The axis.
    """
    blocks = dict(zip(order, np.split(value, len(order), axis), strict=True))
    zeros = np.zeros_like(blocks[order[0]])
    return np.concatenate([blocks.get(gate, zeros) for gate in wanted], axis)


def suffixes(num_layers: int, bidirectional: bool) -> tuple[str, ...]:
    """Return how torch marks layers and directions, in the core's order: "l0", "l0_reverse", ..."""
    directions = ("", "_reverse") if bidirectional else ("",)
    return tuple(f"l{layer}{direction}" for layer in range(num_layers) for direction in directions)


def torch_shapes(core_shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return torch's names and shapes, in torch's order, for a layer's parameters."""
    return {
        each.torch: core_shapes[each.core][:: -1 if each.transposed else 1]
        for each in PARAMETERS
        if each.core in core_shapes
    }


def to_torch(core: Mapping[str, Array], *, gradients: bool = False) -> dict[str, Array]:
    """Return a layer's arrays under torch's names and in its layouts, as copies.

    Of weights, bias_hh is 0. Of gradients, it equals bias_ih, since the two act as their sum.
    """
    named = {
        each.torch: np.array(core[each.core].T if each.transposed else core[each.core], order="C")
        for each in PARAMETERS
        if each.core in core
    }
    if "bias_hh" in named and not gradients:
        named["bias_hh"][:] = 0.0
    return named


def from_torch(named: Mapping[str, Array], *, gradients: bool = False) -> dict[str, Array]:
    """Return a layer's arrays under the core's names and in its layouts.

    Of weights, the bias is the sum of torch's two. Of gradients, it is bias_ih; bias_hh equals it.
    """
    core: dict[str, Array] = {}
    for each in PARAMETERS:
        if each.torch not in named:
            continue
        array = named[each.torch]
        if each.transposed:
            core[each.core] = np.ascontiguousarray(array.T)
        elif each.core not in core:
            core[each.core] = array
        elif not gradients:
            core[each.core] = core[each.core] + array
    return core


def to_onnx(core: Mapping[str, Array], *, coupled: bool = False) -> dict[str, Array]:
    """Return W (4H, I), R (4H, H), B (8H) and, where there are peepholes, P (3H) of a direction.

    The second half of B is 0. With `coupled` they are for a node with ``input_forget=1``.
    """
    ours, theirs = gates(coupled), _ONNX_GATES[coupled]
    bias = _exchange(core["bias"], ours, theirs, coupled)
    named = {
        "W": _exchange(core["kernel"].T, ours, theirs, coupled, axis=0),
        "R": _exchange(core["recurrent_kernel"].T, ours, theirs, coupled, axis=0),
        "B": np.concatenate([bias, np.zeros_like(bias)]),
    }
    if "peephole" in core:
        ours, theirs = peepholes(coupled), _ONNX_PEEPHOLES[coupled]
        named["P"] = _exchange(core["peephole"].ravel(), ours, theirs, coupled)
    return named


def from_onnx(named: Mapping[str, Array], *, coupled: bool = False) -> dict[str, Array]:
    """Return the core's parameters for the arrays of `to_onnx`; the halves of B are added."""
    ours, theirs = gates(coupled), _ONNX_GATES[coupled]
    of_x, of_h = np.split(named["B"], 2)
    core = {
        "kernel": _exchange(named["W"].T, theirs, ours, coupled),
        "recurrent_kernel": _exchange(named["R"].T, theirs, ours, coupled),
        "bias": _exchange(of_x + of_h, theirs, ours, coupled),
    }
    if "P" in named:
        ours, theirs = peepholes(coupled), _ONNX_PEEPHOLES[coupled]
        core["peephole"] = _exchange(named["P"], theirs, ours, coupled).reshape(len(ours), -1)
    return core


def _exchange(value: Array, order: str, wanted: str, coupled: bool, axis: int = -1) -> Array:
    moved = np.ascontiguousarray(permute(value, order, wanted, axis))
    if coupled:
        forget = np.split(moved, len(wanted), axis)[wanted.index("f")]
        np.negative(forget, out=forget)
    return moved

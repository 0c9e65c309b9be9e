"""`lstmfast._layouts`: what each format's numbers are in another, and what the formats compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
from golden_cases import golden_names, read, read_keras, read_torch
from lstmfast import _layouts
from runs import assert_same_bits

Array = npt.NDArray[Any]
Arrays = dict[str, Array]

H = 2
GATES = {"i": 10.0, "f": 20.0, "g": 30.0, "o": 40.0}


def columns(gates: str, rows: int) -> Array:
    """(rows, G·H): the tens name the gate, the ones count a gate's columns, the tenths the rows."""
    one = np.concatenate([GATES[gate] + np.arange(H) for gate in gates])
    return one + 0.1 * np.arange(rows)[:, None]


def core_parameters(coupled: bool) -> Arrays:
    gates, rows = ("fgo", "fo") if coupled else ("ifgo", "ifo")
    return {
        "kernel": columns(gates, 3),
        "recurrent_kernel": columns(gates, H),
        "bias": columns(gates, 1)[0],
        "peephole": columns(rows, 1)[0].reshape(len(rows), H),
    }


def test_permute() -> None:
    value = np.arange(8.0).reshape(2, 4)
    moved = _layouts.permute(value, "ab", "bxa")
    np.testing.assert_array_equal(moved, [[2, 3, 0, 0, 0, 1], [6, 7, 0, 0, 4, 5]])
    np.testing.assert_array_equal(_layouts.permute(value, "ab", "ba", 0), value[::-1])
    back = _layouts.permute(moved, "bxa", "ab")
    np.testing.assert_array_equal(back, value)
    assert not np.shares_memory(_layouts.permute(value, "ab", "ab"), value)
    with pytest.raises(ValueError, match="equal division"):
        _layouts.permute(value, "abc", "abc")


def test_gate_orders() -> None:
    assert (_layouts.gates(), _layouts.peepholes()) == ("ifgo", "ifo")
    assert (_layouts.gates(coupled=True), _layouts.peepholes(coupled=True)) == ("fgo", "fo")
    assert _layouts.gate_part("f", 5) == slice(5, 10)
    assert _layouts.gate_part("f", 5, coupled=True) == slice(0, 5)
    assert _layouts.gate_part("o", 5) == slice(15, 20)
    for coupled in (False, True):
        options = lf.reference.CellOptions(coupled=coupled, peephole=True)
        assert _layouts.gates(coupled) == options.gates
        shape = lf.reference.parameter_shapes(3, 5, options)["peephole"]
        assert shape == (len(_layouts.peepholes(coupled)), 5)


def test_suffixes() -> None:
    assert _layouts.suffixes(2, bidirectional=False) == ("l0", "l1")
    assert _layouts.suffixes(2, bidirectional=True) == ("l0", "l0_reverse", "l1", "l1_reverse")


def test_torch_keeps_the_order_and_transposes() -> None:
    core = core_parameters(coupled=False)
    named = _layouts.to_torch(core)
    assert list(named) == ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_peephole"]
    np.testing.assert_array_equal(named["weight_ih"], core["kernel"].T)
    np.testing.assert_array_equal(named["weight_hh"][:, 1], core["recurrent_kernel"][1])
    np.testing.assert_array_equal(named["bias_ih"], core["bias"])
    assert not named["bias_hh"].any()
    shapes = _layouts.torch_shapes({name: value.shape for name, value in core.items()})
    assert shapes == {name: value.shape for name, value in named.items()}
    assert list(shapes) == list(named)
    assert_same_bits(_layouts.from_torch(named), core)


def test_torchs_biases_add_up_and_have_one_gradient() -> None:
    core = core_parameters(coupled=False)
    gradients = _layouts.to_torch(core, gradients=True)
    np.testing.assert_array_equal(gradients["bias_hh"], core["bias"])
    assert_same_bits(_layouts.from_torch(gradients, gradients=True), core)
    np.testing.assert_array_equal(_layouts.from_torch(gradients)["bias"], 2.0 * core["bias"])


def test_onnx_has_the_order_iofc() -> None:
    core = core_parameters(coupled=False)
    named = _layouts.to_onnx(core)
    np.testing.assert_array_equal(named["W"].T, columns("iofg", 3))
    np.testing.assert_array_equal(named["R"].T, columns("iofg", H))
    np.testing.assert_array_equal(named["B"][: 4 * H], [10, 11, 40, 41, 20, 21, 30, 31])
    assert not named["B"][4 * H :].any()
    np.testing.assert_array_equal(named["P"], [10, 11, 40, 41, 20, 21])
    assert_same_bits(_layouts.from_onnx(named), core)
    named["B"][4 * H :] = 1.0
    np.testing.assert_array_equal(_layouts.from_onnx(named)["bias"], core["bias"] + 1.0)


def test_onnx_ties_gates_the_other_way() -> None:
    """With input_forget the place of i has our f, negated; what stands in that of f is not read."""
    core = core_parameters(coupled=True)
    named = _layouts.to_onnx(core, coupled=True)
    np.testing.assert_array_equal(named["B"][: 4 * H], [-20, -21, 40, 41, 0, 0, 30, 31])
    np.testing.assert_array_equal(named["P"], [-20, -21, 40, 41, 0, 0])
    np.testing.assert_array_equal(named["W"][:H], -core["kernel"][:, :H].T)
    named["W"][2 * H : 3 * H] = 99.0
    assert_same_bits(_layouts.from_onnx(named, coupled=True), core)


@pytest.mark.parametrize("name", golden_names("torch"))
def test_torchs_arrays_are_an_lstms_state_dict(name: str) -> None:
    """Names, order and shapes are those of the files that torch wrote."""
    golden = read_torch(name)
    of_core = [{k: v.shape for k, v in layer.items()} for layer in golden.layers]
    settings = golden.settings
    ends = _layouts.suffixes(settings.get("num_layers", 1), settings.get("bidirectional", False))
    expected = {
        f"{kind}_{end}": shape
        for end, shapes in zip(ends, of_core, strict=True)
        for kind, shape in _layouts.torch_shapes(shapes).items()
    }
    found = {name: value.shape for name, value in golden.state_dict.items()}
    assert found == expected
    assert golden.grads.keys() == expected.keys()
    for end, layer in zip(ends, golden.layer_grads, strict=True):
        mine = _layouts.to_torch(layer, gradients=True)
        del mine["bias_hh"]  # torch adds up its gradient in another order
        assert_same_bits(golden.grads, {f"{k}_{end}": v for k, v in mine.items()})


@pytest.mark.parametrize("name", golden_names("keras"))
def test_kerass_arrays_have_the_cores_names_and_layouts(name: str) -> None:
    golden = read_keras(name)
    inputs = golden.x.shape[-1]
    for (kind, options), start in zip(golden.layers, golden.start, strict=True):
        units = options["units"]
        if kind == "LSTM":
            shapes = lf.reference.parameter_shapes(inputs, units)
            assert list(start) == [each for each in _layouts.KERAS_WEIGHTS if each in start]
            assert {k: v.shape for k, v in start.items()} == {k: shapes[k] for k in start}
            if "bias" in start:  # of Keras's unit_forget_bias
                forget = np.zeros(4 * units, start["bias"].dtype)
                forget[_layouts.gate_part("f", units)] = 1.0
                np.testing.assert_array_equal(start["bias"], forget)
        inputs = units


@pytest.mark.parametrize("name", golden_names("onnx"))
def test_onnxs_arrays_there_and_back(name: str) -> None:
    meta, arrays = read(name)
    coupled = bool(meta["attributes"].get("input_forget"))
    node = {each: arrays[each][0] for each in "WRBP"}
    core = _layouts.from_onnx(node, coupled=coupled)
    back = _layouts.to_onnx(core, coupled=coupled)
    units = node["R"].shape[1]
    node["B"] = np.concatenate([sum(np.split(node["B"], 2)), np.zeros(4 * units, np.float32)])
    if coupled:  # the weights of f, which are not read
        forget = slice(2 * units, 3 * units)
        for each in node.values():
            each[forget] = 0.0
    assert_same_bits(back, node)

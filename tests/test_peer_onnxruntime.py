"""`lf.LSTM` against a live ONNX Runtime: the forward in float32, with the options of its LSTM."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import runs
from cases import CASES, Case, Problem, make_problem
from tolerances import assert_close, tolerance

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

Array = npt.NDArray[Any]

pytestmark = pytest.mark.peer

OPSET, IR_VERSION = 14, 8

# what ONNX calls them, with the numbers that make them ours
ACTIVATIONS: dict[str, tuple[str, float | None, float | None]] = {
    "tanh": ("Tanh", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "relu": ("Relu", None, None),
    "hard_sigmoid": ("HardSigmoid", 1.0 / 6.0, 0.5),
    "hard_sigmoid:0.3:0.4": ("HardSigmoid", 0.3, 0.4),
    "softsign": ("Softsign", None, None),
    "leaky_relu": ("LeakyRelu", 0.2, None),
    "leaky_relu:0.05": ("LeakyRelu", 0.05, None),
    "elu": ("Elu", 1.0, None),
    "elu:0.6": ("Elu", 0.6, None),
    "softplus": ("Softplus", None, None),
    "thresholded_relu:0.1": ("ThresholdedRelu", 0.1, None),
    "affine:0.4:0.3": ("Affine", 0.4, 0.3),
    "scaled_tanh:0.9:0.7": ("ScaledTanh", 0.9, 0.7),
}

_SIZES: dict[str, Any] = {"T": 7, "B": 6, "I": 5, "H": 33, "state": True}
EXTRA = (
    Case(**_SIZES, peephole=True),
    Case(**_SIZES, peephole=True, lengths=True),
    Case(**_SIZES, coupled=True),
    Case(**_SIZES, coupled=True, peephole=True, lengths=True),
    Case(**_SIZES, activation="relu", recurrent_activation="hard_sigmoid", peephole=True),
    Case(**_SIZES, activation="softsign", recurrent_activation="hard_sigmoid"),
    Case(**_SIZES, activation="leaky_relu", lengths=True),
    Case(**_SIZES, activation="elu", peephole=True),
    Case(**_SIZES, activation="softplus"),
    Case(**_SIZES, activation="tanh", recurrent_activation="softsign"),
    Case(**_SIZES, recurrent_activation="hard_sigmoid:0.3:0.4", output_activation="elu:0.6"),
    Case(**_SIZES, activation="leaky_relu:0.05", output_activation="thresholded_relu:0.1"),
    Case(**_SIZES, recurrent_activation="affine:0.4:0.3", activation="scaled_tanh:0.9:0.7"),
)


def applicable(case: Case) -> bool:
    """One layer, no resets, no norm; a coupled gate as i = 1 - f, which needs σ(-z) = 1 - σ(z)."""
    return (
        case.layers == 1
        and not case.resets
        and not case.layer_norm
        and not (case.coupled and case.recurrent_activation != "sigmoid")
        and {case.activation, case.recurrent_activation} <= ACTIVATIONS.keys()
        and (case.output_activation or case.activation) in ACTIVATIONS
    )


CHOSEN = [case for case in CASES if applicable(case) and case.dtype == "float32"] + list(EXTRA)


def onnx_rows(value: Array, case: Case, order: str) -> Array:
    """Gates on the first axis, from ours to ONNX's order; (…, H) blocks.

    With input_forget ONNX Runtime has f = 1 - i, and i is σ of minus our z_f. Rows of the f that
    is not read stay 0.
    """
    blocks = np.split(value, len(value) // case.H)
    named = dict(zip("fgo" if case.coupled else "ifgo", blocks, strict=False))
    if case.coupled:
        named["i"], named["f"] = -named["f"], np.zeros_like(named["f"])
    return np.concatenate([named[gate] for gate in order])


def peepholes(params: Any, case: Case) -> Array:
    """(3·H) in the order i, o, f."""
    rows = params["peephole"]
    if case.coupled:
        p_f, p_o = rows
        return np.concatenate([-p_f, p_o, np.zeros_like(p_f)])
    p_i, p_f, p_o = rows
    return np.concatenate([p_i, p_o, p_f])


def onnx_inputs(case: Case, problem: Problem) -> runs.Arrays:
    (params,) = problem.params
    bias = onnx_rows(params["bias"], case, "iofg")
    zeros = np.zeros((1, case.B, case.H), np.float32)
    inputs = {
        "X": np.ascontiguousarray(problem.x.swapaxes(0, 1)),
        "W": onnx_rows(params["kernel"].T, case, "iofg")[None],
        "R": onnx_rows(params["recurrent_kernel"].T, case, "iofg")[None],
        "B": np.concatenate([0.75 * bias, bias - 0.75 * bias])[None],
        "sequence_lens": np.full(case.B, case.T, np.int32),
        "initial_h": zeros if problem.h0 is None else problem.h0,
        "initial_c": zeros if problem.c0 is None else problem.c0,
    }
    if problem.lengths is not None:
        inputs["sequence_lens"] = problem.lengths.astype(np.int32)
    if case.peephole:
        inputs["P"] = peepholes(params, case)[None]
    return inputs


def run_onnx(case: Case, problem: Problem) -> runs.Arrays:
    inputs = onnx_inputs(case, problem)
    names = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
    output = case.output_activation or case.activation
    names_used = (case.recurrent_activation, case.activation, output)
    used = [ACTIVATIONS[name] for name in names_used]
    attributes: dict[str, Any] = {
        "hidden_size": case.H,
        "activations": [name for name, *_ in used],
        "input_forget": int(case.coupled),
    }
    # one number for each function that takes one, in their order
    for key, numbers in zip(("alpha", "beta"), list(zip(*used, strict=True))[1:], strict=True):
        if any(number is not None for number in numbers):
            attributes[f"activation_{key}"] = [n for n in numbers if n is not None]
    helper = onnx.helper
    kinds = {"float32": onnx.TensorProto.FLOAT, "int32": onnx.TensorProto.INT32}
    node = helper.make_node(
        "LSTM", [n if n in inputs else "" for n in names], ["Y", "Y_h", "Y_c"], **attributes
    )
    graph = helper.make_graph(
        [node],
        "lstm",
        [
            helper.make_tensor_value_info(name, kinds[value.dtype.name], value.shape)
            for name, value in inputs.items()
        ],
        [helper.make_tensor_value_info(n, kinds["float32"], None) for n in ("Y", "Y_h", "Y_c")],
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    y, h, c = session.run(None, inputs)
    return {"y": y[:, 0].swapaxes(0, 1), "h_n": h, "c_n": c}


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    problem = make_problem(case)
    actual = runs.forward(runs.make_rnn(case, problem), problem)
    bounds = tolerance(case, "float32")
    # both are as far as this from the exact answer
    assert_close(actual, run_onnx(case, problem), {name: 2.0 * bounds[name] for name in actual})


def test_chosen_cases() -> None:
    for option in ("peephole", "coupled", "lengths", "state"):
        assert any(getattr(case, option) for case in CHOSEN)
    assert lf.isa()

"""`lf.LSTM` against a live ONNX Runtime: the forward in float32, with the options of its LSTM."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import runs
from cases import CASES, Case, Problem, make_problem
from lstmfast._layouts import ONNX_INPUTS, to_onnx
from option_cases import OPTION_CASES
from tolerances import assert_close, tolerance

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

Array = npt.NDArray[Any]

pytestmark = pytest.mark.peer

OPSET, IR_VERSION = 14, 8

# what ONNX calls them, with the numbers that make them Keras's functions
ACTIVATIONS: dict[str, tuple[str, tuple[float, ...]]] = {
    "tanh": ("Tanh", ()),
    "sigmoid": ("Sigmoid", ()),
    "relu": ("Relu", ()),
    "hard_sigmoid": ("HardSigmoid", (1.0 / 6.0, 0.5)),
    "softsign": ("Softsign", ()),
    "leaky_relu": ("LeakyRelu", (0.2,)),
    "elu": ("Elu", (1.0,)),
    "softplus": ("Softplus", ()),
    "affine": ("Affine", (1.0, 0.0)),
    "scaled_tanh": ("ScaledTanh", (1.0, 1.0)),
    "thresholded_relu": ("ThresholdedRelu", (1.0,)),
}
ONNXS = {"peephole", "coupled", "preact_clip", "bidirectional"}
FUNCTIONS = {"activation", "recurrent_activation", "output_activation"}


def onnx_function(text: str) -> tuple[str, tuple[float, ...]]:
    """Its name there, and its numbers."""
    name, *numbers = text.split(":")
    kind, defaults = ACTIVATIONS[name]
    return kind, tuple(map(float, numbers)) + defaults[len(numbers) :]


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
    Case(**_SIZES, recurrent_activation="affine:0.4:0.3", activation="scaled_tanh:0.9:0.7"),
    Case(**_SIZES, activation="scaled_tanh:1.2:0.7", output_activation="affine:0.5:0.1"),
    Case(**_SIZES, activation="thresholded_relu:0.1", peephole=True),
    Case(**_SIZES, activation="leaky_relu:0.05", output_activation="softsign", lengths=True),
    Case(**_SIZES, preact_clip=0.4),
    Case(**_SIZES, preact_clip=0.5, lengths=True),
    Case(**_SIZES, bidirectional=True),
    Case(**_SIZES, bidirectional=True, peephole=True, lengths=True),
    Case(**_SIZES, bidirectional=True, coupled=True, preact_clip=0.6, lengths=True),
    Case(**_SIZES, bidirectional=True, activation="elu:0.3", output_activation="relu"),
)


def functions(case: Case) -> tuple[str, str, str]:
    """Of the gates, of the candidate, of c."""
    return (
        case.recurrent_activation,
        case.activation,
        case.output_activation or case.activation,
    )


def applicable(case: Case) -> bool:
    """One layer, no resets, no norm; a coupled gate as i = 1 - f, which needs σ(-z) = 1 - σ(z)."""
    return (
        case.layers == 1
        and not case.resets
        and case.keywords.keys() <= ONNXS | FUNCTIONS
        and not (case.coupled and case.recurrent_activation != "sigmoid")
        and all(text.split(":")[0] in ACTIVATIONS for text in functions(case))
    )


CHOSEN = [
    case for case in CASES + OPTION_CASES if applicable(case) and case.dtype == "float32"
] + list(EXTRA)


def onnx_inputs(case: Case, problem: Problem) -> runs.Arrays:
    of_directions = [to_onnx(params, coupled=case.coupled) for params in problem.params]
    weights = {name: np.stack([each[name] for each in of_directions]) for name in of_directions[0]}
    # both biases are used, and their sum is the problem's, exactly
    bias = weights["B"][:, : 4 * case.H]
    weights["B"] = np.concatenate([0.75 * bias, bias - 0.75 * bias], axis=1)
    zeros = np.zeros((case.directions, case.B, case.H), np.float32)
    inputs = {
        "X": np.ascontiguousarray(problem.x.swapaxes(0, 1)),
        **weights,
        "sequence_lens": np.full(case.B, case.T, np.int32),
        "initial_h": zeros if problem.h0 is None else problem.h0,
        "initial_c": zeros if problem.c0 is None else problem.c0,
    }
    if problem.lengths is not None:
        inputs["sequence_lens"] = problem.lengths.astype(np.int32)
    return inputs


def run_onnx(case: Case, problem: Problem, direction: str | None = None) -> runs.Arrays:
    inputs = onnx_inputs(case, problem)
    if direction == "reverse":  # the second direction alone
        directed = ("W", "R", "B", "P", "initial_h", "initial_c")
        inputs |= {name: inputs[name][1:] for name in directed if name in inputs}
    direction = direction or ("bidirectional" if case.bidirectional else "forward")
    used = [onnx_function(text) for text in functions(case)] * (
        2 if direction == "bidirectional" else 1
    )
    attributes: dict[str, Any] = {
        "hidden_size": case.H,
        "activations": [name for name, *_ in used],
        "input_forget": int(case.coupled),
        "direction": direction,
    }
    if case.preact_clip is not None:
        attributes["clip"] = case.preact_clip
    # one number for each function that takes one, in their order
    for i, name in enumerate(("activation_alpha", "activation_beta")):
        numbers = [given[i] for _, given in used if len(given) > i]
        if numbers:
            attributes[name] = numbers
    helper = onnx.helper
    kinds = {"float32": onnx.TensorProto.FLOAT, "int32": onnx.TensorProto.INT32}
    node = helper.make_node(
        "LSTM", [n if n in inputs else "" for n in ONNX_INPUTS], ["Y", "Y_h", "Y_c"], **attributes
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
    return {"y": np.concatenate(list(y.transpose(1, 2, 0, 3)), -1), "h_n": h, "c_n": c}


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    problem = make_problem(case)
    actual = runs.forward(runs.make_rnn(case, problem), problem)
    bounds = tolerance(case, "float32")
    # both are as far as this from the exact answer
    assert_close(actual, run_onnx(case, problem), {name: 2.0 * bounds[name] for name in actual})


def test_reverse_is_the_second_direction() -> None:
    case = Case(**_SIZES, bidirectional=True, peephole=True, lengths=True)
    problem = make_problem(case)
    both = runs.forward(runs.make_rnn(case, problem), problem)
    second = {"y": both["y"][..., case.H :], "h_n": both["h_n"][1:], "c_n": both["c_n"][1:]}
    bounds = {name: 2.0 * tolerance(case, "float32")[name] for name in second}
    assert_close(second, run_onnx(case, problem, "reverse"), bounds)


def test_chosen_cases() -> None:
    for option in (*ONNXS, "lengths", "state"):
        assert any(getattr(case, option) for case in CHOSEN)
    assert lf.isa()

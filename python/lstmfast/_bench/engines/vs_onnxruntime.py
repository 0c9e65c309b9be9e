"""ONNX Runtime's LSTM: inference alone; the model is made in memory with the package onnx."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Engine, Runner, Stepper
from lstmfast._bench.problems import Array, Problem
from lstmfast._layouts import ONNX_INPUTS, to_onnx

OPSET, IR_VERSION = 14, 8
_ACTIVATIONS = {
    "tanh": ("Tanh", None),
    "sigmoid": ("Sigmoid", None),
    "relu": ("Relu", None),
    "softsign": ("Softsign", None),
    "hard_sigmoid": ("HardSigmoid", 1.0 / 6.0),
}


def onnx_model(problem: Problem, steps: int | None = None) -> bytes:
    """Return the problem as a model: X and, given `steps`, states in; Y, Y_h and Y_c out."""
    onnx = importlib.import_module("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    shape, cell = problem.shape, problem.option.cell(problem.shape)
    D = len(problem.params)

    of_directions = [to_onnx(params, coupled=cell.coupled) for params in problem.params]
    held: dict[str, Array] = {
        name: np.ascontiguousarray(np.stack([named[name] for named in of_directions]), np.float32)
        for name in of_directions[0]
    }
    if problem.lengths is not None:
        held["sequence_lens"] = problem.lengths.astype(np.int32)
    inputs = {"X": (steps or shape.T, shape.B, shape.I)}
    if steps is not None:
        inputs |= dict.fromkeys(("initial_h", "initial_c"), (D, shape.B, shape.H))
    used = [_ACTIVATIONS[str(cell.recurrent_activation)]]
    used += 2 * [_ACTIVATIONS[str(cell.activation)]]
    attributes: dict[str, Any] = {
        "hidden_size": shape.H,
        "activations": [name for name, _ in used] * D,
        "input_forget": int(cell.coupled),
        "direction": "bidirectional" if D == 2 else "forward",
    }
    alphas = [alpha for _, alpha in used if alpha is not None]
    if alphas:
        attributes["activation_alpha"] = alphas * D
    known = {*held, *inputs}
    node = helper.make_node(
        "LSTM", [n if n in known else "" for n in ONNX_INPUTS], ["Y", "Y_h", "Y_c"], **attributes
    )
    graph = helper.make_graph(
        [node],
        "lstm",
        [helper.make_tensor_value_info(name, floats, size) for name, size in inputs.items()],
        [helper.make_tensor_value_info(name, floats, None) for name in ("Y", "Y_h", "Y_c")],
        [onnx.numpy_helper.from_array(value, name) for name, value in held.items()],
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    return bytes(model.SerializeToString())


def batch_first(y: Array) -> Array:
    """Return ONNX's Y (T, D, B, H) as (B, T, D·H)."""
    T, D, B, H = y.shape
    return np.ascontiguousarray(y.transpose(2, 0, 1, 3)).reshape(B, T, D * H)


def _session(model: bytes, threads: int) -> Any:
    onnxruntime = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class OnnxRunner(Runner):
    """A session on one problem; x has the steps first."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.session = _session(onnx_model(problem), threads)
        self.inputs = {"X": np.ascontiguousarray(problem.x.swapaxes(0, 1))}

    def forward(self) -> Any:
        """Run inference."""
        return self.session.run(None, self.inputs)

    def output(self) -> Array:
        """Return y."""
        return batch_first(self.forward()[0])


class OnnxStepper(Stepper):
    """A session of one step."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.session = _session(onnx_model(problem, steps=1), threads)
        self.steps = [np.ascontiguousarray(x[None]) for x in problem.x.swapaxes(0, 1)]
        self.zero = np.zeros((1, problem.shape.B, problem.shape.H), np.float32)
        self.reset()

    def reset(self) -> None:
        """Start from zero."""
        self.h = self.c = self.zero

    def step(self, t: int) -> Array:
        """Go on by one step."""
        y, self.h, self.c = self.session.run(
            None, {"X": self.steps[t], "initial_h": self.h, "initial_c": self.c}
        )
        return np.asarray(y)

    def numpy(self, y: object) -> Array:
        """Return y without steps and directions."""
        first: Array = np.asarray(y)[0, 0]
        return first


class OnnxruntimeEngine(Engine):
    """ONNX Runtime."""

    name = "onnxruntime"
    module = "onnxruntime"
    options = frozenset(
        {
            "peephole",
            "coupled",
            "relu",
            "softsign",
            "hard_sigmoid",
            "lengths_full",
            "lengths_half",
            "bidirectional",
        }
    )

    def version(self) -> str:
        """Return the version."""
        importlib.import_module("onnx")
        return str(importlib.import_module("onnxruntime").__version__)

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        return OnnxRunner(problem, threads)

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        return OnnxStepper(problem, threads)

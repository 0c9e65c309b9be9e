"""ONNX Runtime and OpenVINO: inference alone, of one model made in memory with the package onnx."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Engine, Runner, Step, version_of, with_state
from lstmfast._bench.problems import Array, Problem
from lstmfast._layouts import ONNX_INPUTS, to_onnx

Infer = Callable[[dict[str, Array]], Sequence[Array]]  # Y, Y_h and Y_c for named inputs
Compile = Callable[[bytes, int], Infer]  # for a model and a number of threads

OPSET, IR_VERSION = 14, 8


def onnx_model(problem: Problem, steps: int | None = None) -> bytes:
    """Return the problem as a model: X and, given `steps`, states in; Y, Y_h and Y_c out."""
    onnx = importlib.import_module("onnx")
    shape, cell = problem.shape, problem.option.cell(problem.shape)
    D = len(problem.params)

    of_directions = [to_onnx(params, coupled=cell.coupled) for params in problem.params]
    held: dict[str, Array] = {
        name: np.ascontiguousarray(np.stack([named[name] for named in of_directions]), np.float32)
        for name in of_directions[0]
    }
    if problem.lengths is not None:
        held["sequence_lens"] = problem.lengths.astype(np.int32)
    T = steps or shape.T
    y, state = f"float[{T}, {D}, {shape.B}, {shape.H}]", f"float[{D}, {shape.B}, {shape.H}]"
    kinds = {"X": f"float[{T}, {shape.B}, {shape.I}]"}
    if steps is not None:
        kinds |= dict.fromkeys(("initial_h", "initial_c"), state)
    used = [str(name) for name in (cell.recurrent_activation, cell.activation, cell.activation)]
    attributes: dict[str, Any] = {
        "hidden_size": shape.H,
        "activations": [name.title().replace("_", "") for name in used] * D,
        "input_forget": int(cell.coupled),
        "direction": "bidirectional" if D == 2 else "forward",
    }
    if "hard_sigmoid" in used:
        attributes["activation_alpha"] = [1.0 / 6.0] * used.count("hard_sigmoid") * D
    inputs = ", ".join(f"{kind} {name}" for name, kind in kinds.items())
    values = ", ".join(f"{name} = {json.dumps(value)}" for name, value in attributes.items())
    names = ", ".join(name if name in {*held, *kinds} else "" for name in ONNX_INPUTS)
    model = onnx.parser.parse_model(f"""
        <ir_version: {IR_VERSION}, opset_import: ["": {OPSET}]>
        lstm ({inputs}) => ({y} Y, {state} Y_h, {state} Y_c) {{
            Y, Y_h, Y_c = LSTM <{values}> ({names})
        }}""")
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(value, name) for name, value in held.items()
    )
    return bytes(model.SerializeToString())


def y_of_onnx(found: Array) -> Array:
    """Return y from ONNX's Y (T, D, B, H)."""
    y = np.array(found)
    T, D, B, H = y.shape
    return y.transpose(2, 0, 1, 3).reshape(B, T, D * H)


class OnnxRunner(Runner):
    """The model of one problem, compiled; x has the steps first."""

    def __init__(self, compiled: Compile, problem: Problem, threads: int) -> None:
        self.infer = compiled(onnx_model(problem), threads)
        self.inputs = {"X": np.ascontiguousarray(problem.x.swapaxes(0, 1))}

    def forward(self) -> Any:
        """Run inference."""
        return self.infer(self.inputs)

    def output(self) -> Array:
        """Return y."""
        return y_of_onnx(self.forward()[0])


def onnx_stepper(compiled: Compile, problem: Problem, threads: int) -> list[Step]:
    """Return a call of the model of one step."""
    infer = compiled(onnx_model(problem, steps=1), threads)
    zero = np.zeros((1, problem.shape.B, problem.shape.H), np.float32)

    def advance(x: Array, state: Any) -> tuple[Array, Any]:
        y, h, c = infer({"X": x, "initial_h": state[0], "initial_c": state[1]})
        return y, (h, c)

    return with_state(advance, [x[None] for x in problem.steps()], (zero, zero))


def _by_onnxruntime(model: bytes, threads: int) -> Infer:
    onnxruntime = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return partial(session.run, None)


def _by_openvino(model: bytes, threads: int) -> Infer:
    openvino = importlib.import_module("openvino")
    config = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # otherwise it uses bfloat16 where the CPU has it
    }
    core = openvino.Core()
    request = core.compile_model(core.read_model(model=model), "CPU", config).create_infer_request()

    def infer(inputs: Any) -> Any:
        return request.infer(inputs).to_tuple()

    return infer


ONNXRUNTIME = Engine(
    "onnxruntime",
    "onnxruntime",
    partial(version_of, "onnxruntime", "onnx"),
    partial(OnnxRunner, _by_onnxruntime),
    partial(onnx_stepper, _by_onnxruntime),
    options=frozenset(
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
    ),
)
OPENVINO = Engine(
    "openvino",
    "openvino",
    partial(version_of, "openvino", "onnx"),
    partial(OnnxRunner, _by_openvino),
    partial(onnx_stepper, _by_openvino),
)

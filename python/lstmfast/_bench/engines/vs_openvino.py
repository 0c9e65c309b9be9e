"""OpenVINO's LSTM: inference alone; it reads the model made for ONNX Runtime."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Engine, Runner, Stepper
from lstmfast._bench.engines.vs_onnxruntime import batch_first, onnx_model
from lstmfast._bench.problems import Array, Problem


def _compiled(model: bytes, threads: int) -> Any:
    openvino = importlib.import_module("openvino")
    config = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # otherwise it uses bfloat16 where the CPU has it
    }
    core = openvino.Core()
    request = core.compile_model(core.read_model(model=model), "CPU", config)
    return request.create_infer_request()


class OpenvinoRunner(Runner):
    """A request on one problem; x has the steps first."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.request = _compiled(onnx_model(problem), threads)
        self.inputs = {"X": np.ascontiguousarray(problem.x.swapaxes(0, 1))}

    def forward(self) -> Any:
        """Run inference."""
        return self.request.infer(self.inputs)

    def output(self) -> Array:
        """Return y."""
        return batch_first(np.array(self.forward()["Y"]))


class OpenvinoStepper(Stepper):
    """A request of one step."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.request = _compiled(onnx_model(problem, steps=1), threads)
        self.steps = [np.ascontiguousarray(x[None]) for x in problem.x.swapaxes(0, 1)]
        self.zero = np.zeros((1, problem.shape.B, problem.shape.H), np.float32)
        self.reset()

    def reset(self) -> None:
        """Start from zero."""
        self.h = self.c = self.zero

    def step(self, t: int) -> Any:
        """Go on by one step."""
        found = self.request.infer({"X": self.steps[t], "initial_h": self.h, "initial_c": self.c})
        self.h, self.c = found["Y_h"], found["Y_c"]
        return found["Y"]

    def numpy(self, y: object) -> Array:
        """Return y without steps and directions."""
        first: Array = np.array(y)[0, 0]
        return first


class OpenvinoEngine(Engine):
    """OpenVINO."""

    name = "openvino"
    module = "openvino"

    def version(self) -> str:
        """Return the version."""
        importlib.import_module("onnx")
        return str(importlib.import_module("openvino").__version__)

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        return OpenvinoRunner(problem, threads)

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        return OpenvinoStepper(problem, threads)

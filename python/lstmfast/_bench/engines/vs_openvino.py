"""OpenVINO's LSTM: inference alone; it reads the model made for ONNX Runtime."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

from lstmfast._bench.engines.base import Engine, version_of
from lstmfast._bench.engines.vs_onnxruntime import Infer, OnnxRunner, onnx_stepper


def _compiled(model: bytes, threads: int) -> Infer:
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


OPENVINO = Engine(
    "openvino",
    "openvino",
    partial(version_of, "openvino", "onnx"),
    partial(OnnxRunner, _compiled),
    partial(onnx_stepper, _compiled),
)

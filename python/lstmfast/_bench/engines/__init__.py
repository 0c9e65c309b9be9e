"""The engines that are compared: add a file and a line here."""

from __future__ import annotations

from lstmfast._bench.engines.base import Engine, Fitter, Runner, Step, UnsupportedError
from lstmfast._bench.engines.vs_jax import JAX
from lstmfast._bench.engines.vs_keras import KERAS, KERAS_PREDICT
from lstmfast._bench.engines.vs_litert import LITERT
from lstmfast._bench.engines.vs_lstmfast import LSTMFAST
from lstmfast._bench.engines.vs_ncnn import NCNN
from lstmfast._bench.engines.vs_numpy import NUMPY
from lstmfast._bench.engines.vs_onednn import ONEDNN
from lstmfast._bench.engines.vs_onnx import ONNXRUNTIME, OPENVINO
from lstmfast._bench.engines.vs_opencv import OPENCV
from lstmfast._bench.engines.vs_torch import TORCH, TORCH_BY_HAND, TORCH_CELL

ENGINES = (
    LSTMFAST,
    NUMPY,
    TORCH,
    TORCH_CELL,
    TORCH_BY_HAND,
    ONEDNN,
    ONNXRUNTIME,
    OPENVINO,
    LITERT,
    OPENCV,
    NCNN,
    KERAS,
    KERAS_PREDICT,
    JAX,
)

__all__ = ["ENGINES", "Engine", "Fitter", "Runner", "Step", "UnsupportedError"]

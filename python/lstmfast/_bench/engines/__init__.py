"""The engines that are compared, one file each: add a file and a line here."""

from __future__ import annotations

from lstmfast._bench.engines.base import Engine, Fitter, Runner, Stepper, UnsupportedError
from lstmfast._bench.engines.vs_jax import JaxEngine
from lstmfast._bench.engines.vs_keras import KerasEngine, KerasPredictEngine
from lstmfast._bench.engines.vs_lstmfast import LstmfastEngine
from lstmfast._bench.engines.vs_numpy import NumpyEngine
from lstmfast._bench.engines.vs_onnxruntime import OnnxruntimeEngine
from lstmfast._bench.engines.vs_openvino import OpenvinoEngine
from lstmfast._bench.engines.vs_torch import TorchEngine
from lstmfast._bench.engines.vs_torch_by_hand import TorchByHandEngine
from lstmfast._bench.engines.vs_torch_cell import TorchCellEngine

ENGINES: tuple[type[Engine], ...] = (
    LstmfastEngine,
    NumpyEngine,
    TorchEngine,
    TorchCellEngine,
    TorchByHandEngine,
    OnnxruntimeEngine,
    OpenvinoEngine,
    KerasEngine,
    KerasPredictEngine,
    JaxEngine,
)

__all__ = ["ENGINES", "Engine", "Fitter", "Runner", "Stepper", "UnsupportedError"]

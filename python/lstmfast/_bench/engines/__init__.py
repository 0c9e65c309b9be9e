"""The engines that are compared, one file each: add a file and a line here."""

from __future__ import annotations

from lstmfast._bench.engines.base import Engine, Gradients, Runner
from lstmfast._bench.engines.vs_lstmfast import LstmfastEngine
from lstmfast._bench.engines.vs_numpy import NumpyEngine
from lstmfast._bench.engines.vs_torch import TorchEngine

ENGINES: tuple[type[Engine], ...] = (LstmfastEngine, NumpyEngine, TorchEngine)

__all__ = ["ENGINES", "Engine", "Gradients", "Runner"]

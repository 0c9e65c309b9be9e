"""OpenCV's dnn module: inference alone, of the model that ONNX Runtime gets.

OpenCV 4.14 runs it 1.8 to 3 times as fast as 5.0: `pip install "opencv-python-headless<5"` for the
stronger rival.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Engine, Runner, Step, version_of
from lstmfast._bench.engines.vs_onnx import onnx_model, y_of_onnx
from lstmfast._bench.problems import Array, Problem


def _load(problem: Problem, steps: int, threads: int) -> Any:
    """Return the network of so many steps; its states are inputs, at first zero.

    Without these inputs, OpenCV 5.0 fails.
    """
    cv2 = importlib.import_module("cv2")
    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_model(problem, steps), np.uint8))
    zero = np.zeros((len(problem.params), problem.shape.B, problem.shape.H), np.float32)
    for name in ("initial_h", "initial_c"):
        net.setInput(zero, name)
    return net


class OpencvRunner(Runner):
    """The network of one problem; x has the steps first."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.net = _load(problem, problem.shape.T, threads)
        self.x = np.ascontiguousarray(problem.x.swapaxes(0, 1))

    def forward(self) -> Any:
        """Run inference."""
        self.net.setInput(self.x, "X")
        return self.net.forward("Y")

    def output(self) -> Array:
        """Return y."""
        return y_of_onnx(self.forward())


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a call of the network of one step."""
    net = _load(problem, 1, threads)

    def step(x: Array) -> Array:
        net.setInput(x, "X")
        y: Array
        y, h, c = net.forward(["Y", "Y_h", "Y_c"])
        net.setInput(h, "initial_h")
        net.setInput(c, "initial_c")
        return y

    return [partial(step, x[None]) for x in problem.steps()]


OPENCV = Engine("opencv", "cv2", partial(version_of, "cv2", "onnx"), OpencvRunner, _stepper)

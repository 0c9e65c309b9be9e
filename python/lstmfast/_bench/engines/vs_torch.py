"""torch.nn.LSTM."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Engine, Gradients, Runner
from lstmfast._bench.shapes import Array, Problem


def _torch() -> Any:
    return importlib.import_module("torch")


class TorchRunner(Runner):
    """`torch.nn.LSTM` on one problem, batch first."""

    def __init__(self, problem: Problem) -> None:
        torch = _torch()
        self.torch = torch
        self.lstm = torch.nn.LSTM(problem.shape.I, problem.shape.H, batch_first=True)
        with torch.no_grad():
            self.lstm.weight_ih_l0.copy_(torch.from_numpy(problem.w_ih))
            self.lstm.weight_hh_l0.copy_(torch.from_numpy(problem.w_hh))
            self.lstm.bias_ih_l0.copy_(torch.from_numpy(problem.bias))
            self.lstm.bias_hh_l0.zero_()
        self.x = torch.from_numpy(problem.x)
        self.x_grad = torch.from_numpy(problem.x.copy()).requires_grad_()
        self.dy = torch.from_numpy(problem.dy)

    def forward(self) -> Any:
        """Run inference."""
        with self.torch.inference_mode():
            return self.lstm(self.x)

    def train(self) -> object:
        """Run forward and backward."""
        self.lstm.zero_grad(set_to_none=True)
        self.x_grad.grad = None
        y, _ = self.lstm(self.x_grad)
        y.backward(self.dy)
        return y

    def output(self) -> Array:
        """Return y."""
        return np.asarray(self.forward()[0].numpy())

    def gradients(self) -> Gradients:
        """Return the gradients."""
        self.train()
        return Gradients(
            self.x_grad.grad.numpy(),
            self.lstm.weight_ih_l0.grad.numpy(),
            self.lstm.weight_hh_l0.grad.numpy(),
            self.lstm.bias_ih_l0.grad.numpy(),
        )


class TorchEngine(Engine):
    """torch."""

    name = "torch"
    module = "torch"

    def version(self) -> str:
        """Return torch's version."""
        torch = _torch()
        return str(torch.__version__)

    def prepare(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        torch = _torch()
        torch.set_num_threads(threads)
        return TorchRunner(problem)

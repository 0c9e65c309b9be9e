"""torch.nn.LSTM: the plain cell, projection, packed sequences, both directions, float64."""

from __future__ import annotations

import importlib
from abc import abstractmethod
from typing import Any

import numpy as np

from lstmfast._bench.answers import Answers
from lstmfast._bench.engines.base import Engine, Runner, Stepper, named_gradients
from lstmfast._bench.problems import Array, Params, Problem
from lstmfast._layouts import from_torch, suffixes, to_torch


def import_torch(threads: int | None = None) -> Any:
    """Return the module, set to this many threads."""
    torch = importlib.import_module("torch")
    if threads is not None:
        torch.set_num_threads(threads)
    return torch


def load_weights(torch: Any, module: Any, params: Params, suffix: str) -> None:
    """Copy one direction's parameters into a module with torch's names."""
    with torch.no_grad():
        for name, value in to_torch(params).items():
            getattr(module, name + suffix).copy_(torch.from_numpy(value))


def weight_gradients(module: Any, params: Params, suffix: str) -> dict[str, Array]:
    """Return one direction's gradients under our names, in our layout."""
    named = {name: getattr(module, name + suffix).grad.numpy() for name in to_torch(params)}
    return from_torch(named, gradients=True)


class ModuleRunner(Runner):
    """A module of torch on one problem, batch first; a subclass runs it and names its gradients."""

    def __init__(self, torch: Any, problem: Problem, module: Any) -> None:
        self.torch, self.problem, self.module = torch, problem, module
        self.x = torch.from_numpy(problem.x)
        self.x_grad = torch.from_numpy(problem.x.copy()).requires_grad_()
        self.dy = torch.from_numpy(problem.dy)

    @abstractmethod
    def _run(self, x: Any) -> Any:
        """Return y (B, T, N)."""

    def forward(self) -> Any:
        """Run inference."""
        with self.torch.inference_mode():
            return self._run(self.x)

    def train(self) -> object:
        """Run forward and backward."""
        self.module.zero_grad(set_to_none=True)
        self.x_grad.grad = None
        y = self._run(self.x_grad)
        y.backward(self.dy)
        return y

    def output(self) -> Array:
        """Return y."""
        return np.asarray(self.forward().numpy())


class TorchRunner(ModuleRunner):
    """`torch.nn.LSTM` on one problem."""

    def __init__(self, torch: Any, problem: Problem) -> None:
        shape, option = problem.shape, problem.option
        module = torch.nn.LSTM(
            shape.I,
            shape.H,
            batch_first=True,
            bidirectional=option.bidirectional,
            proj_size=option.cell(shape).proj_size,
            dtype=getattr(torch, option.dtype),
        )
        self.ends = [f"_{suffix}" for suffix in suffixes(1, option.bidirectional)]
        for end, params in zip(self.ends, problem.params, strict=True):
            load_weights(torch, module, params, end)
        super().__init__(torch, problem, module)
        lengths = problem.lengths
        self.lengths = None if lengths is None else torch.from_numpy(lengths)

    def _run(self, x: Any) -> Any:
        """Return y (B, T, N); rows of different lengths are packed."""
        if self.lengths is None:
            return self.module(x)[0]
        rnn = self.torch.nn.utils.rnn
        packed = rnn.pack_padded_sequence(x, self.lengths, batch_first=True, enforce_sorted=False)
        y, _ = rnn.pad_packed_sequence(
            self.module(packed)[0], batch_first=True, total_length=self.problem.shape.T
        )
        return y

    def gradients(self) -> Answers:
        """Return the gradients."""
        self.train()
        of_directions = [
            weight_gradients(self.module, params, end)
            for end, params in zip(self.ends, self.problem.params, strict=True)
        ]
        return named_gradients(self.x_grad.grad.numpy(), of_directions)


class TorchStepper(Stepper):
    """`torch.nn.LSTM`, a call a step."""

    def __init__(self, torch: Any, problem: Problem) -> None:
        self.torch = torch
        self.lstm = TorchRunner(torch, problem).module
        self.steps = [torch.from_numpy(x[:, None].copy()) for x in problem.x.swapaxes(0, 1)]
        self.state: Any = None

    def reset(self) -> None:
        """Forget the state."""
        self.state = None

    def step(self, t: int) -> Any:
        """Go on by one step."""
        with self.torch.inference_mode():
            y, self.state = self.lstm(self.steps[t], self.state)
        return y

    def numpy(self, y: Any) -> Array:
        """Return y without its one step."""
        return np.asarray(y[:, 0].numpy())


class TorchEngine(Engine):
    """torch."""

    name = "torch"
    module = "torch"
    options = frozenset({"projection", "lengths_full", "lengths_half", "bidirectional", "float64"})

    def version(self) -> str:
        """Return torch's version."""
        return str(import_torch().__version__)

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        return TorchRunner(import_torch(threads), problem)

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        return TorchStepper(import_torch(threads), problem)

"""torch.nn.LSTM, and torch.nn.LSTMCell in a loop over the steps, as for access to every state."""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any

from lstmfast._bench.engines.base import Engine, Runner, Step, version_of, with_state
from lstmfast._bench.problems import Problem, torch_names


def import_torch(threads: int | None = None) -> Any:
    """Return the module, set to this many threads."""
    torch = importlib.import_module("torch")
    if threads is not None:
        torch.set_num_threads(threads)
    return torch


class AutogradRunner(Runner):
    """A computation with autograd on one problem; `params` are the tensors with gradients."""

    def __init__(self, problem: Problem, params: Mapping[str, Any]) -> None:
        torch = import_torch()
        self.problem, self.params = problem, params
        self.x = torch.from_numpy(problem.x)
        self.x_grad = torch.from_numpy(problem.x.copy()).requires_grad_()
        self.dy = torch.from_numpy(problem.dy)
        self.inference = torch.inference_mode

    @abstractmethod
    def run(self, x: Any, training: bool) -> Any:
        """Return y (B, T, N)."""

    def forward(self) -> Any:
        """Run inference."""
        with self.inference():
            return self.run(self.x, training=False)

    def train(self) -> None:
        """Run forward and backward."""
        for leaf in (self.x_grad, *self.params.values()):
            leaf.grad = None
        self.run(self.x_grad, training=True).backward(self.dy)

    def trained(self) -> Any:
        """Return the gradients."""
        self.train()
        grads = {name: leaf.grad.numpy() for name, leaf in self.params.items()}
        return self.x_grad.grad.numpy(), self.named(grads)

    def named(self, grads: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the gradients of `params` under torch's names."""
        return torch_names([grads], gradients=True)


class ModuleRunner(AutogradRunner):
    """A module of torch with the problem's parameters, which stand in the order of its own."""

    def __init__(self, problem: Problem, module: Any) -> None:
        torch, values = import_torch(), problem.state_dict()
        super().__init__(problem, dict(zip(values, module.parameters(), strict=True)))
        tensors = map(torch.from_numpy, values.values())
        module.load_state_dict(dict(zip(module.state_dict(), tensors, strict=True)))
        self.module = module

    def named(self, grads: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return them as they are."""
        return grads


class TorchRunner(ModuleRunner):
    """`torch.nn.LSTM` on one problem."""

    def __init__(self, problem: Problem, threads: int) -> None:
        torch, shape, option = import_torch(threads), problem.shape, problem.option
        module = torch.nn.LSTM(
            shape.I,
            shape.H,
            batch_first=True,
            bidirectional=option.bidirectional,
            proj_size=option.cell(shape).proj_size,
            dtype=getattr(torch, option.dtype),
        )
        super().__init__(problem, module)
        self.rnn = torch.nn.utils.rnn
        self.lengths = None if problem.lengths is None else torch.from_numpy(problem.lengths)

    def run(self, x: Any, training: bool) -> Any:
        """Return y; rows of different lengths are packed."""
        if self.lengths is None:
            return self.module(x)[0]
        packed = self.rnn.pack_padded_sequence(
            x, self.lengths, batch_first=True, enforce_sorted=False
        )
        y, _ = self.rnn.pad_packed_sequence(
            self.module(packed)[0], batch_first=True, total_length=self.problem.shape.T
        )
        return y


class TorchCellRunner(ModuleRunner):
    """`torch.nn.LSTMCell` on one problem."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.torch = import_torch(threads)
        super().__init__(problem, self.torch.nn.LSTMCell(problem.shape.I, problem.shape.H))

    def run(self, x: Any, training: bool) -> Any:
        """Return y."""
        state = None
        outputs = []
        for x_t in x.unbind(1):
            state = self.module(x_t, state)
            outputs.append(state[0])
        return self.torch.stack(outputs, 1)


def _stepper(problem: Problem, threads: int) -> Step:
    """Return a call of `torch.nn.LSTM` for a step."""
    torch, lstm = import_torch(), TorchRunner(problem, threads).module
    steps = [torch.from_numpy(x[:, None]) for x in problem.steps()]
    return with_state(torch.inference_mode()(lstm), steps)


def _cell_stepper(problem: Problem, threads: int) -> Step:
    """Return a call of `torch.nn.LSTMCell`."""
    torch, cell = import_torch(), TorchCellRunner(problem, threads).module

    def advance(x: Any, state: Any) -> tuple[Any, Any]:
        with torch.inference_mode():
            state = cell(x, state)
        return state[0], state

    return with_state(advance, [torch.from_numpy(x) for x in problem.steps()])


torch_version = partial(version_of, "torch")
TORCH = Engine(
    "torch",
    "torch",
    torch_version,
    TorchRunner,
    _stepper,
    options=frozenset({"projection", "lengths_full", "lengths_half", "bidirectional", "float64"}),
)
TORCH_CELL = Engine("torch_cell", "torch", torch_version, TorchCellRunner, _cell_stepper)

"""torch.nn.LSTMCell in a loop over the steps, as for access to every state."""

from __future__ import annotations

from typing import Any

from lstmfast._bench.answers import Answers
from lstmfast._bench.engines.base import Engine, Runner, Stepper, named_gradients
from lstmfast._bench.engines.vs_torch import (
    ModuleRunner,
    import_torch,
    load_weights,
    weight_gradients,
)
from lstmfast._bench.problems import Problem


def make_cell(torch: Any, problem: Problem) -> Any:
    """Return an `LSTMCell` with the problem's parameters."""
    cell = torch.nn.LSTMCell(problem.shape.I, problem.shape.H)
    load_weights(torch, cell, problem.params[0], "")
    return cell


class TorchCellRunner(ModuleRunner):
    """`torch.nn.LSTMCell` on one problem."""

    def __init__(self, torch: Any, problem: Problem) -> None:
        super().__init__(torch, problem, make_cell(torch, problem))

    def _run(self, x: Any) -> Any:
        state = None
        outputs = []
        for x_t in x.unbind(1):
            state = self.module(x_t, state)
            outputs.append(state[0])
        return self.torch.stack(outputs, 1)

    def gradients(self) -> Answers:
        """Return the gradients."""
        self.train()
        grads = weight_gradients(self.module, self.problem.params[0], "")
        return named_gradients(self.x_grad.grad.numpy(), [grads])


class TorchCellStepper(Stepper):
    """`torch.nn.LSTMCell`, a call a step."""

    def __init__(self, torch: Any, problem: Problem) -> None:
        self.torch = torch
        self.cell = make_cell(torch, problem)
        self.steps = [torch.from_numpy(x.copy()) for x in problem.x.swapaxes(0, 1)]
        self.state: Any = None

    def reset(self) -> None:
        """Forget the state."""
        self.state = None

    def step(self, t: int) -> Any:
        """Go on by one step."""
        with self.torch.inference_mode():
            self.state = self.cell(self.steps[t], self.state)
        return self.state[0]


class TorchCellEngine(Engine):
    """torch, cell by cell."""

    name = "torch_cell"
    module = "torch"

    def version(self) -> str:
        """Return torch's version."""
        return str(import_torch().__version__)

    def load(self, problem: Problem, threads: int) -> Runner:
        """Load the problem."""
        return TorchCellRunner(import_torch(threads), problem)

    def stepper(self, problem: Problem, threads: int) -> Stepper:
        """Load the problem for single steps."""
        return TorchCellStepper(import_torch(threads), problem)

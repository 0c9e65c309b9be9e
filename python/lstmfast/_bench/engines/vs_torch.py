"""torch.nn.LSTM; loops over torch.nn.LSTMCell, for access to every state; cells written by hand.

Those by hand are for options that `torch.nn.LSTM` lacks.
"""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any

from lstmfast._bench.engines.base import EVERY_OPTION, Engine, Runner, Step, version_of, with_state
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


class TorchByHandRunner(AutogradRunner):
    """The equations of the cell in a loop over the steps, with torch's operations.

    x W is one product for all steps; the loop holds as little as autograd allows.
    """

    def __init__(self, problem: Problem, threads: int) -> None:
        torch = self.torch = import_torch(threads)
        leaves = {
            name: torch.from_numpy(value.copy()).requires_grad_()
            for name, value in problem.params[0].items()
        }
        super().__init__(problem, leaves)
        self.functions = torch.nn.functional
        cell = self.cell = problem.option.cell(problem.shape)
        self.rates = problem.option.keywords
        self.activation = getattr(self.functions, str(cell.activation))
        self.recurrent_activation = torch.sigmoid
        if cell.recurrent_activation == "hard_sigmoid":
            self.recurrent_activation = self.functions.hardsigmoid

    def _dropout(self, name: str, *size: int) -> Any:
        """Draw a mask, scaled."""
        rate = float(self.rates[name])
        return self.torch.empty(size).bernoulli_(1.0 - rate).div_(1.0 - rate)

    def _clip(self, z: Any, bound: float | None) -> Any:
        return z if bound is None else z.clamp(-bound, bound)

    def _gates(self, z: Any, columns: slice) -> Any:
        """Normalise and clip the pre-activations of one or more gates, (B, n H)."""
        if self.cell.layer_norm:
            H, weights = self.problem.shape.H, self.params
            normed = self.functions.layer_norm(z.view(len(z), -1, H), (H,)).view_as(z)
            z = normed * weights["norm_z_weight"][columns] + weights["norm_z_bias"][columns]
        return self._clip(z, self.cell.preact_clip)

    def _zoneout(self, name: str, old: Any, new: Any, training: bool) -> Any:
        rate = self.rates.get(name)
        if rate is None:
            return new
        if not training:
            return old.lerp(new, 1.0 - rate)
        return self.torch.where(self.torch.rand_like(new) < rate, old, new)

    def run(self, x: Any, training: bool) -> Any:
        """Return y."""
        torch, cell, weights = self.torch, self.cell, self.params
        B, H = self.problem.shape.B, self.problem.shape.H
        recurrent, mask = weights["recurrent_kernel"], None
        if training and "input_dropout" in self.rates:
            x = x * self._dropout("input_dropout", B, 1, x.shape[2])
        if training and "weight_drop" in self.rates:
            recurrent = recurrent * self._dropout("weight_drop", *recurrent.shape)
        each_step = self.rates.get("recurrent_dropout_kind") == "step"
        drops = training and "recurrent_dropout" in self.rates
        peephole = weights["peephole"] if cell.peephole else None
        early, late = slice(0, -H), slice(recurrent.shape[1] - H, None)
        of_x = x @ weights["kernel"] + weights["bias"]
        h = c = x.new_zeros(B, H)
        outputs = []
        for z in of_x.unbind(1):
            if drops and (mask is None or each_step):
                mask = self._dropout("recurrent_dropout", B, H)
            z = torch.addmm(z, h if mask is None else h * mask, recurrent)
            if peephole is None:
                *gates, z_g, z_o = self._gates(z, slice(None)).split(H, 1)
            else:
                # o sees c after the step
                seen = torch.cat([p * c for p in peephole[:-1]] + [torch.zeros_like(c)], 1)
                *gates, z_g = self._gates(z[:, early] + seen, early).split(H, 1)
                z_o = z[:, late]
            f = self.recurrent_activation(gates[-1])
            i = 1.0 - f if cell.coupled else self.recurrent_activation(gates[0])
            new = self._clip(f * c + i * self.activation(z_g), cell.cell_clip)
            c = self._zoneout("zoneout_c", c, new, training)
            if peephole is not None:
                z_o = self._gates(z_o + peephole[-1] * c, late)
            shown = c
            if cell.layer_norm:
                shown = self.functions.layer_norm(
                    c, (H,), weights["norm_c_weight"], weights["norm_c_bias"]
                )
            new = self.recurrent_activation(z_o) * self.activation(shown)
            h = self._zoneout("zoneout_h", h, new, training)
            outputs.append(h)
        return torch.stack(outputs, 1)


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a call of `torch.nn.LSTM` for a step."""
    torch, lstm = import_torch(), TorchRunner(problem, threads).module
    steps = [torch.from_numpy(x[:, None]) for x in problem.steps()]
    return with_state(torch.inference_mode()(lstm), steps)


def _cell_stepper(problem: Problem, threads: int) -> list[Step]:
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
    holds=True,
)
TORCH_CELL = Engine(
    "torch_cell", "torch", torch_version, TorchCellRunner, _cell_stepper, holds=True
)
TORCH_BY_HAND = Engine(
    "torch_by_hand",
    "torch",
    torch_version,
    TorchByHandRunner,
    plain=False,
    options=EVERY_OPTION - TORCH.options,
    holds=True,
)

"""Cells written with torch's operations, for options that `torch.nn.LSTM` lacks.

x W is one product for all steps; the loop holds as little as autograd allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstmfast._bench.engines.base import EVERY_OPTION, Engine
from lstmfast._bench.engines.vs_torch import TORCH, AutogradRunner, import_torch, torch_version
from lstmfast._bench.problems import Problem


class TorchByHandRunner(AutogradRunner):
    """The equations of the cell in a loop over the steps."""

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

    def _gates(self, z: Any, weights: Mapping[str, Any], columns: slice) -> Any:
        """Normalise and clip the pre-activations of one or more gates, (B, n H)."""
        if self.cell.layer_norm:
            H = self.problem.shape.H
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
                *gates, z_g, z_o = self._gates(z, weights, slice(None)).split(H, 1)
            else:
                # o sees c after the step
                seen = torch.cat([p * c for p in peephole[:-1]] + [torch.zeros_like(c)], 1)
                *gates, z_g = self._gates(z[:, early] + seen, weights, early).split(H, 1)
                z_o = z[:, late]
            f = self.recurrent_activation(gates[-1])
            i = 1.0 - f if cell.coupled else self.recurrent_activation(gates[0])
            new = self._clip(f * c + i * self.activation(z_g), cell.cell_clip)
            c = self._zoneout("zoneout_c", c, new, training)
            if peephole is not None:
                z_o = self._gates(z_o + peephole[-1] * c, weights, late)
            shown = c
            if cell.layer_norm:
                shown = self.functions.layer_norm(
                    c, (H,), weights["norm_c_weight"], weights["norm_c_bias"]
                )
            new = self.recurrent_activation(z_o) * self.activation(shown)
            h = self._zoneout("zoneout_h", h, new, training)
            outputs.append(h)
        return torch.stack(outputs, 1)


TORCH_BY_HAND = Engine(
    "torch_by_hand",
    "torch",
    torch_version,
    TorchByHandRunner,
    plain=False,
    options=EVERY_OPTION - TORCH.options,
)

"""The cache of one run over a sequence, and its masks step by step; no equations."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_real, expect_shape, time_major
from .cell import Cell, Step, Zoneout
from .parameters import Masks
from .rows import Rows

__all__ = ["LstmCache"]


@dataclass
class LstmCache:
    """Values for `lstm_backward`, and gates and states for readers.

    `x` is time-major (T, B, I), after the input mask and with zeros at steps that are not real;
    `steps` holds one `Step` for each t. Without `keep_cache` the steps are missing.
    """

    params: dict[str, Array]
    cell: Cell
    masks: Masks
    x: Array
    rows: Rows
    batch_first: bool
    steps: dict[int, Step] = field(default_factory=dict)

    def mask_at(self, mask: Array | None, t: int) -> Array | None:
        """Slice of a mask for step t: a 3-D mask has one a step, in the layout of x."""
        if mask is None:
            return None
        real = as_real(mask, self.x.dtype)
        return real if real.ndim == 2 else time_major(real, self.batch_first)[t]

    def cell_states(self) -> Array:
        """c of every step in the layout of x, zero or repeated where y is."""
        states = np.stack([self.steps[t].c for t in range(len(self.x))])
        self.rows.give_out(states)
        return time_major(states, self.batch_first)

    def gate(self, name: str) -> Array:
        """Activated gate "i", "f", "g" or "o" of every step, in the layout of x."""
        gates = np.stack([self.steps[t].gates[name].a for t in range(len(self.x))])
        return time_major(gates, self.batch_first)

    def mask_input(self) -> None:
        """Zero the steps of x that are not real, apply the input mask, make x contiguous."""
        if self.rows.idle is not None:
            self.x = np.where(self.rows.idle[:, :, None], self.x.dtype.type(0), self.x)
        if self.masks.input is not None:
            mask = as_real(self.masks.input, self.x.dtype)
            self.x = self.x * (time_major(mask, self.batch_first) if mask.ndim == 3 else mask)
        self.x = np.ascontiguousarray(self.x)

    def zoneout(self, name: str, t: int) -> Zoneout:
        """m of step t, of "zoneout_h" or "zoneout_c": the mask in training, else the rate."""
        mask = self.mask_at(getattr(self.masks, name), t)
        return float(getattr(self.cell.options, name)) if mask is None else mask

    def step_gradient(self, name: str, value: npt.ArrayLike | None, width: int) -> Array | None:
        """Gradient of the values that every step computes from that of its outputs, time-major."""
        if value is None:
            return None
        T, B, _ = self.x.shape
        given = as_real(value, self.x.dtype)
        expected = (B, T, width) if self.batch_first else (T, B, width)
        given = expect_shape("reference.lstm", name, given, expected)
        return self.rows.take_in(time_major(given, self.batch_first))


def state_or_zero(
    name: str, value: npt.ArrayLike | None, shape: tuple[int, int], dtype: npt.DTypeLike
) -> Array:
    """The given state (or its gradient), checked; zeros for None."""
    if value is None:
        return np.zeros(shape, dtype=dtype)
    return expect_shape("reference.lstm", name, as_real(value, dtype), shape)

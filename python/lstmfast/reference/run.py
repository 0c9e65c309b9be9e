"""What one run over a sequence is made of: its arrays, who is active when, who is cleared.

The functions read lengths, resets and masks into per-step form; they know no equations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_real, expect_shape, time_major
from .cell import Cell, Step, Zoneout
from .options import Masks


@dataclass
class LstmCache:
    """What `lstm_backward` needs, and what a reader may want to see of the inside.

    Arrays are time-major: `x` (T, B, I) after mask and padding, `active` and `clear` (T, B) or
    None, `steps` one `Step` for each t. Without `keep_cache` the steps are missing.
    """

    params: dict[str, Array]
    cell: Cell
    masks: Masks
    x: Array
    active: Array | None
    clear: Array | None
    reverse: bool
    batch_first: bool
    steps: dict[int, Step] = field(default_factory=dict)

    @property
    def order(self) -> range:
        """Steps in the order of the forward pass."""
        T = len(self.x)
        return range(T - 1, -1, -1) if self.reverse else range(T)

    def mask_at(self, mask: Array | None, t: int) -> Array | None:
        """Slice of a mask for step t: a 3-D mask has one a step, in the layout of x."""
        if mask is None:
            return None
        real = as_real(mask, self.x.dtype)
        return real if real.ndim == 2 else time_major(real, self.batch_first)[t]

    def cell_states(self) -> Array:
        """c of every step in the layout of x, zero where padded: (B, T, H) or (T, B, H)."""
        states = np.stack([self.steps[t].c for t in range(len(self.x))])
        if self.active is not None:
            states *= self.active[:, :, None]
        return time_major(states, self.batch_first)

    def gate(self, name: str) -> Array:
        """Activated gate "i", "f", "g" or "o" of every step, in the layout of x."""
        gates = np.stack([self.steps[t].gates[name].a for t in range(len(self.x))])
        return time_major(gates, self.batch_first)

    def mask_input(self) -> None:
        """Zero the padding of x, apply the input mask, make x contiguous."""
        if self.active is not None:
            self.x = np.where(self.active[:, :, None], self.x, self.x.dtype.type(0))
        if self.masks.input is not None:
            mask = as_real(self.masks.input, self.x.dtype)
            self.x = self.x * (time_major(mask, self.batch_first) if mask.ndim == 3 else mask)
        self.x = np.ascontiguousarray(self.x)

    def zoneout(self, which: str, t: int) -> Zoneout:
        """m of step t for "h" or "c": the mask in training, the rate at inference."""
        options = self.cell.options
        mask, rate = self.masks.zoneout_h, options.zoneout_h
        if which == "c":
            mask, rate = self.masks.zoneout_c, options.zoneout_c
        at = self.mask_at(mask, t)
        return float(rate) if at is None else at

    def step_gradient(self, name: str, value: npt.ArrayLike | None, width: int) -> Array | None:
        """Gradient of something that every step gives out, time-major."""
        if value is None:
            return None
        T, B, _ = self.x.shape
        given = as_real(value, self.x.dtype)
        expected = (B, T, width) if self.batch_first else (T, B, width)
        return time_major(expect_shape("reference.lstm", name, given, expected), self.batch_first)


def state_or_zero(
    name: str, value: npt.ArrayLike | None, shape: tuple[int, int], dtype: npt.DTypeLike
) -> Array:
    """A given state (or its gradient), checked; zeros for None."""
    if value is None:
        return np.zeros(shape, dtype=dtype)
    return expect_shape("reference.lstm", name, as_real(value, dtype), shape)


def active_rows(lengths: npt.ArrayLike | None, T: int, B: int) -> Array | None:
    """(T, B) bool, True where t < length; None without lengths."""
    if lengths is None:
        return None
    ends = expect_shape("reference.lstm", "lengths", np.asarray(lengths), (B,))
    if ends.dtype.kind not in "iu":
        raise TypeError(f"[reference.lstm] lengths has dtype {ends.dtype}; expected integers")
    if B and (ends.min() < 0 or ends.max() > T):
        raise ValueError(f"[reference.lstm] lengths are {ends.min()} to {ends.max()}; T is {T}")
    return np.asarray(np.arange(T)[:, None] < ends)


def cleared_rows(
    resets: npt.ArrayLike | None, active: Array | None, T: int, B: int, reverse: bool
) -> Array | None:
    """(T, B) bool: clear the state before step t, in the order of the run."""
    if resets is None:
        return None
    begins = expect_shape("reference.lstm", "resets", np.asarray(resets), (B, T)).T
    if begins.dtype != np.bool_:
        raise TypeError(f"[reference.lstm] resets has dtype {begins.dtype}; expected bool")
    if active is not None:
        begins = begins & active
    if not reverse:
        return begins
    return np.concatenate([begins[1:], np.zeros((min(T, 1), B), dtype=np.bool_)])

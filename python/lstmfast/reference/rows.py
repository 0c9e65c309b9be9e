"""Which rows take part at which step: lengths, masks, resets and truncation of one run.

All are arrays (T, B), step by row; there are no equations here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import Array, expect_shape


@dataclass(frozen=True)
class Rows:
    """The plan of one run; None where an option is off.

    Attributes
    ----------
    order : range
        Steps in the order of the forward pass.
    idle : (T, B) bool or None
        The step is not real: it does not change the row's state.
    held : (T, B) bool or None
        The step's output is that of the step before it (in `order`).
    clear : (T, B) bool or None
        The state is cleared before the step.
    stop : (T, B) bool or None
        No gradient goes to the state before the step.
    last : (B,) int
        The step whose output is the row's last.
    """

    order: range
    idle: Array | None
    held: Array | None
    clear: Array | None
    stop: Array | None
    last: Array

    def give_out(self, values: Array) -> None:
        """Turn values (T, B, N) of every step into outputs, in place.

        Zero where the step is not real, then the output of the step before where it is held.
        """
        if self.idle is not None:
            values[self.idle] = 0.0
        if self.held is None:
            return
        for before, t in zip(self.order, self.order[1:], strict=False):
            values[t] = np.where(self.held[t][:, None], values[before], values[t])

    def take_in(self, d: Array) -> Array:
        """Gradient of the values (T, B, N) from that of the outputs; 0 where outputs are zeroed."""
        if self.idle is None:
            return d
        if self.held is not None:
            d = np.where((self.idle & ~self.held)[:, :, None], 0.0, d)
            for before, t in reversed(list(zip(self.order, self.order[1:], strict=False))):
                d[before] += np.where(self.held[t][:, None], d[t], 0.0)
        return np.where(self.idle[:, :, None], 0.0, d)


def plan_rows(
    T: int,
    B: int,
    reverse: bool,
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    zero_output_for_mask: bool = False,
    resets: npt.ArrayLike | None = None,
    bptt_steps: int | None = None,
) -> Rows:
    """Check the arguments of a run and convert them to steps; see `lstm_forward`."""
    real, last = np.ones((T, B), dtype=np.bool_), np.full(B, max(T - 1, 0))
    if lengths is not None:
        ends = expect_shape("reference.lstm", "lengths", np.asarray(lengths), (B,))
        if ends.dtype.kind not in "iu":
            raise TypeError(f"[reference.lstm] lengths has dtype {ends.dtype}; expected integers")
        if B and (ends.min() < 0 or ends.max() > T):
            raise ValueError(f"[reference.lstm] lengths are {ends.min()} to {ends.max()}; T is {T}")
        real, last = np.arange(T)[:, None] < ends, np.maximum(ends.astype(np.intp) - 1, 0)
    held = clear = None
    if mask is not None:
        kept = _flags("mask", mask, T, B)
        held = None if zero_output_for_mask else real & ~kept
        real = real & kept
    if resets is not None:
        clear = real & _flags("resets", resets, T, B)
        if reverse:
            clear = _crossed(clear, real)
    return Rows(
        order=range(T - 1, -1, -1) if reverse else range(T),
        idle=None if real.all() else ~real,
        held=held,
        clear=clear,
        stop=_stops(clear, real, reverse, bptt_steps),
        last=np.zeros(B, dtype=np.intp) if reverse else last,
    )


def _flags(name: str, value: npt.ArrayLike, T: int, B: int) -> Array:
    """(T, B) bool from (B, T) bool."""
    flags = expect_shape("reference.lstm", name, np.asarray(value), (B, T)).T
    if flags.dtype != np.bool_:
        raise TypeError(f"[reference.lstm] {name} has dtype {flags.dtype}; expected bool")
    return flags


def _crossed(begins: Array, real: Array) -> Array:
    """The real steps of a reverse run that follow a step at which a sequence begins."""
    crossed = np.zeros_like(begins)
    begun = np.zeros(begins.shape[1:], dtype=np.bool_)  # at the row's last real step so far?
    for t in reversed(range(len(begins))):
        crossed[t] = real[t] & begun
        begun = np.where(real[t], begins[t], begun)
    return crossed


def _stops(clear: Array | None, real: Array, reverse: bool, every: int | None) -> Array | None:
    """Where the state is cleared, and before each real step whose number is a multiple."""
    if every is None:
        return clear
    if every < 1:
        raise ValueError(f"[reference.lstm] bptt_steps is {every}; expected at least 1")
    order = slice(None, None, -1 if reverse else 1)
    number = np.cumsum(real[order], axis=0)[order] - 1
    cut: Array = real & (number > 0) & (number % every == 0)
    return cut if clear is None else cut | clear

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
    active : (T, B) bool or None
        The step is real: it changes the row's state.
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
    active: Array | None
    held: Array | None
    clear: Array | None
    stop: Array | None
    last: Array

    def give_out(self, values: Array) -> None:
        """Turn values (T, B, N) of every step into outputs, in place.

        Zero where the step is not active, then the output of the step before where it is held.
        """
        if self.active is not None:
            values[~self.active] = 0.0
        if self.held is None:
            return
        for before, t in zip(self.order, self.order[1:], strict=False):
            values[t] = np.where(self.held[t][:, None], values[before], values[t])

    def take_in(self, d: Array) -> Array:
        """Gradient of the values (T, B, N) from that of the outputs; 0 where outputs are zeroed."""
        if self.held is not None:
            d = np.where((self.active | self.held)[:, :, None], d, 0.0)
            for before, t in reversed(list(zip(self.order, self.order[1:], strict=False))):
                d[before] += np.where(self.held[t][:, None], d[t], 0.0)
        return d if self.active is None else np.where(self.active[:, :, None], d, 0.0)


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
    active, last = _within(lengths, T, B)
    held = None
    if mask is not None:
        real = _flags("mask", mask, T, B)
        inside = np.ones((T, B), dtype=np.bool_) if active is None else active
        held = None if zero_output_for_mask else inside & ~real
        active = inside & real
    clear = None
    if resets is not None:
        clear = _flags("resets", resets, T, B)
        if active is not None:
            clear = clear & active
        if reverse:
            clear = _crossed(clear, active)
    return Rows(
        order=range(T - 1, -1, -1) if reverse else range(T),
        active=active,
        held=held,
        clear=clear,
        stop=_stops(clear, active, T, B, reverse, bptt_steps),
        last=np.zeros(B, dtype=np.intp) if reverse else last,
    )


def _within(lengths: npt.ArrayLike | None, T: int, B: int) -> tuple[Array | None, Array]:
    """True where t < length (None without lengths), and the last such step or 0."""
    if lengths is None:
        return None, np.full(B, max(T - 1, 0))
    ends = expect_shape("reference.lstm", "lengths", np.asarray(lengths), (B,))
    if ends.dtype.kind not in "iu":
        raise TypeError(f"[reference.lstm] lengths has dtype {ends.dtype}; expected integers")
    ends = ends.astype(np.intp)
    if B and (ends.min() < 0 or ends.max() > T):
        raise ValueError(f"[reference.lstm] lengths are {ends.min()} to {ends.max()}; T is {T}")
    return np.arange(T)[:, None] < ends, np.maximum(ends - 1, 0)


def _flags(name: str, value: npt.ArrayLike, T: int, B: int) -> Array:
    """(T, B) bool from (B, T) bool."""
    flags = expect_shape("reference.lstm", name, np.asarray(value), (B, T)).T
    if flags.dtype != np.bool_:
        raise TypeError(f"[reference.lstm] {name} has dtype {flags.dtype}; expected bool")
    return flags


def _crossed(begins: Array, active: Array | None) -> Array:
    """The real steps of a reverse run that follow a step at which a sequence begins."""
    crossed = np.zeros_like(begins)
    behind = np.zeros(begins.shape[1:], dtype=np.bool_)  # at the row's last real step so far?
    for t in reversed(range(len(begins))):
        real = np.True_ if active is None else active[t]
        crossed[t] = real & behind
        behind = np.where(real, begins[t], behind)
    return crossed


def _stops(
    clear: Array | None, active: Array | None, T: int, B: int, reverse: bool, every: int | None
) -> Array | None:
    """Where the state is cleared, and before each real step whose number is a multiple."""
    if every is None:
        return clear
    if every < 1:
        raise ValueError(f"[reference.lstm] bptt_steps is {every}; expected at least 1")
    real = np.ones((T, B), dtype=np.bool_) if active is None else active
    order = slice(None, None, -1 if reverse else 1)
    number = np.cumsum(real[order], axis=0)[order] - 1
    cut = np.asarray(real & (number > 0) & (number % every == 0))
    return cut if clear is None else np.asarray(clear | cut)

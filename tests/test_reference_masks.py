"""Masks and truncated BPTT of the reference: what they must equal, bit for bit.

Whole numbers throughout (see whole_numbers.py), so that equal means equal; their gradients against
central differences stand in test_reference.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lstmfast.reference import Masks, lstm_backward, lstm_forward
from stack_problem import KINDS
from whole_numbers import B, H, T, Whole, assert_equal

Array = npt.NDArray[Any]

LENGTHS = np.array([4, 0, 6, 1])


def is_gradient(name: str) -> bool:
    return name.startswith("d ")


@pytest.mark.parametrize("bptt_steps", [None, 1, 2])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_masked_steps_are_not_there(reverse: bool, zeros: bool, bptt_steps: int | None) -> None:
    """A row gives what its real steps give alone; outputs in between repeat, or are zero."""
    problem = Whole()
    how: dict[str, Any] = {"reverse": reverse, "bptt_steps": bptt_steps}
    resets = np.random.default_rng(1).random((B, T)) < 0.3
    resets[1, 2] = resets[2, 3] = True  # the first real step, and one after a gap
    together = problem.run(mask=KINDS, zero_output_for_mask=zeros, resets=resets, **how)
    total: dict[str, Any] = dict.fromkeys(filter(is_gradient, together), 0.0)
    for b, mask in enumerate(KINDS):
        row, real = slice(b, b + 1), np.flatnonzero(mask)
        # the real step, if any, whose output each step repeats
        shown: list[int | None] = []
        for t in range(T):
            before = real[real >= t] if reverse else real[real <= t]
            near = None if before.size == 0 else int(before.min() if reverse else before.max())
            shown.append(near if mask[t] or not zeros else None)
        dy = np.zeros_like(problem.dy[row])
        for t, source in enumerate(shown):
            if source is not None:
                dy[:, source] += problem.dy[row, t]
        alone = problem.run(
            x=problem.x[row, real],
            dy=dy[:, real],
            resets=resets[row, real],
            **{k: getattr(problem, k)[row] for k in ("h0", "c0", "dh", "dc")},
            **how,
        )
        np.testing.assert_array_equal(together["y"][row, real], alone["y"])
        for t, source in enumerate(shown):
            expected = 0.0 if source is None else together["y"][b, source]
            np.testing.assert_array_equal(together["y"][b, t], expected)
        np.testing.assert_array_equal(together["dx"][row, real], alone["dx"])
        assert not together["dx"][b, ~mask].any()
        for name in ("h", "c", "dh0", "dc0"):
            np.testing.assert_array_equal(together[name][row], alone[name], err_msg=name)
        total = {name: value + alone[name] for name, value in total.items()}
    for name, value in total.items():
        np.testing.assert_array_equal(together[name], value, err_msg=name)


@pytest.mark.parametrize("bptt_steps", [None, 2])
@pytest.mark.parametrize("reverse", [False, True])
def test_lengths_are_a_right_mask_with_zeros(reverse: bool, bptt_steps: int | None) -> None:
    problem = Whole()
    resets = np.random.default_rng(0).random((B, T)) < 0.3
    how: dict[str, Any] = {"resets": resets, "reverse": reverse, "bptt_steps": bptt_steps}
    mask = np.arange(T) < LENGTHS[:, None]
    masked = problem.run(mask=mask, zero_output_for_mask=True, **how)
    assert_equal(masked, problem.run(lengths=LENGTHS, **how))
    both = problem.run(mask=np.ones_like(mask), lengths=LENGTHS, **how)
    assert_equal(both, masked)


def test_what_is_masked_never_leaks() -> None:
    problem = Whole()
    x, dy, resets = problem.x.copy(), problem.dy.copy(), np.zeros((B, T), dtype=bool)
    x[~KINDS], dy[~KINDS], resets[:, 3] = np.nan, np.nan, True
    how: dict[str, Any] = {"mask": KINDS, "zero_output_for_mask": True}
    dirty = problem.run(x=x, dy=dy, resets=resets | ~KINDS, **how)
    assert_equal(dirty, problem.run(resets=resets & KINDS, **how))


def test_all_cell_states_come_out_as_outputs_do() -> None:
    problem = Whole()
    how: dict[str, Any] = {"options": problem.options, "mask": KINDS}
    _, (_, c), cache = lstm_forward(problem.x, problem.params, problem.h0, problem.c0, **how)
    states = cache.cell_states()
    np.testing.assert_array_equal(states[:3, -1], c[:3])
    np.testing.assert_array_equal(states[2, 2], states[2, 1])
    assert not states[3].any()
    assert not states[1, :2].any()


@pytest.mark.parametrize("k", [1, 2, 4, T, T + 3])
@pytest.mark.parametrize("reverse", [False, True])
def test_truncated_is_chunks_with_states_held_fixed(reverse: bool, k: int) -> None:
    """Forward is the whole run; backward is that of chunks that hand no gradient down."""
    problem = Whole()
    how: dict[str, Any] = {"options": problem.options, "reverse": reverse}
    together = problem.run(reverse=reverse, bptt_steps=k)
    starts = range(0, T, k)
    pieces = [slice(n, min(n + k, T)) for n in starts]
    if reverse:
        pieces = [slice(T - piece.stop, T - piece.start) for piece in pieces]
    h, c = problem.h0, problem.c0
    total: dict[str, Any] = {}
    for n, piece in enumerate(pieces):
        y, (h, c), cache = lstm_forward(problem.x[:, piece], problem.params, h, c, **how)
        last = n == len(pieces) - 1
        d_final = (problem.dh, problem.dc) if last else (None, None)
        dx, dh0, dc0, grads = lstm_backward(problem.dy[:, piece], *d_final, cache)
        np.testing.assert_array_equal(together["y"][:, piece], y)
        np.testing.assert_array_equal(together["dx"][:, piece], dx)
        if n == 0:
            np.testing.assert_array_equal(together["dh0"], dh0)
            np.testing.assert_array_equal(together["dc0"], dc0)
        total = {name: total.get(name, 0.0) + value for name, value in grads.items()}
    np.testing.assert_array_equal(together["h"], h)
    np.testing.assert_array_equal(together["c"], c)
    for name, value in total.items():
        np.testing.assert_array_equal(together[f"d {name}"], value, err_msg=name)
    if k < T:
        whole = problem.run(reverse=reverse)
        assert np.any(whole["d kernel"] != together["d kernel"])


def test_zoneout_hands_nothing_over_a_cut_either() -> None:
    problem = Whole()
    stay = Masks(zoneout_h=np.ones((B, T, H)), zoneout_c=np.ones((B, T, H)))
    free, cut = problem.run(masks=stay), problem.run(masks=stay, bptt_steps=2)
    assert free["dh0"].any()
    np.testing.assert_array_equal(cut["dh0"], problem.dy[:, :2].sum(axis=1))
    np.testing.assert_array_equal(cut["dc0"], np.zeros((B, H)))

"""What must hold exactly: two ways to compute one thing with the reference, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from lstmfast import reference
from lstmfast._layouts import gate_part
from lstmfast.reference import Masks, lstm_backward, lstm_forward
from whole_numbers import WHOLE, B, H, I, T, Whole, assert_equal, whole

Array = npt.NDArray[Any]


def is_gradient(name: str) -> bool:
    return name.startswith("d ")


@pytest.mark.parametrize("reverse", [False, True])
def test_lengths_are_truncation(reverse: bool) -> None:
    problem, lengths = Whole(), np.array([4, 0, 6, 1])
    together = problem.run(lengths=lengths, reverse=reverse)
    total: dict[str, Any] = dict.fromkeys(filter(is_gradient, together), 0.0)
    for b, n in enumerate(lengths):
        row = slice(b, b + 1)
        alone = problem.run(
            x=problem.x[row, :n],
            dy=problem.dy[row, :n],
            **{k: getattr(problem, k)[row] for k in ("h0", "c0", "dh", "dc")},
            reverse=reverse,
        )
        for name in ("y", "dx"):
            np.testing.assert_array_equal(together[name][row, :n], alone[name])
            assert not together[name][row, n:].any()
        for name in ("h", "c", "dh0", "dc0"):
            np.testing.assert_array_equal(together[name][row], alone[name])
        total = {name: value + alone[name] for name, value in total.items()}
    for name, value in total.items():
        np.testing.assert_array_equal(together[name], value, err_msg=name)


def test_padding_never_leaks() -> None:
    problem, lengths = Whole(), np.array([4, 0, 6, 1])
    padding = np.arange(T) >= lengths[:, None]
    x, dy = problem.x.copy(), problem.dy.copy()
    x[padding], dy[padding] = np.nan, np.nan
    resets = padding.copy()
    dirty = problem.run(x=x, dy=dy, lengths=lengths, resets=resets)
    assert_equal(dirty, problem.run(lengths=lengths))


@pytest.mark.parametrize("reverse", [False, True])
def test_resets_are_separate_runs(reverse: bool) -> None:
    problem = Whole()
    resets = np.zeros((B, T), dtype=bool)
    resets[:, 2] = resets[:, 5] = True
    together = problem.run(resets=resets, reverse=reverse)
    pieces = [slice(0, 2), slice(2, 5), slice(5, 6)]
    first, last = (2, 0) if reverse else (0, 2)
    runs = []
    for k, piece in enumerate(pieces):
        nothing = np.zeros((B, H))
        runs.append(
            problem.run(
                x=problem.x[:, piece],
                dy=problem.dy[:, piece],
                **({} if k == first else {"h0": nothing, "c0": nothing}),
                **({} if k == last else {"dh": nothing, "dc": nothing}),
                reverse=reverse,
            )
        )
    for name in ("y", "dx"):
        joined = np.concatenate([run[name] for run in runs], axis=1)
        np.testing.assert_array_equal(together[name], joined)
    for name in ("h", "c"):
        np.testing.assert_array_equal(together[name], runs[last][name])
    for name in ("dh0", "dc0"):
        np.testing.assert_array_equal(together[name], runs[first][name])
    for name in filter(is_gradient, together):
        np.testing.assert_array_equal(together[name], sum(run[name] for run in runs))


def test_reset_clears_even_what_is_not_finite() -> None:
    problem = Whole()
    resets = np.zeros((B, T), dtype=bool)
    resets[:, 0] = True
    lost = np.full((B, H), np.nan)
    y, _, _ = lstm_forward(
        problem.x, problem.params, lost, lost, options=problem.options, resets=resets
    )
    np.testing.assert_array_equal(y, problem.run(h0=np.zeros((B, H)), c0=np.zeros((B, H)))["y"])


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_chunks_are_the_whole(cut: int) -> None:
    problem = Whole()
    whole_run = problem.run()
    early, late = slice(0, cut), slice(cut, T)
    x, dy, params = problem.x, problem.dy, problem.params
    keywords: dict[str, Any] = {"options": problem.options}
    y1, (h, c), cache1 = lstm_forward(x[:, early], params, problem.h0, problem.c0, **keywords)
    y2, _, cache2 = lstm_forward(x[:, late], params, h, c, **keywords)
    dx2, dh, dc, grads2 = lstm_backward(dy[:, late], problem.dh, problem.dc, cache2)
    dx1, _, _, grads1 = lstm_backward(dy[:, early], dh, dc, cache1)
    np.testing.assert_array_equal(np.concatenate([y1, y2], axis=1), whole_run["y"])
    np.testing.assert_array_equal(np.concatenate([dx1, dx2], axis=1), whole_run["dx"])
    for name, value in grads1.items():
        np.testing.assert_array_equal(value + grads2[name], whole_run[f"d {name}"])


def test_coupled_is_plain_with_the_mirrored_gate() -> None:
    """s(x) = clip(x + 1/2, 0, 1) has s(-x) = 1 - s(x): i of -z_f is 1 - f."""
    options = replace(WHOLE, recurrent_activation="hard_sigmoid:1:0.5", coupled=True)
    coupled = Whole(options, steps=3, fraction_bits=40)
    for name, value in coupled.params.items():
        coupled.params[name] = np.sign(value) * (np.abs(value) == 1.0)
    mirrored = {
        name: np.concatenate([-value[..., :H], value], axis=-1)
        if name != "peephole"
        else np.concatenate([-value[:1], value])
        for name, value in coupled.params.items()
    }
    actual = coupled.run()
    expected = coupled.run(params=mirrored, options=replace(options, coupled=False))
    for name, value in list(expected.items()):
        if name == "d peephole":
            expected[name] = np.stack([value[1] - value[0], value[2]])
        elif is_gradient(name):
            i, rest = value[..., :H], value[..., H:].copy()
            rest[..., :H] -= i
            expected[name] = rest
    assert_equal(actual, expected)


@pytest.mark.parametrize("gate", ["i", "f", "o"])
def test_a_gate_switched_off_is_one(gate: str) -> None:
    """Far right of clip(x, 0, 1) the gate is 1 and hands nothing back."""
    options = replace(WHOLE, recurrent_activation="hard_sigmoid:1:0")
    problem = Whole(options)
    keyword = {"i": "input_gate", "f": "forget_gate", "o": "output_gate"}[gate]
    off: dict[str, Any] = {keyword: False}
    switched = problem.run(options=replace(options, **off))
    far = problem.params["bias"].copy()
    far[gate_part(gate, H)] = 1e6
    saturated = problem.run(params=problem.params | {"bias": far})
    assert_equal(switched, saturated)


def test_reverse_is_the_flipped_sequence() -> None:
    problem = Whole()
    reverse = problem.run(reverse=True)
    flipped = problem.run(x=problem.x[:, ::-1], dy=problem.dy[:, ::-1])
    flipped |= {name: flipped[name][:, ::-1] for name in ("y", "dx")}
    assert_equal(reverse, flipped)


def test_time_major_is_batch_first_transposed() -> None:
    problem, lengths = Whole(), np.array([4, 0, 6, 1])
    resets = np.random.default_rng(0).random((B, T)) < 0.3
    keywords: dict[str, Any] = {"lengths": lengths, "resets": resets}
    swapped = problem.run(
        x=problem.x.swapaxes(0, 1), dy=problem.dy.swapaxes(0, 1), batch_first=False, **keywords
    )
    swapped |= {name: swapped[name].swapaxes(0, 1) for name in ("y", "dx")}
    assert_equal(swapped, problem.run(**keywords))


def test_masks_multiply_what_they_mask() -> None:
    rng = np.random.default_rng(1)
    problem = Whole(replace(WHOLE, proj_size=2))
    inputs, weights = 2 * rng.integers(0, 2, (B, I)), 2 * rng.integers(0, 2, (2, 4 * H))
    masked = problem.run(masks=Masks(input=inputs, weight=weights))
    by_hand = problem.run(
        x=problem.x * inputs[:, None, :],
        params=problem.params | {"recurrent_kernel": problem.params["recurrent_kernel"] * weights},
    )
    by_hand["dx"] = by_hand["dx"] * inputs[:, None, :]
    by_hand["d recurrent_kernel"] = by_hand["d recurrent_kernel"] * weights
    assert_equal(masked, by_hand)
    every_step = np.broadcast_to(inputs[:, None, :], problem.x.shape)
    assert_equal(problem.run(masks=Masks(input=every_step, weight=weights)), masked)


def test_zoneout_keeps_or_takes_and_expects_the_mean() -> None:
    problem = Whole()
    keep, take = np.ones((B, T, H)), np.zeros((B, T, H))
    assert_equal(problem.run(masks=Masks(zoneout_h=take, zoneout_c=take)), problem.run())
    kept = problem.run(masks=Masks(zoneout_h=keep, zoneout_c=keep))
    np.testing.assert_array_equal(kept["h"], problem.h0)
    np.testing.assert_array_equal(kept["c"], problem.c0)
    rate = replace(WHOLE, zoneout_h=0.5, zoneout_c=0.25)
    x, params, states = problem.x, problem.params, (problem.h0, problem.c0)
    expected, _, _ = lstm_forward(x, params, *states, options=rate)
    masks = Masks(zoneout_h=keep * 0.5, zoneout_c=keep * 0.25)
    actual, _, _ = lstm_forward(x, params, *states, options=WHOLE, masks=masks)
    np.testing.assert_array_equal(actual, expected)


def test_stack_is_layer_after_layer() -> None:
    rng = np.random.default_rng(2)
    options = replace(WHOLE, peephole=False)
    layers = [
        {n: whole(rng, *s) for n, s in reference.parameter_shapes(width, H, options).items()}
        for width in (I, I, 2 * H, 2 * H)
    ]
    x, dropout = whole(rng, B, 3, I), 2.0 * rng.integers(0, 2, (B, 3, 2 * H))
    h0, c0, dh, dc = (whole(rng, 4, B, H) for _ in range(4))
    dy, lengths = whole(rng, B, 3, 2 * H), np.array([3, 1, 2, 3])
    y, (h, c), cache = reference.stack_forward(
        x, layers, h0, c0, options=options, bidirectional=True, lengths=lengths, dropout=[dropout]
    )
    dx, dh0, dc0, grads = reference.stack_backward(dy, dh, dc, cache)

    below, caches = x, []
    for layer in (0, 1):
        outputs = []
        for n in (2 * layer, 2 * layer + 1):
            out, final, run = lstm_forward(
                below, layers[n], h0[n], c0[n], options=options, lengths=lengths, reverse=n % 2 == 1
            )
            np.testing.assert_array_equal(h[n], final[0])
            np.testing.assert_array_equal(c[n], final[1])
            outputs.append(out)
            caches.append(run)
        below = np.concatenate(outputs, axis=-1) * (dropout if layer == 0 else 1.0)
    np.testing.assert_array_equal(y, below)
    flow = dy
    for layer in (1, 0):
        back = [
            lstm_backward(flow[..., H * d : H * d + H], dh[n], dc[n], caches[n])
            for d, n in enumerate((2 * layer, 2 * layer + 1))
        ]
        for n, (_, state_h, state_c, named) in zip((2 * layer, 2 * layer + 1), back, strict=True):
            np.testing.assert_array_equal(dh0[n], state_h)
            np.testing.assert_array_equal(dc0[n], state_c)
            for name, value in named.items():
                np.testing.assert_array_equal(grads[n][name], value)
        flow = (back[0][0] + back[1][0]) * (dropout if layer == 1 else 1.0)
    np.testing.assert_array_equal(dx, flow)


def test_gates_and_cell_states_can_be_read() -> None:
    problem = Whole()
    y, (_, c), cache = lstm_forward(
        problem.x, problem.params, problem.h0, problem.c0, options=WHOLE
    )
    states = cache.cell_states()
    np.testing.assert_array_equal(states[:, -1], c)
    np.testing.assert_array_equal(y, cache.gate("o") * np.clip(states, -1.0, 1.0))

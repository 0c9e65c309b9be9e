"""Arrays that stay in a caller's hands: changed meanwhile, in each other's memory, unaligned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from lstmfast import _core, functional, layers

B, T, I, H = 4, 6, 3, 5


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


X, H0, C0 = normal(B, T, I), normal(2, B, H, seed=1), normal(2, B, H, seed=2)
LENGTHS, RESETS = np.array([6, 3, 2, 5]), np.random.default_rng(3).random((B, T)) < 0.3
WEIGHTS = normal(4 * H, I, seed=4), normal(4 * H, H, seed=5)


def inside(memory: np.ndarray, value: np.ndarray, offset: int = 0) -> np.ndarray:
    """A copy of `value` that lies in `memory` (bytes), from `offset` on."""
    part = memory[offset : offset + value.nbytes].view(value.dtype).reshape(value.shape)
    part[...] = value
    return part


def unaligned(value: np.ndarray) -> np.ndarray:
    return inside(np.zeros(value.nbytes + 1, np.uint8), value, 1)


@pytest.mark.parametrize("batch_first", [True, False])
def test_lengths_and_resets_are_those_of_the_call(batch_first: bool) -> None:
    rnn = lf.LSTM(I, H, 2, batch_first=batch_first, recompute_every=2, seed=0)
    x, dy = (X, normal(B, T, H, seed=6))
    resets = RESETS.copy() if batch_first else np.ascontiguousarray(RESETS.T)
    if not batch_first:
        x, dy = (np.ascontiguousarray(each.swapaxes(0, 1)) for each in (x, dy))
    found = []
    for change in (False, True):
        lengths, flags = LENGTHS.copy(), resets.copy()
        rnn.zero_grad()
        rnn(x, lengths=lengths, resets=flags, training=True)
        if change:
            lengths[:], flags[:] = 10**6, True
        dx, (dh0, dc0) = rnn.backward(dy)
        found.append({"dx": dx, "dh0": dh0, "dc0": dc0, **rnn.grads()})
    runs.assert_same_bits(found[1], found[0])


OVERLAPS: dict[str, Any] = {
    "x": X,
    "h0": H0,
    "c0": C0,
    "lengths": LENGTHS,
    "resets": RESETS,
    # converted, so that the core reads a copy
    "x of float64": X.astype(np.float64),
    "h0 of float64": H0.astype(np.float64),
    "c0 in Fortran order": C0,
    "lengths of int32": LENGTHS.astype(np.int32),
    "resets of int8": RESETS.astype(np.int8),
}


@pytest.mark.parametrize("case", OVERLAPS)
def test_out_may_share_memory_with_no_input(case: str) -> None:
    name = case.split()[0]
    rnn = lf.LSTM(I, H, bidirectional=True, seed=0)
    memory = np.zeros(4096, np.uint8)
    value = OVERLAPS[case]
    shared = inside(memory, value.T if "Fortran" in case else value)
    given = {"x": X, "h0": H0, "c0": C0, "lengths": LENGTHS, "resets": RESETS}
    given[name] = shared.T if "Fortran" in case else shared
    out = memory[:960].view(np.float32).reshape(B, T, 2 * H)
    before = memory.copy()
    x, h0, c0 = (given.pop(key) for key in ("x", "h0", "c0"))
    with pytest.raises(ValueError) as caught:
        rnn(x, (h0, c0), **given, out=out)
    expected = f"[lstm.forward] out shares memory with {name}; expected an array of its own"
    assert str(caught.value) == expected
    np.testing.assert_array_equal(memory, before)


@pytest.mark.parametrize("name", ["x", "w_ih", "w_hh", "b_ih", "w_peephole", "h0", "lengths"])
def test_out_of_a_function_shares_memory_with_no_argument(name: str) -> None:
    memory = np.zeros(4096, np.uint8)
    w_ih, w_hh = WEIGHTS
    given = {
        "x": X,
        "w_ih": w_ih,
        "w_hh": w_hh,
        "b_ih": normal(4 * H),
        "w_peephole": normal(3, H),
        "h0": H0[0],
        "c0": C0[0],
        "lengths": LENGTHS,
    }
    given[name] = inside(memory, given[name])
    out = memory[: 4 * B * T * H].view(np.float32).reshape(B, T, H)
    before = memory.copy()
    with pytest.raises(ValueError, match=rf"\[functional.lstm\] out shares memory with {name};"):
        functional.lstm(**given, out=out)
    np.testing.assert_array_equal(memory, before)


def test_neighbours_share_no_memory() -> None:
    rnn = lf.LSTM(I, H, seed=0)
    memory = np.zeros(4096, np.uint8)
    x, lengths = inside(memory, X), inside(memory, LENGTHS, X.nbytes + 4 * B * T * H)
    out = memory[X.nbytes : X.nbytes + 4 * B * T * H].view(np.float32).reshape(B, T, H)
    y, _ = rnn(x, lengths=lengths, out=out)
    np.testing.assert_array_equal(y, rnn(X, lengths=LENGTHS)[0])


def test_unaligned_inputs_are_copied() -> None:
    rnn, layer = lf.LSTM(I, H, 2, return_cell_states=True, seed=0), layers.LSTM(H)
    dy, dcells, dh, dc = (normal(*s) for s in ((B, T, H), (B, T, H), (2, B, H), (2, B, H)))
    found = []
    for place in (np.array, unaligned):
        x, h0, c0, lengths = (place(each) for each in (X, H0, C0, LENGTHS))
        assert x.flags.aligned == lengths.flags.aligned == (place is np.array)
        rnn.zero_grad()
        y, (h, c), cells = rnn(x, (h0, c0), lengths=lengths, training=True)
        dx, (dh0, dc0) = rnn.backward(place(dy), (place(dh), place(dc)), place(dcells))
        inside_of = rnn.trace(x, (h0, c0), lengths=lengths)["l1"]
        w_ih, w_hh = (place(each) for each in WEIGHTS)
        of_function, _ = functional.lstm(x, w_ih, w_hh, lengths=lengths)
        of_layer = layer(x)
        names = "y h c cells dx dh0 dc0 traced of_function of_layer"
        values = y.copy(), h, c, cells, dx, dh0, dc0, inside_of.f, of_function, of_layer
        found.append(dict(zip(names.split(), values, strict=True)) | rnn.grads())
    runs.assert_same_bits(found[1], found[0])


def test_unaligned_out_is_refused() -> None:
    rnn = lf.LSTM(I, H, seed=0)
    out = unaligned(np.zeros((B, T, H), np.float32))
    with pytest.raises(ValueError) as caught:
        rnn(X, out=out)
    expected = "out is not aligned in memory; expected an address divisible by 4"
    assert str(caught.value) == f"[lstm.forward] {expected}"
    assert not out.any()
    with pytest.raises(ValueError, match=r"\[functional.lstm\] out is not aligned in memory"):
        functional.lstm(X, *WEIGHTS, out=out)


def test_the_core_takes_no_unaligned_array() -> None:
    core = lf.LSTM(I, H)._core
    with pytest.raises(ValueError, match=r"\[lstm.forward\] x is not aligned in memory; expected"):
        core.forward(unaligned(X), None, None, None, False, None, True, True, True)
    with pytest.raises(ValueError, match=r"lengths is not aligned .* divisible by 8"):
        core.forward(X, None, unaligned(LENGTHS), None, False, None, True, True, True)
    assert isinstance(core, _core.Rnn)


# calls so long that they let other threads run
THREADS = """
import threading, numpy as np, lstmfast as lf
from lstmfast.layers import Bidirectional, LSTM
rng = np.random.default_rng(0)
x = rng.standard_normal((16, 50, 3), dtype=np.float32)
rnn = lf.LSTM(3, 32, 8, seed=0)
layer = Bidirectional(LSTM(32, return_sequences=True))
lengths, resets, mask = np.full(16, 50), np.zeros((16, 50), bool), np.ones((16, 50), bool)
done = False

def write():
    while not done:
        for row in range(16):
            wrong, right = rng.integers(100, 10**6), rng.integers(0, 51)
            lengths[row] = wrong
            lengths[row] = right
            resets[row] ^= True
            mask[row] ^= True

writer = threading.Thread(target=write)
writer.start()
finished = 0
for k in range(40):
    try:
        y, _ = rnn(x, lengths=lengths, resets=resets, training=k % 2 == 0)
        if k % 2 == 0:
            rnn.backward(np.ones_like(y))
        finished += bool(np.isfinite(y).all())
    except ValueError as error:
        assert "lengths[" in str(error), error
    assert np.isfinite(layer(x, mask=mask)).all()
done = True
writer.join()
assert finished > 0
"""


def test_arrays_that_another_thread_writes() -> None:
    run = runs.python(THREADS, timeout=120.0)
    assert run.returncode == 0, run.stderr

"""Edges that went wrong once, or nearly: infinite input, kinks, shared memory, long sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import reference


@pytest.mark.isa
@pytest.mark.parametrize("hidden", range(1, 20))
@pytest.mark.parametrize("options", [{}, {"peephole": True, "coupled": True}])
def test_infinite_input_stays_in_its_lane(hidden: int, options: dict[str, Any]) -> None:
    """An infinite x saturates gates; padding lanes make NaN of 0 * inf, which must go nowhere."""
    rnn = lf.LSTM(3, hidden, seed=1, **options)
    x = np.random.default_rng(0).standard_normal((2, 3, 3)).astype(np.float32)
    x[0, 0, 0] = np.inf
    y, _ = rnn(x, training=True)
    dx, (dh0, dc0) = rnn.backward(np.ones_like(y))
    for array in (y, dx, dh0, dc0):
        assert np.isfinite(array).all()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "hard_sigmoid"])
def test_slope_at_the_kink_is_the_references(activation: str) -> None:
    rnn = lf.LSTM(2, 3, activation=activation, dtype="float64")
    rnn.load_state_dict({name: np.zeros_like(v) for name, v in rnn.state_dict().items()})
    x = np.zeros((1, 1, 2))
    rnn(x, training=True)
    rnn.backward(None, (None, np.ones((1, 1, 3))))
    params = {
        name: np.zeros(shape)
        for name, shape in reference.parameter_shapes(input_size=2, hidden_size=3).items()
    }
    options = reference.CellOptions(activation=activation)
    _, _, cache = reference.lstm_forward(x, params, options=options)
    grads = reference.lstm_backward(None, None, np.ones((1, 3)), cache)[3]
    np.testing.assert_array_equal(rnn.grads()["bias_ih_l0"], grads["bias"])


@pytest.mark.parametrize("name", ["x", "h0", "c0"])
def test_out_may_not_share_memory_with_inputs(name: str) -> None:
    rnn = lf.LSTM(4, 4, seed=0)
    x = np.ones((1, 2, 4), np.float32)
    states = np.zeros((2, 1, 1, 4), np.float32)
    arrays = {"x": x, "h0": states[0], "c0": states[1]}
    before = x.copy()
    memory = np.zeros(64, np.float32)
    shared = memory[: arrays[name].size].reshape(arrays[name].shape)
    shared[...] = arrays[name]
    arrays[name] = shared
    out = memory[:8].reshape(1, 2, 4)
    with pytest.raises(ValueError, match=rf"out shares memory with {name}"):
        rnn(arrays["x"], (arrays["h0"], arrays["c0"]), out=out)
    if name == "x":
        np.testing.assert_array_equal(out, before)


def test_peephole_gradients_of_long_batches_keep_their_digits() -> None:
    """A sum over B T rows in blocks: its error grows with the blocks, not with the rows."""
    B, T, H = 32, 400, 5
    numbers = np.random.default_rng(2)
    x, dy = numbers.standard_normal((B, T, 2)), numbers.uniform(0.5, 1.5, (B, T, H))
    grads = []
    for dtype in ("float32", "float64"):
        rnn = lf.LSTM(2, H, peephole=True, seed=3, dtype=dtype)
        rnn(x.astype(dtype), training=True)
        rnn.backward(dy.astype(dtype))
        grads.append(rnn.grads()["weight_peephole_l0"])
    # 256 terms a block and B T / 256 blocks, each rounded: eps (sqrt(256) + sqrt(50)) of the sum of
    # sizes, and the rounding of dz itself on top, a few eps sqrt(T).
    scale = np.abs(grads[1]).max()
    bound = np.finfo(np.float32).eps * (16 + np.sqrt(B * T / 256) + 4 * np.sqrt(T))
    assert np.abs(grads[0] - grads[1]).max() <= bound * scale

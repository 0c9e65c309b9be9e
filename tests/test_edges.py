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


@pytest.mark.isa
@pytest.mark.parametrize("options", [{}, {"layer_norm": True}, {"bidirectional": True}])
def test_nan_is_taken_and_stays_in_its_row(options: dict[str, Any]) -> None:
    rnn = lf.LSTM(3, 5, 2, seed=1, **options)
    x = np.random.default_rng(0).standard_normal((7, 4, 3)).astype(np.float32)
    expected = rnn(x)[0]
    x[2] = np.nan
    y, _ = rnn(x, training=True)
    dx, _ = rnn.backward(np.ones_like(y))
    others = np.arange(7) != 2
    assert np.isnan(y[2]).all()
    np.testing.assert_array_equal(y[others], expected[others])
    assert np.isfinite(dx[others]).all()


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


EMPTY: list[dict[str, Any]] = [
    {},
    {"num_layers": 2, "dropout": 0.5, "bidirectional": True, "proj_size": 3},
    {"layer_norm": True, "peephole": True, "recompute_every": "sqrt", "bptt_steps": 2},
    {"zoneout_h": 0.5, "recurrent_dropout": 0.2, "weight_drop": 0.3, "dtype": "float64"},
]


@pytest.mark.parametrize("rows", [{}, {"lengths": np.zeros(0, np.int64)}], ids=["", "lengths"])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("options", EMPTY, ids=lambda options: "_".join(options) or "plain")
def test_no_rows(options: dict[str, Any], batch_first: bool, rows: dict[str, Any]) -> None:
    """As in torch: empty results of the right shapes, and gradients that add nothing."""
    rnn = lf.LSTM(4, 7, batch_first=batch_first, return_cell_states=True, seed=0, **options)
    some = np.ones((2, 5, 4) if batch_first else (5, 2, 4))
    y, _, _ = rnn(some, training=True)
    rnn.backward(np.ones_like(y))
    grads = rnn.grads()
    x = some[:0] if batch_first else some[:, :0]
    parts, width = rnn.num_layers * (1 + rnn.bidirectional), 1 + rnn.bidirectional
    outputs = rnn.proj_size or 7
    state = np.zeros((parts, 0, outputs)), np.zeros((parts, 0, 7))
    for given in (None, state):
        for training in (False, True):
            y, (h, c), cells = rnn(x, given, **rows, resets=x[..., 0] > 0, training=training)
            assert y.shape == (*x.shape[:2], width * outputs)
            assert cells.shape == (*x.shape[:2], width * 7)
            assert (h.shape, c.shape) == (state[0].shape, state[1].shape)
        dx, (dh0, dc0) = rnn.backward(y, (h, c), cells)
        assert (dx.shape, dh0.shape, dc0.shape) == (x.shape, h.shape, c.shape)
    for name, gradient in rnn.grads().items():
        np.testing.assert_array_equal(gradient, grads[name])
    assert rnn.trace(x, **rows)["l0"].f.shape == (*x.shape[:2], 7)


def test_no_rows_in_functions() -> None:
    weights, x, state = (np.ones((8, 3)), np.ones((8, 2))), np.zeros((0, 4, 3)), np.zeros((0, 2))
    given = {"h0": state, "c0": state, "lengths": []}
    (y, (h, c)), vjp = lf.functional.lstm_vjp(x, *weights, **given)
    assert (y.shape, h.shape, c.shape) == ((0, 4, 2), (0, 2), (0, 2))
    assert lf.functional.lstm(x, *weights, **given)[0].shape == (0, 4, 2)
    for _ in range(2):
        gradients = vjp(y, (h, c))
        assert (gradients.x.shape, gradients.h0.shape) == (x.shape, (0, 2))
        assert not gradients.w_ih.any()
        assert not gradients.w_hh.any()


@pytest.mark.parametrize("batch", [0, 2])
def test_no_steps_are_refused(batch: int) -> None:
    with pytest.raises(ValueError) as caught:
        lf.LSTM(4, 7)(np.zeros((batch, 0, 4)))
    expected = f"[lstm.forward] x has shape (B={batch}, T=0, I=4); expected at least one step"
    assert str(caught.value) == expected


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

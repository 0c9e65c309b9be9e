"""`lstmfast.functional`: the layer as pure functions, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import functional

B, T, I, H = 3, 5, 4, 7
CELLS = [{}, {"peephole": True, "coupled": True}, {"layer_norm": True}]
CELL_IDS = ["plain", "coupled_peephole", "layer_norm"]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def weights_of(rnn: lf.LSTM) -> dict[str, np.ndarray]:
    names = {
        "weight_ih_l0": "w_ih",
        "weight_hh_l0": "w_hh",
        "bias_ih_l0": "b_ih",
        "bias_hh_l0": "b_hh",
        "weight_peephole_l0": "w_peephole",
    }
    state = rnn.state_dict()
    return {names.get(k, k.removesuffix("_l0")): v for k, v in state.items()}


@pytest.mark.parametrize("cell", CELLS, ids=CELL_IDS)
def test_functional_is_the_layer(cell: dict[str, bool]) -> None:
    rnn = lf.LSTM(I, H, seed=1, **cell)
    weights = weights_of(rnn) | {"coupled": rnn.coupled}
    x, h0, c0 = normal(B, T, I), normal(B, H, seed=1), normal(B, H, seed=2)
    dy, dh, dc = normal(B, T, H, seed=3), normal(B, H, seed=4), normal(B, H, seed=5)
    y, (h, c) = rnn(x, (h0[None], c0[None]), training=True)
    dx, (dh0, dc0) = rnn.backward(dy, (dh[None], dc[None]))
    packed = functional.pack(**weights)
    for y2, (h2, c2) in (
        functional.lstm(x, h0=h0, c0=c0, **weights),
        functional.lstm(x, packed, h0=h0, c0=c0),
    ):
        np.testing.assert_array_equal(y2, y)
        np.testing.assert_array_equal((h2, c2), (h[0], c[0]))
    (y3, _), vjp = functional.lstm_vjp(x, packed, h0=h0, c0=c0)
    np.testing.assert_array_equal(y3, y)
    x[:] = 0  # the function keeps what it was called with
    for gradients in (vjp(dy, (dh, dc)), vjp(dy, (dh, dc))):
        np.testing.assert_array_equal(gradients.x, dx)
        np.testing.assert_array_equal((gradients.h0, gradients.c0), (dh0[0], dc0[0]))
        for name, value in rnn.grads().items():
            ours = name.removesuffix("_l0")
            ours = {
                "weight_ih": "w_ih",
                "weight_hh": "w_hh",
                "bias_ih": "b_ih",
                "bias_hh": "b_hh",
            }.get(ours, ours.replace("weight_peephole", "w_peephole"))
            np.testing.assert_array_equal(getattr(gradients, ours), value)


def test_functional_without_bias_and_batch() -> None:
    w_ih, w_hh = normal(4 * H, I).astype(np.float64), normal(4 * H, H).astype(np.float64)
    (y, (h, _)), vjp = functional.lstm_vjp(normal(T, I), w_ih, w_hh)
    assert (y.dtype, y.shape, h.shape) == (np.float64, (T, H), (H,))
    gradients = vjp(np.ones_like(y))
    assert gradients.x.shape == (T, I)
    assert gradients.b_ih is None
    assert gradients.b_hh is None


def test_packed_weights_do_not_change() -> None:
    w_ih, w_hh = normal(4 * H, I), normal(4 * H, H)
    packed = functional.pack(w_ih, w_hh)
    y, _ = functional.lstm(normal(T, I), packed)
    w_ih[:] = 0
    np.testing.assert_array_equal(functional.lstm(normal(T, I), packed)[0], y)

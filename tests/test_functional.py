"""`lstmfast.functional`: the layer as pure functions, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from cases import Problem
from lstmfast import functional

B, T, I, H = 3, 5, 4, 7
CELLS = [{}, {"peephole": True, "coupled": True}, {"layer_norm": True}]
CELL_IDS = ["plain", "coupled_peephole", "layer_norm"]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def weights_of(rnn: lf.LSTM) -> dict[str, np.ndarray]:
    state = rnn.state_dict()
    return {runs.FUNCTION_NAMES[name]: value for name, value in state.items()}


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
            np.testing.assert_array_equal(getattr(gradients, runs.FUNCTION_NAMES[name]), value)


OPTIONS = [
    {"proj_size": 3, "proj_clip": 0.2, "return_cell_states": True},
    {"input_gate": False, "preact_clip": 0.5, "cell_clip": 0.4, "bptt_steps": 2},
    {"zoneout_h": 0.3, "zoneout_c": 0.2, "recompute_every": "sqrt"},
    {"proj_size": 9, "zoneout_h": 0.3, "input_dropout": 0.2, "weight_drop": 0.3},
    {"recurrent_dropout": 0.4, "recurrent_dropout_kind": "step", "output_activation": "relu"},
]


@pytest.mark.parametrize("drawn", [False, True], ids=["", "seed"])
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "_".join(options))
def test_options_are_those_of_the_layer(options: dict[str, Any], drawn: bool) -> None:
    rnn = lf.LSTM(I, H, seed=1, **options)
    of_weights = weights_of(rnn)
    of_pack = {name: value for name, value in options.items() if name != "proj_size"}
    O, seed = options.get("proj_size", H), 11 if drawn else None
    x, h0, c0 = normal(B, T, I), normal(B, O, seed=1), normal(B, H, seed=2)
    dy, dh, dc = normal(B, T, O, seed=3), normal(B, O, seed=4), normal(B, H, seed=5)
    dcells = normal(B, T, H, seed=6) if rnn.return_cell_states else None
    packed = functional.pack(**of_weights, **of_pack)
    layer = lf.LSTM(I, H, seed=seed, **options)
    layer.load_state_dict(rnn.state_dict())
    problem = Problem(x, (), h0[None], c0[None], None, None, dy, dh, dc, dcells)
    y, h, c, *cells = runs.forward(layer, problem, training=True, draw=drawn).values()
    dx, (dh0, dc0) = layer.backward(dy, (dh[None], dc[None]), dcells)
    for _ in range(2):
        given = (x, packed, None, None, None, h0, c0)
        again = functional.lstm(*given, seed=seed)
        (y2, (h2, c2), *cells2), vjp = functional.lstm_vjp(*given, seed=seed)
        for found in (again, (y2, (h2, c2), *cells2)):
            np.testing.assert_array_equal(found[0], y)
            np.testing.assert_array_equal(found[1][0], h[0])
            np.testing.assert_array_equal(found[1][1], c[0])
            assert len(found) == 2 + len(cells)
            for one, other in zip(found[2:], cells, strict=True):
                np.testing.assert_array_equal(one, other)
        assert again[0].flags.writeable
        for gradients in (vjp(dy, (dh, dc), dcells), vjp(dy, (dh, dc), dcells)):
            np.testing.assert_array_equal(gradients.x, dx)
            np.testing.assert_array_equal(gradients.h0, dh0[0])
            np.testing.assert_array_equal(gradients.c0, dc0[0])
            for name, value in layer.grads().items():
                ours = runs.FUNCTION_NAMES[name]
                np.testing.assert_array_equal(getattr(gradients, ours), value)


def test_a_seed_names_the_masks() -> None:
    w_ih, w_hh = normal(4 * H, I), normal(4 * H, H)
    packed = functional.pack(w_ih, w_hh, zoneout_h=0.5)
    x = normal(B, T, I)
    one, same, other, none = (functional.lstm(x, packed, seed=seed)[0] for seed in (1, 1, 2, None))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert (one != none).any()


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

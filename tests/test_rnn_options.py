"""The options of `lf.LSTM` as a user meets them: shapes, names, copies, traces."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from cases import Case, make_problem
from lstmfast._bench.options import LSTM_OPTIONS
from lstmfast._options import defaults
from option_cases import OPTION_CASES
from tolerances import backward_error

B, T, I, H, L, P = 3, 6, 4, 7, 2, 3

# every option that goes with all others
EVERYTHING: dict[str, Any] = {
    each.name: each.value for each in LSTM_OPTIONS if each.name != "coupled"
} | {"proj_size": P}


def test_the_table_has_all_options() -> None:
    named = {each.name for each in LSTM_OPTIONS}
    assert named == {*defaults("cell", "lstm"), "dropout", "bidirectional"}
    assert len(named) == len(LSTM_OPTIONS)
    for each in LSTM_OPTIONS:
        if each.role == "cell":
            assert hasattr(lf.reference.CellOptions(), each.name)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@pytest.mark.parametrize("batch_first", [True, False])
def test_shapes(batch_first: bool) -> None:
    rnn = lf.LSTM(I, H, L, batch_first=batch_first, seed=0, **EVERYTHING)
    lead = (B, T) if batch_first else (T, B)
    y, (h, c), cells = rnn(normal(*lead, I), training=True)
    assert (y.shape, cells.shape) == ((*lead, 2 * P), (*lead, 2 * H))
    assert (h.shape, c.shape) == ((2 * L, B, P), (2 * L, B, H))
    dx, (dh0, dc0) = rnn.backward(np.ones_like(y), (h, c), np.ones_like(cells))
    assert (dx.shape, dh0.shape, dc0.shape) == ((*lead, I), h.shape, c.shape)
    y, (h, c), cells = rnn(normal(T, I), (h[:, 0], c[:, 0]), training=True)
    assert (y.shape, cells.shape) == ((T, 2 * P), (T, 2 * H))
    dx, (dh0, dc0) = rnn.backward(None, (None, c), np.ones_like(cells))
    assert (dx.shape, dh0.shape, dc0.shape) == ((T, I), (2 * L, P), (2 * L, H))


def test_parameters_have_torchs_names_and_shapes() -> None:
    rnn = lf.LSTM(I, H, L, bidirectional=True, proj_size=P, peephole=True)
    shapes = {name: value.shape for name, value in rnn.state_dict().items()}
    expected = {}
    for layer, inputs in enumerate((I, 2 * P)):
        for end in (f"l{layer}", f"l{layer}_reverse"):
            expected |= {f"weight_ih_{end}": (4 * H, inputs), f"weight_hh_{end}": (4 * H, P)}
            expected |= {f"bias_ih_{end}": (4 * H,), f"bias_hh_{end}": (4 * H,)}
            expected |= {f"weight_hr_{end}": (P, H), f"weight_peephole_{end}": (3, H)}
    assert shapes == expected
    assert list(shapes) == list(expected)
    assert {name: value.shape for name, value in rnn.grads().items()} == expected
    with pytest.raises(AttributeError, match="use load_state_dict"):
        rnn.weight_hr_l0_reverse = 0


def test_final_states_are_in_torchs_order() -> None:
    """Layer 0, layer 0 reverse, layer 1, ...; a reverse direction ends at the first step."""
    rnn = lf.LSTM(I, H, L, bidirectional=True, seed=0)
    x = normal(B, T, I)
    y, (h, c) = rnn(x)
    np.testing.assert_array_equal(h[2], y[:, -1, :H])
    np.testing.assert_array_equal(h[3], y[:, 0, H:])
    inside = rnn.trace(x)
    assert list(inside) == ["l0", "l0_reverse", "l1", "l1_reverse"]
    for n, (name, trace) in enumerate(inside.items()):
        last = 0 if name.endswith("reverse") else -1
        np.testing.assert_array_equal(h[n], trace.h[:, last])
        np.testing.assert_array_equal(c[n], trace.c[:, last])


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda rnn: pickle.loads(pickle.dumps(rnn)),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_go_on_alike(how: str) -> None:
    rnn = lf.LSTM(I, H, L, seed=5, **EVERYTHING)
    x = normal(B, T, I)
    first, *_ = rnn(x, training=True)
    other = COPIES[how](rnn)
    assert repr(other) == repr(rnn)
    runs.assert_same_bits(other.state_dict(), rnn.state_dict())
    (y, _, cells), (y2, _, cells2) = rnn(x, training=True), other(x, training=True)
    assert (y != first).any()
    dx, _ = rnn.backward(np.ones_like(y), None, np.ones_like(cells))
    dx2, _ = other.backward(np.ones_like(y), None, np.ones_like(cells))
    runs.assert_same_bits({"y": y2, "cells": cells2, "dx": dx2}, {"y": y, "cells": cells, "dx": dx})
    rnn.zero_grad()
    assert not any(value.any() for value in rnn.grads().values())


def test_repr_says_what_differs() -> None:
    rnn = lf.LSTM(4, 5, proj_size=2, bidirectional=True, zoneout_h=0.5, input_gate=False)
    assert repr(rnn) == (
        "LSTM(4, 5, bidirectional=True, input_gate=False, zoneout_h=0.5, proj_size=2)"
    )
    everything = lf.LSTM(I, H, L, **EVERYTHING)
    assert repr(eval(repr(everything), {"LSTM": lf.LSTM})) == repr(everything)
    for name, value in EVERYTHING.items():
        assert getattr(everything, name) == value
    assert not hasattr(everything, "zoneout")


def test_seeds_name_the_masks() -> None:
    x = normal(B, T, I)
    weights = lf.LSTM(I, H, weight_drop=0.5, seed=0).state_dict()
    outputs = []
    for seed in (1, 1, 2):
        rnn = lf.LSTM(I, H, weight_drop=0.5, seed=seed)
        rnn.load_state_dict(weights)
        outputs.append(rnn(x, training=True)[0].copy())
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert (outputs[0] != outputs[2]).any()


def test_a_projection_may_be_wider_than_the_cell() -> None:
    y, (h, c) = lf.LSTM(I, 2, proj_size=9, seed=0)(normal(B, T, I))
    assert (y.shape, h.shape, c.shape) == ((B, T, 9), (1, B, 9), (1, B, 2))


def test_recomputing_by_the_root_keeps_less() -> None:
    """'sqrt' is the root of T, rounded up: the same bits as that number."""
    x = normal(B, 17, I)
    found = []
    for every in ("sqrt", 5):
        rnn = lf.LSTM(I, H, recompute_every=every, seed=0)
        y, _ = rnn(x, training=True)
        rnn.backward(np.ones_like(y))
        found.append(rnn.grads())
    runs.assert_same_bits(*found)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "case",
    [c for c in OPTION_CASES if c.layers == 1 and not c.bidirectional and not c.cell_clip],
    ids=lambda case: case.name,
)
def test_gates_of_a_trace_make_its_states(case: Case, dtype: str) -> None:
    """c = f c_prev + i g, mixed by zoneout; and what is off is 1, what is coupled 1 - f."""
    problem = make_problem(case, dtype)
    state = None if problem.h0 is None else (problem.h0, problem.c0)
    rnn = runs.make_rnn(case, problem)
    trace = rnn.trace(problem.x, state, lengths=problem.lengths, resets=problem.resets)["l0"]
    ends = np.full(case.B, case.T) if problem.lengths is None else problem.lengths
    real = (np.arange(case.T) < ends[:, None])[..., None]
    first = np.zeros_like(trace.c[:, 0]) if problem.c0 is None else problem.c0[0]
    before = np.concatenate([first[:, None], trace.c[:, :-1]], 1)
    if problem.resets is not None:
        before = np.where(problem.resets[..., None], 0.0, before)
    new = trace.f * before + trace.i * trace.g
    new = case.zoneout_c * before + (1.0 - case.zoneout_c) * new
    error = 8.0 * backward_error(4, dtype) * (1.0 + np.abs(new).max())
    assert np.abs(np.where(real, new - trace.c, 0.0)).max() <= error
    for gate, on in (("i", case.input_gate), ("f", case.forget_gate), ("o", case.output_gate)):
        if not on:
            assert (getattr(trace, gate) == np.where(real, 1.0, 0.0)).all()
    if case.coupled:
        assert (trace.i == np.where(real, 1 - trace.f, 0)).all()
    for name in "ifgoch":
        assert not np.where(real, 0.0, getattr(trace, name)).any()
        assert getattr(trace, name).dtype == dtype


def test_trace_of_one_sequence_and_time_major() -> None:
    rnn = lf.LSTM(I, H, L, bidirectional=True, peephole=True, seed=0)
    other = lf.LSTM(I, H, L, bidirectional=True, peephole=True, batch_first=False)
    other.load_state_dict(rnn.state_dict())
    x, resets = normal(B, T, I), np.random.default_rng(1).random((B, T)) < 0.4
    whole = rnn.trace(x, lengths=[4, 6, 0], resets=resets)
    transposed = other.trace(x.swapaxes(0, 1), lengths=[4, 6, 0], resets=resets.T)
    alone = rnn.trace(x[1], resets=resets[1])
    for name, trace in whole.items():
        for each in "ifgoch":
            value = getattr(trace, each)
            np.testing.assert_array_equal(getattr(transposed[name], each).swapaxes(0, 1), value)
            np.testing.assert_array_equal(getattr(alone[name], each), value[1])


def test_forget_bias_of_both_directions() -> None:
    named = lf.LSTM(I, H, L, bidirectional=True, proj_size=P, forget_bias=1.5).state_dict()
    for end in ("l0", "l0_reverse", "l1", "l1_reverse"):
        total = named[f"bias_ih_{end}"] + named[f"bias_hh_{end}"]
        np.testing.assert_array_equal(total[H : 2 * H], 1.5)
        assert (total[:H] != 1.5).all()

"""`lf.LSTM` against the reference in float64, over the case table, and against golden files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import runs
from cases import CASES, Case, make_problem, run_reference
from golden_cases import golden_names, read_onnx, read_torch, torch_allowed
from lstmfast import reference
from option_cases import OPTION_CASES
from tolerances import allowed_errors, assert_close, tolerance

Array = npt.NDArray[Any]

DTYPES = ("float32", "float64")


@pytest.mark.isa
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES + OPTION_CASES, ids=lambda case: case.name)
def test_case(case: Case, dtype: str) -> None:
    """Outputs, states, and the gradients of inputs, states and every parameter."""
    problem = make_problem(case, dtype)
    actual = runs.run(runs.make_rnn(case, problem), problem)
    expected = run_reference(case, make_problem(case, "float64"))
    assert actual.keys() == expected.keys()
    assert all(value.dtype == dtype for value in actual.values())
    assert_close(actual, expected, tolerance(case, dtype))


@pytest.mark.isa
@pytest.mark.parametrize("case", [c for c in OPTION_CASES if c.is_random], ids=lambda c: c.name)
def test_without_training_nothing_is_random(case: Case) -> None:
    """And the masks of training are more than a rounding error."""
    problem = make_problem(case, "float64")
    exact = run_reference(case, problem, step=0)
    allowed = tolerance(case, "float64")
    rnn = runs.make_rnn(case, problem)
    assert_close(runs.run(rnn, problem, draw=False), exact, allowed)
    for _ in range(2):
        assert_close(runs.forward(rnn, problem), exact, allowed)
        drawn = runs.forward(rnn, problem, training=True)["y"]
        assert np.abs(drawn - exact["y"]).max() > 1e6 * allowed["y"]


@pytest.mark.isa
def test_every_training_call_draws_anew() -> None:
    case = Case(5, 4, 3, 17, layers=2, zoneout_h=0.3, weight_drop=0.2, dropout=0.3)
    problem = make_problem(case, "float64")
    rnn = runs.make_rnn(case, problem)
    for step in (1, 2, 3):
        expected = run_reference(case, problem, step=step)
        assert_close(runs.run(rnn, problem), expected, tolerance(case, "float64"))


@pytest.mark.parametrize("given", ["dy", "dh_n", "dc_n"])
def test_each_incoming_gradient_alone(given: str) -> None:
    """A gradient that is not given counts as 0."""
    case = next(c for c in CASES if c.name == "l2t40b3i16h33_lengths_resets_state")
    problem = make_problem(case)
    zeros = {name: np.zeros_like(getattr(problem, name)) for name in ("dy", "dh_n", "dc_n")}
    alone = replace(problem, **(zeros | {given: getattr(problem, given)}))
    rnn = runs.make_rnn(case, problem)
    expected = runs.run(rnn, alone)
    rnn.zero_grad()
    runs.forward(rnn, problem, training=True)
    states = [getattr(problem, n) if n == given else None for n in ("dh_n", "dc_n")]
    dx, (dh0, dc0) = rnn.backward(problem.dy if given == "dy" else None, states)
    runs.assert_same_bits(
        {"dx": dx, "dh0": dh0, "dc0": dc0} | runs.logical_grads(rnn),
        {name: value for name, value in expected.items() if name not in runs.OUTPUTS},
    )


def test_gradients_accumulate() -> None:
    case = Case(5, 6, 4, 17, layers=2, peephole=True)
    problem = make_problem(case, "float64")
    rnn = runs.make_rnn(case, problem)
    once = runs.run(rnn, problem)
    runs.forward(rnn, problem, training=True)
    rnn.backward(problem.dy, (problem.dh_n, problem.dc_n))
    twice = runs.logical_grads(rnn)
    allowed = {name: 2.0 * bound for name, bound in tolerance(case, "float64").items()}
    assert_close(twice, {name: 2.0 * once[name] for name in twice}, allowed)
    rnn.zero_grad()
    assert all(not value.any() for value in rnn.grads().values())


def test_without_bias() -> None:
    case = Case(5, 6, 4, 17, layers=2, state=True)
    problem = make_problem(case, "float64")
    params = tuple(p | {"bias": np.zeros_like(p["bias"])} for p in map(dict, problem.params))
    problem = replace(problem, params=params)
    with_zeros = runs.run(runs.make_rnn(case, problem), problem)
    rnn = lf.LSTM(case.I, case.H, case.layers, bias=False, dtype="float64")
    assert not [name for name in rnn.state_dict() if "bias" in name]
    named = runs.state_dict(params)
    rnn.load_state_dict({name: v for name, v in named.items() if not name.startswith("bias")})
    actual = runs.forward(rnn, problem, training=True)
    dx, (dh0, dc0) = rnn.backward(problem.dy, (problem.dh_n, problem.dc_n))
    actual |= {"dx": dx, "dh0": dh0, "dc0": dc0}
    grads = rnn.grads()
    assert not [name for name in grads if "bias" in name]
    for layer in range(case.layers):
        actual[f"{layer}.kernel"] = grads[f"weight_ih_l{layer}"].T
        actual[f"{layer}.recurrent_kernel"] = grads[f"weight_hh_l{layer}"].T
    runs.assert_same_bits(actual, {name: with_zeros[name] for name in actual})


@pytest.mark.isa
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keywords", [{}, {"coupled": True}, {"peephole": True}])
def test_units_that_do_not_exist_stay_small(keywords: dict[str, Any], dtype: str) -> None:
    """Of z = 0 these functions make 1: in lanes beyond H, a cell state would grow with T."""
    rnn = lf.LSTM(
        1, 3, activation="exponential", recurrent_activation="exponential", dtype=dtype, **keywords
    )
    named = rnn.state_dict()
    rnn.load_state_dict(named | {"bias_ih_l0": named["bias_ih_l0"] - 4.0})
    x = np.random.default_rng(0).standard_normal((2, 800, 1))
    y, _ = rnn(x, training=True)
    dx, (dh0, dc0) = rnn.backward(np.ones_like(y))
    for value in (y, dx, dh0, dc0, *rnn.grads().values()):
        assert np.isfinite(value).all()


# -- golden files --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", golden_names("torch"))
def test_torch_golden(name: str, dtype: str) -> None:
    golden = read_torch(name)
    settings = golden.settings | {"batch_first": True}
    rnn = lf.LSTM(golden.input_size, golden.hidden_size, dtype=dtype, **settings)
    assert list(rnn.state_dict()) == list(golden.state_dict)
    rnn.load_state_dict(golden.state_dict)
    state = None if golden.h0 is None else (golden.h0, golden.c0)
    y, (h_n, c_n) = rnn(golden.x, state, lengths=golden.lengths, training=True)
    dx, (dh0, dc0) = rnn.backward(golden.dy, (golden.dh_n, golden.dc_n))
    actual = {"y": y, "h_n": h_n, "c_n": c_n, "dx": dx, "dh0": dh0, "dc0": dc0}
    allowed = torch_allowed(golden, dtype)
    assert_close({k: actual[k] for k in golden.results}, golden.results, allowed)
    assert_close(rnn.grads(), golden.grads, runs.by_torchs_names(allowed, golden.grads))


@pytest.mark.parametrize("name", golden_names("onnx"))
def test_onnx_golden(name: str) -> None:
    golden = read_onnx(name)
    I, H = golden.x.shape[-1], golden.h_n.shape[-1]
    attributes = golden.attributes
    coupled, clip = bool(attributes.get("input_forget")), attributes.get("clip")
    names = ("recurrent_activation", "activation", "output_activation")
    used = dict(zip(names, attributes.get("activations", ()), strict=False))
    cell = {"peephole": True, "coupled": coupled, "preact_clip": clip}
    known = {"HardSigmoid": "hard_sigmoid:0.2:0.5", "Softsign": "softsign", "Relu": "relu"}
    of_reference = {name: reference.get_activation(known[kind]) for name, kind in used.items()}
    reverse = attributes.get("direction") == "reverse"

    def call_reference(numbers: dict[str, Array]) -> dict[str, Array]:
        y, (h_n, c_n), _ = reference.lstm_forward(
            numbers["x"],
            {key: numbers[key] for key in golden.params},
            numbers["h0"],
            numbers["c0"],
            options=reference.CellOptions(**cell, **of_reference),
            lengths=golden.lengths,
            reverse=reverse,
            batch_first=False,
        )
        return {"y": y, "h_n": h_n, "c_n": c_n}

    numbers = golden.params | {"x": golden.x, "h0": golden.h0, "c0": golden.c0}
    allowed = allowed_errors(call_reference, numbers, longest=I + H + 1, dtype="float32")
    expected = {"y": golden.y, "h_n": golden.h_n, "c_n": golden.c_n}
    # in float32 both engines are as far as this from the exact answer
    for dtype, engines in (("float32", 2.0), ("float64", 1.0)):
        # a reverse run is the second of two directions
        rnn = lf.LSTM(I, H, batch_first=False, bidirectional=reverse, dtype=dtype, **cell, **used)
        D = 1 + reverse
        rnn.load_state_dict(runs.state_dict((golden.params,) * D, D))
        state = np.stack([golden.h0] * D), np.stack([golden.c0] * D)
        y, (h, c) = rnn(golden.x, state, lengths=golden.lengths)
        bounds = {name: engines * bound for name, bound in allowed.items()}
        assert_close({"y": y[..., -H:], "h_n": h[-1], "c_n": c[-1]}, expected, bounds)

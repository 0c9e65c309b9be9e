"""The reference: its gradients against central differences, the tolerances on itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from any_case import any_options
from cases import CASES, Case, make_problem, run_reference
from differences import slope_along
from lstmfast import reference
from lstmfast._bench.options import CELL_OPTIONS, LSTM_OPTIONS
from lstmfast.reference import CellOptions, Masks
from tolerances import assert_close, tolerance

Array = npt.NDArray[Any]

# error bounds of slopes of size 1 to 10; what exceeds this comes from a kink within a step
SHARP = 1e-5


@dataclass(frozen=True)
class Run:
    """One call of the reference with everything that can be differentiated."""

    options: CellOptions
    arrays: dict[str, Array]
    lengths: Array | None = None
    resets: Array | None = None
    mask: Array | None = None
    zero_output: bool = False
    masks: Masks | None = None
    reverse: bool = False
    batch_first: bool = True

    def forward(self, arrays: dict[str, Array]) -> Any:
        names = [n for n in arrays if n not in ("x", "h0", "c0")]
        return reference.lstm_forward(
            arrays["x"],
            {n: arrays[n] for n in names},
            arrays["h0"],
            arrays["c0"],
            options=self.options,
            lengths=self.lengths,
            resets=self.resets,
            mask=self.mask,
            zero_output_for_mask=self.zero_output,
            masks=self.masks,
            reverse=self.reverse,
            batch_first=self.batch_first,
        )


def make_run(
    options: CellOptions,
    T: int = 4,
    B: int = 3,
    I: int = 2,
    H: int = 4,
    *,
    seed: int = 0,
    lengths: bool = False,
    resets: bool = False,
    mask: bool = False,
    zero_output: bool = False,
    masks: frozenset[str] = frozenset(),
    reverse: bool = False,
    batch_first: bool = True,
) -> Run:
    rng = np.random.default_rng(seed)
    shapes = reference.parameter_shapes(I, H, options)
    P, columns = shapes["recurrent_kernel"]
    arrays = {n: 0.7 * rng.standard_normal(s) for n, s in shapes.items()}
    for name in ("norm_z_weight", "norm_c_weight"):
        if name in arrays:
            arrays[name] += 1.0
    lead = (B, T) if batch_first else (T, B)
    arrays |= {
        "x": rng.standard_normal((*lead, I)),
        "h0": rng.standard_normal((B, P)),
        "c0": rng.standard_normal((B, H)),
    }
    mask_shapes = {
        "input": (B, I),
        "recurrent": (B, P),
        "input_step": (*lead, I),
        "recurrent_step": (*lead, P),
        "weight": (P, columns),
        "zoneout_h": (*lead, P),
        "zoneout_c": (*lead, H),
    }
    drawn = {
        name.removesuffix("_step"): rng.integers(0, 2, mask_shapes[name])
        * (1.0 if "zoneout" in name else 2.0)
        for name in sorted(masks)
    }
    return Run(
        options,
        arrays,
        lengths=rng.integers(0, T + 1, B) if lengths else None,
        resets=rng.random((B, T)) < 0.4 if resets else None,
        mask=rng.random((B, T)) < 0.6 if mask else None,
        zero_output=zero_output,
        masks=Masks(**drawn) if drawn else None,
        reverse=reverse,
        batch_first=batch_first,
    )


def slopes(run: Run, rng: np.random.Generator, directions: int) -> dict[str, Any]:
    """For each array: (analytic slope, numeric slope, error bound) along random directions."""
    y, (h, c), cache = run.forward(run.arrays)
    weights = [rng.standard_normal(a.shape) for a in (y, h, c, cache.cell_states())]
    dx, dh0, dc0, grads = reference.lstm_backward(
        weights[0], weights[1], weights[2], cache, d_cell_states=weights[3]
    )
    analytic = grads | {"x": dx, "h0": dh0, "c0": dc0}
    assert set(analytic) == set(run.arrays)

    def loss(arrays: dict[str, Array]) -> float:
        y, (h, c), cache = run.forward(arrays)
        values = (y, h, c, cache.cell_states())
        return float(sum((w * v).sum() for w, v in zip(weights, values, strict=True)))

    found = {}
    for name, value in run.arrays.items():
        assert analytic[name].shape == value.shape
        for k in range(directions or value.size):
            way: Array = np.zeros(value.size)
            if directions:
                way[:] = rng.standard_normal(value.size) / value.size**0.5
            else:
                way[k] = 1.0
            way = way.reshape(value.shape)

            def along(s: float, name: str = name, way: Array = way) -> float:
                return loss(run.arrays | {name: run.arrays[name] + s * way})

            numeric, bound = slope_along(along)
            found[f"{name}[{k}]"] = float((analytic[name] * way).sum()), numeric, bound
    return found


def check_gradients(found: dict[str, Any]) -> None:
    for name, (analytic, numeric, bound) in found.items():
        assert abs(analytic - numeric) <= bound, (name, analytic, numeric, bound)


SMOOTH = ("softsign", "softplus", "gelu", "silu", "mish", "elu")
OPTIONS = {
    "plain": CellOptions(),
    "coupled_peephole": CellOptions(coupled=True, peephole=True),
    "layer_norm_peephole": CellOptions(layer_norm=True, peephole=True, norm_epsilon=0.1),
    "projection": CellOptions(proj_size=3),
    "zoneout_rates": CellOptions(zoneout_h=0.3, zoneout_c=0.2),
    "zoneout_projection": CellOptions(zoneout_h=0.3, proj_size=2),
    "relu": CellOptions(activation="relu"),
    "relu_tanh": CellOptions(activation="relu", output_activation="tanh"),
    **{name: CellOptions(activation=name) for name in SMOOTH},
    **{
        each.name: CellOptions(norm_epsilon=0.1, **{**each.needs, each.name: each.value})
        for each in LSTM_OPTIONS
        if each.role == "cell"
    },
}
CALLS: dict[str, dict[str, Any]] = {
    "lengths": {"lengths": True},
    "resets": {"resets": True},
    "lengths_resets": {"lengths": True, "resets": True},
    "reverse": {"reverse": True},
    "reverse_lengths_resets": {"reverse": True, "lengths": True, "resets": True},
    "mask": {"mask": True, "T": 6},
    "mask_zeros": {"mask": True, "zero_output": True, "T": 6},
    "mask_lengths_resets": {"mask": True, "lengths": True, "resets": True, "T": 6},
    "reverse_mask": {"reverse": True, "mask": True, "lengths": True, "resets": True, "T": 6},
    "time_major": {"batch_first": False, "lengths": True, "resets": True, "mask": True},
    "input_mask": {"masks": frozenset({"input"})},
    "recurrent_mask": {"masks": frozenset({"recurrent"})},
    "step_masks": {"masks": frozenset({"input_step", "recurrent_step"}), "batch_first": False},
    "weight_mask": {"masks": frozenset({"weight"})},
    "zoneout_masks": {"masks": frozenset({"zoneout_h", "zoneout_c"}), "lengths": True},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_gradients_of_each_option(name: str) -> None:
    found = slopes(make_run(OPTIONS[name], seed=3), np.random.default_rng(1), 0)
    check_gradients(found)
    assert max(bound for _, _, bound in found.values()) < SHARP


@pytest.mark.parametrize("name", CALLS)
def test_gradients_of_each_way_to_call(name: str) -> None:
    run = make_run(CellOptions(peephole=True), seed=2, **CALLS[name])
    found = slopes(run, np.random.default_rng(1), 0)
    check_gradients(found)
    assert max(bound for _, _, bound in found.values()) < SHARP


@st.composite
def runs(draw: st.DrawFn) -> Run:
    drawn = any_options(lambda values: draw(st.sampled_from(values)), layers=1)
    of_cell = {name: value for name, value in drawn.items() if name in CELL_OPTIONS}
    options = CellOptions(norm_epsilon=0.1, **of_cell)
    kinds = ("input", "recurrent_step", "weight", "zoneout_h", "zoneout_c")
    return make_run(
        options,
        T=draw(st.integers(1, 4)),
        B=draw(st.integers(1, 3)),
        I=draw(st.integers(1, 3)),
        H=draw(st.integers(1, 4)),
        seed=draw(st.integers(0, 2**32 - 1)),
        lengths=draw(st.booleans()),
        resets=draw(st.booleans()),
        mask=draw(st.booleans()),
        zero_output=draw(st.booleans()),
        masks=draw(st.frozensets(st.sampled_from(kinds))),
        reverse=draw(st.booleans()),
        batch_first=draw(st.booleans()),
    )


@settings(max_examples=150, deadline=None)
@given(run=runs(), seed=st.integers(0, 2**32 - 1))
def test_gradients_of_combinations(run: Run, seed: int) -> None:
    found = slopes(run, np.random.default_rng(seed), 1)
    # a step over a kink says nothing, and shows: the two differences disagree
    assume(max(bound for _, _, bound in found.values()) < 10 * SHARP)
    check_gradients(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tolerances(case: Case) -> None:
    """Float32 runs of the reference lie well inside, and not absurdly so."""
    problem = make_problem(case)
    expected, actual = run_reference(case, problem), run_reference(case, problem, "float32")
    allowed = tolerance(case, "float32")
    assert_close(actual, expected, {name: bound / 4 for name, bound in allowed.items()})
    used = max(float(np.abs(actual[n] - expected[n]).max()) / allowed[n] for n in expected)
    assert used > 1e-3


def test_case_table() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    wanted: dict[str, set[Any]] = {
        "H": {1, 3, 17, 33, 50, 257},
        "B": {1, 3, 6, 7, 33},
        "T": {1, 2, 5, 40},
        "layers": {1, 2, 3},
        "dtype": {"float32", "float64"},
    }
    for field, values in wanted.items():
        for cell in ({}, {"coupled": True, "peephole": True}, {"layer_norm": True}):
            chosen = [c for c in CASES if c.keywords == cell or cell == {}]
            assert values <= {getattr(c, field) for c in chosen}, (field, cell)
    assert replace(CASES[0], dtype="float64").name == CASES[0].name + "_float64"
    same = make_problem(CASES[0]), make_problem(replace(CASES[0], dtype="float64"))
    np.testing.assert_array_equal(same[0].x, same[1].x)

"""Layers and directions of the reference: gradients of every way to merge, by differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from differences import slope_along
from lstmfast import reference
from lstmfast.reference import CellOptions
from stack_problem import KINDS, B, H, StackProblem, T

Array = npt.NDArray[Any]

LENGTHS = np.array([4, 0, 6, 1])
MERGE_MODES = ("concat", "sum", "mul", "ave")


def check_gradients(problem: StackProblem) -> None:
    """Along two directions of each array."""
    numbers = problem.numbers()
    exact = problem.run(numbers)
    pulls = {"h_n": "dh_n", "c_n": "dc_n", "y": "dy", "y.0": "dy.0", "y.1": "dy.1"}
    rng = np.random.default_rng(0)

    def loss(changed: dict[str, Array]) -> float:
        y, (h, c), _ = problem.forward(numbers | changed)
        found = {"h_n": h, "c_n": c}
        found |= {"y.0": y[0], "y.1": y[1]} if isinstance(y, tuple) else {"y": y}
        return float(sum((numbers[pulls[name]] * v).sum() for name, v in found.items()))

    for name in (n for n in numbers if f"d{n}" in exact):
        for _ in range(2):
            way = rng.standard_normal(numbers[name].shape) / numbers[name].size ** 0.5
            numeric, bound = slope_along(
                lambda s, name=name, way=way: loss({name: numbers[name] + s * way})
            )
            assert abs(float((exact[f"d{name}"] * way).sum()) - numeric) <= bound < 1e-5, name


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("mode", [*MERGE_MODES, None])
def test_gradients_of_merging(mode: str | None, sequences: bool) -> None:
    call = {"bidirectional": True, "merge_mode": mode, "return_sequences": sequences}
    check_gradients(StackProblem(1 if mode is None else 2, call=call))


CALLS: dict[str, dict[str, Any]] = {
    "lengths": {"lengths": LENGTHS},
    "mask": {"mask": KINDS},
    "mask_zeros": {"mask": KINDS, "zero_output_for_mask": True},
    "dropout": {"dropout": [2.0 * np.random.default_rng(0).integers(0, 2, (B, T, 2 * H))]},
}


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("name", CALLS)
def test_gradients_of_both_ways(name: str, sequences: bool) -> None:
    call = {"bidirectional": True, "return_sequences": sequences, **CALLS[name]}
    check_gradients(StackProblem(2, call=call))


@pytest.mark.parametrize("sequences", [True, False])
def test_gradients_of_going_backwards(sequences: bool) -> None:
    call = {"go_backwards": True, "return_sequences": sequences, "mask": KINDS}
    check_gradients(StackProblem(3, CellOptions(proj_size=2), call))


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_last_output_is_that_of_the_last_step(reverse: bool, sequences: bool) -> None:
    """With lengths the state's h: a row of no steps gives zero, and not its h0."""
    how: dict[str, Any] = {"go_backwards": reverse, "return_sequences": sequences}
    problem = StackProblem(call={"lengths": LENGTHS, **how})
    y, (h, _), _ = problem.forward(problem.numbers())
    if not sequences:
        np.testing.assert_array_equal(y[LENGTHS > 0], h[0][LENGTHS > 0])
        assert not y[LENGTHS == 0].any()
    else:  # in the order of the run, so the padding comes first
        shown = np.arange(T) >= T - LENGTHS[:, None] if reverse else np.arange(T) < LENGTHS[:, None]
        np.testing.assert_array_equal(y.any(axis=-1), shown)


@pytest.mark.parametrize("mode", [*MERGE_MODES, None])
def test_merging_by_hand(mode: str | None) -> None:
    call = {"bidirectional": True, "merge_mode": mode, "mask": KINDS}
    problem = StackProblem(call=call)
    numbers = problem.numbers()
    found, _, _ = problem.forward(numbers)
    outputs = []
    for n, reverse in enumerate((False, True)):
        params = {name[2:]: value for name, value in numbers.items() if name.startswith(f"{n}.")}
        states = (numbers["h0"][n], numbers["c0"][n])
        outputs.append(
            reference.lstm_forward(numbers["x"], params, *states, mask=KINDS, reverse=reverse)[0]
        )
    a, b = outputs
    expected = {
        "concat": np.concatenate([a, b], axis=-1),
        "sum": a + b,
        "mul": a * b,
        "ave": (a + b) / 2.0,
        None: (a, b),
    }[mode]
    np.testing.assert_array_equal(found, expected)

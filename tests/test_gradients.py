"""The core's gradients, in float64, against central differences of the core itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import runs
from cases import Case, make_problem
from differences import slope_along
from option_cases import OPTIONS, TOGETHER
from tolerances import numbers_of, with_numbers

Array = npt.NDArray[Any]

pytestmark = pytest.mark.isa

# error bounds of slopes of size 1 to 10; anything above says that the differences are useless
SHARP = 1e-4

CELLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "coupled_peephole": {"coupled": True, "peephole": True},
    "layer_norm": {"layer_norm": True},
    "peephole": {"peephole": True},
    "coupled": {"coupled": True},
    "all": {"coupled": True, "peephole": True, "layer_norm": True},
    "softsign": {"activation": "softsign", "peephole": True},
    "softplus": {"activation": "softplus", "recurrent_activation": "softsign"},
    "elu": {"activation": "elu", "recurrent_activation": "tanh"},
    "linear": {"activation": "linear", "recurrent_activation": "softsign"},
}
CALLS: dict[str, dict[str, bool]] = {
    "bare": {},
    "state": {"state": True},
    "lengths_resets": {"lengths": True, "resets": True, "state": True},
}


def directions(value: Array, rng: np.random.Generator) -> list[Array]:
    """A random direction through all elements, and two single elements."""
    ways = [rng.standard_normal(value.shape) / value.size**0.5]
    for k in rng.choice(value.size, min(2, value.size), replace=False):
        way: Array = np.zeros(value.size)
        way[k] = 1.0
        ways.append(way.reshape(value.shape))
    return ways


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("cell", CELLS)
def test_slopes(cell: str, call: str) -> None:
    check_slopes(Case(4, 3, 3, 11, layers=2, dtype="float64", **CELLS[cell], **CALLS[call]))


@pytest.mark.parametrize("name", [n for n in OPTIONS if n != "bptt"])
def test_slopes_of_options(name: str) -> None:
    check_slopes(Case(4, 3, 3, 11, 2, "float64", **OPTIONS[name], **CALLS["lengths_resets"]))


@pytest.mark.parametrize(
    "case", [case for case in TOGETHER if case.bptt_steps is None], ids=lambda case: case.name
)
def test_slopes_of_options_together(case: Case) -> None:
    check_slopes(replace(case, dtype="float64"))


def check_slopes(case: Case) -> None:
    """L = Σ dy·y + dh_n·h_n + dc_n·c_n; every array it depends on, along a few directions."""
    problem = make_problem(case)
    numbers = numbers_of(problem)
    weights = {name: numbers.pop(f"d{name}") for name in runs.OUTPUTS if f"d{name}" in numbers}
    rnn = runs.make_rnn(case, problem)
    analytic = runs.run(rnn, problem)
    rng = np.random.default_rng(1)

    def loss(changed: dict[str, Array]) -> float:
        near = with_numbers(problem, changed)
        if any("." in name for name in changed):
            rnn.load_state_dict(runs.state_dict(near.params, case.directions))
        rnn._core.training_calls = 0  # the same masks each time
        found = runs.forward(rnn, near, training=case.is_random)
        return float(sum((w * found[name]).sum() for name, w in weights.items()))

    for name, value in numbers.items():
        gradient = analytic[name if "." in name else f"d{name}"]
        assert gradient.shape == value.shape
        for way in directions(value, rng):

            def along(s: float, name: str = name, way: Array = way) -> float:
                return loss(numbers | {name: numbers[name] + s * way})

            numeric, bound = slope_along(along)
            slope = float((gradient * way).sum())
            assert bound < SHARP, (name, bound)
            assert abs(slope - numeric) <= bound, (name, slope, numeric, bound)

"""How far a correct engine may be from the float64 reference: derived, not guessed.

A stable computation gives the exact answer of a slightly changed problem. So

    |error| <= SAFETY · sensitivity · η + LAST_ULP · eps · |result|

η, the backward error: how much the problem is changed, relative to its numbers, typically.
    A rounding changes a number by u = eps/2 at most, with a mean square of about u²/6 (uniform
    in the last place, the leading digits anywhere). In a sum of N terms of random sign the k-th
    partial sum has √(k/N) of the full size, so the roundings add up to √N·u/√12 of the sum; it
    is the exact sum of terms that are each changed by √N·u/√12 = √N·eps/7, signs random. The
    longest sums are those over the inputs and hidden units of z, over the gates of dz·Rᵀ, and
    over the T·B steps and rows of a weight gradient. To that come the functions: exp, tanh and
    sigmoid are good to 4 ulp at worst in the core; a typical error is half of that at most.
    Together η = eps · (2 + √N / 7).

sensitivity: how much each result moves, per unit of such a change.
    Measured, on the reference in float64: every input, weight, state and incoming gradient moves
    by a relative ±δ, biases by ±δ absolutely as well (a gate at z = 0 is 0.5 ± 2 ulp: an error
    that no relative change of its z can stand for). The largest move of an array in three random
    draws, divided by δ. Growth or decay over T, through layers and through norms is in it; no
    assumption about the recurrence is needed.

LAST_ULP: what is done last, a function good to 4 ulp or the end of a sum, errs in proportion to
    the result, also where that hardly depends on anything (a saturated tanh).

SAFETY = 8 standard deviations: η is a typical error, and three random draws find the typical
    move. The largest of n random errors is about √(2·log n) = 3 to 4 deviations, errors of the
    functions at the limit of their 4 ulp double η, and a float64 core brings its own rounding
    next to that of the reference.

`test_tolerances` in `test_reference.py` holds this against float32 runs of the reference itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from cases import Case, Problem, make_problem, run_reference

Array = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]
Run: TypeAlias = Callable[[Arrays], Arrays]

DELTA = 2.0**-26  # small against the kinks of relu, large against the rounding of float64
DRAWS = 3
SAFETY = 8.0
FUNCTION_ULP = 2.0
LAST_ULP = 4.0
NORM_GAIN = 1e-5**-0.5  # 1/√ε: the most that a layer norm can multiply a rounding error


def backward_error(longest: int, dtype: str) -> float:
    """η of the module docstring; `longest` is N of the longest sum."""
    return float(np.finfo(dtype).eps * (FUNCTION_ULP + longest**0.5 / 7.0))


def sensitivity(run: Run, numbers: Arrays) -> tuple[dict[str, float], dict[str, float]]:
    """Largest move of each result of `run`, per unit of relative change; and the largest value.

    Numbers whose name holds "bias" move absolutely as well. `run` computes in float64.
    """
    exact = run(numbers)
    moves = dict.fromkeys(exact, 0.0)
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        moved = {}
        for name, a in numbers.items():
            moved[name] = a * (1.0 + DELTA * rng.choice((-1.0, 1.0), a.shape))
            if "bias" in name:
                moved[name] += DELTA * rng.choice((-1.0, 1.0), a.shape)
        for name, near in run(moved).items():
            move = float(np.abs(near - exact[name]).max(initial=0.0))
            moves[name] = max(moves[name], move / DELTA)
    return moves, {name: float(np.abs(a).max(initial=0.0)) for name, a in exact.items()}


def allowed_errors(
    run: Run, numbers: Arrays, *, longest: int, dtype: str, still: float = 1.0
) -> dict[str, float]:
    """Largest allowed |error| of each result of `run` for an engine that computes in dtype.

    What is exactly zero for every problem nearby (the gradient of R without a state, of a norm
    over one unit) may still be a rounding error of numbers of size `still`.
    """
    wide = {name: np.asarray(a, dtype=np.float64) for name, a in numbers.items()}
    eta, last = SAFETY * backward_error(longest, dtype), LAST_ULP * float(np.finfo(dtype).eps)
    moves, sizes = sensitivity(run, wide)
    return {name: eta * (move or still) + last * sizes[name] for name, move in moves.items()}


def numbers_of(problem: Problem) -> Arrays:
    """The problem's numbers by name; parameters as ``<layer>.<name>``."""
    named = {k: getattr(problem, k) for k in ("x", "h0", "c0", "dy", "dh_n", "dc_n", "dcells")}
    for layer, params in enumerate(problem.params):
        named |= {f"{layer}.{name}": value for name, value in params.items()}
    return {name: value for name, value in named.items() if value is not None}


def with_numbers(problem: Problem, numbers: Arrays) -> Problem:
    """The problem with the numbers of `numbers_of` replaced."""
    params = tuple(
        {name: numbers[f"{layer}.{name}"] for name in named}
        for layer, named in enumerate(problem.params)
    )
    return replace(problem, params=params, **{k: v for k, v in numbers.items() if "." not in k})


@functools.cache
def tolerance(case: Case, dtype: str) -> dict[str, float]:
    """Largest allowed |error| of each array that `run_reference` names."""
    problem = make_problem(case, "float64")
    gates = 3 if case.coupled else 4
    O = case.outputs
    widest = max(case.inputs(0), case.inputs(case.layers * case.directions - 1))
    return allowed_errors(
        lambda numbers: run_reference(case, with_numbers(problem, numbers)),
        numbers_of(problem),
        longest=max(widest + O + 1, gates * case.H, case.T * case.B),
        dtype=dtype,
        still=NORM_GAIN if case.layer_norm else 1.0,
    )


def assert_close(
    actual: Mapping[str, Array],
    expected: Mapping[str, Array],
    allowed: Mapping[str, float],
) -> None:
    """Compare every array in `actual` with `expected`; say which one fails, and by how much."""
    failures = []
    for name, value in actual.items():
        assert value.shape == expected[name].shape, (name, value.shape, expected[name].shape)
        error = float(np.abs(value - expected[name]).max(initial=0.0))
        if not error <= allowed[name]:
            failures.append(f"{name}: error {error:.3g}, allowed {allowed[name]:.3g}")
    assert not failures, "; ".join(failures)

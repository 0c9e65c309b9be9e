"""What must give the same bits: threads, batches, chunks, training, padding, layouts.

Parameter gradients belong to the promise for threads and layouts, where the batch is the
same; outputs, states and the gradients of inputs and states belong to it everywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runs
from cases import CASES, Case, Problem, make_problem

Array = npt.NDArray[Any]
Check = Callable[[Case, Problem], None]

pytestmark = pytest.mark.isa

OF_ROWS = (*runs.STATES, *runs.OF_INPUTS)


def run(case: Case, problem: Problem) -> runs.Arrays:
    return runs.run(runs.make_rnn(case, problem), problem)


def only(results: runs.Arrays, names: tuple[str, ...]) -> runs.Arrays:
    return {name: results[name] for name in names}


# -- the checks: each takes any problem ----------------------------------------------------------


def row_is_a_batch_of_one(case: Case, problem: Problem) -> None:
    whole = run(case, problem)
    for b in sorted({0, case.B // 2, case.B - 1}):
        alone = run(case, runs.rows(problem, [b]))
        runs.assert_same_bits(only(alone, OF_ROWS), runs.row_results(whole, [b]))


def part_of_a_batch(case: Case, problem: Problem) -> None:
    """Odd rows only: other tiles, other neighbours."""
    odd = list(range(1, case.B, 2)) or [0]
    part, whole = run(case, runs.rows(problem, odd)), run(case, problem)
    runs.assert_same_bits(only(part, OF_ROWS), runs.row_results(whole, odd))


def permuted_batch(case: Case, problem: Problem) -> None:
    order = np.random.default_rng(3).permutation(case.B)
    moved, straight = run(case, runs.rows(problem, order)), run(case, problem)
    runs.assert_same_bits(only(moved, OF_ROWS), runs.row_results(straight, order))


def chunks_are_the_whole(case: Case, problem: Problem) -> None:
    """Forward with the state carried on, and back with its gradient carried back."""
    rng = np.random.default_rng(4)
    cuts = [0, *sorted(set(rng.integers(1, case.T, 3).tolist())), case.T] if case.T > 1 else [0, 1]
    parts = []
    for start, stop in itertools.pairwise(cuts):
        lengths = problem.lengths
        parts.append(
            replace(
                problem,
                x=problem.x[:, start:stop].copy(),
                dy=problem.dy[:, start:stop].copy(),
                lengths=None if lengths is None else (lengths - start).clip(0, stop - start),
                resets=None if problem.resets is None else problem.resets[:, start:stop].copy(),
            )
        )
    engines = [runs.make_rnn(case, problem) for _ in parts]
    outputs, h, c = [], problem.h0, problem.c0
    for rnn, part in zip(engines, parts, strict=True):
        found = runs.forward(rnn, replace(part, h0=h, c0=c), training=True)
        outputs.append(found["y"])
        h, c = found["h_n"], found["c_n"]
    assert h is not None
    assert c is not None
    slopes, dh, dc = [], problem.dh_n, problem.dc_n
    for rnn, part in zip(reversed(engines), reversed(parts), strict=True):
        dx, (dh, dc) = rnn.backward(part.dy, (dh, dc))
        slopes.append(dx)
    together = {"y": np.concatenate(outputs, 1), "h_n": h, "c_n": c}
    together |= {"dx": np.concatenate(slopes[::-1], 1), "dh0": dh, "dc0": dc}
    # the gradients of a carried state need one, though it were 0
    zeros = np.zeros_like(problem.dh_n)
    given_state = replace(
        problem,
        h0=zeros if problem.h0 is None else problem.h0,
        c0=zeros if problem.c0 is None else problem.c0,
    )
    runs.assert_same_bits(together, only(run(case, given_state), OF_ROWS))


def no_state_is_zero_state(case: Case, problem: Problem) -> None:
    zeros = np.zeros_like(problem.dh_n)
    none, zero = replace(problem, h0=None, c0=None), replace(problem, h0=zeros, c0=zeros)
    runs.assert_same_bits(only(run(case, none), OF_ROWS), only(run(case, zero), OF_ROWS))


def training_is_inference(case: Case, problem: Problem) -> None:
    rnn = runs.make_rnn(case, problem)
    runs.assert_same_bits(runs.forward(rnn, problem), runs.forward(rnn, problem, training=True))


def threads_change_nothing(case: Case, problem: Problem) -> None:
    results = []
    for n in (1, 2, 4):
        with runs.threads(n):
            rnn = runs.make_rnn(case, problem)
            results.append((run(case, problem), runs.forward(rnn, problem)))
    for trained, inferred in results[1:]:
        runs.assert_same_bits(trained, results[0][0])
        runs.assert_same_bits(inferred, results[0][1])


def full_lengths_are_none(case: Case, problem: Problem) -> None:
    full = replace(problem, lengths=np.full(case.B, case.T))
    runs.assert_same_bits(run(case, full), run(case, replace(problem, lengths=None)))


def padding_does_not_leak(case: Case, problem: Problem) -> None:
    """What stands in x and dy behind a row's end, be it NaN, changes nothing; y is 0 there."""
    lengths = np.random.default_rng(5).integers(0, case.T + 1, case.B)
    padding = np.arange(case.T) >= lengths[:, None]
    zeros, dirt = replace(problem, lengths=lengths), replace(problem, lengths=lengths)
    for name in ("x", "dy"):
        value = getattr(problem, name)
        zeros = replace(zeros, **{name: np.where(padding[..., None], value.dtype.type(0), value)})
        nan = value.dtype.type(np.nan)
        dirt = replace(dirt, **{name: np.where(padding[..., None], nan, value)})
    if problem.resets is not None:
        dirt = replace(dirt, resets=problem.resets | padding)
        zeros = replace(zeros, resets=problem.resets & ~padding)
    clean, dirty = run(case, zeros), run(case, dirt)
    runs.assert_same_bits(dirty, clean)
    assert not clean["y"][padding].any()
    assert not clean["dx"][padding].any()
    for name in ("h", "c"):  # a row without steps hands its state on, and back
        first = getattr(problem, f"{name}0")
        if first is not None:
            empty = lengths == 0
            assert np.array_equal(clean[f"{name}_n"][:, empty], first[:, empty])
            back = getattr(problem, f"d{name}_n")[:, empty]
            assert np.array_equal(clean[f"d{name}0"][:, empty], back)


def short_rows_are_cut(case: Case, problem: Problem) -> None:
    """A row with a length is the row of that many steps."""
    lengths = np.random.default_rng(6).integers(1, case.T + 1, case.B)
    whole = run(case, replace(problem, lengths=lengths))
    for b in sorted({0, case.B - 1}):
        n = int(lengths[b])
        row = runs.rows(replace(problem, lengths=None), [b])
        resets = None if row.resets is None else row.resets[:, :n].copy()
        cut = replace(row, x=row.x[:, :n].copy(), dy=row.dy[:, :n].copy(), resets=resets)
        expected = runs.row_results(whole, [b])
        expected |= {name: expected[name][:, :n] for name in ("y", "dx")}
        runs.assert_same_bits(only(run(case, cut), OF_ROWS), expected)


def nan_stays_in_its_row(case: Case, problem: Problem) -> None:
    """A NaN input spoils its row from that step on, and nothing else."""
    b, t = case.B // 2, 0 if problem.lengths is not None else case.T // 2
    x = problem.x.copy()
    x[b, t, 0] = np.nan
    clean, spoiled = run(case, problem), run(case, replace(problem, x=x))
    others = [row for row in range(case.B) if row != b]
    runs.assert_same_bits(runs.row_results(spoiled, others), runs.row_results(clean, others))
    runs.assert_same_bits({"y": spoiled["y"][b, :t]}, {"y": clean["y"][b, :t]})
    assert np.isnan(spoiled["y"][b, t]).all()


def resets_are_separate_runs(case: Case, problem: Problem) -> None:
    """One reset at the same step in all rows: what follows is a run of its own."""
    if case.T < 2 or case.layers > 1:
        return  # further layers see the outputs of before
    at = case.T // 2
    resets = np.zeros((case.B, case.T), bool)
    resets[:, at] = True
    both = run(case, replace(problem, lengths=None, resets=resets))
    first = replace(problem, x=problem.x[:, :at].copy(), dy=problem.dy[:, :at].copy())
    second = replace(problem, x=problem.x[:, at:].copy(), dy=problem.dy[:, at:].copy())
    zeros = np.zeros_like(problem.dh_n)
    first = replace(first, lengths=None, resets=None, dh_n=zeros, dc_n=zeros)
    second = replace(second, lengths=None, resets=None, h0=None, c0=None)
    one, two = run(case, first), run(case, second)
    joined = {name: np.concatenate([one[name], two[name]], 1) for name in ("y", "dx")}
    joined |= {name: two[name] for name in ("h_n", "c_n")}
    joined |= {name: one[name] for name in ("dh0", "dc0")}
    runs.assert_same_bits(joined, only(both, OF_ROWS))


def time_major_is_batch_first(case: Case, problem: Problem) -> None:
    def turned(array: Any) -> Any:
        return None if array is None else np.ascontiguousarray(array.swapaxes(0, 1))

    rnn = runs.make_rnn(case, problem, batch_first=False)
    other = replace(
        problem, x=turned(problem.x), dy=turned(problem.dy), resets=turned(problem.resets)
    )
    found = runs.run(rnn, other)
    found |= {name: found[name].swapaxes(0, 1) for name in ("y", "dx")}
    runs.assert_same_bits(found, run(case, problem))


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        row_is_a_batch_of_one,
        part_of_a_batch,
        permuted_batch,
        chunks_are_the_whole,
        no_state_is_zero_state,
        training_is_inference,
        threads_change_nothing,
        full_lengths_are_none,
        padding_does_not_leak,
        short_rows_are_cut,
        nan_stays_in_its_row,
        resets_are_separate_runs,
        time_major_is_batch_first,
    )
}

# Large enough for several threads: by rows, by panels of units (few rows, many units), and x
# projected ahead (few rows, many inputs). Rows of unequal length make unequal shares, a norm needs
# whole rows.
LARGE: tuple[Case, ...] = (
    Case(12, 40, 24, 96, state=True),
    Case(8, 6, 64, 256, layers=2, state=True),
    Case(10, 1, 96, 512, state=True),
    Case(10, 3, 200, 320, lengths=True, resets=True, state=True),
    Case(9, 35, 33, 130, lengths=True, state=True, peephole=True, coupled=True),
    Case(8, 34, 20, 129, resets=True, peephole=True, state=True),
    Case(8, 37, 16, 130, layer_norm=True, state=True),
    Case(8, 36, 16, 130, layer_norm=True, lengths=True, resets=True, state=True),
    Case(8, 5, 48, 260, layer_norm=True, lengths=True, resets=True, state=True),
    Case(6, 33, 40, 100, dtype="float64", state=True),
    Case(6, 4, 40, 257, dtype="float64", peephole=True, lengths=True, state=True),
)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_of_the_table(case: Case, name: str) -> None:
    CHECKS[name](case, make_problem(case))


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("case", LARGE, ids=lambda case: case.name)
def test_of_large_problems(case: Case, name: str) -> None:
    CHECKS[name](case, make_problem(case))


@st.composite
def any_case(draw: st.DrawFn) -> Case:
    names = ("tanh", "relu", "softsign", "softplus", "elu", "hard_sigmoid")
    plain = draw(st.booleans())
    return Case(
        T=draw(st.integers(1, 7)),
        B=draw(st.integers(1, 11)),
        I=draw(st.integers(1, 24)),
        H=draw(st.integers(1, 40)),
        layers=draw(st.integers(1, 2)),
        dtype=draw(st.sampled_from(("float32", "float64"))),
        activation="tanh" if plain else draw(st.sampled_from(names)),
        recurrent_activation="sigmoid" if plain else draw(st.sampled_from(("sigmoid", *names[4:]))),
        peephole=not plain and draw(st.booleans()),
        coupled=not plain and draw(st.booleans()),
        layer_norm=not plain and draw(st.booleans()),
        lengths=draw(st.booleans()),
        resets=draw(st.booleans()),
        state=draw(st.booleans()),
    )


@settings(max_examples=100)
@given(case=any_case())
@pytest.mark.parametrize("name", CHECKS)
def test_of_any_problem(name: str, case: Case) -> None:
    CHECKS[name](case, make_problem(case))

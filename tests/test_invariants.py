"""What must give the same bits: threads, batches, chunks, training, padding, layouts.

Parameter gradients belong to the promise for threads and layouts, where the batch is the
same; outputs, states and the gradients of inputs and states belong to it everywhere. Random masks
are named by row: where rows change places, nothing is drawn.
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

import runs
from any_case import LARGEST, any_case
from cases import CASES, Case, Problem, make_problem
from option_cases import OPTION_CASES
from tolerances import tolerance

Array = npt.NDArray[Any]
Check = Callable[[Case, Problem], None]

pytestmark = pytest.mark.isa

OF_ROWS = (*runs.OUTPUTS, *runs.OF_INPUTS)
STEPS = ("y", "cells", "dx")


def run(case: Case, problem: Problem, draw: bool = False) -> runs.Arrays:
    return runs.run(runs.make_rnn(case, problem), problem, draw)


def draws(case: Case) -> tuple[bool, ...]:
    return (False, True) if case.is_random else (False,)


def only(results: runs.Arrays, names: tuple[str, ...]) -> runs.Arrays:
    return {name: results[name] for name in names if name in results}


def each_step(problem: Problem, change: Callable[[Array], Array], *more: str) -> Problem:
    """The problem with all that goes step by step changed alike."""
    names = ("x", "dy", "dcells", *more)
    changed = {name: getattr(problem, name) for name in names}
    return replace(problem, **{n: None if v is None else change(v) for n, v in changed.items()})


def zero_state(problem: Problem) -> Problem:
    return replace(problem, h0=np.zeros_like(problem.dh_n), c0=np.zeros_like(problem.dc_n))


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
    if case.bidirectional or case.bptt_steps:
        return
    rng = np.random.default_rng(4)
    cuts = [0, *sorted(set(rng.integers(1, case.T, 3).tolist())), case.T] if case.T > 1 else [0, 1]
    parts = []
    for start, stop in itertools.pairwise(cuts):
        lengths = problem.lengths
        part = each_step(problem, lambda v, s=start, e=stop: v[:, s:e].copy(), "resets")
        part = replace(
            part, lengths=None if lengths is None else (lengths - start).clip(0, stop - start)
        )
        parts.append(part)
    rnns = [runs.make_rnn(case, problem) for _ in parts]
    outputs, h, c = [], problem.h0, problem.c0
    for rnn, part in zip(rnns, parts, strict=True):
        found = runs.forward(rnn, replace(part, h0=h, c0=c), training=True, draw=False)
        outputs.append(found)
        h, c = found["h_n"], found["c_n"]
    assert h is not None
    assert c is not None
    slopes, dh, dc = [], problem.dh_n, problem.dc_n
    for rnn, part in zip(reversed(rnns), reversed(parts), strict=True):
        dx, (dh, dc) = rnn.backward(part.dy, (dh, dc), part.dcells)
        slopes.append(dx)
    together = {"h_n": h, "c_n": c}
    for name in ("y", "cells") if case.return_cell_states else ("y",):
        together[name] = np.concatenate([found[name] for found in outputs], 1)
    together |= {"dx": np.concatenate(slopes[::-1], 1), "dh0": dh, "dc0": dc}
    # the gradients of a carried state need one, though it were 0
    given_state = zero_state(problem) if problem.h0 is None else problem
    runs.assert_same_bits(together, only(run(case, given_state), OF_ROWS))


def no_state_is_zero_state(case: Case, problem: Problem) -> None:
    none, zero = replace(problem, h0=None, c0=None), zero_state(problem)
    runs.assert_same_bits(only(run(case, none), OF_ROWS), only(run(case, zero), OF_ROWS))


def training_is_inference(case: Case, problem: Problem) -> None:
    rnn = runs.make_rnn(case, problem)
    trained = runs.forward(rnn, problem, training=True, draw=False)
    runs.assert_same_bits(runs.forward(rnn, problem), trained)


def threads_change_nothing(case: Case, problem: Problem) -> None:
    results = []
    for n in (1, 2, 4):
        with runs.threads(n):
            rnn = runs.make_rnn(case, problem)
            trained = [run(case, problem, draw) for draw in draws(case)]
            results.append([*trained, runs.forward(rnn, problem)])
    for others in results[1:]:
        for found, expected in zip(others, results[0], strict=True):
            runs.assert_same_bits(found, expected)


def full_lengths_are_none(case: Case, problem: Problem) -> None:
    full, none = (replace(problem, lengths=n) for n in (np.full(case.B, case.T), None))
    for draw in draws(case):
        runs.assert_same_bits(run(case, full, draw), run(case, none, draw))


def padding_does_not_leak(case: Case, problem: Problem) -> None:
    """What stands in x and dy after a row's end, be it NaN, changes nothing; y is 0 there."""
    lengths = np.random.default_rng(5).integers(0, case.T + 1, case.B)
    padding = np.arange(case.T) >= lengths[:, None]
    ragged = replace(problem, lengths=lengths)
    zeros, dirt = (
        each_step(ragged, lambda v, n=n: np.where(padding[..., None], v.dtype.type(n), v))
        for n in (0, np.nan)
    )
    if problem.resets is not None:
        dirt = replace(dirt, resets=problem.resets | padding)
        zeros = replace(zeros, resets=problem.resets & ~padding)
    for draw in draws(case):
        clean, dirty = run(case, zeros, draw), run(case, dirt, draw)
        runs.assert_same_bits(dirty, clean)
        assert not any(clean[name][padding].any() for name in ("y", "dx", "cells") if name in clean)
        states_of_empty_rows_pass(problem, clean, lengths == 0)


def states_of_empty_rows_pass(problem: Problem, found: runs.Arrays, empty: Array) -> None:
    for name in ("h", "c"):  # a row without steps hands its state on, and back
        first = getattr(problem, f"{name}0")
        if first is not None:
            assert np.array_equal(found[f"{name}_n"][:, empty], first[:, empty])
            back = getattr(problem, f"d{name}_n")[:, empty]
            assert np.array_equal(found[f"d{name}0"][:, empty], back)


def short_rows_are_cut(case: Case, problem: Problem) -> None:
    """A row with a length is the row of that many steps."""
    lengths = np.random.default_rng(6).integers(1, case.T + 1, case.B)
    whole = run(case, replace(problem, lengths=lengths))
    for b in sorted({0, case.B - 1}):
        n = int(lengths[b])
        row = runs.rows(replace(problem, lengths=None), [b])
        cut = each_step(row, lambda v, n=n: v[:, :n].copy(), "resets")
        expected = runs.row_results(whole, [b])
        expected |= {name: v[:, :n] for name, v in expected.items() if name in STEPS}
        runs.assert_same_bits(only(run(case, cut), OF_ROWS), expected)


def nan_stays_in_its_row(case: Case, problem: Problem) -> None:
    """A NaN input spoils its row from that step on, and nothing else."""
    b, t = case.B // 2, 0 if problem.lengths is not None else case.T // 2
    x = problem.x.copy()
    x[b, t, 0] = np.nan
    clean, spoiled = run(case, problem), run(case, replace(problem, x=x))
    others = [row for row in range(case.B) if row != b]
    runs.assert_same_bits(runs.row_results(spoiled, others), runs.row_results(clean, others))
    if not case.bidirectional:
        runs.assert_same_bits({"y": spoiled["y"][b, :t]}, {"y": clean["y"][b, :t]})
    assert np.isnan(spoiled["y"][b, t]).all()


def resets_are_separate_runs(case: Case, problem: Problem) -> None:
    """One reset at the same step in all rows: what follows is a run of its own."""
    if case.T < 2 or case.layers > 1 or case.bidirectional or case.bptt_steps:
        return  # further layers see the outputs of before
    at = case.T // 2
    resets = np.zeros((case.B, case.T), bool)
    resets[:, at] = True
    both = run(case, replace(problem, lengths=None, resets=resets))
    bare = replace(problem, lengths=None, resets=None)
    first = each_step(bare, lambda v: v[:, :at].copy())
    second = each_step(bare, lambda v: v[:, at:].copy())
    zeros = {name: np.zeros_like(getattr(problem, name)) for name in ("dh_n", "dc_n")}
    first, second = replace(first, **zeros), replace(second, h0=None, c0=None)
    one, two = run(case, first), run(case, second)
    joined = {name: np.concatenate([one[name], two[name]], 1) for name in STEPS if name in one}
    joined |= {name: two[name] for name in ("h_n", "c_n")}
    joined |= {name: one[name] for name in ("dh0", "dc0")}
    runs.assert_same_bits(joined, only(both, OF_ROWS))


def time_major_is_batch_first(case: Case, problem: Problem) -> None:
    def transposed(array: Any) -> Any:
        return None if array is None else np.ascontiguousarray(array.swapaxes(0, 1))

    other = each_step(problem, transposed, "resets")
    for draw in draws(case):
        found = runs.run(runs.make_rnn(case, problem, batch_first=False), other, draw)
        found |= {name: v.swapaxes(0, 1) for name, v in found.items() if name in STEPS}
        runs.assert_same_bits(found, run(case, problem, draw))


def recomputing_is_keeping(case: Case, problem: Problem) -> None:
    """Parameter gradients are sums over other blocks of steps, as good as each other."""
    plain = replace(case, recompute_every=None)
    drawn = run(plain, problem, True)
    is_small = case.T * case.B * case.H < 2000
    is_small &= all(np.abs(value).max(initial=0.0) < LARGEST for value in drawn.values())
    allowed = tolerance(case, case.dtype) if is_small else {}
    for draw in draws(case):
        kept = run(plain, problem, draw)
        for every in (1, 2, "sqrt"):
            again = run(replace(case, recompute_every=every), problem, draw)
            runs.assert_same_bits(again, only(kept, OF_ROWS))
            for name in allowed.keys() - set(OF_ROWS):
                # The tolerance is that of the problem with its draw, of which zoneout at 0.9 leaves
                # few terms; a sum's rounding errors are as large as its terms.
                size, usual = (float(np.abs(of[name]).max(initial=0.0)) for of in (kept, drawn))
                larger = max(1.0, size / usual) if usual else 1.0
                error = np.abs(again[name] - kept[name]).max(initial=0.0)
                assert error <= 2 * larger * allowed[name], name


def directions_are_runs_of_their_own(case: Case, problem: Problem) -> None:
    """The second is a run over each row from its last step to its first."""
    if not case.bidirectional or case.layers > 1:
        return
    ends = np.full(case.B, case.T) if problem.lengths is None else problem.lengths
    order = np.arange(case.T) + np.zeros((case.B, 1), int)
    order = np.where(order < ends[:, None], ends[:, None] - 1 - order, order)

    def flipped(value: Array) -> Array:
        return np.take_along_axis(value, order.reshape(order.shape + (1,) * (value.ndim - 2)), 1)

    def half(value: Array | None, d: int) -> Array | None:
        return None if value is None else np.ascontiguousarray(np.split(value, 2, -1)[d])

    one, both, found = replace(case, bidirectional=False), run(case, problem), []
    for d in range(2):
        states = {name: getattr(problem, name) for name in ("h0", "c0", "dh_n", "dc_n")}
        states = {n: None if v is None else v[d : d + 1].copy() for n, v in states.items()}
        part = replace(problem, dy=half(problem.dy, d), dcells=half(problem.dcells, d), **states)
        part = replace(part, params=problem.params[d : d + 1])
        if d == 1:
            part = each_step(part, flipped)
            if part.resets is not None:  # after a step is before the next one of the run
                resets = np.zeros_like(part.resets)
                resets[:, 1:] = flipped(
                    np.where(np.arange(case.T) < ends[:, None], part.resets, 0)
                )[:, :-1]
                part = replace(part, resets=resets)
        found.append(run(one, part))
        if d == 1:
            found[1] |= {name: flipped(v) for name, v in found[1].items() if name in STEPS}
    ahead, back = found
    together = {
        name: np.concatenate([ahead[name], back[name]], -1)
        for name in ("y", "cells")
        if name in ahead
    }
    together |= {n: np.concatenate([ahead[n], back[n]]) for n in ("h_n", "c_n", "dh0", "dc0")}
    together |= {name: v for name, v in ahead.items() if name.startswith("0.")}
    together |= {f"1{name[1:]}": v for name, v in back.items() if name.startswith("0.")}
    runs.assert_same_bits(together | {"dx": ahead["dx"] + back["dx"]}, both)


def trace_is_what_happened(case: Case, problem: Problem) -> None:
    """Gates make the c of the trace; c and h are cells and y."""
    rnn = runs.make_rnn(replace(case, return_cell_states=True), problem)
    state = None if problem.h0 is None else (problem.h0, problem.c0)
    traces = rnn.trace(problem.x, state, lengths=problem.lengths, resets=problem.resets)
    found = runs.forward(rnn, problem)
    last = list(traces.values())[-case.directions :]
    runs.assert_same_bits(
        {name: np.concatenate([getattr(t, name[0]) for t in last], -1) for name in ("h", "c")},
        {"h": found["y"], "c": found["cells"]},
    )


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
        recomputing_is_keeping,
        directions_are_runs_of_their_own,
        trace_is_what_happened,
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
    Case(8, 40, 24, 96, proj_size=50, proj_clip=0.3, zoneout_h=0.2, lengths=True, state=True),
    Case(6, 5, 64, 300, proj_size=130, zoneout_c=0.2, recurrent_dropout=0.3, state=True),
    Case(6, 3, 64, 300, proj_size=400, layer_norm=True, zoneout_h=0.2, weight_drop=0.2),
    Case(6, 37, 20, 130, layer_norm=True, proj_size=33, input_dropout=0.3, lengths=True),
    Case(6, 4, 48, 260, zoneout_h=0.3, recurrent_dropout=0.2, layer_norm=True, resets=True),
    Case(6, 3, 40, 256, layers=2, bidirectional=True, lengths=True, resets=True, state=True),
    Case(6, 40, 40, 130, bidirectional=True, proj_size=40, zoneout_h=0.2, return_cell_states=True),
    Case(9, 6, 40, 260, recompute_every=3, zoneout_h=0.3, cell_clip=0.5, state=True),
)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("case", CASES + OPTION_CASES, ids=lambda case: case.name)
def test_of_the_table(case: Case, name: str) -> None:
    CHECKS[name](case, make_problem(case))


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("case", LARGE, ids=lambda case: case.name)
def test_of_large_problems(case: Case, name: str) -> None:
    CHECKS[name](case, make_problem(case))


def test_of_weights_larger_than_caches() -> None:
    """34 MB: below 68 MB of L3, the tiles of a batch fetch ahead and a single row does not."""
    case = Case(2, 24, 1024, 1030, state=True)
    row_is_a_batch_of_one(case, make_problem(case))


@settings(max_examples=100)
@given(case=any_case())
@pytest.mark.parametrize("name", CHECKS)
def test_of_any_problem(name: str, case: Case) -> None:
    CHECKS[name](case, make_problem(case))

"""Random calls of `lf.LSTM` and `lf.functional` against the reference, right ones and wrong ones.

A problem is drawn (sizes, cell, dtype, what the call is given) and solved by the reference in
float64, with the tolerances of `tolerances.py`. Then several calls of `lf.LSTM` get its numbers in
many forms and layouts: each must be within the tolerance of the reference and have the bits of the
plain call. Wrong calls must raise a TypeError or ValueError that names the operation, and leave
weights, gradients, arguments and what `backward` will read as they were.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

import call_mistakes as mistakes
import lstmfast as lf
import runs
from any_case import LARGEST, any_options
from call_forms import FLAGS, FLOATS, INTEGERS, PLACES
from cases import Case, Problem, make_problem, run_reference
from lstmfast import functional
from lstmfast._layouts import PARAMETERS, from_torch
from tolerances import NORM_GAIN, assert_close, tolerance

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
Rng = np.random.Generator

CALLS = 10  # of one problem
ROW_AXES = {"y": 0, "cells": 0, "dx": 0, "h_n": 1, "c_n": 1, "dh0": 1, "dc0": 1}


def random_case(rng: Rng) -> Case:
    """Sizes and options that go together. Kinks only in float64: float32 errs across them."""

    def chance(of: float = 0.5) -> bool:
        return bool(rng.random() < of)

    def size(most: int) -> int:
        return int(rng.integers(1, most + 1))

    dtype = "float64" if chance(0.6) else "float32"
    H, layers = size(40), 1 if chance(0.6) else 2
    options = any_options(
        lambda values: mistakes.one_of(rng, list(values)), layers=layers, kinks=dtype == "float64"
    )
    # a norm of two units is 1 and -1, one of clipped units divides by next to nothing
    if H <= (16 if "cell_clip" in options else 2):
        options.pop("layer_norm", None)
    return Case(
        T=size(7),
        B=1 if chance(0.25) else size(11),
        I=size(24),
        H=H,
        layers=layers,
        dtype=dtype,
        lengths=chance(),
        resets=chance(),
        state=chance(),
        **options,
    )


@dataclass
class Solved:
    """A problem with its answers: `still` of a call in which nothing is random, `drawn` of others.

    `plain` holds what `lf.LSTM` made of each, in the plainest call, by the same two names.
    """

    case: Case
    problem: Problem
    answers: dict[str, Arrays]
    plain: dict[str, Arrays]
    allowed: dict[str, float]
    rnn: lf.LSTM

    def check(self, found: Arrays, kind: str) -> None:
        """Compare with the reference, and bit by bit with the plain call."""
        assert_close(found, self.answers[kind], self.allowed)
        if self.plain:
            runs.assert_same_bits(found, {name: self.plain[kind][name] for name in found})


def answer(rng: Rng) -> tuple[Case, Problem, dict[str, Arrays]]:
    """Draw a problem and solve it; those whose numbers grow without bounds are drawn again."""
    while True:
        case = random_case(rng)
        problem = make_problem(case)
        if problem.lengths is not None and rng.random() < 0.2:
            problem.lengths[rng.integers(case.B)] = 0
        answers = {"still": run_reference(case, problem, step=0)}
        answers["drawn"] = run_reference(case, problem) if case.is_random else answers["still"]
        values = [np.abs(value).max(initial=0.0) for a in answers.values() for value in a.values()]
        if max(values) < LARGEST:
            return case, problem, answers


def solve(rng: Rng) -> Solved:
    """Draw a problem, of no rows now and then, and solve it with the reference and `lf.LSTM`."""
    case, problem, answers = answer(rng)
    # as test_any_options: three draws miss the worst of so many problems, and the core takes slopes
    # from values
    rest = 4.0 * float(np.finfo(case.dtype).eps) * (NORM_GAIN if case.layer_norm else 1.0)
    allowed = {name: 8.0 * bound + rest for name, bound in tolerance(case, case.dtype).items()}
    if rng.random() < 0.05:
        none = np.zeros(0, np.int64)
        problem = runs.rows(problem, none)
        answers = {
            kind: {
                name: np.take(value, none, ROW_AXES[name]) if name in ROW_AXES else 0.0 * value
                for name, value in results.items()
            }
            for kind, results in answers.items()
        }
    solved = Solved(case, problem, answers, {}, allowed, runs.make_rnn(case, problem))
    still = runs.run(solved.rnn, problem, draw=False)
    solved.rnn._core.training_calls = 0
    drawn = runs.run(solved.rnn, problem)
    for kind, found in (("still", still), ("drawn", drawn)):
        solved.check(found, kind)
    solved.plain = {"still": still, "drawn": drawn}
    return solved


def laid_out(problem: Problem, layout: str) -> Problem:
    """The problem's arrays with time first, or those of its only row."""
    if layout == "first":
        return problem

    def steps(array: Any) -> Any:
        if array is None:
            return None
        return array[0] if layout == "one" else np.ascontiguousarray(array.swapaxes(0, 1))

    def states(array: Any) -> Any:
        return array if array is None or layout == "major" else array[:, 0]

    return replace(
        problem,
        **{name: steps(getattr(problem, name)) for name in ("x", "resets", "dy", "dcells")},
        **{name: states(getattr(problem, name)) for name in ("h0", "c0", "dh_n", "dc_n")},
    )


def batch_first(results: Arrays, layout: str) -> Arrays:
    """Results of a call in a layout as those of the plain one; what has no rows stays."""
    if layout == "major":
        transposed = ("y", "cells", "dx")
        return {k: v.swapaxes(0, 1) if k in transposed else v for k, v in results.items()}
    if layout == "one":
        return {
            name: np.expand_dims(value, ROW_AXES[name]) if name in ROW_AXES else value
            for name, value in results.items()
        }
    return results


def in_some_form(rng: Rng, array: Any, forms: tuple[Any, ...]) -> Any:
    """The array as it is, or in another form; None stays."""
    if array is None or rng.random() < 0.5:
        return array
    forms = forms if array.size else PLACES
    return forms[int(rng.integers(len(forms)))](array)


def arguments(rng: Rng, problem: Problem, layout: str, mixed: bool) -> dict[str, Any]:
    """Arguments of a call of `lf.LSTM`; `mixed`: in any forms."""

    def form(array: Any, forms: tuple[Any, ...]) -> Any:
        return in_some_form(rng, array, forms) if mixed else array

    state = None
    if problem.h0 is not None:
        state = (form(problem.h0, FLOATS), form(problem.c0, FLOATS))
        state = mistakes.one_of(rng, [state, list(state)])
    lengths = problem.lengths
    if layout == "one" and lengths is not None and rng.random() < 0.5:
        lengths = lengths[0]
    return {
        "x": form(problem.x, FLOATS),
        "state": state,
        "lengths": form(np.asarray(lengths), INTEGERS) if lengths is not None else None,
        "resets": form(problem.resets, FLAGS),
    }


def named(result: Any) -> Arrays:
    """What a call returned, by names."""
    y, (h, c), *cells = result
    return {"y": y.copy(), "h_n": h, "c_n": c} | ({"cells": cells[0]} if cells else {})


def some_layout(rng: Rng, solved: Solved) -> str:
    """How the arrays of a call lie."""
    one = len(solved.problem.x) == 1
    return str(rng.choice(["first", "first", "major", "one"] if one else ["first", "major"]))


def infer(rng: Rng, solved: Solved) -> None:
    """A call without training, to an `out` of the caller's now and then."""
    layout = some_layout(rng, solved)
    given = arguments(rng, laid_out(solved.problem, layout), layout, mixed=True)
    y = batch_first_shape(solved, layout)
    out = np.full(y, np.nan, solved.case.dtype) if rng.random() < 0.3 else None
    solved.rnn.batch_first = layout != "major"
    result = solved.rnn(**given, out=out)
    assert out is None or result[0] is out
    solved.check(batch_first(named(result), layout), "still")


def batch_first_shape(solved: Solved, layout: str) -> tuple[int, ...]:
    """The shape of y in a layout."""
    B, T, width = solved.answers["still"]["y"].shape
    return {"first": (B, T, width), "major": (T, B, width), "one": (T, width)}[layout]


def train(rng: Rng, solved: Solved) -> None:
    """A call with training and its backward, with wrong calls between them now and then."""
    layout = some_layout(rng, solved)
    problem = laid_out(solved.problem, layout)
    rnn = solved.rnn
    rnn.batch_first = layout != "major"
    rnn.zero_grad()
    rnn._core.training_calls = 0
    found = named(rnn(**arguments(rng, problem, layout, mixed=True), training=True))
    given = {
        "dy": in_some_form(rng, problem.dy, FLOATS),
        "dstate": tuple(in_some_form(rng, each, FLOATS) for each in (problem.dh_n, problem.dc_n)),
        "dcells": in_some_form(rng, problem.dcells, FLOATS),
    }
    if rng.random() < 0.3:
        of_shapes = {name: getattr(problem, name) for name in ("dy", "dh_n", "dc_n")}
        name, wrong = mistakes.backward(rng, given, problem.dcells, of_shapes)
        refused(rnn, rnn.backward, "lstm.backward", name, wrong)
    if rng.random() < 0.3:
        wrong_forward(rng, solved)
        rnn.batch_first = layout != "major"
    dx, (dh0, dc0) = rnn.backward(**given)
    found |= {"dx": dx, "dh0": dh0, "dc0": dc0}
    found = batch_first(found, layout) | runs.logical_grads(rnn)
    solved.check(found, "drawn")


def trace(rng: Rng, solved: Solved) -> None:
    """Gates and states of all steps: h of the last layer is y."""
    layout = some_layout(rng, solved)
    given = arguments(rng, laid_out(solved.problem, layout), layout, mixed=True)
    solved.rnn.batch_first = layout != "major"
    inside = solved.rnn.trace(**given)
    last = f"l{solved.case.layers - 1}"
    parts = [inside[name].h for name in (last, f"{last}_reverse") if name in inside]
    y = batch_first({"y": np.concatenate(parts, axis=-1)}, layout)
    assert_close(y, solved.answers["still"], solved.allowed)


def function_arguments(rng: Rng, solved: Solved, layout: str, mixed: bool) -> dict[str, Any]:
    """Arguments of `lf.functional.lstm` for a problem of one layer and direction."""
    case = solved.case
    given = arguments(rng, laid_out(solved.problem, layout), layout, mixed)
    h0, c0 = (None, None) if given["state"] is None else given["state"]
    # one direction: (1, B, H) is (B, H) to a function, and so is what a form made of it
    state = {} if h0 is None else {"h0": np.asarray(h0)[0], "c0": np.asarray(c0)[0]}
    weights = {runs.FUNCTION_NAMES[name]: value for name, value in solved.rnn.state_dict().items()}
    if mixed:
        weights = {name: in_some_form(rng, value, FLOATS) for name, value in weights.items()}
    of_weights = ("proj_size", "peephole", "layer_norm", "bidirectional")
    options = {name: v for name, v in case.keywords.items() if name not in of_weights}
    del given["state"]
    options |= {"dtype": case.dtype}
    return given | state | weights | options | {"batch_first": layout != "major"}


def function(rng: Rng, solved: Solved) -> None:
    """A call of `lf.functional`, with gradients now and then; packed weights, too."""
    layout = some_layout(rng, solved)
    given = function_arguments(rng, solved, layout, mixed=True)
    if rng.random() < 0.3:
        apart = ("x", "h0", "c0", "lengths", "resets", "batch_first")
        packed = functional.pack(**{k: v for k, v in given.items() if k not in apart})
        given = {k: v for k, v in given.items() if k in apart} | {"w_ih": packed}
    if rng.random() < 0.5:
        y, (h, c), *cells = functional.lstm(**given)
        found = named((y, (h[None], c[None]), *cells))
        solved.check(batch_first(found, layout), "still")
        return
    (y, (h, c), *cells), vjp = functional.lstm_vjp(**given)
    problem = laid_out(solved.problem, layout)
    for _ in range(int(rng.integers(1, 3))):
        dcells = in_some_form(rng, problem.dcells, FLOATS)
        dstate = (problem.dh_n[0], problem.dc_n[0])
        g = vjp(in_some_form(rng, problem.dy, FLOATS), dstate, dcells)
        found = named((y, (h[None], c[None]), *cells))
        found |= {"dx": g.x, "dh0": g.h0[None], "dc0": g.c0[None]}
        found = batch_first(found, layout)
        slopes = {each.torch: getattr(g, each.argument) for each in PARAMETERS}
        slopes = {name: value for name, value in slopes.items() if value is not None}
        found |= {f"0.{k}": v for k, v in from_torch(slopes, gradients=True).items()}
        solved.check(found, "still")


def seen(value: Any) -> Any:
    """All that a call might change of an argument."""
    if isinstance(value, np.ndarray):
        return value.tobytes(), value.shape, str(value.flags), value.strides
    if isinstance(value, tuple | list):
        return [seen(each) for each in value]
    return repr(value)


def refused(
    rnn: lf.LSTM, call: Callable[..., Any], where: str, name: str, given: dict[str, Any]
) -> None:
    """A wrong call: an error that names the operation, and nothing else."""

    def everything() -> Any:
        numbers = [seen(list(part.values())) for part in (rnn.state_dict(), rnn.grads())]
        return numbers, rnn._core.training_calls, {k: seen(v) for k, v in given.items()}

    before, error = everything(), None
    try:
        call(**given)
    except (TypeError, ValueError) as caught:
        error = caught
    assert error is not None, f"{where} took {name} of type {type(given[name]).__name__}"
    assert type(error) in (TypeError, ValueError), repr(error)
    assert str(error).startswith(f"[{where}] "), (name, str(error))
    assert everything() == before, (name, given[name])


def wrong_forward(rng: Rng, solved: Solved) -> None:
    """A call of `lf.LSTM` with one wrong argument."""
    layout = some_layout(rng, solved)
    problem = laid_out(solved.problem, layout)
    rnn = solved.rnn
    rnn.batch_first = layout != "major"
    given = arguments(rng, problem, layout, mixed=False) | {"training": bool(rng.random() < 0.5)}
    y = np.zeros(batch_first_shape(solved, layout), solved.case.dtype)
    states = problem.dh_n, problem.dc_n  # right in shape
    name, wrong = mistakes.forward(rng, given | {"layout": layout}, y, states)
    refused(rnn, rnn, "lstm.forward", name, wrong)


def wrong_function(rng: Rng, solved: Solved) -> None:
    """A call of `lf.functional` with one wrong argument."""
    layout = some_layout(rng, solved)
    name, given = mistakes.function(rng, function_arguments(rng, solved, layout, mixed=False))
    where = str(rng.choice(["lstm", "lstm_vjp"]))
    refused(solved.rnn, getattr(functional, where), f"functional.{where}", name, given)


def fuzz(count: int, seed: int, first: int = 0) -> Counter[str]:
    """Make `count` calls, and count them by kind; a failure names the problem that it needs."""
    counts: Counter[str] = Counter()
    number = first
    while counts.total() < count:
        rng = np.random.default_rng((seed, number))
        solved: Solved | None = None
        try:
            solved = solve(rng)
            calls = [infer, infer, train, train, train, trace, wrong_forward, wrong_forward]
            if solved.case.layers == solved.case.directions == 1:
                calls += [function, function, function, wrong_function, wrong_function]
            for _ in range(CALLS):
                call = mistakes.one_of(rng, calls)
                call(rng, solved)
                counts[call.__name__] += 1
        except Exception as error:
            what = "drawing" if solved is None else solved.case.name
            raise AssertionError(
                f"seed {seed}, problem {number} ({what}): {traceback.format_exc()}"
            ) from error
        number += 1
        tolerance.cache_clear()
    return counts

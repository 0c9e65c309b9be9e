"""What must give the same bits: a warm object, concurrent callers, other ways to the same layer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import runs
from cases import CASES, Case, Problem, make_problem
from test_invariants import LARGE

Array = npt.NDArray[Any]

pytestmark = pytest.mark.isa


def run(case: Case, problem: Problem) -> runs.Arrays:
    return runs.run(runs.make_rnn(case, problem), problem)


def shapes_of_calls() -> Iterator[tuple[int, int]]:
    """T and B that grow and shrink, so that memory of an earlier call lies about."""
    yield from ((3, 2), (40, 1), (5, 33), (1, 1), (12, 7), (40, 20), (2, 3), (5, 33))


@pytest.mark.parametrize(
    "keywords", [{}, {"coupled": True, "peephole": True}, {"layer_norm": True}]
)
def test_a_warm_object_is_as_good_as_new(keywords: dict[str, Any]) -> None:
    base = Case(1, 1, 6, 33, layers=2, lengths=True, resets=True, state=True, **keywords)
    params = make_problem(base).params
    warm = runs.make_rnn(base, make_problem(base))
    for T, B in shapes_of_calls():
        case = replace(base, T=T, B=B, lengths=T != 5, resets=B % 2 == 1, state=B != 7)
        problem = replace(make_problem(case), params=params)
        expected = run(case, problem)
        runs.assert_same_bits(
            runs.forward(warm, problem),
            {name: expected[name] for name in runs.STATES if name in expected},
        )
        runs.assert_same_bits(runs.run(warm, problem), expected)


@pytest.mark.parametrize(
    "keywords",
    [{}, {"bidirectional": True}, {"return_cell_states": True, "num_layers": 3}],
)
def test_rows_of_the_same_sizes_may_lie_elsewhere(keywords: dict[str, Any]) -> None:
    """As many rows as steps: only their distances tell the layouts apart."""
    n = 6
    x = np.random.default_rng(0).standard_normal((n, n, 3), np.float32)
    lengths = np.array([6, 0, 3, 6, 1, 2])
    warm = lf.LSTM(3, 17, seed=0, **keywords)
    for batch_first, ragged in itertools.product((True, False, False, True), (False, True, False)):
        warm.batch_first = batch_first
        fresh = lf.LSTM(3, 17, batch_first=batch_first, seed=0, **keywords)
        for training in (False, True):
            options = {"lengths": lengths if ragged else None, "training": training}
            found, expected = (rnn(x, **options) for rnn in (warm, fresh))
            for mine, theirs in zip(flat(found), flat(expected), strict=True):
                np.testing.assert_array_equal(mine, theirs)
        dy = np.ones_like(found[0])
        for mine, theirs in zip(flat(warm.backward(dy)), flat(fresh.backward(dy)), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def flat(results: tuple[Any, ...]) -> Iterator[Array]:
    for each in results:
        yield from each if isinstance(each, tuple) else (each,)


B, T, I, H = 3, 5, 17, 17
RNG = np.random.default_rng(0)
# what a call may be given, as the core takes it
READY: dict[str, Any] = {
    "x": RNG.standard_normal((B, T, I), np.float32),
    "state": (
        RNG.standard_normal((1, B, H), np.float32),
        RNG.standard_normal((1, B, H), np.float32),
    ),
    "lengths": np.array([5, 0, 3]),
    "resets": RNG.random((B, T)) < 0.3,
}


def unready(value: Any) -> Any:
    return [each.tolist() for each in value] if isinstance(value, tuple) else value.tolist()


@pytest.mark.parametrize("given", [*itertools.product((False, True), repeat=len(READY) - 1)])
@pytest.mark.parametrize("training", [False, True])
def test_lists_are_arrays(given: tuple[bool, ...], training: bool) -> None:
    names = ["x", *itertools.compress(list(READY)[1:], given)]
    rnn = lf.LSTM(I, H, seed=0)
    dy, dstate = READY["x"], READY["state"]

    def call(of: Callable[[Any], Any], out: Array | None) -> tuple[Array, ...]:
        rnn.zero_grad()
        results = rnn(**{name: of(READY[name]) for name in names}, training=training, out=out)
        if training:
            gradients = rnn.backward(of(dy), of(dstate))
            return (*flat(results), *flat(gradients), *rnn.grads().values())
        return (*flat(results),)

    expected = call(unready, None)
    out = np.full((B, T, H), np.nan, np.float32)
    for found in (call(lambda value: value, None), call(lambda value: value, out)):
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(out, expected[0])


def test_what_the_core_takes_as_it_is() -> None:
    core: Any = lf.LSTM(I, H, seed=0)._core
    x, (h, c) = READY["x"], READY["state"]
    out = np.empty((B, T, H), np.float32)
    ready = [x, (h, c), READY["lengths"], READY["resets"], True, out, True, True, False]
    y, _ = core.forward(*ready)
    assert y is out
    others: dict[int, list[Any]] = {
        0: [x.tolist(), x.astype(np.float64), x[:, ::-1], x.view(np.ma.MaskedArray)],
        1: [[h, c], (h,), (h, None), (None, c), (h, c.tolist()), h, 3],
        2: [READY["lengths"].tolist(), READY["lengths"].astype(np.int32)],
        3: [READY["resets"].tolist(), READY["resets"].astype(np.int64)],
        4: [1, None, np.True_],
        5: [out.tolist(), out.astype(np.float64), out[:, ::-1]],
    }
    for at, values in others.items():
        for value in values:
            assert core.forward(*ready[:at], value, *ready[at + 1 :]) is None
    # the call above is the one that backward goes through
    for given in ([out.tolist(), None, None], [None, [h, c], None], [None, None, out.tolist()]):
        assert core.backward(*given, False) is None
    dx, _ = core.backward(None, (None, c), None, False)
    assert dx.shape == x.shape


@pytest.mark.parametrize("keywords", [{}, {"proj_size": 5}, {"bidirectional": True, "layers": 2}])
def test_backward_knows_new_weights(keywords: dict[str, Any]) -> None:
    """It keeps the transposed weights as long as they stay: also over other sizes and threads."""
    case = Case(4, 3, 6, 33, **keywords)
    warm = runs.make_rnn(case, make_problem(case))
    for weights, T, B, n in ((0, 4, 3, 1), (1, 4, 3, 1), (1, 9, 40, 2), (1, 4, 3, 2), (0, 4, 3, 1)):
        sizes = replace(case, T=T, B=B)
        params = make_problem(replace(case, T=4 + weights)).params
        problem = replace(make_problem(sizes), params=params)
        fresh = runs.make_rnn(sizes, problem)
        state = fresh.state_dict()
        if any((warm.state_dict()[name] != state[name]).any() for name in state):
            warm.load_state_dict(state)
        with runs.threads(n):
            expected = runs.run(fresh, problem)
            for _ in range(2):
                runs.assert_same_bits(runs.run(warm, problem), expected)


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("case", [CASES[0], LARGE[0], LARGE[1], LARGE[6]], ids=lambda c: c.name)
def test_inference_from_many_threads(case: Case, n: int) -> None:
    """One object; problems of several sizes at once; the GIL is released for the large ones."""
    rnn = runs.make_rnn(case, make_problem(case))
    problems = []
    for k in range(4):
        sizes = replace(case, T=case.T + k, B=max(1, case.B - 3 * k))
        problems.append(replace(make_problem(sizes), params=make_problem(case).params))
    with runs.threads(n):
        alone = [runs.forward(rnn, problem) for problem in problems]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda k: runs.forward(rnn, problems[k % 4]), range(24)))
    for k, results in enumerate(found):
        runs.assert_same_bits(results, alone[k % 4])


def test_training_beside_inference() -> None:
    """Two objects, one trains while the other is asked."""
    case = LARGE[1]
    problem = make_problem(case)
    trained, asked = runs.make_rnn(case, problem), runs.make_rnn(case, problem)
    expected_run, expected = runs.run(trained, problem), runs.forward(asked, problem)
    with ThreadPoolExecutor(3) as pool:
        training = pool.submit(lambda: [runs.run(trained, problem) for _ in range(4)])
        asking = pool.map(lambda _: runs.forward(asked, problem), range(12))
        for results in asking:
            runs.assert_same_bits(results, expected)
        for results in training.result():
            runs.assert_same_bits(results, expected_run)


def test_one_sequence_without_a_batch() -> None:
    case = Case(7, 1, 5, 33, layers=2, state=True)
    problem = make_problem(case)
    rnn = runs.make_rnn(case, problem)
    expected = runs.run(rnn, problem)
    assert problem.h0 is not None
    assert problem.c0 is not None
    rnn.zero_grad()
    y, (h, c) = rnn(problem.x[0], (problem.h0[:, 0], problem.c0[:, 0]), training=True)
    dx, (dh0, dc0) = rnn.backward(problem.dy[0], (problem.dh_n[:, 0], problem.dc_n[:, 0]))
    found = {"y": y[None], "dx": dx[None]}
    states = {"h_n": h, "c_n": c, "dh0": dh0, "dc0": dc0}
    found |= {name: value[:, None] for name, value in states.items()}
    runs.assert_same_bits(found | runs.logical_grads(rnn), expected)


def test_functional_is_the_object() -> None:
    case = Case(5, 6, 4, 17, peephole=True, state=True, lengths=True, resets=True)
    problem = make_problem(case)
    expected = run(case, problem)
    named = {name.removesuffix("_l0"): v for name, v in runs.state_dict(problem.params).items()}
    packed = lf.functional.pack(
        *(named[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
        w_peephole=named["weight_peephole"],
    )
    assert problem.h0 is not None
    assert problem.c0 is not None
    arguments = {
        "h0": problem.h0[0],
        "c0": problem.c0[0],
        "lengths": problem.lengths,
        "resets": problem.resets,
    }
    y, (h, c) = lf.functional.lstm(problem.x, packed, **arguments)
    found = {"y": y, "h_n": h[None], "c_n": c[None]}
    runs.assert_same_bits(found, {name: expected[name] for name in runs.STATES if name in expected})
    (y, (h, c)), vjp = lf.functional.lstm_vjp(problem.x, packed, **arguments)
    for _ in range(2):
        slopes = vjp(problem.dy, (problem.dh_n[0], problem.dc_n[0]))
        found = {"y": y, "h_n": h[None], "c_n": c[None]}
        found |= {"dx": slopes.x, "dh0": slopes.h0[None], "dc0": slopes.c0[None]}
        found |= {"0.kernel": slopes.w_ih.T, "0.recurrent_kernel": slopes.w_hh.T}
        found |= {"0.bias": slopes.b_ih, "0.peephole": slopes.w_peephole}
        runs.assert_same_bits(found, expected)


def test_predict_does_not_depend_on_the_batch_size() -> None:
    from lstmfast.layers import LSTM, Dense
    from lstmfast.models import Sequential

    model = Sequential(
        [
            lf.Input((9, 5)),
            LSTM(33, return_sequences=True),
            LSTM(17, peephole=True),
            Dense(40, activation="tanh"),
            Dense(3, activation="softmax"),
        ]
    )
    x = np.random.default_rng(0).standard_normal((41, 9, 5)).astype(np.float32)
    expected = model.predict(x, batch_size=41, verbose=0)
    for batch_size in (1, 2, 7, 32):
        found = model.predict(x, batch_size=batch_size, verbose=0)
        runs.assert_same_bits({"y": found}, {"y": expected})
    with runs.threads(2):
        runs.assert_same_bits({"y": model.predict(x, verbose=0)}, {"y": expected})

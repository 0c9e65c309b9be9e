"""Single steps of one row, the state carried on: from Python against rivals, and from C++.

From C++ a loop in the core runs the steps of a model; the limit is to read its weights once a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from lstmfast import reference
from lstmfast._bench.contest import Settings, Suite, WrongAnswerError, check_answers, timed_calls
from lstmfast._bench.problems import Array, Problem, make_problem
from lstmfast._bench.protocol import Goal, Row, Timing, make_row, take_turns
from lstmfast._bench.shapes import STEP_SHAPES, Shape
from lstmfast._core import testing
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Model, Sequential, Stream

# From Python: times as fast as the best other engine. From C++: the share of the speed of reading
# or, where weights are few, seconds on a Zen 5.
GOALS = {
    "step_20": (Goal("ratio", 15.0), Goal("value", 0.06e-6, at_most=True)),
    "step_40": (None, Goal("value", 0.12e-6, at_most=True)),
    "step_64": (Goal("ratio", 6.0), Goal("value", 0.33e-6, at_most=True)),
    "step_128": (Goal("ratio", 3.4), Goal("ratio", 0.92)),
    "step_256": (Goal("ratio", 2.0), Goal("ratio", 0.92)),
    "step_512": (Goal("ratio", 1.25), Goal("ratio", 0.92)),
    "step_1024": (Goal("ratio", 1.38), Goal("ratio", 0.92)),
}
QUIET = Goal("ratio", 0.95)  # a loud step's time over a silent one's; the rest is noise
REDUCED = 128  # hidden units from which steps in reduced precision are timed
SHORT = {"float32": "", "bfloat16": "bf16", "int8": "int8"}  # in the modes' names
BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}  # of a number
LOOP_SECONDS = 0.001  # of one call of the loop in the core
SINGLY = 64  # hidden units up to which steps are timed one by one
SINGLE_STEPS, TURNS = 1_000_000, 10
LOUD, SILENT, CYCLES = 64, 448, 200  # steps, steps, times both
IN_A_ROW = 32  # about as many as the state is denormal for


def _run(settings: Settings) -> Iterator[list[Row]]:
    shapes = settings.chosen(STEP_SHAPES)
    for shape in shapes:
        calls = timed_calls(settings, make_problem(shape), "step", shape.name)
        timings, _ = take_turns(calls, settings.seconds, settle=settings.threads > 1)
        goal, _ = GOALS.get(shape.name, (None, None))
        yield [
            make_row(shape.name, "step", t, engine, shape=shape, goal=goal)
            for engine, t in timings.items()
        ]
    for shape in shapes:
        yield from _from_cpp(settings, shape)
    for shape in shapes:
        if shape.H <= SINGLY:
            yield from _one_by_one(settings, shape)
            yield _after_a_loud_input(shape)


def make_model(problem: Problem) -> Sequential:
    """Return the problem's layer with a Dense(1) after it."""
    (params,), H = problem.params, problem.shape.H
    start = Input((None, problem.shape.I))
    model = Sequential([start, LSTM(H, return_sequences=True), Dense(1)])
    dense = np.random.default_rng(1).uniform(-1.0, 1.0, H + 1).astype(np.float32) / H**0.5
    lstm = [params[name] for name in ("kernel", "recurrent_kernel", "bias")]
    model.set_weights([*lstm, dense[:H, None], dense[H:]])
    return model


def checked_stream(settings: Settings, problem: Problem, model: Sequential) -> Stream:
    """Return a stream of the model, once its outputs are those of the reference."""
    kernel, bias = model.get_weights()[-2:]
    hidden = settings.own("numpy").prepare(problem, settings.threads).output()
    return _checked(problem, model, hidden @ kernel + bias)


def _checked(problem: Problem, model: Model, right: Array, steps_of_int8: int = 0) -> Stream:
    """Return a stream of the model, once its outputs are right.

    They may differ by rounding and by so many steps of a row's int8 numbers, of which a rounding
    before them can change one.
    """
    stream = model.stream(problem.shape.B)
    got = stream.process(problem.x)
    if np.abs(got - right).max() > steps_of_int8 / 127 * np.abs(right).max():
        check_answers(problem, "lstmfast from C++", {"y": got}, {"y": right})
    return stream


def _from_cpp(settings: Settings, shape: Shape) -> Iterator[list[Row]]:
    """Time a model's steps, and from `REDUCED` hidden units on those in reduced precision."""
    problem = make_problem(shape)
    model = make_model(problem)
    _, goal = GOALS.get(shape.name, (None, None))
    yield _beside_reading(settings, problem, model, checked_stream(settings, problem, model), goal)
    if shape.H < REDUCED:
        return
    share = Goal("ratio", 0.92)
    half = model.astype("bfloat16")
    lstm, dense = (layer.get_weights() for layer in half.layers)
    hidden, *_ = reference.lstm_forward(problem.x, _named(lstm))
    stream = _checked(problem, half, hidden @ dense[0] + dense[1])
    yield _beside_reading(settings, problem, half, stream, share)
    lstm, dense = (layer.get_weights() for layer in model.layers)
    hidden, _ = reference.quantized_lstm_forward(problem.x, _named(lstm))
    right = reference.quantized_dense_forward(hidden, {"kernel": dense[0], "bias": dense[1]})
    small = model.quantize("int8")
    yield _beside_reading(settings, problem, small, _checked(problem, small, right, 2), share)


def _named(weights: Sequence[Array]) -> dict[str, Array]:
    return dict(zip(("kernel", "recurrent_kernel", "bias"), weights, strict=True))


def _beside_reading(
    settings: Settings, problem: Problem, model: Model, stream: Stream, goal: Goal | None
) -> list[Row]:
    """Time a model's step in turns with reading as many bytes as its weights have."""
    shape = problem.shape
    mode = f"C++ {SHORT[model.precision]}".rstrip()
    step = partial(testing.time_steps, stream, _by_step(problem))
    weights = sum(
        weight.numpy().size * BYTES[weight.dtype]
        for layer in model.layers
        for weight in layer.weights
    )
    step(10)
    each = max(1, int(LOOP_SECONDS / np.median(step(9))))
    calls = {"lstmfast": partial(step, 1, each)}
    calls["reading"] = partial(testing.Memory(weights, turns=True).read, each)
    timings, _ = take_turns(calls, settings.seconds)
    return [
        make_row(
            shape.name, mode, Timing(t.values / each), engine, shape=shape, goal=goal,
            note=f"{weights >> 10} KiB",
        )
        for engine, t in timings.items()
    ]  # fmt: skip


def _by_step(problem: Problem) -> Array:
    """Return x with the steps first."""
    return np.ascontiguousarray(problem.x.swapaxes(0, 1))


def _one_by_one(settings: Settings, shape: Shape) -> Iterator[list[Row]]:
    """Time each of many steps, in turns with idle loops that last as long."""
    problem = make_problem(shape)
    stream, x = checked_stream(settings, problem, make_model(problem)), _by_step(problem)
    count = max(1, SINGLE_STEPS // TURNS)
    length = float(np.median(testing.time_steps(stream, x, count)))
    turns = [
        (testing.time_steps(stream, x, count), testing.time_idling(count, length))
        for _ in range(TURNS)
    ]
    steps, loops = (np.concatenate(samples) for samples in zip(*turns, strict=True))
    note = f"of {len(steps)} one by one"
    for mode, share in (("50 %", 0.5), ("99.99 %", 0.9999), ("worst", 1.0)):
        for engine, samples in (("lstmfast", steps), ("idle loop", loops)):
            value = Timing(np.quantile(samples, [share]))
            yield [make_row(shape.name, mode, value, engine, shape=shape, note=note)]


def _after_a_loud_input(shape: Shape) -> list[Row]:
    """Time steps of a silent input, under which the state decays, and of a loud one.

    A step's time is its median over many cycles of both inputs; those of the slowest steps in a row
    are compared.
    """
    problem = make_problem(shape)
    problem.params[0]["bias"][:] = 0.0  # otherwise the state goes to that of the biases
    stream = make_model(problem).stream(shape.B)
    x = np.zeros((LOUD + SILENT, shape.B, shape.I), np.float32)
    x[:LOUD] = np.random.default_rng(2).uniform(-1.0, 1.0, (LOUD, shape.B, shape.I))
    seconds = testing.time_steps(stream, x, CYCLES * len(x))
    left = max(float(np.abs(part).max()) for part in stream.state)
    if left >= np.finfo(np.float32).tiny:
        raise WrongAnswerError(f"{shape.name}: {left:.3g} is left of the state; expected denormals")
    of_steps = np.median(seconds.reshape(CYCLES, len(x)), axis=0)
    in_a_row = of_steps.reshape(-1, IN_A_ROW).mean(axis=1)
    loud = LOUD // IN_A_ROW
    slowest = {"lstmfast": in_a_row[loud:].max(), "loud": in_a_row[:loud].max()}
    return [
        make_row(shape.name, "silence", Timing(np.array([t])), engine, shape=shape, goal=QUIET)
        for engine, t in slowest.items()
    ]


STEP = Suite(
    "step",
    _run,
    legend="""\
step: one call from Python, of the layer alone; T is how many steps the answers were checked for.
C++: a loop over steps of LSTM and Dense(1); reading: as many bytes as their weights read once, so
that the ratio is the share of that speed; goals in us are for a Zen 5. The same with kernels in
bfloat16 and int8.
50 %, 99.99 %, worst: quantiles of steps timed one by one, the clock included, and of idle loops.
silence: the slowest 32 steps in a row of a silent input after a loud one, and of the loud one.""",
)

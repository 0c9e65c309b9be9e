"""The memory that training keeps, and its growth over many calls; no rivals."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

import lstmfast as lf
from lstmfast._bench.contest import OWN, LeftOut, Settings, Suite
from lstmfast._bench.engines.vs_lstmfast import make_lstm
from lstmfast._bench.options import OPTIONS, PLAIN, Option
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import Goal, Row, Timing, make_row
from lstmfast._bench.shapes import MEMORY_SHAPE, Shape

STATM = "/proc/self/statm"
ROUNDS = 3
CALLS = 100_000
FLAT = 1 << 20  # bytes that Python and the allocator may take
CASES = (
    PLAIN,
    *(each for each in OPTIONS if each.name in ("peephole", "coupled", "layer_norm")),
    Option("recompute_sqrt", {"recompute_every": "sqrt"}),
)


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    with open(STATM, encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _run(settings: Settings) -> Iterator[list[Row]]:
    if not os.path.exists(STATM):
        for name in OWN:
            settings.left_out.append(LeftOut(name, "memory", "", f"there is no {STATM}"))
        return
    for shape in settings.chosen((MEMORY_SHAPE,)):
        for option in CASES:
            for mode in settings.modes:
                yield [_kept(shape, option, mode)]
    yield [_over_calls(settings)]


def _kept(shape: Shape, option: Option, mode: str) -> Row:
    """Measure the bytes that a call keeps for each row and step, from two lengths."""
    slopes = []
    for _ in range(ROUNDS):
        once = _left_behind(shape, option, mode)
        twice = _left_behind(replace(shape, T=2 * shape.T), option, mode)
        slopes.append((twice - once) / (shape.B * shape.T))
    kept = Timing(np.array(slopes))
    floats = kept.median / (shape.H * np.dtype(option.dtype).itemsize)
    # a twentieth of a value for the allocator's rounding
    most = (5.0 if mode == "training" else 0.0) + 0.05
    goal = Goal("relative", most, at_most=True) if option is PLAIN else None
    return make_row(option.name, mode, kept, shape=shape, unit="B", relative=floats, goal=goal)


def _left_behind(shape: Shape, option: Option, mode: str) -> int:
    problem = make_problem(shape, option)
    rnn = make_lstm(problem)
    out = np.zeros((shape.B, shape.T, shape.H), problem.x.dtype)
    out += 1.0  # so that its pages are there
    gc.collect()
    before = resident()
    rnn(problem.x, training=mode == "training", out=out)
    return resident() - before


def _over_calls(settings: Settings) -> Row:
    """Measure how memory grows over calls and trainings of changing shapes."""
    rng = np.random.default_rng(0)
    rnn = lf.LSTM(4, 24, seed=0)
    sizes = [(B, T) for B in (1, 2, 5, 9) for T in (1, 3, 8)]
    inputs = [rng.standard_normal((*size, 4)).astype(np.float32) for size in sizes]
    gradients = [np.ones((*size, 24), np.float32) for size in sizes]

    def train(k: int) -> None:
        x, dy = inputs[k % len(sizes)], gradients[k % len(sizes)]
        rnn.zero_grad()
        rnn(x)
        rnn(x, training=True)
        rnn.backward(dy)

    for k in range(20 * len(sizes)):
        train(k)
    gc.collect()
    before, calls = resident(), 0
    end = time.perf_counter() + 10.0 * settings.seconds
    while calls < CALLS and time.perf_counter() < end:
        train(calls)
        calls += 1
    grown = Timing(np.array([float(resident() - before)]))
    goal, note = Goal("value", FLAT, at_most=True), f"grown over {calls} calls"
    return make_row("many shapes", "training", grown, unit="B", goal=goal, note=note)


MEMORY = Suite(
    "memory",
    _run,
    relative="x H",
    legend=(
        "Bytes that a call keeps a row and step besides x and y, from resident memory at T and "
        "2 T;\nx H: the same in values a hidden unit. lstmfast alone."
    ),
)

"""Whole sequences through one plain layer, forward and training, from toy to wide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lstmfast._bench.contest import Settings, peak_share, timed_calls
from lstmfast._bench.problems import make_problem
from lstmfast._bench.protocol import take_turns
from lstmfast._bench.rows import Goal, Row, make_row, with_ratio
from lstmfast._bench.shapes import SHAPES
from lstmfast._bench.suites.base import Suite

# On one thread.
GOALS = {
    ("toy", "forward"): Goal("ratio", 4.0),
    ("toy", "training"): Goal("ratio", 8.0),
    ("audio", "forward"): Goal("ratio", 3.0),
    ("audio", "training"): Goal("ratio", 8.0),
    ("small", "forward"): Goal("ratio", 1.35),
    ("small", "training"): Goal("ratio", 1.6),
    ("forecast", "forward"): Goal("ratio", 1.15),
    ("forecast", "training"): Goal("ratio", 1.7),
    ("medium", "forward"): Goal("peak_share", 0.90),
    ("medium", "training"): Goal("peak_share", 0.83),
    ("large", "forward"): Goal("peak_share", 0.93),
    ("large", "training"): Goal("peak_share", 0.87),
    ("wide", "forward"): Goal("peak_share", 0.92),
    ("wide", "training"): Goal("peak_share", 0.88),
    ("b1_256", "forward"): Goal("ratio", 1.5),
    ("b1_256", "training"): Goal("ratio", 1.8),
    ("b1_1024", "forward"): Goal("ratio", 1.3),
    ("b1_1024", "training"): Goal("ratio", 1.25),
}
AHEAD = Goal("ratio", 1.0)  # on more threads


def _run(settings: Settings, mode: str) -> Iterator[list[Row]]:
    for shape in settings.chosen(SHAPES):
        problem = make_problem(shape)
        calls = timed_calls(settings, problem, mode, shape.name)
        timings, peak = take_turns(calls, settings.seconds, settle=settings.threads > 1)
        rows = []
        for engine, timing in timings.items():
            row = make_row(mode, shape.name, mode, engine, timing, shape=shape)
            share = peak_share(problem, mode, timing.median, peak, settings.threads)
            rows.append(replace(row, peak_share=share))
            if engine == "lstmfast":
                goal = GOALS.get((shape.name, mode)) if settings.threads == 1 else AHEAD
                rows[-1] = replace(rows[-1], goal=goal)
        yield with_ratio(rows)


FORWARD = Suite("forward", lambda settings: _run(settings, "forward"))
TRAINING = Suite("training", lambda settings: _run(settings, "training"))

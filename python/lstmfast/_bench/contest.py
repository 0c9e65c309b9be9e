"""The engines that can run a problem and agree with the reference, and what a suite is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from lstmfast._bench.engines import Engine, UnsupportedError
from lstmfast._bench.problems import Answers, Problem
from lstmfast._bench.protocol import Call, Row, Timing, completed, make_row
from lstmfast._bench.shapes import Shape

Entered = TypeVar("Entered")
OWN = ("lstmfast", "numpy")  # engines that always take part; a failure of theirs is an error


class WrongAnswerError(Exception):
    """An engine's results differ; the message names the array and the difference."""


@dataclass(frozen=True)
class LeftOut:
    """An engine that was left out of a case, and why."""

    engine: str
    case: str
    mode: str
    reason: str


@dataclass
class Settings:
    """The arguments of the command line, and what was left out so far."""

    engines: list[Engine]
    shapes: tuple[Shape, ...] | None = None
    modes: tuple[str, ...] = ("forward", "training")
    threads: int = 1
    seconds: float = 1.0
    left_out: list[LeftOut] = field(default_factory=list)

    def chosen(self, default: Sequence[Shape]) -> Sequence[Shape]:
        """Return the shapes asked for, or the suite's own."""
        return default if self.shapes is None else self.shapes

    def own(self, name: str) -> Engine:
        """Return an engine of `OWN`."""
        return next(engine for engine in self.engines if engine.name == name)

    def enter(self, case: str, mode: str, make: Callable[[Engine], Entered]) -> dict[str, Entered]:
        """Return what `make` returns for each engine that can do it.

        Raises
        ------
        WrongAnswerError
            From `make`; it ends the run. After any other error, a rival is left out.
        """
        entered = {}
        for engine in self.engines:
            try:
                entered[engine.name] = make(engine)
            except UnsupportedError as lack:
                self.left_out.append(LeftOut(engine.name, case, mode, str(lack)))
            except Exception as error:
                if engine.name in OWN or isinstance(error, WrongAnswerError):
                    raise
                what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                reason = f"{case}: {what}" if case else what
                self.left_out.append(LeftOut(engine.name, case, mode, reason))
        return entered


@dataclass(frozen=True)
class Suite:
    """Measurements of one kind.

    Attributes
    ----------
    run : callable
        Yields the rows of one case and mode after the other, as `make_row` returns them.
    relative : str
        The head of the column for `Row.relative`, where the suite has that figure.
    legend : str
        The meaning of that column; printed above the table.
    takes_shapes : bool
        Whether it can be run for other shapes than its own.
    charts_ratio : bool
        Whether a chart shows `Row.ratio` although there is that figure.
    """

    name: str
    run: Callable[[Settings], Iterator[list[Row]]]
    relative: str = ""
    legend: str = ""
    takes_shapes: bool = True
    charts_ratio: bool = False

    @property
    def figure(self) -> str:
        """The field of `Row` that a chart shows."""
        return "relative" if self.relative and not self.charts_ratio else "ratio"

    def rows(self, settings: Settings) -> Iterator[list[Row]]:
        """Run it: yield the rows of one case and mode after the other."""
        return (completed(self.name, rows) for rows in self.run(settings))


def allowed_difference(shape: Shape, dtype: str, scale: float) -> float:
    """Return how far two engines may differ in values of size `scale`.

    Each pre-activation sums I + H terms and T steps follow each other; independent roundings
    grow with the square root of their number. Gradients of weights sum B·T more.
    """
    terms = (shape.I + shape.H) * shape.T * max(shape.B, 4)
    return float(64 * np.finfo(dtype).eps * np.sqrt(terms) * max(scale, 1e-3))


def check_answers(problem: Problem, engine: str, got: Answers, expected: Answers) -> None:
    """Stop the benchmark if an engine's y or gradients are not the reference's.

    Raises
    ------
    WrongAnswerError
        For the first array that is missing, of another shape, or too far off.
    """
    shape, option = problem.shape, problem.option
    place = f"{engine} at {option.name} {shape.name} {shape.text}"
    for name, right in expected.items():
        if name not in got or got[name].shape != right.shape:
            what = f"shape {got[name].shape}" if name in got else "is missing"
            raise WrongAnswerError(f"{place}: {name} {what}; expected shape {right.shape}")
        difference = np.abs(np.asarray(got[name], np.float64) - right)
        worst = float(np.max(difference, initial=0.0))
        scale = float(np.max(np.abs(right), initial=0.0))
        limit = allowed_difference(shape, option.dtype, scale)
        if not worst <= limit:
            raise WrongAnswerError(
                f"{place}: {name} differs by {worst:.3g} from the reference; at most "
                f"{limit:.3g} is rounding"
            )


def _answered(engine: Engine, problem: Problem, mode: str, threads: int) -> tuple[Call, Answers]:
    """Return an engine's call to time, and its results: y, or the gradients without dropout.

    Of single steps the first is timed.
    """
    if mode == "step":
        steps, shape = engine.stepper(problem, threads), problem.shape
        y = [np.array(step()).reshape(shape.B, shape.H) for step in steps]
        return steps[0], {"y": np.stack(y, axis=1)}
    runner = engine.prepare(problem, threads)
    if mode == "forward":
        return runner.forward, {"y": runner.output()}
    quiet = engine.prepare(problem.without_noise(), threads) if problem.option.random else runner
    return runner.train, quiet.gradients()


def _checked(settings: Settings, problem: Problem, mode: str) -> Callable[[Engine], Call]:
    """Return the function that compares an engine's results and returns its call to time."""
    expecting = "forward" if mode == "step" else mode
    _, expected = _answered(settings.own("numpy"), problem, expecting, settings.threads)

    def checked(engine: Engine) -> Call:
        call, got = _answered(engine, problem, mode, settings.threads)
        check_answers(problem, engine.name, got, expected)
        return call

    return checked


def timed_calls(settings: Settings, problem: Problem, mode: str, case: str) -> dict[str, Call]:
    """Return the call to time of each engine whose answers are right."""
    return settings.enter(case, mode, _checked(settings, problem, mode))


def own_call(settings: Settings, problem: Problem, mode: str) -> Call:
    """Return lstmfast's call to time, after its answers have been compared."""
    return _checked(settings, problem, mode)(settings.own("lstmfast"))


def layer_rows(
    case: str, problem: Problem, mode: str, timings: Mapping[str, Timing], peak: float, **own: Any
) -> list[Row]:
    """Return the engines' rows with their shares of `peak`, the FMA peak of all threads.

    `own` are further fields of lstmfast's row.
    """
    rows = []
    for engine, timing in timings.items():
        more = own if engine == "lstmfast" else {}
        share = problem.flops(mode) / timing.median / peak
        row = make_row(case, mode, timing, engine, shape=problem.shape, peak_share=share, **more)
        rows.append(row)
    return rows

"""Choice of the engines that can run a problem and agree with the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from lstmfast._bench.answers import Answers, WrongAnswerError, check_answers
from lstmfast._bench.engines import Engine, Runner, UnsupportedError
from lstmfast._bench.problems import Problem
from lstmfast._bench.shapes import Shape

Entered = TypeVar("Entered")
OWN = ("lstmfast", "numpy")  # engines that always take part; a failure of theirs is an error


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
            except UnsupportedError as reason:
                self.left_out.append(LeftOut(engine.name, case, mode, str(reason)))
            except WrongAnswerError:
                raise
            except Exception as error:
                if engine.name in OWN:
                    raise
                self.left_out.append(
                    LeftOut(engine.name, case, mode, f"{case}: {reason_of(error)}")
                )
        return entered


def reason_of(error: Exception) -> str:
    """Return an engine's failure in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def expected_answers(settings: Settings, problem: Problem, mode: str) -> Answers:
    """Return the NumPy reference's results: y, or the gradients without dropout."""
    if mode == "forward":
        return {"y": settings.own("numpy").prepare(problem, settings.threads).output()}
    return settings.own("numpy").prepare(problem.without_noise(), settings.threads).gradients()


def checked_runner(
    engine: Engine, problem: Problem, mode: str, threads: int, expected: Answers
) -> Runner:
    """Return an engine's runner, after its answers have been compared."""
    runner = engine.prepare(problem, threads)
    if mode == "forward":
        check_answers(problem, engine.name, {"y": runner.output()}, expected)
    else:
        quiet = runner
        if problem.option.random:
            quiet = engine.prepare(problem.without_noise(), threads)
        check_answers(problem, engine.name, quiet.gradients(), expected)
    return runner


def timed_calls(
    settings: Settings, problem: Problem, mode: str, case: str
) -> dict[str, Callable[[], object]]:
    """Return the call to time of each engine whose answers are right."""
    expected = expected_answers(settings, problem, mode)
    runners = settings.enter(
        case,
        mode,
        lambda engine: checked_runner(engine, problem, mode, settings.threads, expected),
    )
    return {n: r.forward if mode == "forward" else r.train for n, r in runners.items()}


def peak_share(problem: Problem, mode: str, seconds: float, peak: float, threads: int) -> float:
    """Return the share of the threads' measured FMA peak that a call reached."""
    passes = 1.0 if mode == "forward" else 3.0
    return problem.option.forward_flops(problem.shape) * passes / seconds / (peak * threads)

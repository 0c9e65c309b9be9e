"""Checks that an engine computes what the others do, before anything is timed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstmfast._bench.problems import Array, Problem
from lstmfast._bench.shapes import Shape

Answers = Mapping[str, Array]


class WrongAnswerError(Exception):
    """An engine's results differ; the message names the array and the difference."""


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

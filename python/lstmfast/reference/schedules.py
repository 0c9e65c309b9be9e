"""Schedules of learning rates with Keras's formulas: rates after `step` steps, by their options."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["SCHEDULES"]


def _periods(step: float, steps: float, staircase: bool) -> float:
    return math.floor(step / steps) if staircase else step / steps


def exponential_decay(
    step: float,
    initial_learning_rate: float,
    decay_steps: float,
    decay_rate: float,
    staircase: bool = False,
) -> float:
    """r·decay_rate^(step / decay_steps)."""
    return initial_learning_rate * math.pow(decay_rate, _periods(step, decay_steps, staircase))


def inverse_time_decay(
    step: float,
    initial_learning_rate: float,
    decay_steps: float,
    decay_rate: float,
    staircase: bool = False,
) -> float:
    """r / (1 + decay_rate·step / decay_steps)."""
    return initial_learning_rate / (1 + decay_rate * _periods(step, decay_steps, staircase))


def piecewise_constant_decay(
    step: float, boundaries: Sequence[float], values: Sequence[float]
) -> float:
    """values[i], where i boundaries lie below step."""
    return values[sum(step > boundary for boundary in boundaries)]


def polynomial_decay(
    step: float,
    initial_learning_rate: float,
    decay_steps: float,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> float:
    """(r - end)·(1 - step / decay_steps)^power + end."""
    if cycle:
        decay_steps *= math.ceil(step / decay_steps) if step else 1
    left = 1 - min(step, decay_steps) / decay_steps
    return (initial_learning_rate - end_learning_rate) * math.pow(left, power) + end_learning_rate


def cosine_decay(
    step: float,
    initial_learning_rate: float,
    decay_steps: float,
    alpha: float = 0.0,
    warmup_target: float | None = None,
    warmup_steps: int = 0,
) -> float:
    """r·((1 - alpha)·(1 + cos(π·step / decay_steps)) / 2 + alpha), after a warm-up along a line."""
    r = initial_learning_rate
    if warmup_target is not None:
        if step < warmup_steps:
            return r + (warmup_target - r) * step / warmup_steps
        r, step = warmup_target, step - warmup_steps
    half = 0.5 * (1 + math.cos(math.pi * min(step, decay_steps) / decay_steps))
    return r * ((1 - alpha) * half + alpha)


def cosine_decay_restarts(
    step: float,
    initial_learning_rate: float,
    first_decay_steps: float,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
) -> float:
    """Cosine decay over periods, each t_mul times as long and m_mul times as high."""
    period, height = first_decay_steps, 1.0
    while step >= period:
        step, period, height = step - period, period * t_mul, height * m_mul
    half = 0.5 * (1 + math.cos(math.pi * step / period))
    return initial_learning_rate * ((1 - alpha) * height * half + alpha)


SCHEDULES: dict[str, Callable[..., float]] = {
    function.__name__: function
    for function in (
        exponential_decay,
        inverse_time_decay,
        piecewise_constant_decay,
        polynomial_decay,
        cosine_decay,
        cosine_decay_restarts,
    )
}

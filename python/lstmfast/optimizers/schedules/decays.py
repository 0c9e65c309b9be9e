"""The schedules that the core computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lstmfast.optimizers.schedules.base import CoreSchedule, named


@dataclass(frozen=True)
class ExponentialDecay(CoreSchedule):
    """initial_learning_rate·decay_rate^(step/decay_steps).

    With ``staircase=True`` the exponent is rounded down.

    Parameters
    ----------
    initial_learning_rate : float
        The rate at first.
    decay_steps : int
        The steps in which it falls by decay_rate.
    decay_rate : float
        The factor.
    staircase : bool
        Whether the rate falls once in decay_steps, at their end.
    name : str
        A name of one's own.

    Examples
    --------
    >>> from lstmfast.optimizers.schedules import ExponentialDecay
    >>> rate = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
    >>> rate(0), rate(10), rate(20)
    (0.1, 0.05, 0.025)
    """

    kind = "exponential_decay"
    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = named("ExponentialDecay")


@dataclass(frozen=True)
class InverseTimeDecay(CoreSchedule):
    """initial_learning_rate/(1 + decay_rate·step/decay_steps).

    With ``staircase=True`` the quotient step/decay_steps is rounded down.

    Parameters
    ----------
    initial_learning_rate : float
        The rate at first.
    decay_steps : float
        The unit of steps.
    decay_rate : float
        How fast the rate falls.
    staircase : bool
        Whether the rate falls once in decay_steps, at their end.
    name : str
        A name of one's own.

    Examples
    --------
    >>> from lstmfast.optimizers.schedules import InverseTimeDecay
    >>> rate = InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)
    >>> rate(0), rate(10), rate(30)
    (0.1, 0.05, 0.025)
    """

    kind = "inverse_time_decay"
    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = named("InverseTimeDecay")


@dataclass(frozen=True)
class PiecewiseConstantDecay(CoreSchedule):
    """values[0] up to and with step boundaries[0], then values[1] up to boundaries[1], ...

    Parameters
    ----------
    boundaries : list of numbers
        Increasing steps.
    values : list of float
        Rates, one more than boundaries.
    name : str
        A name of one's own.

    Examples
    --------
    >>> from lstmfast.optimizers.schedules import PiecewiseConstantDecay
    >>> rate = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> rate(100), rate(101), rate(1000)
    (0.1, 0.01, 0.001)
    """

    kind = "piecewise_constant_decay"
    boundaries: Sequence[float]
    values: Sequence[float]
    name: str = named("PiecewiseConstant")


@dataclass(frozen=True)
class PolynomialDecay(CoreSchedule):
    """(initial_learning_rate - end_learning_rate)·(1 - step/decay_steps)^power + end_learning_rate.

    After decay_steps it stays at end_learning_rate; with ``cycle=True`` decay_steps is multiplied
    by the least whole number that makes it reach step.

    Parameters
    ----------
    initial_learning_rate, end_learning_rate : float
        The rates at first and at the end.
    decay_steps : int
        The steps in which it falls.
    power : float
        1: along a line.
    cycle : bool
        Whether the rate rises again.
    name : str
        A name of one's own.

    Examples
    --------
    >>> from lstmfast.optimizers.schedules import PolynomialDecay
    >>> rate = PolynomialDecay(0.5, decay_steps=10, end_learning_rate=0.25)
    >>> rate(0), rate(5), rate(100)
    (0.5, 0.375, 0.25)
    """

    kind = "polynomial_decay"
    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    name: str = named("PolynomialDecay")


@dataclass(frozen=True)
class CosineDecay(CoreSchedule):
    """r·((1 - alpha)·(1 + cos(π·step/decay_steps))/2 + alpha), then r·alpha.

    r is initial_learning_rate. With `warmup_target` the rate first rises along a line from
    initial_learning_rate to warmup_target, in warmup_steps; r is warmup_target then, and steps
    count from there. (Loshchilov and Hutter, https://arxiv.org/abs/1608.03983)

    Parameters
    ----------
    initial_learning_rate : float
        The rate at first.
    decay_steps : int
        The steps in which it falls.
    alpha : float
        The share of r that is left at the end.
    name : str
        A name of one's own.
    warmup_target : float, optional
        The rate after warm-up; None: there is none.
    warmup_steps : int
        How long warm-up takes.

    Examples
    --------
    >>> from lstmfast.optimizers.schedules import CosineDecay
    >>> rate = CosineDecay(0.0, decay_steps=10, warmup_target=0.5, warmup_steps=5)
    >>> rate(0), rate(5), rate(10), rate(15)
    (0.0, 0.5, 0.25, 0.0)
    """

    kind = "cosine_decay"
    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    name: str = named("CosineDecay")
    warmup_target: float | None = None
    warmup_steps: int = 0


@dataclass(frozen=True)
class CosineDecayRestarts(CoreSchedule):
    """Cosine decay that starts again after first_decay_steps, each time t_mul times as long.

    In period i it is r·((1 - alpha)·m_mul^i·(1 + cos(π·done))/2 + alpha), where done is the share
    of the period that is over. (Loshchilov and Hutter, https://arxiv.org/abs/1608.03983)

    Parameters
    ----------
    initial_learning_rate : float
        r.
    first_decay_steps : int
        The steps of the first period.
    t_mul : float
        At least 1.
    m_mul : float
        By how much each period begins lower than the one before.
    alpha : float
        The share of r that is left at the end of a period.
    name : str
        A name of one's own.

    Examples
    --------
    >>> from lstmfast.optimizers.schedules import CosineDecayRestarts
    >>> rate = CosineDecayRestarts(0.5, first_decay_steps=10)
    >>> rate(0), rate(5), rate(10), rate(20), rate(30)
    (0.5, 0.25, 0.5, 0.25, 0.5)
    """

    kind = "cosine_decay_restarts"
    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    name: str = named("SGDRDecay")

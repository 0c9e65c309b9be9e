"""What all schedules share, and their way to the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from lstmfast._checks import number, string
from lstmfast._core import check, scheduled_rate
from lstmfast._options import Options
from lstmfast.optimizers.variables import Rate


class LearningRateSchedule:
    """A learning rate for each step; derive from it, and define `__call__`, for one of your own.

    `fit` calls it before every step with the number of steps done. To load a saved model, pass the
    class (or an object) as ``custom_objects``; a class with arguments then also needs
    ``get_config``, which returns them.

    Examples
    --------
    >>> from lstmfast.optimizers import SGD
    >>> from lstmfast.optimizers.schedules import LearningRateSchedule
    >>> class Harmonic(LearningRateSchedule):
    ...     def __init__(self, first):
    ...         self.first = first
    ...
    ...     def __call__(self, step):
    ...         return self.first / (step + 1)
    ...
    ...     def get_config(self):
    ...         return {"first": self.first}
    >>> SGD(Harmonic(0.5)).learning_rate
    0.5
    """

    @property
    def is_custom(self) -> bool:
        """Whether Python computes this schedule, not the core."""
        return type(self).__call__ is not CoreSchedule.__call__

    def __call__(self, step: Any) -> float:
        """Return the learning rate after `step` steps."""
        raise NotImplementedError(f"[{type(self).__name__}] the schedule lacks __call__")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        raise NotImplementedError(f"[{type(self).__name__}] the schedule lacks get_config")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> LearningRateSchedule:
        """Make a schedule from what `get_config` returned."""
        return cls(**config)


@dataclass(frozen=True)
class CoreSchedule(LearningRateSchedule):
    """A schedule that the core computes; its options are the fields of the dataclass."""

    kind: ClassVar[str]  # the core's name of this schedule

    def __post_init__(self) -> None:
        where = type(self).__name__
        string(self.name, "name", where)  # type: ignore[attr-defined]
        for name, value in check("schedule", self.kind, self._options(), where).items():
            object.__setattr__(self, name, value)

    @property
    def then(self) -> Callable[..., float] | None:
        """What follows this schedule, where it is a warm-up."""
        return None

    def _options(self) -> dict[str, Any]:
        names = {option.name for option in fields(self)} - {"name", "decay_schedule_fn"}
        return {name: getattr(self, name) for name in names}

    def config(self) -> Options:
        """Return the configuration that the core reads."""
        return {"kind": self.kind, **self._options()}

    def __call__(self, step: Any) -> float:
        """Return the learning rate after `step` steps."""
        done = number(step, "step", type(self).__name__)
        then = None if self.then is None else python_part(self.then)
        return Rate(scheduled_rate(self.config(), done, then))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        given = {option.name: getattr(self, option.name) for option in fields(self)}
        return {k: [*value] if isinstance(value, tuple) else value for k, value in given.items()}


def core_config(schedule: Callable[..., float]) -> Options:
    """Return the configuration that the core reads of any schedule."""
    if isinstance(schedule, CoreSchedule) and not schedule.is_custom:
        return schedule.config()
    return {"kind": "custom"}


def innermost(schedule: Callable[..., float]) -> Callable[..., float]:
    """Return the schedule itself, or what follows where it is a warm-up."""
    if not isinstance(schedule, CoreSchedule) or schedule.is_custom or schedule.then is None:
        return schedule
    return innermost(schedule.then)


def python_part(schedule: Callable[..., float]) -> Callable[[int], float] | None:
    """Return what the core calls with the number of steps; None where it needs nothing."""
    last = innermost(schedule)
    if not isinstance(last, LearningRateSchedule):
        return lambda step: last()
    return last if last.is_custom else None


def first_rate(schedule: Callable[..., float]) -> float:
    """Return the learning rate before the first step."""
    return float(schedule(0) if isinstance(schedule, LearningRateSchedule) else schedule())


def named(default: str) -> Any:
    """Return the field of a schedule's name."""
    return field(default=default, repr=False, compare=False)

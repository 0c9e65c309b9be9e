"""Schedules of the learning rate: Keras's names, defaults and formulas, by the steps done.

Pass one as an optimizer's ``learning_rate``. The core computes it before every step, and calling
it gives the same number. A file of the model holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lstmfast._checks import LIBRARIES, what_came
from lstmfast._keras_names import explain_missing
from lstmfast._names import Registry, listed
from lstmfast._options import Options
from lstmfast.optimizers.schedules.base import (
    CoreSchedule,
    LearningRateSchedule,
    core_config,
    named,
)
from lstmfast.optimizers.schedules.decays import *

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "WarmUp",
    "deserialize",
    "serialize",
]

explain_missing(__name__)


@dataclass(frozen=True)
class WarmUp(CoreSchedule):
    """initial_learning_rate·(step/warmup_steps)^power, then another schedule, which starts there.

    Keras has none; arguments and formula are those of ``transformers.WarmUp``.

    Parameters
    ----------
    initial_learning_rate : float
        The rate at the end of warm-up.
    decay_schedule_fn : LearningRateSchedule
        What follows: it is given the steps since then.
    warmup_steps : int
        How long warm-up takes.
    power : float
        1: along a line.
    name : str
        A name of one's own.

    Examples
    --------
    >>> from lstmfast.optimizers.schedules import ExponentialDecay, WarmUp
    >>> rate = WarmUp(0.5, ExponentialDecay(0.5, 10, 0.5), warmup_steps=4)
    >>> rate(0), rate(2), rate(4), rate(14)
    (0.0, 0.25, 0.5, 0.25)
    """

    kind = "warm_up"
    initial_learning_rate: float
    decay_schedule_fn: LearningRateSchedule
    warmup_steps: float
    power: float = 1.0
    name: str = named("WarmUp")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "decay_schedule_fn", get(self.decay_schedule_fn))

    @property
    def then(self) -> Callable[..., float]:
        """What follows."""
        return self.decay_schedule_fn

    def config(self) -> Options:
        """Return the configuration that the core reads."""
        then = core_config(self.decay_schedule_fn)
        return super().config() | {f"decay_schedule_fn.{name}": then[name] for name in then}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"decay_schedule_fn": serialize(self.decay_schedule_fn)}


SCHEDULES: Registry[LearningRateSchedule] = Registry(
    "learning rate schedule", LearningRateSchedule, listed(globals())
)


def get(identifier: Any) -> Callable[..., float]:
    """Return the schedule for an object, a function without arguments or a configuration."""
    if isinstance(identifier, LearningRateSchedule):
        return identifier
    is_foreign = type(identifier).__module__.partition(".")[0] in LIBRARIES
    if callable(identifier) and not isinstance(identifier, type) and not is_foreign:
        function: Callable[..., float] = identifier
        return function
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        return SCHEDULES.get(identifier)
    raise TypeError(
        f"the learning rate schedule is {what_came(identifier)}; expected an object of "
        "lstmfast.optimizers.schedules"
    )


def serialize(learning_rate_schedule: Any) -> Any:
    """Return name and arguments of a schedule, for `deserialize`; a function as it is."""
    if not isinstance(learning_rate_schedule, LearningRateSchedule):
        return learning_rate_schedule
    config = learning_rate_schedule.get_config()
    return {"class_name": type(learning_rate_schedule).__name__, "config": config}


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> LearningRateSchedule:
    """Make the schedule that `serialize` described; `custom_objects`: classes of one's own."""
    own_class = (custom_objects or {}).get(config["class_name"])
    if own_class is not None:
        made: LearningRateSchedule = own_class.from_config(config["config"])
        return made
    return SCHEDULES.get(config)


def from_core(options: Mapping[str, Any], custom: Any) -> Callable[..., float]:
    """Return the schedule of a configuration of the core; custom: that of the user's own."""
    given = dict(options)
    cls = SCHEDULES.find(given.pop("kind"))
    if cls is None:
        return get(custom)
    inner = "decay_schedule_fn."
    then = {name.removeprefix(inner): given.pop(name) for name in [*given] if inner in name}
    if then:
        given["decay_schedule_fn"] = from_core(then, custom)
    return cls(**given)

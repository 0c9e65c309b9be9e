"""The common base of regularizers and constraints: both are rules for a layer's numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from lstmfast._checks import what_came
from lstmfast._core import check
from lstmfast._names import Registry, snake_case
from lstmfast._options import is_known

R = TypeVar("R", bound="Rule")


@dataclass(frozen=True)
class Rule:
    """A rule that the core applies; its fields are Keras's arguments."""

    family: ClassVar[str]

    def __post_init__(self) -> None:
        """Check the options."""
        if is_known(self.family, self.kind):
            where = type(self).__name__
            options = check(self.family, self.kind, self.options(), where)
            for name in options.keys() & self.get_config().keys():
                object.__setattr__(self, name, options[name])  # the classes are frozen

    @property
    def kind(self) -> str:
        """The core's name of this rule."""
        return snake_case(type(self).__name__)

    def options(self) -> dict[str, Any]:
        """Return this rule's options for the core, without its kind."""
        return self.get_config()

    @classmethod
    def from_options(cls: type[R], options: Mapping[str, Any]) -> R:
        """Make the rule that `options` describes."""
        return cls(**options)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls: type[R], config: Mapping[str, Any]) -> R:
        """Make a rule from what `get_config` returned."""
        return cls(**config)


class Rules(Registry[R]):
    """The rules of one kind: names, classes, objects and configurations of them; None is none."""

    def get_any(self, identifier: Any) -> R | None:
        """Return the rule that `identifier` stands for, or None."""
        if identifier is None:
            return None
        cls = identifier if isinstance(identifier, type) else type(identifier)
        known = cls in self.classes.values() or isinstance(identifier, str | Mapping)
        if not known:
            raise TypeError(
                f"{self.what} is {what_came(identifier)}; expected a name or an object "
                f"of lstmfast.{self.what}s: functions and classes of one's own are not available"
            )
        return self.get(identifier)

    def from_core(self, options: Mapping[str, Any]) -> R:
        """Return the rule that a part of the core's configuration describes."""
        cls = self._named(str(options["kind"]))
        return cls.from_options({key: value for key, value in options.items() if key != "kind"})

    def serialize(self, rule: R | None) -> dict[str, Any] | None:
        """Return the configuration from which `get_any` makes an equal rule."""
        if rule is None:
            return None
        return {"class_name": type(rule).__name__, "config": rule.get_config()}

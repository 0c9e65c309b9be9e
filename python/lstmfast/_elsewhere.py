"""Errors for attributes that a class lacks or that cannot be set: they name the alternative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial


class _Elsewhere:
    """A class attribute that raises AttributeError, with a message that names the alternative.

    A ``__getattr__`` would slow down every attribute that a call reads.
    """

    def __init__(self, name: str, error: Callable[[type, str], AttributeError]) -> None:
        self._name = name
        self._error = error

    def __get__(self, instance: object, owner: type) -> object:
        """Raise the error."""
        raise self._error(owner, self._name)


class _Refused(_Elsewhere):
    """An `_Elsewhere` that cannot be set either."""

    def __set__(self, instance: object, value: object) -> None:
        """Raise the error."""
        raise self._error(type(instance), self._name)


def explain(
    of: type, instead: Mapping[str, str], error: Callable[[str, type, str], AttributeError]
) -> None:
    """Let a class raise ``error(alternative, class, name)`` for those of the names that it lacks.

    `instead` has the names under their alternatives. Such attributes can be set on objects of the
    class, except those with a "!" after the name.
    """
    for alternative, names in instead.items():
        for name in names.split():
            kind = _Refused if name.endswith("!") else _Elsewhere
            name = name.rstrip("!")
            known = next((vars(cls)[name] for cls in of.__mro__ if name in vars(cls)), None)
            if known is None or isinstance(known, _Elsewhere):
                setattr(of, name, kind(name, partial(error, alternative)))


def explain_setting(of: type, instead: Mapping[str, str]) -> None:
    """Let the errors for setting a class's read-only properties name the alternative.

    A ``__setattr__`` would slow down every attribute that a call sets.
    """
    for name, what in instead.items():

        def refuse(self: object, _: object, text: str = f"{name} cannot be set; {what}") -> None:
            raise AttributeError(f"[{type(self).__name__}] {text}")

        setattr(of, name, getattr(of, name).setter(refuse))

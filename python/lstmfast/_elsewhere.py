"""Attributes that a class lacks although its users will ask for them, with what to say then."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["explain"]


class _Elsewhere:
    """A class attribute that acts as if it were not there, but says what there is instead.

    A ``__getattr__`` would slow down every attribute that a call reads.
    """

    def __init__(self, name: str, error: Callable[[type, str], AttributeError]) -> None:
        self._name = name
        self._error = error

    def __get__(self, instance: object, owner: type) -> object:
        """Raise the error."""
        raise self._error(owner, self._name)


def explain(of: type, names: Iterable[str], error: Callable[[type, str], AttributeError]) -> None:
    """Let a class raise ``error(class, name)`` for those of the names that it has not."""
    for name in names:
        if not any(name in vars(cls) for cls in of.__mro__):
            setattr(of, name, _Elsewhere(name, error))

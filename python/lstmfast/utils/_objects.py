"""Names of users' classes and functions in files, as `keras.saving` and `keras.utils` have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lstmfast._checks import string, wrong_kind
from lstmfast._names import REGISTERED, registered_name

C = TypeVar("C")


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[C], C]:
    """Return a decorator of a class: `load_model` finds it without ``custom_objects``.

    Parameters
    ----------
    package : str
        What stands before the name in files, as ``package>name``.
    name : str, optional
        The name; by default that of the class.

    Examples
    --------
    >>> from lstmfast import saving
    >>> from lstmfast.layers import Layer
    >>> @saving.register_keras_serializable(package="mine")
    ... class Twice(Layer):
    ...     def call(self, x):
    ...         return 2 * x
    >>> saving.get_registered_name(Twice)
    'mine>Twice'
    """
    where = "register_keras_serializable"
    package = string(package, "package", where)
    given = None if name is None else string(name, "name", where)

    def register(thing: C) -> C:
        known: Any = thing
        REGISTERED[f"{package}>{given or known.__name__}"] = thing
        return thing

    return register


def get_registered_name(obj: Any) -> str:
    """Return the name under which a class is registered, else its own."""
    return registered_name(obj)


def get_registered_object(name: str, custom_objects: Any = None, module_objects: Any = None) -> Any:
    """Return the class that is registered under a name, None where there is none."""
    for known in (custom_objects, REGISTERED, module_objects):
        if known and name in known:
            return known[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """Return the dictionary itself of what `load_model` finds by name: add to it what you like.

    Examples
    --------
    >>> from lstmfast import utils
    >>> "Attention3" in utils.get_custom_objects()
    False
    """
    return REGISTERED


class CustomObjectScope:
    """What `load_model` finds by name inside of a ``with``, as `keras.utils.CustomObjectScope`.

    Parameters
    ----------
    custom_objects : dict
        Classes and functions by their names.

    Examples
    --------
    >>> from lstmfast import utils
    >>> class Mine: ...
    >>> with utils.custom_object_scope({"Mine": Mine}):
    ...     "Mine" in utils.get_custom_objects()
    True
    >>> "Mine" in utils.get_custom_objects()
    False
    """

    def __init__(self, custom_objects: Mapping[str, Any]) -> None:
        if not isinstance(custom_objects, Mapping):
            raise wrong_kind(
                "CustomObjectScope", "custom_objects", custom_objects, "a dictionary by names"
            )
        self.custom_objects = dict(custom_objects)
        self._before: dict[str, Any] = {}

    def __enter__(self) -> CustomObjectScope:
        self._before = dict(REGISTERED)
        REGISTERED.update(self.custom_objects)
        return self

    def __exit__(self, *_: object) -> None:
        REGISTERED.clear()
        REGISTERED.update(self._before)


custom_object_scope = CustomObjectScope

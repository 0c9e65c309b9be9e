"""Names of users' classes in files, as `keras.saving` has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lstmfast._checks import string
from lstmfast._keras_names import explain_missing
from lstmfast._names import REGISTERED, registered_name
from lstmfast.models import load_model, save_model

__all__ = [
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "register_keras_serializable",
    "save_model",
]

explain_missing(__name__)

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

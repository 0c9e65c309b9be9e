"""Checks of arguments other than arrays: sizes, numbers, flags, lists, those not offered yet."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

import numpy as np

MOST_ITEMS = 10**6
CO_GENERATOR = 0x20  # of inspect, which takes long to load
LARGEST_COUNT = 2**31 - 1  # the core counts in C's int


# libraries with classes of the same names as ours
LIBRARIES = frozenset({"keras", "tensorflow", "tf_keras", "torch", "torchmetrics"})


def wrong_kind(where: str, name: str, value: Any, expected: str) -> TypeError:
    """Return the error for an argument of a wrong type."""
    return TypeError(f"[{where}] {name} is {what_came(value)}; expected {expected}")


def what_came(value: Any) -> str:
    """Describe a value of a wrong type."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    kind = type(value)
    code = getattr(value, "__code__", None)
    if getattr(code, "co_flags", 0) & CO_GENERATOR:
        return f"a function that makes a generator once it is called, {value.__name__}()"
    is_foreign = kind.__module__.partition(".")[0] in LIBRARIES
    return f"of type {f'{kind.__module__}.' if is_foreign else ''}{kind.__qualname__}"


def integer(value: Any, name: str, where: str, expected: str = "an integer") -> int:
    """Return an argument of any integer type."""
    try:
        return operator.index(value)
    except TypeError:
        raise wrong_kind(where, name, value, expected) from None


def count(value: Any, name: str, where: str, least: int = 1) -> int:
    """Return an argument that counts something, given as any integer type."""
    if type(value) is int and least <= value <= LARGEST_COUNT:
        return value
    if isinstance(value, bool):
        raise wrong_kind(where, name, value, "an integer")
    number = integer(value, name, where)
    if number < least:
        raise ValueError(f"[{where}] {name} is {shown(number)}; expected at least {least}")
    if number > LARGEST_COUNT:
        raise ValueError(f"[{where}] {name} is {shown(number)}; expected at most {LARGEST_COUNT}")
    return number


def level(value: Any, name: str, where: str) -> int:
    """Return how much to show, given as a count or as a flag."""
    return int(value) if isinstance(value, bool | np.bool_) else count(value, name, where, 0)


def shown(number: int) -> str:
    """Return an integer for a message: Python itself refuses to write very long ones."""
    if number.bit_length() < 100:
        return str(number)
    sign = "-" if number < 0 else ""
    return f"{sign}10**{int((number.bit_length() - 1) * math.log10(2))} or more"


def number(value: Any, name: str, where: str, expected: str = "a number") -> float:
    """Return an argument that is a number of any type."""
    if type(value) is float:
        return value
    try:
        if isinstance(value, str | bool | np.bool_):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise wrong_kind(where, name, value, expected) from None
    except OverflowError:
        text = shown(value) if isinstance(value, int) else str(value)
        raise ValueError(f"[{where}] {name} is {text}; expected a number below 1.8e308") from None


def flag(value: Any, name: str, where: str) -> bool:
    """Return an argument that is true or false: ``"no"`` is neither."""
    if value is True or value is False:
        return value
    if not isinstance(value, np.bool_):
        raise wrong_kind(where, name, value, "True or False")
    return bool(value)


def string(value: Any, name: str, where: str) -> str:
    """Return an argument that is a name or another text."""
    if not isinstance(value, str):
        raise wrong_kind(where, name, value, "a string")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"[{where}] {name} is {value!r}; expected no lone surrogates")
    return str(value)


def choice(value: Any, name: str, where: str, *known: str) -> str:
    """Return an argument that is one of some names."""
    if string(value, name, where) not in known:
        *most, last = map(repr, known)
        raise ValueError(f"[{where}] {name} is {value!r}; expected {', '.join(most)} or {last}")
    return str(value)


def items(value: Any, name: str, where: str, expected: str) -> list[Any]:
    """Return a collection of things, each of which the caller checks, as a list."""
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise wrong_kind(where, name, value, expected)
    try:
        listed = list(islice(value, MOST_ITEMS + 1))
    except TypeError:  # an array without axes
        raise wrong_kind(where, name, value, expected) from None
    if len(listed) > MOST_ITEMS:  # an iterator may have no end
        raise ValueError(f"[{where}] {name} has more than {MOST_ITEMS} items; expected {expected}")
    return listed


def check_unavailable(
    where: str,
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    *functions: Callable[..., Any],
) -> None:
    """Refuse Keras's arguments that are not offered yet, unless they have their default values.

    `defaults` holds their names with the value at which they change nothing; `functions` are those
    that were called: an unknown name may be a misspelling of one of their arguments.
    """
    for name, value in given.items():
        if name not in defaults:
            from difflib import get_close_matches
            from inspect import signature

            known = [known for function in functions for known in signature(function).parameters]
            alike = get_close_matches(name, known, n=1, cutoff=0.75)
            hint = f"; did you mean {alike[0]!r}?" if alike else ""
            raise TypeError(f"[{where}] got an unexpected keyword argument {name!r}{hint}")
        default = defaults[name]
        plain = isinstance(value, bool | int | float | str)
        if value is default or (default is not None and plain and value == default):
            continue
        text = f"{name}={value!r}" if plain else name
        raise ValueError(f"[{where}] {text} is not available in this version")

"""States of callbacks as text and arrays of a model's file, from which a training continues.

A state belongs to the callback of the same class, in the order of the list.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._warnings import warn
from lstmfast.callbacks.base import Callback, State

_ARRAY = "__array__"  # stands for an array, which is a tensor of the file
_LARGEST = 2**53


class States:
    """The states of all callbacks of a fit at one time."""

    def __init__(self, text: str, arrays: Mapping[str, Array]) -> None:
        self.text = text
        self.arrays = dict(arrays)

    @classmethod
    def of(cls, callbacks: Iterable[Callback]) -> States | None:
        """Take the present states; None where no callback has one."""
        arrays: dict[str, Array] = {}
        entries = []
        for callback in callbacks:
            state = callback.get_state()
            where = f"{type(callback).__name__}.get_state"
            if not isinstance(state, dict):
                raise TypeError(f"[{where}] returned {type(state).__name__}; expected a dictionary")
            if state:
                state = _encoded(state, arrays, where)
                entries.append({"class": type(callback).__name__, "state": state})
        try:
            return cls(json.dumps(entries), arrays) if entries else None
        except ValueError as error:  # an integer of thousands of digits
            raise ValueError(f"[save] the callbacks' states cannot be written: {error}") from None

    def give(self, callbacks: Iterable[Callback]) -> None:
        """Set the state of each callback by its class; warn of states that are not used."""
        left: dict[str, deque[Any]] = {}
        try:
            for entry in json.loads(self.text):
                left.setdefault(str(entry["class"]), deque()).append(entry["state"])
        except (ValueError, TypeError, KeyError, RecursionError):
            warn("[fit] the callbacks' states that came with the model are damaged")
            return
        for callback in callbacks:
            name = type(callback).__name__
            if not left.get(name):
                continue
            try:
                state = self._decoded(left[name].popleft())
                if not isinstance(state, dict):
                    raise ValueError("it is no dictionary")
                callback.set_state(state)
            except (ValueError, RecursionError) as error:
                warn(f"[fit] the state of {name} that came with the model is not used: {error}")

    def _decoded(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._decoded(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() != {_ARRAY}:
            return {key: self._decoded(item) for key, item in value.items()}
        array = self.arrays.get(str(value[_ARRAY]))
        if array is None:
            raise ValueError("it lacks an array")
        return array.copy()


def _encoded(value: Any, arrays: dict[str, Array], where: str) -> Any:
    """Return a state as JSON has it, with each array put among `arrays`."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or key == _ARRAY:
                raise TypeError(f"[{where}] has the key {key!r}; expected texts")
        return {key: _encoded(item, arrays, where) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(item, arrays, where) for item in value]
    if isinstance(value, np.ndarray):
        name = f"callbacks.{len(arrays)}"
        arrays[name] = value.astype(value.dtype.newbyteorder("="), order="C")
        return {_ARRAY: name}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"[{where}] holds a value of type {type(value).__name__}; expected numbers, texts, None, "
        "arrays, and lists and dictionaries of these"
    )


def checked(state: State, name: str, expected: str, *kinds: type) -> Any:
    """Return an item of a state that came from a file; ValueError for one of another kind.

    Integers must be exact in a double, and counts must be 0 or more.
    """
    value = state.get(name)
    least = -_LARGEST if float in kinds else 0
    is_exact = type(value) is not int or least <= value <= _LARGEST
    if type(value) not in kinds or not is_exact:
        raise ValueError(f"{name} is {value!r}; expected {expected}")
    return value

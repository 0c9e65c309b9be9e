"""The core's tables of options: what components take, and checks of arguments by them.

Names, kinds, defaults, ranges and choices stand in C++, in the file of each component. Signatures
and docstrings here repeat names and defaults alone; tests/test_option_tables.py compares them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

from lstmfast._activation import activation_text
from lstmfast._core import check, describe, kinds

Value: TypeAlias = "bool | int | float | str | tuple[int | None, ...] | None"
Options: TypeAlias = "dict[str, Value]"
"""A configuration of the core: values by flat dotted keys; None where an option is left alone."""


@cache
def defaults(family: str, kind: str) -> dict[str, Any]:
    """Return the options of a component with their defaults, None where one is required.

    There are none where the core has no such component.
    """
    rows = describe(family, kind) if kind in kinds(family) else []
    return {row["name"]: row["default"] for row in rows}


def arguments(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a constructor, given as its ``locals()``, those in ``**common`` too.

    It is one that hands them all to its base.
    """
    own = {name: value for name, value in given.items() if name not in ("self", "__class__")}
    own.update(own.pop("common", {}))
    return own


def is_known(family: str, kind: str) -> bool:
    """Return whether the core has such a component."""
    return kind in kinds(family)


def checked_cell(
    family: str, given: dict[str, Any], where: str, kind: str = "lstm"
) -> dict[str, Any]:
    """Return the options of a cell, checked; `family` says of which: cell, layer or rnn."""
    texts = {
        name: activation_text(given[name], where, name)
        for name in ("activation", "recurrent_activation", "output_activation")
        if name in given and (name != "output_activation" or given[name] is not None)
    }
    options = check(family, kind, given | texts, where)
    if "output_activation" in options and options["output_activation"] is None:
        options["output_activation"] = options["activation"]
    return options


def changed(family: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of an LSTM that differ from their defaults."""
    usual = defaults(family, "lstm") | {"output_activation": options["activation"]}
    return {name: options[name] for name in usual if options[name] != usual[name]}

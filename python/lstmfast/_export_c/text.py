"""C source as text: numbers, tables, the helper functions that a source needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from lstmfast._arrays import Array

_WIDTH = 100  # of lines
_LARGEST = np.finfo(np.float32).max
# The functions of helpers.c, between which are blank lines, by name: a later one may call an
# earlier one.
HELPERS = {
    re.search(r"\bnn_\w+(?=\()", text).group(): text  # type: ignore[union-attr]
    for text in Path(__file__).with_name("helpers.c").read_text(encoding="utf-8").split("\n\n")
}


def helpers_in(text: str) -> list[str]:
    """Return the helper functions that a text calls, and those that these call, in order."""
    found: set[str] = set()
    left = [text]
    while left:
        new = set(re.findall(r"\bnn_\w+", left.pop())) - found
        found |= new
        left += [HELPERS[name] for name in new]
    return [each for name, each in HELPERS.items() if name in found]


def number(value: float | np.floating[Any]) -> str:
    """Return the shortest literal of a number as float32; those beyond the range are its ends."""
    return _float(np.float32(np.clip(value, -_LARGEST, _LARGEST)))


def _float(value: np.float32) -> str:
    return f"{value!s}f"


def filled(template: str, **values: object) -> str:
    """Return a template with its values: those alone on a line keep their indentation.

    A line whose value is empty is left out.
    """

    def block(match: re.Match[str]) -> str:
        indent, name = match.groups()
        lines = str(values[name]).splitlines()
        return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)

    text = re.sub(r"^( *)\$\{?(\w+)\}?\n", block, template, flags=re.MULTILINE)
    return Template(text).substitute(values)


def table(name: str, axes: Sequence[str], values: Array) -> str:
    """Return the definition of a constant array of float32 or int8."""
    is_float = values.dtype.kind == "f"
    kind, literal = ("float", _float) if is_float else ("int8_t", str)
    lengths = "".join(f"[{axis}]" for axis in axes)
    lines = [f"static const {kind} {name}{lengths} = {{", *_content(values, literal, "  "), "};"]
    return "\n".join(lines)


def _content(values: Array, literal: Callable[[Any], str], indent: str) -> list[str]:
    """Return the lines between the braces of an array's initialiser."""
    if values.ndim == 1:
        return _wrapped(map(literal, values), indent)
    if values[0].size < _WIDTH // 3:  # several parts may fit on a line
        parts = [_on_one_line(part, literal) for part in values]
        if max(map(len, parts)) + len(indent) < _WIDTH:
            return _wrapped(parts, indent)
    lines = []
    for part in values:
        inner = _content(part, literal, f"{indent} ")
        lines += [f"{indent}{{{inner[0].lstrip()}", *inner[1:]]
        lines[-1] += "},"
    return lines


def _on_one_line(values: Array, literal: Callable[[Any], str]) -> str:
    if values.ndim == 0:
        return literal(values)
    return f"{{{', '.join(_on_one_line(part, literal) for part in values)}}}"


def _wrapped(texts: Iterable[str], indent: str) -> list[str]:
    lines = [indent]
    for text in texts:
        if len(lines[-1]) + len(text) > _WIDTH - 6:
            lines[-1] = lines[-1].rstrip()
            lines.append(indent)
        lines[-1] += f"{text}, "
    lines[-1] = lines[-1].removesuffix(", ")
    return lines

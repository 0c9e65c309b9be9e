"""A layer in C: what it holds and does, and how sums of products are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lstmfast._arrays import Array
from lstmfast._core import describe

from .text import number

MOST_INT8_TERMS = (2**31 - 1) // 127**2  # of a sum of products in int32


class Table(NamedTuple):
    """A constant array: its name, the C text of its axes' lengths, and its values."""

    name: str
    axes: tuple[str, ...]
    values: Array


class Field(NamedTuple):
    """An array of float32 in the state, and what it begins with; None: zeros."""

    name: str
    length: int
    start: Array | None = None


class Term(NamedTuple):
    """A product in a sum: a row of weights times a vector, both of this length."""

    weights: str
    vector: str
    length: str


@dataclass(frozen=True)
class Layer:
    """A layer of the model as a builder of parts gets it.

    Attributes
    ----------
    name : str
        Its identifier in C, in lower case.
    label : str
        Its name in the model.
    kind : str
        The core's name of it.
    options : mapping
        The core's.
    weights : mapping of str to numpy.ndarray
        By the core's names.
    inputs : int
        Numbers of a step.
    int8 : bool
        Whether weights of products are int8.
    """

    name: str
    label: str
    kind: str
    options: Mapping[str, Any]
    weights: Mapping[str, Array]
    inputs: int
    int8: bool

    @property
    def upper(self) -> str:
        """The beginning of the names of its constants."""
        return self.name.upper()

    def refuse(self, problem: str) -> ValueError:
        """Return the error for what cannot be exported."""
        return ValueError(f"[export_c] layer {self.label!r} ({self.kind}) {problem}")

    def expect(self, **options: Any) -> None:
        """Refuse options with other values than these."""
        for name, value in options.items():
            if self.options.get(name, value) != value:
                found = self.options[name]
                raise self.refuse(f"has {name}={found!r}; expected {value!r} to be exported")

    # -- sums of products --------------------------------------------------------------------

    def products(
        self, axes: Sequence[str], lengths: Sequence[str], kernels: Mapping[str, Array]
    ) -> list[Table]:
        """Return the tables of kernels whose sums are added, and of their scales.

        A kernel is (..., K), its leading axes those of the sums, of these lengths in C; `lengths`
        are those of K. In int8 the kernels share a scale for each sum: the greatest magnitude in
        it is 127.
        """
        named = [(f"{self.name}_{name}", value) for name, value in kernels.items()]
        shapes = [(*axes, length) for length in lengths]
        if not self.int8:
            pairs = zip(named, shapes, strict=True)
            return [Table(name, shape, value) for (name, value), shape in pairs]
        for _, value in named:
            if value.shape[-1] > MOST_INT8_TERMS:
                raise self.refuse(
                    f"adds {value.shape[-1]} products; expected at most {MOST_INT8_TERMS} in int8"
                )
        most = np.max([np.abs(value).max(axis=-1) for _, value in named], axis=0)
        scale = most / np.float32(127)
        scale[scale < np.finfo(np.float32).tiny] = 0
        divisor = np.where(scale > 0, scale, np.float32(np.inf))[..., None]
        tables = [
            Table(name, shape, np.rint(value / divisor).astype(np.int8))
            for (name, value), shape in zip(named, shapes, strict=True)
        ]
        return [*tables, Table(f"{named[0][0]}_scale", tuple(axes), scale)]

    def terms(self, place: str) -> list[Term]:
        """Return x W and h R of a recurrent layer's sum at this place of the tables."""
        of_h = f"{self.upper}_{'OUT' if self.kind == 'lstm' else 'UNITS'}"
        return [
            Term(f"{self.name}_kernel{place}", "x", f"{self.upper}_IN"),
            Term(f"{self.name}_recurrent{place}", "h", of_h),
        ]

    def scale(self, place: str) -> str:
        """Return the scale of the sum there, which only int8 has."""
        return f"{self.name}_kernel_scale{place}"

    def prepare(self, vector: str, length: str) -> list[str]:
        """Return the statements before a vector's first product."""
        if not self.int8:
            return []
        return [
            f"int8_t {vector}8[{length}];",
            f"const float {vector}_scale = nn_quantise({vector}, {vector}8, {length});",
        ]

    def sums(
        self, target: str, terms: Sequence[Term], bias: str, scale: str, dot: str = "nn_dot"
    ) -> list[str]:
        """Return the statements that set `target` to bias + the terms, of which x W is first.

        dot: the function that adds up a term where it is not int8.
        """
        name = target.removeprefix("float ").removeprefix("const ")
        if not self.int8:
            text = f"{dot}({bias}, {{0.weights}}, {{0.vector}}, {{0.length}});"
            more = f"{name} = {dot}({name}, {{0.weights}}, {{0.vector}}, {{0.length}});"
            first, *others = terms
            return [
                f"{target} = {text.format(first)}",
                *(more.format(other) for other in others),
            ]
        lines = []
        for n, (weights, vector, length) in enumerate(terms):
            product = f"{vector}_scale * (float)nn_dot8({weights}, {vector}8, {length})"
            lines.append(f"{target} = {product};" if n == 0 else f"{name} = {product} + {name};")
        return [*lines, f"{name} = {name} * {scale} + {bias};"]


@dataclass(frozen=True)
class Part:
    """A layer in C.

    Attributes
    ----------
    title : str
        What stands in the comment above it.
    outputs : int
        Numbers of what a step gives.
    call : callable
        The statement of a step, given the expressions of its input and its output; or None.
    result : str
        The expression of the output, where the part has it itself: else the caller has an array.
    sizes : mapping
        Constants by their names.
    tables, state : sequences
        What it holds.
    function : str
        The definition of what `call` calls.
    products : int
        Multiply-adds of weights in a step.
    in_place : bool
        Whether the output may be the array of the input.
    """

    title: str
    outputs: int
    call: Callable[[str, str], str] | None = None
    result: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    state: Sequence[Field] = ()
    function: str = ""
    products: int = 0
    in_place: bool = False


def by_unit(kernel: Array, count: int) -> Array:
    """Return a kernel (K, count·H) as [unit][gate][k]."""
    parts = kernel.reshape(len(kernel), count, -1)
    return np.ascontiguousarray(parts.transpose(2, 1, 0))


def activated(text: str, x: str) -> str:
    """Return the expression of an activation, given as options have it, of an expression."""
    kind, *given = text.split(":")
    if kind == "linear":
        return x
    defaults = [row["default"] for row in describe("activation", kind)]
    numbers = [*map(float, given), *defaults[len(given) :]]
    return f"nn_{kind}({', '.join([x, *map(number, numbers)])})"


def clamped(x: str, bound: float | None) -> str:
    """Return the expression of x limited to -bound .. bound."""
    return x if bound is None else f"nn_clamp({x}, {number(-bound)}, {number(bound)})"


def mixed(share: float, old: str, new: str) -> str:
    """Return the expression of a share of the old value and the rest of the new one."""
    if share == 0.0:
        return new
    m = np.float32(share)
    return f"{number(m)} * {old} + {number(np.float32(1) - m)} * ({new})"

"""Symbolic tensors: values of a graph of layers that has yet to run. Knows no kind of layer."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lstmfast._arrays import shape_text
from lstmfast._checks import count, items

Sample: TypeAlias = "tuple[int | None, ...]"
"""The shape of one sample, without the batch; None is any size."""


@dataclass(eq=False, repr=False)
class Node:
    """One use of a layer: what it takes and what it returns.

    A tensor keeps its node and a node its layer and inputs; a layer knows its nodes weakly, so that
    a graph goes with the last tensor or model of it.
    """

    layer: Any
    inputs: Sequence[Tensor]
    shapes: Sequence[Sample]  # of all outputs of the layer
    dtype: str
    batch: int | None = None
    number: int = field(default_factory=itertools.count().__next__)
    batched: bool = True  # False: of weights and constants, and what is made of these alone
    training: bool | None = None  # what the call was given


@dataclass(eq=False, repr=False)
class Tensor:
    """What a layer returns when it is called with a tensor: a value of a graph.

    Attributes
    ----------
    node, index
        The use of a layer that computes it, and which output of the layer it is.
    """

    node: Node
    index: int = 0

    @property
    def sample(self) -> Sample:
        """The shape of one sample, without the batch."""
        return self.node.shapes[self.index]

    @property
    def shape(self) -> Sample:
        """The shape, the batch first: None, or the size that an `Input` has given it."""
        return (self.node.batch, *self.sample) if self.node.batched else self.sample

    @property
    def ndim(self) -> int:
        """How many axes there are, that of the batch among them."""
        return len(self.shape)

    @property
    def dtype(self) -> str:
        """The type of the values."""
        return self.node.dtype

    @property
    def name(self) -> str:
        """A name that no other tensor has; that of an `Input` with a name is its own."""
        if not self.node.inputs and self.node.layer.name is not None:
            return str(self.node.layer.name)
        return f"tensor_{self.node.number}" + (f"_{self.index}" if self.index else "")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tensor):
            return NotImplemented
        return self.node is other.node and self.index == other.index

    def __hash__(self) -> int:
        return hash((id(self.node), self.index))

    def __repr__(self) -> str:
        return f"<Tensor shape={shape_text(self.shape)}, dtype={self.dtype}, name={self.name}>"


# what stands in the place of what needs values
_INSTEAD = {
    "a condition in values: ops.where(...), ops.maximum(...)": "bool",
    "its parts along an axis: ops.unstack(x, axis=1), or slices such as x[:, 0]": "iter",
    "x.shape[axis]": "len",
    "a function of lstmfast.ops, or a layer": "float int index array",
}


def place_of_code() -> str:
    """Return where the code stands that is not of this package, for errors."""
    frame = sys._getframe(1)
    while frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] == "lstmfast":
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def refusal(tensor: Any, operation: str, instead: str) -> TypeError:
    """Return the error for an operation that does not become part of a graph."""
    return TypeError(
        f"[{operation}] {tensor.name} is a tensor of a graph, which has no values until a model "
        f"runs; expected {instead} (at {place_of_code()})"
    )


def _refusing(name: str, instead: str) -> Any:
    def refuse(tensor: Any, *_: Any, **__: Any) -> Any:
        raise refusal(tensor, f"Tensor.{name}", instead)

    return refuse


for _instead, _names in _INSTEAD.items():
    for _name in _names.split():
        setattr(Tensor, f"__{_name}__", _refusing(f"__{_name}__", _instead))


# the running call of a user's code with tensors
RUNNING: ContextVar[Any] = ContextVar("RUNNING", default=None)


class Training:
    """What ``call`` gets as `training`: only a pass knows it, and layers inside ask the pass."""

    def __bool__(self) -> bool:
        raise TypeError(
            "[training] only a running model knows whether it is training; expected it passed on "
            f"to a layer: self.dropout(x, training=training) (at {place_of_code()})"
        )


TRAINING = Training()


def one_or_all(found: list[Any]) -> Any:
    """Return the only item, or the list of none or several."""
    return found[0] if len(found) == 1 else found


def holds_tensors(x: Any) -> bool:
    """Tell whether what a layer is called with is a tensor, or has one in it."""
    if isinstance(x, Mapping):
        x = list(x.values())
    return isinstance(x, Tensor) or (
        isinstance(x, list | tuple) and any(isinstance(each, Tensor) for each in x)
    )


def origin(tensor: Tensor) -> Iterable[Node]:
    """Yield the nodes that lead to a tensor by first inputs, the latest first."""
    node: Node | None = tensor.node
    while node is not None:
        yield node
        node = node.inputs[0].node if node.inputs else None


def split_batch(shape: Any, where: str, name: str = "batch_shape") -> tuple[int | None, Sample]:
    """Return batch size and sample shape of a shape that has both."""
    sizes = items(shape, name, where, "a tuple such as (batch, steps, 1)")
    if not sizes:
        raise ValueError(f"[{where}] {name} is (); expected the batch size first")
    return sizes[0], tuple(sizes[1:])


def sample_shape(shape: Any, where: str, name: str = "shape") -> Sample:
    """Return the shape of one sample: sizes of at least 1, None for any number of steps."""
    given = items(shape, name, where, "a tuple such as (steps, features)")
    sizes = tuple(
        None if size is None else count(size, f"{name}[{place}]", where)
        for place, size in enumerate(given)
    )
    if not sizes or (len(sizes) > 1 and sizes[-1] is None):
        raise ValueError(
            f"[{where}] {name} is {shape_text(sizes)}; expected "
            "(steps, features) or (features,), where only steps may be None"
        )
    return sizes

"""What runs a user's ``call`` once, on tensors, and makes a graph of it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lstmfast._checks import wrong_kind
from lstmfast.layers._graph import Graph, graph_between
from lstmfast.layers._operations import Operation, Trace, apply, give_operators, tensor_of
from lstmfast.layers._symbolic import RUNNING, TRAINING, Sample, Tensor, place_of_code
from lstmfast.layers.base import Layer
from lstmfast.layers.weights import Weight


class Source(Layer):
    """One weight of a layer of one's own, in the core: a value, or the kernel of its products."""

    kind = "weight"
    takes_list = True

    def __init__(self, owner: Any, shape: Sample, name: str, trained: bool, **rules: Any) -> None:
        super().__init__(name)
        self.owner, self.shape, self.trained = owner, shape, trained
        for rule, value in rules.items():
            setattr(self, rule, value)
        self.variable = Variable(self, 0)

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer."""
        if self.kind == "dense":
            return {"units": self.shape[1], "use_bias": False}
        return {"shape": self.shape or (1,), "trained": self.trained}

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return the weight's name and shape."""
        return [(str(self.name), tuple(int(size or 1) for size in self.shape or (1,)))]

    @property
    def weights(self) -> list[Weight]:
        """The weight."""
        return [self.variable]


class Variable(Weight):
    """A weight that `add_weight` made: in ``call`` a tensor, outside of it what `Weight` is."""

    @property
    def path(self) -> str:
        """The layer's name and the weight's."""
        layer: Any = self._layer
        return f"{layer.owner.name or layer.owner.kind}/{self.name}"

    @property
    def trainable(self) -> bool:
        """Whether training changes the values."""
        layer: Any = self._layer
        return bool(layer.trained and layer.trainable)

    def _as_tensor(self) -> Tensor:
        trace: Trace | None = RUNNING.get()
        layer = self._layer
        if trace is None or not isinstance(layer, Source):
            raise TypeError(
                f"[{self.path}] a weight is part of a graph in the call of its layer alone; "
                f"expected {self.name}.numpy() elsewhere (at {place_of_code()})"
            )
        return trace.value(layer)

    def __hash__(self) -> int:
        return id(self._layer)


give_operators(Variable)


@dataclasses.dataclass(frozen=True)
class Place:
    """The place of a tensor among the arguments of a call, or in what it returned."""

    number: int


def taken_out(given: Any, found: list[Any], takes: Callable[[Any], bool]) -> Any:
    """Return nested values with places for those that `takes` takes, which join `found`."""
    if takes(given):
        found.append(given)
        return Place(len(found) - 1)
    if isinstance(given, Mapping):
        return {key: taken_out(each, found, takes) for key, each in given.items()}
    if isinstance(given, list | tuple):
        return type(given)([taken_out(each, found, takes) for each in given])
    return given


def filled(pattern: Any, values: Sequence[Any]) -> Any:
    if isinstance(pattern, Place):
        return values[pattern.number]
    if isinstance(pattern, Mapping):
        return {key: filled(each, values) for key, each in pattern.items()}
    if isinstance(pattern, list | tuple):
        return type(pattern)([filled(each, values) for each in pattern])
    return pattern


def layers_among(values: Any) -> list[Layer]:
    """Return the layers among attributes, in lists and dictionaries too."""
    found: list[Layer] = []
    for value in values:
        if isinstance(value, Source | Variable | Place | str):
            continue
        if isinstance(value, Layer):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += layers_among(value)
        elif isinstance(value, Mapping):
            found += layers_among(value.values())
    return found


def traced(
    call: Callable[..., Any], pattern: Any, starts: Sequence[Tensor], masking: bool
) -> tuple[Any, list[Tensor], Trace]:
    """Run a user's code once on tensors: the pattern of what it returned, its tensors, the trace.

    pattern: of arguments. masking: the outputs have the mask of the first input.
    """
    args, kwargs = filled(pattern, starts)
    names = inspect.signature(call).parameters
    trace = Trace(starts[0])
    token = RUNNING.set(trace)
    try:
        if "training" in names:
            kwargs["training"] = TRAINING
        if "mask" in names:
            masks = [
                apply(Operation("mask_values"), each) if len(each.sample) > 1 else None
                for each in starts
            ]
            kwargs["mask"] = filled(pattern[0][0], masks) if pattern[0] else None
        made = call(*args, **kwargs)
        ends: list[Any] = []
        outputs = taken_out(made, ends, lambda one: isinstance(one, Tensor | Variable))
        for k, end in enumerate(ends):
            end = tensor_of(end)
            if not end.node.batched or any(end.node is start.node for start in starts):
                end = apply(Operation("elementwise", function="add", number=0.0), end)
            like = masking and end.sample[:-1] == starts[0].sample[:-1]
            ends[k] = apply(Operation("with_mask"), end, starts[0]) if like else end
    finally:
        RUNNING.reset(token)
    lost: list[Any] = []
    taken_out(
        made, lost, lambda one: not isinstance(one, Tensor | Variable | list | tuple | Mapping)
    )
    if lost or not ends:
        raise wrong_kind("call", "what it returned", lost[0] if lost else made, "a tensor")
    return outputs, ends, trace


def settled(trace: Trace, starts: Sequence[Tensor], ends: Sequence[Tensor]) -> Graph:
    """Return the graph; a weight that is but the right factor of products is a Dense's kernel."""
    graph = graph_between(starts, ends)
    for source, value in trace.weights.items():
        uses = [node for node in graph.nodes if value in node.inputs]
        products = [
            node.layer.kind == "matmul" and node.inputs[1] == value and node.inputs[0].node.batched
            for node in uses
        ]
        if uses and all(products) and source.trained and len(source.shape) == 2:
            source.kind = "dense"
            for node in uses:
                node.layer, node.inputs = source, [node.inputs[0]]
    graph = graph_between(starts, ends)
    lacking = [each.node for source, each in trace.weights.items() if source.kind == "weight"]
    rest = tuple(node for node in lacking if node not in graph.nodes)
    return dataclasses.replace(graph, nodes=(*rest, *graph.nodes))

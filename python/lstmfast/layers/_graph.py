"""From tensors to the graph between them: its nodes in order, its layers, the core's graph."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstmfast._arrays import shape_text
from lstmfast._checks import items, wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast.layers._input import InputLayer
from lstmfast.layers._symbolic import Node, Tensor
from lstmfast.layers.base import Layer, from_config, serialize


@dataclass(frozen=True)
class Graph:
    """What lies between inputs and outputs.

    Nodes are those that compute, in the order of the core. Layers are in Keras's order, with those
    that stand for inputs among them.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    layers: tuple[Layer, ...]

    @property
    def computing(self) -> list[Layer]:
        """The layers but for inputs, in the order in which the core has them."""
        return list(dict.fromkeys(node.layer for node in self.nodes))

    @property
    def starts(self) -> list[InputLayer]:
        """What stands for the inputs: new ones for tensors that layers return."""
        return [
            InputLayer(tensor.sample, tensor.node.batch, tensor.dtype, tensor.name)
            if tensor.node.inputs
            else tensor.node.layer
            for tensor in self.inputs
        ]

    @property
    def input_names(self) -> list[str]:
        """What data in a dictionary calls the inputs."""
        return [tensor.name for tensor in self.inputs]

    @property
    def is_row(self) -> bool:
        """Whether each node takes what the one before returns, and no layer is used twice."""
        before = [self.inputs[0].node, *self.nodes][: len(self.nodes)]
        taken = [tensor.node for node in self.nodes for tensor in node.inputs]
        return len(self.inputs) == 1 and len(self.computing) == len(taken) and taken == before

    def described(self, structure: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of a model's configuration that says how layers are connected.

        structure: of the graph in the core, whose names of values stay.
        """
        names = [layer.name for layer in self.computing]
        return {
            "layers": [
                serialize(layer) | {"name": layer.name}
                for layer in dict.fromkeys([*self.layers, *self.starts])
            ],
            "input_layers": self.input_names,
            "nodes": [
                [names[n], [*map(list, values)], *([] if training is None else [training])]
                for n, values, training in structure["nodes"]
            ],
            "outputs": [*map(list, structure["outputs"])],
        }

    def core(
        self,
        dtype: str,
        *,
        in_a_row: bool = False,
        cores: Mapping[Layer, CoreLayer] | None = None,
        order: Sequence[Layer] = (),
    ) -> CoreLayer:
        """Return the core's graph.

        cores: the handles of layers that lack theirs yet. order: the layers, if it is not that of
        their first nodes.
        """
        handles: dict[Any, Any] = {layer: layer._core for layer in self.computing}
        handles |= dict(cores or {})
        values = {tensor: (place, 0) for place, tensor in enumerate(self.inputs)}
        places = {node: place for place, node in enumerate(self.nodes, len(self.inputs))}

        def value(tensor: Tensor) -> tuple[int, int]:
            return values.get(tensor) or (places[tensor.node], tensor.index)

        is_stateful = any(handle.stateful for handle in handles.values())
        sizes = {t.node.batch for t in self.inputs if t.node.batch and is_stateful}
        if len(sizes) > 1:
            raise ValueError(f"[Model] the inputs have batch sizes {sorted(sizes)}")
        return CoreLayer.graph(
            [(tensor.name, tensor.sample) for tensor in self.inputs],
            [
                (handles[node.layer], [value(each) for each in node.inputs], node.training)
                for node in self.nodes
            ],
            [value(tensor) for tensor in self.outputs],
            dtype,
            max(sizes, default=0),
            in_a_row,
            [handles[layer] for layer in order],
        )


def graph_between(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Graph:
    """Return the graph that computes the outputs from the inputs.

    The order is Keras's: by the distance from the outputs, the farthest first; at one distance, in
    the order in which a walk from the outputs meets the layers.
    """
    met: dict[Layer, int] = {}
    walked = list(_walk(inputs, outputs, met))
    depths: dict[Node, int] = {}
    of_layer: dict[Layer, int] = {}
    for node in reversed(walked):  # those that take a node's outputs come before it
        depth = max(depths.get(node, 0), of_layer.get(node.layer, 0))
        depths[node] = of_layer[node.layer] = depth
        for tensor in node.inputs:
            depths[tensor.node] = max(depth + 1, depths.get(tensor.node, 0))
    for tensor in inputs:  # those that no output needs
        if not tensor.node.inputs and tensor.node not in walked:
            of_layer[tensor.node.layer] = 0
            met[tensor.node.layer] = -1
    nodes = sorted(
        (node for node in walked if node.inputs),
        key=lambda node: (-depths[node], met[node.layer], node.number),
    )
    layers = sorted(of_layer, key=lambda layer: (-of_layer[layer], met[layer]))
    return Graph(tuple(inputs), tuple(outputs), tuple(nodes), tuple(layers))


def _walk(
    inputs: Sequence[Tensor], outputs: Sequence[Tensor], met: dict[Layer, int]
) -> Iterable[Node]:
    """Yield the nodes, those that compute a node's inputs before it; number the layers in `met`."""
    given, done, lacking = set(inputs), set[Node](), list[Tensor]()
    stack: list[tuple[Tensor, bool]] = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        tensor, is_end = stack.pop()
        node = tensor.node
        is_given = tensor in given
        if is_end:
            yield node
        elif node not in done and not (is_given and node.inputs):
            done.add(node)
            met.setdefault(node.layer, len(met))
            if not node.inputs and not is_given:
                lacking.append(tensor)
            stack.append((tensor, True))
            stack.extend((each, False) for each in reversed(node.inputs))
    if lacking:
        names = ", ".join(f"{tensor.name} {shape_text(tensor.shape)}" for tensor in lacking)
        raise ValueError(
            f"[Model] the outputs are computed from {names} too; expected these among the inputs"
        )


def free_name(kind: str, taken: Iterable[str | None]) -> str:
    """Return a name for a thing of that kind which none of the others has."""
    taken = set(taken)
    names = (f"{kind}_{number}" if number else kind for number in itertools.count())
    return next(name for name in names if name not in taken)


def name_layers(layers: Sequence[Layer]) -> None:
    """Give names to the layers that the user has not named, so that all differ."""
    taken: set[str | None] = set()
    given = [layer for layer in layers if layer.name is not None and not layer._numbered]
    for layer in given:
        if layer.name in taken:
            raise ValueError(f"[Model] two layers would be called {layer.name!r}")
        taken.add(layer.name)
    for layer in (layer for layer in layers if layer not in given):
        if layer.name is None or layer.name in taken:
            layer._rename(free_name(layer.kind, taken))
        taken.add(layer.name)


def name_freely(layers: Sequence[Layer], *, all_of_them: bool = True) -> None:
    """Rename layers whose name another one before them has, or only those that have none."""
    taken = {layer.name for layer in layers if layer.name is not None and not layer._numbered}
    met: set[str | None] = set()
    for layer in layers:
        own = layer.name is not None and not layer._numbered
        is_free = layer.name is not None and layer.name not in (met if own else met | taken)
        if not is_free and (all_of_them or not own):
            layer._rename(free_name(layer.name or layer.kind, met | taken))
        met.add(layer.name)


def replayed(
    structure: Mapping[str, Any], inputs: Sequence[Tensor], layers: Any
) -> tuple[list[Tensor], list[Node]]:
    """Return outputs and nodes of a graph as the core, or `described`, says it, over these layers.

    layers: by what its nodes call them: numbers, or names.
    """
    nodes = [tensor.node for tensor in inputs]
    for layer, values, *training in structure["nodes"]:
        given = [Tensor(nodes[n], index) for n, index in values]
        nodes.append(layers[layer]._use(given, *training))
    outputs = [Tensor(nodes[n], index) for n, index in structure["outputs"]]
    return outputs, nodes[len(inputs) :]


def layers_of(config: Any, where: str, *more: str) -> list[Any]:
    """Return new layers as a model's configuration says them; `more`: what else it must hold."""
    if not isinstance(config, Mapping):
        raise wrong_kind(where, "config", config, "a dictionary")
    for key in ("layers", *more):
        if key not in config:
            raise ValueError(f"[{where}] config lacks {key}; expected get_config()")
    return [from_config(one) for one in items(config["layers"], "layers", where, "a list")]


def tensors_of(given: Any, what: str) -> tuple[list[Tensor], list[str] | None]:
    """Return tensors and, where they come in a dictionary, their names: sorted, as in Keras."""
    keys = None
    if isinstance(given, Mapping):
        given = {str(key): given[key] for key in sorted(given, key=str)}
        keys, given = list(given), list(given.values())
    each = list(given) if isinstance(given, list | tuple) else [given]
    for tensor in each:
        if not isinstance(tensor, Tensor):
            expected = "a tensor (an Input, or what a layer returned for one), or a list of tensors"
            raise wrong_kind("Model", what, tensor, expected)
    if not each:
        raise ValueError(f"[Model] {what} is empty; expected at least one tensor")
    return each, keys

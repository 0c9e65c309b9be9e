"""Graphs in Keras's files: the calls of layers and operations, and what each takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import described
from lstmfast.layers import Attention, Embedding, Input, InputLayer, Layer, Masking
from lstmfast.layers._attention import AttentionLayer
from lstmfast.layers._operations import Operation
from lstmfast.layers._recurrent import Recurrent
from lstmfast.layers._symbolic import Tensor
from lstmfast.layers._tracing import filled, taken_out
from lstmfast.models import keras_operations
from lstmfast.models.keras_training import entry, function
from lstmfast.models.keras_weights import is_own, keras_class

Config = Mapping[str, Any]
_ALIKE = "OnesLike", "ZerosLike"  # operations whose values are those of no tensor
# arguments that hold masks; what computes those of Embedding, Masking and merges is in the graph
_MASKS = ("mask", "query_mask", "value_mask", "key_mask")
_DROPPING = "graph", "flatten", "reshape", "permute", "repeat_vector"  # layers that drop a mask


def read(config: Config, layers: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return inputs and outputs of a graph of a file, as they are nested there.

    layers: by name layers and, of operations, what the file says.
    """
    made: dict[tuple[str, int], list[Tensor]] = {}  # what each call of each layer returned
    nodes: dict[tuple[str, int], Any] = {}
    for (name, layer), each in zip(layers.items(), config["layers"], strict=True):
        if isinstance(layer, InputLayer):
            made[name, 0] = [Input.of(layer)]
        nodes |= {(name, k): node for k, node in enumerate(each["inbound_nodes"])}
    masks = Masks(layers, nodes)

    def at(end: Any) -> tuple[str, int]:
        # a functional model counts the call that made it
        layer = layers.get(end[0])
        counts = isinstance(layer, Layer) and keras_class(layer) == "Functional"
        return end[0], end[1] - (counts and end[1] > 0)

    def ends(given: Any, leaf: Any) -> Any:
        if isinstance(given, Mapping):
            return {name: ends(each, leaf) for name, each in given.items()}
        return leaf(given) if isinstance(given[0], str) else [ends(each, leaf) for each in given]

    waiting: list[tuple[tuple[str, int], bool]] = []
    ends(config["output_layers"], lambda end: waiting.append((at(end), False)))
    waiting.reverse()
    met = set(made)
    while waiting:  # what a call takes comes before it; only masks take some operations
        call, is_ready = waiting.pop()
        if is_ready:
            made[call] = _called(layers[call[0]], nodes[call], made, masks)
        elif call not in met:
            met.add(call)
            if call not in nodes:
                raise ValueError(f"{call[0]} returns nothing in call {call[1]}")
            waiting.append((call, True))
            given = _taken(nodes[call]) + _histories(list(masks.explicit(nodes[call]).values()))
            waiting += [(each, False) for each in reversed(given)]

    starts, outputs = (
        ends(config[key], lambda end: made[at(end)][end[2]])
        for key in ("input_layers", "output_layers")
    )
    return starts, outputs


class Masks:
    """Which masks in calls are the user's own, in a graph of a file.

    Keras also writes down those that come with tensors. They are made from what an Embedding or a
    Masking takes, and what they come with was made by a layer.
    """

    def __init__(self, layers: Mapping[str, Any], nodes: Mapping[tuple[str, int], Any]) -> None:
        self.layers, self.nodes = layers, nodes
        self.masked = {
            at
            for call, node in nodes.items()
            if isinstance(layers[call[0]], Masking)
            or (isinstance(layers[call[0]], Embedding) and layers[call[0]].mask_zero)
            for at in _taken(node)
        }

    def explicit(self, node: Any) -> dict[str, Any]:
        """Return the masks that the user gave to a call, by the names of arguments."""
        if not isinstance(node, Mapping):
            return {}
        given = {key: node["kwargs"].get(key) for key in _MASKS if node["kwargs"].get(key)}
        drops = any(
            not isinstance(self.layers[at[0]], Layer) or self.layers[at[0]].kind in _DROPPING
            for at in _histories(node["args"])
        )
        return {key: mask for key, mask in given.items() if drops or not self._comes(mask)}

    def _comes(self, mask: Any) -> bool:
        """Tell whether a mask is made from what an Embedding or a Masking takes, by operations."""
        waiting, met = _histories(mask), set()
        while waiting:
            call = waiting.pop()
            if call in met or call in self.masked:
                continue
            met.add(call)
            maker = self.layers[call[0]]
            if isinstance(maker, Layer):
                return False
            if maker["class_name"] not in _ALIKE:
                waiting += _taken(self.nodes[call])
        return True


def _called(layer: Any, node: Any, made: Mapping[Any, list[Tensor]], masks: Masks) -> list[Tensor]:
    """Call a layer, or an operation, as a node says."""

    def value(given: Any) -> Any:
        if isinstance(given, list | tuple):
            return [value(each) for each in given]
        if not isinstance(given, Mapping):
            return given
        config: Any = given.get("config")
        match given.get("class_name"):
            case "__keras_tensor__":
                layer, call, index = config["keras_history"]
                return made[layer, call][index]
            case "__numpy__" | "__tensor__":
                return np.asarray(config["value"], config["dtype"])
            case "__slice__":
                return slice(config["start"], config["stop"], config["step"])
            case "__ellipsis__":
                return ...
        return {key: value(each) for key, each in given.items()}

    if isinstance(node, Mapping):
        arguments = [value(each) for each in node.get("args", ())]
        given = {key: each for key, each in node.get("kwargs", {}).items() if key not in _MASKS}
        given |= masks.explicit(node)
        options = {key: value(each) for key, each in given.items() if each is not None}
    else:  # of Keras 2: [[layer, call, index, keywords], ...]
        tensors = [made[at[0], at[1]][at[2]] for at in node]
        takes_list = layer.takes_list or len(tensors) == 1
        arguments = [tensors if layer.takes_list and len(tensors) > 1 else tensors[0]]
        options = {} if takes_list else {"initial_state": tensors[1:]}
        options |= {"training": node[0][3].get("training")} if node[0][3:] else {}
    if not isinstance(layer, Layer):
        options.pop("training", None)
    call = layer if isinstance(layer, Layer) else keras_operations.function_of(layer)
    found: list[Tensor] = []
    taken_out(call(*arguments, **options), found, lambda one: isinstance(one, Tensor))
    return found


def _taken(node: Any) -> list[tuple[str, int]]:
    """Return the calls of layers whose values a node takes, but for masks."""
    if not isinstance(node, Mapping):
        return [(at[0], at[1]) for at in node]
    kwargs = {key: each for key, each in node.get("kwargs", {}).items() if key not in _MASKS}
    return _histories([node.get("args", []), kwargs])


def _histories(given: Any) -> list[tuple[str, int]]:
    """Return the calls of layers whose tensors there are in arguments."""
    if isinstance(given, Mapping):
        if given.get("class_name") == "__keras_tensor__":
            name, call, _ = given["config"]["keras_history"]
            return [(name, call)]
        given = list(given.values())
    return [at for each in given for at in _histories(each)] if isinstance(given, list) else []


class Written:
    """A graph of the core on its way to Keras's description of it."""

    def __init__(
        self, starts: Sequence[Any], order: Sequence[Any], structure: Mapping[str, Any], dtype: str
    ) -> None:
        self.structure, self.order, self.dtype = structure, order, dtype
        self.shapes = [(start.batch_size, *start.sample) for start in starts]
        # of each node the name and call of what returns its value in the file; or a constant
        self.made: list[Any] = [(start.name, 0) for start in starts]
        self.nodes: dict[str, list[Any]] = {layer.name: [] for layer in [*starts, *order]}
        self.more: dict[str, list[dict[str, Any]]] = {}  # operations by our layers
        used = [*structure["outputs"], *(at for _, given, _ in structure["nodes"] for at in given)]
        scored = {node for node, port in used if port == 1}
        for at, given, training in structure["nodes"]:
            self._add(order[at], given, training, len(self.made) in scored)

    def _add(
        self, layer: Any, given: Sequence[tuple[int, int]], training: bool | None, scores: bool
    ) -> None:
        values = [self.made[node] if port == 0 else None for node, port in given]
        values = [each if isinstance(each, np.ndarray) else None for each in values]
        found = keras_operations.constant(layer, values, self.dtype)
        if found is not None:
            return self.made.append(found)
        tensors = [self.tensor(*place) for place in given]
        if not isinstance(layer, Operation):
            if any(each is not None for each in values):
                raise lacks(f"an array that layer {layer.name!r} takes")
            args, kwargs = _arguments(layer, tensors, scores)
            more = {} if training is None else {"training": training}
            return self._call(layer.name, args, kwargs | more)
        steps = keras_operations.written(layer, tensors, self.dtype)
        if steps is None:
            raise lacks(f"layer {layer.name!r}, the operation {layer.kind},")
        last: list[Any] = []
        for number, (module, kind, config, args) in enumerate(steps):
            name = f"{layer.name}_as_numbers" if number else str(layer.name)
            made = entry(module, kind, {"name": name, **config}, kind) | {"name": name}
            self.more.setdefault(str(layer.name), []).append(made)
            self._call(name, [*last, *args], {})
            last = [self.tensor(len(self.made) - 1, 0)]
        del self.made[-len(steps) : -1]
        return None

    def _call(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        calls = self.nodes.setdefault(name, [])
        self.made.append((name, len(calls)))
        calls.append({"args": args, "kwargs": kwargs})

    def tensor(self, node: int, port: int) -> dict[str, Any]:
        """Return the description of a value among arguments."""
        made = self.made[node]
        if isinstance(made, np.ndarray):
            return described(made)
        shape = self.shapes[node] if node < len(self.shapes) else [None]
        config = {"shape": list(shape), "dtype": self.dtype, "keras_history": [*made, port]}
        return {"class_name": "__keras_tensor__", "config": config}

    def described(
        self,
        start: Mapping[str, Any],
        layers: Sequence[Any],
        keys: Sequence[Any],
        describe: Callable[[Any, str], dict[str, Any]],
    ) -> dict[str, Any]:
        """Return the description of a model with these layers, each of which `describe` does."""
        inside = []
        for layer in dict.fromkeys(layers):
            operates = isinstance(layer, Operation)  # nodes, or a constant among arguments
            inside += self.more.get(layer.name, []) if operates else [describe(layer, self.dtype)]
        for each in inside:
            each["inbound_nodes"] = self.nodes[each["name"]]
        # a functional model counts the call that made it
        counted = {each["name"] for each in inside if each["class_name"] == "Functional"}

        def ends(places: Any, names: list[str] | None) -> Any:
            each = []
            for node, port in places:
                if isinstance(self.made[node], np.ndarray):
                    raise lacks("an output that is an array")
                name, call = self.made[node]
                each.append([name, call + (name in counted), port])
            if names is not None:
                return dict(zip(names, each, strict=True))
            return each[0] if len(each) == 1 else each

        config = {
            **start,
            "layers": inside,
            "input_layers": ends([[k, 0] for k in range(len(self.shapes))], keys[0]),
            "output_layers": ends(self.structure["outputs"], keys[1]),
        }
        return entry("keras.src.models.functional", "Functional", config)


def _arguments(layer: Any, tensors: list[Any], scores: bool) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call of a layer; scores: it returns those of attention too."""
    if is_own(layer) and not hasattr(layer, "fit"):
        args, kwargs = filled(layer._pattern, tensors)
        return plain(args), plain(kwargs)
    if isinstance(layer, AttentionLayer):
        kwargs = {
            "use_causal_mask": layer.use_causal_mask,
            "return_attention_scores": scores,
            **({"attention_mask": tensors[3]} if tensors[3:] else {}),
        }
        tensors = tensors[:3]
        return [tensors] if isinstance(layer, Attention) else tensors, kwargs
    if isinstance(layer, Recurrent):
        return tensors[:1], {"initial_state": tensors[1:]} if tensors[1:] else {}
    takes_list = layer.takes_list and (tensors[1:] or not hasattr(layer, "fit"))
    return [tensors] if takes_list else tensors, {}


def lacks(what: str, where: str = "Keras's files", instead: str = ".safetensors") -> ValueError:
    """Return the error for what Keras's files cannot hold."""
    return ValueError(
        f"[save] {what} cannot stand in {where}; expected a name that ends in {instead}"
    )


def plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    if callable(value):
        return function(value)
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value

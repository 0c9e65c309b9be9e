"""Models to Keras's files: ``.keras`` and ``.h5``."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._options import defaults
from lstmfast.layers import Attention, DecoderInput, InputLayer, Layer, MixtureDensity
from lstmfast.layers._attention import AttentionLayer
from lstmfast.layers._operations import Operation
from lstmfast.layers._own import OwnLayer
from lstmfast.layers._recurrent import Recurrent
from lstmfast.models import keras_training, keras_weights
from lstmfast.models.keras_training import entry

# options of recurrent layers that Keras's have not
_OURS = {
    "bptt_steps", "cell_clip", "coupled", "forget_bias", "forget_gate", "input_gate", "layer_norm",
    "learn_initial_state", "output_activation", "output_gate", "peephole", "preact_clip",
    "proj_clip", "proj_size",
    "recompute_every", "recurrent_dropout_kind", "return_cell_states", "weight_drop", "zoneout_c",
    "zoneout_h",
}  # fmt: skip
_MODULES = ("initializer", "regularizer", "constraint")  # keras.initializers, ..., by the last word


def content(model: Any, path: str, include_optimizer: bool) -> bytes:
    """Return a file with a model; the format follows from the end of its name."""
    described = _model(model)
    training = _plain(keras_training.settings(model, path)) if include_optimizer else None
    arrays = keras_training.state(model) if include_optimizer else None
    if not path.lower().endswith(".keras"):
        file = io.BytesIO()
        with keras_weights.h5py("save").File(file, "w") as h5:
            h5.attrs["backend"], h5.attrs["keras_version"] = "lstmfast", keras_weights.VERSION
            h5.attrs["model_config"] = json.dumps(described)
            if training is not None:
                training["optimizer_config"] = training.pop("optimizer")
                h5.attrs["training_config"] = json.dumps(training)
            keras_weights.write_by_name(h5.create_group("model_weights"), model)
            if arrays is not None:
                group = h5.create_group("optimizer_weights")
                names = [f"{model.optimizer.name}/{k}" for k in range(len(arrays))]
                group.attrs["weight_names"] = np.array(names, "S")
                for name, array in zip(names, arrays, strict=True):
                    group.create_dataset(name, data=array)
        return file.getvalue()
    about = {
        "keras_version": keras_weights.VERSION,
        "date_saved": dt.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as parts:
        parts.writestr("metadata.json", json.dumps(about))
        if training is not None:
            described["compile_config"] = training
        parts.writestr("config.json", json.dumps(described))
        parts.writestr("model.weights.h5", _weights(model, "save", arrays))
    return archive.getvalue()


def weights(model: Any, path: str) -> bytes:
    """Return a file with the weights alone."""
    if not path.lower().endswith(".weights.h5"):
        raise ValueError(
            f"[save_weights] filepath is {path!r}; expected a name that ends in .weights.h5 or "
            ".safetensors"
        )
    return _weights(model, "save_weights")


def _weights(model: Any, where: str, of_optimizer: Sequence[Any] | None = None) -> bytes:
    file = io.BytesIO()
    with keras_weights.h5py(where).File(file, "w") as h5:
        keras_weights.write(h5, model, of_optimizer)
    return file.getvalue()


def _model(model: Any) -> dict[str, Any]:
    """Return Keras's description of a model."""
    kind = keras_weights.keras_class(model)
    if model.kind in ("own_model", "encoder_decoder"):
        raise _lacks(f"model {model.name!r}, of the class {type(model).__name__},")
    start = {"name": model.name, "trainable": model.trainable}
    if kind == "Sequential":
        starts = (
            [InputLayer((1,), dtype="string", name="texts")]
            if model._text
            else [tensor.node.layer for tensor in model.inputs]
        )
        first = [_layer(start, model.dtype) for start in starts]
        inside = [_layer(layer, model.dtype) for layer in model.layers]
        return entry("keras", kind, start | {"layers": first + inside})
    graph = model.get_config()
    inside = [_layer(layer, model.dtype) for layer in model.layers]
    made = [[name, 0] for name in graph["input_layers"]]  # the layer and call of each node
    nodes: dict[str, list[Any]] = {layer.name: [] for layer in model.layers}
    shapes = [tensor.shape for tensor in model.inputs]

    def tensor(node: int, port: int) -> dict[str, Any]:
        history = [*made[node], port]
        of_it: dict[str, Any] = {"shape": [None], "dtype": model.dtype, "keras_history": history}
        if node < len(shapes):
            of_it["shape"] = list(shapes[node])
        return {"class_name": "__keras_tensor__", "config": of_it}

    layers = {layer.name: layer for layer in model.layers}
    used = [*graph["outputs"], *(place for _, given in graph["nodes"] for place in given)]
    scored = {node for node, port in used if port == 1}
    for name, given in graph["nodes"]:
        tensors = [tensor(*place) for place in given]
        kwargs: dict[str, Any] = {}
        if len(tensors) > 1 and isinstance(layers[name], Recurrent):
            kwargs = {"initial_state": tensors[1:]}
            tensors = tensors[:1]
        takes_list = layers[name].takes_list and not (
            hasattr(layers[name], "fit") and not tensors[1:]
        )
        if isinstance(layers[name], AttentionLayer):
            kwargs = {"use_causal_mask": layers[name].use_causal_mask}
            kwargs |= {"return_attention_scores": len(made) in scored}
            takes_list = isinstance(layers[name], Attention)
            if tensors[3:]:
                kwargs["attention_mask"] = tensors.pop()
        made.append([name, len(nodes[name])])
        nodes[name].append({"args": [tensors] if takes_list else tensors, "kwargs": kwargs})
    for each in inside:
        each["inbound_nodes"] = nodes[each["name"]]

    def ends(places: Any, keys: list[str] | None) -> Any:
        each = []
        for node, port in places:
            name, call = made[node]
            # a functional model counts the call that made it
            own = keras_weights.keras_class(layers[name]) == "Functional"
            each.append([name, call + own, port])
        if keys is not None:
            return dict(zip(keys, each, strict=True))
        return each[0] if len(each) == 1 else each

    config = start | {
        "layers": inside,
        "input_layers": ends([[k, 0] for k in range(len(shapes))], model._input_keys),
        "output_layers": ends(graph["outputs"], model._output_keys),
    }
    return entry("keras.src.models.functional", kind, config)


def _layer(layer: Layer, dtype: str) -> dict[str, Any]:
    """Return Keras's description of a layer."""
    if hasattr(layer, "fit"):
        found = _model(layer)
    elif isinstance(layer, InputLayer):
        config = layer.get_config()
        config["dtype"] = config["dtype"] or dtype
        found = entry("keras.layers", "InputLayer", config)
    elif isinstance(layer, Operation):
        function = layer.options().get("function", layer.kind)
        raise _lacks(f"layer {layer.name!r}, the operation {function},")
    elif isinstance(layer, DecoderInput | MixtureDensity | OwnLayer):
        raise _lacks(f"layer {layer.name!r}, of the class {type(layer).__name__},")
    else:
        found = entry("keras.layers", type(layer).__name__, _settings(layer, dtype))
    return found | {"name": layer.name}


def _lacks(what: str) -> ValueError:
    return ValueError(
        f"[save] {what} cannot stand in Keras's files; expected a name that ends in .safetensors"
    )


def _settings(layer: Layer, dtype: str) -> dict[str, Any]:
    config = layer.get_config() | {"trainable": layer.trainable, "dtype": dtype}
    config.pop("use_causal_mask", None)  # an argument of calls
    if type(layer).__name__.startswith("SpatialDropout"):  # Keras's take no other arguments
        taken = ("rate", "data_format", "seed", "name", "dtype")
        config = {name: config[name] for name in taken if name in config}
    ours = _OURS & set(config)
    normal = {"return_cell_states": False, **(defaults("layer", layer.kind) if ours else {})}
    normal["output_activation"] = config.get("activation")
    for name in ours:
        if config.pop(name) != normal.get(name):
            raise ValueError(
                f"[save] layer {layer.name!r} has {name}={getattr(layer, name)!r}, which Keras "
                "lacks; expected its default, or a name that ends in .safetensors"
            )
    for name, inside in layer.layers_inside().items():
        config[layer.arguments_inside.get(name, name)] = _layer(inside, dtype)
    for name, value in config.items():
        word = name.rpartition("_")[2]
        if isinstance(value, Mapping) and word in _MODULES:
            kept = {key: each for key, each in value["config"].items() if each is not None}
            config[name] = entry(f"keras.{word}s", value["class_name"], _plain(kept))
    return {name: _plain(value) for name, value in config.items()}


def function_named(value: Any) -> dict[str, Any]:
    """Return how files name a function of the user's own."""
    made = entry("builtins", "function", getattr(value, "__name__", type(value).__name__))
    return made | {"registered_name": "function"}


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    if callable(value):
        return function_named(value)
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value

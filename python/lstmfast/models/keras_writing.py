"""Models to Keras's files: ``.keras`` and ``.h5``."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._core import Model as CoreModel
from lstmfast._options import defaults
from lstmfast.layers import DecoderInput, InputLayer, Lambda, Layer, MixtureDensity
from lstmfast.layers._calls import without_place
from lstmfast.layers._cells import OF_SEQUENCES
from lstmfast.layers._operations import Operation
from lstmfast.layers._own import OwnLayer
from lstmfast.layers._tracing import filled
from lstmfast.models import custom, keras_graph, keras_training, keras_weights
from lstmfast.models.keras_graph import lacks, plain
from lstmfast.models.keras_training import entry
from lstmfast.models.keras_weights import is_nameless, is_own

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
    if is_own(model) and not path.lower().endswith(".keras"):
        what = f"model {model.name!r}, of the class {type(model).__name__},"
        raise lacks(what, "files .h5", ".keras")
    config = described(model)
    training = plain(keras_training.settings(model, path)) if include_optimizer else None
    arrays = keras_training.state(model) if include_optimizer else None
    about = custom.metadata_text(model)

    def write(h5: Any) -> None:
        h5.attrs["backend"], h5.attrs["keras_version"] = "lstmfast", keras_weights.VERSION
        h5.attrs["model_config"] = json.dumps(config)
        if about:
            h5["metadata"] = about
        if training is not None:
            training["optimizer_config"] = training.pop("optimizer")
            h5.attrs["training_config"] = json.dumps(training)
        keras_weights.write_by_name(h5.create_group("model_weights"), model)
        if arrays is not None:
            group = h5.create_group("optimizer_weights")
            names = [f"{model.optimizer.name}/{k}" for k in range(len(arrays))]
            group.attrs["weight_names"] = np.array(names, "S")
            keras_weights.put(group, names, arrays)

    def write_weights(h5: Any) -> None:
        keras_weights.write(h5, model, whole=True)
        if arrays is not None:
            keras_weights.put(h5.create_group("optimizer/vars"), range(len(arrays)), arrays)

    if not path.lower().endswith(".keras"):
        return _hdf5("save", write)
    if training is not None:
        config["compile_config"] = training
    today = dt.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    facts = {"keras_version": keras_weights.VERSION, "date_saved": today}
    if about:
        facts["metadata"] = about
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as parts:
        parts.writestr("metadata.json", json.dumps(facts))
        parts.writestr("config.json", json.dumps(config))
        parts.writestr("model.weights.h5", _hdf5("save", write_weights))
    return archive.getvalue()


def weights(model: Any, path: str) -> bytes:
    """Return a file with the weights alone."""
    if not path.lower().endswith(".weights.h5"):
        raise ValueError(
            f"[save_weights] filepath is {path!r}; expected a name that ends in .weights.h5 or "
            ".safetensors"
        )
    return _hdf5("save_weights", lambda h5: keras_weights.write(h5, model))


def _hdf5(where: str, write: Callable[[Any], None]) -> bytes:
    file = io.BytesIO()
    with keras_weights.h5py(where).File(file, "w") as h5:
        write(h5)
    return file.getvalue()


def described(model: Any) -> dict[str, Any]:
    """Return Keras's description of a model."""
    start = {"name": model.name, "trainable": model.trainable}
    if hasattr(model, "add"):
        starts = (
            [InputLayer((1,), dtype="string", name=f"{model._text.name}_input")]
            if model._text
            else [tensor.node.layer for tensor in model.inputs]
        )
        inside = [_layer(layer, model.dtype) for layer in [*starts, *model.layers]]
        return entry("keras", "Sequential", start | {"layers": inside})
    if model._decodes:
        raise lacks(f"model {model.name!r}, of the class {type(model).__name__},")
    if is_own(model):
        shapes = filled(model._pattern, [tensor.shape for tensor in model.inputs])
        return _of_user(model, model.get_config(), shapes)
    starts, order = model._graph.starts, model._order or model._graph.computing
    graph = keras_graph.Written(starts, order, model._core_model.structure, model.dtype)
    keys = model._input_keys, model._output_keys
    return graph.described(start, [*model.layers, *starts], keys, _layer)


def _layer(layer: Any, dtype: str) -> dict[str, Any]:
    """Return Keras's description of a layer."""
    if layer._is_rnn and hasattr(layer, "fit"):
        found = _of_cells(layer, [_layer(each, dtype) for each in layer.layers])
    elif hasattr(layer, "fit"):
        found = described(layer)
    elif isinstance(layer, InputLayer):
        config = layer.get_config()
        config["dtype"] = config["dtype"] or dtype
        found = entry("keras.layers", "InputLayer", config)
    elif isinstance(layer, DecoderInput | MixtureDensity | Operation):
        raise lacks(f"layer {layer.name!r}, of the class {type(layer).__name__},")
    elif is_nameless(layer):
        found = _functional(layer)
    elif isinstance(layer, Lambda):
        config = layer.get_config()
        config["function"] = keras_training.function(layer.function)
        found = entry("keras.layers", "Lambda", config | {"dtype": dtype})
    elif isinstance(layer, OwnLayer):
        shapes = [(None, *shape) for shape in layer._shapes]
        args, _ = filled(layer._pattern, shapes)
        found = _of_user(layer, layer.get_config() | {"dtype": dtype}, args[0] if args else None)
    else:
        found = entry("keras.layers", type(layer).__name__, _settings(layer, dtype))
        found = _of_cells(layer, [found]) if layer._is_rnn else found
    return found | {"name": layer.name}


def _functional(layer: Any) -> dict[str, Any]:
    """Return the graph of a layer of a user's own as a functional model."""
    structure = CoreModel(layer._core).structure
    starts = [InputLayer(shape, name=name) for name, shape in structure["inputs"]]
    try:
        graph = keras_graph.Written(starts, layer._inside, structure, layer.dtype)
    except ValueError as error:
        raise ValueError(f"[save] in layer {layer.name!r}: {without_place(error)}") from None
    start = {"name": layer.name, "trainable": layer.trainable}
    return graph.described(start, [*starts, *layer._inside], (None, None), _layer)


def _of_user(thing: Any, config: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    """Return how Keras describes what is of a user's class; shape: of the first argument."""
    cls = type(thing)
    kept = keras_training.taken(cls, {"trainable": thing.trainable, **config})
    found = keras_training.of_object(thing, "", plain(kept))
    try:
        json.dumps(found)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"[save] {thing.name!r}, of the class {cls.__name__}: get_config returns what JSON "
            f"cannot hold: {error}"
        ) from None
    return found | ({} if shape is None else {"build_config": {"input_shape": plain(shape)}})


def _of_cells(made: Any, layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the description of what `RNN` made: layers, of which Keras has the cells."""
    cells = [
        entry("keras.layers", f"{each['class_name']}Cell",
              {k: v for k, v in each["config"].items() if k not in OF_SEQUENCES})
        for each in layers
    ]  # fmt: skip
    cell = cells[0]
    if hasattr(made, "fit"):
        cell = entry("keras.layers", "StackedRNNCells", {"cells": cells})
    shared = [*OF_SEQUENCES, "trainable", "dtype"]
    config = {name: layers[-1]["config"][name] for name in shared if name in layers[-1]["config"]}
    return entry("keras.layers", "RNN", {"name": made.name, **config, "cell": cell})


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
                f"[save] layer {layer.name!r} has {name}={getattr(layer, name)!r}; Keras has no "
                f"{name}; expected a name that ends in .safetensors"
            )
    for name, inside in layer.layers_inside().items():
        config[layer.arguments_inside.get(name, name)] = _layer(inside, dtype)
    for name, value in config.items():
        word = name.rpartition("_")[2]
        if isinstance(value, Mapping) and word in _MODULES:
            kept = {key: each for key, each in value["config"].items() if each is not None}
            config[name] = entry(f"keras.{word}s", value["class_name"], plain(kept))
    return {name: plain(value) for name, value in config.items()}

"""Models from Keras's files: ``.keras``, and ``.h5`` of Keras 2 and 3. Runs no code of a file."""

from __future__ import annotations

import inspect
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._names import made_from
from lstmfast.layers import Input, InputLayer, Layer, TextVectorization
from lstmfast.layers._symbolic import Tensor
from lstmfast.layers.base import LAYERS
from lstmfast.models import keras_training, keras_weights
from lstmfast.models._model import Model
from lstmfast.models._sequential import Sequential

Config = Mapping[str, Any]
# settings that say how Keras computes, not what, and those of older versions at their only value
_IGNORED = {
    "batch_input_shape", "build_config", "dtype", "fn", "implementation", "input_length",
    "is_legacy_optimizer", "jit_compile", "optional", "ragged", "sparse", "time_major",
}  # fmt: skip
# what computes masks of Embedding, Masking and merges in a graph of Keras
_MASKS = ("mask", "query_mask", "value_mask", "key_mask")  # arguments of calls
_MASK_OPERATIONS = {"Any", "LogicalAnd", "LogicalOr", "NotEqual"}


def load(path: str, custom_objects: Mapping[str, Any], compiles: bool) -> Model:
    """Return the model that a file of Keras holds."""
    state: list[Any] | None = None
    in_turn = True
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as part:
            config = json.loads(archive.read("config.json"))
            reader = Reader(custom_objects)
            model = reader.model(config)
            with keras_weights.h5py("load_model").File(part, "r") as file:
                if isinstance(model._text, TextVectorization) and not model._text.built:
                    _read_vocabulary(model._text, archive, file)
                if not model.built and isinstance(model, Sequential):
                    model.build()
                model.set_weights(keras_weights.read(file, model, reader.orders))
                group = file.get("optimizer/vars", {})
                state = [np.asarray(group[str(k)]) for k in range(len(group))]
            training = config.get("compile_config")
    else:
        with keras_weights.h5py("load_model").File(path, "r") as file:
            if "model_config" not in file.attrs:
                raise ValueError("it holds no model, perhaps weights alone, for load_weights")
            reader = Reader(custom_objects)
            model = reader.model(json.loads(file.attrs["model_config"]))
            weights = file["model_weights"]
            model.set_weights(keras_weights.read_by_name(weights, model, reader.orders))
            training = json.loads(file.attrs.get("training_config", "null"))
            if "optimizer_weights" in file:
                group = file["optimizer_weights"]
                names = keras_weights.attribute(group, "weight_names")
                state = [np.asarray(group[name]) for name in names]
                in_turn = not names or not names[0].endswith("/iter:0")
    if compiles and training:
        keras_training.compile_as(model, training, reader)
        if state:
            keras_training.take_state(model, state, path, reader.orders, in_turn)
    return model


def _read_vocabulary(text: TextVectorization, archive: zipfile.ZipFile, weights: Any) -> None:
    """Give a layer the vocabulary that `adapt` made."""
    at = "layers/text_vectorization"
    tokens = archive.read(f"assets/{at}/vocabulary.txt").decode().splitlines()
    idf = weights[f"{at}/vars"]["idf_weights"] if text.output_mode == "tf_idf" else None
    text.set_vocabulary(tokens, idf if idf is None else np.asarray(idf)[: len(tokens)])


class Reader:
    """What makes layers and models of Keras's configurations."""

    def __init__(self, custom_objects: Mapping[str, Any]) -> None:
        self.custom_objects = custom_objects
        self.orders: dict[
            Any, Sequence[Layer]
        ] = {}  # the layers of each model, as the file has them

    def model(self, entry: Config) -> Model:
        """Return a model without weights."""
        config = entry["config"]
        if entry["class_name"] == "Sequential":
            if isinstance(config, list):  # of Keras 2.1 and before
                config = {"layers": config}
            return self._row(config, entry.get("build_config") or {})
        if entry["class_name"] in ("Functional", "Model") and "input_layers" in config:
            return self._graph(config)
        raise ValueError(
            f"the model is of class {entry['class_name']}; expected Sequential or Functional"
        )

    def _row(self, config: Config, build: Config) -> Sequential:
        model = Sequential(name=config.get("name"))
        layers = [self.layer(each) for each in config["layers"]]
        for layer in layers:
            model.add(Input.of(layer) if isinstance(layer, InputLayer) else layer)
        shape = config.get("build_input_shape") or build.get("input_shape")
        if not model.built and shape is not None:
            model.build(shape)
        self.orders[model] = [each for each in layers if not isinstance(each, InputLayer)]
        return model

    def _graph(self, config: Config) -> Model:
        # the tensors that each call of each layer returned
        made: dict[tuple[str, int], list[Tensor]] = {}
        layers: dict[str, Any] = {}
        calls: list[tuple[str, int, Any]] = []
        masks: set[str] = set()  # operations that make masks, which travel by themselves here
        for entry in config["layers"]:
            name = entry.get("name") or entry["config"]["name"]
            operation = str(entry.get("module", "")).startswith("keras.src.ops")
            if operation or entry["class_name"] in _MASK_OPERATIONS:
                masks.add(name)
                continue
            layers[name] = layer = self.layer(entry)
            if isinstance(layer, InputLayer):
                made[name, 0] = [Input.of(layer)]
            calls += [(name, k, node) for k, node in enumerate(entry["inbound_nodes"])]
        while calls:
            left = [call for call in calls if not self._called(layers, made, masks, *call)]
            if len(left) == len(calls):
                raise ValueError(
                    f"{left[0][0]} takes what no layer returns, or what an operation outside of "
                    f"layers returns: {', '.join(sorted(masks)) or 'none'}"
                )
            calls = left

        def ends(key: str) -> Any:
            def tensor(at: Any) -> Any:
                if isinstance(at, Mapping):
                    return {name: tensor(each) for name, each in at.items()}
                if isinstance(at[0], str):
                    # a functional model counts the call that made it
                    own = type(layers[at[0]]) is Model and at[1] > 0
                    return made[at[0], at[1] - own][at[2]]
                return [tensor(each) for each in at]

            return tensor(config[key])

        model = Model(ends("input_layers"), ends("output_layers"), config.get("name"))
        self.orders[model] = list(layers.values())
        return model

    def _called(
        self,
        layers: Mapping[str, Layer],
        made: dict[tuple[str, int], list[Tensor]],
        masks: set[str],
        name: str,
        number: int,
        node: Any,
    ) -> bool:
        """Call a layer as a node says; return whether that was possible yet."""

        def value(given: Any) -> Any:
            if isinstance(given, Mapping) and given.get("class_name") == "__keras_tensor__":
                layer, call, index = given["config"]["keras_history"]
                return made[layer, call][index]
            if isinstance(given, list | tuple):
                return [value(each) for each in given]
            return given

        try:
            if isinstance(node, Mapping):
                arguments = [value(each) for each in node.get("args", ())]
                options = dict(node.get("kwargs", {}))
                of_mask = set().union(*(_histories(options.pop(key, None)) for key in _MASKS))
                if not of_mask <= masks:
                    raise ValueError(f"{name} is called with a mask; expected none")
                options = {key: value(each) for key, each in options.items() if each is not None}
            else:  # of Keras 2: [[layer, call, index, keywords], ...]
                tensors = [made[at[0], at[1]][at[2]] for at in node]
                takes_list = layers[name].takes_list or len(tensors) == 1
                arguments = [
                    tensors if layers[name].takes_list and len(tensors) > 1 else tensors[0]
                ]
                options = {} if takes_list else {"initial_state": tensors[1:]}
        except KeyError:
            return False
        options.pop("training", None)
        found = layers[name](*arguments, **options)
        if isinstance(found, Mapping):
            found = list(found.values())
        made[name, number] = list(found) if isinstance(found, list | tuple) else [found]
        return True

    def layer(self, entry: Config) -> Any:
        """Return a layer without weights."""
        name, config = entry["class_name"], entry["config"]
        if name in ("Sequential", "Functional", "Model"):
            return self.model(entry)
        of_user = self.custom_objects.get(entry.get("registered_name") or name)
        cls = InputLayer if name == "InputLayer" else of_user or LAYERS.find(name)
        if cls is None:
            raise ValueError(
                f"layer {config.get('name')!r} is of the class {name}, which is not here"
            )
        try:
            settings = self._settings(cls, config, lambda _: None)
            if "batch_input_shape" in config and name == "InputLayer":
                settings["batch_shape"] = config["batch_input_shape"]
            kind = config.get("dtype")
            kind = kind["config"]["name"] if isinstance(kind, Mapping) else kind
            if kind not in (None, "float32"):
                settings["dtype"] = kind
            return cls(**settings)
        except (TypeError, ValueError) as error:
            raise ValueError(f"layer {config.get('name')!r} ({name}): {error}") from None

    def _settings(
        self, cls: type, config: Config, find: Callable[[str], type | None]
    ) -> dict[str, Any]:
        """Return what of a configuration the constructor of a class takes."""
        own = inspect.signature(cls).parameters
        known = set(getattr(cls, "unavailable", {}))
        for each in cls.__mro__[:-1]:
            known |= set(inspect.signature(each).parameters)
        return {
            name: self.value(value, find)
            for name, value in config.items()
            if value is not None
            and (name not in _IGNORED or (value is True and name in own))
            and (name, value) != ("reduction", "auto")  # of Keras 2
            and (name in known or value is not False)
        }

    def value(self, given: Any, find: Callable[[str], type | None]) -> Any:
        """Return a setting; find: what finds the class of an object by its name."""
        if isinstance(given, list | tuple):
            return [self.value(each, find) for each in given]
        if not isinstance(given, Mapping):
            return self.custom_objects.get(given, given) if isinstance(given, str) else given
        if "class_name" not in given:
            return {name: self.value(each, find) for name, each in given.items()}
        name: str = given["class_name"]
        config: Any = given.get("config")
        if name == "function":
            if config not in self.custom_objects:
                find(config)
            return self.value(config, find)
        if name == "MeanMetricWrapper":
            options = {key: each for key, each in config.items() if key not in ("dtype", "fn")}
            function = self.value(config["fn"], find)
            return keras_training.wrapped(options.pop("name"), function, options, find)
        name = name.rpartition(">")[2]  # PACKAGE>NAME where it was registered
        own = self.custom_objects.get(given.get("registered_name") or name)
        own = own or self.custom_objects.get(name)
        if own is not None:
            return made_from(own, self.value(config, find)) if isinstance(own, type) else own
        if LAYERS.find(name):
            return self.layer(given)
        cls = find(name)
        if cls is None:
            kept = {key: each for key, each in (config or {}).items() if each is not None}
            return {"class_name": name, "config": kept}
        return cls(**self._settings(cls, config or {}, find))


def _histories(given: Any) -> set[str]:
    """Return the names of the layers whose tensors there are in an argument."""
    if isinstance(given, Mapping):
        return {given["config"]["keras_history"][0]}
    if isinstance(given, list):
        return set().union(*map(_histories, given))
    return set()

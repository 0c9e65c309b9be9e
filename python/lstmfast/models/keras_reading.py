"""Models from Keras's files: ``.keras``, and ``.h5`` of Keras 2 and 3. Runs no code of a file."""

from __future__ import annotations

import inspect
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast import activations, ops
from lstmfast._names import REGISTERED, made_from
from lstmfast.layers import (
    RNN,
    GRUCell,
    Input,
    InputLayer,
    Lambda,
    Layer,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    TextVectorization,
)
from lstmfast.layers.base import LAYERS
from lstmfast.models import keras_graph, keras_operations, keras_training, keras_weights
from lstmfast.models._model import Model
from lstmfast.models._sequential import Sequential

Config = Mapping[str, Any]
# settings that say how Keras computes, not what, and those of older versions at their only value
_IGNORED = {
    "batch_input_shape", "build_config", "dtype", "fn", "implementation", "input_length",
    "is_legacy_optimizer", "jit_compile", "optional", "ragged", "sparse", "time_major",
}  # fmt: skip
# what is no layer here, or has another name in the registry
_OTHERS: dict[str, Any] = {
    each.__name__: each
    for each in (GRUCell, InputLayer, LSTMCell, RNN, SimpleRNNCell, StackedRNNCells)
} | {"Functional": Model}


def load(path: str, custom_objects: Mapping[str, Any], compiles: bool) -> Model:
    """Return the model that a file of Keras holds."""
    reader = Reader(custom_objects)
    with keras_weights.opened(path, "load_model") as (archive, file):
        if archive is not None:
            config = json.loads(archive.read("config.json"))
            training, group = config.get("compile_config"), file.get("optimizer/vars", {})
            names = list(map(str, range(len(group))))
            about = json.loads(archive.read("metadata.json")).get("metadata")
        elif "model_config" not in file.attrs:
            raise ValueError("it holds no model, perhaps weights alone, for load_weights")
        else:
            config, training = (
                json.loads(file.attrs.get(f"{each}_config", "null"))
                for each in ("model", "training")
            )
            group = file.get("optimizer_weights")
            names = [] if group is None else keras_weights.attribute(group, "weight_names")
            about = file["metadata"].asstr()[()] if "metadata" in file else None
        model = reader.model(config)
        if about:
            model.metadata = json.loads(about)
        text: Any = model._text
        if archive is not None and text is not None and not text.built:
            _read_vocabulary(text, archive, file)
        if not model.built and isinstance(model, Sequential):
            if text is not None and text.sample is None:
                raise ValueError(
                    f"{text.name} has no vocabulary there; only .keras keeps adapted ones"
                )
            model.build()
        model.set_weights(
            keras_weights.read_by_name(file["model_weights"], model, reader.orders)
            if archive is None
            else keras_weights.read(file, model, reader.orders, whole=True)
        )
        if compiles and training:
            keras_training.compile_as(model, training, reader)
            state = [np.asarray(group[name]) for name in names]
            in_turn = not names or not names[0].endswith("/iter:0")
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
        # the layers of each model, as the file has them
        self.orders: dict[Any, Sequence[Layer]] = {}

    def model(self, entry: Config) -> Model:
        """Return a model without weights."""
        name, config = entry["class_name"], entry["config"]
        if name == "Sequential":
            if isinstance(config, list):  # of Keras 2.1 and before
                config = {"layers": config}
            return self._row(config, entry.get("build_config") or {})
        if "input_layers" in config:
            return self._graph(config)
        cls = self.of_user(entry)
        if cls is None:
            raise ValueError(
                f"the model is of class {name}; expected Sequential or Functional, or "
                f"custom_objects={{{name!r}: ...}}"
            )
        model: Any = made_from(cls, keras_training.taken(cls, _with_dtype(config)))
        shape = (entry.get("build_config") or {}).get("input_shape")
        if shape is not None and not model.built:
            model.build(shape)
        return model  # type: ignore[no-any-return]

    def of_user(self, entry: Config) -> Any:
        """Return what a user has under the name of an entry's class or function, or None."""
        name = entry["class_name"]  # PACKAGE>NAME where it was registered
        names = [entry.get("registered_name") or name, name, name.rpartition(">")[2]]
        found = (self.custom_objects.get(name) or REGISTERED.get(name) for name in names)
        return next((each for each in found if each is not None), None)

    def _row(self, config: Config, build: Config) -> Sequential:
        model = Sequential(name=config.get("name"))
        layers = [self.layer(each) for each in config["layers"]]
        for layer in layers:
            model.add(Input.of(layer) if isinstance(layer, InputLayer) else layer)
        shape = config.get("build_input_shape") or build.get("input_shape")
        if not model.built and shape is not None and model._text is None:
            model.build(shape)
        self.orders[model] = [each for each in layers if not isinstance(each, InputLayer)]
        return model

    def _graph(self, config: Config) -> Model:
        layers: dict[str, Any] = {}
        for each in config["layers"]:
            operates = keras_operations.is_operation(each) and self.of_user(each) is None
            name = each.get("name") or each["config"]["name"]
            layers[name] = each if operates else self.layer(each)
        starts, outputs = keras_graph.read(config, layers)
        model = Model(starts, outputs, config.get("name"))
        self.orders[model] = [each for each in layers.values() if isinstance(each, Layer)]
        return model

    def layer(self, entry: Config) -> Any:
        """Return a layer without weights."""
        name, config = entry["class_name"], entry["config"]
        cls = of_user = self.of_user(entry)
        if cls is None and str(entry.get("module") or "keras").startswith("keras"):
            cls = _OTHERS.get(name) or LAYERS.find(name)
        if cls is None:
            raise ValueError(
                f"layer {config.get('name')!r} is of the class {name}, which is not here; classes "
                f"of your own come in custom_objects={{{name!r}: ...}}"
            )
        if isinstance(cls, type) and issubclass(cls, Model):
            return self.model(entry)
        try:
            if cls is of_user:
                return made_from(cls, keras_training.taken(cls, _with_dtype(config)))
            if cls is Lambda:
                config = {**config, "function": self._function(config), "output_shape": None}
            settings = self._settings(cls, config, lambda _: None)
            if "batch_input_shape" in config and name == "InputLayer":
                settings["batch_shape"] = config["batch_input_shape"]
            kind = _with_dtype({"dtype": config.get("dtype")})
            return cls(**keras_training.taken(cls, settings | kind))
        except (TypeError, ValueError) as error:
            raise ValueError(f"layer {config.get('name')!r} ({name}): {error}") from None

    def _function(self, config: Config) -> Any:
        """Return the function of a `Lambda`; one of a user's by its name, or that of the layer."""
        given, name = config["function"], config["name"]
        label = given.get("config") if isinstance(given, Mapping) else given
        known = {each: vars(m)[each] for m in (activations, ops) for each in m.__all__}
        found = (known | REGISTERED | dict(self.custom_objects)).get(str(label))
        found = found or self.custom_objects.get(name)
        if found is None:
            is_named = isinstance(label, str)
            what, key = (f"{label!r}, a function", label) if is_named else ("code", name)
            raise ValueError(
                f"it holds {what} of the user's own, which files do not bring along; expected "
                f"custom_objects={{{key!r}: ...}} with the function"
            )
        return found

    def _settings(
        self, cls: type, config: Config, find: Callable[[str], type | None]
    ) -> dict[str, Any]:
        """Return what of a configuration the constructor of a class takes."""
        own = inspect.signature(cls).parameters
        known = set(own) | set(getattr(cls, "unavailable", {}))
        for each in getattr(cls, "layer", cls).__mro__[:-1]:  # of a cell its layer
            known |= set(inspect.signature(each).parameters)
        return {
            name: value if name == "name" else self.value(value, find)
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
        own = self.of_user(given)
        name = name.rpartition(">")[2]
        of_layers = own or LAYERS.find(name)
        if name in _OTHERS or (isinstance(of_layers, type) and issubclass(of_layers, Layer)):
            return self.layer(given)
        if own is not None:
            return made_from(own, self.value(config, find)) if isinstance(own, type) else own
        cls = find(name)
        if cls is None:
            kept = {key: each for key, each in (config or {}).items() if each is not None}
            return {"class_name": name, "config": kept}
        return cls(**self._settings(cls, config or {}, find))


def _with_dtype(config: Config) -> dict[str, Any]:
    """Return a configuration with the dtype as text, or without where it is the usual one."""
    found = dict(config)
    kind = found.pop("dtype", None)
    kind = kind["config"]["name"] if isinstance(kind, Mapping) else kind
    return found if kind in (None, "float32") else found | {"dtype": kind}

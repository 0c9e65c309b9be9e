"""Files to models."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from lstmfast._checks import wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast._core import Model as CoreModel
from lstmfast._files import is_of_keras, path_text
from lstmfast._options import Options
from lstmfast.layers import Add, Input, InputLayer, Layer, TextVectorization
from lstmfast.layers._graph import name_freely, name_layers
from lstmfast.layers._operations import KINDS, Operation
from lstmfast.layers._own import from_note
from lstmfast.layers.base import LAYERS
from lstmfast.losses import LOSSES, Loss
from lstmfast.metrics import MAX_METRICS, Metric, made
from lstmfast.models import custom, json_files, keras_reading, saving
from lstmfast.models._encoder_decoder import EncoderDecoder
from lstmfast.models._model import Model
from lstmfast.models._sequential import Sequential
from lstmfast.models.compiled import Compiled, Output, output_parts, part_of
from lstmfast.optimizers import OPTIMIZERS, Optimizer, schedules
from lstmfast.optimizers.base import CLIPS, UNDECAYED
from lstmfast.optimizers.schedules.base import python_part


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002  Keras's name
    safe_mode: bool = True,
) -> Model:
    """Load a model that `save` has written, or another program.

    Parameters
    ----------
    filepath : str or path-like
        The file. Names that end in ``.keras``, ``.h5`` or ``.hdf5`` are those of Keras's files,
        also of Keras 2; they need h5py (``pip install "lstmfast[keras]"``). Those that end in
        ``.json`` are RTNeural's, which AIDA-X plays, too; those that end in ``.nam`` are LSTMs of
        Neural Amp Modeler, whose first states become weights (`learn_initial_state`). What these
        files say besides the model, as the sample rate and gains, is `Model.metadata`.
    custom_objects : dict, optional
        Losses and metrics of your own that the model was compiled with, and layers of your own, by
        the names of their functions or classes. A class is made anew, with what its ``get_config``
        returned. A layer of your own whose class is not here, and a `Lambda`, become a `Model` that
        computes the same, for the file holds their graphs. Files of Keras hold no graphs of these:
        they need the class, and the function by its name, or by that of the layer if it has none.
    compile : bool
        Restore also how the model was compiled and the state of its optimizer.
    safe_mode
        Accepted for Keras's sake: loading never runs code from a file.

    Returns
    -------
    Model
        A `Sequential` where it was one.

    Raises
    ------
    OSError
        Where the file cannot be read.
    ValueError
        Where it is damaged, by a single bit or more, or no model of lstmfast; where it wants
        something that `custom_objects` lacks.

    Examples
    --------
    >>> import tempfile
    >>> from lstmfast.layers import LSTM
    >>> from lstmfast.models import Sequential, load_model
    >>> model = Sequential([LSTM(4, input_shape=(None, 1))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(f"{folder}/model.safetensors")
    ...     again = load_model(f"{folder}/model.safetensors")
    >>> bool((again.get_weights()[0] == model.get_weights()[0]).all())
    True
    """
    path = path_text(filepath, "load_model")
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise wrong_kind("load_model", "custom_objects", custom_objects, "a dictionary")
    if is_of_keras(path):
        return keras_reading.load(path, custom_objects or {}, compile)
    row_format = saving.row_format_of(path)
    if row_format is not None:
        return json_files.read(path, lambda part: _of_row(row_format.read(part)))
    own: custom.Objects | None = None

    def resolve(config: Mapping[str, Any], extra: Mapping[str, str]) -> Any:
        nonlocal own
        if not compile:
            return None
        own = custom.Objects(config, extra, custom_objects or {})
        function = own.schedule and python_part(own.schedule)
        return own.losses, list(own.metrics.values()), function

    core_model, extra, arrays = CoreModel.load(path, resolve)
    # the core has checked the texts by its own rules; what is left is what only Python knows
    try:
        decodes = saving.DECODES in extra
        model = _model_of(core_model, extra.get("name"), custom_objects or {}, decodes)
        _take_facts(model, core_model, extra, custom_objects or {})
        config = core_model.compile_config
        if config is not None and own is not None:
            outputs = _outputs_of(config, extra, own, model._names_of_outputs())
            compiled = Compiled(_optimizer_of(config, own), outputs)
            saving.adopt_compiled(model, compiled, extra, arrays)
        return model
    # constructors refuse what the file says by any of these
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise ValueError(f"[load] {path}: what the file says is no model: {error}") from error


def _of_row(row: json_files.Row) -> Model:
    """Return the model that a file of layers in a row holds."""
    model: Model
    x: Any = Input(row.sample)
    y = x
    if row.skips:
        for layer in row.layers:
            y = layer(y)
        model = Model(x, Add()([y, x if row.sample[-1] == 1 else x[..., :1]]))
    else:
        model = Sequential([x, *row.layers])
    model.set_weights(row.weights)
    model.metadata = row.metadata
    return model


def _model_of(
    core_model: CoreModel, name: str | None, own: Mapping[str, Any], decodes: bool = False
) -> Model:
    """Return the model over a graph of the core; own: classes of the user's."""
    structure, dtype = core_model.structure, core_model.graph.dtype
    layers = [_layer_of(handle, own) for handle in structure["layers"]]
    batch = structure["batch_size"] or None
    starts = [
        InputLayer(shape, batch, dtype if has_values else "int32", label or None)
        for (label, shape), (_, has_values, *_) in zip(
            structure["inputs"], core_model.inputs, strict=True
        )
    ]
    (name_freely if "note" in core_model.graph.config else name_layers)(layers)
    model: Model
    if structure["in_a_row"]:
        model = Sequential(name=name, dtype=dtype)
        model._layers, model._start = layers, starts[0]
    else:
        cls = EncoderDecoder if decodes else Model
        model = cls.__new__(cls)
        model._begin(name, True, None)
    saving.take(model, core_model, starts, layers)
    if model._graph.computing != layers:
        model._order = layers
    return model


def _layer_of(handle: CoreLayer, own: Mapping[str, Any]) -> Layer:
    if handle.kind == "graph":
        made = from_note(str(handle.config["note"]), own) if "note" in handle.config else None
        if made is None:
            model = _model_of(CoreModel(handle), handle.name, own)
            model._is_own = "note" in handle.config
            return model
        made._adopt(handle, ())
        return made
    cls = Operation if handle.kind in KINDS else LAYERS.find(handle.kind)
    if cls is None:
        raise ValueError(f"a layer is of the unknown kind {handle.kind!r}")
    inside = {name: _layer_of(handle.child(name), own) for name in handle.child_names}
    layer = cls.from_core(handle.config, inside)
    layer._adopt(handle, ())
    return layer


def _take_facts(
    model: Model, core_model: CoreModel, extra: Mapping[str, str], own: Mapping[str, Any]
) -> None:
    """Take what only Python knows of a model."""
    if saving.TEXT in extra and isinstance(model, Sequential):
        config = json.loads(extra[saving.TEXT])
        for name in ("standardize", "split"):
            if isinstance(config[name], dict):
                function = config[name]["config"]
                if function not in own:
                    raise ValueError(f"{name} is {function!r}; expected it in custom_objects")
                config[name] = own[function]
        model._text = TextVectorization(**config)
        model._take(model._graph, core_model)
    model.metadata = custom.read_extra(extra, saving.METADATA) or {}
    layers = list(saving.all_layers(model))
    for place, name in custom.read_extra(extra, saving.RETURNS) or []:
        if name in saving.RESULTS and hasattr(layers[place], name):
            object.__setattr__(layers[place], name, True)
    for place in custom.read_extra(extra, saving.FROZEN) or []:
        [model, *layers][place]._trainable = False
    keys = custom.read_extra(extra, saving.KEYS)
    if keys:
        model._input_keys, model._output_keys = (
            None if names is None else [str(name) for name in names] for names in keys
        )
        model._take(model._graph, core_model)


def _outputs_of(
    config: Options, extra: Mapping[str, str], own: custom.Objects, names: list[str]
) -> list[Output]:
    titles = custom.read_extra(extra, "metrics")
    if len(names) == 1 or not isinstance(titles, list) or len(titles) != len(names):
        titles = [titles] * len(names)
    return [
        Output(
            name,
            own.losses_of[k] if k in own.losses_of else _loss_of(part),
            part.get("loss_weight"),
            *_metrics_of(part, titles[k], own),
        )
        for k, (name, part) in enumerate(zip(names, output_parts(config, len(names)), strict=True))
    ]


def _metrics_of(
    part: Options, titles: Any, own: custom.Objects
) -> tuple[tuple[Metric, ...], frozenset[int]]:
    """Return an output's metrics, and which are weighted; titles: what the user calls each.

    Names are a courtesy: where they are damaged, those of the core serve. Files of the first
    versions have pairs of a name and what the core calls the metric.
    """
    kinds = [kind for kind in str(part.get("metrics", "")).split(",") if kind]
    titles = titles if isinstance(titles, list) else []
    if len(titles) > MAX_METRICS:
        raise ValueError(f"it names {len(titles)} metrics; expected at most {MAX_METRICS}")
    pairs = [each for each in titles if isinstance(each, list) and len(each) == 2]
    by_kind = {str(kind): str(name) for name, kind in pairs}
    if len(titles) == len(kinds) and all(isinstance(title, str) for title in titles):
        names = titles
    else:
        names = [by_kind.get(kind, kind) for kind in kinds]
    found, weighted = [], set()
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        options: dict[str, Any] = part_of(part, f"metrics.{place}.")
        if options.pop("weighted", False):
            weighted.add(place)
        found.append(own.metrics.get(kind) or made(kind, name, options))
    return tuple(found), frozenset(weighted)


def _loss_of(part: Options) -> Loss | None:
    cls = LOSSES.find(str(part["loss"])) if "loss" in part else None
    options: dict[str, Any] = part_of(part, "loss.")
    return None if cls is None else cls(**options)


def _optimizer_of(config: Options, own: custom.Objects) -> Optimizer:
    options: dict[str, Any] = part_of(config, "optimizer.")
    options |= {name: config[key] for name, key in CLIPS.items() if key in config}
    cls, undecayed = OPTIMIZERS.classes[options.pop("kind")], options.pop(UNDECAYED, ())
    rate = {key: options.pop(f"schedule.{key}") for key in part_of(options, "schedule.")}
    if rate:
        options["learning_rate"] = schedules.from_core(rate, own.schedule)
    optimizer = cls(**options)
    optimizer._undecayed = undecayed
    return optimizer

"""Models to files, copies and pickles: one safetensors file holds all that a model is.

The core writes and reads it. What only Python knows (the model's name, what the user calls the
metrics, which results the calls of its layers return) travels as text next to the core's own
configuration. Nothing in a file is executed: losses and metrics of the user's own are there by name
(models/custom.py).
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from lstmfast._arrays import Array
from lstmfast._checks import flag
from lstmfast._core import Model as CoreModel
from lstmfast._core import write_file
from lstmfast._files import check_path, is_of_keras
from lstmfast._warnings import warn
from lstmfast.callbacks.states import States
from lstmfast.layers import Input, InputLayer, Layer
from lstmfast.layers._graph import Graph, graph_between, replayed
from lstmfast.layers._symbolic import Tensor
from lstmfast.models import custom, keras_training, keras_writing, nam, rtneural
from lstmfast.models.compiled import Compiled

STATES = "callbacks"  # keys of what travels along: the states of callbacks,
RETURNS = "returns"  # pairs of a layer's place (see `all_layers`) and what its calls return too,
KEYS = "keys"  # the names of a dictionary of inputs, and of outputs,
TEXT = "text"  # the TextVectorization before the core's layers
DECODES = "decodes"  # that the model is an EncoderDecoder
FROZEN = "frozen"  # the places of models that are not trainable; 0: the whole one
METADATA = "metadata"  # what the user says of the model
RESULTS = ("return_state", "return_cell_states")
# formats of other programs for layers in a row (models/json_files.py), by the ends of names
ROW_FORMATS = {".json": rtneural, ".nam": nam}


def save_model(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    *,
    include_optimizer: bool = True,
    save_format: str | None = None,
) -> None:
    """Save a model as one safetensors file, or as one of another program.

    The file is complete or not there: it is written under another name first.

    Parameters
    ----------
    model : Model
        A built model.
    filepath : str or path-like
        Where to; usually ``NAME.safetensors``. Names that end in ``.keras``, ``.h5`` or ``.hdf5``
        make files of Keras, with what Keras keeps there: model, optimizer with its state, losses,
        metrics. Names that end in ``.json`` make files of RTNeural, and of AIDA-X; names that end
        in ``.nam`` files of Neural Amp Modeler, for LSTM layers and a Dense. These hold a model
        alone whose layers stand in a row, and `Model.metadata` as keys of the file.
    overwrite : bool
        Whether a file of that name may be replaced.
    include_optimizer : bool
        Save also what further training needs to continue bit for bit: the optimizer's state, and
        that of the callbacks of the running or latest fit. Without it files of Keras do not say
        how the model was compiled either.
    save_format : str, optional
        Keras's older argument, which warns: the end of the name says the format.

    Raises
    ------
    FileExistsError
        Where there is such a file and `overwrite` is false.
    OSError
        Where the file cannot be written.
    ValueError
        Where a file of another program cannot hold the model.
    """
    path = check_path(filepath, "save")
    if save_format is not None:
        warn(f"[save] save_format is {save_format!r}; the end of the name says the format")
    replace = flag(overwrite, "overwrite", "save")
    model._built_core()
    writer = writer_of(path)
    if writer is not None:
        write(path, writer(model, include_optimizer), replace)
        return
    core_model: CoreModel = model._core_model
    compiled: Compiled = model._compiled
    names = [[metric.name for metric in output.metrics] for output in compiled.outputs]
    metrics = names[0] if len(names) == 1 else names
    extra = {"name": model.name, "metrics": json.dumps(metrics)}
    extra |= custom.described(compiled) | _python_facts(model)
    if model.metadata:
        extra[METADATA] = custom.metadata_text(model)
    states = model.callback_states() if include_optimizer else None
    arrays: Mapping[str, Array] = {}
    if states is not None:
        extra, arrays = extra | {STATES: states.text}, states.arrays
    with _naming_what_exists(path):
        core_model.save(path, extra, include_optimizer, arrays, replace)


def writer_of(path: str) -> Callable[[Any, bool], bytes] | None:
    """Return what makes the content of a file of that name, if it is one of another program.

    It takes a built model, and whether the file is to hold the optimizer's state where it can.
    """
    row_format = row_format_of(path)
    if not is_of_keras(path) and row_format is None:
        return None

    def content(model: Any, include_optimizer: bool) -> bytes:
        check_full_precision(model, "save", "save the model that it was made of, or .safetensors")
        if row_format is not None:
            return bytes(row_format.content(model))
        return keras_writing.content(model, path, include_optimizer)

    return content


def check_full_precision(model: Any, where: str, instead: str) -> None:
    """Refuse a model whose kernels are in reduced precision, where it would become another."""
    if model.precision != model.dtype:
        raise ValueError(
            f"[{where}] the model's kernels are {model.precision}; expected {model.dtype}: "
            f"{instead}"
        )


def row_format_of(path: str) -> Any:
    """Return the module of `ROW_FORMATS` for a file of that name, or None."""
    return ROW_FORMATS.get(os.path.splitext(path.lower())[1])


def write(path: str, content: bytes, replace: bool) -> None:
    """Write a file at once."""
    with _naming_what_exists(path):
        write_file(path, content, replace)


@contextmanager
def _naming_what_exists(path: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise FileExistsError(f"[save] {path} exists; pass overwrite=True to replace it") from None


def restore_training(model: Any, filepath: str | os.PathLike[str]) -> States | None:
    """Give a compiled model the weights and the training of a file that `save_model` has written.

    Returns the states of callbacks, from which a fit with an `initial_epoch` continues.
    """
    extra, arrays = model._core_model.restore(os.fspath(filepath))
    model._states = States(extra[STATES], arrays) if STATES in extra else None
    states: States | None = model._states
    return states


def all_layers(model: Any) -> Iterator[Any]:
    """Yield all layers of a model and in its layers, each before those inside it.

    Of a layer of the user's own, which makes those inside it again, itself alone.
    """
    inside = model._graph.layers if getattr(model, "_order", ()) else model.layers_inside().values()
    for layer in inside:
        yield layer
        if not layer._is_own:
            yield from all_layers(layer)


def _python_facts(model: Any) -> dict[str, str]:
    returns = [
        [place, name]
        for place, layer in enumerate(all_layers(model))
        for name in RESULTS
        if getattr(layer, name, False)
    ]
    keys = model._input_keys, model._output_keys
    frozen = [
        place
        for place, layer in enumerate([model, *all_layers(model)])
        if hasattr(layer, "fit") and not layer.trainable
    ]
    text = {} if model._text is None else model._text.get_config()
    keys_given = [] if keys == (None, None) else keys
    facts = {RETURNS: returns, KEYS: keys_given, FROZEN: frozen, TEXT: text}
    facts[DECODES] = model._decodes
    return {
        name: json.dumps(value, default=keras_training.function)
        for name, value in facts.items()
        if value
    }


# what a description of a model has, besides layers and graph
_KEPT = {
    "name", "_numbered", "_trainable", "_dtype", "_start", "_input_keys", "_output_keys", "_text",
    "_metadata",
}  # fmt: skip


@contextmanager
def _nameless_file() -> Iterator[tuple[IO[bytes], str]]:
    """Yield an open file and a path to it; a process that is killed leaves nothing of it."""
    import tempfile

    with tempfile.TemporaryFile() as file:
        yield file, f"/dev/fd/{file.fileno()}"


def state_of(model: Any, include_optimizer: bool = True) -> dict[str, Any]:
    """Return what a copy or a pickle of a model holds: a description and, once built, its file."""
    found = {name: value for name, value in model.__dict__.items() if name in _KEPT}
    compiled = model._compiled
    computing, starts, content = getattr(model, "_layers", model.layers), [], None
    if model.built:
        computing, starts = model._graph.computing, model._graph.starts
        with _nameless_file() as (file, path):
            save_model(model, path, include_optimizer=include_optimizer)
            file.seek(0)
            content = file.read()
    # copies: a shallow copy of a model must not take its layers and optimizer away from it
    kept, computing, starts = copy.deepcopy((found, computing, starts))
    return {
        "kept": kept,
        "layers": computing,
        "inputs": starts,
        "content": content,
        "compiled": Compiled(copy.deepcopy(compiled.optimizer), compiled.outputs),
        "rng": copy.deepcopy(model._rng),
    }


def reduced(model: Any, precision: str, where: str) -> Any:
    """Return a model for inference, whose kernels are those of `model` in this precision."""
    model._built_core()
    if model.precision != "float32":
        raise ValueError(f"[{where}] the model's kernels are {model.precision}; expected float32")
    state = state_of(model, include_optimizer=False)
    cls: Any = type(model)
    made = cls.__new__(cls)
    restore(made, state | {"compiled": Compiled()}, precision)
    return made


def restore(model: Any, state: Mapping[str, Any], precision: str = "float32") -> None:
    """Make a new object the model that `state_of` described.

    precision: that of the kernels, if they are in float32; "float32" leaves them as they are.
    """
    layers: list[Layer] = list(state["layers"])
    model.__dict__.update(state["kept"])
    model._rng = state["rng"]
    if hasattr(model, "add"):
        model._layers = layers
    if state["content"] is None:
        model._compiled = state["compiled"]
        return
    own = state["compiled"].own_functions()
    with _nameless_file() as (file, path):
        file.write(state["content"])
        file.flush()
        compiles = precision == "float32"
        core_model, extra, arrays = CoreModel.load(
            path, lambda config, extra: own if compiles else None, precision
        )
    for layer, handle in zip(layers, core_model.structure["layers"], strict=True):
        layer._adopt(handle, ())
    take(model, core_model, state["inputs"], layers)
    adopt_compiled(model, state["compiled"], extra, arrays)


def take(
    model: Any, core_model: CoreModel, starts: Iterable[InputLayer], layers: Sequence[Layer]
) -> None:
    """Give a model the graph that the core has, over layers that have their handles."""
    inputs: list[Tensor] = [Input.of(start) for start in starts]
    outputs, nodes = replayed(core_model.structure, inputs, layers)
    graph: Graph = dataclasses.replace(graph_between(inputs, outputs), nodes=tuple(nodes))
    model._take(graph, core_model)


def adopt_compiled(
    model: Any, compiled: Compiled, extra: Mapping[str, str], arrays: Mapping[str, Array]
) -> None:
    """Take how a model is compiled already, and the states of callbacks that came with its file."""
    model._compiled = compiled
    model._bind_optimizer(model._core_model)
    model._states = States(extra[STATES], arrays) if STATES in extra else None

"""Models as files, and as copies: one safetensors file holds all that a model is.

The core writes and reads it. What only Python knows (the model's name, and what the user calls the
metrics) travels as text beside the core's own configuration. Nothing in a file is executed: losses
and metrics of the user's own are there by name (models/custom.py).
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from lstmfast import _core
from lstmfast._arrays import Array
from lstmfast._checks import flag, wrong_kind
from lstmfast._files import check_path, path_text
from lstmfast.callbacks.states import States
from lstmfast.layers import LAYERS, Input, Layer
from lstmfast.layers.base import part_of
from lstmfast.losses import LOSSES, Loss
from lstmfast.metrics import MAX_METRICS, METRICS, Metric
from lstmfast.models import custom
from lstmfast.models.compiled import core_kinds, own_functions
from lstmfast.optimizers import CLIPS, OPTIMIZERS, Optimizer

if TYPE_CHECKING:
    from lstmfast.models._sequential import Sequential

_STATES = "callbacks"  # the key of their states


def save_model(
    model: Sequential,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    *,
    include_optimizer: bool = True,
) -> None:
    """Save a model as one safetensors file.

    The file is complete or not there: it is written under another name first.

    Parameters
    ----------
    model : Sequential
        A built model.
    filepath : str or path-like
        Where to; by custom it ends in ``.safetensors``.
    overwrite : bool
        Whether a file of that name may be replaced.
    include_optimizer : bool
        Save also what further training needs to continue bit for bit: the optimizer's state, and
        that of the callbacks of the running or latest fit.

    Raises
    ------
    FileExistsError
        Where there is such a file and `overwrite` is false.
    OSError
        Where the file cannot be written.
    """
    path = check_path(filepath, "save")
    replace = flag(overwrite, "overwrite", "save")
    engine = model._built_engine()
    names = [
        [metric.name, kind]
        for metric, kind in zip(model.metrics, core_kinds(model.metrics), strict=True)
    ]
    extra = {"name": model.name, "metrics": json.dumps(names)}
    extra |= custom.described(model.loss, model.metrics)
    states = model.callback_states() if include_optimizer else None
    arrays: Mapping[str, Array] = {}
    if states is not None:
        extra, arrays = extra | {_STATES: states.text}, states.arrays
    try:
        engine.save(path, extra, include_optimizer, arrays, replace)
    except FileExistsError:
        raise FileExistsError(f"[save] {path} exists; pass overwrite=True to replace it") from None


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002  Keras's name
    safe_mode: bool = True,
) -> Sequential:
    """Load a model that `Sequential.save` has written.

    Parameters
    ----------
    filepath : str or path-like
        The file.
    custom_objects : dict, optional
        Losses and metrics of your own that the model was compiled with, by the names of their
        functions or classes. A class is made anew, with what its ``get_config`` returned.
    compile : bool
        Restore also how the model was compiled and the state of its optimizer.
    safe_mode
        Accepted for Keras's sake: loading never runs code from a file.

    Returns
    -------
    Sequential

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
    from lstmfast.models._sequential import Sequential

    path = path_text(filepath, "load_model")
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise wrong_kind("load_model", "custom_objects", custom_objects, "a dictionary")
    own: custom.Objects | None = None

    def resolve(config: Mapping[str, str], extra: Mapping[str, str]) -> Any:
        nonlocal own
        if not compile:
            return None
        own = custom.Objects(config, extra, custom_objects or {})
        return own_functions(own.loss, list(own.metrics.values()))

    engine, extra, arrays = _core.Model.load(path, resolve)
    # the core has checked the texts by its own rules; what is left is what only Python knows
    with _told_by(path):
        config = engine.config
        layers = [_layer_of(part) for part in _layer_parts(config)]
        model = Sequential(layers, name=extra.get("name"), dtype=config["dtype"])
        model._sample_shape = tuple(engine.input_shape)
        model._batch_size = config.get("batch_size") or None
        compiled = engine.compile_config
        if compiled is not None and own is not None:
            model._loss = own.loss or _loss_of(compiled)
            model._optimizer = _optimizer_of(compiled)
            model._set_metrics(_metrics_of(compiled, extra, own))
            model._states = _states_of(extra, arrays)
    _adopt_trained(model, engine)
    return model


@contextmanager
def _told_by(path: str) -> Iterator[None]:
    """Name the file where constructors refuse what it says, by whatever error."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise ValueError(f"[load] {path}: what the file says is no model: {error}") from error


def _layer_parts(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the configuration of each layer, in one pass: a file may have many."""
    parts: list[dict[str, Any]] = [{} for _ in range(config["layers"])]
    for key, value in part_of(config, "layers.").items():
        index, _, name = key.partition(".")
        parts[int(index)][name] = value
    return parts


def _layer_of(part: Mapping[str, Any]) -> Layer:
    cls = LAYERS.find(part["kind"])
    if cls is None:
        raise ValueError(f"a layer is of the unknown kind {part['kind']!r}")
    return cls.from_core(part)


def _metrics_of(
    config: Mapping[str, Any], extra: Mapping[str, str], own: custom.Objects
) -> list[Metric]:
    kinds = [kind for kind in config.get("metrics", "").split(",") if kind]
    text = extra.get("metrics", "")
    if len(text) > custom.LONGEST_TEXT:
        raise ValueError(
            f"the names of metrics have {len(text)} characters; expected at most "
            f"{custom.LONGEST_TEXT}"
        )
    try:
        names = [(str(name), str(kind)) for name, kind in json.loads(text)]
    except (TypeError, ValueError, RecursionError):
        names = []
    if len(names) > MAX_METRICS:
        raise ValueError(f"it names {len(names)} metrics; expected at most {MAX_METRICS}")
    # names are a courtesy: where they do not match what the core computes, its own serve
    if {kind for _, kind in names} != set(kinds):
        names = [(kind, kind) for kind in kinds]
    return [own.metrics.get(kind) or _metric_of(name, kind) for name, kind in names]


def _loss_of(config: Mapping[str, Any]) -> Loss | None:
    cls = LOSSES.find(config["loss"])
    return None if cls is None else cls(**part_of(config, "loss."))


def _optimizer_of(config: Mapping[str, Any]) -> Optimizer | None:
    options = part_of(config, "optimizer.")
    cls = OPTIMIZERS.find(options.pop("kind"))
    options |= {name: config[key] for name, key in CLIPS.items() if key in config}
    return None if cls is None else cls(**options)


def _metric_of(name: str, kind: str) -> Metric:
    metric = (METRICS.find(kind) or Metric)(name=name)
    metric.kind = kind
    return metric


def _states_of(extra: Mapping[str, str], arrays: Mapping[str, Array]) -> States | None:
    return States(extra[_STATES], arrays) if _STATES in extra else None


def _adopt_trained(model: Sequential, engine: _core.Model) -> None:
    """Give the model an engine that is compiled already, state and all."""
    optimizer = model.optimizer
    model._optimizer = None  # or adopting would compile anew
    model._adopt(engine)
    model._optimizer = optimizer
    model._bind_optimizer()


@contextmanager
def _nameless_file() -> Iterator[tuple[IO[bytes], str]]:
    """Yield an open file and a path to it; a process that is killed leaves nothing of it."""
    import tempfile

    with tempfile.TemporaryFile() as file:
        yield file, f"/dev/fd/{file.fileno()}"


def file_content(model: Sequential) -> bytes:
    """Return what `save_model` would write."""
    with _nameless_file() as (file, path):
        save_model(model, path)
        file.seek(0)
        return file.read()


def state_of(model: Sequential) -> dict[str, Any]:
    """Return what a copy or a pickle of a model holds: a description and, once built, its file."""
    return {
        "config": model.get_config(),
        "content": file_content(model) if model.built else None,
        # copies: a shallow copy of a model must not take the optimizer away from it
        "optimizer": copy.deepcopy(model.optimizer),
        "loss": model.loss,
        "metrics": model.metrics,
        "rng": copy.deepcopy(model._rng),
    }


def restore_state(model: Sequential, state: dict[str, Any]) -> None:
    """Make a new object the model that `state_of` described."""
    fresh = type(model).from_config(state["config"] | {"input_shape": None}, seed=state["rng"])
    shape = state["config"]["input_shape"]
    model.__dict__.update(fresh.__dict__)
    model._rebind_layers()
    model._sample_shape = None if shape is None else Input(shape).shape
    model._batch_size = state["config"]["batch_size"]
    model._optimizer, model._loss = state["optimizer"], state["loss"]
    model._set_metrics(state["metrics"])
    if state["content"] is not None:
        own = own_functions(model.loss, model.metrics)
        with _nameless_file() as (file, path):
            file.write(state["content"])
            file.flush()
            engine, extra, arrays = _core.Model.load(path, lambda config, extra: own)
        model._states = _states_of(extra, arrays)
        _adopt_trained(model, engine)

"""Models to files: one safetensors file holds all that a model is.

The core writes and reads it. What only Python knows (the model's name, what the user calls the
metrics, which results the calls of its layers return) travels as text beside the core's own
configuration. Nothing in a file is executed: losses and metrics of the user's own are there by name
(models/custom.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from lstmfast._arrays import Array
from lstmfast._checks import flag
from lstmfast._core import Model as Engine
from lstmfast._files import check_path, path_text
from lstmfast.callbacks.states import States
from lstmfast.models import custom
from lstmfast.models.compiled import Compiled

STATES = "callbacks"  # keys of what travels along: the states of callbacks,
RETURNS = "returns"  # pairs of a layer's place (see `all_layers`) and what its calls return too,
KEYS = "keys"  # and the names of a dictionary of inputs, and of outputs
RESULTS = ("return_state", "return_cell_states")


def save_model(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    *,
    include_optimizer: bool = True,
) -> None:
    """Save a model as one safetensors file.

    The file is complete or not there: it is written under another name first.

    Parameters
    ----------
    model : Model
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
    model._built_core()
    engine: Engine = model._engine
    compiled: Compiled = model._compiled
    names = [
        [[metric.name, kind] for metric, kind in zip(output.metrics, kinds, strict=True)]
        for output, kinds in zip(compiled.outputs, compiled.core_kinds(), strict=True)
    ]
    told = names[0] if len(names) == 1 else names
    extra = {"name": model.name, "metrics": json.dumps(told)}
    extra |= custom.described(compiled) | _python_facts(model)
    states = model.callback_states() if include_optimizer else None
    arrays: Mapping[str, Array] = {}
    if states is not None:
        extra, arrays = extra | {STATES: states.text}, states.arrays
    try:
        engine.save(path, extra, include_optimizer, arrays, replace)
    except FileExistsError:
        raise FileExistsError(f"[save] {path} exists; pass overwrite=True to replace it") from None


def all_layers(model: Any) -> Iterator[Any]:
    """Yield all layers of a model and in its layers, each before those inside it."""
    for layer in model.layers_inside().values():
        yield layer
        yield from all_layers(layer)


def _python_facts(model: Any) -> dict[str, str]:
    returns = [
        [place, name]
        for place, layer in enumerate(all_layers(model))
        for name in RESULTS
        if getattr(layer, name, False)
    ]
    keys = model._input_keys, model._output_keys
    facts = {RETURNS: returns, KEYS: [] if keys == (None, None) else keys}
    return {name: json.dumps(value) for name, value in facts.items() if value}


def states_of(extra: Mapping[str, str], arrays: Mapping[str, Array]) -> States | None:
    """Return the states of callbacks that came with a file."""
    return States(extra[STATES], arrays) if STATES in extra else None


def weights_of(filepath: str | os.PathLike[str]) -> list[Array]:
    """Return the weights that a file holds."""
    return Engine.load(path_text(filepath, "load_weights"), lambda *_: None)[0].graph.get_weights()

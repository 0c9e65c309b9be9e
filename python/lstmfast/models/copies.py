"""Models as copies and pickles, which have their weights and the state of their training."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from lstmfast._core import Model as Engine
from lstmfast.layers import Input, InputLayer, Layer
from lstmfast.layers._symbolic import Tensor
from lstmfast.models import saving
from lstmfast.models.compiled import Compiled
from lstmfast.models.graph import Graph, graph_between, replayed

# what a description of a model has, besides layers and graph
_KEPT = {"name", "_numbered", "_trainable", "_dtype", "_start"}
_KEPT |= {"_input_keys", "_output_keys"}


@contextmanager
def _nameless_file() -> Iterator[tuple[IO[bytes], str]]:
    """Yield an open file and a path to it; a process that is killed leaves nothing of it."""
    import tempfile

    with tempfile.TemporaryFile() as file:
        yield file, f"/dev/fd/{file.fileno()}"


def _file_content(model: Any) -> bytes:
    """Return what saving would write."""
    with _nameless_file() as (file, path):
        saving.save_model(model, path)
        file.seek(0)
        return file.read()


def state_of(model: Any) -> dict[str, Any]:
    """Return what a copy or a pickle of a model holds: a description and, once built, its file."""
    found = {name: value for name, value in model.__dict__.items() if name in _KEPT}
    compiled = model._compiled
    computing = model._graph.computing if model.built else model.layers
    starts = model._graph.starts if model.built else []
    # copies: a shallow copy of a model must not take its layers and optimizer away from it
    kept, computing, starts = copy.deepcopy((found, computing, starts))
    return {
        "kept": kept,
        "layers": computing,
        "inputs": starts,
        "content": _file_content(model) if model.built else None,
        "compiled": Compiled(copy.deepcopy(compiled.optimizer), compiled.outputs),
        "rng": copy.deepcopy(model._rng),
    }


def restore(model: Any, state: Mapping[str, Any]) -> None:
    """Make a new object the model that `state_of` described."""
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
        engine, extra, arrays = Engine.load(path, lambda config, extra: own)
    structure = engine.structure
    for layer, handle in zip(layers, structure["layers"], strict=True):
        layer._adopt(handle, ())
    take(model, engine, structure, state["inputs"], layers)
    adopt_compiled(model, state["compiled"])
    model._states = saving.states_of(extra, arrays)


def take(
    model: Any,
    engine: Engine,
    structure: Mapping[str, Any],
    starts: Sequence[InputLayer],
    layers: Sequence[Layer],
) -> None:
    """Give a model the graph that the core has, over layers that have their handles."""
    inputs: list[Tensor] = [Input.of(start) for start in starts]
    outputs, nodes = replayed(structure, inputs, layers)
    graph: Graph = dataclasses.replace(graph_between(inputs, outputs), nodes=tuple(nodes))
    model._take(graph, engine)


def adopt_compiled(model: Any, compiled: Compiled) -> None:
    """Take how a model is compiled already, state and all."""
    model._compiled = compiled
    model._bind_optimizer(model._engine)

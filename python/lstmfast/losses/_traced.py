"""Losses of the user's own that are made of operations on tensors, as graphs of the core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lstmfast._checks import wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast.layers import Activation, Concatenate, Input, Permute, Reshape, Softmax
from lstmfast.layers._graph import graph_between, name_freely
from lstmfast.layers._operations import Operation, Trace, apply
from lstmfast.layers._symbolic import RUNNING, Sample, Tensor

_KINDS = Operation, Activation, Concatenate, Permute, Reshape, Softmax  # what operations make


def graph_of(
    loss: Callable[..., Any], where: str, target: Sample, prediction: Sample, dtype: str
) -> CoreLayer:
    """Return the graph of a loss for batches of these shapes; what the loss raises if it has none.

    A batch is one sample of the graph, so that operations may take all axes.
    """
    starts = [Input(tuple(shape), dtype=dtype) for shape in (target, prediction)]
    for start in starts:
        start.node.batched = False
    trace = Trace(starts[0])
    token = RUNNING.set(trace)
    try:
        end = loss(*starts)
        if not isinstance(end, Tensor):
            raise wrong_kind(where, "what it returned", end, "a tensor")
        if any(end.node is start.node for start in starts):
            end = apply(Operation("elementwise", function="add", number=0.0), end)
    finally:
        RUNNING.reset(token)
    graph = graph_between(starts, [end])
    for layer in graph.computing:
        if not isinstance(layer, _KINDS):
            raise TypeError(
                f"[{where}] a loss has layer {layer.name or layer.kind}; expected operators and "
                "functions of lstmfast.ops, of y_true and y_pred alone"
            )
    name_freely(graph.computing, all_of_them=False)
    return graph.core(dtype)

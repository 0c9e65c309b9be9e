"""The parts of an `EncoderDecoder`: its layers, their first states, and the graph of one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmfast._checks import choice, items, wrong_kind
from lstmfast.layers import AdditiveAttention, Attention, Concatenate, Dense, Input
from lstmfast.layers._attention import AttentionLayer
from lstmfast.layers._graph import Graph, graph_between
from lstmfast.layers._lstm import LSTM
from lstmfast.layers._multi_head_attention import MultiHeadAttention
from lstmfast.layers._recurrent import Recurrent, RecurrentCells
from lstmfast.layers._symbolic import Node, Tensor, origin
from lstmfast.models._model import Model

_DECODER = "an LSTM, GRU or SimpleRNN, a list of these, or how many units an LSTM has"
_ATTENTION = {
    "luong": Attention, "dot": Attention, "bahdanau": AdditiveAttention,
    "additive": AdditiveAttention,
}  # fmt: skip


def decoder_layers(decoder: Any, dtype: str | None, where: str) -> list[RecurrentCells]:
    """Return the decoder's layers."""
    if isinstance(decoder, int) and not isinstance(decoder, bool):
        return [LSTM(decoder, return_sequences=True, dtype=dtype)]
    layers = [decoder]
    if not isinstance(decoder, Recurrent):
        layers = items(decoder, "decoder", where, _DECODER)
    if not layers:
        raise ValueError(f"[{where}] decoder is empty; expected {_DECODER}")
    for layer in layers:
        if not isinstance(layer, RecurrentCells):
            raise wrong_kind(where, "decoder", layer, _DECODER)
        wanted = {"return_sequences": True, "go_backwards": False, "stateful": False}
        for name, value in wanted.items():
            if getattr(layer, name) is not value:
                text = f"{name}={not value}; expected {value}"
                raise ValueError(f"[{where}] decoder {layer.name or layer.kind} has {text}")
    return layers


def first_states(
    encoder: Model, layers: Sequence[RecurrentCells], where: str
) -> list[list[Tensor]]:
    """Return what each layer of the decoder begins with."""
    outputs = encoder.outputs
    vectors = [tensor for tensor in outputs if len(tensor.sample) == 1]
    nodes = [] if len(outputs) > 1 else [*origin(outputs[0])][::-1]
    of_layers = [_ends(node) for node in nodes if isinstance(node.layer, Recurrent)]
    if not of_layers:
        first = layers[0].states
        of_layers = [vectors[at : at + first] for at in range(0, len(vectors), first)]
    if not of_layers:
        raise ValueError(
            f"[{where}] encoder {encoder.name!r} has no final state; expected a recurrent layer, "
            "or outputs of shape (N, F)"
        )
    found = []
    for place, layer in enumerate(layers, len(of_layers) - len(layers)):
        given = of_layers[max(0, place)]
        sizes = [getattr(layer, "proj_size", 0) or layer.units, layer.units][: layer.states]
        each = [given[min(k, len(given) - 1)] for k in range(len(sizes))]
        found.append(
            [
                state if state.sample == (size,) else Dense(size, dtype=encoder.dtype)(state)
                for state, size in zip(each, sizes, strict=True)
            ]
        )
    return found


def _ends(node: Node) -> list[Tensor]:
    """Return the final states that a use of a recurrent layer has, of both directions together."""
    layer: Recurrent = node.layer
    first, states = layer.outputs_before_states, layer.states
    each = [
        [Tensor(node, first + d * states + k) for d in range(layer.directions)]
        for k in range(states)
    ]
    return [Concatenate()(both) if len(both) > 1 else both[0] for both in each]


def attended(attention: Any, y: Tensor, encoder: Model, where: str) -> Tensor:
    """Return the decoder's outputs with what each of them finds among the encoder's steps."""
    if isinstance(attention, str):
        name = choice(attention, "attention", where, *_ATTENTION)
        attention = _ATTENTION[name](dtype=encoder.dtype)
    if not isinstance(attention, AttentionLayer):
        expected = f"None, {', '.join(map(repr, _ATTENTION))} or a layer of attention"
        raise wrong_kind(where, "attention", attention, expected)
    steps = next((tensor for tensor in encoder.outputs if len(tensor.sample) == 2), None)
    if steps is None:
        raise ValueError(
            f"[{where}] encoder {encoder.name!r} returns no steps; expected (N, T, F), as a last "
            "layer with return_sequences=True returns, for attention"
        )
    size: Any = y.sample[-1]

    def mapped(x: Tensor) -> Any:
        return Dense(size, use_bias=False, dtype=encoder.dtype)(x)

    if isinstance(attention, MultiHeadAttention):
        found = attention(y, steps)
    elif isinstance(attention, AdditiveAttention):
        found = attention([mapped(y), steps, mapped(steps)])
    else:
        found = attention([y, steps, steps if steps.sample[-1] == size else mapped(steps)])
    both: Tensor = Concatenate()([found, y])
    return both


def step_of(graph: Graph, forced: Node) -> tuple[list[Tensor], Graph]:
    """Return what the decoder takes of the encoder, and the decoder's graph, which takes that too.

    The first input is what the decoder returned for the step before.
    """
    start = Input(forced.shapes[0], dtype=forced.dtype)
    made: dict[Tensor, Tensor] = {Tensor(forced): start}
    given: dict[Tensor, Tensor] = {}
    for node in graph.nodes:
        if not any(tensor in made for tensor in node.inputs):
            continue
        for tensor in node.inputs:
            if tensor not in made and tensor not in given:
                given[tensor] = Input(tensor.sample, dtype=tensor.dtype)
        new = node.layer._plan([(made | given)[tensor] for tensor in node.inputs])[1]
        made |= {Tensor(node, port): Tensor(new, port) for port in range(len(node.shapes))}
    ends = [made[tensor] for tensor in graph.outputs]
    return [*given], graph_between([start, *given.values()], ends)

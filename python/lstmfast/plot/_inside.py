"""What models compute inside: gates and states of an LSTM, the weights of attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lstmfast import rnn
from lstmfast._arrays import Array, ArrayLike, as_array, shape_text
from lstmfast._checks import wrong_kind
from lstmfast._layouts import to_torch
from lstmfast._options import defaults
from lstmfast._recurrent import Trace
from lstmfast.layers import LSTM, Layer
from lstmfast.layers._attention import AttentionLayer
from lstmfast.layers._recurrent import Recurrent
from lstmfast.layers._symbolic import Node, Tensor, origin
from lstmfast.models import EncoderDecoder, Model


def weights_of(model: Any, x: Any, y: Any, layer: str | None, where: str) -> Array:
    """Return what `attention_weights` does."""
    node, _ = _use_of(AttentionLayer, model, layer, where)
    given = [*x] if isinstance(x, list | tuple) and len(model.inputs) > 1 else [x]
    if isinstance(model, EncoderDecoder):
        given = [x] if len(model.inputs) == 2 else given
        given.append(model.predict(x, verbose=0) if y is None else y)
    elif y is not None:
        raise ValueError(f"[{where}] y is given; expected it for an EncoderDecoder alone")
    scores = Model(model.inputs, Tensor(node, 1))
    found: Array = scores.predict(given if len(given) > 1 else x, verbose=0)
    return found


def trace_of(
    source: Any, x: ArrayLike, layer: str | None, where: str
) -> tuple[Trace, Array | None, str]:
    """Return gates and states of one sequence (T, ...), the sequence, and the layer's name.

    Steps that a mask leaves out are NaN.
    """
    if isinstance(source, Trace):
        return source, None if x is None else as_array(x, where, "x"), "an LSTM"
    if not isinstance(source, rnn.LSTM | Model):
        raise wrong_kind(where, "source", source, "a model, an LSTM or what its trace returns")
    x = as_array(x, where, "x")
    if isinstance(source, rnn.LSTM):
        ends = source.trace(x)
        if layer is not None and layer not in ends:
            raise ValueError(f"[{where}] layer is {layer!r}; expected one of {[*ends]}")
        return ends[layer or "l0"], x, f"layer {layer or 'l0'}"
    node, lstm = _use_of(LSTM, source, layer, where)
    sample = [*origin(node.inputs[0])][-1].shapes[0]
    if x.ndim == len(sample) + 1 and len(x) == 1:
        x = x[0]
    if x.ndim != len(sample):
        expected = f"{shape_text(sample)}, one sequence"
        raise ValueError(f"[{where}] x has shape {shape_text(x.shape)}; expected {expected}")
    value, mask = _before(node, x[None], where)
    kept = np.ones(value.shape[1], bool) if mask is None else mask[0]
    if not kept.any():
        raise ValueError(
            f"[{where}] a mask leaves out all {len(kept)} steps; expected one at least"
        )
    return _trace(lstm, value[0], kept), x if len(x) == len(kept) else value[0], str(lstm.name)


def _use_of(kind: type[Layer], model: Any, name: str | None, where: str) -> tuple[Node, Any]:
    """Return the first use of a layer of that kind, or of that name, and the layer."""
    if not isinstance(model, Model):
        raise wrong_kind(where, "model", model, "a model")
    if not model.built:
        raise ValueError(f"[{where}] the model has no weights yet; expected it built, or fitted")
    uses = [(node, each) for node in model._graph.nodes for each in _with_halves(node.layer)]
    known = [(node, each) for node, each in uses if isinstance(each, kind)]
    for node, each in known:
        if name in (None, each.name):
            return node, each
    names = [each.name for _, each in known]
    what = {LSTM: "LSTM", AttentionLayer: "layer of attention"}[kind]
    if not names:
        raise ValueError(f"[{where}] model {model.name!r} has no {what}; expected one")
    raise ValueError(f"[{where}] layer is {name!r}; expected one of {names}")


def _with_halves(layer: Any) -> Iterator[Any]:
    yield layer
    if isinstance(layer, Recurrent):
        yield from layer.layers_inside().values()


def _before(node: Node, x: Array, where: str) -> tuple[Array, Array | None]:
    """Return what a layer gets of x, and its mask: by the layers in a row before it."""
    value: Any = x
    mask: Any = None
    for step in [*origin(node.inputs[0])][::-1]:
        layer = step.layer
        if len(step.inputs) > 1 or getattr(layer, "stateful", False):
            text = f"{node.layer.name} comes after {layer.name}, which has several inputs or a "
            raise ValueError(f"[{where}] {text}state of its own; expected layers in a row")
        if step.inputs:
            mask, value = (
                layer.compute_mask(value, mask),
                layer(value) if mask is None else layer(value, mask=mask),
            )
    return np.asarray(value), None if mask is None else np.asarray(mask)


def _trace(layer: LSTM, x: Array, kept: Array) -> Trace:
    """Return gates and states of a layer that reads the kept steps of x (T, I)."""
    options = layer.options()
    shared = defaults("rnn", "lstm").keys() & options.keys() - {"dropout"}
    twin = rnn.LSTM(
        x.shape[1],
        layer.units,
        bias=layer.use_bias,
        dtype=layer._built_core().dtype,
        **{name: options[name] for name in shared},
    )
    names = [name for name, _ in layer.weight_parts()]
    weights = dict(zip(names, layer.get_weights(), strict=True))
    twin.load_state_dict({f"{name}_l0": value for name, value in to_torch(weights).items()})
    state = [weights[name][None] for name in ("initial_h", "initial_c") if name in weights]
    turn = slice(None, None, -1 if layer.go_backwards else 1)
    traced = twin.trace(x[kept][turn], state or None)["l0"]
    found = {}
    for name, values in vars(traced).items():
        found[name] = np.full((len(x), values.shape[1]), np.nan)
        found[name][kept] = values[turn]
    return Trace(**found)

"""Streams of `lstmfast.LSTM`."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from lstmfast._core import Model as CoreModel
from lstmfast._options import defaults
from lstmfast.layers import LSTM, Input
from lstmfast.models._sequential import Sequential
from lstmfast.models.streaming import Stream

_models: WeakKeyDictionary[Any, Sequential] = WeakKeyDictionary()  # of each `lstmfast.LSTM`


def stream_of_layers(rnn: Any, batch: int, release_gil: bool) -> Stream:
    """Return the stream of a `lstmfast.LSTM`: that of a model with the same layers."""
    if rnn.bidirectional:
        raise ValueError("[stream] bidirectional is True; expected bidirectional=False")
    model = _models.get(rnn)
    if model is None:
        model = _models.setdefault(rnn, _model_of(rnn))
    core = rnn._core

    def weights() -> CoreModel:
        model.set_weights([core.get(n, name) for n, name, _ in core.parameter_names()])
        assert model._core_model is not None
        return model._core_model

    return Stream(weights, batch, release_gil)


def _model_of(rnn: Any) -> Sequential:
    own = defaults("layer", "lstm")
    cell = {name: getattr(rnn, name) for name in defaults("cell", "lstm") if name in own}
    model = Sequential([Input((None, rnn.input_size), dtype=rnn.dtype)])
    for _ in range(rnn.num_layers):
        model.add(LSTM(rnn.hidden_size, return_sequences=True, use_bias=rnn.bias, **cell))
    return model

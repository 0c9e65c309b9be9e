"""Messages of layers: their arguments, calls, halves, and what they refuse in a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast.layers import LSTM, Bidirectional, Dense, Input, Masking, TimeDistributed
from lstmfast.models import Sequential
from nets import MASK

B, T, I = 5, 6, 3
X = np.random.default_rng(0).standard_normal((B, T, I), dtype=np.float32)


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "several outputs": (
        lambda: Sequential([LSTM(3, return_state=True)]),
        ValueError,
        r"\[Sequential.add\] .*return_state=True returns several arrays; call the layer itself",
    ),
    "cells": (
        lambda: Sequential([LSTM(3, return_cell_states=True)]),
        ValueError,
        "return_cell_states=True returns several arrays",
    ),
    "two outputs": (
        lambda: Sequential([Bidirectional(LSTM(3), None)]),
        ValueError,
        r"Bidirectional merge_mode=None, .*merge_mode=None returns two arrays; call the layer",
    ),
    "merge mode": (
        lambda: Bidirectional(LSTM(3), "avg"),
        ValueError,
        r'\[layers.Bidirectional\] merge_mode is "avg"; expected one of "concat", "sum"',
    ),
    "not an LSTM": (
        lambda: Bidirectional(Dense(3)),
        TypeError,
        r"layer is of type Dense; expected a layer LSTM",
    ),
    "both backwards": (
        lambda: Bidirectional(LSTM(3, go_backwards=True)),
        ValueError,
        r"\[layers.Bidirectional\] backward.go_backwards is True; expected the opposite of forward",
    ),
    "sequences differ": (
        lambda: Bidirectional(
            LSTM(3), backward_layer=LSTM(3, go_backwards=True, return_sequences=True)
        ),
        ValueError,
        "backward.return_sequences is True; expected False, as forward.return_sequences",
    ),
    "sizes differ": (
        lambda: Bidirectional(LSTM(3), "sum", backward_layer=LSTM(2, go_backwards=True)),
        ValueError,
        'merge_mode is "sum"; expected "concat" for layers of different sizes',
    ),
    "inner penalty": (
        lambda: Bidirectional(LSTM(3, activity_regularizer="l2")),
        ValueError,
        "a layer inside has an activity_regularizer; expected it here",
    ),
    "penalty of each step": (
        lambda: TimeDistributed(Dense(3, activity_regularizer="l2")),
        ValueError,
        r"\[layers.TimeDistributed\] a layer inside has an activity_regularizer; expected it here",
    ),
    "weights": (
        lambda: Bidirectional(LSTM(3), weights=[np.zeros((3, 12))])(X),
        ValueError,
        r"weights has 1 arrays; expected 6",
    ),
    "weights' shape": (
        lambda: Bidirectional(LSTM(3), weights=[np.zeros((3, 11))] * 6)(X),
        ValueError,
        r"Bidirectional\] forward.kernel has shape \(3, 11\); expected \(3, 12\)",
    ),
    "x": (lambda: LSTM(3)(X[0, 0]), ValueError, r"\[layers.LSTM\] x has shape \(3,\)"),
    "x rank": (
        lambda: LSTM(3)(X[0]),
        ValueError,
        r"sample has shape \(\?,\); expected \(steps, features\)",
    ),
    "x features": (
        lambda: LSTM(3, input_shape=(T, I)) and _called()(X[..., :2]),
        ValueError,
        r"\[layers.LSTM\] .* sample has shape \(6, 2\); expected 3 features, for which",
    ),
    "states": (
        lambda: LSTM(3)(X, initial_state=[np.zeros((B, 3))]),
        ValueError,
        r"\[layers.LSTM\] initial_state has 1 arrays; expected 2",
    ),
    "states' kind": (
        lambda: LSTM(3)(X, initial_state=3),
        TypeError,
        r"initial_state is of type int; expected a list of arrays",
    ),
    "states' shape": (
        lambda: LSTM(3)(X, initial_state=np.zeros((2, 1, 3))),
        ValueError,
        r"\[layers.LSTM\] x\[1\] has 1 samples; expected 5, as many as the first input",
    ),
    "mask": (
        lambda: LSTM(3)(X, mask=MASK[:, :2]),
        ValueError,
        r"\[layers.LSTM\] mask has shape \(5, 2\); expected \(5, 6\)",
    ),
    "half": (
        lambda: _both()(X),
        ValueError,
        r"\[layers.LSTM\] a call of forward_lstm, one half of a Bidirectional, which carries",
    ),
    "half's states": (
        lambda: _both().reset_states(),
        ValueError,
        r"\[layers.LSTM\] reset_states of forward_lstm, .*; expected the Bidirectional itself",
    ),
    "half's x": (
        lambda: _both(stateful=False)(X[..., :2]),
        ValueError,
        r"\[layers.LSTM\] .* sample has shape \(6, 2\); expected 3 features, for which",
    ),
    "half in a model": (
        lambda: Sequential([_both()]),
        ValueError,
        "it is one half of a Bidirectional; add a copy and set its weights",
    ),
    "dtypes of halves": (
        lambda: Bidirectional(
            LSTM(3, dtype="float32"), backward_layer=LSTM(3, go_backwards=True, dtype="float64")
        ),
        ValueError,
        r"\[layers.Bidirectional\] the layers have several dtypes; expected the same",
    ),
    "dtype of another model": (
        lambda: Sequential([Input((T, I)), LSTM(3, dtype="float64")]),
        ValueError,
        r"\[layers.LSTM\] lstm has dtype float64; expected float32, that of its input, or none",
    ),
    "changed dtype": (
        lambda: setattr(_called(), "dtype", "float64"),
        AttributeError,
        "dtype cannot change once the layer has weights",
    ),
    "training": (
        lambda: LSTM(3)(X, training="no"),
        TypeError,
        "training is of type str; expected True or False",
    ),
    "dropout": (
        lambda: LSTM(3, dropout=1.5),
        ValueError,
        r"\[layers.LSTM\] dropout is 1.5; expected a number from 0 to below 1",
    ),
    "clip": (
        lambda: LSTM(3, cell_clip=0.0),
        ValueError,
        "cell_clip is 0; expected a number above 0",
    ),
    "interval": (
        lambda: LSTM(3, recompute_every="root"),
        ValueError,
        r'\[layers.LSTM\] recompute_every is "root"',
    ),
    "seed": (lambda: LSTM(3, seed=-1), ValueError, r"\[layers.LSTM\] seed is -1"),
    "mask value": (
        lambda: Masking("0"),
        TypeError,
        r"\[layers.Masking\] mask_value is of type str; expected a finite number",
    ),
    "batch shape": (
        lambda: LSTM(3, batch_input_shape=(2, 3, 1), input_shape=(3, 1)),
        ValueError,
        "batch_input_shape is given; expected no input_shape next to it",
    ),
    "input": (
        lambda: Input((3, 1), batch_shape=(2, 3, 1)),
        ValueError,
        "batch_shape is given; expected neither shape nor batch_size next to it",
    ),
    "own metric": (
        lambda: _masked().compile("sgd", "mse", metrics=["mae", lambda y, p: y, np.add]),
        ValueError,
        r'metrics is "mean_absolute_error,lambda,add"; expected built-in metrics, for the output h',
    ),
    "changed": (
        lambda: setattr(_called(), "go_backwards", True),
        AttributeError,
        "go_backwards cannot change once the layer has weights",
    ),
}


def _called() -> LSTM:
    layer = LSTM(3)
    layer(X)
    return layer


def _both(stateful: bool = True) -> LSTM:
    layer = Bidirectional(LSTM(3, stateful=stateful))
    layer(X)
    return layer.forward_layer


def _masked() -> Sequential:
    return Sequential([Masking(input_shape=(T, I)), LSTM(2, return_sequences=True), Dense(1)])


@pytest.mark.parametrize("name", ERRORS)
def test_message(name: str) -> None:
    call, kind, pattern = ERRORS[name]
    with pytest.raises(kind, match=pattern):
        call()

"""ConvLSTM1D and ConvLSTM2D against live Keras 3."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from keras_twins import KERAS, MASK, OURS, B, T, numbers, peer, same, same_nets, share_weights
from test_conv_lstm import CASES

pytestmark = peer

# where both have the functions, and a mean over so few values learns enough
NAMES = [name for name in CASES if name not in ("activations", "softplus")]


@pytest.mark.parametrize("name", NAMES)
def test_training(name: str) -> None:
    case = CASES[name]._replace(masked=False)

    def build(of: Any) -> Any:
        l, x = of.layers, of.layers.Input((T, *case.shape))
        h = case.make(l)(l.Dense(case.shape[-1])(x))
        return of.models.Model(x, l.Dense(2)(l.Flatten()(h)))

    same_nets(build, numbers(B, T, *case.shape), numbers(B, 2, seed=9), rate=0.1)


@pytest.mark.parametrize("name", CASES)
def test_states_and_masks(name: str) -> None:
    case = CASES[name]
    x = numbers(B, T, *case.shape)
    states = [numbers(B, *case.cells, seed=seed) for seed in (1, 2)]
    ours, theirs = (case.make(of.layers, return_state=True) for of in (OURS, KERAS))
    ours(x)
    theirs(x)
    ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
    for mask in (None, MASK):
        for first in (None, states):
            same(
                ours(x, initial_state=first, mask=mask),
                theirs(x, initial_state=first, mask=mask),
            )


def test_encoder_and_decoder() -> None:
    """States of one layer begin another, on images."""

    def build(of: Any) -> Any:
        l, x = of.layers, of.layers.Input((T, 4, 5, 2))
        same_size = {"padding": "same", "activation": "relu"}
        _, *states = l.ConvLSTM2D(3, 3, return_state=True, **same_size)(x)
        h = l.ConvLSTM2D(3, (1, 3), return_sequences=True, **same_size)(x, initial_state=states)
        h = l.BatchNormalization()(h)
        y = l.TimeDistributed(l.Conv2D(1, 3, padding="same"))(h)
        return of.models.Model(x, y)

    same_nets(build, numbers(B, T, 4, 5, 2), numbers(B, T, 4, 5, 1, seed=9), rate=0.1)


def test_stateful() -> None:
    x = numbers(B, T, 5, 2)
    models = []
    for of in (OURS, KERAS):
        layer = of.layers.ConvLSTM1D(3, 3, stateful=True, return_sequences=True)
        models.append(of.models.Sequential([of.layers.Input(batch_shape=(B, T, 5, 2)), layer]))
    share_weights(*models)
    for _ in range(2):
        same(*(model.predict(x, batch_size=B, verbose=0) for model in models))


@pytest.mark.parametrize("axes", [1, 2])
def test_defaults_and_attributes(axes: int) -> None:
    kinds = [getattr(of.layers, f"ConvLSTM{axes}D") for of in (OURS, KERAS)]
    ours, theirs = (inspect.signature(kind).parameters for kind in kinds)
    named = [name for name, each in theirs.items() if each.kind is not each.VAR_KEYWORD]
    assert [name for name in ours if name in named] == named
    for name in named:
        assert ours[name].default == theirs[name].default, name
    mine, other = (kind(3, 2, padding="SAME") for kind in kinds)
    config = other.get_config()
    for key, value in mine.get_config().items():
        if key in config and "initializer" not in key and key not in ("name", "dtype"):
            assert value == config[key], key
    assert mine.data_format == other.data_format
    assert other.name.startswith(mine.kind)

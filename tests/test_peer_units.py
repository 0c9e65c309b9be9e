"""GRU and SimpleRNN against live Keras 3 and torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keras_twins import (
    KERAS,
    MASK,
    OURS,
    B,
    T,
    masked_numbers,
    numbers,
    peer,
    same,
    same_nets,
    same_outputs,
    share_weights,
)

torch = pytest.importorskip("torch")
pytestmark = peer

UNITS: list[tuple[str, dict[str, Any]]] = [
    ("GRU", {}),
    ("GRU", {"reset_after": False}),
    ("GRU", {"use_bias": False, "activation": "relu", "recurrent_activation": "hard_sigmoid"}),
    ("GRU", {"activation": "gelu", "recurrent_activation": "softsign", "reset_after": False}),
    ("SimpleRNN", {}),
    ("SimpleRNN", {"activation": "softsign", "use_bias": False}),
]


def unit(of: Any, kind: str, units: int, **options: Any) -> Any:
    """A layer by Keras's plain loop: its fused kernels for torch forget masks of some kinds."""
    plain = {"use_cudnn": False} if kind == "GRU" else {}
    return getattr(of.layers, kind)(units, **options, **plain)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("kind", "options"), UNITS, ids=str)
def test_training(kind: str, options: dict[str, Any], masked: bool) -> None:
    def build(of: Any) -> Any:
        first = [of.layers.Masking()] if masked else []
        return of.models.Sequential(
            [
                of.layers.Input((T, 3)),
                *first,
                unit(of, kind, 7, return_sequences=True, **options),
                unit(of, kind, 6, go_backwards=True, return_sequences=True, **options),
                of.layers.Bidirectional(unit(of, kind, 4, **options)),
                of.layers.Dense(2),
            ]
        )

    x = masked_numbers() if masked else numbers(B, T, 3)
    same_nets(build, x, numbers(B, 2, seed=2), rate=0.4)


@pytest.mark.parametrize(("kind", "options"), UNITS, ids=str)
def test_states(kind: str, options: dict[str, Any]) -> None:
    x, state = numbers(B, T, 3), numbers(B, 5, seed=1)
    for more in ({}, {"return_sequences": True}, {"go_backwards": True, "return_sequences": True}):
        ours, theirs = (
            unit(of, kind, 5, return_state=True, **more, **options) for of in (OURS, KERAS)
        )
        theirs(x)
        ours(x)
        ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
        for mask in (None, MASK):
            for first in (None, [state]):
                same(
                    ours(x, initial_state=first, mask=mask),
                    theirs(x, initial_state=first, mask=mask),
                )


def test_cells() -> None:
    x = masked_numbers()
    models = []
    for of in (OURS, KERAS):
        cells = [of.layers.LSTMCell(4), of.layers.GRUCell(5), of.layers.SimpleRNNCell(3)]
        first = of.layers.RNN(of.layers.GRUCell(4, reset_after=False), return_sequences=True)
        layers = [of.layers.Input((T, 3)), of.layers.Masking(), first, of.layers.RNN(cells)]
        models.append(of.models.Sequential(layers))
    share_weights(*models)
    same_outputs(*models, x)


@pytest.mark.parametrize("kind", ["GRU", "SimpleRNN"])
def test_defaults_and_arguments(kind: str) -> None:
    import inspect

    theirs = inspect.signature(getattr(KERAS.layers, kind)).parameters
    ours = inspect.signature(getattr(OURS.layers, kind)).parameters
    for name, each in theirs.items():
        if each.kind is each.VAR_KEYWORD or name in ("unroll", "use_cudnn"):
            continue
        assert ours[name].default == each.default, name


@pytest.mark.parametrize("units", [1, 9, 32])
def test_torch(units: int) -> None:
    """torch's gates are r, z, n; its z is that of Keras, and its biases are the two of ours."""
    x, h0 = numbers(B, T, 3), numbers(B, units, seed=1)

    def ordered(w: Any) -> Any:
        r, z, n = np.split(w.detach().numpy(), 3)
        return np.concatenate([z, r, n]).T

    for kind, theirs in (
        ("GRU", torch.nn.GRU(3, units, batch_first=True)),
        ("SimpleRNN", torch.nn.RNN(3, units, batch_first=True)),
    ):
        turn = ordered if kind == "GRU" else lambda w: w.detach().numpy().T
        w, r, b, rb = (turn(each) for each in theirs.parameters())
        layer = getattr(OURS.layers, kind)(units, return_sequences=True, return_state=True)
        layer(x)
        layer.set_weights([w, r, np.stack([b, rb]) if kind == "GRU" else b + rb])
        y, h = theirs(torch.from_numpy(x), torch.from_numpy(h0)[None])
        same(layer(x, initial_state=h0), [y, h[0]])

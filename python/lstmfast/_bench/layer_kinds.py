"""Layers that are compared with torch's, and how torch builds them and lays out their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lstmfast._bench.engines.vs_torch import import_torch
from lstmfast._bench.problems import Array
from lstmfast.initializers import RandomNormal
from lstmfast.layers import (
    GRU,
    BatchNormalization,
    Conv1D,
    Conv2D,
    ConvLSTM2D,
    Embedding,
    Layer,
    MultiHeadAttention,
    ReLU,
)


@dataclass(frozen=True)
class Kind:
    """A kind of layer.

    Attributes
    ----------
    cases : sequence of (batch, shape of a sample, sizes)
        The sizes go to `ours` and `theirs`.
    ours, theirs : callable
        Return the layers for these sizes; theirs gets torch.nn first, and the features of x.
    to_torch : callable
        Returns Keras's weights in torch's order and layout.
    ids : bool
        Whether x holds ids, below the first of the sizes.
    channels_first : bool
        Whether torch's features are axis 1.
    to_beat : bool
        Whether there is a goal.
    """

    name: str
    cases: Sequence[tuple[int, tuple[int, ...], tuple[int, ...]]]
    ours: Callable[..., Sequence[Callable[[Any], Any]]]
    theirs: Callable[..., list[Any]]
    to_torch: Callable[[list[Array]], list[Array]]
    ids: bool = False
    channels_first: bool = False
    to_beat: bool = True


def _as_they_are(weights: list[Array]) -> list[Array]:
    return weights


def _convolutions(of: Any, filters: int, taps: int) -> list[Layer]:
    return [of(filters, taps, padding="same", activation="relu") for _ in range(2)]


def _torch_convolutions(name: str, nn: Any, features: int, filters: int, taps: int) -> list[Any]:
    both = [getattr(nn, name)(n, filters, taps, padding="same") for n in (features, filters)]
    return [each for convolution in both for each in (convolution, nn.ReLU())]


def _filters_first(weights: list[Array]) -> list[Array]:
    """Return kernels (*taps, features, filters) as (filters, features, *taps)."""
    return [np.moveaxis(w, (-1, -2), (0, 1)) if w.ndim > 1 else w for w in weights]


def _normalizations() -> list[Layer]:
    # With beta = 0 the second layer would undo what gamma does: its gradient would be rounding.
    beta = RandomNormal(stddev=1.0)
    layers = (BatchNormalization(beta_initializer=beta), ReLU())
    return [*layers, BatchNormalization(beta_initializer=beta), ReLU()]


def _torch_normalizations(nn: Any, features: int) -> list[Any]:
    both = [nn.BatchNorm1d(features, eps=1e-3, momentum=0.01) for _ in range(2)]
    return [each for layer in both for each in (layer, nn.ReLU())]


def _torch_gru(nn: Any, features: int, units: int) -> list[Any]:
    class Outputs(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(features, units, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.gru(x)[0]

    return [Outputs()]


def _gru_to_torch(weights: list[Array]) -> list[Array]:
    """Return gates z, r, h of columns as r, z, h of rows."""
    parts = [np.split(w, 3, axis=-1) for w in weights]
    kernel, recurrent, biases = (np.concatenate([r, z, h], axis=-1) for z, r, h in parts)
    return [kernel.T, recurrent.T, *biases]


def _self_attention(heads: int, size: int) -> list[Callable[[Any], Any]]:
    layer = MultiHeadAttention(heads, size)
    return [lambda x: layer(x, x)]


def _torch_self_attention(nn: Any, features: int, heads: int, size: int) -> list[Any]:
    class SelfAttention(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.MultiheadAttention(features, heads, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.layer(x, x, x, need_weights=False)[0]

    return [SelfAttention()]


def _attention_to_torch(weights: list[Array]) -> list[Array]:
    """Return the projections of query, key and value as one, and that of the output."""
    *inputs, kernel, bias = weights
    kernels = [w.reshape(len(w), -1).T for w in inputs[::2]]
    biases = [w.reshape(-1) for w in inputs[1::2]]
    return [np.concatenate(kernels), np.concatenate(biases), kernel.reshape(-1, len(bias)).T, bias]


def _torch_conv_lstm(nn: Any, features: int, filters: int, taps: int) -> list[Any]:
    stack = import_torch().stack

    class ConvLSTM(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.of_x = nn.Conv2d(features, 4 * filters, taps, padding="same")
            self.of_h = nn.Conv2d(filters, 4 * filters, taps, padding="same", bias=False)

        def forward(self, x: Any) -> Any:
            batch, _, steps, *sizes = x.shape
            ahead = self.of_x(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (batch, steps))
            h = c = x.new_zeros(batch, filters, *sizes)
            outputs = []
            for t in range(steps):
                i, f, g, o = (ahead[:, t] + self.of_h(h)).chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
                outputs.append(h)
            return stack(outputs, 2)

    return [ConvLSTM()]


KINDS = (
    Kind(
        "conv1d",
        [(1, (64, 1), (16, 5)), (32, (50, 8), (32, 3)), (32, (100, 64), (64, 3)),
         (32, (500, 64), (128, 5)), (64, (256, 256), (256, 3))],
        partial(_convolutions, Conv1D), partial(_torch_convolutions, "Conv1d"), _filters_first,
        channels_first=True,
    ),
    Kind(
        "conv2d",
        [(1, (28, 28, 1), (16, 3)), (32, (28, 28, 1), (32, 3)), (32, (14, 14, 32), (64, 3)),
         (8, (56, 56, 64), (64, 3)), (64, (14, 14, 256), (256, 3))],
        partial(_convolutions, Conv2D), partial(_torch_convolutions, "Conv2d"), _filters_first,
        channels_first=True,
    ),
    Kind(
        "embedding",
        [(1, (10,), (1000, 16)), (32, (50,), (10_000, 64)), (32, (100,), (20_000, 128)),
         (64, (200,), (20_000, 256)), (128, (100,), (50_000, 512))],
        lambda rows, width: [Embedding(rows, width)],
        lambda nn, _, rows, width: [nn.Embedding(rows, width, sparse=True)], _as_they_are, ids=True,
    ),
    Kind(
        "batch_norm",
        [(8, (16,), ()), (32, (128,), ()), (1, (100, 40), ()), (32, (50, 64), ()),
         (64, (196, 256), ())],
        _normalizations, _torch_normalizations, _as_they_are, channels_first=True,
    ),
    Kind(
        "gru",
        [(1, (20, 1), (20,)), (1, (100, 40), (64,)), (32, (50, 64), (128,)),
         (16, (60, 128), (256,)), (128, (20, 64), (512,))],
        lambda units: [GRU(units, return_sequences=True)], _torch_gru, _gru_to_torch,
    ),
    Kind(
        "attention",
        [(1, (20, 32), (4, 8)), (32, (50, 64), (4, 16)), (16, (200, 256), (8, 32))],
        _self_attention, _torch_self_attention, _attention_to_torch, to_beat=False,
    ),
    Kind(
        "conv_lstm2d",
        [(1, (5, 16, 16, 1), (8, 3)), (8, (10, 16, 16, 1), (16, 3)),
         (4, (10, 32, 32, 16), (32, 3))],
        lambda filters, taps: [ConvLSTM2D(filters, taps, padding="same", return_sequences=True)],
        _torch_conv_lstm, lambda weights: _filters_first([weights[k] for k in (0, 2, 1)]),
        channels_first=True, to_beat=False,
    ),
)  # fmt: skip

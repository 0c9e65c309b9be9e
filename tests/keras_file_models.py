"""Models for Keras's files, made alike from the layers and models of lstmfast or of Keras."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

IDS = np.arange(8).reshape(2, 4) % 7
STEPS = np.linspace(-1.0, 1.0, 30).reshape(2, 5, 3).astype(np.float32)


def row(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """A Sequential with a mask, both directions and a layer inside another."""
    model = models.Sequential(
        [
            layers.Input((5, 3)),
            layers.Masking(-1.0),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(2, activation="tanh", kernel_regularizer="l2")),
            layers.Dropout(0.3),
            layers.LSTM(2, kernel_constraint="max_norm", dropout=0.1, recurrent_dropout=0.2),
        ],
        name="row",
    )
    return model, [STEPS]


def graph(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """Ids, states that start another layer, a shared layer, models inside, two outputs."""
    ids, steps = layers.Input((4,), dtype="int32", name="ids"), layers.Input((5, 3), name="steps")
    table = layers.Embedding(7, 3, mask_zero=True, name="table")
    y, h, c = layers.LSTM(2, return_state=True, return_sequences=True, name="encoder")(table(ids))
    last = layers.LSTM(2, name="decoder")(steps, initial_state=[h, c])
    flat = layers.Flatten(name="flat")(layers.TimeDistributed(layers.Dense(2), name="each")(y))
    joined = layers.Concatenate(name="joined")([last, flat])
    inner = models.Sequential([layers.Input((10,)), layers.Dense(3), layers.Dense(2)], name="inner")
    z = inner(joined)
    shared = layers.Dense(2, name="shared")
    z = layers.Add(name="sum")([shared(z), shared(shared(z))])
    start = layers.Input((2,), name="start")
    ends = [layers.Dense(2, name="p")(start), layers.Dense(3, name="q")(start)]
    p, q = models.Model(start, ends, name="two")(z)
    out = layers.Dense(1, activation="relu", trainable=False, name="out")(p)
    return models.Model([ids, steps], [out, q], name="graph"), [IDS, STEPS]


def pictures(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """Convolutions and pooling, and those of each step before an LSTM."""
    cnn = models.Sequential(
        [
            layers.Input((4, 3, 1)),
            layers.Conv2D(3, (2, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 1)),
            layers.Flatten(),
        ]
    )
    model = models.Sequential(
        [
            layers.Input((5, 4, 3, 1)),
            layers.TimeDistributed(cnn),
            layers.Conv1D(4, 2, padding="causal", dilation_rate=2),
            layers.LSTM(3, return_sequences=True),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2),
        ]
    )
    return model, [np.linspace(-1.0, 1.0, 120, dtype=np.float32).reshape(2, 5, 4, 3, 1)]


def channels(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """Dropout of whole channels, whose constructors take few arguments in Keras."""
    model = models.Sequential(
        [
            layers.Input((5, 3)),
            layers.SpatialDropout1D(0.2),
            layers.Reshape((5, 3, 1)),
            layers.SpatialDropout2D(0.2),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    return model, [STEPS]


def units(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """Cells other than the LSTM."""
    model = models.Sequential(
        [
            layers.Input((5, 3)),
            layers.GRU(4, return_sequences=True, recurrent_dropout=0.1),
            layers.Bidirectional(layers.GRU(3, reset_after=False, return_sequences=True)),
            layers.SimpleRNN(2, activation="relu", use_bias=False),
        ]
    )
    return model, [STEPS]


def frames(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """Convolutional LSTMs over lines and images."""
    model = models.Sequential(
        [
            layers.Input((3, 4, 5, 2)),
            layers.ConvLSTM2D(3, (2, 3), padding="same", return_sequences=True, dropout=0.1),
            layers.TimeDistributed(layers.MaxPooling2D((4, 1))),
            layers.Reshape((3, 5, 3)),
            layers.ConvLSTM1D(2, 2, use_bias=False, recurrent_activation="hard_sigmoid"),
        ]
    )
    return model, [np.linspace(-1.0, 1.0, 240, dtype=np.float32).reshape(2, 3, 4, 5, 2)]


def attention(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """All layers of attention, causal and not, with scores as output."""
    x = layers.Input((5, 3))
    y = layers.LSTM(4, return_sequences=True)(x)
    z = layers.Dense(4)(x)
    one = layers.Attention(use_scale=True)([z, y], use_causal_mask=True)
    two = layers.AdditiveAttention()([z, y, one])
    heads = layers.MultiHeadAttention(2, 3, value_dim=2, output_shape=3, kernel_regularizer="l2")
    three, scores = heads(two, x, y, return_attention_scores=True)
    four = layers.MultiHeadAttention(1, 2, use_bias=False)(three, y)
    return models.Model(x, [four, scores]), [STEPS]


def ops_of(layers: Any) -> Any:
    return import_module(f"{layers.__name__.rpartition('.')[0]}.ops")


def operations(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """Operators, slices and functions of tensors, arrays among them."""
    o, x = ops_of(layers), layers.Input((5, 3), name="x")
    h = layers.LSTM(4, return_sequences=True)(layers.Dense(3)(x))
    last = h[:, -1] * 2.0 - 0.5 / (1.0 + o.exp(o.mean(h, axis=1)))
    lines = x + np.linspace(0.0, 1.0, 15, dtype=np.float32).reshape(1, 5, 3)
    parts = o.concatenate([lines[:, 1:, None, ::2], o.expand_dims(h[:, :-1, :2], 2)], axis=-1)
    scores = o.softmax(o.matmul(h, o.transpose(h, (0, 2, 1))), axis=-1)
    chosen = o.where(x > 0.2, x, 0.1 * x) + o.cast(o.equal(x, o.abs(x)), "float32")
    turned = o.flip(o.maximum(x, 0.1) ** 2.0, axis=1) @ np.eye(3, 2, dtype=np.float32)
    spread = o.std(x, axis=(1, 2)) * o.sum(x, axis=[1, 2], keepdims=False) + o.max(
        x[..., 0], axis=1
    )
    more = o.sqrt(o.square(x) + 1.0) * o.sign(x) + o.floor(-x) + o.tanh(x) * o.relu(x)
    pairs = o.einsum("btf,bsf->bts", x, h[..., :3]) + o.cumsum(
        o.pad(x, [[0, 0], [0, 0], [1, 1]]), 1
    )
    places = o.one_hot(o.argmax(x, axis=-1), 3) + o.cast(o.argmin(x, axis=1), "float32")[:, None]
    a, b = o.split(more, [1], axis=-1)
    ends = [
        pairs,
        places,
        last,
        parts,
        scores,
        chosen,
        turned,
        spread,
        o.stack([a, a], axis=1),
        b,
        o.clip(x, 0, 1),
    ]
    return models.Model(x, ends, name="operations"), [STEPS]


def own(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """Layers of a user's own: weights, layers inside, in lists too, in rows and in others."""
    o = ops_of(layers)

    class Weighted(layers.Layer):  # type: ignore[misc]
        def __init__(self, power: float = 1.0, **options: Any) -> None:
            super().__init__(**options)
            self.power = power

        def build(self, shape: Any) -> None:
            self.steady = self.add_weight(shape=(1,), trainable=False, name="steady")
            self.w = self.add_weight(shape=(shape[-1], 1), name="w")

        def call(self, x: Any) -> Any:
            return o.sum(x * o.softmax(o.matmul(x, self.w) + self.steady, axis=1), 1) * self.power

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"power": self.power}

    class Branches(layers.Layer):  # type: ignore[misc]
        def __init__(self, sizes: Any = (2, 3), **options: Any) -> None:
            super().__init__(**options)
            self.sizes = list(sizes)
            self.more = [layers.Dense(size) for size in self.sizes]
            self.first = layers.Dense(2)
            self.both = {"a": layers.LSTM(2, return_sequences=True), "b": [layers.Dense(2)]}

        def build(self, shape: Any) -> None:
            for each in (*self.more, self.first, self.both["a"], *self.both["b"]):
                if "keras" in layers.__name__:
                    each.build(shape)

        def call(self, x: Any) -> Any:
            each = [*self.more, self.first, self.both["a"], *self.both["b"]]
            return o.concatenate([layer(x) for layer in each], axis=-1)

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"sizes": self.sizes}

    OWN[layers.__name__.partition(".")[0]] |= {"Weighted": Weighted, "Branches": Branches}
    x = layers.Input((5, 3))
    y = Weighted(2.0, name="weighted")(Branches([4, 1])(x))
    row = [layers.Input((5, 3)), layers.Dense(3), Weighted(name="w")]
    return models.Model(x, [y, models.Sequential(row)(x)]), [STEPS]


# by package what files of a user's own classes and functions need
OWN: dict[str, dict[str, Any]] = {"lstmfast": {}, "keras": {}}


def twice(x: Any) -> Any:
    return 2.0 * x[:, 1:]


def functions(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """Functions as layers, one of them with arguments."""

    def powers(x: Any, power: float) -> Any:
        return x**power

    OWN[layers.__name__.partition(".")[0]] |= {"twice": twice, "powers": powers}
    inner = models.Sequential([layers.Input((4, 3)), layers.Dense(2)])
    model = models.Sequential(
        [
            layers.Input((5, 3)),
            layers.Lambda(twice),
            layers.Lambda(powers, arguments={"power": 2.0}, name="squares"),
            inner,
        ]
    )
    return model, [STEPS]


def cells(layers: Any, models: Any) -> tuple[Any, list[Any]]:
    """RNN over cells, one or several, in both directions."""
    x = layers.Input((5, 3))
    y = layers.RNN(layers.LSTMCell(3, unit_forget_bias=False), return_sequences=True)(x)
    stacked = [layers.GRUCell(2, use_bias=False), layers.SimpleRNNCell(4, activation="relu")]
    y = layers.RNN(stacked, return_sequences=True, name="stacked")(y)
    both = layers.Bidirectional(layers.RNN(layers.SimpleRNNCell(2)))(y)
    _, h, c = layers.RNN(layers.LSTMCell(2), return_state=True, name="states")(y)
    return models.Model(x, [both, h, c]), [STEPS]


MODELS = {
    "operations": operations,
    "own": own,
    "functions": functions,
    "cells": cells,
    "row": row,
    "graph": graph,
    "pictures": pictures,
    "channels": channels,
    "units": units,
    "frames": frames,
    "attention": attention,
}


def answers(model: Any, inputs: list[Any]) -> list[Any]:
    found = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    return found if isinstance(found, list) else [found]

"""Models for Keras's files, made alike from the layers and models of lstmfast or of Keras."""

from __future__ import annotations

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


MODELS = {
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

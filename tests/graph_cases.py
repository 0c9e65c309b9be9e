"""A graph of two inputs, and data for tests of graphs."""

from __future__ import annotations

import numpy as np

from lstmfast.layers import (
    LSTM,
    Concatenate,
    Dense,
    Input,
)
from lstmfast.models import Model

B, T, I = 4, 5, 3
RNG = np.random.default_rng(0)
X = RNG.standard_normal((B, T, I), dtype=np.float32)
FLAT = RNG.standard_normal((B, 2), dtype=np.float32)


def two_branches() -> Model:
    """Layers are made in another order than they stand in the graph."""
    last = Dense(1, name="last")
    fixed, sequence = Input((2,), name="fixed"), Input((T, I), name="sequence")
    short = Dense(3, name="short")(fixed)
    deep = LSTM(3, name="deep")(LSTM(2, return_sequences=True, name="deeper")(sequence))
    return Model([sequence, fixed], last(Concatenate(name="both")([short, deep])), name="net")

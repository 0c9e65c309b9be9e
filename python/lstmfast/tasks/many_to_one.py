"""Three consecutive numbers in, their sum out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._counting import Counting
from ._records import Part


@dataclass(kw_only=True)
class ManyToOne(Counting):
    """Add three numbers that follow each other: 50 51 52 makes 153."""

    mode = "many to one"
    source = "the sum of three numbers, a usual first example of Keras's LSTM"
    steps_in, steps_out = 3, 0

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return triples and their sums."""
        x, _, _ = super().make(rng, samples)
        return Part(x, x.sum(axis=1))

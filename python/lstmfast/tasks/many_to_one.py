"""Three consecutive numbers in, their sum out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._measures import within
from ._records import Part, Settings
from ._task import Task, option


@dataclass(kw_only=True)
class ManyToOne(Task):
    """Add three numbers that follow each other: 50 51 52 makes 153.

    Parameters
    ----------
    largest : int
        The sequences begin with 1 to this number.
    """

    largest: int = option(100)

    mode = "many to one"
    source = "the sum of three numbers, a usual first example of Keras's LSTM"
    settings = Settings(units=50, epochs=60, learning_rate=0.01, model={"activation": "relu"})
    measure = within(3.0)
    target = 0.95

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return triples and their sums."""
        first = rng.integers(1, self.largest + 1, (samples, 1))
        x = (first + np.arange(3.0))[..., np.newaxis]
        return Part(x, x.sum(axis=1))

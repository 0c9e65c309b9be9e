"""Whether a running sum has passed a threshold is to be said at each step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._records import Part, Settings
from ._task import Task, option


@dataclass(kw_only=True)
class CumulativeSum(Task):
    """Say at each step whether the sum of the numbers so far exceeds a quarter of their count.

    Parameters
    ----------
    length : int
        Numbers in a sequence, each between 0 and 1.
    """

    length: int = option(10, least=2)

    mode = "many to many"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 10"
    settings = Settings("bidirectional", units=20, epochs=30, learning_rate=0.02)
    target = 0.98
    labels = ("below", "above")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return random numbers, and whether their sums have passed the threshold."""
        x = rng.random((samples, self.length, 1))
        return Part(x, (x[..., 0].cumsum(axis=1) > self.length / 4).astype(np.int64))

"""The first number of a long sequence is to be remembered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from ._measures import within
from ._memory import Memory
from ._records import Part, Settings
from ._task import option


@dataclass(kw_only=True)
class LongMemory(Memory):
    """Remember the first number of a sequence over a thousand steps.

    All numbers are random, from -1 to 1; a mark says which one is the first.

    Parameters
    ----------
    length : int
        Numbers in a sequence.
    """

    length: int = option(1000, least=2)

    mode = "many to one"
    source = (
        "Bengio, Simard and Frasconi: Learning long-term dependencies with gradient descent is "
        "difficult, 1994"
    )
    settings = Settings(
        units=16, epochs=30, learning_rate=0.02, samples=(1000, 200, 500),
        model={"forget_bias": "chrono"},
    )  # fmt: skip
    measure = within(0.1)
    target = 0.95

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return numbers (feature 0) and the mark (feature 1), and the first numbers."""
        x = np.zeros((samples, self.length, 2), np.float32)
        x[..., 0] = rng.uniform(-1.0, 1.0, x.shape[:2])
        x[:, 0, 1] = 1.0
        return Part(x, x[:, 0, :1])

    def show_x(self, x: Array) -> str:
        """Return the first number, and how many follow."""
        return f"{x[0, 0]:.3f}, then {len(x) - 1} others"

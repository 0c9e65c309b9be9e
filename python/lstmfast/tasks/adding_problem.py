"""The sum of two marked numbers of a long sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from ._measures import within
from ._memory import Memory
from ._records import Part, Settings
from ._task import option


@dataclass(kw_only=True)
class AddingProblem(Memory):
    """Add the two marked numbers of a long sequence of random ones.

    Each number is between 0 and 1; one is marked in each half of the sequence.

    Parameters
    ----------
    length : int
        Numbers in a sequence.
    """

    length: int = option(100, least=2)

    mode = "many to one"
    source = (
        "Hochreiter and Schmidhuber: Long Short-Term Memory, 1997; with a mark in each half: "
        "Arjovsky, Shah and Bengio, 2016"
    )
    settings = Settings(
        units=16, epochs=15, learning_rate=0.01, samples=(5000, 500, 1000),
        model={"forget_bias": "chrono"},
    )  # fmt: skip
    measure = within(0.08)  # that of 1997, where answers are half as large: 0.04
    target = 0.95

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return numbers (feature 0) and marks (feature 1), and the sums of the marked numbers."""
        x = np.zeros((samples, self.length, 2), np.float32)
        x[..., 0] = rng.random((samples, self.length))
        half = self.length // 2
        places = rng.integers([[0, half]], [[half, self.length]], (samples, 2))
        np.put_along_axis(x[..., 1], places, 1.0, axis=1)
        return Part(x, x.prod(axis=2).sum(axis=1, keepdims=True))

    def show_x(self, x: Array) -> str:
        """Return the marked numbers and their places."""
        places = np.flatnonzero(x[:, 1])
        return " ".join(f"{x[place, 0]:.3f} (step {place + 1})" for place in places)

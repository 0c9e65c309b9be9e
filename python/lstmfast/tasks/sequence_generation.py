"""Sequences like those seen are written, from a first number on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array

from ._counting import Counting
from ._records import Part
from ._task import option


@dataclass(kw_only=True)
class SequenceGeneration(Counting):
    """Write sequences like those seen: after 1 3 5 and 7 9 11 were, 3 makes 5 7.

    Each number that the model writes is its next input.

    Parameters
    ----------
    length : int
        Numbers to write after the first one.
    """

    length: int = option(5)

    mode = "generation"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 1"
    shortest = longest = 2

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return sequences in steps of two, and the number after each of theirs."""
        numbers = self.series(rng, samples, self.length + 1)
        return Part(numbers[:, :-1], numbers[:, 1:])

    def predict(self, model: Any, x: Array) -> Array:
        """Return what a model writes after the first numbers of x."""
        written: Array = model.generate(x[:, :1], x.shape[1])
        return written

    def show_x(self, x: Array) -> str:
        """Return the first number."""
        return super().show_x(x[:1])

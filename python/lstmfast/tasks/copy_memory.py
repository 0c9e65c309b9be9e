"""Symbols are to be said again after a long silence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lstmfast._arrays import Array

from ._measures import ACCURACY
from ._memory import Memory
from ._records import Part, Settings
from ._task import option


@dataclass(kw_only=True)
class CopyMemory(Memory):
    """Say the first symbols of a sequence again, in order, after a long silence.

    The symbols are the letters a to h. Silent steps follow (``.``), a sign to speak (``?``) and
    again silence. The answers from the sign on are those that count.

    Parameters
    ----------
    symbols : int
        Symbols to say again.
    delay : int
        Silent steps between the last symbol and the sign to speak.
    """

    symbols: int = option(10)
    delay: int = option(50, least=0)

    mode = "many to many"
    source = "Arjovsky, Shah and Bengio: Unitary Evolution Recurrent Neural Networks, 2016"
    settings = Settings(
        units=96, epochs=12, learning_rate=0.02, batch_size=64, samples=(8000, 200, 500),
        model={"forget_bias": "chrono"},
    )  # fmt: skip
    measure = replace(ACCURACY, name="share of symbols recalled")
    target = 0.95
    labels = tuple("abcdefgh")
    vocabulary = (*labels, ".", "?")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return ids, an answer for each step, and which of the answers count."""
        said = rng.integers(0, len(self.labels), (samples, self.symbols))
        silence = self.vocabulary.index(".")
        x = np.full((samples, 2 * self.symbols + self.delay), silence)
        x[:, : self.symbols] = said
        x[:, -self.symbols] = silence + 1
        y, weights = np.zeros_like(x), np.zeros(x.shape, np.float32)
        y[:, -self.symbols :] = said
        weights[:, -self.symbols :] = 1.0
        return Part(x, y, weights)

    def show_y(self, y: Array) -> str:
        """Return the answers that count."""
        return super().show_y(y[-self.symbols :])

"""The order of two rare symbols, far apart among others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._memory import Memory
from ._records import Part, Settings
from ._task import option


@dataclass(kw_only=True)
class TemporalOrder(Memory):
    """Say in which order X and Y came, far apart among other symbols: XX, XY, YX or YY.

    The first relevant symbol comes after a tenth to a fifth of the steps, the second one after a
    half to six tenths. Each sequence begins with ``<`` and ends with ``>``.

    Parameters
    ----------
    length : int
        Symbols in a sequence.
    """

    length: int = option(100, least=10)

    mode = "many to one"
    source = "Hochreiter and Schmidhuber: Long Short-Term Memory, 1997"
    settings = Settings(
        units=16, epochs=8, learning_rate=0.01, samples=(2000, 500, 1000),
        model={"forget_bias": "chrono"},
    )  # fmt: skip
    target = 0.95
    vocabulary = tuple("abcdXY<>")
    labels = ("XX", "XY", "YX", "YY")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return sequences of ids, and the classes of their two relevant symbols."""
        x = rng.integers(0, 4, (samples, self.length))
        x[:, 0], x[:, -1] = 6, 7
        shares = rng.uniform([0.1, 0.5], [0.2, 0.6], (samples, 2))
        relevant = rng.integers(0, 2, (samples, 2))
        np.put_along_axis(x, (shares * self.length).astype(int), 4 + relevant, axis=1)
        return Part(x, relevant @ [2, 1])

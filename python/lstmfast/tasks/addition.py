"""Sums of whole numbers, in text: characters in, characters out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from ._apart import Apart
from ._measures import EXACT
from ._records import Part, Settings
from ._task import option
from ._words import ids_of


@dataclass(kw_only=True)
class Addition(Apart):
    """Write the sum of two numbers of up to three digits, character by character.

    Parameters
    ----------
    digits : int
        Of each number, at most.
    """

    digits: int = option(3, most=18)

    mode = "sequence to sequence"
    source = "Zaremba and Sutskever: Learning to Execute, 2014; Keras's example addition_rnn"
    settings = Settings(
        "encoder_decoder", units=64, epochs=18, samples=(20000, 200, 500),
        model={"layer_norm": True},
    )  # fmt: skip
    measure = EXACT
    target = 0.95
    vocabulary = labels = tuple(" 0123456789+")

    def same(self, x: Array) -> bytes:
        """Return the terms in order, so that nobody is asked for 2+1 who has learnt 1+2."""
        return "+".join(sorted(self.show_x(x).split("+"))).encode()

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return sums and their values; spaces fill them up on the left."""
        digits = rng.integers(1, self.digits + 1, (samples, 2))
        digits[rng.random(samples) < 0.5] = self.digits  # or short terms would be most of them
        terms = rng.integers(0, 10**digits)
        sums = [f"{a}+{b}".rjust(2 * self.digits + 1) for a, b in terms]
        values = [str(value).rjust(self.digits + 1) for value in terms.sum(axis=1)]
        width = 2 * self.digits + 1
        return Part(
            ids_of(sums, self.vocabulary, width), ids_of(values, self.vocabulary, self.digits + 1)
        )

"""Runs of numbers are told apart: those that count on, and those with a mistake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array

from ._apart import Apart
from ._records import Part, Settings
from ._task import option
from ._words import numbers

_SCALE = 10.0  # numbers are divided by it


@dataclass(kw_only=True)
class SequenceClassification(Apart):
    """Say whether a run of numbers is good: each is one more than the one before; a bad one errs.

    Parameters
    ----------
    length : int
        Numbers of a run. In a bad one a number that is not the first is 2 to 9 too small or large.
    largest : int
        The runs begin with 1 to this number.
    """

    length: int = option(5, least=2)
    largest: int = option(50, least=30)

    mode = "many to one"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 1"
    settings = Settings(epochs=60, samples=(5000, 200, 500), model={"layer_norm": True})
    target = 0.95
    labels = ("bad", "good")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return as many bad runs as good ones, about."""
        runs = rng.integers(1, self.largest + 1, (samples, 1)) + np.arange(self.length)
        good = rng.integers(0, 2, samples)
        place = rng.integers(1, self.length, samples)
        runs[np.arange(samples), place] += rng.choice([-1, 1], samples) * (
            rng.integers(2, 10, samples) * (1 - good)
        )
        return Part(runs[..., np.newaxis] / _SCALE, good)

    @property
    def metadata(self) -> dict[str, Any]:
        """What files of a model hold: also the scale of what goes in."""
        return {**super().metadata, "deviation": _SCALE}

    def show_x(self, x: Array) -> str:
        """Return the numbers."""
        return numbers(x * _SCALE)

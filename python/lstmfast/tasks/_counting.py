"""What tasks have in common that are about whole numbers which follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array

from ._apart import Apart
from ._measures import Measure, share_of
from ._records import Part, Settings
from ._task import option
from ._words import numbers

SETTINGS = Settings(epochs=150, samples=(3000, 200, 200))
_SCALE = 100.0  # numbers are divided by it


def _share_right(expected: Array, given: Array, weights: Array | None) -> float:
    return share_of(np.abs(given - expected) * _SCALE < 0.5, weights)


@dataclass(kw_only=True)
class Counting(Apart):
    """A task about series of whole numbers, or of multiples of one; each is in one part only.

    Parameters
    ----------
    largest : int
        The series begin with 1 to this number.
    """

    largest: int = option(100, least=30)

    settings = SETTINGS
    measure = Measure("share of right answers", _share_right)
    target = 0.95
    steps_in: ClassVar[int]
    steps_out: ClassVar[int]
    answers_have_steps: ClassVar[bool] = False
    multiple: ClassVar[int] = 1
    shortest: ClassVar[int] = 1  # steps from a number to the next
    longest: ClassVar[int] = 1

    def series(self, rng: np.random.Generator, samples: int, numbers: int) -> Array:
        """Return series of so many numbers (N, numbers, 1), scaled."""
        first = rng.integers(1, self.largest + 1, (samples, 1, 1))
        step = rng.integers(self.shortest, self.longest + 1, (samples, 1, 1))
        return (first + step * np.arange(numbers)[:, np.newaxis]) / _SCALE

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return the beginnings of series, and what follows."""
        series = self.series(rng, samples, self.steps_in + self.steps_out)
        x, y = series[:, : self.steps_in], series[:, self.steps_in :]
        return Part(x, y if self.answers_have_steps else y[..., 0])

    @property
    def metadata(self) -> dict[str, Any]:
        """What files of a model hold: also the scale of what goes in and comes out."""
        scale = {"deviation": _SCALE * self.multiple}
        return {**super().metadata, **scale, "answers": scale}

    def show_x(self, x: Array) -> str:
        """Return the numbers."""
        return numbers(x * _SCALE * self.multiple)

    def show_y(self, y: Array) -> str:
        """Return the numbers, rounded as in the score."""
        return numbers(np.rint(y * _SCALE * self.multiple))

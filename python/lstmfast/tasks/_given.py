"""What tasks have in common whose data are given, not made."""

from __future__ import annotations

import numpy as np

from ._records import Part
from ._task import Task


class Given(Task):
    """A task with so many samples and no more; each subclass has its own.

    The sizes that its `settings` suggest are the most that there are. `samples` takes the last
    ones of those to train with.

    Attributes
    ----------
    data : Part
        All samples: first those to train with, then those to validate and to test with.
    """

    data: Part

    def __post_init__(self) -> None:
        super().__post_init__()
        most = self.settings.samples[0]
        if self.samples is not None and self.samples > most:
            raise ValueError(f"[{self.name}] samples is {self.samples}; expected at most {most}")

    def part(self, place: int, rng: np.random.Generator, samples: int) -> Part:
        """Return the last samples of a part of the data."""
        end = sum(self.settings.samples[: place + 1])
        return Part(self.data.x[end - samples : end], self.data.y[end - samples : end])

"""Tasks with few different samples: each of those is in one part of the data only."""

from __future__ import annotations

from zlib import crc32

import numpy as np

from lstmfast._arrays import Array

from ._records import Part
from ._task import Task

_PART_OF = (0, 0, 0, 1, 2)  # of five different x, three are trained with
_DRAWS = 100


class Apart(Task):
    """A task each of whose x is in one part only, which follows from x alone."""

    def same(self, x: Array) -> bytes:
        """Return what samples have in common that are to be in one part."""
        return x.tobytes()

    def part_of(self, x: Array) -> int:
        """Return the only part that may have a sample."""
        return _PART_OF[crc32(self.same(x)) % len(_PART_OF)]

    def part(self, place: int, rng: np.random.Generator, samples: int) -> Part:
        """Return so many samples that belong to a part, of all that are drawn."""
        found: list[list[Array]] = []
        for _ in range(_DRAWS):
            made = self.make(rng, samples * (6 if place else 2))
            kept = np.equal([self.part_of(x) for x in made.x], place)
            found.append([each[kept] for each in made if each is not None])
            if sum(len(x) for x, *_ in found) >= samples:
                return Part(*(np.concatenate(each)[:samples] for each in zip(*found, strict=True)))
        raise ValueError(
            f"[{self.name}] too few different samples to train and to test with; expected options "
            "with more"
        )

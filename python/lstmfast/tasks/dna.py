"""Stretches of DNA: a gene, or the same bases in random order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._records import Part, Settings
from ._task import Task, option

_BASES = "TCAG"
# Codons of Escherichia coli per thousand, in the order TTT TTC TTA TTG TCT ...; stops are 0.
_USAGE = np.array([
    20, 15, 15, 12, 6, 6, 8, 8, 17, 15, 0, 0, 6, 8, 0, 11,
    12, 11, 5, 47, 8, 6, 7, 27, 16, 13, 12, 28, 21, 26, 4, 4,
    31, 18, 4, 25, 8, 23, 6, 12, 22, 24, 33, 12, 7, 17, 1, 2,
    17, 12, 12, 26, 11, 32, 21, 39, 38, 21, 44, 18, 21, 33, 9, 9,
])  # fmt: skip


def _codons(names: str) -> list[int]:
    """Return the ids of codons."""
    return [
        sum(_BASES.index(base) * 4**place for base, place in zip(name, (2, 1, 0), strict=True))
        for name in names.split()
    ]


@dataclass(kw_only=True)
class Dna(Task):
    """Tell a gene from bases in random order, as many of each: codons make the difference.

    A gene begins with ATG, has codons as often as Escherichia coli has them, none of which is a
    stop, and ends with a stop codon. It stands at any of the places of the sequence, so that its
    reading frame is to be found, too.

    Parameters
    ----------
    codons : int
        Codons of a gene, between its start and its stop.
    flank : int
        Bases that are not of the gene, before and after it together.
    """

    codons: int = option(30)
    flank: int = option(9, least=0)

    mode = "many to one"
    source = (
        "Fickett: Recognition of protein coding regions in DNA sequences, 1982; codon usage: "
        "Nakamura, Gojobori and Ikemura, 2000"
    )
    settings = Settings(
        "bidirectional", units=24, epochs=8, learning_rate=0.02, batch_size=64,
        samples=(4000, 500, 1000),
    )  # fmt: skip
    target = 0.9
    vocabulary = tuple(_BASES)
    labels = ("not coding", "coding")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return stretches of bases, half of them shuffled."""
        usage = _USAGE / _USAGE.sum()
        codons = rng.choice(64, (samples, self.codons + 2), p=usage)
        codons[:, 0] = _codons("ATG")[0]
        codons[:, -1] = rng.choice(_codons("TAA TAG TGA"), samples)
        genes = np.stack([codons // 16, codons // 4 % 4, codons % 4], axis=-1)
        genes = genes.reshape(samples, -1)
        x = rng.choice(genes.ravel(), (samples, genes.shape[1] + self.flank))  # as many of each
        first = rng.integers(0, self.flank + 1, (samples, 1))
        np.put_along_axis(x, first + np.arange(genes.shape[1]), genes, axis=1)
        y = rng.integers(0, 2, samples)
        x[y == 0] = rng.permuted(x[y == 0], axis=1)
        return Part(x, y)

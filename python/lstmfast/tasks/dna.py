"""Stretches of DNA: of a gene, or its bases in random order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from lstmfast._arrays import Array

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


@dataclass(kw_only=True)
class Dna(Task):
    """Tell bases from inside a gene from the same bases in random order: codons tell them apart.

    A gene has codons as often as Escherichia coli has them; stops are none of them. The stretch
    begins at any of the three bases of a codon, so that the reading frame is to be found, too. The
    model reads three bases at each step, of which two are those of the step before. Who only asks
    whether one of the frames is free of stops is right in 0.70 of all cases; a linear model that
    counts threes of bases in all frames in 0.83; the best rule, which compares the frames, in 0.97.

    Parameters
    ----------
    codons : int
        Codons of a stretch: three times as many bases.
    """

    codons: int = option(30)

    mode = "many to one"
    source = (
        "Fickett: Recognition of protein coding regions in DNA sequences, 1982; codon usage: "
        "Nakamura, Gojobori and Ikemura, 2000"
    )
    settings = Settings(
        units=48, epochs=24, learning_rate=0.015, samples=(12000, 500, 1000),
        model={"embedding": 8},
    )  # fmt: skip
    target = 0.88
    vocabulary = tuple(map("".join, product(_BASES, repeat=3)))
    labels = ("not coding", "coding")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return stretches of bases, by threes that overlap; about half of them are shuffled."""
        usage = _USAGE / _USAGE.sum()
        codons = rng.choice(64, (samples, self.codons + 1), p=usage)
        genes = np.stack([codons // 16, codons // 4 % 4, codons % 4], axis=-1)
        genes = genes.reshape(samples, -1)
        places = rng.integers(0, 3, (samples, 1)) + np.arange(3 * self.codons)
        x = np.take_along_axis(genes, places, axis=1)
        y = rng.integers(0, 2, samples)
        x[y == 0] = rng.permuted(x[y == 0], axis=1)
        return Part(16 * x[:, :-2] + 4 * x[:, 1:-1] + x[:, 2:], y)

    def show_x(self, x: Array) -> str:
        """Return the bases."""
        threes: list[str] = [self.vocabulary[i] for i in x]
        return "".join(three[0] for three in threes) + threes[-1][1:]

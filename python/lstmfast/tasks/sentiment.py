"""Opinions in short texts, whose words alone do not decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._apart import Apart
from ._records import Part, Settings

_SUBJECTS = ("film", "plot", "cast", "music", "ending")
_GOOD = ("good", "great", "moving", "witty", "brilliant", "charming")
_BAD = ("bad", "dull", "weak", "silly", "tedious", "awful")
_WORDS = ("", "the", "was", "not", "very", "slightly", "and", "but", *_SUBJECTS, *_GOOD, *_BAD)
_ID = {word: place for place, word in enumerate(_WORDS)}


@dataclass(kw_only=True)
class Sentiment(Apart):
    """Tell whether a short text is for or against: "not", "very" and "but" turn its words around.

    A text has one clause or two. "very" doubles what an adjective says and "slightly" halves it;
    "not" turns it around and takes a quarter of it off. After "and" both clauses add up; after
    "but" the second one decides.
    """

    mode = "many to one"
    source = (
        "Polanyi and Zaenen: Contextual Valence Shifters, 2006; Taboada and others: Lexicon-Based "
        "Methods for Sentiment Analysis, 2011"
    )
    settings = Settings(
        units=32, epochs=10, learning_rate=0.01, samples=(3000, 300, 1000),
        model={"mask_value": 0},
    )  # fmt: skip
    target = 0.98
    vocabulary = _WORDS
    labels = ("against", "for")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return texts of up to 13 words, with empty ones at their ends."""
        shape = samples, 2
        negated = rng.random(shape) < 0.4
        strength = rng.integers(0, 3, shape)  # plain, very, slightly
        signs = rng.choice([-1, 1], shape)
        values = np.where(negated, -0.75, 1.0) * np.array([1.0, 2.0, 0.5])[strength]
        signs[:, 1] *= np.where((signs * values).sum(axis=1) == 0.0, -1, 1)  # no text is undecided
        values *= signs
        joint = rng.integers(0, 3, samples)  # one clause, "and", "but"
        adjectives = rng.integers(0, len(_GOOD), shape)
        adjectives += np.where(signs > 0, _ID[_GOOD[0]], _ID[_BAD[0]])
        clauses = np.stack([
            np.full(shape, _ID["the"]), rng.integers(0, len(_SUBJECTS), shape) + _ID[_SUBJECTS[0]],
            np.full(shape, _ID["was"]), negated * _ID["not"],
            np.array([0, _ID["very"], _ID["slightly"]])[strength], adjectives,
        ], axis=-1)  # fmt: skip
        clauses[joint == 0, 1] = 0
        link = np.array([0, _ID["and"], _ID["but"]])[joint]
        x = np.concatenate([clauses[:, 0], link[:, np.newaxis], clauses[:, 1]], axis=1)
        order = np.argsort(x == 0, axis=1, kind="stable")  # empty words to the end
        weights = np.array([[1, 0], [1, 1], [0, 1]])[joint]
        return Part(
            np.take_along_axis(x, order, axis=1), ((weights * values).sum(axis=1) > 0).astype(int)
        )

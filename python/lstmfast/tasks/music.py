"""Melodies in a key are continued, note by note."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._generation import Generation, bits
from ._records import Part, Settings
from ._task import option

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])  # semitones of the degrees of a major scale
_TONICS = (55, 67)  # numbers of notes, from G3 on; 60 is C4
_LOWEST, _HIGHEST = 43, 84
_RHYTHMS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])  # which of a bar's notes is a half note


@dataclass(kw_only=True)
class Music(Generation):
    """Say how likely each next note of a melody is, and so write melodies in a key.

    A melody has one of the twelve major keys. Each phrase has four bars: a motif of three notes,
    which begins on a note of the tonic's chord; the motif a degree higher or lower; the motif
    again; then the second degree and the tonic. C4 is a quarter note and C4- a half note.
    With three phrases the rules leave 0.72 bits per note open.

    Parameters
    ----------
    phrases : int
        Of a melody.
    """

    phrases: int = option(3)

    source = (
        "Eck and Schmidhuber: A First Look at Music Composition using LSTM Recurrent Neural "
        "Networks, 2002"
    )
    settings = Settings(
        "generative", units=128, epochs=15, learning_rate=0.01, samples=(4000, 200, 300)
    )
    measure = bits("note")
    target = 1.0
    vocabulary = labels = tuple(
        f"{_NAMES[note % 12]}{note // 12 - 1}{end}"
        for end in ("", "-") for note in range(_LOWEST, _HIGHEST)
    )  # fmt: skip

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return melodies without their last note, and the same a note later."""
        size = samples, self.phrases, 1
        start, moved = rng.choice([0, 2, 4], size), rng.choice([-1, 1], size)
        steps = rng.choice([-2, -1, 1, 2], (*size[:2], 2))
        motif = start + np.insert(steps.cumsum(axis=2), 0, 0, axis=2)
        rhythm = _RHYTHMS[rng.integers(0, len(_RHYTHMS), size[:2])]
        cadence = np.broadcast_to([1, 0], (*size[:2], 2))
        degrees = np.concatenate([motif, motif + moved, motif, cadence], axis=2)
        is_half = np.concatenate([rhythm, rhythm, rhythm, np.ones_like(cadence)], axis=2)
        tonic = rng.integers(*_TONICS, (samples, 1, 1))
        notes = tonic + 12 * (degrees // 7) + _SCALE[degrees % 7]
        ids = notes - _LOWEST + is_half * (_HIGHEST - _LOWEST)
        ids = ids.reshape(samples, -1)
        return Part(ids[:, :-1], ids[:, 1:])

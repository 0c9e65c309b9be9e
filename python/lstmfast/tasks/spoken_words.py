"""Words of vowels, as the tracks of their formants in a bank of filters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from ._records import Part, Settings
from ._task import Task

_FORMANTS = {  # of each vowel, in Hz
    "i": (270.0, 2290.0, 3010.0),
    "a": (730.0, 1090.0, 2440.0),
    "u": (300.0, 870.0, 2240.0),
}
_WORDS = ("ia", "ai", "ua", "au", "iu", "ui", "aiu", "uia", "iau", "aui")
_FRAMES = 40
_BANDS = 24


@dataclass(kw_only=True)
class SpokenWords(Task):
    """Tell words apart that are made of three vowels in different order.

    A word is a path from vowel to vowel of the three lowest resonances of the mouth, the formants,
    at a speed that varies. Speakers differ: a short throat has all formants higher, and the
    harmonics of the voice stand at multiples of its pitch. Each frame holds the logarithm of the
    energy in bands as wide as those of the ear, with noise; it is quiet before and after the word.
    """

    mode = "many to one"
    source = (
        "Peterson and Barney: Control Methods Used in a Study of the Vowels, 1952; bands: Stevens, "
        "Volkmann and Newman, 1937"
    )
    settings = Settings(units=32, epochs=12, learning_rate=0.01, samples=(1500, 200, 500))
    target = 0.95
    labels = _WORDS

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return frames (samples, 40, 24), and words."""
        y = rng.integers(0, len(_WORDS), samples)
        steps = np.arange(_FRAMES)
        begin, length = rng.uniform(2, 10, (samples, 1)), rng.uniform(18, 28, (samples, 1))
        time = (steps - begin) / length
        voiced = (time >= 0.0) & (time <= 1.0)
        warped = np.clip(time, 0.0, 1.0) ** np.exp(rng.uniform(-0.4, 0.4, (samples, 1)))
        throat = rng.uniform(0.85, 1.2, (samples, 1, 1))
        formants = throat * self.formants(y, 2.0 * warped)
        pitch = rng.uniform(90.0, 250.0, (samples, 1)) * (1.1 - 0.2 * warped)
        centers = 700.0 * (np.geomspace(1.15, 6.5, _BANDS) - 1.0)  # equally far apart in mel
        away = (centers - formants[..., np.newaxis]) / (0.1 * formants[..., np.newaxis] + 50.0)
        energy = ([[1.0], [0.5], [0.25]] / (1.0 + np.square(away))).sum(axis=2)
        wide = np.gradient(centers) / pitch[..., np.newaxis]  # wide bands hold many harmonics
        ripple = np.cos(2.0 * np.pi * centers / pitch[..., np.newaxis])
        energy *= 1.0 + 0.8 * np.exp(-np.square(wide)) * ripple
        energy = energy * voiced[..., np.newaxis] + 0.01
        levels = np.log(energy) + 0.8 * rng.standard_normal(energy.shape)
        return Part(((levels + 2.5) / 2.5).astype(np.float32), y)

    def formants(self, words: Array, places: Array) -> Array:
        """Return the formants (samples, frames, 3) at places from 0, the first vowel, to 2."""
        letters = [[list(_FORMANTS).index(each) for each in (w + w[-1])[:3]] for w in _WORDS]
        vowels = np.array(list(_FORMANTS.values()))[np.array(letters)[words]]
        before = np.minimum(places.astype(int), 1)
        moved = places - before
        moved = (np.square(moved) * (3.0 - 2.0 * moved))[..., np.newaxis]  # slow near the vowels
        rows = np.arange(len(words))[:, np.newaxis]
        found: Array = (1.0 - moved) * vowels[rows, before] + moved * vowels[rows, before + 1]
        return found

    def show_x(self, x: Array) -> str:
        """Return the loudest band, of the lower and of the upper half, of some frames."""
        half = _BANDS // 2
        pairs = [f"{f[:half].argmax()}+{half + f[half:].argmax()}" for f in x[::5]]
        return "bands " + " ".join(pairs)

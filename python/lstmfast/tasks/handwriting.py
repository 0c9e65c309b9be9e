"""Handwriting is continued, move by move of the pen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.layers import Dense, Input, MixtureDensity
from lstmfast.losses import MixtureNegativeLogLikelihood
from lstmfast.models import Model

from ._measures import Measure
from ._networks import Units
from ._records import Example, Part, Settings
from ._task import Task, option
from ._words import numbers

# Strokes of letters: corners of lines that are rounded, in tenths of the height of an "o".
_LETTERS = {
    "a": "7,8 4,10 0,8 0,2 4,0 7,4|7,10 7,1 9,0",
    "c": "7,8 4,10 0,9 0,1 4,0 8,2",
    "e": "0,5 7,5 7,9 3,11 0,8 0,2 4,-1 8,2",
    "i": "0,10 0,1 2,0|0,14 1,15",
    "l": "0,20 0,2 3,0",
    "n": "0,10 0,0|0,6 3,10 7,10 7,0",
    "o": "3,10 0,10 0,0 7,0 7,10 3,10",
    "s": "7,8 4,11 0,9 1,6 7,4 7,1 3,-1 0,2",
    "t": "3,17 3,2 5,0 7,1|0,10 7,10",
    "u": "0,10 0,1 4,0 7,4|7,10 7,0",
}
_WORDS = "sea nation lion ocean tail cat tune nice soon at on list lane salt cost note unit once"
_STEP = 3.0  # between points, in tenths
_SIZE = 0.3  # so that moves are about 1
_COMPONENTS = 8
_MIXTURE = MixtureNegativeLogLikelihood(_COMPONENTS)


def _rounded(corners: Array) -> Array:
    """Return points in even steps along a line, its corners cut three times (Chaikin)."""
    for _ in range(3):
        quarter = np.diff(corners, axis=0) / 4
        cut = np.stack([corners[:-1] + quarter, corners[1:] - quarter], axis=1).reshape(-1, 2)
        corners = np.concatenate([corners[:1], cut, corners[-1:]])
    length = np.append(0.0, np.hypot(*np.diff(corners, axis=0).T).cumsum())
    at = np.linspace(0.0, length[-1], 1 + max(1, round(length[-1] / _STEP)))
    return np.stack([np.interp(at, length, axis) for axis in corners.T], axis=1)


@cache
def letter(name: str) -> Array:
    """Return the points (n, 3) of a letter: x, y, and whether the pen is lifted there."""
    strokes = []
    for text in _LETTERS[name].split("|"):
        points = _rounded(np.array([pair.split(",") for pair in text.split()], float))
        strokes.append(np.column_stack([points, np.arange(len(points)) == len(points) - 1]))
    return np.concatenate(strokes)


def line(words: Sequence[str]) -> Array:
    """Return the points of words side by side."""
    made, start = [], 0.0
    for word in words:
        for name in word:
            points = letter(name)
            made.append(points + np.array([start, 0.0, 0.0]))
            start += points[:, 0].max() + 3.0
        start += 5.0
    return np.concatenate(made)


def _surprise(expected: Array, given: Array, weights: Array | None) -> float:
    """Return the mean of -log p of moves, by a mixture, and of -log p of what the pen does."""
    moves, pen = np.split(given, [5 * _COMPONENTS], axis=-1)
    likely = np.take_along_axis(pen, expected[..., 2:].astype(int), axis=-1)
    moved = _MIXTURE(expected[..., :2], moves)
    return float(moved) - float(np.log(np.maximum(likely, np.finfo(np.float32).tiny)).mean())


@dataclass(kw_only=True)
class Handwriting(Task):
    """Write by hand: say how likely each next move of the pen is, and whether it is lifted.

    Lines of short words, each with a slant, a size and a shaking hand of its own. A step is a move
    of the pen (dx, dy) and whether it stays on the paper, or is lifted, after it.

    Parameters
    ----------
    length : int
        Moves of a line.
    """

    length: int = option(100, least=4)

    mode = "generation"
    source = "Graves: Generating Sequences With Recurrent Neural Networks, 2013"
    settings = Settings(units=96, epochs=20, learning_rate=0.01, samples=(1000, 100, 200))
    measure = Measure("-log likelihood per move", _surprise, higher_is_better=False)
    target = -1.0
    loss = (_MIXTURE, "sparse_categorical_crossentropy")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return moves (N, T, 4), their end as a 1 among zeros, and the next ones (N, T, 3)."""
        many = 1 + (self.length + 1) // 20  # words, each of more than 20 points
        words = rng.choice(_WORDS.split(), (samples, many)).tolist()
        points = np.array([line(each)[: self.length + 2] for each in words])
        slant, size = rng.uniform([-0.2, 0.7], [0.6, 1.3], (samples, 2)).T[..., np.newaxis]
        points[..., 0] += slant * points[..., 1]
        moves = np.diff(points[..., :2], axis=1) * _SIZE * size[..., np.newaxis]
        moves += rng.normal(0.0, 0.08, moves.shape)
        lifted = points[:, 1:, 2:]
        x = np.concatenate([moves, 1 - lifted, lifted], axis=2)[:, :-1].astype(np.float32)
        return Part(x, np.concatenate([moves, lifted], axis=2)[:, 1:].astype(np.float32))

    @cached_property
    def chance(self) -> float:
        """The score of one normal density, fitted to all moves, and of the share of lifts."""
        moves, lifted = self.train.y[..., :2].reshape(-1, 2), self.train.y[..., 2].mean()
        spread = np.cov(moves.T)
        off = self.test.y[..., :2].reshape(-1, 2) - moves.mean(axis=0)
        distance = np.einsum("ni,ij,nj->n", off, np.linalg.inv(spread), off).mean()
        moved = 0.5 * (distance + np.log(np.linalg.det(2 * np.pi * spread)))
        lifts = self.test.y[..., 2]
        return float(moved - np.log(np.where(lifts > 0, lifted, 1 - lifted)).mean())

    def network(self, variant: str, units: Units, options: dict[str, Any]) -> Any:
        """Return a variant that ends in a mixture density and in what the pen does."""
        row = super().network(variant, units, options)
        row.pop()
        moves = Input((None, 4))
        seen = row(moves)
        ends = [MixtureDensity(_COMPONENTS, 2)(seen), Dense(2, "softmax")(seen)]
        return Model(moves, ends, seed=self.seed)

    def targets(self, y: Array) -> Any:
        """Return the moves and what the pen does."""
        return [y[..., :2], y[..., 2].astype(int)]

    def predict(self, model: Any, x: Array) -> Array:
        """Return the parameters of the mixture and the probabilities of what the pen does."""
        found: Array = np.concatenate(model.predict(x, verbose=0), axis=-1)
        return found

    def drawn(self, model: Any, number: int) -> Array:
        """Return what a model writes (number, length, 3) after the first quarter of test lines."""
        start = self.test.x[:number, : self.length // 4 + 1]
        made = model.generate(start, self.length - start.shape[1], temperature=0.3, seed=self.seed)
        return np.concatenate([start, made], axis=1)[..., [0, 1, 3]]

    def examples(self, model: Any, number: int = 3) -> list[Example]:
        """Return the first moves of test lines, how they go on, and how a model does."""
        start, x = self.length // 4 + 1, self.test.x[:number, :, [0, 1, 3]]
        return [
            Example(numbers(a[:start], 4), numbers(a[start:], 4), numbers(b[start:], 4))
            for a, b in zip(x, self.drawn(model, number), strict=True)
        ]

    def picture(self, model: Any) -> Any:
        """Return a figure of test lines, each with what a model makes of its first quarter."""
        from lstmfast.plot import strokes

        lines = zip(self.test.x[:4, :, [0, 1, 3]], self.drawn(model, 4), strict=True)
        names = ["a line", "its first quarter, continued"] * 4
        return strokes([each for pair in lines for each in pair], names, columns=2)

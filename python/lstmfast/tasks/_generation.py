"""What tasks have in common whose models say how likely each next token is."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from lstmfast._arrays import Array

from ._measures import Measure, mean_of
from ._records import Example
from ._task import Task


def _bits(expected: Array, probabilities: Array, weights: Array | None) -> float:
    likely = np.take_along_axis(probabilities, expected[..., np.newaxis], axis=-1)[..., 0]
    smallest = np.finfo(np.float32).tiny
    return mean_of(-np.log2(np.maximum(likely, smallest)), weights)


def bits(unit: str) -> Measure:
    """Return the mean of -log2 p, p the probability that a model gave the token that came."""
    return Measure(f"bits per {unit}", _bits, higher_is_better=False)


class Generation(Task):
    """A task whose answers are probabilities of the next token, at each step."""

    mode = "generation"

    def predict(self, model: Any, x: Array) -> Array:
        """Return the probabilities of the next token (N, T, tokens)."""
        found: Array = model.predict(x, verbose=0)
        return found

    @cached_property
    def chance(self) -> float:
        """The score of how often each token comes: the best answer that does not look at x."""
        y, expected = self.train.y, self.test.y
        shares = (np.bincount(y.ravel(), minlength=len(self.labels)) + 1) / (y.size + 1)
        likely = np.broadcast_to(shares / shares.sum(), (*expected.shape, shares.size))
        return self.measure.score(expected, likely, None)

    def examples(self, model: Any, number: int = 3) -> list[Example]:
        """Return beginnings of test samples, how they go on, and how the model continues them."""
        x = self.test.x[:number]
        half = x.shape[1] // 2
        written = model.generate(x[:, :half], x.shape[1] - half, temperature=0.5, seed=self.seed)
        return [
            Example(self.show_x(a[:half]), self.show_x(a[half:]), self.show_x(b))
            for a, b in zip(x, written, strict=True)
        ]

"""One symbol of a random sequence is to be said again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from ._records import Part, Settings
from ._task import Task, option


@dataclass(kw_only=True)
class Echo(Task):
    """Say again the symbol at one place of a random sequence.

    Parameters
    ----------
    length : int
        Symbols in a sequence.
    symbols : int
        How many different ones there are.
    place : int
        Which one is asked for, from 1 on.
    extra : int
        Up to so many further steps, without a symbol, stand at random places.
    """

    length: int = option(5)
    symbols: int = option(10, least=2)
    place: int = option(2)
    extra: int = option(0, least=0)

    mode = "many to one"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 6"
    target = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.place > self.length:
            raise ValueError(f"[echo] place is {self.place}; expected at most length={self.length}")

    @property
    def settings(self) -> Settings:  # type: ignore[override]
        """The suggestion; with few samples, longer sequences would be learnt by heart.

        Layer norm and forget biases for memories of all lengths help to count up to the place.
        """
        steps = self.length + self.extra
        samples = max(2000, (300 + 3 * self.symbols) * steps)
        cell = {"layer_norm": True, "forget_bias": ("chrono", max(steps, 2))}
        return Settings(
            units=48, epochs=16, learning_rate=0.02, samples=(samples, 200, 500), model=cell
        )

    @property
    def labels(self) -> Sequence[str]:  # type: ignore[override]
        """The symbols, as numbers."""
        return [str(number) for number in range(self.symbols)]

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return sequences of ones among zeros, and the symbols asked for."""
        ids = rng.integers(0, self.symbols, (samples, self.length))
        x = np.eye(self.symbols, dtype=np.float32)[ids]
        if self.extra:  # symbols keep their order: each sample's chosen steps, sorted
            steps = self.length + self.extra
            places = rng.permuted(np.tile(np.arange(steps), (samples, 1)), axis=1)
            places = np.sort(places[:, : self.length], axis=1)
            spread = np.zeros((samples, steps, self.symbols), np.float32)
            spread[np.arange(samples)[:, np.newaxis], places] = x
            x = spread
        return Part(x, ids[:, self.place - 1])

    def show_x(self, x: Array) -> str:
        """Return the symbols; a step without one is a dot."""
        return " ".join(str(step.argmax()) if step.any() else "." for step in x)

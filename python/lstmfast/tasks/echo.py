"""One symbol of a random sequence is to be said again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from ._apart import Apart
from ._records import Part, Settings
from ._task import option

_MOST_VALUES = 10_000  # of a sample: 20,000 of them take 0.8 GB
_FEW, _MANY = 30, 1_000_000  # different sequences; of more, two are hardly ever the same


@dataclass(kw_only=True)
class Echo(Apart):
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
        Further steps, without a symbol, at random places.
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
        if (size := (self.length + self.extra) * self.symbols) > _MOST_VALUES:
            raise ValueError(
                f"[echo] (length + extra) * symbols is {size}; expected at most {_MOST_VALUES}"
            )

    @property
    def settings(self) -> Settings:  # type: ignore[override]
        """The suggestion: the longer the sequences, the more samples, up to 20,000.

        With few, long sequences would be learnt by heart. Layer norm helps to count up to the
        place, and so do forget biases with which some cells forget soon and some late.
        """
        steps = self.length + self.extra
        samples = min(max(2000, (300 + 3 * self.symbols) * steps), 20_000)
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

    def part(self, place: int, rng: np.random.Generator, samples: int) -> Part:
        """Return sequences none of which is in another part, unless there are very few."""
        if _FEW <= self.symbols**self.length <= _MANY:
            return super().part(place, rng, samples)
        return self.make(rng, samples)

    def same(self, x: Array) -> bytes:
        """Return the symbols alone: steps without one make no other sequence of them."""
        return x[x.any(axis=1)].tobytes()

    def show_x(self, x: Array) -> str:
        """Return the symbols, the one asked for in brackets; a step without one is a dot."""
        shown = [str(step.argmax()) if step.any() else "." for step in x]
        asked = np.flatnonzero(x.any(axis=1))[self.place - 1]
        shown[asked] = f"[{shown[asked]}]"
        return " ".join(shown)

"""Weekly baskets of customers with habits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstmfast._arrays import Array

from ._measures import Measure
from ._records import Part, Settings
from ._task import Task, option

_STAPLES = ("milk", "coffee", "pasta", "soap", "flour", "candles")
_FIRST = ("printer", "phone", "tent")
_THEN = {"ink": 3, "case": 1, "lamp": 2}  # so many weeks after each of them
_PRODUCTS = (*_STAPLES, *_FIRST, *_THEN)
_FOLLOWED = 0.9  # of the purchases that should follow, by habit or by another


def _hits(expected: Array, given: Array, weights: Array | None) -> float:
    """Return the share of the bought among as many products as were bought, the likeliest ones."""
    ranks = (-given).argsort(axis=1).argsort(axis=1)
    bought = expected > 0
    chosen = ranks < bought.sum(axis=1, keepdims=True)
    return float((chosen & bought).sum() / bought.sum())


@dataclass(kw_only=True)
class Purchase(Task):
    """Say which products a customer buys next week, from baskets of the weeks before.

    Each customer buys some staples, each every second, third, fourth or fifth week, and in a tenth
    of the cases forgets it. Some purchases have others follow: a printer needs ink three weeks
    later. Who buys a printer cannot be known.

    Parameters
    ----------
    weeks : int
        Weeks to look at.
    """

    weeks: int = option(20, least=4)

    mode = "many to one"
    source = "next baskets: Rendle, Freudenthaler and Schmidt-Thieme, 2010"
    settings = Settings(
        units=64, epochs=20, learning_rate=0.01, batch_size=64, samples=(4000, 500, 1000),
        model={"output_activation": "sigmoid"},
    )  # fmt: skip
    measure = Measure("share of the purchases foreseen", _hits)
    target = 0.72
    loss = "binary_crossentropy"

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return a 1 for each product in each week's basket, and the basket of the next week."""
        weeks = np.arange(self.weeks + 1)[:, np.newaxis]
        period = rng.integers(2, 6, (samples, 1, len(_STAPLES)))
        phase = rng.integers(0, period)
        liked = rng.random(period.shape) < 0.5
        due = liked & ((weeks + phase) % period == 0)
        first = rng.random((samples, len(weeks), len(_FIRST))) < 0.12
        then = np.stack([
            np.pad(first[:, :-delay, k], ((0, 0), (delay, 0)))
            for k, delay in enumerate(_THEN.values())
        ], axis=-1)  # fmt: skip
        due, then = (each & (rng.random(each.shape) < _FOLLOWED) for each in (due, then))
        baskets = np.concatenate([due, first, then], axis=-1).astype(np.float32)
        return Part(baskets[:, :-1], baskets[:, -1])

    def persistence(self, part: Part) -> Array:
        """Return the basket of the last week."""
        return part.x[:, -1]

    def show_x(self, x: Array) -> str:
        """Return the last three baskets."""
        return "... " + " | ".join(map(self.show_y, x[-3:]))

    def show_y(self, y: Array) -> str:
        """Return the products that are likelier than not."""
        return ", ".join(np.array(_PRODUCTS)[y > 0.5]) or "nothing"

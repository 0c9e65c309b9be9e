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
_FOLLOWED = 0.9  # of the purchases that are due, by use or by another one
_NEVER = 10**6  # weeks


def _hits(expected: Array, given: Array, weights: Array | None) -> float:
    """Return the share of the bought among as many products as were bought, the likeliest ones."""
    ranks = (-given).argsort(axis=1).argsort(axis=1)
    bought = expected > 0
    chosen = ranks < bought.sum(axis=1, keepdims=True)
    return float((chosen & bought).sum() / bought.sum())


@dataclass(kw_only=True)
class Purchase(Task):
    """Say which products a customer buys next week, from baskets of the weeks before.

    Each customer uses some staples, and a pack of each lasts one to three weeks. The more packs
    were bought, the later are the next ones, when the last one is empty; in a tenth of the weeks
    that is forgotten. Some purchases have others follow: a printer needs ink three weeks later.
    Who buys a printer cannot be known.

    Parameters
    ----------
    weeks : int
        Weeks to look at.
    """

    weeks: int = option(20, least=4)

    mode = "many to one"
    source = (
        "Gupta: Impact of Sales Promotions on When, What, and How Much to Buy, 1988; next "
        "baskets: Rendle, Freudenthaler and Schmidt-Thieme, 2010"
    )
    settings = Settings(
        units=64, epochs=25, learning_rate=0.01, batch_size=64, samples=(8000, 500, 2000),
        model={"output_activation": "sigmoid", "recurrent_dropout": 0.1},
    )  # fmt: skip
    measure = Measure("share of the purchases foreseen", _hits)
    target = 0.72
    loss = "binary_crossentropy"

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return the packs of each product, in thirds, in each week's basket, and what is next."""
        shape = samples, len(_STAPLES)
        lasts = rng.integers(1, 4, shape)  # weeks
        left = np.where(rng.random(shape) < 0.5, rng.integers(1, 7, shape), _NEVER)
        weeks = []
        for _ in range(self.weeks + 1):
            left -= 1
            packs = rng.integers(1, 4, shape) * ((left <= 0) & (rng.random(shape) < _FOLLOWED))
            left = np.where(packs > 0, lasts * packs, left)
            weeks.append(packs / 3.0)
        first = rng.random((samples, self.weeks + 1, len(_FIRST))) < 0.12
        then = np.stack([
            np.pad(first[:, :-delay, k], ((0, 0), (delay, 0)))
            for k, delay in enumerate(_THEN.values())
        ], axis=-1)  # fmt: skip
        then &= rng.random(then.shape) < _FOLLOWED
        baskets = np.concatenate([np.stack(weeks, axis=1), first / 3.0, then / 3.0], axis=-1)
        return Part(baskets[:, :-1].astype(np.float32), (baskets[:, -1] > 0).astype(np.float32))

    def persistence(self, part: Part) -> Array:
        """Return the basket of the last week."""
        return part.x[:, -1]

    def show_x(self, x: Array) -> str:
        """Return the last three baskets."""
        return "... " + " | ".join(map(self.basket, x[-3:]))

    def show_y(self, y: Array) -> str:
        """Return the products that are likelier than not."""
        return self.basket(y > 0.5)

    def basket(self, packs: Array) -> str:
        """Return the products of which there are any."""
        return ", ".join(np.array(_PRODUCTS)[packs > 0]) or "nothing"

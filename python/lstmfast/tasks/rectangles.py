"""Rectangles are drawn point by point from a random start."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.layers import MixtureDensity
from lstmfast.losses import MixtureNegativeLogLikelihood

from ._measures import Measure, mean_of
from ._networks import Units
from ._pictures import legend, panels
from ._records import Example, Part, Settings
from ._task import Task
from ._words import numbers

_COMPONENTS = 4  # normal densities of which each next corner is drawn
_TOLERANCE, _SHORTEST = 0.03, 0.1  # of sides of proper rectangles; the paper has size 1


def are_proper(corners: Array) -> Array:
    """Tell which figures (N, 5, 2) are upright, closed rectangles with sides of some length."""
    across, up, back, down = np.diff(corners, axis=1).swapaxes(0, 1)
    slant = np.abs([across[:, 1], up[:, 0], back[:, 1], down[:, 0]]).max(axis=0)
    gap = np.abs(corners[:, -1] - corners[:, 0]).max(axis=1)
    shortest = np.min([across[:, 0], up[:, 1], -back[:, 0], -down[:, 1]], axis=0)
    proper: Array = (slant <= _TOLERANCE) & (gap <= _TOLERANCE) & (shortest >= _SHORTEST)
    return proper


def _share_proper(expected: Array, given: Array, weights: Array | None) -> float:
    """Return the share of drawings that are proper; each begins where the expected one ends."""
    return mean_of(are_proper(np.concatenate([expected[:, -1:], given], axis=1)), weights)


@dataclass(kw_only=True)
class Rectangles(Task):
    """Draw rectangles of any size, corner by corner, each from a random first corner.

    The model says where the next corner may be, as a mixture of normal densities; one is drawn from
    it and is the next input. The drawing ends where it began.
    """

    mode = "generation"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 11"
    settings = Settings(units=32, epochs=100, learning_rate=0.02, samples=(2000, 200, 500))
    measure = Measure("share of proper rectangles", _share_proper)
    target = 0.9
    loss = MixtureNegativeLogLikelihood(_COMPONENTS)

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return corners from the lower left one on counter-clockwise, and the next of each."""
        size = rng.uniform(0.2, 0.6, (samples, 1, 2))
        start = rng.random((samples, 1, 2)) * (1.0 - size)
        corners = start + size * [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
        return Part(corners[:, :-1], corners[:, 1:])

    @cached_property
    def chance(self) -> float:
        """The score of random points."""
        points = np.random.default_rng(self.seed).random(self.test.y.shape)
        return self.measure.score(self.test.y, points, None)

    def network(self, variant: str, units: Units, options: dict[str, Any]) -> Any:
        """Return a variant that ends in a mixture density."""
        model = super().network(variant, units, options)
        model.pop()
        model.add(MixtureDensity(_COMPONENTS, 2))
        return model

    def predict(self, model: Any, x: Array) -> Array:
        """Return what a model draws from the first corners of x."""
        drawn: Array = model.generate(x[:, :1], x.shape[1], seed=self.seed)
        return drawn

    def show_x(self, x: Array) -> str:
        """Return the first corner."""
        return numbers(x[:1])

    def examples(self, model: Any, number: int = 3) -> list[Example]:
        """Return first corners, rectangles that begin there, and what the model draws."""
        x, y, _ = self.test
        drawn = self.predict(model, x[:number])
        proper = are_proper(np.concatenate([x[: len(drawn), :1], drawn], axis=1))
        return [
            Example(
                self.show_x(first),
                f"any rectangle, as {numbers(corners)}",
                f"{'proper' if good else 'not proper'}: {numbers(points)}",
            )
            for first, corners, points, good in zip(x, y, drawn, proper, strict=False)
        ]

    def picture(self, model: Any) -> Any:
        """Return a figure of drawings from the first corners of some test samples."""
        from lstmfast.plot.looks import INK, RED

        x = self.test.x[:6]
        drawn = np.concatenate([x[:, :1], self.predict(model, x)], axis=1)
        titles = ["proper" if each else "not proper" for each in are_proper(drawn)]
        figure, all_axes = panels(titles, 3, (3.0, 3.2), "x", "y")
        for axes, corners in zip(all_axes, drawn, strict=True):
            axes.plot(*corners.T, color=INK, linewidth=1.6)
            axes.plot(*corners[0], "o", color=RED, markersize=5, label="first corner, given")
            axes.set(xlim=(-0.1, 1.1), ylim=(-0.1, 1.1), aspect="equal")
        legend(figure)
        return figure

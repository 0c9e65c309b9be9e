"""The records of a task: parts of its data, examples, settings and solutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lstmfast._arrays import Array
from lstmfast.callbacks import History

from ._networks import Units


class Part(NamedTuple):
    """Samples to train, validate or test with.

    Attributes
    ----------
    x : ndarray
        (N, T, F) values, (N, T) ids of tokens, or (N, T, height, width, channels) frames.
    y : ndarray
        (N, K) or (N, T, K) numbers; (N,) or (N, T) classes.
    weights : ndarray, optional
        (N,) or (N, T): how much each answer counts, in training and in the score.
    """

    x: Array
    y: Array
    weights: Array | None = None

    def __repr__(self) -> str:
        """Return the shapes, not all the numbers."""
        named = zip(self._fields, self, strict=True)
        shapes = [f"{name}: {a.dtype} {a.shape}" for name, a in named if a is not None]
        return f"Part({', '.join(shapes)})"


class Example(NamedTuple):
    """A sample in words."""

    input: str
    expected: str
    predicted: str


@dataclass(frozen=True)
class Settings:
    """The suggested model of a task and its training.

    Attributes
    ----------
    variant : str
        A function of `lstmfast.variants`.
    units : int or tuple of int
        Of the LSTM, or of each.
    epochs, batch_size : int
    learning_rate : float
        Of Adam at the start; it falls to 0 along a cosine.
    samples : (int, int, int)
        Sizes of the parts to train, validate and test with.
    model : dict
        More arguments of the variant.
    """

    variant: str = "vanilla"
    units: Units = 32
    epochs: int = 20
    learning_rate: float = 0.01
    batch_size: int = 32
    samples: tuple[int, int, int] = (1000, 200, 500)
    model: Mapping[str, Any] = field(default_factory=dict)

    def units_of(self, variant: str) -> Units:
        """Return the units for a variant: of one that is not suggested those of the largest."""
        is_one = variant == self.variant or isinstance(self.units, int)
        return self.units if is_one else max(self.units)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Solution:
    """A trained model of a task.

    Attributes
    ----------
    model : Model
    history : History
        Losses by epochs.
    score : float
        Of the test part.
    solved : bool
        Whether it reaches the target.
    seconds : float
        For building, training and judging.
    """

    model: Any
    history: History
    score: float
    solved: bool
    seconds: float

"""What an engine must be able to do to be compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from lstmfast._bench.shapes import Array, Problem


@dataclass(frozen=True)
class Gradients:
    """What a training step must produce besides y."""

    dx: Array  # (B, T, I)
    dw_ih: Array  # (4H, I)
    dw_hh: Array  # (4H, H)
    dbias: Array  # (4H)


class Runner(ABC):
    """One engine holding one problem, ready to run; nothing but the work is inside the calls."""

    @abstractmethod
    def forward(self) -> object:
        """Run inference."""

    @abstractmethod
    def train(self) -> object:
        """Run forward and backward, with fresh gradients for x and all weights."""

    @abstractmethod
    def output(self) -> Array:
        """Return y (B, T, H) of an inference."""

    @abstractmethod
    def gradients(self) -> Gradients:
        """Return the gradients of a training step."""


class Engine(ABC):
    """A way to run an LSTM."""

    name: ClassVar[str]
    module: ClassVar[str]  # what must be importable for it

    @abstractmethod
    def version(self) -> str:
        """Return the engine's version."""

    @abstractmethod
    def prepare(self, problem: Problem, threads: int) -> Runner:
        """Load the problem, on this many threads."""

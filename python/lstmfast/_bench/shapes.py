"""The problems: named shapes from toy to wide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """One LSTM layer on one batch: B rows, T steps, I inputs, H hidden units."""

    name: str
    B: int
    T: int
    I: int
    H: int

    @property
    def forward_flops(self) -> float:
        """FLOP of one forward pass: the matrix products; the cell's own math is not counted."""
        return 8.0 * self.H * (self.I + self.H) * self.B * self.T

    @property
    def text(self) -> str:
        """The shape as (B, T, I, H)."""
        return f"({self.B},{self.T},{self.I},{self.H})"


SHAPES = (
    Shape("toy", 3, 3, 1, 50),
    Shape("audio", 1, 64, 1, 20),
    Shape("small", 32, 50, 16, 64),
    Shape("forecast", 64, 96, 8, 128),
    Shape("medium", 32, 100, 128, 256),
    Shape("large", 64, 100, 512, 512),
    Shape("wide", 128, 50, 1024, 1024),
    Shape("b1_256", 1, 100, 64, 256),
    Shape("b1_1024", 1, 100, 256, 1024),
)


@dataclass(frozen=True)
class Problem:
    """A shape with its numbers, the same for every engine: torch's layouts, gates i, f, g, o."""

    shape: Shape
    x: Array  # (B, T, I)
    dy: Array  # (B, T, H), the gradient of the loss with respect to y
    w_ih: Array  # (4H, I)
    w_hh: Array  # (4H, H)
    bias: Array  # (4H)


def make_problem(shape: Shape, seed: int = 0) -> Problem:
    """Draw a problem: weights as torch initialises them, standard normal input."""
    rng = np.random.default_rng(seed)
    limit = 1.0 / np.sqrt(shape.H)

    def weights(*size: int) -> Array:
        return rng.uniform(-limit, limit, size).astype(np.float32)

    def normal(*size: int) -> Array:
        return rng.standard_normal(size, np.float32)

    return Problem(
        shape,
        x=normal(shape.B, shape.T, shape.I),
        dy=normal(shape.B, shape.T, shape.H) / np.float32(shape.T),
        w_ih=weights(4 * shape.H, shape.I),
        w_hh=weights(4 * shape.H, shape.H),
        bias=weights(4 * shape.H),
    )

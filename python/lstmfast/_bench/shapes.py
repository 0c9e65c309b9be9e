"""The sizes: named shapes from toy to wide, and those of single streaming steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lstmfast._cli.common import UserError


@dataclass(frozen=True)
class Shape:
    """One LSTM layer on one batch: B rows, T steps, I inputs, H hidden units."""

    name: str
    B: int
    T: int
    I: int
    H: int

    @property
    def text(self) -> str:
        """The shape as (B,T,I,H)."""
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

# One row that arrives step by step; answers are checked for T steps.
STEP_SHAPES = tuple(
    Shape(f"step_{H}", 1, 16, I, H)
    for I, H in ((1, 20), (1, 40), (16, 64), (32, 128), (64, 256), (128, 512), (256, 1024))
)

# Batches of fits, from toys to sizes at which threads always gain.
FIT_SHAPES = tuple(
    Shape(f"fit_{B}x{T}x{I}x{H}", B, T, I, H)
    for B, T, I, H in (
        (1, 10, 1, 32), (3, 3, 1, 50), (16, 13, 1, 32), (1, 30, 8, 64), (8, 10, 8, 64),
        (32, 20, 4, 64), (3, 10, 1, 100), (1, 3, 1, 128), (1, 30, 8, 128), (8, 30, 8, 128),
        (64, 28, 28, 128), (1, 20, 1, 200), (1, 3, 1, 256), (1, 5, 1, 512), (1, 3, 1, 1024),
    )
)  # fmt: skip

OPTIONS_SHAPE = Shape("options", 32, 100, 64, 128)
SCALING_SHAPE = Shape("scaling", 8, 100, 64, 128)
MEMORY_SHAPE = Shape("memory", 32, 1000, 64, 128)

NAMED = (*SHAPES, *STEP_SHAPES, *FIT_SHAPES, OPTIONS_SHAPE, SCALING_SHAPE, MEMORY_SHAPE)


def choose_shapes(names: Sequence[str]) -> tuple[Shape, ...]:
    """Return shapes by name, or by sizes such as 32x100x64x128 (B, T, I, H).

    Raises
    ------
    UserError
        For what is neither.
    """
    known = {shape.name: shape for shape in NAMED}
    chosen = []
    for name in names:
        if name in known:
            chosen.append(known[name])
        elif re.fullmatch(r"[1-9]\d*(x[1-9]\d*){3}", name):
            chosen.append(Shape(name, *map(int, name.split("x"))))
        else:
            listed = ", ".join(shape.name for shape in SHAPES)
            raise UserError(f"no shape {name!r}; there are {listed}, or sizes as 32x100x64x128")
    return tuple(chosen)

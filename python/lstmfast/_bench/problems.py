"""A shape and an option with their numbers, the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmfast import reference
from lstmfast._bench.options import PLAIN, Option
from lstmfast._bench.shapes import Shape

Array = npt.NDArray[Any]
Params = dict[str, Array]


@dataclass(frozen=True)
class Problem:
    """Numbers in the logical layout of `lstmfast.reference`, gates in order i, f, g, o (f, g, o).

    There is one dict of parameters a direction: kernel (I, G·H), recurrent_kernel (P, G·H), bias
    (G·H), and those that the option needs.
    """

    shape: Shape
    option: Option
    x: Array  # (B, T, I)
    dy: Array  # (B, T, N), the gradient of the loss with respect to y
    params: tuple[Params, ...]
    lengths: npt.NDArray[np.int64] | None  # (B,)

    def without_noise(self) -> Problem:
        """Return the same problem with rates close to 0."""
        return replace(self, option=self.option.without_noise())


def make_problem(shape: Shape, option: Option = PLAIN, seed: int = 0) -> Problem:
    """Draw a problem: weights uniform within ± 1/sqrt(H) as in torch, standard normal input."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(option.dtype)
    limit = 1.0 / np.sqrt(shape.H)
    cell = option.cell(shape)

    def weights(name: str, size: tuple[int, ...]) -> Array:
        centre = 1.0 if name in ("norm_z_weight", "norm_c_weight") else 0.0
        return (centre + rng.uniform(-limit, limit, size)).astype(dtype)

    directions = 2 if option.bidirectional else 1
    sizes = reference.parameter_shapes(shape.I, shape.H, cell)
    params = tuple(
        {name: weights(name, size) for name, size in sizes.items()} for _ in range(directions)
    )
    outputs = (cell.proj_size or shape.H) * directions
    x = rng.standard_normal((shape.B, shape.T, shape.I)).astype(dtype)
    dy = (rng.standard_normal((shape.B, shape.T, outputs)) / shape.T).astype(dtype)
    lengths = None if option.tokens is None else draw_lengths(shape, option.tokens, rng)
    if lengths is not None:
        dy[np.arange(shape.T) >= lengths[:, None]] = 0.0
    return Problem(shape, option, x, dy, params, lengths)


def draw_lengths(shape: Shape, share: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return lengths from 1 to T in random order that sum to about `share` of B·T."""
    spread = min(share, 1.0 - share)
    even = np.linspace(share - spread, share + spread, shape.B + 2)[1:-1]
    lengths = np.clip(np.rint(even * shape.T), 1, shape.T).astype(np.int64)
    return rng.permutation(lengths)

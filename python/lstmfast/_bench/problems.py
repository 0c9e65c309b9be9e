"""The work, with the same numbers for every engine: one layer alone, and small trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmfast import reference
from lstmfast._bench.options import PLAIN, Option
from lstmfast._bench.shapes import Shape
from lstmfast._layouts import suffixes, to_torch

Array = npt.NDArray[Any]
Params = dict[str, Array]
Answers = Mapping[str, Array]


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

    def flops(self, mode: str) -> float:
        """FLOP of a call: backward has twice the products of forward."""
        return self.option.forward_flops(self.shape) * (1.0 if mode == "forward" else 3.0)

    def steps(self) -> list[Array]:
        """Return x step by step, (B, I) each."""
        return [x.copy() for x in self.x.swapaxes(0, 1)]

    def state_dict(self) -> Params:
        """Return the parameters under torch's names and in its layouts and order."""
        return torch_names(self.params)


def torch_names(
    of_directions: Sequence[Mapping[str, Array]], *, gradients: bool = False
) -> dict[str, Array]:
    """Return the arrays of each direction under torch's names; see `to_torch`."""
    ends = suffixes(1, bidirectional=len(of_directions) == 2)
    return {
        f"{name}_{end}": value
        for end, arrays in zip(ends, of_directions, strict=True)
        for name, value in to_torch(arrays, gradients=gradients).items()
    }


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


@dataclass(frozen=True)
class Toy:
    """LSTM(units, activation) and Dense(outputs, dense_activation), trained with Adam.

    `count` epochs are run, or calls of `fit` of one epoch each where `by_call`; the last
    `held_out` samples validate. `goal`: the most seconds for all of them.
    """

    name: str
    x: Array  # (N, T, I)
    y: Array  # (N, outputs)
    units: int
    activation: str
    dense_activation: str
    loss: str
    batch_size: int
    count: int
    goal: float
    held_out: int = 0
    by_call: bool = False

    def weights(self) -> list[Array]:
        """Return the first weights in Keras's order and layouts, the same for every engine."""
        rng = np.random.default_rng(1)
        inputs, H, outputs = self.x.shape[2], self.units, self.y.shape[1]
        sizes = [(inputs, 4 * H), (H, 4 * H), (4 * H,), (H, outputs), (outputs,)]
        return [rng.uniform(-0.1, 0.1, size).astype(np.float32) for size in sizes]


def _counting(outputs: int) -> tuple[Array, Array]:
    """Return 15 rows of three numbers in a row, and the next ones, in tenths."""
    x = np.arange(45, dtype=np.float32).reshape(15, 3, 1) / 10.0
    return x, x[:, -1] + np.arange(1, outputs + 1, dtype=np.float32) / 10.0


def _echo() -> tuple[Array, Array]:
    """Return one row of five numbers from 0 to 9, one-hot, and the second of them."""
    numbers = np.array([3, 7, 0, 9, 4])
    x = np.eye(10, dtype=np.float32)[numbers][None]
    return x, x[:, 1]


TOYS = (
    Toy("one_to_many", *_counting(2), 50, "relu", "linear", "mse", 3, 1000, 0.040, held_out=3),
    Toy("many_to_one", *_counting(1), 50, "relu", "linear", "mse", 32, 1000, 0.060),
    Toy(
        "echo", *_echo(), 25, "tanh", "softmax", "categorical_crossentropy", 1, 10_000, 0.6,
        by_call=True,
    ),
)  # fmt: skip

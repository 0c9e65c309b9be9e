"""oneDNN's LSTM, called directly, without a framework around it; `libdnnl` finds the library.

x, y and their gradients have the steps first. Weights are brought once into the formats that each
primitive asks for: inference, forward of training and backward have their own. oneDNN's gates stand
in the order i, f, g, o, too.

`lstmfast bench` decides on how many threads the library has: OpenMP reads it from the environment,
TBB takes as many as this process has CPUs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np

from lstmfast._bench.engines import libdnnl
from lstmfast._bench.engines.base import Engine, Runner, Step
from lstmfast._bench.engines.libdnnl import Memory, Owned, Primitive
from lstmfast._bench.problems import Array, Problem, torch_names

Sizes = dict[int, tuple[int, ...]]
Memories = dict[int, Memory]

# The numbers of arguments
X, H_BEFORE, C_BEFORE = 1, 2, 3
KERNEL, RECURRENT_KERNEL, PEEPHOLE, PROJECTION, BIAS = 33, 34, 35, 36, 41
Y, H_AFTER, C_AFTER = 17, 18, 19
WORKSPACE = 64  # what forward keeps for backward
GRADIENT = 128  # is added to the number of what it is the gradient of
WEIGHTS = {
    "kernel": KERNEL,
    "recurrent_kernel": RECURRENT_KERNEL,
    "bias": BIAS,
    "peephole": PEEPHOLE,
    "projection_kernel": PROJECTION,
}
PACKED = (KERNEL, RECURRENT_KERNEL, PROJECTION)  # in a format that the primitive chooses
# The order in which they are described to the library
ORDER = (
    X, H_BEFORE, C_BEFORE, KERNEL, RECURRENT_KERNEL, PEEPHOLE, PROJECTION, BIAS, Y, H_AFTER, C_AFTER
)  # fmt: skip

INFERENCE, TRAINING, BACKWARD = 96, 64, 128  # kinds of primitives
ONE_WAY, BOTH_WAYS = 1, 3
OVERWRITE = 1  # gradients of weights, instead of adding to them


def _weights(problem: Problem) -> dict[int, Array]:
    """Return weights with axes of layers, directions and, but for the projection, gates."""
    H = problem.shape.H
    weights = {}
    for name in problem.params[0]:
        stacked = np.stack([params[name] for params in problem.params])[None]
        if name in ("kernel", "recurrent_kernel", "bias"):
            stacked = stacked.reshape(*stacked.shape[:-1], 4, H)
        weights[WEIGHTS[name]] = stacked
    return weights


def _sizes(problem: Problem, weights: Mapping[int, Array]) -> Sizes:
    """Return the sizes of the arguments of a whole sequence.

    The state before it is zeros, but has to be there: without it, backward of oneDNN 3.2 and 3.13
    multiplies each step's gradient with its own h, where the one before belongs.
    """
    B, T, I = problem.x.shape
    D, outputs = weights[RECURRENT_KERNEL].shape[1:3]
    return {
        X: (T, B, I),
        H_BEFORE: (1, D, B, outputs),
        C_BEFORE: (1, D, B, problem.shape.H),
        **{number: values.shape for number, values in weights.items()},
        Y: (T, B, D * outputs),
    }


def _described(kind: int, sizes: Sizes, forward: Owned | None = None) -> Owned:
    """Describe a primitive; one of backward has the description of its forward."""
    known = {
        number: libdnnl.descriptor(size, packed=number in PACKED) for number, size in sizes.items()
    }
    arguments = [known.get(number) for number in ORDER]
    direction = BOTH_WAYS if sizes[KERNEL][1] == 2 else ONE_WAY
    if forward is None:
        name, more = "lstm_forward", [*arguments, 0]
    else:
        name, more = "lstm_backward", [*arguments, *arguments, OVERWRITE, forward]
    create = f"{name}_primitive_desc_create"
    return Owned("primitive_desc", create, libdnnl.engine(), kind, direction, *more, None)


def _memories(described: Owned, numbers: Iterable[int], weights: Mapping[int, Array]) -> Memories:
    """Return a memory for each argument, the weights with their values."""
    memories = {number: Memory(libdnnl.argument(described, number)) for number in numbers}
    for number, values in weights.items():
        libdnnl.reorder(libdnnl.filled(values), memories[number])
    return memories


class OnednnRunner(Runner):
    """oneDNN's primitives on one problem; those of training are made when they are needed."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.problem = problem
        self.weights = _weights(problem)
        self.sizes = _sizes(problem, self.weights)
        described = _described(INFERENCE, self.sizes)
        memories = _memories(described, self.sizes, self.weights)
        memories[X].fill(problem.x.swapaxes(0, 1))
        self.y = memories[Y]
        self.infer = Primitive(described).prepared(memories)

    def forward(self) -> Any:
        """Run inference; return 0 if it succeeded."""
        return self.infer()

    def output(self) -> Array:
        """Return y."""
        self.forward()
        return self._rows_first(self.y, Y)

    @cached_property
    def _training(self) -> tuple[Callable[[], int], Callable[[], int], Memories]:
        """Calls of forward and backward, and what backward reads and writes."""
        described = _described(TRAINING, self.sizes)
        memories = _memories(described, (*self.sizes, WORKSPACE), self.weights)
        memories[X].fill(self.problem.x.swapaxes(0, 1))
        ahead = Primitive(described).prepared(memories)

        described = _described(BACKWARD, self.sizes, described)
        gradients = [GRADIENT + number for number in self.sizes]
        packed = _memories(described, (*self.weights, *gradients), self.weights)
        packed[GRADIENT + Y].fill(self.problem.dy.swapaxes(0, 1))
        memories = {**memories, **packed}
        return ahead, Primitive(described).prepared(memories), memories

    def train(self) -> None:
        """Run forward and backward."""
        ahead, back, _ = self._training
        ahead()
        back()

    def trained(self) -> Any:
        """Return the gradients, of a second step: those of the first must not be in them."""
        self.train()
        self.train()
        _, _, memories = self._training
        of_directions: list[dict[str, Array]] = [{} for _ in self.problem.params]
        for name, like in self.problem.params[0].items():
            number = WEIGHTS[name]
            plain = Memory(libdnnl.descriptor(self.sizes[number]))
            libdnnl.reorder(memories[GRADIENT + number], plain)
            values = plain.values.reshape(len(of_directions), *like.shape).copy()
            for gradients, each in zip(of_directions, values, strict=True):
                gradients[name] = each
        dx = self._rows_first(memories[GRADIENT + X], X)
        return dx, torch_names(of_directions, gradients=True)

    def _rows_first(self, memory: Memory, number: int) -> Array:
        """Return a copy of an array (T, B, ...) as (B, T, ...)."""
        return memory.values.reshape(self.sizes[number]).swapaxes(0, 1).copy()


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a call of a primitive of one step; two states take turns, read and written."""
    weights = _weights(problem)
    sizes = _sizes(problem, weights)
    sizes |= {X: (1, *sizes[X][1:]), Y: (1, *sizes[Y][1:])}
    sizes |= {H_AFTER: sizes[H_BEFORE], C_AFTER: sizes[C_BEFORE]}
    described = _described(INFERENCE, sizes)
    primitive, there = Primitive(described), _memories(described, sizes, weights)
    back = {H_BEFORE: H_AFTER, C_BEFORE: C_AFTER, H_AFTER: H_BEFORE, C_AFTER: C_BEFORE}
    calls = []
    for x_t in problem.steps():
        onward = {**there, X: libdnnl.filled(x_t[None])}
        swapped = {**onward, **{number: there[other] for number, other in back.items()}}
        calls.append((primitive.prepared(onward), primitive.prepared(swapped)))
    y = there[Y].values.reshape(sizes[Y][1:])
    turn = 0

    def step(both: tuple[Callable[[], int], Callable[[], int]]) -> Array:
        nonlocal turn
        both[turn]()
        turn = 1 - turn
        return y

    return [partial(step, both) for both in calls]


ONEDNN = Engine(
    "onednn",
    libdnnl.FILE,
    lambda: libdnnl.load()[1],
    OnednnRunner,
    _stepper,
    options=frozenset({"peephole", "projection", "bidirectional"}),
    holds=True,
    found=lambda _: libdnnl.find() is not None,
)

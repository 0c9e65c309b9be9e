"""ncnn: its LSTM layer, in a network made in memory; inference alone.

The layer takes one sequence at a time: a batch is a loop over its rows, in Python.
"""

from __future__ import annotations

import importlib
from functools import cache, partial
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Engine, Runner, Step, version_of
from lstmfast._bench.problems import Array, Problem
from lstmfast._layouts import gates, permute

MAGIC = 7767517  # the first line of a text file of ncnn's
FORWARD, BOTH = 0, 2  # values of direction
# All that computes or stores in less than float32; the names differ from version to version.
_REDUCED = (
    "use_fp16_packed",
    "use_fp16_storage",
    "use_fp16_arithmetic",
    "use_bf16_packed",
    "use_bf16_storage",
)


def _definition(problem: Problem, stateful: bool) -> str:
    """Return the network as text: x and, if stateful, states in; y and, if stateful, states out."""
    shape, cell, D = problem.shape, problem.option.cell(problem.shape), len(problem.params)
    values = {
        0: cell.proj_size or shape.H,
        1: D * 4 * shape.H * shape.I,
        2: BOTH if D == 2 else FORWARD,
        3: shape.H,
    }
    into, out = (["x", "h", "c"], ["y", "h1", "c1"]) if stateful else (["x"], ["y"])
    layers = [f"Input {name} 0 1 {name}" for name in into]
    options = [f"{key}={value}" for key, value in values.items()]
    layers.append(" ".join(["LSTM lstm", f"{len(into)} {len(out)}", *into, *out, *options]))
    return "\n".join([str(MAGIC), f"{len(layers)} {len(into) + len(out)}", *layers, ""])


def _weights(problem: Problem) -> bytes:
    """Return each array of all directions, with a flag before it for plain float32."""
    names = ["kernel", "bias", "recurrent_kernel"]
    if "projection_kernel" in problem.params[0]:
        names.append("projection_kernel")

    def of_direction(name: str, value: Array) -> Array:
        # the gates in the order of ncnn's source
        return (value if name == "projection_kernel" else permute(value, gates(), "ifog")).T

    flag, parts = np.zeros(1, np.int32).tobytes(), []
    for name in names:
        values = [of_direction(name, params[name]) for params in problem.params]
        parts += [flag, np.stack(values).astype(np.float32).tobytes()]
    return b"".join(parts)


@cache
def _pools() -> tuple[Any, Any]:
    """Return the allocators that keep freed memory, which ncnn's own benchmark has.

    They outlive all arrays from them.
    """
    ncnn = importlib.import_module("ncnn")
    return ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator()


class _Network:
    """The network of one problem, which computes in float32."""

    def __init__(self, problem: Problem, threads: int, *, stateful: bool = False) -> None:
        ncnn = importlib.import_module("ncnn")
        self.net, self.make = ncnn.Net(), ncnn.Mat
        options = self.net.opt
        options.num_threads = threads
        options.blob_allocator, options.workspace_allocator = _pools()
        for name in _REDUCED:
            if hasattr(options, name):
                setattr(options, name, False)
        self.net.load_param_mem(_definition(problem, stateful))
        self.net.load_model_mem(_weights(problem))
        self.inputs, self.outputs = self.net.input_names(), self.net.output_names()

    def array(self, value: Array) -> Any:
        """Return a copy as ncnn has it."""
        return self.make(np.ascontiguousarray(value)).clone()  # without clone it is a view

    def run(self, *values: Any) -> list[Any]:
        """Return the outputs for these inputs, of one row."""
        extractor = self.net.create_extractor()
        for name, value in zip(self.inputs, values, strict=True):
            extractor.input(name, value)
        found = []
        for name in self.outputs:
            output = self.make()
            extractor.extract(name, output)
            found.append(output)
        return found


class NcnnRunner(Runner):
    """The network of one problem, and x as an array of ncnn's for each row."""

    def __init__(self, problem: Problem, threads: int) -> None:
        self.network = _Network(problem, threads)
        self.rows = [self.network.array(row) for row in problem.x]

    def forward(self) -> list[Any]:
        """Run inference, row by row."""
        return [self.network.run(row)[0] for row in self.rows]

    def output(self) -> Array:
        """Return y."""
        return np.stack([np.array(y) for y in self.forward()])


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a call of the network for one step of each row."""
    network = _Network(problem, threads, stateful=True)
    zero = network.array(np.zeros((1, problem.shape.H), np.float32))
    states = [[zero, zero] for _ in range(problem.shape.B)]

    def step(rows: list[Any]) -> list[Any]:
        outputs = []
        for row, x in enumerate(rows):
            y, *states[row] = network.run(x, *states[row])
            outputs.append(y)
        return outputs

    return [partial(step, [network.array(row[None]) for row in x]) for x in problem.steps()]


NCNN = Engine(
    "ncnn",
    "ncnn",
    partial(version_of, "ncnn"),
    NcnnRunner,
    _stepper,
    options=frozenset({"bidirectional", "projection"}),
)

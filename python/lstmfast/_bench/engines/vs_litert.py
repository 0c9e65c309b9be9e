"""LiteRT (TensorFlow Lite): one UNIDIRECTIONAL_SEQUENCE_LSTM, in a model made in memory.

Inference alone. The model is written with the schema that LiteRT ships, so that TensorFlow is not
needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from lstmfast._bench.engines.base import Engine, Runner, Step, version_of
from lstmfast._bench.problems import Array, Problem
from lstmfast._bench.protocol import SAMPLE_SECONDS, Call, time_call
from lstmfast._layouts import gates, peepholes

ABSENT = -1  # stands for an input that is not there
GATES = "ifgo"  # the order of the operator's inputs
SCHEMA_VERSION, IDENTIFIER = 3, b"TFL3"
TRIAL_STEPS = 5


class _Graph:
    """Tensors of a model under construction, and their data."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.tensors: list[Any] = []
        self.buffers = [schema.BufferT()]  # the first one is that of tensors without data

    def empty(self, *size: int, variable: bool = False) -> int:
        """Add a tensor to be computed, or a state; return its index."""
        return self._add(size, 0, variable)

    def weights(self, value: Array | None) -> int:
        """Add weights; return their index, or that of an absent input."""
        if value is None:
            return ABSENT
        data = np.ascontiguousarray(value, np.float32)
        self.buffers.append(self.schema.BufferT(data=data.reshape(-1).view(np.uint8)))
        return self._add(value.shape, len(self.buffers) - 1, False)

    def _add(self, size: tuple[int, ...], buffer: int, variable: bool) -> int:
        tensor = self.schema.TensorT(
            shape=list(size),
            type=self.schema.TensorType.FLOAT32,
            buffer=buffer,
            name=f"tensor_{len(self.tensors)}",
            isVariable=variable,
            hasRank=True,
        )
        self.tensors.append(tensor)
        return len(self.tensors) - 1


def _by_gate(problem: Problem) -> Iterator[Array | None]:
    """Return the operator's weights in their order; None for one that the cell lacks."""
    params, coupled = problem.params[0], problem.option.cell(problem.shape).coupled
    for name in ("kernel", "recurrent_kernel"):
        blocks = np.split(params[name].T, len(gates(coupled)))
        of_gate = dict(zip(gates(coupled), blocks, strict=True))
        yield from map(of_gate.get, GATES)
    rows = params.get("peephole", ())
    yield from map(dict(zip(peepholes(coupled), rows, strict=False)).get, "ifo")
    blocks = np.split(params["bias"], len(gates(coupled)))
    yield from map(dict(zip(gates(coupled), blocks, strict=True)).get, GATES)
    projection = params.get("projection_kernel")
    yield None if projection is None else projection.T
    yield None  # the projection's bias


def litert_model(problem: Problem, steps: int, *, time_major: bool) -> bytes:
    """Return the problem as a model of `steps` steps: x in, y out, h and c as variables."""
    schema = importlib.import_module("ai_edge_litert.schema_py_generated")
    shape, cell, graph = problem.shape, problem.option.cell(problem.shape), _Graph(schema)
    sides = (steps, shape.B) if time_major else (shape.B, steps)
    outputs = cell.proj_size or shape.H
    x = graph.empty(*sides, shape.I)
    weights = [graph.weights(value) for value in _by_gate(problem)]
    h = graph.empty(shape.B, outputs, variable=True)
    c = graph.empty(shape.B, shape.H, variable=True)
    y = graph.empty(*sides, outputs)
    operator = schema.OperatorT(
        inputs=[x, *weights, h, c, *[ABSENT] * len(GATES)],  # the last ones normalise layers
        outputs=[y],
        builtinOptionsType=schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions,
        builtinOptions=schema.UnidirectionalSequenceLSTMOptionsT(
            fusedActivationFunction=getattr(
                schema.ActivationFunctionType, str(cell.activation).upper()
            ),
            cellClip=cell.cell_clip or 0.0,
            timeMajor=time_major,
        ),
    )
    code = schema.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM
    model = schema.ModelT(
        version=SCHEMA_VERSION,
        operatorCodes=[schema.OperatorCodeT(deprecatedBuiltinCode=code, builtinCode=code)],
        subgraphs=[
            schema.SubGraphT(tensors=graph.tensors, inputs=[x], outputs=[y], operators=[operator])
        ],
        buffers=graph.buffers,
    )
    builder = importlib.import_module("flatbuffers").Builder()
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _Network:
    """An interpreter of a model; XNNPACK takes what it can, as by default."""

    def __init__(self, model: bytes, threads: int) -> None:
        litert = importlib.import_module("ai_edge_litert.interpreter")
        self.interpreter = litert.Interpreter(model_content=model, num_threads=threads)
        self.interpreter.allocate_tensors()
        self.x = self.interpreter.get_input_details()[0]["index"]
        self.y = self.interpreter.get_output_details()[0]["index"]

    def go_on(self, x: Array) -> Array:
        """Return y, computed from the state after the last call."""
        self.interpreter.set_tensor(self.x, x)
        self.interpreter.invoke()
        y: Array = self.interpreter.get_tensor(self.y)
        return y

    def begin(self, x: Array) -> Array:
        """Return y, computed from a state of zeros."""
        self.interpreter.reset_all_variables()
        return self.go_on(x)


class LitertRunner(Runner):
    """The model of one problem, for the x of so many steps; x has the steps first, or the rows."""

    def __init__(self, problem: Problem, x: Array, threads: int, *, time_major: bool) -> None:
        self.time_major = time_major
        model = litert_model(problem, x.shape[1], time_major=time_major)
        self.network = _Network(model, threads)
        self.x = np.ascontiguousarray(x.swapaxes(0, 1) if time_major else x)

    def forward(self) -> Array:
        """Run inference."""
        return self.network.begin(self.x)

    def output(self) -> Array:
        """Return y."""
        y = self.forward()
        return y.swapaxes(0, 1) if self.time_major else y


def _faster(problem: Problem, threads: int) -> Runner:
    """Return the model whose layout is faster at the first steps: rows first for few rows."""

    def seconds(time_major: bool) -> float:
        some = problem.x[:, :TRIAL_STEPS]
        return _seconds(LitertRunner(problem, some, threads, time_major=time_major).forward)

    return LitertRunner(problem, problem.x, threads, time_major=min((True, False), key=seconds))


def _seconds(call: Call) -> float:
    first = min(time_call(call, 1) for _ in range(2))
    return time_call(call, max(1, int(SAMPLE_SECONDS / first)))


def _stepper(problem: Problem, threads: int) -> list[Step]:
    """Return a call of the model of one step, whose variables are the state."""
    network = _Network(litert_model(problem, 1, time_major=True), threads)
    network.interpreter.reset_all_variables()
    return [partial(network.go_on, x[None]) for x in problem.steps()]


LITERT = Engine(
    "litert",
    "ai_edge_litert",
    partial(version_of, "ai_edge_litert", "flatbuffers"),
    _faster,
    _stepper,
    options=frozenset({"relu", "peephole", "coupled", "cell_clip", "projection"}),
)

"""Problems of the case table on `lf.LSTM`, with results named as those of the reference."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import lstmfast as lf
from cases import Case, Problem
from lstmfast import _recurrent
from lstmfast._layouts import PARAMETERS, from_torch, suffixes, to_torch
from masks import SEED

Array = npt.NDArray[Any]
Arrays = dict[str, Array]

FUNCTION_NAMES = {f"{each.torch}_l0": each.argument for each in PARAMETERS}
STATES = ("y", "h_n", "c_n")
OUTPUTS = (*STATES, "cells")  # all that a call may give
OF_INPUTS = ("dx", "dh0", "dc0")


def suffix(n: int, directions: int) -> str:
    """Of the names of direction n of all layers."""
    return suffixes(n // directions + 1, bidirectional=directions == 2)[n]


def state_dict(params: tuple[Mapping[str, Array], ...], directions: int = 1) -> Arrays:
    """Logical parameters by n under the names and in the layouts of `lf.LSTM`; bias_hh is 0."""
    return {
        f"{name}_{suffix(n, directions)}": value
        for n, part in enumerate(params)
        for name, value in to_torch(part).items()
    }


def by_torchs_names(of_logical: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """What is known by ``<n>.<logical name>``, for the names of `lf.LSTM`."""
    kinds = {each.torch: each.core for each in PARAMETERS}
    directions = 2 if any(name.endswith("_reverse") for name in names) else 1
    found = {}
    for name in names:
        kind, _, end = name.rpartition("_l")
        layer, _, reverse = end.partition("_")
        found[name] = of_logical[f"{int(layer) * directions + bool(reverse)}.{kinds[kind]}"]
    return found


def logical_grads(rnn: lf.LSTM) -> Arrays:
    """Gradients as ``<n>.<logical name>``."""
    grads = rnn.grads()
    named: Arrays = {}
    directions = 2 if rnn.bidirectional else 1
    for n in range(rnn.num_layers * directions):
        end = suffix(n, directions)
        assert grads[f"bias_ih_{end}"].tobytes() == grads[f"bias_hh_{end}"].tobytes()
        mine = {k.removesuffix(f"_{end}"): v for k, v in grads.items() if k.endswith(f"_{end}")}
        named |= {f"{n}.{k}": v for k, v in from_torch(mine, gradients=True).items()}
    return named


def make_rnn(case: Case, problem: Problem, **keywords: Any) -> lf.LSTM:
    """`lf.LSTM` of a case, in the dtype of the problem's numbers."""
    rnn = lf.LSTM(
        case.I,
        case.H,
        case.layers,
        dtype=problem.x.dtype.name,
        seed=SEED,
        **(case.keywords | keywords),
    )
    rnn.load_state_dict(state_dict(problem.params, case.directions))
    return rnn


def forward(rnn: lf.LSTM, problem: Problem, training: bool = False, draw: bool = True) -> Arrays:
    """y, h_n, c_n, and cells where there are any; without `draw` nothing is random."""
    state = None if problem.h0 is None else (problem.h0, problem.c0)
    given = problem.x, state, problem.lengths, problem.resets, training
    y, (h, c), *cells = _recurrent.run(
        rnn._core, np.dtype(rnn.dtype), rnn.batch_first, *given, None, draw
    )
    return {"y": y, "h_n": h, "c_n": c} | ({"cells": cells[0]} if cells else {})


def run(rnn: lf.LSTM, problem: Problem, draw: bool = True) -> Arrays:
    """All that `cases.run_reference` names."""
    rnn.zero_grad()
    results = forward(rnn, problem, training=True, draw=draw)
    dx, (dh0, dc0) = rnn.backward(problem.dy, (problem.dh_n, problem.dc_n), problem.dcells)
    return results | {"dx": dx, "dh0": dh0, "dc0": dc0} | logical_grads(rnn)


def rows(problem: Problem, chosen: Any) -> Problem:
    """The problem with only these rows of the batch, in this order."""

    def pick(array: Any, axis: int) -> Any:
        return None if array is None else np.ascontiguousarray(np.take(array, chosen, axis))

    return replace(
        problem,
        **{
            name: pick(getattr(problem, name), 0)
            for name in ("x", "dy", "dcells", "lengths", "resets")
        },
        **{name: pick(getattr(problem, name), 1) for name in ("h0", "c0", "dh_n", "dc_n")},
    )


def row_results(results: Arrays, chosen: Any) -> Arrays:
    """The results that belong to rows, for these rows."""
    axes = {"y": 0, "cells": 0, "dx": 0, "h_n": 1, "c_n": 1, "dh0": 1, "dc0": 1}
    return {name: np.take(results[name], chosen, axes[name]) for name in axes if name in results}


def assert_same_bits(actual: Arrays, expected: Arrays) -> None:
    """Every array of `expected`, byte for byte; say which ones differ, and where first."""
    failures = []
    for name, value in expected.items():
        other = actual[name]
        assert (other.shape, other.dtype) == (value.shape, value.dtype), name
        if np.ascontiguousarray(other).tobytes() == np.ascontiguousarray(value).tobytes():
            continue
        kind = f"u{value.dtype.itemsize}"
        differ = np.ascontiguousarray(other).view(kind) != np.ascontiguousarray(value).view(kind)
        at = tuple(int(i) for i in np.argwhere(differ)[0])
        failures.append(
            f"{name}: {np.count_nonzero(differ)} of {differ.size} differ, first at {at}: "
            f"{other[at]!r}, expected {value[at]!r}"
        )
    assert not failures, "; ".join(failures)


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Run with n threads."""
    before = lf.get_num_threads()
    lf.set_num_threads(n)
    try:
        yield
    finally:
        lf.set_num_threads(before)


def python(
    code: str, *arguments: str, timeout: float = 60.0, **environment: str | None
) -> subprocess.CompletedProcess[str]:
    """Run code in a Python process of its own; a variable that is None is taken away.

    The tests' modules can be imported there.
    """
    variables: dict[str, str | None] = {**os.environ, **environment}
    variables["PYTHONPATH"] = str(Path(__file__).parent)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )

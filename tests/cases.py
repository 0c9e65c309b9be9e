"""The one table of problems for value, gradient and invariance tests.

A name says what the case is: ``l2t5b7i4h33`` has 2 layers, 5 steps, 7 rows, 4 inputs, 33 hidden
units; what differs from the plain cell, and float64, follow after underscores. The sizes cover
tails (H 1, 3, 17, 33, 50, 257, around every vector width), batches around every tile (B 1, 3, 6,
7, 33), T 1, 2, 5, 40 and 1 to 3 layers, each value with each of the three cells; the list is a
covering one, not the full product. `option_cases.py` has cases of all other options; the table of
options is `LSTM_OPTIONS` of the benchmarks.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, make_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import lstmfast as lf
from lstmfast import reference
from lstmfast._bench.options import CELL_OPTIONS, LSTM_OPTIONS, RATES
from masks import Masks, draw_dropout, draw_masks

Array = npt.NDArray[Any]

_LSTM = inspect.signature(lf.LSTM).parameters
_FIELDS: list[Any] = [
    *((name, int) for name in "TBIH"),
    ("layers", int, 1),
    ("dtype", str, "float32"),
    *((each.name, Any, _LSTM[each.name].default) for each in LSTM_OPTIONS),
    *((name, bool, False) for name in ("lengths", "resets", "state")),
]


class Case(make_dataclass("_Case", _FIELDS, frozen=True)):  # type: ignore[misc]
    """One problem: sizes, dtype, the options of `lf.LSTM`, and what the call is given.

    `lengths`, `resets` and `state` say whether the call has them.
    """

    @property
    def name(self) -> str:
        """``l2t5b7i4h33_coupled_peephole``, and the like."""
        parts = [f"l{self.layers}t{self.T}b{self.B}i{self.I}h{self.H}"]
        for entry in fields(self)[5:]:
            value = getattr(self, entry.name)
            if value == entry.default:
                continue
            if isinstance(value, bool):
                parts.append(entry.name if value else f"no_{entry.name}")
            else:
                # activations and dtypes speak for themselves
                is_clear = entry.name == "dtype" or entry.name.endswith("activation")
                parts.append(value if is_clear else f"{entry.name}_{value}")
        return "_".join(parts)

    @property
    def keywords(self) -> dict[str, Any]:
        """The options that differ from the defaults, as keywords of `lf.LSTM`."""
        values = {each.name: getattr(self, each.name) for each in LSTM_OPTIONS}
        return {name: value for name, value in values.items() if value != _LSTM[name].default}

    @property
    def options(self) -> reference.CellOptions:
        """The cell for the reference."""
        return reference.CellOptions(
            **{name: value for name, value in self.keywords.items() if name in CELL_OPTIONS}
        )

    @property
    def is_random(self) -> bool:
        """Whether training draws anything."""
        return any(getattr(self, name) > 0.0 for name in RATES)

    @property
    def directions(self) -> int:
        """D."""
        return 2 if self.bidirectional else 1

    @property
    def outputs(self) -> int:
        """O: values of an output of a direction."""
        return self.proj_size or self.H

    def inputs(self, n: int) -> int:
        """Values that direction n of all layers reads."""
        return self.I if n < self.directions else self.directions * self.outputs


@dataclass(frozen=True)
class Problem:
    """The numbers of a case; every value is one of float32, so both dtypes get the same problem.

    x (B, T, I); `params` one dict a layer and direction; h0 (L·D, B, O) and c0 (L·D, B, H) or None;
    lengths (B,) int64 or None; resets (B, T) bool or None; dy (B, T, D·O), dh_n, dc_n and dcells
    (B, T, D·H) (or None) the gradients to pull back.
    """

    x: Array
    params: tuple[Mapping[str, Array], ...]
    h0: Array | None
    c0: Array | None
    lengths: npt.NDArray[np.int64] | None
    resets: npt.NDArray[np.bool_] | None
    dy: Array
    dh_n: Array
    dc_n: Array
    dcells: Array | None


def make_problem(case: Case, dtype: str | None = None) -> Problem:
    """Draw the numbers of a case; the same ones every time, in the case's dtype or another."""
    kind = np.dtype(dtype or case.dtype)
    rng = np.random.default_rng(zlib.crc32(case.name.removesuffix("_float64").encode()))
    T, B, H, D, O = case.T, case.B, case.H, case.directions, case.outputs
    N = case.layers * D

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(np.float32).astype(kind)

    def parameter(name: str, shape: tuple[int, ...]) -> Array:
        """U(-1/√H, 1/√H), as torch draws them; norms near their neutral 1 and 0."""
        bound = 0.3 if name.startswith("norm") else H**-0.5
        centre = 1.0 if name in ("norm_z_weight", "norm_c_weight") else 0.0
        return (centre + rng.uniform(-bound, bound, shape)).astype(np.float32).astype(kind)

    params = tuple(
        {
            name: parameter(name, shape)
            for name, shape in reference.parameter_shapes(case.inputs(n), H, case.options).items()
        }
        for n in range(N)
    )
    lengths = rng.integers(1, T + 1, B)
    lengths[rng.integers(B)] = T
    return Problem(
        x=normal(B, T, case.I),
        params=params,
        h0=0.5 * normal(N, B, O) if case.state else None,
        c0=normal(N, B, H) if case.state else None,
        lengths=lengths if case.lengths else None,
        resets=rng.random((B, T)) < 0.3 if case.resets else None,
        dy=normal(B, T, D * O),
        dh_n=normal(N, B, O),
        dc_n=normal(N, B, H),
        dcells=normal(B, T, D * H) if case.return_cell_states else None,
    )


def masks_of(case: Case, step: int) -> tuple[list[Masks], list[Array] | None]:
    """Masks of training call `step` of `runs.make_rnn(case, ...)`, and those between layers.

    Step 0 stands for inference: none.
    """
    N = case.layers * case.directions
    if step == 0 or not case.is_random:
        return [Masks() for _ in range(N)], None
    masks = [draw_masks(case, n, step) for n in range(N)]
    if not case.dropout:
        return masks, None
    width = case.directions * case.outputs
    shape = case.B, case.T, width
    return masks, [draw_dropout(case.dropout, n, step, shape) for n in range(1, case.layers)]


def run_reference(
    case: Case, problem: Problem, dtype: str = "float64", step: int = 1
) -> dict[str, Array]:
    """All that a case returns in training: y, h_n, c_n, cells, dx, dh0, dc0, ``<n>.<parameter>``.

    With the masks of training call `step`; 0 draws none.
    """
    masks, dropout = masks_of(case, step)
    y, (h_n, c_n), cache = reference.stack_forward(
        problem.x,
        problem.params,
        problem.h0,
        problem.c0,
        options=case.options,
        bidirectional=case.bidirectional,
        masks=masks,
        dropout=dropout,
        lengths=problem.lengths,
        resets=problem.resets,
        bptt_steps=case.bptt_steps,
        dtype=dtype,
    )
    dx, dh0, dc0, grads = reference.stack_backward(
        problem.dy, problem.dh_n, problem.dc_n, cache, d_cell_states=problem.dcells
    )
    results = {"y": y, "h_n": h_n, "c_n": c_n, "dx": dx, "dh0": dh0, "dc0": dc0}
    if case.return_cell_states:
        results["cells"] = cache.cell_states()
    for layer, named in enumerate(grads):
        results |= {f"{layer}.{name}": gradient for name, gradient in named.items()}
    return results


_CP: dict[str, Any] = {"coupled": True, "peephole": True}
_LN: dict[str, Any] = {"layer_norm": True}

PLAIN: tuple[Case, ...] = (
    Case(1, 1, 1, 1),
    Case(5, 3, 2, 3, state=True),
    Case(2, 6, 3, 17),
    Case(1, 7, 4, 33, state=True),
    Case(40, 1, 1, 50),
    Case(5, 33, 5, 50, layers=2),
    Case(2, 1, 17, 257, state=True),
    Case(5, 6, 40, 257),
    Case(40, 7, 8, 33, state=True),
    Case(40, 33, 3, 17, layers=3),
    Case(2, 3, 50, 3, layers=2, state=True),
    Case(5, 7, 4, 33, layers=2, lengths=True),
    Case(40, 6, 2, 17, lengths=True, state=True),
    Case(5, 33, 1, 50, resets=True, state=True),
    Case(40, 3, 16, 33, layers=2, lengths=True, resets=True, state=True),
    Case(3, 3, 1, 50, activation="relu"),
    Case(40, 7, 3, 17, activation="relu", state=True),
    Case(5, 6, 4, 33, layers=2, activation="relu", recurrent_activation="hard_sigmoid"),
    Case(5, 1, 2, 257, activation="relu", lengths=True),
    Case(5, 7, 3, 17, activation="softsign", recurrent_activation="hard_sigmoid", resets=True),
    Case(5, 6, 3, 50, layers=2, dtype="float64", state=True),
    Case(40, 33, 2, 33, dtype="float64", lengths=True, resets=True, state=True),
)

COUPLED_PEEPHOLE: tuple[Case, ...] = (
    Case(1, 33, 2, 1, **_CP),
    Case(5, 1, 1, 3, state=True, **_CP),
    Case(40, 3, 4, 17, **_CP),
    Case(2, 7, 17, 33, layers=2, state=True, **_CP),
    Case(5, 6, 3, 50, layers=3, **_CP),
    Case(5, 3, 8, 257, state=True, **_CP),
    Case(40, 6, 5, 33, lengths=True, state=True, **_CP),
    Case(5, 33, 1, 17, resets=True, state=True, **_CP),
    Case(40, 7, 2, 50, layers=2, lengths=True, resets=True, state=True, **_CP),
    Case(5, 7, 3, 33, activation="relu", state=True, **_CP),
    Case(5, 6, 4, 17, layers=2, dtype="float64", lengths=True, state=True, **_CP),
    Case(5, 6, 4, 33, peephole=True, state=True),
    Case(5, 6, 4, 33, coupled=True, state=True),
)

LAYER_NORM: tuple[Case, ...] = (
    Case(2, 3, 2, 1, state=True, **_LN),
    Case(5, 6, 3, 3, **_LN),
    Case(1, 7, 4, 17, state=True, **_LN),
    Case(40, 1, 1, 33, **_LN),
    Case(5, 33, 5, 50, layers=2, state=True, **_LN),
    Case(5, 3, 40, 257, **_LN),
    Case(2, 6, 8, 33, layers=3, state=True, **_LN),
    Case(40, 7, 3, 17, lengths=True, state=True, **_LN),
    Case(5, 33, 2, 50, resets=True, state=True, **_LN),
    Case(40, 3, 4, 33, layers=2, lengths=True, resets=True, state=True, **_LN),
    Case(5, 7, 3, 33, activation="relu", state=True, **_LN),
    Case(5, 6, 4, 17, layers=2, dtype="float64", resets=True, state=True, **_LN),
    Case(5, 6, 3, 33, lengths=True, state=True, **_CP, **_LN),
)

CASES: tuple[Case, ...] = PLAIN + COUPLED_PEEPHOLE + LAYER_NORM

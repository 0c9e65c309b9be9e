"""Runs whose bits stay from version to version, with numbers that no library draws.

`tests/golden/bits.json` holds what each gives on each ISA, as a checksum. To write the checksums of
the installed version on this machine's ISAs, after a change that is meant to change bits:

    python tests/bits_cases.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import lstmfast as lf
import runs
from cases import CASES, Case, make_problem
from lstmfast.layers import GRU, LSTM, Bidirectional, Dense, Input, SimpleRNN, TimeDistributed
from lstmfast.models import Sequential
from philox import random_bits

FILE = Path(__file__).parent / "golden" / "bits.json"
Arrays = dict[str, npt.NDArray[Any]]

# Few rows against weights of all sizes, whole panels and tails; batches around every tile.
SIZES = tuple(
    Case(3, B, I, H, state=True)
    for B, I, H in (
        (1, 1, 20), (1, 3, 64), (1, 64, 250), (1, 32, 512), (2, 16, 256), (2, 5, 257), (3, 1, 50),
        (4, 17, 200), (5, 16, 128), (8, 40, 160), (8, 33, 320), (9, 4, 100), (32, 16, 64),
        (33, 20, 257),
    )
)  # fmt: skip
# What the loop over the steps has of its own.
LOOPS = tuple(
    Case(9, 3, 5, 33, state=True, **options)
    for options in (
        {"bptt_steps": 4}, {"recompute_every": 4}, {"zoneout_c": 0.25}, {"zoneout_h": 0.25},
        {"return_cell_states": True}, {"bidirectional": True}, {"proj_size": 7},
    )
)  # fmt: skip


def numbers(name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Numbers from -1 to below 1 with 24 bits, by name."""
    words = random_bits(zlib.crc32(name.encode()), 0, 0, 0, (1, int(np.prod(shape))))
    return ((words >> np.uint64(8)).astype(np.float32) / 2**23 - 1).reshape(shape)


def of_lstm(case: Case) -> Arrays:
    """All that `lf.LSTM` gives forward and back."""
    problem = make_problem(case)

    def like(name: str, value: Any) -> Any:
        return numbers(name, value.shape).astype(case.dtype)

    arrays = {
        each.name: like(each.name, value)
        for each in fields(problem)
        if isinstance(value := getattr(problem, each.name), np.ndarray)
        and each.name not in ("lengths", "resets")
    }
    places = {"lengths": (case.B,), "resets": (case.B, case.T)}
    chosen = {
        name: numbers(name, shape)
        for name, shape in places.items()
        if getattr(problem, name) is not None
    }
    if "lengths" in chosen:
        arrays["lengths"] = 1 + ((chosen["lengths"] + 1) / 2 * case.T).astype(np.int64)
    if "resets" in chosen:
        arrays["resets"] = chosen["resets"] > 0.4
    scale = 2.0 ** -(case.H.bit_length() // 2)  # about 1 / sqrt(H), exact
    params = tuple(
        {name: like(name, value) * value.dtype.type(scale) for name, value in layer.items()}
        for layer in problem.params
    )
    problem = replace(problem, params=params, **arrays)
    rnn = runs.make_rnn(case, problem)
    inferred = {f"inferred {name}": value for name, value in runs.forward(rnn, problem).items()}
    return inferred | runs.run(rnn, problem, draw=False)


def model_of_all_cells(simple: SimpleRNN, **options: Any) -> Sequential:
    """A model of every kind of cell; the last one is given."""
    return Sequential(
        [
            Input((None, 5)),
            LSTM(33, return_sequences=True, peephole=True, proj_size=18, proj_clip=0.3),
            Bidirectional(GRU(20, return_sequences=True)),
            GRU(21, return_sequences=True, reset_after=False),
            LSTM(17, return_sequences=True, layer_norm=True, coupled=True),
            TimeDistributed(Dense(7, activation="relu")),
            simple,
            Dense(3, activation="softmax"),
        ],
        **options,
    )


def with_numbers(model: Sequential) -> Sequential:
    """The model with weights by their place."""
    weights = model.get_weights()
    model.set_weights([numbers(str(n), w.shape) / 2 for n, w in enumerate(weights)])
    return model


def of_model(dtype: str, precision: str | None = None) -> Arrays:
    """Outputs of a batch; without a precision also the weights after an epoch."""
    model = with_numbers(model_of_all_cells(SimpleRNN(9, return_sequences=True), dtype=dtype))
    x = numbers("x", (11, 7, 5)).astype(dtype)
    if precision is not None:
        return {"y": reduced(model, precision).predict(x, verbose=0)}
    found = {"y": model.predict(x, verbose=0)}
    truths = numbers("truths", (11, 7, 3)).argmax(-1)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    model.fit(x, truths, batch_size=4, epochs=1, shuffle=False, verbose=0)
    return found | {str(n): w for n, w in enumerate(model.get_weights())}


def reduced(model: Sequential, precision: str) -> Sequential:
    """The model with kernels in less precision."""
    return model.quantize("int8") if precision == "int8" else model.astype(precision)


def of_stream(H: int, I: int, precision: str | None = None) -> Arrays:
    """Single steps of one row."""
    model = with_numbers(Sequential([Input((None, I)), LSTM(H, return_sequences=True), Dense(1)]))
    if precision is not None:
        model = reduced(model, precision)
    stream, x = model.stream(1), numbers("x", (6, 1, I))
    return {"y": np.stack([stream.step(step) for step in x])}


RUNS: dict[str, Callable[[], Arrays]] = {
    **{case.name: partial(of_lstm, case) for case in (*CASES, *SIZES, *LOOPS)},
    "model": partial(of_model, "float32"),
    "model_float64": partial(of_model, "float64"),
    **{f"model_{kind}": partial(of_model, "float32", kind) for kind in ("bfloat16", "int8")},
    **{f"stream_{H}": partial(of_stream, H, I) for H, I in ((8, 1), (20, 1), (64, 16), (130, 7))},
    **{f"stream_130_{kind}": partial(of_stream, 130, 7, kind) for kind in ("bfloat16", "int8")},
}


def checksum(found: Arrays) -> str:
    """Of all bytes, with the arrays' names and shapes."""
    value = 0
    for name, array in found.items():
        value = zlib.crc32(f"{name}{array.shape}".encode(), value)
        value = zlib.crc32(np.ascontiguousarray(array).tobytes(), value)
    return f"{value:08x}"


def own_isa() -> str:
    """The ISA of the bits: those of `avx512vnni` are those of `avx512`."""
    return lf.isa().removesuffix("vnni")


def main() -> None:
    """Write the checksums of this machine's ISAs into the file."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    code = (
        "import json, bits_cases as b; "
        "print(json.dumps({b.own_isa(): {n: b.checksum(f()) for n, f in b.RUNS.items()}}))"
    )
    for isa in lf.available_isas():
        found = runs.python(code, timeout=600, LSTMFAST_ISA=isa)
        if found.returncode:
            raise subprocess.SubprocessError(found.stderr)
        known |= json.loads(found.stdout)
    FILE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())

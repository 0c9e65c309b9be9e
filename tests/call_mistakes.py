"""Arguments that are wrong, for random calls: one is put in the place of a right one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from call_forms import unaligned

Array = npt.NDArray[Any]
Arguments = dict[str, Any]
NOTHING: tuple[Any, ...] = ("text", {"a": 1}, [["a"]], [[1.0], [1.0, 2.0]], [None, 1.0], b"bytes")


def one_of(rng: np.random.Generator, values: list[Any]) -> Any:
    """Any value, of whatever kinds."""
    return values[int(rng.integers(len(values)))]


def wrong_floats(right: Array) -> list[Any]:
    """In place of an array of this shape."""
    shape = right.shape
    wrong: list[Any] = [
        *NOTHING,
        np.zeros((*shape[:-1], shape[-1] + 1), right.dtype),
        np.zeros((1, 1, *shape), right.dtype),
        np.zeros(shape[-1:] * 1, right.dtype)[:, None, None, None],
        np.zeros(shape, complex),
        np.zeros(shape, "datetime64[s]"),
        np.zeros(shape[-1] + 1, right.dtype),
    ]
    if right.size:
        wrong += [np.ma.masked_array(right, True), np.full(shape, "1")]
        if right.dtype == np.float32:
            wrong.append(np.full(shape, 1e300))
    return wrong


def wrong_state(h0: Array, c0: Array) -> list[Any]:
    """In place of the pair."""
    wrong = [h0, (h0,), [h0, c0, c0], {"h0": h0, "c0": c0}, 0, (None, c0), (h0, None), "ab"]
    wrong += [(each, c0) for each in wrong_floats(h0)]
    return [*wrong, *((h0, each) for each in wrong_floats(c0))]


def wrong_lengths(batch: int, steps: int) -> list[Any]:
    """In place of (B,) integers from 0 to T."""
    wrong: list[Any] = [
        *NOTHING,
        np.ones(batch + 1, int),
        np.ones((batch + 1, 1), int),
        [0.5] * (batch + 1),
        np.ones((2, 2), bool),
    ]
    if batch:
        wrong += [
            np.full(batch, steps + 1),
            np.full(batch, -1),
            np.full(batch, 2**63, np.uint64),
            np.full(batch, 1.0),
            np.full(batch, 2**62),
            np.ma.masked_array(np.ones(batch, int), True),
        ]
    return wrong


def wrong_resets(shape: tuple[int, ...]) -> list[Any]:
    """In place of flags of this shape."""
    wrong: list[Any] = [
        *NOTHING,
        np.zeros((*shape[:-1], shape[-1] + 1), bool),
        np.zeros((*shape, 1), bool),
        np.zeros((1, 1, *shape), int),
    ]
    if np.prod(shape):
        wrong += [np.full(shape, 2), np.full(shape, -1), np.zeros(shape)]
    return wrong


def wrong_out(shape: tuple[int, ...], dtype: Any) -> list[Any]:
    """In place of an array to write y to."""
    other = np.float32 if dtype == np.float64 else np.float64
    locked = np.zeros(shape, dtype)
    locked.flags.writeable = False
    wrong: list[Any] = [
        [],
        "text",
        0,
        np.zeros(shape, other),
        np.zeros(shape, np.int32),
        np.zeros(shape, np.dtype(dtype).newbyteorder()),
        np.zeros((*shape[:-1], shape[-1] + 1), dtype),
        np.zeros((1, *shape), dtype),
        np.zeros(shape, dtype)[..., 0],
        np.ma.zeros(shape, dtype),
        locked,
    ]
    transposed = np.zeros(shape[::-1], dtype).T
    gaps = np.zeros((*shape, 2), dtype)[..., 0]
    if np.prod(shape):
        wrong.append(unaligned(np.zeros(shape, dtype)))
    return wrong + [each for each in (transposed, gaps) if not each.flags.c_contiguous]


WRONG_FLAGS: tuple[Any, ...] = ("yes", 1, 0.0, None, [], np.array([True, False]))


def forward(
    rng: np.random.Generator, given: Arguments, y: Array, states: tuple[Array, Array]
) -> tuple[str, Arguments]:
    """Which argument is wrong, and a call of `lf.LSTM` in which it is."""
    x = given["x"]
    major = given.pop("layout") == "major"
    batch = 1 if x.ndim == 2 else x.shape[1 if major else 0]
    steps = x.shape[0 if major or x.ndim == 2 else 1]
    stepless = x[:0] if major or x.ndim == 2 else x[:, :0]
    wrong: dict[str, list[Any]] = {
        "x": [*wrong_floats(x), None, stepless],
        "state": wrong_state(*states),
        "lengths": wrong_lengths(batch, steps),
        "resets": wrong_resets(x.shape[:-1]),
        "training": list(WRONG_FLAGS),
        "out": wrong_out(y.shape, y.dtype),
        "hx": [states],
    }
    name = one_of(rng, list(wrong))
    return name, given | {name: one_of(rng, wrong[name])}


def backward(
    rng: np.random.Generator, given: Arguments, cells: Array | None, shapes: dict[str, Array]
) -> tuple[str, Arguments]:
    """Which argument of `backward` is wrong, and a call in which it is."""
    wrong: dict[str, list[Any]] = {"dy": wrong_floats(shapes["dy"])}
    dh, dc = shapes["dh_n"], shapes["dc_n"]
    wrong["dstate"] = [each for each in wrong_state(dh, dc) if not _is_half(each)]
    wrong["dcells"] = wrong_floats(cells) if cells is not None else [shapes["dy"], 0.0, "text"]
    name = one_of(rng, list(wrong))
    return name, given | {name: one_of(rng, wrong[name])}


def _is_half(pair: Any) -> bool:
    """One gradient of the two may be None."""
    return isinstance(pair, tuple) and len(pair) == 2 and any(each is None for each in pair)


def function(rng: np.random.Generator, given: Arguments) -> tuple[str, Arguments]:
    """Which argument of `lf.functional.lstm` is wrong, and a call in which it is."""
    w_ih, w_hh = given["w_ih"], given["w_hh"]
    wrong: dict[str, list[Any]] = {
        "x": [*wrong_floats(given["x"]), None],
        "w_ih": [each for each in wrong_floats(w_ih) if not _is_matrix(each)],
        "w_hh": [None, w_hh[:-1], w_hh.T[..., None], "text", w_hh.astype(complex)],
        "b_ih": wrong_floats(given["b_ih"]),
        "dtype": ["int8", "x", np.float16, complex],
        "activation": ["rleu", 3, "softmax", None.__class__],
        "zoneout_h": [-0.1, 1.5, "a", None, np.nan],
        "recurrent_dropout": [1.0, -1, []],
        "preact_clip": [0, -1.0, "a", np.inf],
        "coupled": [*WRONG_FLAGS],
        "batch_first": [*WRONG_FLAGS],
        "recompute_every": [0, "root", 1.5],
        "seed": [-1, "a", 1.5],
        "hx": [None, 0],
        "units": [3],
    }
    name = one_of(rng, list(wrong))
    return name, given | {name: one_of(rng, wrong[name])}


def _is_matrix(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind == "f"

"""Stacked layers, in one direction or in both, with dropout between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_real, expect_shape, time_major
from .options import Masks, Params
from .run import LstmCache
from .sequence import State, lstm_backward, lstm_forward

MERGE_MODES = ("concat", "sum", "mul", "ave", None)


@dataclass
class StackCache:
    """Values for `stack_backward`: one cache and one output a direction, one mask a layer."""

    runs: list[LstmCache]
    outputs: list[Array]
    dropout: list[Array | None]
    directions: int
    merge_mode: str | None
    return_sequences: bool
    go_backwards: bool

    def cell_states(self) -> Array:
        """c of every step of the last layer, its directions concatenated: (B, T, D·H)."""
        return np.concatenate([run.cell_states() for run in self.runs[-self.directions :]], axis=-1)


def stack_forward(
    x: npt.ArrayLike,
    layers: Sequence[Params],
    h0: npt.ArrayLike | None = None,
    c0: npt.ArrayLike | None = None,
    *,
    bidirectional: bool = False,
    merge_mode: str | None = "concat",
    go_backwards: bool = False,
    return_sequences: bool = True,
    masks: Sequence[Masks] | None = None,
    dropout: Sequence[npt.ArrayLike] | None = None,
    batch_first: bool = True,
    dtype: npt.DTypeLike = np.float64,
    **call: Any,
) -> tuple[Any, State, StackCache]:
    """Run L stacked layers: each reads the output of the one below.

    With D = 2 directions the forward h and the reverse h of a step are merged.

    Parameters
    ----------
    x : (B, T, I), or (T, B, I) with ``batch_first=False``
        Inputs.
    layers : sequence of L·D dicts
        Parameters as for `lstm_forward`: layer 0, layer 0 reverse, layer 1, ...
    h0, c0 : (L·D, B, P) and (L·D, B, H), optional
        States before the first step.
    bidirectional : bool
        Two directions a layer.
    merge_mode : str or None
        ``concat`` (N = 2P), ``sum``, ``mul``, ``ave`` (N = P); None returns a pair and so is for
        one layer only. Without effect in one direction, where N = P.
    go_backwards : bool
        Every layer runs from the end to the beginning, and returns its steps in that order; for one
        direction. `lengths`, `mask` and `resets` refer to each layer's input.
    return_sequences : bool
        False: the last layer returns one step, the last of each direction's run; with `lengths` the
        last before the padding.
    masks : sequence of L·D Masks, optional
        Masks of each direction.
    dropout : sequence of L - 1 arrays, optional
        Mask (scaled by the caller) on the outputs of every layer but the last, in their shape.
    batch_first, dtype
        As for `lstm_forward`.
    **call
        More keywords of `lstm_forward`, the same for every layer.

    Returns
    -------
    y : (B, T, N) or (T, B, N), or (B, N); a pair with ``merge_mode=None``
    (h, c) : (L·D, B, P) and (L·D, B, H)
    cache : StackCache
        For `stack_backward`.

    Examples
    --------
    >>> import numpy as np
    >>> one = {"kernel": np.ones((2, 8)), "recurrent_kernel": np.ones((2, 8))}
    >>> y, (h, c), cache = stack_forward(np.ones((3, 5, 2)), [one, one])
    >>> y.shape, h.shape
    ((3, 5, 2), (2, 3, 2))
    """
    D = 2 if bidirectional else 1
    L = _check(len(layers), D, merge_mode, go_backwards, masks, dropout)
    states = [None if s is None else as_real(s, dtype) for s in (h0, c0)]
    for name, state in zip("hc", states, strict=True):
        if state is not None:
            expect_shape("reference.stack", f"{name}0", state, (L * D, *state.shape[1:]))

    y: Any = as_real(x, dtype)
    cache = StackCache([], [], [], D, merge_mode, return_sequences, go_backwards)
    finals: list[State] = []
    for layer in range(L):
        for n in range(layer * D, layer * D + D):
            out, final, run = lstm_forward(
                y,
                layers[n],
                None if states[0] is None else states[0][n],
                None if states[1] is None else states[1][n],
                masks=None if masks is None else masks[n],
                reverse=go_backwards or n % D == 1,
                batch_first=batch_first,
                dtype=dtype,
                **call,
            )
            finals.append(final)
            cache.runs.append(run)
            if layer == L - 1 and not return_sequences:
                steps = time_major(out, batch_first)
                out = steps[run.rows.last, np.arange(steps.shape[1])]
            elif go_backwards:
                out = np.flip(out, axis=1 if batch_first else 0)
            cache.outputs.append(out)
        y = _merge(cache.outputs[-D:], merge_mode)
        mask = None
        if dropout is not None and layer < L - 1:
            mask = as_real(dropout[layer], dtype)
            y = y * expect_shape("reference.stack", "dropout", mask, y.shape)
        cache.dropout.append(mask)
    return y, (np.stack([h for h, _ in finals]), np.stack([c for _, c in finals])), cache


def _check(
    count: int,
    D: int,
    merge_mode: str | None,
    go_backwards: bool,
    masks: Sequence[Masks] | None,
    dropout: Sequence[npt.ArrayLike] | None,
) -> int:
    """L, the number of layers."""
    if not count or count % D:
        raise ValueError(f"[reference.stack] {count} parameter sets for {D} direction(s)")
    L = count // D
    if merge_mode not in MERGE_MODES:
        raise ValueError(
            f"[reference.stack] merge_mode is {merge_mode!r}; expected one of {MERGE_MODES}"
        )
    if merge_mode is None and D == 2 and L > 1:
        raise ValueError("[reference.stack] merge_mode is None; a layer above reads one array")
    if go_backwards and D == 2:
        raise ValueError("[reference.stack] go_backwards is for one direction")
    if masks is not None and len(masks) != count:
        raise ValueError(f"[reference.stack] {len(masks)} masks; expected {count}")
    if dropout is not None and len(dropout) != L - 1:
        raise ValueError(f"[reference.stack] {len(dropout)} dropout masks; expected {L - 1}")
    return L


def _merge(outputs: list[Array], mode: str | None) -> Any:
    """The output of a layer from its one or two directions."""
    if len(outputs) == 1:
        return outputs[0]
    ahead, back = outputs
    if mode == "concat":
        return np.concatenate(outputs, axis=-1)
    if mode == "mul":
        return ahead * back
    if mode is None:
        return ahead, back
    return ahead + back if mode == "sum" else 0.5 * (ahead + back)


def _unmerge(dy: Any, outputs: list[Array], mode: str | None) -> list[Any]:
    """Gradient of each direction's output from that of `_merge`."""
    if len(outputs) == 1 or dy is None:
        return [dy] * len(outputs)
    if mode == "concat":
        return list(np.split(dy, 2, axis=-1))
    if mode == "mul":
        return [dy * outputs[1], dy * outputs[0]]
    if mode is None:
        return list(dy)
    return [dy, dy] if mode == "sum" else [0.5 * dy, 0.5 * dy]


def _at_its_step(d: Array, run: LstmCache) -> Array:
    """Gradient of every step, in the layout of x, from that of the last output."""
    T, B, _ = run.x.shape
    steps = np.zeros((T, B, d.shape[-1]), dtype=d.dtype)
    steps[run.rows.last, np.arange(B)] = d
    return time_major(steps, run.batch_first)


def stack_backward(
    dy: Any,
    dh_n: npt.ArrayLike | None,
    dc_n: npt.ArrayLike | None,
    cache: StackCache,
    *,
    d_cell_states: npt.ArrayLike | None = None,
) -> tuple[Array, Array, Array, list[dict[str, Array]]]:
    """Backward of `stack_forward`.

    Parameters
    ----------
    dy : like y, or None
    dh_n, dc_n : (L·D, B, P) and (L·D, B, H), or None
    cache : StackCache
    d_cell_states : (B, T, D·H) or (T, B, D·H), optional
        Gradient of ``cache.cell_states()``.

    Returns
    -------
    dx : like x
    dh0, dc0 : (L·D, B, P) and (L·D, B, H)
    grads : list of L·D dicts
    """
    D, runs = cache.directions, cache.runs
    dtype, batch_first = runs[0].x.dtype, runs[0].batch_first
    d_finals = [None if d is None else as_real(d, dtype) for d in (dh_n, dc_n)]
    flow: Any = dy
    if dy is not None:
        pair = D == 2 and cache.merge_mode is None
        flow = [as_real(d, dtype) for d in dy] if pair else as_real(dy, dtype)
    back: dict[int, tuple[Array, Array, dict[str, Array]]] = {}
    for layer in reversed(range(len(runs) // D)):
        mask = cache.dropout[layer]
        if mask is not None and flow is not None:
            flow = flow * mask
        here = range(layer * D, layer * D + D)
        parts = _unmerge(flow, cache.outputs[here.start : here.stop], cache.merge_mode)
        dx = None
        for n, part in zip(here, parts, strict=True):
            if part is not None and here.stop == len(runs) and not cache.return_sequences:
                part = _at_its_step(part, runs[n])
            elif part is not None and cache.go_backwards:
                part = np.flip(part, axis=1 if batch_first else 0)
            cells = None
            if d_cell_states is not None and here.stop == len(runs):
                cells = np.split(as_real(d_cell_states, dtype), D, axis=-1)[n - here.start]
            d_in, dh, dc, grads = lstm_backward(
                part,
                None if d_finals[0] is None else d_finals[0][n],
                None if d_finals[1] is None else d_finals[1][n],
                runs[n],
                d_cell_states=cells,
            )
            back[n] = dh, dc, grads
            dx = d_in if dx is None else dx + d_in
        flow = dx
    order = range(len(runs))
    dh0 = np.stack([back[n][0] for n in order])
    dc0 = np.stack([back[n][1] for n in order])
    return flow, dh0, dc0, [back[n][2] for n in order]

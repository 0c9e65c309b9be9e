"""Stacked layers, in one direction or in both, with dropout between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_real, expect_shape, time_major
from .parameters import Masks, Params
from .sequence import LstmCache, State, lstm_backward, lstm_forward

__all__ = ["StackCache", "stack_backward", "stack_forward"]

# y of the two directions' a and b, and the gradients of a and b
_MERGES: dict[str | None, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "concat": (lambda a, b: np.concatenate([a, b], -1), lambda dy, a, b: np.split(dy, 2, axis=-1)),
    "sum": (lambda a, b: a + b, lambda dy, a, b: (dy, dy)),
    "mul": (lambda a, b: a * b, lambda dy, a, b: (dy * b, dy * a)),
    "ave": (lambda a, b: 0.5 * (a + b), lambda dy, a, b: (0.5 * dy, 0.5 * dy)),
    None: (lambda a, b: (a, b), lambda dy, a, b: dy),
}
# of one direction
_ALONE: tuple[Callable[..., Any], Callable[..., Any]] = (lambda a: a, lambda dy, a: (dy,))


@dataclass
class StackCache:
    """Values for `stack_backward`: one cache and one output a direction, one mask a layer.

    `unmerge` returns the gradient of each direction's output from that of the merged one.
    """

    runs: list[LstmCache]
    outputs: list[Array]
    dropout: list[Array | None]
    directions: int
    unmerge: Callable[..., Sequence[Array]]
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
    D, N = 2 if bidirectional else 1, len(layers)
    if not N or N % D:
        raise ValueError(f"[reference.stack] {N} parameter sets for {D} direction(s)")
    L = N // D
    if merge_mode not in _MERGES:
        raise ValueError(
            f"[reference.stack] merge_mode is {merge_mode!r}; expected one of {tuple(_MERGES)}"
        )
    if merge_mode is None and D == 2 and L > 1:
        raise ValueError("[reference.stack] merge_mode is None; a layer above reads one array")
    if go_backwards and D == 2:
        raise ValueError("[reference.stack] go_backwards is for one direction")
    if masks is not None and len(masks) != N:
        raise ValueError(f"[reference.stack] {len(masks)} masks; expected {N}")
    if dropout is not None and len(dropout) != L - 1:
        raise ValueError(f"[reference.stack] {len(dropout)} dropout masks; expected {L - 1}")

    merge, unmerge = _MERGES[merge_mode] if D == 2 else _ALONE
    y: Any = as_real(x, dtype)
    h_before, c_before = _parts("h0", h0, N, dtype), _parts("c0", c0, N, dtype)
    cache = StackCache([], [], [], D, unmerge, return_sequences, go_backwards)
    finals: list[State] = []
    for layer in range(L):
        for n in range(layer * D, layer * D + D):
            out, final, run = lstm_forward(
                y,
                layers[n],
                h_before[n],
                c_before[n],
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
        y = merge(*cache.outputs[-D:])
        mask = None
        if dropout is not None and layer < L - 1:
            mask = as_real(dropout[layer], dtype)
            y = y * expect_shape("reference.stack", "dropout", mask, y.shape)
        cache.dropout.append(mask)
    return y, (np.stack([h for h, _ in finals]), np.stack([c for _, c in finals])), cache


def _parts(
    name: str, states: npt.ArrayLike | None, N: int, dtype: npt.DTypeLike
) -> list[Array | None]:
    """The state (or its gradient) of each of the N runs."""
    if states is None:
        return [None] * N
    real = as_real(states, dtype)
    return list(expect_shape("reference.stack", name, real, (N, *real.shape[1:])))


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
    D, runs, N = cache.directions, cache.runs, len(cache.runs)
    dtype, batch_first = runs[0].x.dtype, runs[0].batch_first
    dh, dc = _parts("dh_n", dh_n, N, dtype), _parts("dc_n", dc_n, N, dtype)
    d_cells: list[Array | None] = [None] * N
    if d_cell_states is not None:
        d_cells[-D:] = np.split(as_real(d_cell_states, dtype), D, axis=-1)
    flow: Any = None if dy is None else as_real(dy, dtype)
    back: dict[int, list[Any]] = {}
    for layer in reversed(range(N // D)):
        mask = cache.dropout[layer]
        if mask is not None:
            flow = flow * mask
        here = range(layer * D, layer * D + D)
        outputs = cache.outputs[here.start : here.stop]
        parts = [None] * D if flow is None else cache.unmerge(flow, *outputs)
        flow = None
        for n, part in zip(here, parts, strict=True):
            if part is not None and here.stop == N and not cache.return_sequences:
                part = _at_its_step(part, runs[n])
            elif part is not None and cache.go_backwards:
                part = np.flip(part, axis=1 if batch_first else 0)
            dx, *back[n] = lstm_backward(part, dh[n], dc[n], runs[n], d_cell_states=d_cells[n])
            flow = dx if flow is None else flow + dx
    dh0, dc0, grads = zip(*(back[n] for n in range(N)), strict=True)
    return flow, np.stack(dh0), np.stack(dc0), list(grads)

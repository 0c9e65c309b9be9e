"""Stacked layers, in one direction or in both, with dropout between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_real, expect_shape
from .options import CellOptions, Masks, Params
from .run import LstmCache
from .sequence import State, lstm_backward, lstm_forward


@dataclass
class StackCache:
    """What `stack_backward` needs: one cache a direction, one mask (or None) a layer."""

    runs: list[LstmCache]
    dropout: list[Array | None]
    directions: int


def stack_forward(
    x: npt.ArrayLike,
    layers: Sequence[Params],
    h0: npt.ArrayLike | None = None,
    c0: npt.ArrayLike | None = None,
    *,
    options: CellOptions | None = None,
    bidirectional: bool = False,
    lengths: npt.ArrayLike | None = None,
    resets: npt.ArrayLike | None = None,
    masks: Sequence[Masks] | None = None,
    dropout: Sequence[npt.ArrayLike] | None = None,
    batch_first: bool = True,
    dtype: npt.DTypeLike = np.float64,
    keep_cache: bool = True,
) -> tuple[Array, State, StackCache]:
    """Run L stacked layers: each reads what the one below gives out.

    With D = 2 directions a layer gives out the forward and the reverse h of a step side by side.

    Parameters
    ----------
    x : (B, T, I), or (T, B, I) with ``batch_first=False``
        Inputs.
    layers : sequence of L·D dicts
        Parameters as for `lstm_forward`: layer 0, layer 0 reverse, layer 1, ...
    h0, c0 : (L·D, B, P) and (L·D, B, H), optional
        States before the first step.
    options, lengths, resets, batch_first, dtype, keep_cache
        As for `lstm_forward`, the same for every layer.
    bidirectional : bool
        Two directions a layer.
    masks : sequence of L·D Masks, optional
        Masks of each direction.
    dropout : sequence of L - 1 arrays, optional
        Mask (scaled by the caller) on the outputs of every layer but the last, in their shape.

    Returns
    -------
    y : (B, T, D·P) or (T, B, D·P)
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
    if not layers or len(layers) % D:
        raise ValueError(f"[reference.stack] {len(layers)} parameter sets for {D} direction(s)")
    L = len(layers) // D
    if masks is not None and len(masks) != L * D:
        raise ValueError(f"[reference.stack] {len(masks)} masks; expected {L * D}")
    if dropout is not None and len(dropout) != L - 1:
        raise ValueError(f"[reference.stack] {len(dropout)} dropout masks; expected {L - 1}")
    states = [None if s is None else as_real(s, dtype) for s in (h0, c0)]
    for name, state in zip("hc", states, strict=True):
        if state is not None:
            expect_shape("reference.stack", f"{name}0", state, (L * D, *state.shape[1:]))

    y = as_real(x, dtype)
    cache = StackCache([], [], D)
    finals: list[State] = []
    for layer in range(L):
        outputs = []
        for n in range(layer * D, layer * D + D):
            out, final, run = lstm_forward(
                y,
                layers[n],
                None if states[0] is None else states[0][n],
                None if states[1] is None else states[1][n],
                options=options,
                lengths=lengths,
                resets=resets,
                masks=None if masks is None else masks[n],
                reverse=n % D == 1,
                batch_first=batch_first,
                dtype=dtype,
                keep_cache=keep_cache,
            )
            outputs.append(out)
            finals.append(final)
            cache.runs.append(run)
        y = outputs[0] if D == 1 else np.concatenate(outputs, axis=-1)
        mask = None
        if dropout is not None and layer < L - 1:
            mask = expect_shape(
                "reference.stack", "dropout", as_real(dropout[layer], dtype), y.shape
            )
            y = y * mask
        cache.dropout.append(mask)
    return y, (np.stack([h for h, _ in finals]), np.stack([c for _, c in finals])), cache


def stack_backward(
    dy: npt.ArrayLike | None,
    dh_n: npt.ArrayLike | None,
    dc_n: npt.ArrayLike | None,
    cache: StackCache,
) -> tuple[Array, Array, Array, list[dict[str, Array]]]:
    """Backward of `stack_forward`.

    Parameters
    ----------
    dy : like y, or None
    dh_n, dc_n : (L·D, B, P) and (L·D, B, H), or None
    cache : StackCache

    Returns
    -------
    dx : like x
    dh0, dc0 : (L·D, B, P) and (L·D, B, H)
    grads : list of L·D dicts
    """
    D, runs = cache.directions, cache.runs
    dtype = runs[0].x.dtype
    d_finals = [None if d is None else as_real(d, dtype) for d in (dh_n, dc_n)]
    flow = None if dy is None else as_real(dy, dtype)
    back: dict[int, tuple[Array, Array, dict[str, Array]]] = {}
    for layer in reversed(range(len(runs) // D)):
        mask = cache.dropout[layer]
        if mask is not None and flow is not None:
            flow = flow * mask
        parts = [flow] * D if flow is None or D == 1 else np.split(flow, D, axis=-1)
        dx = None
        for n, part in zip(range(layer * D, layer * D + D), parts, strict=True):
            d_in, dh, dc, grads = lstm_backward(
                part,
                None if d_finals[0] is None else d_finals[0][n],
                None if d_finals[1] is None else d_finals[1][n],
                runs[n],
            )
            back[n] = dh, dc, grads
            dx = d_in if dx is None else dx + d_in
        flow = dx
    assert flow is not None
    order = range(len(runs))
    dh0 = np.stack([back[n][0] for n in order])
    dc0 = np.stack([back[n][1] for n in order])
    return flow, dh0, dc0, [back[n][2] for n in order]

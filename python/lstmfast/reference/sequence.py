"""One direction of one layer over a whole sequence: the time loop and BPTT."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .arrays import Array, as_real, expect_shape, quiet_overflow, time_major
from .cell import Cell, CellOptions, Step, Zoneout, cell_backward, cell_forward
from .parameters import Masks, Params, check_params
from .rows import Rows, plan_rows

__all__ = ["LstmCache", "lstm_backward", "lstm_forward"]

State = tuple[Array, Array]

_PLAIN, _NO_MASKS = CellOptions(), Masks()
_CLEARED = 0.0, 0.0


@dataclass
class LstmCache:
    """Values for `lstm_backward`, and gates and states for readers.

    `x` is time-major (T, B, I), after the input mask and with zeros at steps that are not real;
    the masks of single steps are time-major, too. `steps` holds one `Step` for each t; without
    `keep_cache` none.
    """

    params: dict[str, Array]
    cell: Cell
    masks: Masks
    x: Array
    rows: Rows
    batch_first: bool
    learns_start: bool = False
    steps: dict[int, Step] = field(default_factory=dict)

    def mask_at(self, mask: Array | None, t: int) -> Array | None:
        """Slice of a mask for step t: a 3-D mask has one a step."""
        return mask if mask is None or mask.ndim == 2 else mask[t]

    def cell_states(self) -> Array:
        """c of every step in the layout of x, zero or repeated where y is."""
        states = np.stack([self.steps[t].c for t in range(len(self.x))])
        self.rows.give_out(states)
        return time_major(states, self.batch_first)

    def gate(self, name: str) -> Array:
        """Activated gate "i", "f", "g" or "o" of every step, in the layout of x."""
        gates = np.stack([self.steps[t].gates[name].a for t in range(len(self.x))])
        return time_major(gates, self.batch_first)

    def zoneout(self, name: str, t: int) -> Zoneout:
        """m of step t, of "zoneout_h" or "zoneout_c": the mask in training, else the rate."""
        mask = self.mask_at(getattr(self.masks, name), t)
        return float(getattr(self.cell.options, name)) if mask is None else mask

    def step_gradient(self, name: str, value: npt.ArrayLike | None, width: int) -> Array | None:
        """Gradient of the values that every step computes from that of its outputs, time-major."""
        if value is None:
            return None
        T, B, _ = self.x.shape
        expected = (B, T, width) if self.batch_first else (T, B, width)
        given = expect_shape("reference.lstm", name, as_real(value, self.x.dtype), expected)
        return self.rows.take_in(time_major(given, self.batch_first))


def state_or_zero(
    name: str, value: npt.ArrayLike | None, shape: tuple[int, int], dtype: npt.DTypeLike
) -> Array:
    """The given state (or its gradient), checked; zeros for None."""
    if value is None:
        return np.zeros(shape, dtype=dtype)
    return expect_shape("reference.lstm", name, as_real(value, dtype), shape)


def lstm_forward(
    x: npt.ArrayLike,
    params: Params,
    h0: npt.ArrayLike | None = None,
    c0: npt.ArrayLike | None = None,
    *,
    options: CellOptions | None = None,
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    zero_output_for_mask: bool = False,
    resets: npt.ArrayLike | None = None,
    masks: Masks | None = None,
    bptt_steps: int | None = None,
    reverse: bool = False,
    batch_first: bool = True,
    dtype: npt.DTypeLike = np.float64,
    keep_cache: bool = True,
) -> tuple[Array, State, LstmCache]:
    """Run one direction of one layer; the equations are those of `lstmfast.reference.cell`.

    Parameters
    ----------
    x : (B, T, I), or (T, B, I) with ``batch_first=False``
        Inputs.
    params : dict
        ``kernel`` (I, G·H), ``recurrent_kernel`` (P, G·H), ``bias`` (G·H) (may be missing) and
        those that the options need, see `parameter_shapes`. Gate order i, f, g, o; coupled f, g, o.
        ``initial_h`` (P) and ``initial_c`` (H), in place of h0 and c0, are the state of all rows.
    h0, c0 : (B, P) and (B, H), optional
        State before the first step; zero by default.
    options : CellOptions, optional
        The cell; the plain one by default.
    lengths : (B,) int, optional
        Row b ends after ``lengths[b]`` steps, in any order of rows: outputs from there on are zero,
        and the state does not change. Values in the padding have no influence.
    mask : (B, T) bool, optional
        False steps are skipped, at any position: the state does not change, the output is that of
        the step before (of the run), zero before the first real step. This is Keras's mask.
    zero_output_for_mask : bool
        The output of a masked step is zero instead.
    resets : (B, T) bool, optional
        A new sequence begins in row b at step t: its state is cleared before that step. With
        `reverse` it is cleared after it, on the way to step t - 1. Padded and masked steps reset
        nothing.
    masks : Masks, optional
        Masks of the random options.
    bptt_steps : int, optional
        k: backward passes no gradient to the state before step k, 2k, 3k, ... of a row, where only
        real steps count and the first of this run is 0. The forward pass does not change.
    reverse : bool
        Go from the last step of each row to its first; y keeps the order of x. Keras's
        ``go_backwards`` is this with y flipped.
    batch_first : bool
        Layout of x, y and of masks that have a time axis.
    dtype : dtype
        Everything is computed in this floating type.
    keep_cache : bool
        False keeps no steps in the cache, which saves memory where only outputs are wanted.

    Returns
    -------
    y : (B, T, P) or (T, B, P)
        h of every step.
    (h, c) : (B, P) and (B, H)
        State after each row's last step.
    cache : LstmCache
        For `lstm_backward`.

    Raises
    ------
    ValueError
        A shape, length or parameter name does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"kernel": np.ones((1, 4)), "recurrent_kernel": np.zeros((1, 4))}
    >>> y, (h, c), cache = lstm_forward(np.zeros((1, 2, 1)), params)
    >>> y.shape, float(c[0, 0])
    ((1, 2, 1), 0.0)
    """
    options = options or _PLAIN
    masks = (masks or _NO_MASKS).laid_out(dtype, batch_first)
    inputs = time_major(as_real(x, dtype), batch_first)
    if inputs.ndim != 3:
        raise ValueError(f"[reference.lstm] x has {inputs.ndim} axes; expected 3")
    T, B, I = inputs.shape
    start = {name: params[name] for name in ("initial_h", "initial_c") if name in params}
    params = {name: value for name, value in params.items() if name not in start}
    if start:
        h0, c0 = (np.tile(as_real(value, dtype), (B, 1)) for value in start.values())
    real = check_params(params, I, options, dtype)
    P, columns = real["recurrent_kernel"].shape
    H = columns // len(options.gates)

    rows = plan_rows(T, B, reverse, lengths, mask, zero_output_for_mask, resets, bptt_steps)
    cell = Cell(real, options, masks.weight)
    if rows.idle is not None:
        inputs = np.where(rows.idle[:, :, None], inputs.dtype.type(0), inputs)
    if masks.input is not None:
        inputs = inputs * masks.input
    cache = LstmCache(
        real, cell, masks, np.ascontiguousarray(inputs), rows, batch_first, learns_start=bool(start)
    )
    # one product for the sequence; formula 1 of the cell adds h'·R' into it step by step
    z = cache.x.reshape(T * B, I) @ real["kernel"]
    if "bias" in real:
        z += real["bias"]
    z = z.reshape(T, B, columns)

    y = np.zeros((B, T, P) if batch_first else (T, B, P), dtype=z.dtype)
    h = state_or_zero("h0", h0, (B, P), z.dtype)
    c = state_or_zero("c0", c0, (B, H), z.dtype)
    out = time_major(y, batch_first)
    with quiet_overflow():
        for t in rows.order:
            h, c = _forward_step(cache, t, z[t], h, c, out, keep_cache)
    rows.give_out(out)
    return y, (h, c), cache


def _forward_step(
    cache: LstmCache, t: int, z: Array, h: Array, c: Array, y: Array, keep: bool
) -> State:
    """State after step t from the state before it; writes y[t]."""
    rows = cache.rows
    h, c = _chosen(rows.clear, t, _CLEARED, (h, c))
    mask = cache.mask_at(cache.masks.recurrent, t)
    h_in = h if mask is None else h * mask
    zoneout = cache.zoneout("zoneout_h", t), cache.zoneout("zoneout_c", t)
    h_new, c_new, step = cell_forward(cache.cell, z, h_in, h, c, *zoneout)
    if keep:
        cache.steps[t] = step
    y[t] = h_new
    return _chosen(rows.idle, t, (h, c), (h_new, c_new))


def _chosen(
    flags: Array | None, t: int, there: tuple[Array | float, Array | float], elsewhere: State
) -> State:
    """The pair `there` in the rows that are flagged at step t, `elsewhere` in the others."""
    if flags is None or not flags[t].any():
        return elsewhere
    rows = flags[t][:, None]
    return np.where(rows, there[0], elsewhere[0]), np.where(rows, there[1], elsewhere[1])


def lstm_backward(
    dy: npt.ArrayLike | None,
    dh_n: npt.ArrayLike | None,
    dc_n: npt.ArrayLike | None,
    cache: LstmCache,
    *,
    d_cell_states: npt.ArrayLike | None = None,
) -> tuple[Array, Array, Array, dict[str, Array]]:
    """Backpropagation through time of one `lstm_forward`.

    Parameters
    ----------
    dy : (B, T, P) or (T, B, P), or None
        Gradient of the outputs, in the layout of x. It is ignored where y is zero by lengths or
        `zero_output_for_mask`.
    dh_n, dc_n : (B, P) and (B, H), or None
        Gradient of the final state.
    cache : LstmCache
        Third result of `lstm_forward`; not changed.
    d_cell_states : (B, T, H) or (T, B, H), optional
        Gradient of ``cache.cell_states()``.

    Returns
    -------
    dx : like x
    dh0, dc0 : (B, P) and (B, H)
    grads : dict
        A gradient for each parameter, under its name.
    """
    cell, params, dtype = cache.cell, cache.params, cache.x.dtype
    T, B, I = cache.x.shape
    P, columns = params["recurrent_kernel"].shape
    H = columns // len(cell.options.gates)
    if len(cache.steps) != T:
        raise ValueError("[reference.lstm] backward needs a forward with keep_cache=True")
    d_out = cache.step_gradient("dy", dy, P)
    d_state = cache.step_gradient("d_cell_states", d_cell_states, H)

    grads = {name: np.zeros_like(value) for name, value in params.items()}
    dz = np.zeros((T, B, columns), dtype=dtype)
    dh = state_or_zero("dh_n", dh_n, (B, P), dtype)
    dc = state_or_zero("dc_n", dc_n, (B, H), dtype)
    with quiet_overflow():
        for t in reversed(cache.rows.order):
            dh_t = dh if d_out is None else dh + d_out[t]
            dc_t = dc if d_state is None else dc + d_state[t]
            dh, dc = _backward_step(cache, t, (dh_t, dc_t), (dh, dc), dz[t], grads)

    flat = dz.reshape(T * B, columns)
    h_in = np.stack([cache.steps[t].h_in for t in range(T)]) if T else np.zeros((0, B, P), dtype)
    grads["kernel"] = cache.x.reshape(T * B, I).T @ flat
    grads["recurrent_kernel"] = h_in.reshape(T * B, P).T @ flat
    if cache.masks.weight is not None:
        grads["recurrent_kernel"] *= cache.masks.weight
    if "bias" in grads:
        grads["bias"] = flat.sum(axis=0)
    dx = (flat @ params["kernel"].T).reshape(T, B, I)
    if cache.masks.input is not None:
        dx *= cache.masks.input
    if cache.learns_start:
        grads |= {"initial_h": dh.sum(axis=0), "initial_c": dc.sum(axis=0)}
    return np.ascontiguousarray(time_major(dx, cache.batch_first)), dh, dc, grads


def _backward_step(
    cache: LstmCache, t: int, whole: State, past: State, dz: Array, grads: dict[str, Array]
) -> State:
    """Gradient of the state before step t, from the whole gradient (dh_t, dc_t) of that after it.

    A row whose step is idle passes on `past`, what came from step t + 1, since its state did not
    change. Everything below is linear in dh_t and dc_t, so its dz is zero after they are cleared.
    """
    rows = cache.rows
    whole = _chosen(rows.idle, t, _CLEARED, whole)
    dh_in, dh, dc = cell_backward(cache.cell, cache.steps[t], *whole, dz, grads)
    mask = cache.mask_at(cache.masks.recurrent, t)
    dh = dh + (dh_in if mask is None else dh_in * mask)
    before = _chosen(rows.idle, t, past, (dh, dc))
    return _chosen(rows.stop, t, _CLEARED, before)

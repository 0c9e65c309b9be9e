"""One time step of the LSTM backward, formula by formula; `cell.py` has the formulas."""

from __future__ import annotations

import numpy as np

from .arrays import Array
from .cell import Cell, Gate, Step, Zoneout, input_gate, unbounded_state
from .norm import norm_backward


def _unmix(d: Array, m: Zoneout) -> tuple[Array | float, Array]:
    """m ⊙ d and (1 - m) ⊙ d: the gradients of the old and of the new value of `_mix`."""
    return (0.0, d) if isinstance(m, float) and m == 0.0 else (m * d, (1.0 - m) * d)


def _gate_backward(
    cell: Cell,
    name: str,
    gate: Gate,
    da: Array,
    c: Array,
    dz: Array,
    dc: Array,
    grads: dict[str, Array],
) -> None:
    """Write dz (B, H) of one gate; add p ⊙ dz to dc, and to the small gradients.

    `c` is the state that the peephole saw, `dc` its gradient.
    """
    activation = cell.activation if name == "g" else cell.recurrent_activation
    d = activation.derivative(gate.z, gate.a)
    d *= da
    if (bound := cell.options.preact_clip) is not None:
        d *= np.abs(gate.z) < bound
    if gate.norm is not None:
        cut = cell.columns[name]
        d, d_gamma, d_beta = norm_backward(d, cell.norm_z[name][0], gate.norm)
        grads["norm_z_weight"][cut] += d_gamma
        grads["norm_z_bias"][cut] += d_beta
    dz[...] = d
    if name in cell.peephole:
        dc += cell.peephole[name] * d
        grads["peephole"][cell.options.peepholes.index(name)] += (d * c).sum(axis=0)


def _output_backward(
    cell: Cell, step: Step, dh: Array, dc: Array, dz: Array, grads: dict[str, Array]
) -> Array:
    """Formulas 7 and 6 backward: from dh of `step.out`, return dc of the carried state."""
    options = cell.options
    if options.proj_clip is not None:
        dh = dh * (np.abs(step.out) < options.proj_clip)
    if cell.projection is not None:
        grads["projection_kernel"] += step.u.T @ dh
        dh = dh @ cell.projection.T

    output = step.gates.get("o")
    d_seen = cell.output_activation.derivative(step.seen, step.shown)
    d_seen *= dh if output is None else dh * output.a
    if cell.norm_c is not None and step.norm_c is not None:
        d_seen, d_gamma, d_beta = norm_backward(d_seen, cell.norm_c[0], step.norm_c)
        grads["norm_c_weight"] += d_gamma
        grads["norm_c_bias"] += d_beta
    dc = dc + d_seen
    if output is not None:
        dz_o = dz[:, cell.columns["o"]]
        _gate_backward(cell, "o", output, dh * step.shown, step.c, dz_o, dc, grads)
    return dc


def cell_backward(
    cell: Cell, step: Step, dh: Array, dc: Array, dz: Array, grads: dict[str, Array]
) -> tuple[Array, Array | float, Array]:
    """Backward of `cell_forward`, formula by formula from the last to the first.

    Parameters
    ----------
    cell, step : Cell, Step
        As given to and returned by `cell_forward`.
    dh : (B, P)
        Whole gradient of h_t.
    dc : (B, H)
        Gradient of c_t from step t + 1 on; the part through h_t is added here.
    dz : (B, G·H)
        Zero on entry; receives the gradient of b + x·W.
    grads : dict
        Gradients of peephole, norms and projection, added to.

    Returns
    -------
    dh_in : (B, P)
        Gradient of h'.
    dh_prev : (B, P) or 0.0
        The gradient of h_{t-1} through zoneout, not through the gates.
    dc_prev : (B, H)
        Gradient of c_{t-1}.
    """
    options, gates, c_prev = cell.options, step.gates, step.c_prev
    dh_prev, dh = _unmix(dh, step.zoneout_h)
    dc = _output_backward(cell, step, dh, dc, dz, grads)

    dc_prev, dc = _unmix(dc, step.zoneout_c)
    if options.cell_clip is not None:
        dc = dc * (np.abs(unbounded_state(cell, gates, c_prev)) < options.cell_clip)
    dc_prev = dc_prev + (dc * gates["f"].a if "f" in gates else dc)

    g = gates["g"].a
    d_gates = {"g": dc * input_gate(cell, gates)}
    if "i" in gates:
        d_gates["i"] = dc * g
    if "f" in gates:
        d_gates["f"] = dc * (c_prev - g if options.coupled else c_prev)
    for name, da in d_gates.items():
        dz_k = dz[:, cell.columns[name]]
        _gate_backward(cell, name, gates[name], da, c_prev, dz_k, dc_prev, grads)
    return dz @ cell.recurrent.T, dh_prev, dc_prev

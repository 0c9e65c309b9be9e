"""One time step of the LSTM: the equations, and nothing about sequences.

Each function is documented by the formulas it computes; `cell_gradient.py` has their gradients.
Masks are 1 when off; b + x·W is an argument, because it is one product for the whole sequence.

    1.  z = b + x·W + h'·R'                  h' = recurrent mask ⊙ h_{t-1}, R' = weight mask ⊙ R
    2.  z_i += p_i ⊙ c_{t-1}, z_f += p_f ⊙ c_{t-1}
    3.  z_k = LN_k(z_k) over the H units, z_k = clip(z_k)
    4.  i = σ(z_i), f = σ(z_f), g = φ(z_g);  coupled: i = 1 - f
    5.  c = clip(f ⊙ c_{t-1} + i ⊙ g);       zoneout: c = m ⊙ c_{t-1} + (1 - m) ⊙ c
    6.  z_o += p_o ⊙ c, then as 3;  o = σ(z_o)
    7.  u = o ⊙ φ_out(LN(c));                h = clip(u·P);  zoneout: h = m ⊙ h_{t-1} + (1 - m) ⊙ h
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activations import Activation, get_activation
from .arrays import Array
from .norm import NormCache, norm_forward
from .options import CellOptions

Zoneout = Array | float


@dataclass(frozen=True)
class Cell:
    """The options and the parameters, split into gates, once a sequence.

    `recurrent` (P, G·H) has the weight mask applied; `early_gates` are those computed before the
    new cell state. Keys are gate letters; values of `columns` are the gate's columns in a (B, G·H)
    array.
    """

    options: CellOptions
    recurrent: Array
    early_gates: str
    columns: dict[str, slice]
    peephole: dict[str, Array]
    norm_z: dict[str, tuple[Array, Array]]
    norm_c: tuple[Array, Array] | None
    projection: Array | None
    activation: Activation
    recurrent_activation: Activation
    output_activation: Activation


def make_cell(params: dict[str, Array], options: CellOptions, weight_mask: Array | None) -> Cell:
    """Build the `Cell` of checked parameters (see `options.parameter_shapes`)."""
    recurrent = params["recurrent_kernel"]
    H = recurrent.shape[1] // len(options.gates)
    columns = {gate: slice(k * H, (k + 1) * H) for k, gate in enumerate(options.gates)}
    norm_z, norm_c = {}, None
    if options.layer_norm:
        gamma, beta = params["norm_z_weight"], params["norm_z_bias"]
        norm_z = {gate: (gamma[cut], beta[cut]) for gate, cut in columns.items()}
        norm_c = params["norm_c_weight"], params["norm_c_bias"]
    out = options.activation if options.output_activation is None else options.output_activation
    return Cell(
        options=options,
        recurrent=recurrent if weight_mask is None else recurrent * weight_mask,
        early_gates="".join(k for k in options.gates if k != "o" and not options.is_off(k)),
        columns=columns,
        peephole=dict(zip(options.peepholes, params.get("peephole", ()), strict=False)),
        norm_z=norm_z,
        norm_c=norm_c,
        projection=params.get("projection_kernel"),
        activation=get_activation(options.activation),
        recurrent_activation=get_activation(options.recurrent_activation),
        output_activation=get_activation(out),
    )


@dataclass(slots=True)
class Gate:
    """One gate of one step: z (B, H) as it entered the activation, a (B, H) the activated."""

    z: Array
    a: Array
    norm: NormCache | None


@dataclass(slots=True)
class Step:
    """Values of one step for the backward pass; arrays are (B, H) unless noted.

    A gate that is switched off, or i of a coupled cell, is missing from `gates`.
    """

    gates: dict[str, Gate]
    h_in: Array  # (B, P) h', what the recurrent kernel saw
    c_prev: Array
    c: Array  # the carried state
    seen: Array  # c or LN(c), what φ_out saw
    shown: Array  # φ_out(seen)
    norm_c: NormCache | None
    u: Array  # o ⊙ shown
    out: Array  # (B, P) clip(u·P) before zoneout
    zoneout_h: Zoneout
    zoneout_c: Zoneout


def _gate_forward(cell: Cell, gate: str, z: Array, c: Array) -> Gate:
    """z += p ⊙ c; z = LN(z); z = clip(z); a = activation(z): formulas 2 (or 6), 3, 4."""
    if gate in cell.peephole:
        z = z + cell.peephole[gate] * c
    norm = None
    if gate in cell.norm_z:
        z, norm = norm_forward(z, *cell.norm_z[gate], cell.options.norm_epsilon)
    if (bound := cell.options.preact_clip) is not None:
        z = np.clip(z, -bound, bound)
    activation = cell.activation if gate == "g" else cell.recurrent_activation
    return Gate(z, activation.value(z), norm)


def _mix(old: Array, new: Array, m: Zoneout) -> Array:
    """m ⊙ old + (1 - m) ⊙ new; `new` itself when zoneout is off."""
    return new if isinstance(m, float) and m == 0.0 else m * old + (1.0 - m) * new


def input_gate(cell: Cell, gates: dict[str, Gate]) -> Array | float:
    """i, or 1 - f when coupled, or 1 when switched off."""
    if cell.options.coupled:
        return 1.0 - gates["f"].a
    return gates["i"].a if "i" in gates else 1.0


def unbounded_state(cell: Cell, gates: dict[str, Gate], c_prev: Array) -> Array:
    """f ⊙ c_{t-1} + i ⊙ g, formula 5 before clip and zoneout."""
    kept = gates["f"].a * c_prev if "f" in gates else c_prev.copy()
    kept += input_gate(cell, gates) * gates["g"].a
    return kept


def cell_forward(
    cell: Cell,
    z: Array,
    h_in: Array,
    h_prev: Array,
    c_prev: Array,
    zoneout_h: Zoneout = 0.0,
    zoneout_c: Zoneout = 0.0,
) -> tuple[Array, Array, Step]:
    """Formulas 1 to 7 for one step.

    Parameters
    ----------
    cell : Cell
        Options and parameters.
    z : (B, G·H)
        b + x·W on entry; overwritten with z of formula 1, which the result refers to.
    h_in, h_prev : (B, P)
        h_{t-1} with and without the recurrent mask.
    c_prev : (B, H)
        c_{t-1}.
    zoneout_h, zoneout_c : array or float
        m of formulas 7 and 5: a mask in training, the rate at inference.

    Returns
    -------
    h : (B, P)
    c : (B, H)
    step : Step
        For `cell_backward`.
    """
    options, cut = cell.options, cell.columns
    z += h_in @ cell.recurrent

    gates = {k: _gate_forward(cell, k, z[:, cut[k]], c_prev) for k in cell.early_gates}
    c = unbounded_state(cell, gates, c_prev)
    if (bound := options.cell_clip) is not None:
        c = np.clip(c, -bound, bound)
    c = _mix(c_prev, c, zoneout_c)

    seen, norm_c = c, None
    if cell.norm_c is not None:
        seen, norm_c = norm_forward(c, *cell.norm_c, options.norm_epsilon)
    u = shown = cell.output_activation.value(seen)
    if options.output_gate:
        gates["o"] = _gate_forward(cell, "o", z[:, cut["o"]], c)
        u = gates["o"].a * shown

    out = u if cell.projection is None else u @ cell.projection
    if (bound := options.proj_clip) is not None:
        out = np.clip(out, -bound, bound)
    h = _mix(h_prev, out, zoneout_h)
    step = Step(gates, h_in, c_prev, c, seen, shown, norm_c, u, out, zoneout_h, zoneout_c)
    return h, c, step

"""One time step of the LSTM: the equations, and nothing about sequences.

An option of the cell stands here as a field of `CellOptions`, in its formula and in the gradient of
that; so this file is a long one. Each function is documented by the formulas it computes. Masks are
1 when off; b + x·W is an argument, because it is one product for the whole sequence.

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
from .norm import NormCache, norm_backward, norm_forward

__all__ = ["CellOptions"]

Zoneout = Array | float


@dataclass(frozen=True)
class CellOptions:
    """The options of an LSTM cell.

    Attributes
    ----------
    activation, recurrent_activation : str or Activation
        φ of the candidate g, σ of the gates.
    output_activation : str, Activation or None
        φ_out in h = o ⊙ φ_out(c); None takes `activation`.
    peephole : bool
        The gates see the cell state through one weight a unit.
    coupled : bool
        i = 1 - f; three gates f, g, o.
    input_gate, forget_gate, output_gate : bool
        A gate switched off is 1; its parameters stay and get zero gradients.
    layer_norm : bool
        Each gate's pre-activation, and c on its way into h, is normalised over its H units.
    norm_epsilon : float
        Added to the variance inside the square root.
    cell_clip, preact_clip, proj_clip : float or None
        Bounds of |c|, of |z| and of |h·P|; the gradient passes where the value is strictly inside.
    proj_size : int
        P of the projection h·P, 0 for none.
    zoneout_h, zoneout_c : float
        Share of the units that keep their old value; without masks the expectation is used.
    """

    activation: str | Activation = "tanh"
    recurrent_activation: str | Activation = "sigmoid"
    output_activation: str | Activation | None = None
    peephole: bool = False
    coupled: bool = False
    input_gate: bool = True
    forget_gate: bool = True
    output_gate: bool = True
    layer_norm: bool = False
    norm_epsilon: float = 1e-5
    cell_clip: float | None = None
    preact_clip: float | None = None
    proj_clip: float | None = None
    proj_size: int = 0
    zoneout_h: float = 0.0
    zoneout_c: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name.endswith("activation") and value is not None:
                get_activation(value)
            elif name.endswith("_clip") and value is not None and not value > 0.0:
                raise ValueError(
                    f"[reference.options] {name} is {value}; expected a positive number"
                )
            elif name.startswith("zoneout") and not 0.0 <= value <= 1.0:
                raise ValueError(f"[reference.options] {name} is {value}; expected 0 to 1")
        if self.coupled and not (self.input_gate and self.forget_gate):
            raise ValueError("[reference.options] coupled ties i to f; neither can be switched off")
        if self.proj_clip is not None and not self.proj_size:
            raise ValueError("[reference.options] proj_clip needs proj_size")

    @property
    def gates(self) -> str:
        """Gate letters in the order of the parameter columns."""
        return "fgo" if self.coupled else "ifgo"

    @property
    def peepholes(self) -> str:
        """Gate letters in the order of the peephole rows."""
        return "fo" if self.coupled else "ifo"


class Cell:
    """The options and the parameters, split into gates, once a sequence.

    `recurrent` (P, G·H) has the weight mask applied; `early_gates` are those computed before the
    new cell state. Keys are gate letters; values of `columns` are the gate's columns in a (B, G·H)
    array.
    """

    def __init__(
        self, params: dict[str, Array], options: CellOptions, weight_mask: Array | None
    ) -> None:
        recurrent = params["recurrent_kernel"]
        H = recurrent.shape[1] // len(options.gates)
        self.options = options
        self.recurrent = recurrent if weight_mask is None else recurrent * weight_mask
        switches = {"i": options.input_gate, "f": options.forget_gate, "g": True}
        self.early_gates = [gate for gate in options.gates if switches.get(gate)]
        self.columns = {gate: slice(k * H, (k + 1) * H) for k, gate in enumerate(options.gates)}
        self.peephole = dict(zip(options.peepholes, params.get("peephole", ()), strict=False))
        self.norm_z: dict[str, tuple[Array, Array]] = {}
        self.norm_c: tuple[Array, Array] | None = None
        if options.layer_norm:
            gamma, beta = params["norm_z_weight"], params["norm_z_bias"]
            self.norm_z = {gate: (gamma[cut], beta[cut]) for gate, cut in self.columns.items()}
            self.norm_c = params["norm_c_weight"], params["norm_c_bias"]
        self.projection = params.get("projection_kernel")
        self.activation = get_activation(options.activation)
        self.recurrent_activation = get_activation(options.recurrent_activation)
        self.output_activation = get_activation(options.output_activation or options.activation)


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


def _unmix(d: Array, m: Zoneout) -> tuple[Array | float, Array]:
    """m ⊙ d and (1 - m) ⊙ d: the gradients of the old and of the new value of `_mix`."""
    return (0.0, d) if isinstance(m, float) and m == 0.0 else (m * d, (1.0 - m) * d)


def _gate_backward(
    cell: Cell, step: Step, name: str, da: Array, dz: Array, dc: Array, grads: dict[str, Array]
) -> None:
    """Write the gate's columns of dz; add p ⊙ dz to dc, and to the small gradients.

    `dc` is the gradient of the state that the peephole saw.
    """
    gate, seen = step.gates[name], step.c if name == "o" else step.c_prev
    activation = cell.activation if name == "g" else cell.recurrent_activation
    d = activation.derivative(gate.z, gate.a)
    d *= da
    if (bound := cell.options.preact_clip) is not None:
        d *= np.abs(gate.z) < bound
    cut = cell.columns[name]
    if gate.norm is not None:
        d, d_gamma, d_beta = norm_backward(d, cell.norm_z[name][0], gate.norm)
        grads["norm_z_weight"][cut] += d_gamma
        grads["norm_z_bias"][cut] += d_beta
    dz[:, cut] = d
    if name in cell.peephole:
        dc += cell.peephole[name] * d
        grads["peephole"][cell.options.peepholes.index(name)] += (d * seen).sum(axis=0)


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
        _gate_backward(cell, step, "o", dh * step.shown, dz, dc, grads)
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
        _gate_backward(cell, step, name, da, dz, dc_prev, grads)
    return dz @ cell.recurrent.T, dh_prev, dc_prev

"""The options of the cell, the parameters they need, and the masks of one run.

Letters: T steps, B rows, I inputs, H hidden units, P outputs (H, or `proj_size`), G gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy.typing as npt

from .activations import Activation, get_activation
from .arrays import Array, as_real, expect_shape

Params = Mapping[str, npt.ArrayLike]


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
        for name in ("activation", "recurrent_activation", "output_activation"):
            which = getattr(self, name)
            if which is not None:
                get_activation(which)
        if self.coupled and not (self.input_gate and self.forget_gate):
            raise ValueError("[reference.options] coupled ties i to f; neither can be switched off")
        for name in ("cell_clip", "preact_clip", "proj_clip"):
            bound = getattr(self, name)
            if bound is not None and not bound > 0.0:
                raise ValueError(
                    f"[reference.options] {name} is {bound}; expected a positive number"
                )
        if self.proj_clip is not None and not self.proj_size:
            raise ValueError("[reference.options] proj_clip needs proj_size")
        for name in ("zoneout_h", "zoneout_c"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(
                    f"[reference.options] {name} is {getattr(self, name)}; expected 0 to 1"
                )

    @property
    def gates(self) -> str:
        """Gate letters in the order of the parameter columns."""
        return "fgo" if self.coupled else "ifgo"

    @property
    def peepholes(self) -> str:
        """Gate letters in the order of the peephole rows."""
        return "fo" if self.coupled else "ifo"

    def is_off(self, gate: str) -> bool:
        """Tell whether the gate is switched off, that is 1 throughout."""
        switches = {"i": self.input_gate, "f": self.forget_gate, "o": self.output_gate}
        return not switches.get(gate, True)


@dataclass(frozen=True)
class Masks:
    """Masks of the random options, drawn (and scaled) by the caller; None means 1, or no mask.

    Attributes
    ----------
    input : (B, I), or one a step in the layout of x
        Multiplies x.
    recurrent : (B, P), or one a step in the layout of x
        Multiplies h_{t-1} on its way into the gates.
    weight : (P, G·H)
        DropConnect: multiplies the recurrent kernel.
    zoneout_h, zoneout_c : (T, B, P) and (T, B, H) in the layout of x
        1 where the old value stays, 0 where the new one comes in; None takes the rate itself.
    """

    input: Array | None = None
    recurrent: Array | None = None
    weight: Array | None = None
    zoneout_h: Array | None = None
    zoneout_c: Array | None = None


def parameter_shapes(
    input_size: int, hidden_size: int, options: CellOptions | None = None
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the parameters of one direction of one layer.

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    options : CellOptions, optional
        The cell; the plain one by default.

    Returns
    -------
    dict
        Name to shape, in a fixed order.

    Examples
    --------
    >>> parameter_shapes(2, 3, CellOptions(coupled=True, peephole=True))
    {'kernel': (2, 9), 'recurrent_kernel': (3, 9), 'bias': (9,), 'peephole': (2, 3)}
    """
    options = options or CellOptions()
    H, columns = hidden_size, len(options.gates) * hidden_size
    outputs = options.proj_size or H
    shapes: dict[str, tuple[int, ...]] = {
        "kernel": (input_size, columns),
        "recurrent_kernel": (outputs, columns),
        "bias": (columns,),
    }
    if options.peephole:
        shapes["peephole"] = (len(options.peepholes), H)
    if options.layer_norm:
        shapes |= {"norm_z_weight": (columns,), "norm_z_bias": (columns,)}
        shapes |= {"norm_c_weight": (H,), "norm_c_bias": (H,)}
    if options.proj_size:
        shapes["projection_kernel"] = (H, options.proj_size)
    return shapes


def check_params(
    params: Params, input_size: int, options: CellOptions, dtype: npt.DTypeLike
) -> dict[str, Array]:
    """Cast the parameters and check their names and shapes; the bias may be missing."""
    real = {name: as_real(value, dtype) for name, value in params.items()}
    for name in ("kernel", "recurrent_kernel"):
        if name not in real:
            raise ValueError(f"[reference.lstm] parameter {name} is missing")
    columns = real["recurrent_kernel"].shape[-1]
    if columns % len(options.gates):
        raise ValueError(
            f"[reference.lstm] recurrent_kernel has {columns} columns; expected a multiple of "
            f"{len(options.gates)} gates"
        )
    shapes = parameter_shapes(input_size, columns // len(options.gates), options)
    if unknown := set(real) - set(shapes):
        raise ValueError(f"[reference.lstm] unknown parameters {sorted(unknown)}")
    if missing := set(shapes) - set(real) - {"bias"}:
        raise ValueError(f"[reference.lstm] missing parameters {sorted(missing)}")
    return {
        name: expect_shape("reference.lstm", name, real[name], shape)
        for name, shape in shapes.items()
        if name in real
    }

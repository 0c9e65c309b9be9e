"""The parameters of one direction of one layer, and the masks of one run.

Letters: T steps, B rows, I inputs, H hidden units, P outputs (H, or `proj_size`), G gates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy.typing as npt

from .arrays import Array, as_real, expect_shape, time_major
from .cell import CellOptions

__all__ = ["Masks", "Params", "parameter_shapes"]

Params = Mapping[str, npt.ArrayLike]


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

    def laid_out(self, dtype: npt.DTypeLike, batch_first: bool) -> Masks:
        """The masks in the dtype; those of single steps time-major."""
        real = {name: as_real(mask, dtype) for name, mask in vars(self).items() if mask is not None}
        steps = {n: time_major(mask, batch_first) for n, mask in real.items() if mask.ndim == 3}
        return Masks(**real | steps)


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
    if "recurrent_kernel" not in real:
        raise ValueError("[reference.lstm] parameter recurrent_kernel is missing")
    hidden_size = real["recurrent_kernel"].shape[-1] // len(options.gates)
    shapes = parameter_shapes(input_size, hidden_size, options)
    if unknown := set(real) - set(shapes):
        raise ValueError(f"[reference.lstm] unknown parameters {sorted(unknown)}")
    if missing := set(shapes) - set(real) - {"bias"}:
        raise ValueError(f"[reference.lstm] missing parameters {sorted(missing)}")
    return {
        name: expect_shape("reference.lstm", name, real[name], shape)
        for name, shape in shapes.items()
        if name in real
    }

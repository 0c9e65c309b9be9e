"""The random masks of a training call of `lf.LSTM`, from numbers of their names.

How they are named is a promise (docs/equations.md): by seed, layer, kind, training call, row, step
and place; a value is dropped (for zoneout: kept) where its 32 bits lie below the rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lstmfast.reference import Masks
from philox import random_bits

if TYPE_CHECKING:
    from cases import Case

Array = npt.NDArray[Any]

SEED = 0  # of every LSTM that the tests' cases make
KINDS = ("dropout", "input", "recurrent", "weight", "zoneout_h", "zoneout_c")

__all__ = ["SEED", "Masks", "draw_dropout", "draw_masks"]


def below(rate: float, kind: str, n: int, step: int, shape: tuple[int, ...]) -> Array:
    """Where the numbers of (rows, width) or (rows, steps, width) lie below the rate."""
    bits = random_bits(core_seed(), n, KINDS.index(kind), step, shape)
    return np.asarray(bits < int(rate * 2.0**32))


def core_seed() -> int:
    """The number that names the masks of an LSTM with seed SEED."""
    from lstmfast.utils import as_generator, draw_seed

    return draw_seed(as_generator(SEED))


def dropped(rate: float, kind: str, n: int, step: int, shape: tuple[int, ...]) -> Array | None:
    """0 or 1 / (1 - rate); None without a rate."""
    if rate == 0.0:
        return None
    return np.where(below(rate, kind, n, step, shape), 0.0, 1.0 / (1.0 - rate))


def draw_dropout(rate: float, n: int, step: int, shape: tuple[int, ...]) -> Array:
    """Between layer n - 1 and n."""
    return np.where(below(rate, "dropout", n, step, shape), 0.0, 1.0 / (1.0 - rate))


def draw_masks(case: Case, n: int, step: int) -> Masks:
    """Of direction n of all layers, in training call `step`."""
    B, T, H, O = case.B, case.T, case.H, case.outputs
    recurrent = (B, T, O) if case.recurrent_dropout_kind == "step" else (B, O)
    gates = 3 if case.coupled else 4

    def zoned(rate: float, kind: str, width: int) -> Array | None:
        return below(rate, kind, n, step, (B, T, width)).astype(float) if rate else None

    return Masks(
        input=dropped(case.input_dropout, "input", n, step, (B, case.inputs(n))),
        recurrent=dropped(case.recurrent_dropout, "recurrent", n, step, recurrent),
        weight=dropped(case.weight_drop, "weight", n, step, (O, gates * H)),
        zoneout_h=zoned(case.zoneout_h, "zoneout_h", O),
        zoneout_c=zoned(case.zoneout_c, "zoneout_c", H),
    )

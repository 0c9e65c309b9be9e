"""What is said where a loss that nobody learns from is not finite."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

from lstmfast._arrays import Array
from lstmfast._warnings import level_of_caller

if TYPE_CHECKING:
    from lstmfast import _core

# what the user calls x, y and the weights
ArrayNames = tuple[str, str, str]
NAMES = "x", "y", "sample_weight"


def warn_of_non_finite(
    loss: float,
    engine: _core.Model,
    arrays: tuple[Array, Array, Array | None],
    where: str,
    name: str = "loss",
    names: ArrayNames = NAMES,
) -> bool:
    """Warn where a loss is not finite, naming the values it comes from; tell whether it was not.

    The values are looked at only then.
    """
    if math.isfinite(loss):
        return False
    found = engine.non_finite_text(*arrays, names)
    text = found or f"; {names[0]} and {names[1]} are finite everywhere: the outputs grow too large"
    warnings.warn(f"[{where}] {name} is {loss}{text}", RuntimeWarning, stacklevel=level_of_caller())
    return True

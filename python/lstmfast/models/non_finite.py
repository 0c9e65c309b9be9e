"""What is said where a loss that nobody learns from is not finite."""

from __future__ import annotations

import math
import warnings

from lstmfast._core import Model as Engine
from lstmfast._warnings import level_of_caller
from lstmfast.models.adapters import NAMES, ArrayNames, Samples


def warn_of_non_finite(
    loss: float,
    engine: Engine,
    data: Samples,
    where: str,
    name: str = "loss",
    names: ArrayNames = NAMES,
) -> bool:
    """Warn where a loss is not finite, naming the values it comes from; tell whether it was not.

    The values are looked at only then.
    """
    if math.isfinite(loss):
        return False
    found = engine.non_finite_text(data.x, data.y, data.weights, names)
    text = found or f"; {names[0]} and {names[1]} are finite everywhere: the outputs grow too large"
    warnings.warn(f"[{where}] {name} is {loss}{text}", RuntimeWarning, stacklevel=level_of_caller())
    return True

"""Numeric derivatives with an error bound, for gradient tests in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STEP = 2.0**-12


def slope_along(f: Callable[[float], float]) -> tuple[float, float]:
    """Derivative of f at 0 and a bound of its error, from differences over two steps.

    The central difference D(s) = (f(s) - f(-s)) / 2s is off by a·s² + O(s⁴), so
    (4·D(s/2) - D(s)) / 3 is off by O(s⁴), less than |D(s) - D(s/2)|, the error it takes away.
    A kink at distance r·s, where the slope jumps by J, makes it wrong by J/2·|1 - 7r/3| for
    r < 1/2 and J/6·(1 - r) beyond. The first bound sees only J·r/2 of it; the bend
    S(s) = (f(s) - 2f(0) + f(-s)) / s adds J·|1 - 3r|, and hardly anything to a smooth f.
    Rounding: f is a sum of some hundred terms, taken at most 8 times in each of the three.
    """
    middle = f(0.0)
    plus, minus, half_plus, half_minus = f(STEP), f(-STEP), f(STEP / 2), f(-STEP / 2)
    wide, near = (plus - minus) / (2.0 * STEP), (half_plus - half_minus) / STEP
    bend = (plus - 2.0 * middle + minus) / STEP
    half_bend = 4.0 * (half_plus - 2.0 * middle + half_minus) / STEP
    rounding = 100.0 * float(np.finfo(np.float64).eps) * max(1.0, abs(middle)) / STEP
    bound = abs(near - wide) + abs(bend - half_bend) + rounding
    return (4.0 * near - wide) / 3.0, bound

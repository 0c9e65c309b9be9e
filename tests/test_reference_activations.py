"""The activations of the reference: derivatives against differences, finite at the ends."""

from __future__ import annotations

import numpy as np
import pytest

from differences import STEP
from lstmfast import reference


@pytest.mark.parametrize("name", sorted(reference.ACTIVATIONS))
def test_activation_derivative(name: str) -> None:
    f = reference.ACTIVATIONS[name]
    x = (np.arange(-256, 256) + 0.5) / 32.0  # every kink is a multiple of 1/2
    with np.errstate(over="ignore"):
        y = f.value(x)
        derivative = f.derivative(x, y)
        wide = (f.value(x + STEP) - f.value(x - STEP)) / (2 * STEP)
        near = (f.value(x + STEP / 2) - f.value(x - STEP / 2)) / STEP
    bound = np.abs(wide - near) + 10 * np.finfo(np.float64).eps * (1.0 + np.abs(y)) / STEP
    assert np.all(np.abs(derivative - (4.0 * near - wide) / 3.0) <= bound)
    assert derivative is not y
    for dtype in ("float16", "float32"):
        low = x.astype(dtype)[:9]
        with np.errstate(over="ignore"):
            y = f.value(low)
            assert y.dtype == f.derivative(low, y).dtype == dtype


@pytest.mark.parametrize("name", sorted(set(reference.ACTIVATIONS) - {"exponential"}))
def test_activation_at_the_ends_is_finite(name: str) -> None:
    f = reference.ACTIVATIONS[name]
    x = np.array([-1e4, -90.0, 0.0, 90.0, 1e4], dtype=np.float32)
    with np.errstate(over="ignore", under="ignore"):
        assert np.all(np.isfinite(f.value(x)))
        assert np.all(np.isfinite(f.derivative(x, f.value(x))))

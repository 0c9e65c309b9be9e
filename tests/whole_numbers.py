"""Problems of whole numbers, on which the reference makes no rounding error at all.

With whole numbers for data, hard_tanh for φ and relu6 for σ every value of the forward and of the
backward pass is a whole number, small enough to be exact: the order of no sum matters, and equal
means equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lstmfast import reference
from lstmfast.reference import CellOptions, lstm_backward, lstm_forward

Array = npt.NDArray[Any]

WHOLE = CellOptions(activation="hard_tanh", recurrent_activation="relu6", peephole=True)
T, B, I, H = 6, 4, 2, 3


def whole(rng: np.random.Generator, *shape: int, bound: int = 2) -> Array:
    return rng.integers(-bound, bound + 1, shape).astype(np.float64)


class Whole:
    """A problem of whole numbers for the given options.

    `fraction_bits`: how many binary places its results may have.
    """

    def __init__(
        self, options: CellOptions = WHOLE, steps: int = T, fraction_bits: int = 0
    ) -> None:
        self.fraction_bits = fraction_bits
        rng = np.random.default_rng(4)
        self.options = options
        shapes = reference.parameter_shapes(I, H, options)
        self.params = {name: whole(rng, *shape) for name, shape in shapes.items()}
        P = options.proj_size or H
        self.x, self.dy = whole(rng, B, steps, I), whole(rng, B, steps, P)
        self.h0, self.c0 = whole(rng, B, P), whole(rng, B, H)
        self.dh, self.dc = whole(rng, B, P), whole(rng, B, H)

    def run(self, **changed: Any) -> dict[str, Array]:
        """All results; arrays of the problem and keywords of the call can be changed."""
        own = {k: changed.pop(k, getattr(self, k)) for k in ("x", "dy", "h0", "c0", "dh", "dc")}
        keywords = {"options": self.options} | changed
        params = keywords.pop("params", self.params)
        y, (h, c), cache = lstm_forward(own["x"], params, own["h0"], own["c0"], **keywords)
        dx, dh0, dc0, grads = lstm_backward(own["dy"], own["dh"], own["dc"], cache)
        results = {"y": y, "h": h, "c": c, "dx": dx, "dh0": dh0, "dc0": dc0}
        for name, value in (results | grads).items():
            fine = value * 2.0**self.fraction_bits
            assert np.all(fine == np.round(fine)), name
            assert np.abs(fine).max(initial=0.0) < 2.0**52, name
        return results | {f"d {name}": value for name, value in grads.items()}


def assert_equal(actual: dict[str, Array], expected: dict[str, Array]) -> None:
    assert set(actual) == set(expected)
    for name, value in actual.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)

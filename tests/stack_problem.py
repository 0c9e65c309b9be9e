"""A stack of LSTM layers on the reference: random numbers in, every result and gradient out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lstmfast import reference
from lstmfast.reference import CellOptions
from tolerances import allowed_errors

Array = npt.NDArray[Any]
Arrays: TypeAlias = dict[str, Array]

T, B, I, H = 6, 4, 3, 5

# padded right, padded left, with gaps, with nothing left
KINDS = np.array(
    [
        [True, True, True, True, False, False],
        [False, False, True, True, True, True],
        [False, True, False, True, True, False],
        [False, False, False, False, False, False],
    ]
)


@dataclass
class StackProblem:
    """`call` holds keywords of `stack_forward`; numbers by name, parameters as ``<n>.<name>``.

    The gradient of y is ``dy``, or ``dy.0`` and ``dy.1`` where y is a pair.
    """

    layers: int = 1
    options: CellOptions = field(default_factory=CellOptions)
    call: dict[str, Any] = field(default_factory=dict)

    @property
    def directions(self) -> int:
        return 2 if self.call.get("bidirectional") else 1

    def numbers(self) -> Arrays:
        rng = np.random.default_rng(7)
        D, P = self.directions, self.options.proj_size or H
        width = D * P if self.call.get("merge_mode", "concat") == "concat" else P
        named = {}
        for n in range(self.layers * D):
            shapes = reference.parameter_shapes(I if n < D else width, H, self.options)
            named |= {f"{n}.{k}": 0.5 * rng.standard_normal(s) for k, s in shapes.items()}
        named["x"] = rng.standard_normal((B, T, I))
        for name, size in (("h0", P), ("c0", H), ("dh_n", P), ("dc_n", H)):
            named[name] = rng.standard_normal((self.layers * D, B, size))
        lead = (B, T) if self.call.get("return_sequences", True) else (B,)
        pair = D == 2 and self.call.get("merge_mode", "concat") is None
        for name in ("dy.0", "dy.1") if pair else ("dy",):
            named[name] = rng.standard_normal((*lead, width))
        return named

    def forward(self, numbers: Arrays) -> tuple[Any, Any, Any]:
        layers: list[Arrays] = [{} for _ in range(self.layers * self.directions)]
        for key, value in numbers.items():
            n, _, name = key.partition(".")
            if n.isdigit():
                layers[int(n)][name] = value
        given = (numbers["x"], layers, numbers["h0"], numbers["c0"])
        return reference.stack_forward(*given, options=self.options, **self.call)

    def run(self, numbers: Arrays) -> Arrays:
        """Outputs and gradients; a gradient is named as what it is the gradient of, with a d."""
        y, (h, c), cache = self.forward(numbers)
        dy = numbers["dy"] if "dy" in numbers else (numbers["dy.0"], numbers["dy.1"])
        back = reference.stack_backward(dy, numbers["dh_n"], numbers["dc_n"], cache)
        ys = {"y.0": y[0], "y.1": y[1]} if isinstance(y, tuple) else {"y": y}
        found = ys | {"h_n": h, "c_n": c}
        found |= dict(zip(("dx", "dh0", "dc0"), back[:3], strict=True))
        for n, named in enumerate(back[3]):
            found |= {f"d{n}.{name}": value for name, value in named.items()}
        return found

    def allowed(self, numbers: Arrays, dtype: str = "float64") -> dict[str, float]:
        """How far another engine may be off that computes in dtype."""
        longest = max(4 * H, T * B, 2 * H + H + 1)
        return allowed_errors(self.run, numbers, longest=longest, dtype=dtype)

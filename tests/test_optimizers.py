"""Steps of every optimizer against its formula in `lf.reference`, with each of its options.

The cases follow from the core's tables, so that a new optimizer or option is tried as soon as it is
listed. Limits on gradients, which all optimizers share, are tested elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast import _core, reference
from lstmfast.layers import Dense, Input
from lstmfast.models import Sequential
from lstmfast.optimizers import CLIPS, OPTIMIZERS

STEPS, B, I, UNITS = 5, 7, 3, 2
IN_REFERENCE = {name.lower(): value for name, value in vars(reference).items()}


def other(row: dict[str, Any]) -> Any:
    """A value that is not the option's default and lies in its range."""
    if row["takes"] == ["flag"]:
        return not row["default"]
    return row["default"] / 2 if row["default"] else 0.4


def variants() -> list[Any]:
    """The defaults, each option changed alone, and all of them."""
    out = []
    for kind in _core.kinds("optimizer"):
        rows = [row for row in _core.describe("optimizer", kind) if row["name"] not in CLIPS]
        every = {row["name"]: other(row) for row in rows}
        some = {"defaults": {}, "all": every} | {name: {name: every[name]} for name in every}
        out += [pytest.param(kind, some[name], id=f"{kind}-{name}") for name in some]
    return out


@pytest.mark.parametrize(("kind", "options"), variants())
def test_steps(kind: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    model = Sequential([Input((I,)), Dense(UNITS)], dtype="float64")
    model.compile(OPTIMIZERS.classes[kind](**options), "mse")
    expected = [rng.normal(size=(I, UNITS)), rng.normal(size=UNITS)]
    model.set_weights(expected)
    optimizer = IN_REFERENCE[kind](**options)
    for _ in range(STEPS):
        x, y = rng.normal(size=(B, I)), rng.normal(size=(B, UNITS))
        error = x @ expected[0] + expected[1] - y
        slope = 2 * error / error.size
        model.train_on_batch(x, y)
        optimizer.step(expected, [x.T @ slope, slope.sum(axis=0)])
        for actual, value in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(actual, value, rtol=1e-10, atol=1e-12)

"""Whole trainings of `Sequential` against golden files of Keras, batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import runs
from golden_cases import KerasGolden, golden_names, read_keras
from lstmfast._layouts import KERAS_WEIGHTS
from test_golden import build, optimizer_and_clip
from tolerances import allowed_errors, assert_close

Array = npt.NDArray[Any]

DTYPES = ("float32", "float64")


def flat(layers: list[dict[str, Array]]) -> dict[str, Array]:
    return {f"{k}.{name}": v for k, named in enumerate(layers) for name, v in named.items()}


def in_order(named: dict[str, Array]) -> list[str]:
    """Names of `flat` as `get_weights` lists them."""
    layers = sorted({int(name.split(".")[0]) for name in named})
    listed = [f"{k}.{name}" for k in layers for name in KERAS_WEIGHTS]
    return [name for name in listed if name in named]


def make_model(golden: KerasGolden, dtype: str) -> lf.Sequential:
    stack: list[Any] = [lf.Input(golden.x.shape[1:])]
    stack += [getattr(lf.layers, kind)(**options) for kind, options in golden.layers]
    model = lf.Sequential(stack, dtype=dtype)
    kind, options = golden.optimizer
    model.compile(optimizer=getattr(lf.optimizers, kind)(**options), loss=golden.loss)
    start = flat(golden.start)
    model.set_weights([start[name] for name in in_order(start)])
    return model


def bounds(golden: KerasGolden) -> dict[str, float]:
    """Allowed errors of one float32 training: Keras takes its means in float32, always."""

    def run(numbers: dict[str, Array]) -> dict[str, Array]:
        model = build(golden, numbers)
        optimizer, clip = optimizer_and_clip(golden)
        history = lf.reference.fit(
            model,
            numbers["x"],
            golden.y,
            loss=golden.loss,
            optimizer=optimizer,
            clip=clip,
            epochs=[lf.reference.in_order(len(golden.x), golden.batch_size)] * golden.epochs,
        )
        return {"losses": np.array(history.batches)} | flat([v.params for v in model.layers])

    numbers = flat(golden.start) | {"x": golden.x}
    sizes = [len(v) for v in numbers.values()]
    return allowed_errors(run, numbers, longest=max(golden.batch_size, *sizes), dtype="float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", golden_names("keras"))
def test_keras_golden(name: str, dtype: str) -> None:
    """The loss of every batch before its step, and the weights at the end; `fit` does the same."""
    golden = read_keras(name)
    model = make_model(golden, dtype)
    losses = []
    for _ in range(golden.epochs):
        for first in range(0, len(golden.x), golden.batch_size):
            batch = slice(first, first + golden.batch_size)
            losses.append(model.train_on_batch(golden.x[batch], golden.y[batch]))
    end = flat(golden.end)
    weights = dict(zip(in_order(end), model.get_weights(), strict=True))
    # in float32 both are as far as this from the exact answer
    engines = 2.0 if dtype == "float32" else 1.0
    allowed = {key: engines * bound for key, bound in bounds(golden).items()}
    actual = weights | {"losses": np.array(losses, np.float64)}
    assert_close(actual, end | {"losses": golden.losses}, allowed)

    other = make_model(golden, dtype)
    history = other.fit(
        golden.x,
        golden.y,
        batch_size=golden.batch_size,
        epochs=golden.epochs,
        shuffle=False,
        verbose=0,
    )
    fitted = dict(zip(in_order(end), other.get_weights(), strict=True))
    runs.assert_same_bits(fitted, weights)
    sizes = [
        len(golden.x[k : k + golden.batch_size]) for k in range(0, len(golden.x), golden.batch_size)
    ]
    means = np.average(np.reshape(losses, (golden.epochs, -1)), axis=1, weights=sizes)
    np.testing.assert_allclose(history.history["loss"], means, rtol=1e-6)

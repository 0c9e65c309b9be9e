"""Every activation in every place: gates, candidate and output of the cell, and Dense."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import runs
from cases import Case, make_problem, run_reference
from differences import slope_along
from test_activations import BOUNDS
from test_gradients import check_slopes
from tolerances import assert_close, tolerance

Array = npt.NDArray[Any]

pytestmark = pytest.mark.isa

# the keywords that put a function into one place alone
PLACES: dict[str, dict[str, str]] = {
    "activation": {"output_activation": "tanh"},
    "recurrent_activation": {},
    "output_activation": {},
}
OF_INPUT = ("gelu", "hard_silu", "leaky_relu:-0.3", "mish", "scaled_tanh:0.9:0.8", "silu")
VARIANTS: dict[str, dict[str, Any]] = {
    "coupled_peephole": {"coupled": True, "peephole": True},
    "layer_norm": {"layer_norm": True, "peephole": True},
    "layer_norm_coupled": {"layer_norm": True, "coupled": True},
}


def place_of(name: str, place: str) -> dict[str, Any]:
    return {place: name, **PLACES[place]}


def check_against_reference(case: Case) -> None:
    problem = make_problem(case)
    actual = runs.run(runs.make_rnn(case, problem), problem)
    expected = run_reference(case, make_problem(case, "float64"))
    assert_close(actual, expected, tolerance(case, case.dtype))
    inferred = runs.forward(runs.make_rnn(case, problem), problem)
    runs.assert_same_bits(inferred, {name: actual[name] for name in inferred})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", BOUNDS)
def test_cell(name: str, place: str, dtype: str) -> None:
    """Outputs, states and all gradients against the reference, and inference as training."""
    check_against_reference(Case(3, 4, 3, 19, dtype=dtype, state=True, **place_of(name, place)))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", OF_INPUT)
def test_variant(name: str, place: str, variant: str) -> None:
    """Where backward takes the slope from the pre-activation."""
    check_against_reference(
        Case(3, 4, 3, 19, state=True, **place_of(name, place), **VARIANTS[variant])
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", BOUNDS)
def test_slopes_of_cell(name: str, place: str) -> None:
    check_slopes(Case(2, 2, 2, 4, dtype="float64", **place_of(name, place)))


def dense_loss(name: str, rng: np.random.Generator) -> tuple[lf.Sequential, Array, Array]:
    stack = [
        lf.Input((3,)),
        lf.layers.Dense(9, activation=name),
        lf.layers.Dense(5, activation=name),
        lf.layers.Dense(2),
    ]
    model = lf.Sequential(stack, dtype="float64", seed=0)
    model.compile(lf.optimizers.SGD(1.0), "mse")
    weights = [0.4 * rng.standard_normal(w.shape) for w in model.get_weights()]
    model.set_weights(weights)
    return model, rng.standard_normal((6, 3)), rng.standard_normal((6, 2))


@pytest.mark.parametrize("name", BOUNDS)
def test_slopes_of_dense(name: str) -> None:
    """A step of SGD with rate 1 is the gradient of the loss; against differences of the loss."""
    rng = np.random.default_rng(6)
    model, x, y = dense_loss(name, rng)
    before = model.get_weights()
    loss = model.train_on_batch(x, y)
    gradients = [old - new for old, new in zip(before, model.get_weights(), strict=True)]
    model.set_weights(before)
    assert loss == pytest.approx(model.test_on_batch(x, y), rel=1e-14)
    for k, gradient in enumerate(gradients):
        way = rng.standard_normal(gradient.shape)

        def along(s: float, k: int = k, way: Array = way) -> float:
            model.set_weights([w + s * way if j == k else w for j, w in enumerate(before)])
            return float(model.test_on_batch(x, y))

        numeric, bound = slope_along(along)
        assert bound < 1e-4 * max(1.0, abs(numeric)), (k, bound)
        assert abs(float((gradient * way).sum()) - numeric) <= bound, (k, numeric, bound)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BOUNDS)
def test_dense_values(name: str, dtype: str) -> None:
    """Dense gives what the function alone gives of b + x W, in training and outside of it."""
    rng = np.random.default_rng(5)
    x = (4.0 * rng.standard_normal((11, 37))).astype(dtype)
    model = lf.Sequential([lf.Input((37,)), lf.layers.Dense(37, activation=name)], dtype=dtype)
    model.set_weights([np.eye(37, dtype=dtype), np.zeros(37, dtype)])
    expected = lf._core.testing.activate(name, x)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    model.compile(lf.optimizers.SGD(0.0), "mse")
    loss = model.train_on_batch(x, np.zeros_like(x))
    assert loss == pytest.approx(float((expected.astype("float64") ** 2).mean()), rel=1e-5)

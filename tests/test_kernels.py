"""exp, tanh and sigmoid in the core: accuracy, special values, monotony."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import runs
from lstmfast import _core

Array = npt.NDArray[Any]

pytestmark = pytest.mark.isa

DTYPES = ("float32", "float64")
WIDE = {"float32": np.float64, "float64": np.longdouble}
ULP = 4.0

# the oracle of the three functions that have a promise of their own
PROMISED: dict[str, Callable[[Array], Array]] = {
    "exponential": np.exp,
    "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "tanh": np.tanh,
}


def activate(name: str, x: Array) -> Array:
    return _core.testing.activate(name, x)


def close_by(values: Array, steps: int = 64) -> Array:
    """The values and their neighbours in their type, `steps` to each side."""
    kind = f"i{values.dtype.itemsize}"
    offsets = np.arange(-steps, steps + 1, dtype=kind)
    # neighbours of 0 have both signs; elsewhere the bits of |x| count upwards
    near = (np.abs(values).view(kind)[:, None] + offsets).clip(0)
    return np.copysign(near.view(values.dtype), values[:, None]).ravel()


def following(start: np.floating[Any], count: int) -> Array:
    """Numbers of the type of `start` from there on, one after the other."""
    kind = f"i{start.dtype.itemsize}"
    return (start.view(kind) + np.arange(count, dtype=kind)).view(start.dtype)


def special_points(dtype: str) -> Array:
    """Where something changes: signs, reductions by log 2, limits, ends of the format."""
    info = np.finfo(dtype)
    log2 = np.log(2.0)
    halves = (np.arange(0.0, 2.0 - 2.0 * info.minexp) + 0.5) * log2  # n of the reduction changes
    ends = [
        *(float(np.log(np.longdouble(value))) for value in (info.max, info.tiny, info.eps)),
        *(0.5 * np.log(2.0 / float(info.eps)) + k for k in (-0.5, 0.0, 0.5, 1.0)),
        *(20.0, 10.0, 44.0, 22.0, 104.0, 746.0, 1.0, float(info.tiny), float(info.max)),
    ]
    values = np.concatenate([halves, np.abs(ends), 0.5 * halves]).astype(dtype)
    return close_by(np.concatenate([values, -values]))


def points(dtype: str, per_exponent: int) -> Array:
    """Every exponent of the type with random digits, both signs, and the special points."""
    info = np.finfo(dtype)
    rng = np.random.default_rng(0)
    exponents = np.repeat(np.arange(info.minexp, info.maxexp), per_exponent)
    digits = 1.0 + rng.random(exponents.size)
    digits[::per_exponent] = 1.0
    x = np.ldexp(digits.astype(dtype).clip(1.0, 2.0 - info.eps), exponents.astype(np.int32))
    signs = rng.choice(np.array([-1.0, 1.0], dtype), x.size)
    middle = rng.uniform(info.minexp, info.maxexp, x.size // 4).astype(dtype)
    found = np.concatenate([x * signs, middle, special_points(dtype)])
    assert found.dtype == dtype
    return found


def expected_of(name: str, x: Array) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        return PROMISED[name](x.astype(WIDE[x.dtype.name]))


def check_accuracy(name: str, x: Array) -> None:
    """At most 4 ulp where the result is normal; 0 or inf of the right sign where it is not."""
    info = np.finfo(x.dtype)
    x = x[np.abs(x) >= info.tiny]
    y, exact = activate(name, x), expected_of(name, x)
    size = np.abs(exact)
    edge = 1.0 + ULP * info.eps
    normal = (size >= info.tiny) & (size < info.max)
    # so close to an end of the normal numbers, 4 ulp may lie beyond it
    fallen = (y == 0) & (size < info.tiny * edge)
    risen = np.isinf(y) & (size > info.max / edge)
    judged = normal & ~fallen & ~risen
    _, exponents = np.frexp(exact[judged])
    ulp = np.ldexp(np.ones_like(exact[judged]), exponents - 1 - info.nmant)
    errors = np.abs(y[judged] - exact[judged]) / ulp
    worst = int(errors.argmax())
    assert errors[worst] <= ULP, (
        f"{name}: worst error {errors[worst]:.3f} ulp of {errors.size} points, at "
        f"x = {x[judged][worst]!r}: {y[judged][worst]!r}, exactly {exact[judged][worst]!r}"
    )
    assert np.array_equal(np.signbit(y), np.signbit(exact)), name
    # a result within 4 ulp of the smallest normal number may still be one
    small = (size < info.tiny) & ~(np.abs(y) == info.tiny)
    assert np.all(y[small] == 0), f"{name}: {x[small][y[small] != 0][:5]} give no 0"
    assert np.all(np.isinf(y[size / edge > info.max])), name


@pytest.mark.parametrize("name", PROMISED)
def test_accuracy_in_float32(name: str) -> None:
    check_accuracy(name, points("float32", 8192))


@pytest.mark.parametrize("name", PROMISED)
def test_accuracy_in_float64(name: str) -> None:
    if np.finfo(np.longdouble).eps > 2.0**-60:
        pytest.skip("long double is no wider than double here")
    check_accuracy(name, points("float64", 256))


@pytest.mark.parametrize("dtype", DTYPES)
def test_accuracy_in_the_middle(dtype: str) -> None:
    """Where gates are: evenly spaced arguments."""
    if np.finfo(WIDE[dtype]).eps > np.finfo(dtype).eps / 2**8:
        pytest.skip("long double is no wider than double here")
    x = np.linspace(-12.0, 12.0, 400_001).astype(dtype)
    for name in PROMISED:
        check_accuracy(name, x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(dtype: str) -> None:
    info = np.finfo(dtype)
    denormal = float(info.smallest_subnormal)
    x = np.array([0.0, -0.0, np.inf, -np.inf, denormal, -denormal, info.max, -info.max], dtype)
    expected = {
        "exponential": [1.0, 1.0, np.inf, 0.0, 1.0, 1.0, np.inf, 0.0],
        "sigmoid": [0.5, 0.5, 1.0, 0.0, 0.5, 0.5, 1.0, 0.0],
        "tanh": [0.0, -0.0, 1.0, -1.0, 0.0, -0.0, 1.0, -1.0],
    }
    for name, values in expected.items():
        y, wanted = activate(name, x), np.array(values, dtype)
        assert np.array_equal(y, wanted), (name, y, wanted)
        assert np.array_equal(np.signbit(y), np.signbit(wanted)), (name, y)


@pytest.mark.parametrize(
    ("name", "dtype", "start", "stop"),
    [
        ("tanh", "float32", 8.0, 10.5),
        ("tanh", "float64", 18.0, 22.5),
        ("sigmoid", "float32", 15.0, 18.0),
        ("sigmoid", "float64", 36.0, 38.0),
        ("sigmoid", "float32", 86.0, 105.0),
        ("sigmoid", "float64", 707.0, 747.0),
        ("exponential", "float32", 86.0, 105.0),
        ("exponential", "float64", 707.0, 747.0),
    ],
)
def test_monotone_at_the_ends(name: str, dtype: str, start: float, stop: float) -> None:
    """Number after number, from where a result nears its limit to where it has met it."""
    at = np.linspace(start, stop, 100).astype(dtype)
    x = np.concatenate([following(each, 4000) for each in at])
    x = np.unique(np.concatenate([x, -x]))
    y = activate(name, x)
    with np.errstate(invalid="ignore"):
        assert not np.any(np.diff(y) < 0)  # inf - inf is NaN
    assert not np.isnan(y).any()
    low, high = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "exponential": (0.0, np.inf)}[name]
    assert y.max() <= high
    assert y.min() >= low
    assert y[-1] == high or name == "exponential"
    assert y[0] == low or start < 50.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_is_odd(dtype: str) -> None:
    x = points(dtype, 64)
    runs.assert_same_bits({"tanh": activate("tanh", -x)}, {"tanh": -activate("tanh", x)})


@pytest.mark.parametrize("dtype", DTYPES)
def test_threads_share_a_long_array(dtype: str) -> None:
    x = np.linspace(-20.0, 20.0, 100_003).astype(dtype)
    for name in PROMISED:
        results = []
        for n in (1, 2, 4):
            with runs.threads(n):
                results.append({name: activate(name, x)})
        runs.assert_same_bits(results[1], results[0])
        runs.assert_same_bits(results[2], results[0])

"""Every activation of the core: value and slope against formulas in a wider type, and ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import runs
from lstmfast import _core, reference

Array = npt.NDArray[Any]

pytestmark = pytest.mark.isa

DTYPES = ("float32", "float64")
WIDE = {"float32": np.float64, "float64": np.longdouble}
LONGEST_TAIL = 3 * 32  # three vectors of any width
FAR = 2000.0  # e^x is not normal below -87 and -708: then |x| times the smallest normal is lost

# |error| in eps: of the value (times |y|, times |x|), of the slope (times |slope|, absolute). A
# rounding is half an eps, exp, expm1, tanh and sigmoid 4. A slope that is had from y adds what the
# error of y does to it.
BOUNDS: dict[str, tuple[float, float, float, float]] = {
    "linear": (0.0, 0.0, 0.0, 0.0),
    "relu": (0.0, 0.0, 0.0, 0.0),
    "tanh": (4.0, 0.0, 0.5, 8.0),  # 1 - y^2
    "sigmoid": (4.0, 0.0, 1.0, 4.0),  # y (1 - y)
    "exponential": (4.0, 0.0, 4.0, 0.0),
    "hard_sigmoid": (0.5, 0.5 / 6.0, 0.5, 0.0),  # the last rounding; 1/6 itself is rounded
    "hard_sigmoid:0.2:0.5": (0.5, 0.2, 0.5, 0.0),  # without fma the product is rounded, too
    "leaky_relu": (1.0, 0.0, 0.5, 0.0),  # the slope and the product
    "leaky_relu:-0.3": (1.0, 0.0, 0.5, 0.0),
    "elu": (4.0, 0.0, 0.5, 4.0),
    "elu:0.7": (5.0, 0.0, 0.5, 4.0),  # alpha and the product; y + alpha
    "selu": (5.0, 0.0, 0.5, 10.0),  # a constant and the product; y + 1.76
    "celu": (6.0, 0.0, 0.5, 7.0),  # x / alpha, which moves expm1 as much; y / alpha + 1
    "celu:0.7": (6.0, 0.0, 0.5, 7.0),
    # log(1 + e) = 2 atanh(e / (2 + e)): e 4, sum and quotient 1, series 1; then the sum 1/2
    "softplus": (6.5, 0.0, 10.5, 0.0),  # -expm1(-y)
    "log_sigmoid": (6.5, 0.0, 10.5, 0.0),
    "softsign": (1.0, 0.0, 1.5, 1.0),  # sum and quotient; (1 - |y|)^2
    "relu6": (0.0, 0.0, 0.0, 0.0),
    # polynomial and its argument 5, exp 2, products and the last difference 1
    "gelu": (8.0, 0.0, 0.5, 4.0),
    "gelu_tanh": (4.5, 0.0, 0.5, 12.0),  # and ARGUMENT
    "silu": (4.5, 0.0, 0.5, 6.0),
    "mish": (6.5, 0.0, 0.5, 10.0),  # exp, and five operations
    "tanh_shrink": (0.5, 4.0, 8.5, 0.0),  # x and tanh cancel; tanh^2
    "hard_silu": (1.0, 0.25, 0.5, 1.0),  # x times the error of hard_sigmoid, |x| up to 3
    "hard_tanh": (0.0, 0.0, 0.0, 0.0),
    "hard_shrink": (0.0, 0.0, 0.0, 0.0),
    "hard_shrink:0.625": (0.0, 0.0, 0.0, 0.0),
    "soft_shrink": (0.5, 0.0, 0.0, 0.0),
    "soft_shrink:0.625": (0.5, 0.0, 0.0, 0.0),
    "sparse_plus": (1.5, 0.0, 1.25, 0.0),
    "sparse_sigmoid": (0.5, 0.0, 0.0, 0.0),
    "squareplus": (2.5, 0.0, 7.0, 0.0),  # root 1.5, sum, quotient; y^2 / (y^2 + b / 4)
    "squareplus:0.5": (2.5, 0.0, 7.0, 0.0),
    "threshold": (0.0, 0.0, 0.0, 0.0),
    "threshold:-0.375:1.5": (0.0, 0.0, 0.0, 0.0),
    "thresholded_relu": (0.0, 0.0, 0.0, 0.0),
    "thresholded_relu:0.375": (0.0, 0.0, 0.0, 0.0),
    "affine": (0.0, 0.0, 0.0, 0.0),
    "affine:-1.5:0.25": (0.5, 0.75, 0.0, 0.0),
    "scaled_tanh": (6.0, 0.0, 2.0, 10.5),
    "scaled_tanh:1.7:0.6": (6.0, 0.0, 2.0, 10.5),
}
# sigmoid(u) moves relatively as much as u moves absolutely: square, polynomial, product, constants
ARGUMENT = {"gelu_tanh": lambda x: 2.5 * np.abs(1.6 * x + 0.0714 * x**3)}
# a bend that rounding moves by an ulp: the slopes of both sides are right
MOVED_BENDS = ("hard_sigmoid", "hard_sigmoid:0.2:0.5", "sparse_sigmoid")
# limits: f(-inf), f(inf), slope(-inf), slope(inf)
ENDS: dict[str, tuple[float, float, float, float]] = {
    "linear": (-np.inf, np.inf, 1, 1),
    "relu": (0, np.inf, 0, 1),
    "tanh": (-1, 1, 0, 0),
    "sigmoid": (0, 1, 0, 0),
    "exponential": (0, np.inf, 0, np.inf),
    "hard_sigmoid": (0, 1, 0, 0),
    "leaky_relu:0.25": (-np.inf, np.inf, 0.25, 1),
    "leaky_relu:-0.25": (np.inf, np.inf, -0.25, 1),
    "elu:0.5": (-0.5, np.inf, 0, 1),
    "celu:0.5": (-0.5, np.inf, 0, 1),
    "selu": (-1.7580993408473766, np.inf, 0, 1.0507009873554805),
    "softplus": (0, np.inf, 0, 1),
    "log_sigmoid": (-np.inf, 0, 1, 0),
    "softsign": (-1, 1, 0, 0),
    "relu6": (0, 6, 0, 0),
    "gelu": (0, np.inf, 0, 1),
    "gelu_tanh": (0, np.inf, 0, 1),
    "silu": (0, np.inf, 0, 1),
    "mish": (0, np.inf, 0, 1),
    "tanh_shrink": (-np.inf, np.inf, 1, 1),
    "hard_silu": (0, np.inf, 0, 1),
    "hard_tanh": (-1, 1, 0, 0),
    "hard_shrink": (-np.inf, np.inf, 1, 1),
    "soft_shrink": (-np.inf, np.inf, 1, 1),
    "sparse_plus": (0, np.inf, 0, 1),
    "sparse_sigmoid": (0, 1, 0, 0),
    "squareplus": (0, np.inf, 0, 1),
    "threshold:-0.5:2.5": (2.5, np.inf, 0, 1),
    "thresholded_relu": (0, np.inf, 0, 1),
    "affine:-2:1": (np.inf, -np.inf, -2, -2),
    "scaled_tanh:1.5:2": (-1.5, 1.5, 0, 0),
}


def activate(name: str, x: Array, slope: bool = False) -> Array:
    return _core.testing.activate(name, x, slope)


def tail_ratio(a: Array) -> Array:
    """Phi(-a) / phi(a) for a >= 0, by the series around 0 and Laplace's continued fraction."""
    found = np.empty_like(a)
    near, far = a[a < 2.0], a[a >= 2.0]
    term = total = near
    for k in range(1, 60):
        term = term * near * near / (2 * k + 1)
        total = total + term
    found[a < 2.0] = 0.5 * np.exp(near * near / 2.0) / inverse_root(a.dtype) - total
    bottom = far
    for k in range(600, 0, -1):
        bottom = far + k / bottom
    found[a >= 2.0] = 1.0 / bottom
    return found


def inverse_root(dtype: Any) -> Any:
    """1 / sqrt(2 pi), in any precision."""
    return 1.0 / np.sqrt(2.0 * np.arctan2(np.zeros((), dtype), -np.ones((), dtype)))


def density(a: Array) -> Array:
    """The normal density: exp's argument is split, for a^2 has more digits than the type."""
    coarse = np.round(a * 2.0**20) / 2.0**20
    square = np.exp(-coarse * coarse / 2.0) * np.exp(-(a - coarse) * (a + coarse) / 2.0)
    return inverse_root(a.dtype) * square


def gelu(x: Array) -> tuple[Array, Array]:
    """x Phi(x) and Phi(x) + x phi(x), relatively accurate in the left tail."""
    a = np.abs(x)
    small = tail_ratio(a) * density(a)
    slope = small - a * density(a)
    return np.where(x < 0, -a * small, x - a * small), np.where(x < 0, slope, 1.0 - slope)


def exact(name: str, x: Array) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        if name == "gelu":
            return gelu(x)
        f = reference.get_activation(name)
        y = f.value(x)
        return y, f.derivative(x, y)


def arguments(dtype: str) -> Array:
    """Around 0, where gates are, at bends, and 16 numbers of every exponent."""
    info, rng = np.finfo(dtype), np.random.default_rng(1)
    middle = [
        np.linspace(-40.0, 40.0, 20_001),
        np.linspace(-12.0, 12.0, 20_001),
        np.ldexp(rng.choice((-1.0, 1.0), 20_000), rng.integers(-100, 6, 20_000)),
        [-3.0, -1.0, -0.0, 0.0, 1.0, 3.0],
    ]
    exponents = np.repeat(np.arange(info.minexp, info.maxexp, dtype=np.int32), 16)
    digits = rng.uniform(1.0, 2.0, exponents.size).astype(dtype).clip(1.0, 2.0 - info.eps)
    wide = np.ldexp(digits * rng.choice((-1.0, 1.0), digits.size).astype(dtype), exponents)
    return np.concatenate([np.concatenate(middle).astype(dtype), wide])


def check(what: str, x: Array, found: Array, wanted: Array, allowed: Array) -> None:
    """Finite results within `allowed`, infinite ones where the exact one is out of range."""
    largest = wanted.dtype.type(np.finfo(found.dtype).max)
    assert np.all(np.isinf(found[np.abs(wanted) > largest * (1.0 + 2.0**-20)])), what
    judged = np.isfinite(found) & (np.abs(wanted) <= largest)
    assert np.all(judged | (np.abs(wanted) > largest * (1.0 - 2.0**-20))), what
    excess = np.abs(found[judged] - wanted[judged]) - allowed[judged]
    worst = int(excess.argmax())
    assert excess[worst] <= 0.0, (
        what,
        *(each[judged][worst] for each in (x, found, wanted, allowed)),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BOUNDS)
def test_formula(name: str, dtype: str) -> None:
    """Value and slope over all numbers, against the reference in a wider type."""
    wide, info = WIDE[dtype], np.finfo(dtype)
    if np.finfo(wide).eps > info.eps / 2**8:
        pytest.skip("long double is no wider than double here")
    x = arguments(dtype)
    xw = x.astype(wide)
    y, dy = exact(name, xw)
    of_y, of_x, of_slope, absolute = BOUNDS[name]
    # 2^-10 for products of roundings, which the first order leaves out
    eps, lost = (1.0 + 2.0**-10) * info.eps, FAR * info.tiny
    with np.errstate(all="ignore"):
        of_y = of_y + ARGUMENT.get(name, np.zeros_like)(xw)
        allowed = eps * (of_y * np.abs(y) + of_x * np.abs(xw)) + lost
        allowed = np.where(of_y == 0.0, lost, allowed) if not of_x else allowed
    check(name, xw, activate(name, x), y, allowed)
    slope = activate(name, x, slope=True)
    if name in MOVED_BENDS:
        for step in (-4.0, 4.0):
            changed = exact(name, xw * (1.0 + step * info.eps))[1]
            dy = np.where(slope == changed.astype(dtype), slope, dy)
    check(f"slope of {name}", xw, slope, dy, eps * (of_slope * np.abs(dy) + absolute) + lost)


@pytest.mark.parametrize("dtype", DTYPES)
def test_slope_of_gelu_in_the_left_tail(dtype: str) -> None:
    """Relatively: ratio 5 and a / sqrt(2 pi) 1, whose difference is no less than the latter's
    half; exp 2, product 1/2."""
    if np.finfo(WIDE[dtype]).eps > np.finfo(dtype).eps / 2**8:
        pytest.skip("long double is no wider than double here")
    x = np.linspace(-13.0 if dtype == "float32" else -37.0, -1.5, 50_001).astype(dtype)
    wanted = gelu(x.astype(WIDE[dtype]))[1]
    error = np.abs(activate("gelu", x, slope=True) / wanted - 1.0)
    assert error.max() <= 14.5 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ENDS)
def test_infinities(name: str, dtype: str) -> None:
    x = np.array([-np.inf, np.inf], dtype)
    low, high, slope_low, slope_high = ENDS[name]
    np.testing.assert_array_equal(activate(name, x), np.array([low, high], dtype))
    slopes = activate(name, x, slope=True)
    np.testing.assert_array_equal(slopes, np.array([slope_low, slope_high], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BOUNDS)
def test_nan_stays_nan(name: str, dtype: str) -> None:
    x = np.linspace(-2.0, 2.0, 70).astype(dtype)
    holes = np.arange(70) % 3 == 0
    y = activate(name, np.where(holes, np.array(np.nan, dtype), x))
    assert np.array_equal(np.isnan(y), holes)
    assert np.array_equal(y[~holes], activate(name, x)[~holes])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BOUNDS)
def test_tails(name: str, dtype: str) -> None:
    """A number's result does not depend on where it stands, or on how many follow."""
    rng = np.random.default_rng(2)
    x = (4.0 * rng.standard_normal(2 * LONGEST_TAIL)).astype(dtype)
    whole = activate(name, x)
    for length in range(1, LONGEST_TAIL + 1):
        for start in (0, 1, length % 13, LONGEST_TAIL - 1):
            part = slice(start, start + length)
            runs.assert_same_bits({name: activate(name, x[part])}, {name: whole[part]})


def test_every_activation_of_the_core_is_tested() -> None:
    names = set(_core.kinds("activation")) - {"softmax"}
    assert names == reference.ACTIVATIONS.keys()
    for table in (BOUNDS, ENDS):
        assert {name.partition(":")[0] for name in table} == names
    with pytest.raises(ValueError, match="activation"):
        activate("no_such_function", np.zeros(1, np.float32))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("elu:", "a number of at least 0 as alpha of elu"),
        ("elu:x", "a number of at least 0"),
        ("elu:nan", "a number of at least 0"),
        ("elu:1:2", "at most 1 numbers"),
        ("relu:1", "at most 0 numbers"),
        ("elu:-1", "a number of at least 0 as alpha of elu"),
        ("celu:0", "a number above 0 as alpha of celu"),
        ("squareplus:-4", "a number above 0 as alpha of squareplus"),
        ("softmax", "one of"),
    ],
)
def test_texts_that_are_none(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=f'activation is "{text}"; expected {expected}'):
        activate(text, np.zeros(1, np.float32))

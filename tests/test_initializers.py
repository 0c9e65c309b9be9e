"""First weights: distributions by their moments and bounds, orthogonality, names, forget gates."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import initializers
from lstmfast.initializers import Chrono, Initializer, Orthogonal, TruncatedNormal, VarianceScaling
from lstmfast.layers import LSTM, Dense
from lstmfast.models import Sequential

# of a standard normal within ± 2: 1 - 4 φ(2) / (2 Φ(2) - 1), under the root
CUT_STD = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))
SHAPE = (150, 400)
# name: the variance times n, n for that shape, and whether it is uniform
LAWS: dict[str, tuple[float, float, bool]] = {
    "glorot_uniform": (1.0, 275.0, True),
    "glorot_normal": (1.0, 275.0, False),
    "he_uniform": (2.0, 150.0, True),
    "he_normal": (2.0, 150.0, False),
    "lecun_uniform": (1.0, 150.0, True),
    "lecun_normal": (1.0, 150.0, False),
}


def check_moments(values: np.ndarray, mean: float, std: float) -> None:
    """Five standard errors: of a mean, and of a standard deviation, at most std/sqrt(2n)."""
    wide = values.astype(np.float64)
    assert abs(wide.mean() - mean) < 5 * std / math.sqrt(wide.size)
    assert abs(wide.std() - std) < 5 * std / math.sqrt(2 * wide.size)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAWS)
def test_scaled_laws(name: str, dtype: str) -> None:
    scale, n, uniform = LAWS[name]
    values = initializers.get({"class_name": name, "config": {"seed": 1}})(SHAPE, dtype)
    assert (values.shape, values.dtype.name) == (SHAPE, dtype)
    std = math.sqrt(scale / n)
    check_moments(values, 0.0, std)
    bound = math.sqrt(3) * std if uniform else 2 * std / CUT_STD
    assert 0.995 * bound < np.abs(values).max() <= np.float64(bound) * (1 + 1e-7)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_variance_scaling(mode: str) -> None:
    n = {"fan_in": 150, "fan_out": 400, "fan_avg": 275}[mode]
    for distribution in ("uniform", "normal", "truncated_normal", "untruncated_normal"):
        values = VarianceScaling(3.0, mode, distribution, seed=2)(SHAPE)
        std = math.sqrt(3.0 / n)
        check_moments(values, 0.0, std)
        beyond = (np.abs(values) > 2 * std / CUT_STD).mean()
        # a normal has 2.3 % beyond 2 / 0.8796 of its standard deviations
        assert (beyond > 0.02) == (distribution == "untruncated_normal")


def test_fans() -> None:
    """Of vectors, scalars and kernels with axes in front: sizes as Keras counts them."""

    def n(shape: tuple[int, ...], mode: str, **axes: Any) -> float:
        draw = VarianceScaling(1.0, mode, "uniform", seed=0, **axes)(shape, "float64")
        same = np.random.default_rng(0).uniform(-1, 1, shape)
        return float(3 * ((same / draw) ** 2).flat[0])

    for shape, fan_in, fan_out in [((7,), 7, 7), ((3, 4, 5), 12, 15), ((2, 3, 4, 5), 24, 30)]:
        assert n(shape, "fan_in") == pytest.approx(fan_in)
        assert n(shape, "fan_out") == pytest.approx(fan_out)
    assert n((), "fan_in") == pytest.approx(1)
    assert n((3, 4, 5), "fan_in", input_axes=[0], output_axes=[1, 2]) == pytest.approx(3)
    assert n((3, 4, 5), "fan_out", input_axes=[0], output_axes=[1, 2]) == pytest.approx(20)


def test_truncated_normal() -> None:
    values = TruncatedNormal(1.0, 0.5, seed=3)((300, 300), "float64")
    check_moments(values, 1.0, 0.5 * CUT_STD)
    assert 0.999 < np.abs(values - 1).max() <= 1.0
    assert initializers.random.TRUNCATED_STD == pytest.approx(CUT_STD, rel=1e-9)


def test_random_normal_and_uniform() -> None:
    check_moments(initializers.RandomNormal(-2, 0.3, seed=0)(SHAPE), -2.0, 0.3)
    values = initializers.RandomUniform(2, 5, seed=0)(SHAPE)
    check_moments(values, 3.5, 3 / math.sqrt(12))
    assert 2 <= values.min() < values.max() <= 5


@pytest.mark.parametrize("shape", [(30, 30), (8, 32), (32, 8), (3, 4, 20), (5, 6, 3)])
@pytest.mark.parametrize("gain", [1.0, 0.5, -2.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_orthogonal(shape: tuple[int, ...], gain: float, dtype: str) -> None:
    q = Orthogonal(gain, seed=0)(shape, dtype)
    assert q.dtype == dtype
    assert q.shape == shape
    matrix = q.astype("float64").reshape(-1, shape[-1])
    fewer = matrix @ matrix.T if len(matrix) < shape[-1] else matrix.T @ matrix
    # a sum of as many products as a row has elements, each rounded, with the gain on both sides
    atol = 8 * max(matrix.shape) * np.finfo(dtype).eps * gain**2
    np.testing.assert_allclose(fewer, gain**2 * np.eye(len(fewer)), rtol=0, atol=atol)


def test_orthogonal_matrices_are_equally_likely() -> None:
    # each element of a rotated matrix has mean 0 and mean square 1 / n, first rows as last ones
    many = np.stack([Orthogonal(seed=seed)((3, 3)) for seed in range(2000)])
    # five standard errors; the variance of a squared element is 2 (n - 1) / (n^2 (n + 2))
    np.testing.assert_allclose(many.mean(axis=0), 0, atol=5 * math.sqrt(1 / 3 / 2000))
    spread = math.sqrt(4 / 45 / 2000)
    np.testing.assert_allclose((many**2).mean(axis=0), 1 / 3, atol=5 * spread)
    assert 900 < (np.linalg.det(many) > 0).sum() < 1100  # and with reflections


def test_identity() -> None:
    np.testing.assert_array_equal(initializers.Identity()((3, 3)), np.eye(3))
    np.testing.assert_array_equal(initializers.Identity(-2)((4, 2)), -2 * np.eye(4, 2))


def test_seeds() -> None:
    for cls in initializers.INITIALIZERS.classes.values():
        if "seed" not in cls.__dataclass_fields__:
            continue
        make = cls(3) if cls is Chrono else cls()
        seeded = cls(**make.get_config() | {"seed": 5})
        np.testing.assert_array_equal(seeded((4, 4)), seeded((4, 4)))
        rng = np.random.default_rng(0)
        assert (make((4, 4), "float32", rng) != make((4, 4), "float32", rng)).any(), cls
        again = make((4, 4), "float32", np.random.default_rng(0))
        np.testing.assert_array_equal(make((4, 4), "float32", np.random.default_rng(0)), again)


def test_names_and_configurations() -> None:
    for name, cls in initializers.INITIALIZERS.classes.items():
        one = initializers.get(name)
        assert type(one) is cls
        assert initializers.get(cls) == initializers.get(cls.__name__) == one
        config = initializers.serialize(one)
        assert initializers.deserialize(config) == cls.from_config(one.get_config()) == one
    for alias, cls in [("normal", "RandomNormal"), ("OrthogonalInitializer", "Orthogonal")]:
        assert type(initializers.get(alias)).__name__ == cls


class Keraslike(Initializer):
    """With a call of its own, as the documentation of Keras shows."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:  # type: ignore[override]
        return np.full(shape, 3, dtype)


class Drawn(Initializer):
    def draw(self, shape: Any, dtype: Any, rng: np.random.Generator) -> Any:
        return rng.integers(1, 3, shape).astype(dtype)


def test_functions_arrays_and_own_classes() -> None:
    def twos(shape: tuple[int, ...], dtype: str) -> np.ndarray:
        assert (shape, dtype) == ((3, 2), "float64")
        return np.full(shape, 2)

    given = np.arange(6.0).reshape(3, 2)
    for kernel, expected in [(twos, 2), (given, given), (Keraslike(), 3)]:
        layer = Dense(2, kernel_initializer=kernel, input_shape=(3,))
        (first, _) = Sequential([layer], dtype="float64").get_weights()
        np.testing.assert_array_equal(first, np.broadcast_to(expected, (3, 2)))
        again = Dense.from_config(layer.get_config() | {"name": None})
        (second, _) = Sequential([lf.Input((3,)), again], dtype="float64").get_weights()
        np.testing.assert_array_equal(second, first)
    drawn = Dense(9, kernel_initializer=Drawn())
    first = Sequential([lf.Input((3,)), drawn], seed=0).get_weights()[0]
    assert set(np.unique(first)) == {1, 2}


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "scale": (lambda: VarianceScaling(0), ValueError, r"\[VarianceScaling\] scale is 0.0; exp"),
    "mode": (lambda: VarianceScaling(mode="fan"), ValueError, "mode is 'fan'; expected 'fan_in'"),
    "distribution": (
        lambda: VarianceScaling(distribution=1),  # type: ignore[arg-type]
        TypeError,
        "distribution is of type int; expected a string",
    ),
    "stddev": (lambda: TruncatedNormal(stddev=-1), ValueError, r"\[TruncatedNormal\] stddev is -1"),
    "kind": (lambda: Orthogonal("big"), TypeError, "gain is of type str; expected a number"),  # type: ignore[arg-type]
    "nan": (lambda: initializers.Constant(float("nan")), ValueError, "value is nan; expected a fi"),
    "seed": (lambda: Orthogonal(seed="a"), TypeError, "seed is of type str"),  # type: ignore[arg-type]
    "axes": (lambda: Orthogonal()((3,)), ValueError, r"shape is \(3,\); expected at least two"),
    "identity": (lambda: initializers.Identity()((3,)), ValueError, "expected two axes"),
    "steps": (lambda: Chrono(1), ValueError, r"\[Chrono\] max_steps is 1; expected at least 2"),
    "no steps": (lambda: Chrono()((3,)), ValueError, r"expected Chrono\(max_steps\) here"),
    "stft": (lambda: initializers.get("stft"), ValueError, "'stft' is not available in this"),
    "none": (lambda: initializers.get(None), TypeError, "initializer is None; expected"),
    "class": (lambda: initializers.get(int), TypeError, "initializer is the class int; expected"),
    "shape": (
        lambda: initializers.get(lambda shape, dtype: np.zeros(3))((2, 2)),
        ValueError,
        r"\[initializer\] <lambda> has shape \(3,\); expected \(2, 2\)",
    ),
    "content": (
        lambda: initializers.get(lambda shape, dtype: "no")((2, 2)),
        TypeError,
        "<lambda>",
    ),
    # -- forget_bias
    "word": (lambda: LSTM(2, forget_bias="long"), ValueError, r"LSTM\] forget_bias is 'long'; exp"),
    "a list": (lambda: LSTM(2, forget_bias=[1]), TypeError, "forget_bias is of type list; exp"),
    "not finite": (lambda: lf.LSTM(1, 2, forget_bias=np.inf), ValueError, "forget_bias is inf"),
    "no bias": (
        lambda: LSTM(2, use_bias=False, forget_bias=1),
        ValueError,
        "forget_bias is 1, but there is no bias; expected None",
    ),
    "any steps": (
        lambda: Sequential([lf.Input((None, 1)), LSTM(2, forget_bias="chrono")]),
        ValueError,
        r"\[layers.LSTM\] forget_bias='chrono' needs the number of steps, .* \('chrono', steps\)",
    ),
    "one step": (
        lambda: Sequential([lf.Input((1, 1)), LSTM(2, forget_bias="chrono")]),
        ValueError,
        "needs at least 2 steps; the input has 1",
    ),
    "LSTM": (lambda: lf.LSTM(1, 2, forget_bias="chrono"), ValueError, r"expected \('chrono', st"),
    "set later": (
        lambda: setattr(lf.LSTM(1, 2), "forget_bias", 1.0),
        AttributeError,
        "forget_bias cannot be set",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call()


# -- the forget gate's first bias -------------------------------------------------------------


# as many units as the moments need; orthogonal matrices of that size would take seconds
WIDE: dict[str, Any] = {"units": 300, "recurrent_initializer": "zeros"}


def layer_weights(steps: int | None = 20, **options: Any) -> dict[str, np.ndarray]:
    model = Sequential([LSTM(**WIDE, input_shape=(steps, 2), **options)], seed=0)
    names = [name for name, _ in model.layers[0].weight_parts()]
    return dict(zip(names, model.get_weights(), strict=True))


def check_chrono(i: np.ndarray | None, f: np.ndarray, steps: int) -> None:
    if i is not None:
        np.testing.assert_array_equal(i, -f)
    u = np.exp(f.astype(np.float64))
    # 300 values, uniform from 1 to T - 1, of standard deviation (T - 2)/sqrt(12)
    assert 1 - 1e-6 <= u.min() < u.max() <= (steps - 1) * (1 + 1e-6)
    assert abs(u.mean() - steps / 2) < 5 * (steps - 2) / math.sqrt(12 * len(u))
    assert len(np.unique(f)) > 200


def test_forget_bias_of_layers() -> None:
    i, f, g, o = layer_weights(forget_bias=-2.5, bias_initializer="ones")["bias"].reshape(4, -1)
    assert (f == -2.5).all()
    assert (i == 1).all() and (g == 1).all() and (o == 1).all()  # noqa: PT018
    f, g, o = layer_weights(forget_bias=2, coupled=True)["bias"].reshape(3, -1)
    assert (f == 2).all()
    assert not g.any() and not o.any()  # noqa: PT018


@pytest.mark.parametrize(
    ("given", "steps", "longest"),
    [("chrono", 20, 20), (("chrono", 9), None, 9), (Chrono(50, seed=1), 20, 50), (Chrono(), 7, 7)],
)
def test_chrono_of_layers(given: Any, steps: int | None, longest: int) -> None:
    i, f, g, o = layer_weights(steps, forget_bias=given)["bias"].reshape(4, -1)
    check_chrono(i, f, longest)
    assert not g.any() and not o.any()  # noqa: PT018
    f, *rest = layer_weights(steps, forget_bias=given, coupled=True)["bias"].reshape(3, -1)
    check_chrono(None, f, longest)
    assert not np.any(rest)


def test_chrono_takes_the_steps_of_the_first_data() -> None:
    layers = [LSTM(**WIDE, return_sequences=True), LSTM(**WIDE, forget_bias="chrono")]
    model = Sequential(layers, seed=0)
    model.predict(np.zeros((1, 40, 2)), verbose=0)
    i, f, *_ = model.get_weights()[5].reshape(4, -1)
    check_chrono(i, f, 40)


def test_forget_bias_with_layer_norm_is_the_shift() -> None:
    """A norm would take away what a bias adds to all units alike."""
    for bias in (True, False):
        weights = layer_weights(forget_bias=3, layer_norm=True, use_bias=bias)
        i, f, g, o = weights["norm_z_bias"].reshape(4, -1)
        assert (f == 3).all()
        assert not i.any() and not g.any() and not o.any()  # noqa: PT018
        assert not bias or not weights["bias"].any()
    plain = layer_weights(layer_norm=True)
    assert not plain["norm_z_bias"].any()
    assert (plain["bias"].reshape(4, -1)[1] == 1).all()


@pytest.mark.parametrize("options", [{}, {"coupled": True}, {"layer_norm": True}])
def test_forget_bias_of_lf_lstm(options: dict[str, Any]) -> None:
    gates = 3 if options.get("coupled") else 4
    plain = lf.LSTM(2, 300, 2, seed=0, **options).state_dict()

    def effective(weights: dict[str, np.ndarray], layer: int) -> np.ndarray:
        name = "norm_z_bias" if options.get("layer_norm") else "bias_ih"
        bias = weights[f"{name}_l{layer}"]
        if name == "bias_ih":
            bias = bias + weights[f"bias_hh_l{layer}"]
        return bias.reshape(gates, -1)

    for layer in range(2):
        one = lf.LSTM(2, 300, 2, seed=0, forget_bias=1.5, **options).state_dict()
        bias, before = effective(one, layer), effective(plain, layer)
        assert (bias[gates - 3] == 1.5).all()
        np.testing.assert_array_equal(bias[gates - 2 :], before[gates - 2 :])
        if gates == 4:
            np.testing.assert_array_equal(bias[0], before[0])
        np.testing.assert_array_equal(one["weight_hh_l1"], plain["weight_hh_l1"])

        rnn = lf.LSTM(2, 300, 2, seed=0, forget_bias=("chrono", 64), **options)
        bias = effective(rnn.state_dict(), layer)
        check_chrono(bias[0] if gates == 4 else None, bias[gates - 3], 64)
        np.testing.assert_array_equal(bias[gates - 2 :], before[gates - 2 :])
    first, second = (effective(rnn.state_dict(), layer)[gates - 3] for layer in range(2))
    assert (first != second).any()
    assert "forget_bias=Chrono(max_steps=64, seed=None)" in repr(rnn)
    copied = pickle.loads(pickle.dumps(rnn))
    np.testing.assert_equal(copied.state_dict(), rnn.state_dict())


@pytest.mark.parametrize("given", [None, 0.5, "chrono", ("chrono", 30)])
def test_forget_bias_in_configurations(given: Any) -> None:
    model = Sequential([LSTM(8, forget_bias=given, input_shape=(6, 2)), Dense(1)], seed=0)
    again = Sequential.from_config(model.get_config(), seed=0)
    for mine, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.layers[0].forget_bias == model.layers[0].forget_bias
        np.testing.assert_array_equal(twin.get_weights()[2], model.get_weights()[2])

"""Every loss: the core against the reference, and the reference against differences."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from differences import slope_along
from loss_cases import CASES, OF_ROWS
from lstmfast import _core, losses, models, optimizers, reference
from lstmfast.layers import Dense, Input
from lstmfast.models import Sequential, load_model

Array = npt.NDArray[Any]

B, T = 4, 5
EPS = float(np.finfo(np.float64).eps)


def test_every_loss_has_a_case() -> None:
    assert {name.partition(",")[0] for name in CASES} == set(_core.kinds("loss"))


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_the_reference(name: str) -> None:
    case = CASES[name]
    p, y = case.prediction(2, 3), case.target(2, 3)
    _, gradient = case.reference(p, y)
    assert gradient.shape == p.shape
    for at in np.ndindex(*p.shape):
        way = np.zeros_like(p)
        way[at] = 1.0

        def along(s: float, way: Array = way) -> float:
            return case.reference(p + s * way, y)[0]

        numeric, bound = slope_along(along)
        assert abs(gradient[at] - numeric) <= bound


def gradients_of_the_core(loss: Any, p: Array, y: Array, **weights: Any) -> tuple[float, Array]:
    """A Dense layer whose kernel are the predictions, from rows of the identity."""
    rows = p.size // p.shape[-1]
    x = np.eye(rows).reshape(*p.shape[:-1], rows)
    model = Sequential(
        [Input(x.shape[1:]), Dense(p.shape[-1], use_bias=False)], dtype="float64", seed=0
    )
    model.set_weights([p.reshape(rows, -1)])
    model.compile(optimizers.SGD(1.0), loss)
    value = model.train_on_batch(x, y, **weights)
    return float(value), (p - model.get_weights()[0].reshape(p.shape))


@pytest.mark.isa
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str) -> None:
    case = CASES[name]
    p, y = case.prediction(B, T), case.target(B, T)
    value, gradient = gradients_of_the_core(case.loss(), p, y)
    expected, slope = case.reference(p, y)
    # a hundred terms of functions within some ulp; gradients are differences of weights
    assert value == pytest.approx(expected, rel=100 * EPS, abs=10 * EPS)
    np.testing.assert_allclose(gradient, slope, rtol=100 * EPS, atol=4 * EPS * abs(p).max())
    assert case.loss()(y, p) == value


@pytest.mark.isa
@pytest.mark.parametrize("name", CASES)
def test_float32(name: str) -> None:
    case = CASES[name]
    p, y = case.prediction(B, T).astype(np.float32), case.target(B, T)
    y = y.astype(np.float32) if y.dtype.kind == "f" else y
    expected, _ = case.reference(p.astype(np.float64), y.astype(np.float64))
    # values of some units, each within 10 roundings of float32, added in double
    assert case.loss()(y, p) == pytest.approx(expected, abs=40 * float(np.finfo(np.float32).eps))


@pytest.mark.parametrize("name", OF_ROWS)
def test_functions_return_values_of_rows(name: str) -> None:
    case = CASES[name]
    p, y = case.prediction(B, T), case.target(B, T)
    values = case.loss(reduction=None)(y, p)
    assert values.shape == (B, T)
    for at in np.ndindex(B, T):
        expected, _ = case.reference(p[at][None], np.asarray(y[at])[None])
        assert values[at] == pytest.approx(expected, rel=100 * EPS, abs=10 * EPS)
    weights = np.array([1.0, 0.0, 2.0, 0.5])
    expected_sum = float((values * weights[:, None]).sum())
    for reduction, divisor in (
        ("sum_over_batch_size", B * T),
        ("mean", B * T),
        ("sum", 1),
        ("mean_with_sample_weight", weights.sum() * T),
    ):
        found = case.loss(reduction=reduction)(y, p, weights)
        assert found == pytest.approx(expected_sum / divisor, rel=100 * EPS, abs=10 * EPS)
    np.testing.assert_array_equal(
        case.loss(reduction="none")(y, p, weights), values * weights[:, None]
    )


@pytest.mark.parametrize("name", OF_ROWS)
def test_reductions_in_training(name: str) -> None:
    """What a step minimises is what a call returns."""
    case = CASES[name]
    p, y = case.prediction(B), case.target(B)
    mean, slope = gradients_of_the_core(case.loss(), p, y)
    total, steeper = gradients_of_the_core(case.loss(reduction="sum"), p, y)
    assert total == pytest.approx(B * mean, rel=10 * EPS)
    np.testing.assert_allclose(steeper, B * slope, rtol=0, atol=8 * B * EPS * abs(p).max())


def test_signals_with_weights_and_gaps() -> None:
    case = CASES["esr, filtered"]
    p, y = case.prediction(B, T), case.target(B, T)
    weights = np.random.default_rng(3).random((B, T))
    weights[0, :2] = weights[1, 3] = weights[2] = 0.0
    options = {"pre_emphasis": 0.95, "dc_weight": 1.0}
    value, gradient = gradients_of_the_core(case.loss(), p, y, sample_weight=weights)
    expected, slope = reference.esr(p, y, **options, weights=weights)
    assert value == pytest.approx(expected, rel=100 * EPS)
    np.testing.assert_allclose(gradient, slope, rtol=100 * EPS, atol=4 * EPS * abs(p).max())
    p[0, :2] = y[2] = np.nan
    assert case.loss()(y, p, weights) == value
    each = case.loss(reduction=None)(y[:2], p[[1, 3]])
    assert each.shape == (2,)


def test_a_gaussian_is_a_mixture_of_one() -> None:
    p, y = CASES["gaussian_negative_log_likelihood"].prediction(B), CASES["huber"].target(B)[:, :2]
    one = np.concatenate([np.full((B, 1), 3.0), p], axis=1)
    each = losses.GaussianNegativeLogLikelihood(reduction=None)(y, p)
    mixed = losses.MixtureNegativeLogLikelihood(1, reduction=None)(y, one)
    np.testing.assert_allclose(mixed, 2.0 * each, rtol=100 * EPS)  # the density of both


def test_mixtures_of_far_out_logits() -> None:
    p = np.array([[1000.0, -np.inf, 0.5, 9.0, 1.0, 2.0]])
    value = losses.MixtureNegativeLogLikelihood(2)([[0.5]], p)
    assert value == pytest.approx(0.5 * np.log(2.0 * np.pi), rel=10 * EPS)


def test_scales_are_limited() -> None:
    for loss, p in (
        (losses.GaussianNegativeLogLikelihood(), [[1.0, -1.0]]),
        (losses.GaussianNegativeLogLikelihood("variance"), [[1.0, 0.0]]),
        (losses.MixtureNegativeLogLikelihood(1), [[0.0, 1.0, 0.0]]),
    ):
        value, gradient = gradients_of_the_core(loss, np.array(p), np.array([[1.0]]))
        assert np.isfinite(value)
        assert gradient.ravel()[-1] == 0.0


@pytest.mark.parametrize("y", [[0.0, 2.0], [[0.0], [2.0]]])
@pytest.mark.parametrize("p", [[1.0, 1.5], [[1.0], [1.5]]])
def test_shapes_of_calls(y: Any, p: Any) -> None:
    """As in Keras: one axis alone is one sample, else the missing one is put in."""
    value = losses.MeanAbsoluteError()(y, p)
    assert value == value.numpy() == 0.75
    each = losses.mean_absolute_error(y, p)
    if np.ndim(y) == np.ndim(p) == 1:
        assert each == 0.75
    else:
        assert each.tolist() == [1.0, 0.5]
    assert each.dtype == np.float32
    assert losses.mae(y, np.float64(p)).dtype == np.float64


def test_functions_stand_for_losses() -> None:
    assert losses.get(losses.mean_squared_error) == losses.MeanSquaredError()
    assert losses.mse is losses.MSE is losses.mean_squared_error
    assert losses.MAPE is losses.mean_absolute_percentage_error
    assert losses.MSLE is losses.mean_squared_logarithmic_error
    assert losses.BCE is losses.binary_crossentropy
    assert losses.KLD is losses.kullback_leibler_divergence is losses.kl_divergence
    assert pickle.loads(pickle.dumps(losses.huber)) is losses.huber
    assert losses.huber([[0.0]], [[2.0]], 0.5).tolist() == [0.875]
    assert losses.huber([[0.0]], [[2.0]], delta=0.5).tolist() == [0.875]
    assert repr(losses.kl_divergence) == "<loss function kl_divergence>"
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", losses.mean_absolute_error)
    assert model.loss == losses.MeanAbsoluteError()


def test_losses_of_ones_own_can_be_called() -> None:
    class Own(losses.Loss):
        def call(self, y_true: Array, y_pred: Array) -> tuple[float, Array]:
            return float(np.mean(y_pred - y_true)), np.ones_like(y_pred) / y_pred.size

    assert Own()([[1.0]], [[3.0]]) == 2.0
    with pytest.raises(ValueError, match=r"^\[Own\] sample_weight is given; expected None with a"):
        Own()([[1.0]], [[3.0]], [1.0])


ERRORS: list[tuple[Any, type[Exception], str]] = [
    (
        lambda: losses.mse([[1.0]], [[1.0, 2.0]]),
        ValueError,
        r"\[mean_squared_error\] target has shape \(1, 1\); expected \(1, 2\), the shape of the",
    ),
    (
        lambda: losses.MeanSquaredError()([[1.0]], [[1.0]], [1.0, 2.0]),
        ValueError,
        r"\[MeanSquaredError\] sample_weight has shape \(2,\); expected a number, or the first",
    ),
    (
        lambda: losses.MeanSquaredError(reduction="product"),
        ValueError,
        r'\[MeanSquaredError\] reduction is "product"; expected one of "sum_over_batch_size", ',
    ),
    (
        lambda: losses.CosineSimilarity(axis=1),
        ValueError,
        r"\[CosineSimilarity\] axis=1 is not available in this version",
    ),
    (
        lambda: losses.Quantile((0.1, 1.5)),
        ValueError,
        r"\[Quantile\] quantiles is \(0.1, 1.5\); expected a number above 0 to below 1, or",
    ),
    (
        lambda: losses.Quantile("median"),  # type: ignore[arg-type]
        TypeError,
        r"\[Quantile\] quantiles is of type str; expected a number above 0 to below 1, or",
    ),
    (
        lambda: losses.ESR()([[1.0]], [[1.0]]),
        ValueError,
        r"\[esr\] prediction has shape \(1, 1\); expected \(batch, steps, channels\)",
    ),
    (
        lambda: compiled(losses.Quantile((0.1, 0.9))),
        ValueError,
        r"\[quantile\] prediction has 1 columns; expected a multiple of 2, the quantiles of each",
    ),
    (
        lambda: compiled(losses.MeanSquaredError(reduction=None)),
        ValueError,
        r'\[model.compile\] loss.reduction is "none"; expected a reduction to one value, which',
    ),
]


def compiled(loss: Any) -> Sequential:
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", loss)
    return model


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS)
def test_errors(call: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match="^" + message):
        call()


@pytest.mark.parametrize("name", CASES)
def test_files(name: str, tmp_path: Any) -> None:
    case = CASES[name]
    model = Sequential([Dense(case.columns, activation=case.activation, input_shape=(T, 2))])
    loss = case.loss(reduction="sum")
    model.compile("sgd", loss)
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors")
    assert again.loss == loss
    assert isinstance(again, models.Sequential)
    x, y = np.ones((B, T, 2)), case.target(B, T)
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)


HALVES = [[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]
WHOLE = [[0, 1], [0, 0]], [[1, 1], [0, 0]]
CLASSES = [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]
# The values that the docstrings of keras.metrics (Keras 3.15) document, without weights and with
# them: means by weights.
DOCUMENTED: list[tuple[str, Any, Any, float, Any, float]] = [
    ("MeanSquaredError", *WHOLE, 0.25, [1, 0], 0.5),
    ("MeanAbsoluteError", *WHOLE, 0.25, [1, 0], 0.5),
    ("MeanAbsolutePercentageError", *WHOLE, 250000000.0, [1, 0], 500000000.0),
    ("MeanSquaredLogarithmicError", *WHOLE, 0.12011322, [1, 0], 0.24022643),
    ("LogCosh", *WHOLE, 0.10844523, [1, 0], 0.21689045),
    ("CosineSimilarity", [[0.0, 1.0], [1, 1]], [[1.0, 0.0], [1, 1]], -0.49999997, [0.3, 0.7], -0.7),
    ("Hinge", *HALVES, 1.3, [1, 0], 1.1),
    ("SquaredHinge", *HALVES, 1.86, [1, 0], 1.46),
    ("CategoricalHinge", *HALVES, 1.4000001, [1, 0], 1.2),
    ("KLDivergence", *HALVES, 0.45814306, [1, 0], 0.9162892),
    ("Poisson", *WHOLE, 0.49999997, [1, 0], 0.99999994),
    ("BinaryCrossentropy", *HALVES, 0.81492424, [1, 0], 0.9162905),
    ("CategoricalCrossentropy", np.eye(3)[[1, 2]], CLASSES, 1.1769392, [0.3, 0.7], 1.6271976),
    ("SparseCategoricalCrossentropy", [1, 2], CLASSES, 1.1769392, [0.3, 0.7], 1.6271976),
]


@pytest.mark.parametrize(("kind", "y", "p", "plain", "weights", "weighted"), DOCUMENTED)
def test_values_that_keras_documents(
    kind: str, y: Any, p: Any, plain: float, weights: Any, weighted: float
) -> None:
    loss = getattr(losses, kind)(reduction="mean_with_sample_weight")
    # what is written has 7 digits or more, computed in float32
    assert loss(y, p) == pytest.approx(plain, rel=1e-6)
    assert loss(y, p, weights) == pytest.approx(weighted, rel=1e-6)


def test_reductions_that_keras_documents() -> None:
    """From the docstring of keras.losses.BinaryCrossentropy (Keras 3.15)."""
    y, p = [[0, 1], [0, 0]], [[-18.6, 0.51], [2.94, -12.8]]
    loss = losses.BinaryCrossentropy(from_logits=True)
    assert loss([0, 1, 0, 0], [-18.6, 0.51, 2.94, -12.8]) == pytest.approx(0.8654, abs=6e-5)
    assert loss(y, p) == pytest.approx(0.8654, abs=6e-5)
    assert loss(y, p, sample_weight=[0.8, 0.2]) == pytest.approx(0.243, abs=1e-3)  # cut
    total = losses.BinaryCrossentropy(from_logits=True, reduction="sum")
    assert total(y, p) == pytest.approx(1.730, abs=1e-3)
    each = losses.BinaryCrossentropy(from_logits=True, reduction=None)
    np.testing.assert_allclose(each(y, p), [0.235, 1.496], atol=6e-4)

"""Losses and metrics against live Keras 3: functions, objects with reductions, training."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keras_twins import KERAS, peer
from loss_cases import CASES, QUANTILES
from lstmfast import layers, losses, metrics, models, optimizers

pytestmark = peer

B, T = 6, 5
SHARED = [name for name in CASES if "," not in name and hasattr(KERAS.losses, name)]
# Keras takes label smoothing and the like as arguments of functions, too
OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in SHARED),
    ("huber", {"delta": 0.3}),
    ("binary_crossentropy", {"label_smoothing": 0.2}),
    ("categorical_crossentropy", {"label_smoothing": 0.2}),
    ("binary_crossentropy", {"from_logits": True}),
    ("categorical_crossentropy", {"from_logits": True}),
    ("sparse_categorical_crossentropy", {"from_logits": True}),
]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]
EPS32 = float(np.finfo(np.float32).eps)


def problem(name: str, dtype: str) -> tuple[Any, Any]:
    case = CASES[name]
    y = case.target(B, T)
    if "hinge" in name:  # where all are 0 or 1, Keras makes them -1 and 1
        y = np.abs(y)
    return y.astype(dtype) if y.dtype.kind == "f" else y, case.prediction(B, T).astype(dtype)


def values(of: Any) -> np.ndarray:
    return np.asarray(of.detach() if hasattr(of, "detach") else of)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_functions(name: str, options: dict[str, Any]) -> None:
    y, p = problem(name, "float32")
    mine = getattr(losses, name)(y, p, **options)
    theirs = values(getattr(KERAS.losses, name)(KERAS.ops.array(y), KERAS.ops.array(p), **options))
    assert mine.dtype == theirs.dtype == np.float32
    # some ten roundings of values of order 1, or of what logarithms are taken of, on both sides
    np.testing.assert_allclose(mine, theirs, rtol=40 * EPS32, atol=40 * EPS32)


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
@pytest.mark.parametrize("name", SHARED)
def test_objects(name: str, reduction: str | None) -> None:
    y, p = problem(name, "float32")
    weights = np.random.default_rng(4).random((B, T)).astype(np.float32)
    kind = type(CASES[name].loss()).__name__
    mine, theirs = (getattr(of, kind)(reduction=reduction) for of in (losses, KERAS.losses))
    for given in (None, weights):
        # float32 on both sides, sums of B T values
        np.testing.assert_allclose(
            mine(y, p, given), values(theirs(y, p, given)), rtol=B * T * EPS32, atol=20 * EPS32
        )


METRICS: list[tuple[str, str, dict[str, Any]]] = [
    ("MeanSquaredError", "mean_squared_error", {}),
    ("RootMeanSquaredError", "mean_squared_error", {}),
    ("MeanAbsoluteError", "mean_absolute_error", {}),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error", {}),
    ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error", {}),
    ("LogCoshError", "log_cosh", {}),
    ("CosineSimilarity", "cosine_similarity", {}),
    ("Hinge", "hinge", {}),
    ("SquaredHinge", "squared_hinge", {}),
    ("CategoricalHinge", "categorical_hinge", {}),
    ("KLDivergence", "kl_divergence", {}),
    ("Poisson", "poisson", {}),
    ("BinaryCrossentropy", "binary_crossentropy", {"label_smoothing": 0.1}),
    ("CategoricalCrossentropy", "categorical_crossentropy", {"from_logits": True}),
    ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy", {}),
    ("R2Score", "mean_squared_error", {}),
    ("R2Score", "mean_squared_error", {"class_aggregation": "variance_weighted_average"}),
    ("R2Score", "mean_squared_error", {"class_aggregation": None}),
    ("R2Score", "mean_squared_error", {"num_regressors": 3}),
]


@pytest.mark.parametrize(("kind", "name", "options"), METRICS, ids=str)
def test_metrics(kind: str, name: str, options: dict[str, Any]) -> None:
    case = CASES[name]
    y, p = case.target(B).astype(np.float32), case.prediction(B).astype(np.float32)
    if "hinge" in name:
        y = np.abs(y)
    weights = np.array([1.0, 0.5, 0.0, 2.0, 1.0, 3.0], np.float32)
    mine, theirs = (getattr(of, kind)(**options) for of in (metrics, KERAS.metrics))
    assert mine.name == theirs.name
    for given in (None, weights):
        if options.get("num_regressors") and given is not None:
            continue  # Keras counts samples of weight 0, too
        for metric in (mine, theirs):
            metric.update_state(y, p, sample_weight=given)
        # sums of some ten terms in float32, and R2's differences of them
        np.testing.assert_allclose(mine.result(), values(theirs.result()), rtol=100 * EPS32)


@pytest.mark.parametrize("name", SHARED)
def test_training(name: str) -> None:
    """What a model learns by each loss, with the metric of its name, and with the sum."""
    case = CASES[name]
    y, _ = problem(name, "float32")
    x = np.random.default_rng(3).standard_normal((B, T, 2)).astype(np.float32)
    kind = type(case.loss()).__name__
    for reduction in ("sum_over_batch_size", "sum"):
        runs = []
        kernel = np.random.default_rng(6).standard_normal((2, case.columns)).astype(np.float32)
        for of in (
            (layers, models, optimizers, losses),
            (KERAS.layers, KERAS.models, KERAS.optimizers, KERAS.losses),
        ):
            model = of[1].Sequential(
                [of[0].Input((T, 2)), of[0].Dense(case.columns, activation=case.activation)]
            )
            model.set_weights([kernel, np.zeros(case.columns, np.float32)])
            model.compile(
                of[2].SGD(1e-3 if "percentage" in name else 0.01),
                getattr(of[3], kind)(reduction=reduction),
            )
            how: dict[str, Any] = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0}
            runs.append((model.fit(x, y, **how).history["loss"], model.get_weights()))
        np.testing.assert_allclose(runs[0][0], runs[1][0], rtol=3e-5)
        for mine, other in zip(runs[0][1], runs[1][1], strict=True):
            np.testing.assert_allclose(mine, np.asarray(other), rtol=3e-5, atol=3e-5)


def test_quantile_of_one_axis_is_that_of_scikit_learn() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    case = CASES["quantile, several"]
    y, p = case.target(B), case.prediction(B)
    each = p.reshape(B, 2, len(QUANTILES))
    expected = np.mean(
        [
            sklearn.mean_pinball_loss(y, each[..., k], alpha=alpha)
            for k, alpha in enumerate(QUANTILES)
        ]
    )
    assert case.loss()(y, p) == pytest.approx(expected, rel=1e-13)


def test_gaussian_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    case = CASES["gaussian_negative_log_likelihood, variance"]
    y, p = case.target(B), case.prediction(B)
    mean, variance = np.split(p, 2, axis=-1)
    theirs = torch.nn.GaussianNLLLoss(full=True)(*map(torch.tensor, (mean, y, variance)))
    assert case.loss()(y, p) == pytest.approx(float(theirs), rel=1e-13)


def test_mixture_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    distributions = torch.distributions
    case = CASES["mixture_negative_log_likelihood"]
    y, p = case.target(B), torch.tensor(case.prediction(B))
    mean, deviation = p[:, 2:].reshape(B, 2, 2, 2).unbind(1)
    mixture = distributions.MixtureSameFamily(
        distributions.Categorical(logits=p[:, :2]),
        distributions.Independent(distributions.Normal(mean, deviation), 1),
    )
    expected = -float(mixture.log_prob(torch.tensor(y)).mean())
    assert case.loss()(y, p.numpy()) == pytest.approx(expected, rel=1e-13)

"""Losses as metrics, and R2Score."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from loss_cases import CASES, OF_ROWS
from lstmfast import losses, metrics
from lstmfast.layers import Dense
from lstmfast.models import Sequential, load_model

Array = npt.NDArray[Any]

B = 7
EPS = float(np.finfo(np.float64).eps)


@pytest.mark.parametrize("name", OF_ROWS)
def test_every_loss_is_a_metric(name: str, tmp_path: Any) -> None:
    """In a model, by object, and after loading; batches of different sizes do not matter."""
    case = CASES[name]
    model = Sequential(
        [Dense(case.columns, activation=case.activation, input_shape=(2,))], dtype="float64"
    )
    loss = case.loss()
    model.compile("sgd", loss, metrics=[loss])
    x, y = np.random.default_rng(0).standard_normal((B, 2)), case.target(B)
    model.save(tmp_path / "model.safetensors")
    for each in (model, load_model(tmp_path / "model.safetensors")):
        for size in (B, 3):
            found = each.evaluate(x, y, batch_size=size, verbose=0, return_dict=True)
            sign = -1.0 if "cosine" in name else 1.0
            assert found[loss.kind] == pytest.approx(sign * found["loss"], rel=20 * EPS)


def test_what_stands_for_metrics() -> None:
    for given, name, kind in (
        (losses.huber, "huber", "huber"),
        (losses.mse, "mean_squared_error", "mean_squared_error"),
        (losses.Huber(0.3, name="mine"), "mine", "huber"),
        ("huber", "huber", "huber"),
        ("mape", "mape", "mean_absolute_percentage_error"),
        ("log_cosh", "log_cosh", "log_cosh"),
        ("logcosh", "logcosh", "log_cosh"),
        ("kld", "kld", "kl_divergence"),
        ("KLDivergence", "KLDivergence", "kl_divergence"),
        (metrics.mean_squared_error, "mean_squared_error", "mean_squared_error"),
    ):
        metric = metrics.get(given)
        assert (metric.name, metric.kind) == (name, kind)
    assert metrics.LogCoshError().name == "logcosh"
    with pytest.raises(ValueError, match=r"^\[CosineSimilarity\] axis=0 is not available"):
        metrics.CosineSimilarity(axis=0)


def r2(y: Array, p: Array, weights: Array, aggregation: str | None, regressors: int = 0) -> Any:
    """Keras's formula, with means by weights."""
    mean = np.average(y, axis=0, weights=weights)
    total = (weights[:, None] * (y - mean) ** 2).sum(axis=0)
    scores: Any = 1.0 - (weights[:, None] * (y - p) ** 2).sum(axis=0) / total
    if aggregation is not None:
        scores = np.average(scores, weights=total if "variance" in aggregation else None)
    n = y.size
    return 1.0 - (1.0 - scores) * (n - 1) / (n - regressors - 1) if regressors else scores


@pytest.mark.parametrize("aggregation", ["uniform_average", "variance_weighted_average", None])
@pytest.mark.parametrize("regressors", [0, 2])
def test_r2_score(aggregation: str | None, regressors: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.standard_normal((B, 2)) * [1.0, 5.0] + 100.0
    p = y + 0.3 * rng.standard_normal((B, 2))
    weights = rng.uniform(0.5, 2.0, B)
    for given in (np.ones(B), weights):
        results = []
        for size in (B, 2):
            metric = metrics.R2Score(aggregation, regressors)
            for first in range(0, B, size):
                part = slice(first, first + size)
                metric.update_state(y[part], p[part], sample_weight=given[part])
            results.append(metric.result())
        np.testing.assert_array_equal(*results)
        expected = r2(y, p, given, aggregation, regressors)
        # y - mean loses two digits of y
        np.testing.assert_allclose(results[0], expected, rtol=1e4 * EPS)
    assert metrics.R2Score().direction == "max"


def test_r2_score_at_edges() -> None:
    assert metrics.R2Score().result() == 0.0
    metric = metrics.R2Score(num_regressors=10)  # more than values: not adjusted
    assert metric([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]) == pytest.approx(4.0 / 7.0)
    constant = metrics.R2Score()
    assert constant([[1.0], [1.0]], [[2.0], [4.0]]) == 0.0  # -infinity, as in Keras
    with pytest.raises(ValueError, match='class_aggregation is "mean"; expected one of "uniform_'):
        metrics.R2Score("mean")
    with pytest.raises(ValueError, match="num_regressors is -1; expected an integer"):
        metrics.R2Score(num_regressors=-1)

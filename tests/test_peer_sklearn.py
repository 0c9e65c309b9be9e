"""scikit-learn live: losses and metrics of evaluate, and the linear rule to beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.forecasting.baselines import linear
from lstmfast.forecasting.demo import air_passengers
from lstmfast.forecasting.transforms import TRANSFORMS
from lstmfast.layers import Dense, Input
from lstmfast.models import Sequential

pytestmark = pytest.mark.peer
linear_model = pytest.importorskip("sklearn.linear_model")
metrics = pytest.importorskip("sklearn.metrics")

ROWS, COLUMNS, CLASSES = 203, 7, 5
# Sums over ROWS * COLUMNS float32 terms, each rounded.
RTOL = float(np.finfo(np.float32).eps * np.sqrt(ROWS * COLUMNS) * 4)


def evaluated(activation: str, units: int, loss: str, metric: str, x: Any, y: Any) -> Any:
    model = Sequential([Input((COLUMNS,)), Dense(units, activation=activation)])
    model.compile(loss=loss, metrics=[metric])
    rng = np.random.default_rng(5)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    return model.predict(x), model.evaluate(x, y, verbose=0, return_dict=True)


@pytest.mark.parametrize(
    ("loss", "theirs"), [("mse", "mean_squared_error"), ("mae", "mean_absolute_error")]
)
def test_regression(loss: str, theirs: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((ROWS, COLUMNS)), rng.standard_normal((ROWS, 3))
    p, logs = evaluated("linear", 3, loss, "rmse", x, y)
    np.testing.assert_allclose(logs["loss"], getattr(metrics, theirs)(y, p), rtol=RTOL)
    rmse = np.sqrt(metrics.mean_squared_error(y, p))
    np.testing.assert_allclose(logs["rmse"], rmse, rtol=RTOL)


@pytest.mark.parametrize("sparse", [False, True])
def test_classification(sparse: bool) -> None:
    rng = np.random.default_rng(2)
    x, labels = rng.standard_normal((ROWS, COLUMNS)), rng.integers(0, CLASSES, ROWS)
    y = labels if sparse else np.eye(CLASSES)[labels]
    loss = ("sparse_" if sparse else "") + "categorical_crossentropy"
    p, logs = evaluated("softmax", CLASSES, loss, "accuracy", x, y)
    p = p.astype(np.float64) / p.sum(1, keepdims=True, dtype=np.float64)
    expected = metrics.log_loss(labels, p, labels=range(CLASSES))
    np.testing.assert_allclose(logs["loss"], expected, rtol=RTOL)
    hits = metrics.accuracy_score(labels, p.argmax(1))
    np.testing.assert_allclose(logs["accuracy"], hits, rtol=RTOL)


def test_binary_classification() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((ROWS, COLUMNS)), rng.integers(0, 2, (ROWS, 1))
    p, logs = evaluated("sigmoid", 1, "binary_crossentropy", "accuracy", x, y)
    p = p[:, 0].astype(np.float64)
    np.testing.assert_allclose(logs["loss"], metrics.log_loss(y[:, 0], p), rtol=RTOL)
    hits = metrics.accuracy_score(y[:, 0], p > 0.5)
    np.testing.assert_allclose(logs["accuracy"], hits, rtol=RTOL)


@pytest.mark.parametrize("weighted", [False, True])
def test_decisions(weighted: bool) -> None:
    """Precision, recall, F scores and top-k; areas with a threshold between any two predictions."""
    rng = np.random.default_rng(4)
    y, p = rng.integers(0, 2, (ROWS, CLASSES)), rng.random((ROWS, CLASSES))
    w = rng.random(ROWS) if weighted else None
    said = p > 0.5
    for column in range(CLASSES):
        for ours, theirs in (
            (lf.metrics.Precision, metrics.precision_score),
            (lf.metrics.Recall, metrics.recall_score),
        ):
            expected = theirs(y[:, column], said[:, column], sample_weight=w)
            np.testing.assert_allclose(ours(class_id=column)(y, p, w), expected, rtol=RTOL)
    for average in (None, "micro", "macro", "weighted"):
        for beta in (1.0, 2.0):
            expected = metrics.fbeta_score(y, said, beta=beta, average=average, sample_weight=w)
            found = lf.metrics.FBetaScore(average, beta, threshold=0.5)(y, p, w)
            np.testing.assert_allclose(found, expected, rtol=1e-6)  # 1e-7 in Keras's divisors
    labels = rng.integers(0, CLASSES, ROWS)
    for k in range(1, CLASSES):
        expected = metrics.top_k_accuracy_score(labels, p, k=k, sample_weight=w)
        found = lf.metrics.SparseTopKCategoricalAccuracy(k)(labels, p, w)
        np.testing.assert_allclose(found, expected, rtol=RTOL)
    line, score = y[:, 0], np.sort(p[:, 0])
    auc = lf.metrics.AUC(thresholds=(score[:-1] + score[1:]) / 2)
    expected = metrics.roc_auc_score(line, p[:, 0], sample_weight=w)
    np.testing.assert_allclose(auc(line, p[:, 0], w), expected, rtol=RTOL)


def test_linear_autoregression() -> None:
    values = air_passengers().values[:, 0]
    lags, train = 13, 96
    steps = np.diff(np.log(values))
    rows = np.lib.stride_tricks.sliding_window_view(steps, lags + 1)
    fitted = linear_model.LinearRegression().fit(
        rows[: train - 1 - lags, :-1], rows[: train - 1 - lags, -1]
    )
    origins = np.arange(train, len(values))
    predicted = fitted.predict(rows[origins - 1 - lags, :-1])
    mine = linear(lags, TRANSFORMS["log-diff"])(values, train, origins, 1)[:, 0]
    # least squares of a design with condition number kappa is good to eps kappa, far below this
    np.testing.assert_allclose(mine, values[origins - 1] * np.exp(predicted), rtol=1e-10)

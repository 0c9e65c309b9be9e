"""Accuracies as functions: values of rows, and as metrics of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast import metrics
from lstmfast.layers import Dense, Input
from lstmfast.models import Sequential

RNG = np.random.default_rng(1)
SCORES = RNG.random((4, 2, 5)).round(1)  # some are equal
LABELS = RNG.integers(0, 5, (4, 2))
ONE_HOT = np.eye(5)[LABELS]
NAMES = {
    "binary_accuracy": metrics.BinaryAccuracy,
    "categorical_accuracy": metrics.CategoricalAccuracy,
    "sparse_categorical_accuracy": metrics.SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": metrics.TopKCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": metrics.SparseTopKCategoricalAccuracy,
}


@pytest.mark.parametrize("name", NAMES)
def test_means_are_those_of_the_classes(name: str) -> None:
    targets = {"binary": np.round(RNG.random(SCORES.shape)), "sparse": LABELS}
    target = targets.get(name.partition("_")[0], ONE_HOT)
    for more in ({"k": 1}, {"k": 3}) if "_k_" in name else ({},):
        found = getattr(metrics, name)(target, SCORES, **more)
        assert found.dtype == np.float32
        assert found.shape == (target.shape if name.startswith("binary") else LABELS.shape)
        np.testing.assert_allclose(found.mean(), NAMES[name](**more)(target, SCORES), rtol=1e-6)


def test_forms_of_labels() -> None:
    flat = metrics.sparse_categorical_accuracy([[1], [0]], [[0.1, 0.9], [0.2, 0.8]])
    assert flat.tolist() == [1.0, 0.0]
    kept = metrics.sparse_top_k_categorical_accuracy([[1], [0]], [[0.1, 0.9], [0.2, 0.8]], k=1)
    assert kept.tolist() == [[1.0], [0.0]]
    ids = metrics.sparse_top_k_categorical_accuracy([3, 1], [[2, 3, 0], [0, 2, 1]], 2, True)
    assert ids.tolist() == [1.0, 0.0]
    outside = metrics.sparse_top_k_categorical_accuracy([-1, 7], [[1.0, 0.0], [1.0, np.inf]], k=2)
    assert outside.tolist() == [0.0, 0.0]
    assert metrics.binary_accuracy([1, 0], [0.4, 0.4], threshold=0.3).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", NAMES)
def test_as_metrics_of_a_model(name: str) -> None:
    found: list[Any] = []
    for metric in (getattr(metrics, name), name):
        model = Sequential([Input((3,)), Dense(5, "softmax")], seed=0)
        is_sparse = name.startswith("sparse")
        loss = "sparse_categorical_crossentropy" if is_sparse else "mse"
        model.compile("sgd", loss, metrics=[metric])
        assert model.metrics[0].name == name
        target = LABELS[:, :1] if is_sparse else ONE_HOT[:, 0]
        found.append(model.evaluate(np.ones((4, 3)), target, verbose=0))
    assert found[0] == found[1]


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[binary_accuracy\] y_true has shape \(2,\); expected"):
        metrics.binary_accuracy([1, 0], [[0.4, 0.4]])
    message = r"\[sparse_top_k_categorical_accuracy\] y_true has shape \(3,\); expected \(1,\)"
    with pytest.raises(ValueError, match=message):
        metrics.sparse_categorical_accuracy([1, 0, 2], [[0.4, 0.4]])
    with pytest.raises(ValueError, match="k is -1; expected at least 1"):
        metrics.top_k_categorical_accuracy([[1, 0]], [[0.4, 0.4]], k=-1)

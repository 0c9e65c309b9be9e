"""Settings and expected values of Keras 3's own tests of metrics, re-entered.

Source: keras/src/metrics/confusion_metrics_test.py, accuracy_metrics_test.py and
f_score_metrics_test.py, and the examples in the docstrings of keras/src/metrics (Apache 2.0).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast import metrics

# counts: 4 rows of 5, and with thresholds 4 rows of 4
BITS = [[0, 1, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 0], [0, 0, 0, 0, 1]]
SAID = [[0, 0, 1, 1, 0], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [1, 1, 1, 1, 1]]
ROWS = [1.0, 1.5, 2.0, 2.5]
SHARES = [[0.9, 0.2, 0.8, 0.1], [0.2, 0.9, 0.7, 0.6], [0.1, 0.2, 0.4, 0.3], [0, 1, 0.7, 0.3]]
OF_SHARES = [[0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]]
PRIMES = [[1, 2, 3, 5], [7, 11, 13, 17], [19, 23, 29, 31], [5, 15, 10, 0]]
LEVELS = [0.15, 0.5, 0.85]
# classes: 5 rows of 3
CLASSES = [[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.2, 0.6, 0.2], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]
OF_CLASSES = [[0, 0, 1], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
# areas: 4 elements, and 4 rows of 2 labels
LINE, OF_LINE = [0, 0.5, 0.3, 0.9], [0, 0, 1, 1]
PAIRS = [[0, 0.1], [0.5, 0.2], [0.3, 0.3], [0.9, 0.4]]
OF_PAIRS = [[0, 0], [0, 0], [1, 1], [1, 1]]
TEN = [0.1, 0.2, 0.3, 0.3, 0.4, 0.4, 0.6, 0.6, 0.8, 0.9]
OF_TEN = [0, 0, 0, 1, 0, 1, 0, 1, 1, 1]
FOUR = [1, 2, 3, 4]
# scores: 3 rows, and 6 rows of 3 classes
SURE, OF_SURE = [[0.7, 0.7, 0.7], [1, 0, 0], [0.9, 0.8, 0]], [[0, 0, 1], [1, 1, 0], [1, 1, 1]]
SIX = [[0.9, 0.1, 0], [0.2, 0.6, 0.2], [0, 0, 1], [0.4, 0.3, 0.3], [0, 0.9, 0.1], [0, 0, 1]]
OF_SIX = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0], [0, 0, 1]]
TOP, OF_TOP = [[0.1, 0.9, 0.8], [0.05, 0.95, 0]], [[0, 0, 1], [0, 1, 0]]

Case = tuple[str, dict[str, Any], Any, Any, Any, Any]
CASES: list[Case] = [
    # class, options, targets, predictions, weights, value
    ("FalsePositives", {}, BITS, SAID, None, 7),
    ("FalsePositives", {}, BITS, SAID, ROWS, 14),
    ("FalsePositives", {"thresholds": LEVELS}, OF_SHARES, SHARES, None, [7, 4, 2]),
    ("FalsePositives", {"thresholds": LEVELS}, OF_SHARES, SHARES, PRIMES, [125, 42, 12]),
    ("FalseNegatives", {}, BITS, SAID, None, 3),
    ("FalseNegatives", {}, BITS, SAID, ROWS, 5),
    ("FalseNegatives", {"thresholds": LEVELS}, OF_SHARES, SHARES, None, [1, 4, 6]),
    ("TrueNegatives", {}, BITS, SAID, None, 3),
    ("TrueNegatives", {}, BITS, SAID, ROWS, 4),
    ("TrueNegatives", {"thresholds": LEVELS}, OF_SHARES, SHARES, None, [2, 5, 7]),
    ("TruePositives", {}, BITS, SAID, None, 7),
    ("TruePositives", {}, BITS, SAID, ROWS, 12),
    ("TruePositives", {"thresholds": LEVELS}, OF_SHARES, SHARES, None, [6, 3, 1]),
    ("Precision", {}, [0, 1, 1, 0], [1, 0, 1, 0], None, 0.5),
    (
        "Precision", {}, [[0, 1, 1, 0], [1, 0, 0, 1]], [[1, 0, 1, 0]] * 2,
        [FOUR, FOUR[::-1]], 7 / 10,
    ),
    ("Precision", {}, [0, 0, 0, 0], [0, 0, 0, 0], None, 0),
    ("Precision", {"thresholds": [0.5, 0.7]}, [0, 1, 1, 0], [1, 0, 0.6, 0], None, [0.5, 0]),
    (
        "Precision", {"thresholds": [0.5, 1.0]}, [[0, 1], [1, 0]], [[1, 0], [0.6, 0]],
        [[4, 0], [3, 1]], [3 / 7, 0],
    ),
    ("Precision", {"top_k": 3}, [0, 1, 1, 0, 0], [0.2, 0.1, 0.5, 0, 0.2], None, 1 / 3),
    ("Precision", {"class_id": 1}, OF_CLASSES, CLASSES, None, 1),
    (
        "Precision", {"thresholds": 0.7, "top_k": 2},
        [0, 1, 1, 0, 1], [0.2, 0.8, 0.6, 0, 0.2], None, 1,
    ),
    ("Recall", {}, [0, 1, 1, 0], [1, 0, 1, 0], None, 0.5),
    (
        "Recall", {}, [[0, 1, 1, 0], [1, 0, 0, 1]], [[1, 0, 1, 0], [0, 1, 0, 1]],
        [FOUR, FOUR[::-1]], 4 / 10,
    ),
    ("Recall", {"thresholds": [0.5, 0.7]}, [0, 1, 1, 0], [1, 0, 0.6, 0], None, [0.5, 0]),
    ("Recall", {"top_k": 3}, [0, 1, 1, 0, 0], [0.2, 0.1, 0.5, 0, 0.2], None, 0.5),
    ("Recall", {"class_id": 1}, OF_CLASSES, CLASSES, None, 1),
    (
        "Recall", {"thresholds": 0.7, "top_k": 2},
        [1, 1, 1, 0, 1], [0.2, 0.8, 0.6, 0, 0.2], None, 0.25,
    ),
    ("AUC", {}, OF_LINE, OF_LINE, None, 1),
    ("AUC", {"num_thresholds": 3}, OF_LINE, LINE, None, 0.75),
    ("AUC", {"num_thresholds": 2, "thresholds": [0.5]}, OF_LINE, LINE, None, 0.75),
    ("AUC", {"num_thresholds": 3}, OF_LINE, LINE, FOUR, 11 / 14),
    ("AUC", {"num_thresholds": 3, "summation_method": "majoring"}, OF_LINE, LINE, FOUR, 1),
    ("AUC", {"num_thresholds": 3, "summation_method": "minoring"}, OF_LINE, LINE, FOUR, 4 / 7),
    (
        "AUC", {"num_thresholds": 3, "curve": "PR", "summation_method": "majoring"},
        OF_LINE, LINE, FOUR, 1,
    ),
    (
        "AUC", {"num_thresholds": 3, "curve": "PR", "summation_method": "minoring"},
        OF_LINE, LINE, FOUR, 0.7 * 3 / 7,
    ),
    (
        "AUC", {"num_thresholds": 3, "curve": "PR"}, OF_LINE, LINE, FOUR,
        (0.5 * (3 + 2 * np.log(2.5)) + 4) / 7,
    ),
    (
        "AUC", {"num_thresholds": 3, "curve": "prgain", "summation_method": "Majoring"},
        OF_LINE, LINE, FOUR, 1,
    ),
    (
        "AUC", {"num_thresholds": 3, "curve": "PRGAIN", "summation_method": "minoring"},
        OF_LINE, LINE, FOUR, 0,
    ),
    ("AUC", {"num_thresholds": 3, "curve": "PRGAIN"}, OF_LINE, LINE, FOUR, 0.5),
    ("AUC", {"num_thresholds": 3, "curve": "PRGAIN"}, OF_TEN, TEN, None, 2 / 9 + 5 / 18),
    ("AUC", {"num_thresholds": 5, "multi_label": True}, OF_PAIRS, PAIRS, None, 1.875 / 2),
    ("AUC", {"num_thresholds": 5}, OF_PAIRS, PAIRS, FOUR, 1 - (1 - 4 / 14) / 6),
    (
        "AUC", {"num_thresholds": 5},
        OF_PAIRS, PAIRS, np.arange(8).reshape(4, 2), 1 - (1 - 6 / 22) / 6,
    ),
    (
        "AUC", {"num_thresholds": 5, "multi_label": True, "label_weights": [0.75, 0.25]},
        OF_PAIRS, PAIRS, None, 0.875 * 0.75 + 0.25,
    ),
    (
        "AUC", {"num_thresholds": 5, "label_weights": [0.75, 0.25]}, OF_PAIRS, PAIRS, None,
        1 - (1 - 0.375) * 0.375 / 2,
    ),
    ("AUC", {"num_thresholds": 5}, OF_PAIRS, PAIRS, None, 1 - 3 / 32),
    ("AUC", {"thresholds": [0.5], "multi_label": True}, OF_PAIRS, PAIRS, None, 1.25 / 2),
    (
        "FBetaScore", {"beta": 0.5, "threshold": 0.66},
        OF_SURE, SURE, None, [0.7142857, 0.5, 0.833333],
    ),
    ("FBetaScore", {"threshold": 0.66}, OF_SURE, SURE, None, [0.8, 0.5, 0.6666667]),
    ("FBetaScore", {"beta": 2.0, "threshold": 0.66}, OF_SURE, SURE, None, [0.90909, 0.5, 0.555556]),
    ("FBetaScore", {"average": "micro", "threshold": 0.66}, OF_SURE, SURE, None, 0.6666667),
    (
        "FBetaScore", {"average": "macro", "beta": 2.0, "threshold": 0.66},
        OF_SURE, SURE, None, 0.6548822,
    ),
    ("FBetaScore", {"beta": 0.5}, OF_SIX, SIX, None, [0.90909, 0.555556, 1.0]),
    ("FBetaScore", {"average": "weighted", "beta": 2.0}, OF_SIX, SIX, None, 0.829365),
    ("FBetaScore", {"beta": 2.0}, OF_SIX, SIX, [0.5, 1, 1, 1, 0.5, 1], [0.789474, 0.909091, 1.0]),
    ("FBetaScore", {"average": "macro"}, OF_SIX, SIX, [1, 0, 1, 1, 0, 1], 0.666667),
    ("FBetaScore", {"average": "weighted"}, OF_SIX, SIX, [0.5, 1, 1, 1, 0.5, 1], 0.902857),
    ("F1Score", {"average": "micro"}, OF_SIX, SIX, [0.5, 1, 1, 1, 0.5, 1], 0.9),
    ("Accuracy", {}, [[1], [2], [3], [4]], [[0], [2], [3], [4]], None, 0.75),
    ("Accuracy", {}, [[1], [2], [3], [4]], [[0], [2], [3], [4]], [1, 1, 0, 0], 0.5),
    ("BinaryAccuracy", {}, [[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]], None, 0.75),
    ("BinaryAccuracy", {}, [[1], [1], [0], [0]], [[0.98], [1], [0], [0.6]], [1, 0, 0, 1], 0.5),
    ("BinaryAccuracy", {}, [[1, 1], [0, 0]], [[0.98, 1], [0, 0.6]], [[1, 0]], 1),
    (
        "BinaryAccuracy", {"threshold": 0.3},
        [[1], [1], [0], [0]], [[0.98], [0.5], [0.1], [0.2]], None, 1,
    ),
    (
        "BinaryAccuracy", {"threshold": 0.9},
        [[1], [1], [0], [0]], [[0.98], [0.5], [0.1], [0.2]], None, 0.75,
    ),
    ("CategoricalAccuracy", {}, OF_TOP, TOP, [0.7, 0.3], 0.3),
    (
        "SparseCategoricalAccuracy", {},
        [[2], [1]], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]], [0.7, 0.3], 0.3,
    ),
    ("TopKCategoricalAccuracy", {"k": 1}, OF_TOP, TOP, None, 0.5),
    ("TopKCategoricalAccuracy", {"k": 1}, OF_TOP, TOP, [0.7, 0.3], 0.3),
    ("SparseTopKCategoricalAccuracy", {"k": 1}, [2, 1], TOP, [0.7, 0.3], 0.3),
    (
        "SparseTopKCategoricalAccuracy", {"k": 1, "from_sorted_ids": True}, [2, 1],
        [[1, 0, 3], [1, 2, 3]], None, 0.5,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)])
def test_value(case: Case) -> None:
    name, options, y, p, weights, value = case
    found = getattr(metrics, name)(**options)(np.array(y), np.array(p), weights)
    # the expected values have six digits, the metrics those of float32
    np.testing.assert_allclose(found, value, rtol=2e-6, atol=2e-6)


def test_several_batches() -> None:
    """Weights of elements, then one for all, with the three greatest of five."""
    for name, value in (("Precision", 13 / 17), ("Recall", 13 / 23)):
        metric = getattr(metrics, name)(top_k=3)
        metric.update_state([[0, 1, 1, 0, 1]], [[0.2, 0.1, 0.4, 0, 0.2]], [[1, 4, 2, 3, 5]])
        metric.update_state([1, 0, 1, 1, 1], [0.2, 0.6, 0.4, 0.2, 0.2], 3)
        assert metric.result() == pytest.approx(value)

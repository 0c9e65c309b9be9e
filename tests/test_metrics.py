"""Classification metrics against their formulas: called directly, and in models with masks."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import metric_formulas as formulas
from lstmfast import metrics
from lstmfast.layers import LSTM, Dense, Input, Masking
from lstmfast.models import Sequential, load_model

C = 4  # columns
# kind of targets, the metric, its formula
CASES: dict[str, tuple[str, Any, Any]] = {
    "equality": ("bits", lambda: metrics.Accuracy(), formulas.share(lambda y, p: y == p)),
    "binary": (
        "bits",
        lambda: metrics.BinaryAccuracy(threshold=0.3),
        formulas.share(lambda y, p: y == (p > p.dtype.type(0.3))),
    ),
    "categorical": (
        "one-hot",
        lambda: metrics.CategoricalAccuracy(),
        formulas.share(lambda y, p: y.argmax(1) == p.argmax(1)),
    ),
    "sparse": (
        "labels",
        lambda: metrics.SparseCategoricalAccuracy(),
        formulas.share(lambda y, p: y == p.argmax(1)),
    ),
    "top 2": (
        "one-hot",
        lambda: metrics.TopKCategoricalAccuracy(k=2),
        formulas.share(lambda y, p: formulas.in_top(y.argmax(1), p, 2)),
    ),
    "top 3 of labels": (
        "labels",
        lambda: metrics.SparseTopKCategoricalAccuracy(k=3),
        formulas.share(lambda y, p: formulas.in_top(y.astype(int), p, 3)),
    ),
    "top 5 of 4": (
        "labels",
        lambda: metrics.SparseTopKCategoricalAccuracy(),
        lambda y, p, w: np.ones(1),
    ),
}
for place, name in enumerate(
    ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
):
    for given in (None, 0.25, [0.7, 0.1, 0.4]):
        CASES[f"{name} {given}"] = (
            "bits",
            lambda name=name, given=given: getattr(metrics, name)(thresholds=given),
            formulas.counted(place, given),
        )
for name in ("precision", "recall"):
    for options in (
        {},
        {"thresholds": [0.0, 0.5, 1.0]},  # even ones
        {"top_k": 2},
        {"top_k": 2, "thresholds": 0.6},
        {"top_k": 9, "class_id": 1},
        {"class_id": 2, "thresholds": [0.9, 0.2]},
    ):
        CASES[f"{name} {options}"] = (
            "bits",
            lambda name=name, options=options: getattr(metrics, name.capitalize())(**options),
            formulas.score(name, **options),
        )
for options in (
    {},
    {"num_thresholds": 2},
    {"num_thresholds": 5, "curve": "PR"},
    {"curve": "PR", "summation_method": "minoring"},
    {"num_thresholds": 9, "curve": "PR", "summation_method": "majoring"},
    {"curve": "ROC", "summation_method": "majoring"},
    {"num_thresholds": 9, "curve": "PRGAIN"},
    {"thresholds": [0.9, 0.2, 0.35]},
    {"thresholds": [0.25, 0.75, 0.5], "multi_label": True},  # even ones
    {"num_thresholds": 20, "multi_label": True, "label_weights": [1.0, 0.0, 2.0, 0.5]},
    {"num_thresholds": 20, "label_weights": [1.0, 0.0, 2.0, 0.5], "curve": "PR"},
    {"from_logits": True},
):
    CASES[f"auc {options}"] = (
        "logits" if "from_logits" in options else "bits",
        lambda options=options: metrics.AUC(**options),
        formulas.auc(**options),
    )
for average in (None, "micro", "macro", "weighted"):
    CASES[f"f1 {average}"] = (
        "one-hot",
        lambda average=average: metrics.F1Score(average),
        formulas.f_score(average),
    )
    CASES[f"f2 {average}"] = (
        "bits",
        lambda average=average: metrics.FBetaScore(average, 2.0, 0.4),
        formulas.f_score(average, 2.0, 0.4),
    )


def batch(kind: str, rows: int, rng: Any, dtype: Any = np.float64) -> tuple[Any, Any]:
    """Return targets and predictions, of which many are equal."""
    p = (0.9 * np.round(rng.random((rows, C)), 1) + 0.031).astype(dtype)
    labels = rng.integers(0, C, rows)
    y: Any = {
        "labels": labels,
        "one-hot": np.eye(C)[labels],
        "bits": rng.integers(0, 2, (rows, C)),
        "logits": rng.integers(0, 2, (rows, C)),
    }[kind]
    return y, 4 * p - 2 if kind == "logits" else p


def close(found: Any, expected: Any, terms: int, dtype: Any = np.float64) -> None:
    """Sums of so many weights of `dtype`, and a few operations on them in float64."""
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(np.atleast_1d(found), expected, rtol=eps * terms, atol=eps * terms)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weights", ["none", "rows", "elements"])
@pytest.mark.parametrize("name", CASES)
def test_batches(name: str, weights: str, dtype: Any) -> None:
    kind, make, formula = CASES[name]
    metric, rng = make(), np.random.default_rng(0)
    of_elements = metric.kind in {
        "equality", "binary_accuracy", "auc", "precision", "recall",
        "true_positives", "false_positives", "true_negatives", "false_negatives",
    }  # fmt: skip
    seen: list[tuple[Any, ...]] = []
    for rows in (7, 1, 12):
        y, p = batch(kind, rows, rng, dtype)
        given = None
        w = np.ones((rows, C))
        if weights == "rows":
            given = rng.integers(0, 3, rows)
            w = w * given[:, None]
        elif weights == "elements":
            given = w = rng.integers(0, 3, (rows, C)).astype(float)
            if not of_elements:
                with pytest.raises(ValueError, match=r"sample_weight has shape \(7, 4\); expected"):
                    metric.update_state(y, p, given)
                return
        metric.update_state(y, p, given)
        seen.append((y, p, w))
    y, p, w = (np.concatenate(each) for each in zip(*seen, strict=True))
    found = metric.result()
    close(found, formula(y, p, w), 4 * w.size)
    assert isinstance(found, np.ndarray) == (len(formula(y, p, w)) > 1)
    metric.reset_state()
    close(metric(y, p), formula(y, p, np.ones(w.shape)), 4 * w.size)
    again = type(metric).from_config(metric.get_config())
    assert again.get_config() == metric.get_config()


def net(kind: str, masked: bool) -> Sequential:
    activation = "sigmoid" if kind == "bits" else None if kind == "logits" else "softmax"
    layers = [*[Masking()] * masked, LSTM(3, return_sequences=True), Dense(C, activation)]
    return Sequential([Input((5, 2)), *layers], dtype="float64", seed=1)


LOSS = {
    "bits": "binary_crossentropy",
    "logits": "mse",
    "one-hot": "categorical_crossentropy",
    "labels": "sparse_categorical_crossentropy",
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_models(name: str, masked: bool) -> None:
    """Masks count in all metrics, weights in weighted ones; batches of any size, and a file."""
    kind, make, formula = CASES[name]
    rng = np.random.default_rng(3)
    x = rng.standard_normal((6, 5, 2))
    real = rng.random((6, 5)) < 0.6
    x[~real] = 0.0
    y, _ = batch(kind, 30, rng)
    y = y.reshape(6, 5, *y.shape[1:])
    model = net(kind, masked)
    model.compile("sgd", LOSS[kind], metrics=[make()], weighted_metrics=[make()])
    p = model.predict(x).reshape(30, C)
    mask = real.reshape(30) if masked else np.ones(30, bool)
    weights = rng.random((6, 5)) * (rng.random((6, 5)) < 0.8)
    flat = y.reshape(30, *y.shape[2:])[mask], p[mask]
    plain = formula(*flat, np.ones((mask.sum(), C)))
    weighted = formula(*flat, np.repeat(weights.reshape(30, 1)[mask], C, axis=1))
    key = next(key for key in model.metrics_names if key != "loss")
    for size in (1, 4, 6):
        how: dict[str, Any] = {"batch_size": size, "verbose": 0, "return_dict": True}
        logs = model.evaluate(x, y, sample_weight=weights, **how)
        close(logs[key], plain, 400)
        close(logs[model.metrics_names[2]], weighted, 400)
        close(model.evaluate(x, y, **how)[model.metrics_names[2]], plain, 400)


def test_means() -> None:
    mean = metrics.Mean()
    assert mean.result() == 0.0
    mean.update_state([[1, 2], [3, 6]])  # samples of two values each
    assert mean.result() == mean.result().numpy() == 3.0
    mean.update_state(12.0, sample_weight=2)
    assert mean.result() == (1.5 + 4.5 + 24.0) / 4
    mean.reset_state()
    mean.update_state(np.ones((0, 3)))
    mean.update_state([[1.0, np.nan], [3.0, 5.0]], sample_weight=[[0.5, 0.0], [1.0, 0.25]])
    assert mean.result() == pytest.approx((0.5 + 3.0 + 1.25) / 1.75)
    assert mean([7.0], sample_weight=[0.0]) == pytest.approx(4.75 / 1.75)


def test_forms_of_arguments() -> None:
    """Labels with and without an axis, one axis, steps, single numbers, sequences of weights."""
    p = np.array([[0.1, 0.9, 0.8], [0.05, 0.95, 0.0]])
    for y in ([2, 1], [[2], [1]]):
        assert metrics.SparseCategoricalAccuracy()(y, p) == 0.5
        assert metrics.SparseCategoricalAccuracy()(y, p, sample_weight=[[0.7], [0.3]]) == (
            pytest.approx(0.3)
        )
    sequences = np.stack([p, p, p])  # (3, 2, 3)
    labels = np.array([[2, 1], [1, 1], [0, 0]])
    assert metrics.SparseCategoricalAccuracy()(labels, sequences) == pytest.approx(3 / 6)
    for weights in ([0, 1, 0], [[0, 0], [1, 1], [0, 0]], [[[0], [0]], [[1], [1]], [[0], [0]]]):
        assert metrics.SparseCategoricalAccuracy()(labels, sequences, weights) == 1.0
    assert metrics.BinaryAccuracy()(1, 0.7) == 1.0
    assert metrics.BinaryAccuracy()([[1], [0]], [0.7, 0.6]) == 0.5
    assert metrics.BinaryAccuracy()([1, 0], [[0.7], [0.6]], sample_weight=3.0) == 0.5
    assert metrics.BinaryAccuracy()(np.zeros((0, 2)), np.zeros((0, 2))) == 0.0
    assert metrics.MeanSquaredError()([0.0, 1.0], [2.0, 1.0], sample_weight=[3.0, 1.0]) == 3.0
    assert metrics.RootMeanSquaredError(name="r")([[0.0], [1.0]], [[2.0], [1.0]]) == 2**0.5


def test_rows_that_hold_nan() -> None:
    """A prediction that is NaN is no decision; a row of weight 0 does nothing."""
    y, p = [[1, 0], [0, 1]], [[np.nan, 0.7], [0.2, 0.9]]
    assert metrics.Recall()(y, p) == 0.5
    assert metrics.Precision(top_k=1)(y, p) == 0.5
    assert metrics.AUC()([1, 0, 0], [0.9, np.nan, 0.1]) == 0.5
    assert metrics.TopKCategoricalAccuracy(k=1)(y, p) == 0.5
    for make in (metrics.Precision, metrics.F1Score, metrics.TopKCategoricalAccuracy, metrics.AUC):
        once, twice = make(name="m"), make(name="m")
        twice.update_state(y, np.full((2, 2), np.nan), sample_weight=[0, 0])
        for metric in (once, twice):
            metric.update_state(y, [[0.3, 0.7], [0.2, 0.9]])
        np.testing.assert_array_equal(once.result(), twice.result())


def test_numbers_in_names() -> None:
    """Of objects whose class Keras numbers, until its session is cleared; strings have none."""
    lf.backend.clear_session()
    names = [
        metric.name for metric in (metrics.AUC(), metrics.Recall(), metrics.AUC(), metrics.AUC())
    ]
    assert names == ["auc", "recall", "auc_1", "auc_2"]
    assert [metrics.get(each).name for each in ("auc", metrics.AUC)] == ["auc", "auc_4"]
    assert metrics.Mean().name == metrics.Mean().name == "mean"
    lf.backend.clear_session()
    assert metrics.AUC().name == "auc"


def test_copies_begin_anew() -> None:
    metric = metrics.Recall(class_id=0, name="r")
    metric.update_state([[1, 0]], [[0.9, 0.1]])
    for other in (copy.deepcopy(metric), copy.copy(metric), pickle.loads(pickle.dumps(metric))):
        assert (other.result(), other.name, other.class_id) == (0.0, "r", 0)
    assert metric.result() == 1.0
    assert metric([[1, 0]], [[0.1, 0.9]]) == 0.5
    assert isinstance(
        metrics.get({"class_name": "Recall", "config": metric.get_config()}), metrics.Recall
    )


def test_files_keep_options(tmp_path: Any) -> None:
    model = net("bits", masked=True)
    given = [metrics.Precision([0.3, 0.6], class_id=1), "auc", metrics.Accuracy(), "accuracy"]
    model.compile("sgd", "mse", metrics=given, weighted_metrics=[metrics.AUC(50, "pr", name="pr")])
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    x, y = np.ones((3, 5, 2)), np.tile([1, 0, 1, 0], (3, 5, 1))
    how: dict[str, Any] = {"verbose": 0, "return_dict": True, "sample_weight": [1, 2, 3]}
    first, second = model.evaluate(x, y, **how), again.evaluate(x, y, **how)
    assert list(first) == list(second)
    for name, value in first.items():
        np.testing.assert_array_equal(second[name], value)
    for mine, other in zip(model.metrics, again.metrics, strict=True):
        assert (type(mine), mine.kind) == (type(other), other.kind)
        assert mine.get_config() == other.get_config()


WRONG: dict[str, tuple[Any, str]] = {
    "targets of other rows": (
        lambda: metrics.Recall()(np.ones((3, 2)), np.ones((2, 2))),
        r"\[Recall\] y_true has shape \(3, 2\); expected \(2, 2\), the shape of y_pred, or that of",
    ),
    "labels": (
        lambda: metrics.Recall()([1, 2], np.ones((2, 2))),
        r"\[Recall\] target has 1 values a row; expected 2, as the prediction",
    ),
    "no labels": (
        lambda: metrics.SparseTopKCategoricalAccuracy()(np.ones((2, 3)), np.ones((2, 3))),
        r"\[SparseTopKCategoricalAccuracy\] target has 3 values a row; expected 1, a label",
    ),
    "a class": (
        lambda: metrics.Precision(class_id=3)(np.ones((2, 3)), np.ones((2, 3))),
        r"\[Precision\] class_id is 3; expected below 3, the number of classes",
    ),
    "weights": (
        lambda: metrics.Recall()(np.ones((2, 3)), np.ones((2, 3)), [1, 2, 3, 4]),
        r"\[Recall\] sample_weight has shape \(4,\); expected one that fits \(2, 3\)",
    ),
    "negative weights": (
        lambda: metrics.Recall()(np.ones((2, 3)), np.ones((2, 3)), [1, -2]),
        r"\[Recall\] sample_weight\[1\] is -2.0; expected finite numbers of at least 0",
    ),
    "labels of areas": (
        lambda: metrics.AUC(multi_label=True, num_labels=2)(np.ones((2, 3)), np.ones((2, 3))),
        r"\[AUC\] num_labels is for 2 labels; expected 3, the values of a prediction",
    ),
    "weights of labels": (
        lambda: metrics.AUC(label_weights=[1, 2])(np.ones((2, 3)), np.ones((2, 3))),
        r"\[AUC\] label_weights is for 2 labels; expected 3, the values of a prediction",
    ),
    "num_labels alone": (
        lambda: metrics.AUC(num_labels=2),
        r"\[AUC\] num_labels is 2; expected None without multi_label",
    ),
    "a curve": (
        lambda: metrics.AUC(curve="RO"),
        r'\[AUC\] curve is "RO"; expected one of "ROC", "PR", "PRGAIN"',
    ),
    "a threshold": (
        lambda: metrics.Precision(thresholds=[0.5, 1.5]),
        r"\[Precision\] thresholds is \(0.5, 1.5\); expected a number from 0 to 1, or a list of nu",
    ),
    "no threshold": (
        lambda: metrics.Precision(thresholds=[]),
        r"\[Precision\] thresholds is \(\); expected a number from 0 to 1, or a list of numbers f",
    ),
    "columns change": (
        lambda: _changed(metrics.F1Score()),
        r"\[F1Score\] prediction has 3 values a row; expected 2, as before",
    ),
    "a mean": (
        lambda: _evaluated("mean"),
        r"\[mean\] is the mean of values, without targets; expected a metric of targets and predic",
    ),
}


def _changed(metric: Any) -> None:
    metric.update_state([[1, 0]], [[1, 0]])
    metric.update_state([[1, 0, 0]], [[1, 0, 0]])


def _evaluated(metric: Any) -> None:
    net("bits", masked=False).compile("sgd", "mse", metrics=[metric])


@pytest.mark.parametrize("name", WRONG)
def test_errors(name: str) -> None:
    call, text = WRONG[name]
    with pytest.raises(ValueError, match=text):
        call()


def test_a_refused_batch_changes_nothing() -> None:
    metric = metrics.Precision(class_id=2)
    metric.update_state([[0, 0, 1]], [[0, 0, 1]])
    for y, p in (([[1, 0]], [[1, 0]]), ([[1, 0, 0]], [[1, 0]])):
        with pytest.raises(ValueError, match="Precision"):
            metric.update_state(y, p)
    assert metric.result() == 1.0

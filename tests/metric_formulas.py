"""The classification metrics in plain NumPy, by their definitions: the oracle of their tests.

y and p are (rows, columns), or y is (rows,) where it holds labels; w is (rows, columns).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def ratio(a: Array, b: Array) -> Array:
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=np.asarray(b) != 0)


def sums(y: Array, p: Array, w: Array, threshold: float) -> tuple[float, float, float, float]:
    """Return TP, FP, TN, FN; a prediction is compared as the dtype in which it is computed."""
    said, true = p > p.dtype.type(threshold), y != 0
    return tuple(
        float(w[np.logical_and(a, b)].sum())
        for a, b in ((said, true), (said, ~true), (~said, ~true), (~said, true))
    )  # type: ignore[return-value]


def top(p: Array, k: int) -> Array:
    """Mark the k largest of each row, the first among equals."""
    order = np.argsort(-p, axis=1, kind="stable")
    marks = np.zeros(p.shape, bool)
    np.put_along_axis(marks, order[:, :k], True, axis=1)
    return marks


def counted(which: int, thresholds: Any = None) -> Any:
    def formula(y: Array, p: Array, w: Array) -> Array:
        each = [
            sums(y, p, w, t)[which]
            for t in np.atleast_1d(0.5 if thresholds is None else thresholds)
        ]
        return np.array(each)

    return formula


def score(of: str, thresholds: Any = None, top_k: Any = None, class_id: Any = None) -> Any:
    def formula(y: Array, p: Array, w: Array) -> Array:
        least = -1e10 if top_k else 0.5
        chosen = p if top_k is None else np.where(top(p, top_k), p, -np.inf)
        if class_id is not None:
            y, chosen, w = (each[:, class_id, None] for each in (y, chosen, w))
        each = []
        for t in np.atleast_1d(least if thresholds is None else thresholds):
            tp, fp, _, fn = sums(y, chosen, w, t)
            each.append(float(ratio(tp, tp + (fp if of == "precision" else fn))))
        return np.array(each)

    return formula


def area(y: Array, p: Array, w: Array, inner: Any, curve: str, method: str) -> float:
    tp, fp, tn, fn = np.array([sums(y, p, w, t) for t in [-1e-7, *inner, 1 + 1e-7]]).T
    recall, precision = ratio(tp, tp + fn), ratio(tp, tp + fp)
    if (curve, method) == ("PR", "interpolation"):
        dtp, dp = tp[:-1] - tp[1:], (tp + fp)[:-1] - (tp + fp)[1:]
        slope = ratio(dtp, dp)
        rest = tp[1:] - slope * (tp + fp)[1:]
        both = ((tp + fp)[:-1] > 0) & ((tp + fp)[1:] > 0)
        log = np.log(np.where(both, ratio((tp + fp)[:-1], (tp + fp)[1:]), 1.0))
        return float(np.sum(ratio(slope * (dtp + rest * log), (tp + fn)[1:])))
    if curve == "ROC":
        x, heights = ratio(fp, fp + tn), recall
    elif curve == "PR":
        x, heights = recall, precision
    else:
        scale = ratio(tp + fn, tn + fp)
        x = np.where(tp == 0, 0.0, np.maximum(1 - scale * ratio(fn, tp), 0.0))
        heights = np.where(tp == 0, 1.0, 1 - scale * ratio(fp, tp))
    pairs = np.array([heights[:-1], heights[1:]])
    joined = {"interpolation": np.mean, "minoring": np.min, "majoring": np.max}[method]
    return float(np.sum((x[:-1] - x[1:]) * joined(pairs, axis=0)))


def auc(
    num_thresholds: int = 200,
    curve: str = "ROC",
    summation_method: str = "interpolation",
    thresholds: Any = None,
    multi_label: bool = False,
    label_weights: Any = None,
    from_logits: bool = False,
) -> Any:
    inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
    inner = inner if thresholds is None else np.sort(thresholds)

    def formula(y: Array, p: Array, w: Array) -> Array:
        if from_logits:
            p = 1 / (1 + np.exp(-p))
        shares = np.ones(p.shape[1]) if label_weights is None else np.asarray(label_weights)
        if not multi_label:
            return np.array([area(y, p, w * shares, inner, curve, summation_method)])
        each = [
            area(y[:, j], p[:, j], w[:, j], inner, curve, summation_method)
            for j in range(p.shape[1])
        ]
        return np.array([np.average(each, weights=shares)])

    return formula


def f_score(average: Any = None, beta: float = 1.0, threshold: Any = None) -> Any:
    def formula(y: Array, p: Array, w: Array) -> Array:
        if threshold is None:
            said = (p >= p.max(axis=1, keepdims=True)) & (abs(p) > 1e-9)
        else:
            said = p > p.dtype.type(threshold)
        axis = None if average == "micro" else 0
        tp = np.sum(w * said * y, axis=axis)
        fp = np.sum(w * said * (1 - y), axis=axis)
        fn = np.sum(w * ~said * y, axis=axis)
        precision, recall = tp / (tp + fp + 1e-7), tp / (tp + fn + 1e-7)
        b = beta**2
        each = (1 + b) * (precision * recall / (b * precision + recall + 1e-7))
        if average == "weighted":
            positives = np.sum(w * y, axis=0)
            each = np.sum(each * positives / (positives.sum() + 1e-7))
        return np.atleast_1d(np.mean(each) if average == "macro" else each)

    return formula


def share(right: Any) -> Any:
    """The weighted share of rows, or elements, where right(y, p) holds."""

    def formula(y: Array, p: Array, w: Array) -> Array:
        hits = right(y, p)
        return np.array([np.average(hits, weights=w if hits.ndim == 2 else w[:, 0])])

    return formula


def in_top(labels: Array, p: Array, k: int) -> Array:
    """Whether fewer than k of a row are greater than the one at its label."""
    of_label = np.take_along_axis(p, labels[:, None], axis=1)
    return np.sum(p > of_label, axis=1) < k

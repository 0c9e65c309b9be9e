"""Accuracies as functions, with Keras's names: 1 where a prediction is right, else 0."""

from __future__ import annotations

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, wrong_shape
from lstmfast._checks import count

__all__ = [
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> Array:
    """Return for each element whether target 1 has a prediction above the threshold, 0 none.

    Parameters
    ----------
    y_true, y_pred : array_like
        (N, ...).
    threshold : float
        Predictions above it stand for 1, others for 0.

    Returns
    -------
    numpy.ndarray
        (N, ...) of float32.

    Examples
    --------
    >>> from lstmfast.metrics import binary_accuracy
    >>> binary_accuracy([1, 0, 1], [0.9, 0.2, 0.3]).tolist()
    [1.0, 1.0, 0.0]
    """
    true, pred = _pair(y_true, y_pred, "binary_accuracy")
    return np.asarray(true == (pred > threshold), np.float32)


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return for each row whether the largest prediction is at the place of the largest target.

    Parameters
    ----------
    y_true, y_pred : array_like
        (N, ..., C).

    Returns
    -------
    numpy.ndarray
        (N, ...) of float32.
    """
    return top_k_categorical_accuracy(y_true, y_pred, 0)


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return for each row whether the largest prediction is at the place that a label names.

    Parameters
    ----------
    y_true : array_like
        (N, ...) or (N, ..., 1).
    y_pred : array_like
        (N, ..., C).

    Returns
    -------
    numpy.ndarray
        (N, ...) of float32.
    """
    return sparse_top_k_categorical_accuracy(y_true, y_pred, 0)


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Array:
    """Return for each row whether its class, the largest target, is among the k best predictions.

    Parameters
    ----------
    y_true, y_pred : array_like
        (N, ..., C).
    k : int
        How many count.

    Returns
    -------
    numpy.ndarray
        (N, ...) of float32.
    """
    true, pred = _pair(y_true, y_pred, "top_k_categorical_accuracy")
    return _among(true.argmax(axis=-1), pred, k, "top_k_categorical_accuracy")


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> Array:
    """Return for each row whether its class, a label, is among the k best predictions.

    Parameters
    ----------
    y_true : array_like
        (N, ...) or (N, ..., 1).
    y_pred : array_like
        (N, ..., C).
    k : int
        How many count.
    from_sorted_ids : bool
        Predictions are not scores but classes, the likeliest first.

    Returns
    -------
    numpy.ndarray
        Of the shape of `y_true`, of float32.
    """
    where = "sparse_top_k_categorical_accuracy"
    pred, labels = as_array(y_pred, where, "y_pred"), as_array(y_true, where, "y_true")
    if labels.ndim == pred.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != pred.shape[:-1]:
        raise wrong_shape(where, "y_true", labels.shape, pred.shape[:-1])
    if from_sorted_ids:
        found = np.asarray((pred[..., :k] == labels[..., None]).any(axis=-1), np.float32)
    else:
        found = _among(labels.astype(np.int64), pred, k, where)
    return found.reshape(np.shape(y_true)) if k else found


def _pair(y_true: ArrayLike, y_pred: ArrayLike, where: str) -> tuple[Array, Array]:
    true, pred = as_array(y_true, where, "y_true"), as_array(y_pred, where, "y_pred")
    if true.shape != pred.shape:
        raise wrong_shape(where, "y_true", true.shape, pred.shape)
    return true, pred


def _among(labels: Array, pred: Array, k: int, where: str) -> Array:
    """Tell whether fewer than k predictions are larger; k = 0: whether the first largest is it."""
    if k == 0:
        return np.asarray(labels == pred.argmax(axis=-1), np.float32)
    inside = (labels >= 0) & (labels < pred.shape[-1])
    own = np.take_along_axis(pred, np.where(inside, labels, 0)[..., None], axis=-1)
    larger = (pred > own).sum(axis=-1)
    finite = np.isfinite(own[..., 0])
    return np.asarray(inside & finite & (larger < count(k, "k", where)), np.float32)

"""The losses of tensors: what a loss of the user's own may be made of.

Each returns the values of rows; y and p are targets and predictions, of as many axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lstmfast import ops as _ops

ops: Any = _ops  # most of its functions come from tables
_LEAST = 1e-7


def same_rank(y: Any, p: Any) -> tuple[Any, Any]:
    """Return both with as many axes, where one lacks a last axis of size 1; as Keras does it."""
    a, b = len(y.shape), len(p.shape)
    if a == b + 1 and y.shape[-1] == 1:
        return (y, ops.expand_dims(p, -1)) if b == 1 else (ops.squeeze(y, -1), p)
    if b == a + 1 and p.shape[-1] == 1:
        return (ops.expand_dims(y, -1), p) if a == 1 else (y, ops.squeeze(p, -1))
    return y, p


def reduced(values: Any, sample_weight: Any, reduction: str | None) -> Any:
    """Return what a reduction makes of values."""
    if sample_weight is not None:
        values, sample_weight = same_rank(ops.convert_to_tensor(values), sample_weight)
        values = values * sample_weight
    if reduction in (None, "none"):
        return values
    if reduction == "sum_over_batch_size":
        return ops.mean(values)
    total = ops.sum(values)
    if reduction == "sum" or sample_weight is None:
        return total if reduction == "sum" else ops.mean(values)
    return total / ops.sum(sample_weight)


def _log(x: Any) -> Any:
    return ops.log(ops.clip(x, _LEAST, 1.0))


def _percentage(y: Any, p: Any) -> Any:
    return 100.0 * ops.mean(ops.abs((y - p) / ops.maximum(ops.abs(y), _LEAST)), -1)


def _logarithmic(y: Any, p: Any) -> Any:
    logs = [ops.log(ops.maximum(each, _LEAST) + 1.0) for each in (p, y)]
    return ops.mean(ops.square(logs[0] - logs[1]), -1)


def _huber(y: Any, p: Any, delta: float) -> Any:
    size = ops.abs(y - p)
    linear = delta * size - 0.5 * delta * delta
    return ops.mean(ops.where(size <= delta, 0.5 * size * size, linear), -1)


def _log_cosh(y: Any, p: Any) -> Any:
    return ops.mean(p - y + ops.softplus(-2.0 * (p - y)) - math.log(2.0), -1)


def _cosine(y: Any, p: Any) -> Any:
    return -ops.sum(ops.normalize(y) * ops.normalize(p), -1)


def _smoothed(y: Any, smoothing: float, classes: float) -> Any:
    return y * (1.0 - smoothing) + smoothing / classes if smoothing else y


def _binary(y: Any, p: Any, from_logits: bool, label_smoothing: float) -> Any:
    y = _smoothed(y, label_smoothing, 2.0)
    if from_logits:
        return ops.mean(ops.softplus(p) - y * p, -1)
    p = ops.clip(p, _LEAST, 1.0 - _LEAST)
    return -ops.mean(y * ops.log(p) + (1.0 - y) * ops.log(1.0 - p), -1)


def _categorical(y: Any, p: Any, from_logits: bool, label_smoothing: float = 0.0) -> Any:
    y = _smoothed(y, label_smoothing, float(p.shape[-1]))
    logs = ops.log_softmax(p) if from_logits else _log(p / ops.sum(p, -1, keepdims=True))
    return -ops.sum(y * logs, -1)


def _sparse(y: Any, p: Any, from_logits: bool) -> Any:
    if len(y.shape) == len(p.shape):
        y = ops.squeeze(y, -1)
    return _categorical(ops.one_hot(y, p.shape[-1]), p, from_logits)


def _signs(y: Any) -> Any:
    return ops.where(ops.equal(y, 0.0), -1.0, y)


def _categorical_hinge(y: Any, p: Any) -> Any:
    return ops.maximum(ops.max((1.0 - y) * p, -1) - ops.sum(y * p, -1) + 1.0, 0.0)


FORMULAS: dict[str, Callable[..., Any]] = {
    "mean_squared_error": lambda y, p: ops.mean(ops.square(y - p), -1),
    "mean_absolute_error": lambda y, p: ops.mean(ops.abs(y - p), -1),
    "mean_absolute_percentage_error": _percentage,
    "mean_squared_logarithmic_error": _logarithmic,
    "huber": _huber,
    "log_cosh": _log_cosh,
    "cosine_similarity": _cosine,
    "categorical_crossentropy": _categorical,
    "sparse_categorical_crossentropy": _sparse,
    "binary_crossentropy": _binary,
    "hinge": lambda y, p: ops.mean(ops.maximum(1.0 - _signs(y) * p, 0.0), -1),
    "squared_hinge": lambda y, p: ops.mean(ops.square(ops.maximum(1.0 - _signs(y) * p, 0.0)), -1),
    "categorical_hinge": _categorical_hinge,
    "kl_divergence": lambda y, p: ops.sum(ops.clip(y, _LEAST, 1.0) * (_log(y) - _log(p)), -1),
    "poisson": lambda y, p: ops.mean(p - y * ops.log(p + _LEAST), -1),
}

"""Losses as tutorials have them, made of operations: the table of value, gradient and peer tests.

Each takes the modules of operations and losses, targets (B, T, D) and predictions of that shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

B, T, D = 4, 3, 2


def _smape(o: Any, _: Any, y: Any, p: Any) -> Any:
    return o.mean(2 * o.abs(y - p) / (o.abs(y) + o.abs(p) + 1e-7))


def _asymmetric(o: Any, _: Any, y: Any, p: Any) -> Any:
    d = y - p
    return o.mean(o.where(d > 0, 3.0 * d * d, d * d), axis=-1)


def _mixture(o: Any, _: Any, y: Any, p: Any) -> Any:
    share, spread = o.softmax(p), o.exp(0.3 * p)
    density = share * o.exp(-0.5 * o.square((y[..., :1] - p) / spread)) / (spread * 2.5066)
    return -o.log(o.sum(density, axis=-1) + 1e-8)


def _correlation(o: Any, _: Any, y: Any, p: Any) -> Any:
    y, p = y - o.mean(y), p - o.mean(p, axis=0)
    return 1 - o.sum(y * p) / o.sqrt(o.sum(o.square(y)) * o.sum(o.square(p)))


def _pairs(o: Any, _: Any, y: Any, p: Any) -> Any:
    flat = o.reshape(p, (o.shape(p)[0], -1))
    return o.mean(o.square(o.matmul(flat, o.transpose(flat)))) + o.mean(y - p)


def _objects(o: Any, of: Any, y: Any, p: Any) -> Any:
    return of.Huber(delta=0.5)(y, p) + 2 * of.LogCosh()(y, p) + o.mean(p)


TRACED: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "root of the mean": lambda o, _, y, p: o.sqrt(o.mean(o.square(p - y))),
    "operators": lambda o, _, y, p: (p - y) ** 2 + abs(p),
    "samples": lambda o, _, y, p: o.mean(o.square(p - y), axis=(1, 2)),
    "steps": lambda o, _, y, p: o.sum(o.abs(p - y), axis=-1),
    "the last step": lambda o, _, y, p: o.square(y[:, -1, 0] - p[:, -1, 0]),
    "quantile": lambda o, _, y, p: o.mean(o.maximum(0.9 * (y - p), -0.1 * (y - p)), axis=-1),
    "smape": _smape,
    "asymmetric": _asymmetric,
    "mixture": _mixture,
    "correlation": _correlation,
    "pairs": _pairs,
    "the prediction": lambda o, _, y, p: p,
    "per sample by hand": lambda o, _, y, p: o.sum(o.abs(y - p)) / o.shape(y)[0],
    "two losses": lambda o, of, y, p: (
        of.mean_squared_error(y, p) + 0.1 * of.mean_absolute_error(y, p)
    ),
    "objects": _objects,
    "others": lambda o, of, y, p: (
        of.mean_absolute_percentage_error(y, p)
        + of.mean_squared_logarithmic_error(y + 2, p + 2)
        + of.cosine_similarity(y, p)
        + of.poisson(y, o.exp(p))
    ),
    "hinges": lambda o, of, y, p: (
        of.hinge(o.sign(y), p) + of.squared_hinge(o.sign(y), p) + of.categorical_hinge(y > 0, p)
    ),
    "classes": lambda o, of, y, p: (
        of.binary_crossentropy(y > 0, p, from_logits=True, label_smoothing=0.1)
        + of.binary_crossentropy(y > 0, o.sigmoid(p))
        + of.categorical_crossentropy(o.softmax(y), o.softmax(p), label_smoothing=0.2)
        + of.categorical_crossentropy(o.softmax(y), p, from_logits=True)
        + of.sparse_categorical_crossentropy(y[..., 0] > 0, p, from_logits=True)
        + of.kl_divergence(o.softmax(y), o.softmax(p))
    ),
}

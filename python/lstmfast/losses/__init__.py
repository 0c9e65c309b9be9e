"""Losses for ``Sequential.compile``: Keras's names and formulas; the core computes them.

A loss is the mean over samples (and over steps and outputs, where it has them). Strings name
losses too: ``"mse"``, ``"mae"``, ``"huber"``, ``"categorical_crossentropy"`` and so on. A loss of
your own is a function or a class derived from `Loss`; both return the gradient with the value.

All classes take Keras's ``name``, which only names the object, and ``reduction`` and ``dtype`` at
their defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lstmfast._keras_names import explain_missing
from lstmfast._names import Registry, listed
from lstmfast.losses.base import CoreLoss, FunctionLoss, Loss

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "get",
]

explain_missing(__name__)


@dataclass(frozen=True)
class MeanSquaredError(CoreLoss):
    """mean((y - ŷ)²).

    Examples
    --------
    >>> from lstmfast.losses import MeanSquaredError
    >>> MeanSquaredError().config()
    {'loss': 'mean_squared_error'}
    """


@dataclass(frozen=True)
class MeanAbsoluteError(CoreLoss):
    """mean(|y - ŷ|).

    Examples
    --------
    >>> from lstmfast.losses import MeanAbsoluteError
    >>> MeanAbsoluteError().config()
    {'loss': 'mean_absolute_error'}
    """


@dataclass(frozen=True)
class Huber(CoreLoss):
    """Mean of e²/2 where |e| = |y - ŷ| is at most δ, of δ·(|e| - δ/2) elsewhere.

    Parameters
    ----------
    delta : float
        δ > 0: where the parabola becomes a line.

    Examples
    --------
    >>> from lstmfast.losses import Huber
    >>> Huber(delta=0.5).config()
    {'loss': 'huber', 'loss.delta': 0.5}
    """

    delta: float = 1.0


@dataclass(frozen=True)
class CategoricalCrossentropy(CoreLoss):
    """Mean of -Σ y·log(ŷ) for one-hot targets, after a last layer with ``softmax``.

    Parameters
    ----------
    from_logits : bool
        Whether the last layer leaves the softmax to the loss. Not needed for precision: the core
        computes loss and softmax as one anyway.
    label_smoothing : float
        s, from 0 to 1: targets become y·(1 - s) + s/classes.

    Examples
    --------
    >>> from lstmfast.losses import CategoricalCrossentropy
    >>> CategoricalCrossentropy().kind
    'categorical_crossentropy'
    """

    from_logits: bool = False
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(CoreLoss):
    """Mean of -log(ŷ[label]) for integer labels, after a last layer with ``softmax``.

    Targets lack the last axis of the predictions, or have one value there.

    Parameters
    ----------
    from_logits : bool
        Whether the last layer leaves the softmax to the loss.

    Examples
    --------
    >>> from lstmfast.losses import SparseCategoricalCrossentropy
    >>> SparseCategoricalCrossentropy().kind
    'sparse_categorical_crossentropy'
    """

    from_logits: bool = False


@dataclass(frozen=True)
class BinaryCrossentropy(CoreLoss):
    """Mean of -(y·log(ŷ) + (1 - y)·log(1 - ŷ)), after a last layer with ``sigmoid``.

    Parameters
    ----------
    from_logits : bool
        Whether the last layer leaves the sigmoid to the loss.
    label_smoothing : float
        s, from 0 to 1: targets become y·(1 - s) + s/2.

    Examples
    --------
    >>> from lstmfast.losses import BinaryCrossentropy
    >>> BinaryCrossentropy().kind
    'binary_crossentropy'
    """

    from_logits: bool = False
    label_smoothing: float = 0.0


LOSSES: Registry[Loss] = Registry(
    "loss",
    Loss,
    listed(globals()),
    aliases={
        "mse": "mean_squared_error",
        "mae": "mean_absolute_error",
        "bce": "binary_crossentropy",
    },
)


def get(identifier: Any) -> Loss:
    """Return the loss for a name, a class, an object, a configuration or a function.

    Examples
    --------
    >>> from lstmfast import losses
    >>> losses.get("MSE")
    MeanSquaredError()
    """
    methods = "call(y_true, y_pred), which returns the value and its gradient"
    return LOSSES.get_own(identifier, FunctionLoss, methods)

"""Losses for ``Sequential.compile``: Keras's names and formulas; the core computes them.

A loss is the mean over samples (and over steps and outputs, where it has them). Strings name
losses too: ``"mse"``, ``"mae"``, ``"huber"``, ``"categorical_crossentropy"`` and so on.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from lstmfast._checks import flag, number
from lstmfast._names import Registry, config_text, snake_case

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


@dataclass(frozen=True)
class Loss:
    """A loss with its options."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check = flag if isinstance(field.default, bool) else number
            value = check(getattr(self, field.name), field.name, type(self).__name__)
            object.__setattr__(self, field.name, value)

    @property
    def kind(self) -> str:
        """The core's name of this loss."""
        return snake_case(type(self).__name__)

    def config(self) -> dict[str, str]:
        """Return the part of the flat configuration that the core reads."""
        options = dataclasses.asdict(self)
        return {"loss": self.kind} | {f"loss.{k}": config_text(v) for k, v in options.items()}


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """mean((y - ŷ)²).

    Examples
    --------
    >>> from lstmfast.losses import MeanSquaredError
    >>> MeanSquaredError().config()
    {'loss': 'mean_squared_error'}
    """


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """mean(|y - ŷ|).

    Examples
    --------
    >>> from lstmfast.losses import MeanAbsoluteError
    >>> MeanAbsoluteError().config()
    {'loss': 'mean_absolute_error'}
    """


@dataclass(frozen=True)
class Huber(Loss):
    """Mean of e²/2 where |e| = |y - ŷ| is at most δ, of δ·(|e| - δ/2) elsewhere.

    Parameters
    ----------
    delta : float
        δ > 0: where the parabola becomes a line.

    Examples
    --------
    >>> from lstmfast.losses import Huber
    >>> Huber(delta=0.5).config()
    {'loss': 'huber', 'loss.delta': '0.5'}
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.delta < float("inf"):
            raise ValueError(f"[Huber] delta is {self.delta}; expected a positive number")


@dataclass(frozen=True)
class CategoricalCrossentropy(Loss):
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
class SparseCategoricalCrossentropy(Loss):
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
class BinaryCrossentropy(Loss):
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
    [
        MeanSquaredError,
        MeanAbsoluteError,
        Huber,
        CategoricalCrossentropy,
        SparseCategoricalCrossentropy,
        BinaryCrossentropy,
    ],
    aliases={
        "mse": "mean_squared_error",
        "mae": "mean_absolute_error",
        "bce": "binary_crossentropy",
    },
    unavailable=[
        "categorical_focal_crossentropy",
        "categorical_hinge",
        "circle",
        "cosine_similarity",
        "ctc",
        "dice",
        "binary_focal_crossentropy",
        "hinge",
        "kl_divergence",
        "kld",
        "kullback_leibler_divergence",
        "log_cosh",
        "logcosh",
        "mape",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "msle",
        "poisson",
        "squared_hinge",
        "tversky",
    ],
)


def get(identifier: Any) -> Loss:
    """Return the loss for a name, a class, an object or a configuration.

    Examples
    --------
    >>> from lstmfast import losses
    >>> losses.get("MSE")
    MeanSquaredError()
    """
    return LOSSES.get(identifier)

"""Losses of classes and counts."""

from __future__ import annotations

from dataclasses import dataclass

from lstmfast.losses.base import CoreLoss, LossOnLastAxis


@dataclass(frozen=True)
class CategoricalCrossentropy(LossOnLastAxis):
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
    >>> loss = CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
    >>> print(f"{loss:.4f}")
    0.6931
    """

    from_logits: bool = False
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(LossOnLastAxis):
    """Mean of -log(ŷ[label]) for integer labels, after a last layer with ``softmax``.

    Targets lack the last axis of the predictions, or have one value there.

    Parameters
    ----------
    from_logits : bool
        Whether the last layer leaves the softmax to the loss.

    Examples
    --------
    >>> from lstmfast.losses import SparseCategoricalCrossentropy
    >>> loss = SparseCategoricalCrossentropy()([1, 0], [[0.5, 0.5], [1.0, 0.0]])
    >>> print(f"{loss:.4f}")
    0.3466
    """

    from_logits: bool = False


@dataclass(frozen=True)
class BinaryCrossentropy(LossOnLastAxis):
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
    >>> loss = BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.0]])
    >>> print(f"{loss:.4f}")
    0.3466
    """

    from_logits: bool = False
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class Hinge(CoreLoss):
    """mean(max(1 - y·ŷ, 0)) for targets of -1 and 1; 0 counts as -1.

    Examples
    --------
    >>> from lstmfast.losses import Hinge
    >>> Hinge()([[1.0], [0.0]], [[0.5], [0.5]])
    1.0
    """


@dataclass(frozen=True)
class SquaredHinge(CoreLoss):
    """mean(max(1 - y·ŷ, 0)²) for targets of -1 and 1; 0 counts as -1.

    Examples
    --------
    >>> from lstmfast.losses import SquaredHinge
    >>> SquaredHinge()([[1.0], [0.0]], [[0.5], [0.5]])
    1.25
    """


@dataclass(frozen=True)
class CategoricalHinge(CoreLoss):
    """Mean of max(0, 1 + max((1 - y)·ŷ) - Σ y·ŷ) for one-hot targets.

    Examples
    --------
    >>> from lstmfast.losses import CategoricalHinge
    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]])
    0.5
    """


@dataclass(frozen=True)
class KLDivergence(CoreLoss):
    """Mean of Σ y·log(y / ŷ) over the last axis, y and ŷ limited to 1e-7 .. 1.

    Examples
    --------
    >>> from lstmfast.losses import KLDivergence
    >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])
    0.0
    """


@dataclass(frozen=True)
class Poisson(CoreLoss):
    """mean(ŷ - y·log(ŷ + 1e-7)), for counts y and rates ŷ.

    Examples
    --------
    >>> from lstmfast.losses import Poisson
    >>> Poisson()([[0.0], [0.0]], [[1.0], [2.0]])
    1.5
    """

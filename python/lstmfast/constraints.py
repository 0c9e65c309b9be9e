"""Constraints on weights, held after each training step: Keras's names, defaults and formulas.

`kernel_constraint`, `recurrent_constraint` and `bias_constraint` of layers take them; the core
applies them. Norms are taken along `axis` of a weight as Keras has it, so that ``axis=0`` of a
kernel (inputs, units) limits what comes into each unit, for an LSTM into each gate of each unit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array
from lstmfast._keras_names import explain_missing
from lstmfast._rules import Rule, Rules

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "maxnorm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]

explain_missing(__name__)

EPSILON = 1e-7  # added to a norm that is divided by


@dataclass(frozen=True)
class Constraint(Rule, ABC):
    """A constraint with its options; called with a weight, it returns what it becomes."""

    family: ClassVar[str] = "constraint"

    @abstractmethod
    def __call__(self, w: ArrayLike) -> Array:
        """Return the constrained copy of a weight."""


class _NormConstraint(Constraint):
    axis: Any  # a field of each of the classes

    def __post_init__(self) -> None:
        object.__setattr__(self, "axis", _axis(self.axis))
        super().__post_init__()

    def __call__(self, w: ArrayLike) -> Array:
        array = as_array(w, type(self).__name__, "w")
        norm = np.sqrt(np.square(array).sum(axis=self.axis, keepdims=True))
        return np.asarray(array * (self.length(norm) / (EPSILON + norm)), array.dtype)

    @abstractmethod
    def length(self, norm: Array) -> Any:
        """Return the norm that a vector of that norm gets."""


@dataclass(frozen=True)
class MaxNorm(_NormConstraint):
    """w·min(n, max_value) / (n + 1e-7) with n the L2 norm along `axis`.

    Parameters
    ----------
    max_value : float
        The largest norm.
    axis : int or tuple of int
        0: a norm for each column; 1: for each row; (0, 1): of all values.

    Examples
    --------
    >>> from lstmfast.constraints import MaxNorm
    >>> MaxNorm(1)([[3.0, 0.1], [4.0, 0.0]]).round(3)
    array([[0.6, 0.1],
           [0.8, 0. ]])
    """

    max_value: float = 2.0
    axis: Any = 0

    def length(self, norm: Array) -> Any:
        """Return the norm that a vector of that norm gets."""
        return np.minimum(norm, self.max_value)


@dataclass(frozen=True)
class MinMaxNorm(_NormConstraint):
    """w·m / (n + 1e-7), m = rate·clip(n, min_value, max_value) + (1 - rate)·n, n the L2 norm.

    Parameters
    ----------
    min_value, max_value : float
        The smallest and the largest norm.
    rate : float
        From 0 to 1: how much of the way there each step goes.
    axis : int or tuple of int
        0: a norm for each column; 1: for each row; (0, 1): of all values.

    Examples
    --------
    >>> from lstmfast.constraints import MinMaxNorm
    >>> MinMaxNorm(0.5, 1.0)([[3.0, 0.1], [4.0, 0.0]]).round(3)
    array([[0.6, 0.5],
           [0.8, 0. ]])
    """

    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Any = 0

    def length(self, norm: Array) -> Any:
        """Return the norm that a vector of that norm gets."""
        within = np.clip(norm, self.min_value, self.max_value)
        return self.rate * within + (1.0 - self.rate) * norm


@dataclass(frozen=True)
class UnitNorm(_NormConstraint):
    """w / (n + 1e-7) with n the L2 norm along `axis`.

    Parameters
    ----------
    axis : int or tuple of int
        0: a norm for each column; 1: for each row; (0, 1): of all values.

    Examples
    --------
    >>> from lstmfast.constraints import UnitNorm
    >>> UnitNorm()([[3.0], [4.0]]).round(3)
    array([[0.6],
           [0.8]])
    """

    axis: Any = 0

    def length(self, norm: Array) -> Any:
        """Return the norm that a vector of that norm gets."""
        return 1.0


@dataclass(frozen=True)
class NonNeg(Constraint):
    """max(w, 0).

    Examples
    --------
    >>> from lstmfast.constraints import NonNeg
    >>> NonNeg()([1.0, -2.0])
    array([1., 0.])
    """

    def __call__(self, w: ArrayLike) -> Array:
        """Return the constrained copy of a weight."""
        limited: Array = np.maximum(as_array(w, "NonNeg", "w"), 0)
        return limited


def _axis(value: Any) -> Any:
    """Return an axis as the core takes it: None is the whole, of several each counts from 0."""
    if value is None:
        return (0, 1)
    if isinstance(value, str) or not isinstance(value, Iterable):
        return value
    axes = tuple(value)
    is_index = all(isinstance(axis, int | np.integer) for axis in axes)
    return tuple(int(a) % 2 if -2 <= a <= 1 else int(a) for a in axes) if is_index else axes


# Keras's other names
max_norm = maxnorm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

CONSTRAINTS: Rules[Constraint] = Rules(
    "constraint",
    Constraint,  # type: ignore[type-abstract]  # asked for kinds alone
    [MaxNorm, MinMaxNorm, NonNeg, UnitNorm],
)


def get(identifier: Any) -> Constraint | None:
    """Return the constraint for a name, a class, an object or a configuration; None for None.

    Raises
    ------
    TypeError, ValueError
        For what is none of them, also a function or a class of one's own; for an unknown name,
        with the known ones.

    Examples
    --------
    >>> from lstmfast import constraints
    >>> constraints.get("max_norm")
    MaxNorm(max_value=2.0, axis=0)
    """
    return CONSTRAINTS.get_any(identifier)


def serialize(constraint: Constraint | None) -> dict[str, Any] | None:
    """Return the configuration from which `get` makes an equal constraint.

    Examples
    --------
    >>> from lstmfast import constraints
    >>> constraints.serialize(constraints.UnitNorm())
    {'class_name': 'UnitNorm', 'config': {'axis': 0}}
    """
    return CONSTRAINTS.serialize(constraint)


deserialize = get  # Keras's other name, for what `serialize` returned

"""Penalties that are part of the loss: Keras's names, defaults and formulas.

`kernel_regularizer`, `recurrent_regularizer` and `bias_regularizer` of layers penalise weights,
`activity_regularizer` a layer's outputs, where the sum over a batch is divided by its samples. The
core adds the penalties to the ``loss`` of training and of `evaluate`, and their gradients to the
others before they are clipped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import ArrayLike, as_array
from lstmfast._checks import choice
from lstmfast._keras_names import explain_missing
from lstmfast._rules import Rule, Rules

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]

explain_missing(__name__)


@dataclass(frozen=True)
class Regularizer(Rule, ABC):
    """A penalty with its options; called with numbers, it returns what they cost."""

    family: ClassVar[str] = "regularizer"

    @abstractmethod
    def __call__(self, x: ArrayLike) -> float:
        """Return the penalty on the numbers."""


@dataclass(frozen=True)
class L1(Regularizer):
    """l1·Σ|x|, with slope 0 at 0.

    Examples
    --------
    >>> from lstmfast.regularizers import L1
    >>> L1(0.5)([1.0, -3.0])
    2.0
    """

    l1: float = 0.01

    def __call__(self, x: ArrayLike) -> float:
        """Return the penalty on the numbers."""
        return self.l1 * float(np.abs(as_array(x, "L1", "x")).sum())


@dataclass(frozen=True)
class L2(Regularizer):
    """l2·Σx².

    Examples
    --------
    >>> from lstmfast.regularizers import L2
    >>> L2(0.5)([1.0, -3.0])
    5.0
    """

    l2: float = 0.01

    def __call__(self, x: ArrayLike) -> float:
        """Return the penalty on the numbers."""
        return self.l2 * float(np.square(as_array(x, "L2", "x")).sum())


@dataclass(frozen=True)
class L1L2(Regularizer):
    """l1·Σ|x| + l2·Σx².

    Both factors are 0 unless they are given; but the name ``"l1_l2"`` stands for 0.01 and 0.01.

    Examples
    --------
    >>> from lstmfast.regularizers import L1L2
    >>> L1L2(l1=0.5, l2=0.25)([1.0, -3.0])
    4.5
    """

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, x: ArrayLike) -> float:
        """Return the penalty on the numbers."""
        return L1(self.l1)(x) + L2(self.l2)(x)


@dataclass(frozen=True)
class OrthogonalRegularizer(Regularizer):
    """factor times the mean of |u·v| over all pairs of a matrix's rows (or columns), at length 1.

    For kernels, not for biases and outputs. It compares every row with every other: a step takes
    time with the square of their number.

    Parameters
    ----------
    factor : float
        The penalty where all point the same way.
    mode : {"rows", "columns"}
        Which vectors are to be orthogonal.

    Examples
    --------
    >>> from lstmfast.regularizers import OrthogonalRegularizer
    >>> OrthogonalRegularizer(0.5)([[1.0, 0.0], [0.0, 2.0], [-4.0, 0.0]])
    0.16666666666666666
    """

    factor: float = 0.01
    mode: str = "rows"

    def __call__(self, x: ArrayLike) -> float:
        """Return the penalty on a matrix."""
        array = as_array(x, "OrthogonalRegularizer", "x")
        if array.ndim != 2:
            raise ValueError(f"[OrthogonalRegularizer] x has {array.ndim} axes; expected 2")
        rows = array if self.mode == "rows" else array.T
        norms = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
        units = rows / np.maximum(norms, 1e-7)
        return self.factor * float(np.abs(units @ units.T)[np.triu_indices(len(rows), 1)].mean())

    def options(self) -> dict[str, Any]:
        """Return this rule's options for the core, without its kind."""
        mode = choice(self.mode, "mode", "OrthogonalRegularizer", "rows", "columns")
        return {"factor": self.factor, "columns": mode == "columns"}

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> OrthogonalRegularizer:
        """Make the rule that `options` describes."""
        return cls(options["factor"], "columns" if options["columns"] else "rows")


# Keras's other names
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

REGULARIZERS: Rules[Regularizer] = Rules(
    "regularizer",
    Regularizer,  # type: ignore[type-abstract]  # asked for kinds alone
    [L1, L2, L1L2, OrthogonalRegularizer],
    aliases={"l1l2": "l1_l2"},
)


def get(identifier: Any) -> Regularizer | None:
    """Return the regularizer for a name, a class, an object or a configuration; None for None.

    Raises
    ------
    TypeError, ValueError
        For what is none of them, also a function or a class of one's own; for an unknown name,
        with the known ones.

    Examples
    --------
    >>> from lstmfast import regularizers
    >>> regularizers.get("l2")
    L2(l2=0.01)
    """
    if isinstance(identifier, str) and REGULARIZERS.find(identifier) is L1L2:
        return L1L2(0.01, 0.01)
    return REGULARIZERS.get_any(identifier)


def serialize(regularizer: Regularizer | None) -> dict[str, Any] | None:
    """Return the configuration from which `get` makes an equal regularizer.

    Examples
    --------
    >>> from lstmfast import regularizers
    >>> regularizers.serialize(regularizers.L2(0.1))
    {'class_name': 'L2', 'config': {'l2': 0.1}}
    """
    return REGULARIZERS.serialize(regularizer)


deserialize = get  # Keras's other name, for what `serialize` returned

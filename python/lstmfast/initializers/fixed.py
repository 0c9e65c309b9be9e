"""Initial weights that are not random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.initializers.base import Initializer


@dataclass(frozen=True)
class Zeros(Initializer):
    """All values 0.

    Examples
    --------
    >>> from lstmfast.initializers import Zeros
    >>> Zeros()((2,))
    array([0., 0.], dtype=float32)
    """

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Return zeros."""
        return np.zeros(shape, dtype)


@dataclass(frozen=True)
class Ones(Initializer):
    """All values 1.

    Examples
    --------
    >>> from lstmfast.initializers import Ones
    >>> Ones()((2,))
    array([1., 1.], dtype=float32)
    """

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Return ones."""
        return np.ones(shape, dtype)


@dataclass(frozen=True)
class Constant(Initializer):
    """All values `value`.

    Examples
    --------
    >>> from lstmfast.initializers import Constant
    >>> Constant(0.5)((2,))
    array([0.5, 0.5], dtype=float32)
    """

    value: float = 0.0

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Return the constant."""
        return np.full(shape, self.value, dtype)


@dataclass(frozen=True)
class Identity(Initializer):
    """`gain` on the diagonal of a matrix, 0 elsewhere; the matrix need not be square.

    Examples
    --------
    >>> from lstmfast.initializers import Identity
    >>> Identity(2)((2, 3))
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    gain: float = 1.0

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Return the matrix."""
        if len(shape) != 2:
            raise ValueError(f"[Identity] shape is {shape}; expected two axes")
        return (self.gain * np.eye(*shape)).astype(dtype)

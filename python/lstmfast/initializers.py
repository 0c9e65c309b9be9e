"""Initial weights, by Keras's definitions and names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._names import Registry
from lstmfast.utils import as_generator

__all__ = [
    "Constant",
    "GlorotUniform",
    "Initializer",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "Zeros",
    "get",
    "serialize",
]


class Initializer:
    """What makes an array from a shape.

    An initializer with a ``seed`` gives the same values at every call; one without takes them
    from the generator that it is handed.
    """

    def __call__(
        self,
        shape: tuple[int, ...],
        dtype: Any = "float32",
        rng: np.random.Generator | None = None,
    ) -> Array:
        """Return an array of that shape and dtype."""
        seed = getattr(self, "seed", None)
        generator = as_generator(rng if seed is None else seed)
        return np.ascontiguousarray(self.draw(tuple(shape), np.dtype(dtype), generator))

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Make the values; what a subclass defines."""
        raise NotImplementedError


def _uniform(
    rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    # drawn in float64, so that models of both dtypes start from the same weights
    return rng.uniform(low, high, shape).astype(dtype)


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
class RandomUniform(Initializer):
    """Uniform between `minval` and `maxval`.

    Examples
    --------
    >>> from lstmfast.initializers import RandomUniform
    >>> values = RandomUniform(-1, 1, seed=0)((100,))
    >>> bool((abs(values) <= 1).all())
    True
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        return _uniform(rng, self.minval, self.maxval, shape, dtype)


@dataclass(frozen=True)
class RandomNormal(Initializer):
    """Normal with that mean and standard deviation.

    Examples
    --------
    >>> from lstmfast.initializers import RandomNormal
    >>> RandomNormal(seed=0)((2, 3)).shape
    (2, 3)
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        return rng.normal(self.mean, self.stddev, shape).astype(dtype)


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    """Uniform within ± sqrt(6 / (fan_in + fan_out)); for a matrix the fans are its two sizes.

    Examples
    --------
    >>> from lstmfast.initializers import GlorotUniform
    >>> values = GlorotUniform(seed=0)((2, 4))
    >>> bool((abs(values) <= 1).all())
    True
    """

    seed: int | None = None

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        if len(shape) < 2:
            fan_in = fan_out = shape[0] if shape else 1
        else:
            field = math.prod(shape[:-2])
            fan_in, fan_out = field * shape[-2], field * shape[-1]
        bound = math.sqrt(6.0 / max(1, fan_in + fan_out))
        return _uniform(rng, -bound, bound, shape, dtype)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """Orthonormal rows or columns, whichever are fewer, times `gain`.

    The Q of a QR decomposition of normal values, its columns' signs set by R's diagonal.

    Examples
    --------
    >>> from lstmfast.initializers import Orthogonal
    >>> q = Orthogonal(seed=0)((2, 8))
    >>> bool(abs(q @ q.T - [[1, 0], [0, 1]]).max() < 1e-6)
    True
    """

    gain: float = 1.0
    seed: int | None = None

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        if len(shape) < 2:
            raise ValueError(f"[Orthogonal] shape is {shape}; expected at least two axes")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q *= np.sign(np.diagonal(r))
        if rows < columns:
            q = q.T
        return (self.gain * q).reshape(shape).astype(dtype)


INITIALIZERS: Registry[Initializer] = Registry(
    "initializer",
    Initializer,
    [Zeros, Ones, Constant, RandomUniform, RandomNormal, GlorotUniform, Orthogonal],
    aliases={
        "zero": "zeros",
        "one": "ones",
        "uniform": "random_uniform",
        "normal": "random_normal",
    },
)


def get(identifier: Any) -> Initializer:
    """Return the initializer for a name, a class, an object or a configuration.

    Examples
    --------
    >>> from lstmfast import initializers
    >>> initializers.get("glorot_uniform")
    GlorotUniform(seed=None)
    """
    return INITIALIZERS.get(identifier)


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return the configuration from which `get` makes an equal initializer.

    Examples
    --------
    >>> from lstmfast import initializers
    >>> initializers.serialize(initializers.Orthogonal())
    {'class_name': 'Orthogonal', 'config': {'gain': 1.0, 'seed': None}}
    """
    return {"class_name": type(initializer).__name__, "config": dict(vars(initializer))}

"""Initial weights that are drawn, by Keras's definitions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import choice, string
from lstmfast._core import draw_orthonormal_rows
from lstmfast.initializers.base import Initializer
from lstmfast.utils import Seed

# the standard deviation of a standard normal truncated at ± 2
TRUNCATED_STD = 0.87962566103423978

# how VarianceScaling's options may be written, and what is meant
MODES = {name: name for name in ("fan_in", "fan_out", "fan_avg")}
DISTRIBUTIONS = {name: name for name in ("truncated_normal", "untruncated_normal", "uniform")}
DISTRIBUTIONS |= {"normal": "truncated_normal"}

# Values are drawn in float64, so that models of both dtypes start from the same weights; but
# Orthogonal computes in the dtype that is asked for.


def _truncated(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw standard normal values between -2 and 2: values outside are drawn again."""
    values = rng.standard_normal(shape)
    outside = np.abs(values) > 2.0
    while outside.any():
        values[outside] = rng.standard_normal(np.count_nonzero(outside))
        outside = np.abs(values) > 2.0
    return values


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
    seed: Seed = None

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        return rng.uniform(self.minval, self.maxval, shape).astype(dtype)


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
    seed: Seed = None

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        if self.stddev < 0.0:
            raise ValueError(f"[{type(self).__name__}] stddev is {self.stddev}; expected 0 or more")

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        return rng.normal(self.mean, self.stddev, shape).astype(dtype)


class TruncatedNormal(RandomNormal):
    """Normal, but values more than 2 standard deviations from the mean are drawn again.

    `stddev` is that of the normal before truncation; that of the values is 0.88 times it.

    Examples
    --------
    >>> from lstmfast.initializers import TruncatedNormal
    >>> values = TruncatedNormal(stddev=0.5, seed=0)((1000,))
    >>> bool((abs(values) <= 1).all())
    True
    """

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        return (self.mean + self.stddev * _truncated(rng, shape)).astype(dtype)


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """Values of mean 0 and variance `scale` / n, whatever the distribution.

    n is `fan_in` (the rows of a matrix), `fan_out` (its columns) or their mean, `fan_avg`, and at
    least 1.

    Parameters
    ----------
    scale : float
        More than 0.
    mode : {"fan_in", "fan_out", "fan_avg"}
        What n is.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        ``"normal"`` is ``"truncated_normal"``: truncated at 2 standard deviations, so that the
        truncated values have the variance.
    seed : int or numpy.random.Generator, optional
        For the same values at every call.
    input_axes, output_axes : sequence of int, optional
        The axes of the two fans, where they are not the last two.

    Examples
    --------
    >>> from lstmfast.initializers import VarianceScaling
    >>> values = VarianceScaling(2.0, "fan_out", "uniform", seed=0)((50, 600))
    >>> bool(abs(values).max() <= 0.1)
    True
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: Seed = None
    input_axes: Any = field(default=None, repr=False)
    output_axes: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        if self.scale <= 0.0:
            raise ValueError(f"[VarianceScaling] scale is {self.scale}; expected more than 0")
        for name, known in (("mode", MODES), ("distribution", DISTRIBUTIONS)):
            value = string(getattr(self, name), name, "VarianceScaling").lower()
            meant = known[choice(value, name, "VarianceScaling", *known)]
            object.__setattr__(self, name, meant)

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        fan_in, fan_out = _fans(shape, self.input_axes, self.output_axes)
        fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, fans[self.mode])
        if self.distribution == "uniform":
            bound = math.sqrt(3.0 * variance)
            return rng.uniform(-bound, bound, shape).astype(dtype)
        if self.distribution == "untruncated_normal":
            return rng.normal(0.0, math.sqrt(variance), shape).astype(dtype)
        return (math.sqrt(variance) / TRUNCATED_STD * _truncated(rng, shape)).astype(dtype)


def _fans(shape: tuple[int, ...], input_axes: Any, output_axes: Any) -> tuple[int, int]:
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[a] for a in input_axes), math.prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    field_size = math.prod(shape[:-2])
    return field_size * shape[-2], field_size * shape[-1]


@dataclass(frozen=True)
class Scaled(Initializer):
    """A `VarianceScaling` with fixed scale, mode and distribution."""

    law: ClassVar[tuple[float, str, str]]  # scale, mode, distribution

    seed: Seed = None
    input_axes: Any = field(default=None, repr=False)
    output_axes: Any = field(default=None, repr=False)

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        scaling = VarianceScaling(*self.law, None, self.input_axes, self.output_axes)
        return scaling.draw(shape, dtype, rng)


class GlorotUniform(Scaled):
    """Uniform within ± sqrt(6 / (fan_in + fan_out)); for a matrix the fans are its two sizes.

    Examples
    --------
    >>> from lstmfast.initializers import GlorotUniform
    >>> values = GlorotUniform(seed=0)((2, 4))
    >>> bool((abs(values) <= 1).all())
    True
    """

    law = (1.0, "fan_avg", "uniform")


class GlorotNormal(Scaled):
    """Truncated normal with variance 2 / (fan_in + fan_out).

    Examples
    --------
    >>> from lstmfast.initializers import GlorotNormal
    >>> round(float(GlorotNormal(seed=0)((100, 100)).std()), 2)
    0.1
    """

    law = (1.0, "fan_avg", "truncated_normal")


class HeUniform(Scaled):
    """Uniform within ± sqrt(6 / fan_in): for relu.

    Examples
    --------
    >>> from lstmfast.initializers import HeUniform
    >>> bool(abs(HeUniform(seed=0)((6, 100))).max() <= 1)
    True
    """

    law = (2.0, "fan_in", "uniform")


class HeNormal(Scaled):
    """Truncated normal with variance 2 / fan_in: for relu.

    Examples
    --------
    >>> from lstmfast.initializers import HeNormal
    >>> round(float(HeNormal(seed=0)((200, 100)).std()), 2)
    0.1
    """

    law = (2.0, "fan_in", "truncated_normal")


class LecunUniform(Scaled):
    """Uniform within ± sqrt(3 / fan_in).

    Examples
    --------
    >>> from lstmfast.initializers import LecunUniform
    >>> bool(abs(LecunUniform(seed=0)((3, 100))).max() <= 1)
    True
    """

    law = (1.0, "fan_in", "uniform")


class LecunNormal(Scaled):
    """Truncated normal with variance 1 / fan_in.

    Examples
    --------
    >>> from lstmfast.initializers import LecunNormal
    >>> round(float(LecunNormal(seed=0)((100, 100)).std()), 2)
    0.1
    """

    law = (1.0, "fan_in", "truncated_normal")


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """Orthonormal rows or columns, whichever are fewer, times `gain`.

    Normal values made orthonormal in the core, in the dtype that is asked for; every such matrix
    is equally likely, as with the Q of a QR decomposition whose R has a positive diagonal.

    Examples
    --------
    >>> from lstmfast.initializers import Orthogonal
    >>> q = Orthogonal(seed=0)((2, 8))
    >>> bool(abs(q @ q.T - [[1, 0], [0, 1]]).max() < 1e-6)
    True
    """

    gain: float = 1.0
    seed: Seed = None

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        if len(shape) < 2:
            raise ValueError(f"[Orthogonal] shape is {shape}; expected at least two axes")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        seed = int(rng.integers(1 << 63))
        fewer, more = sorted((rows, columns))
        name = "float64" if dtype == np.float64 else "float32"
        q = draw_orthonormal_rows(fewer, more, seed, name)
        if rows > columns:
            q = q.T
        if self.gain != 1.0:
            q = q * q.dtype.type(self.gain)
        return q.reshape(shape).astype(dtype, copy=False)

"""The base class of initializers, and those that are not random."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._arrays import Array, as_array, as_float, described, expect, wrong_shape
from lstmfast._checks import items, number
from lstmfast.utils import as_generator


class Initializer:
    """A rule that makes an array from a shape.

    An initializer with a ``seed`` gives the same values at every call; one without takes them from
    the generator that it is given.
    """

    def __post_init__(self) -> None:
        """Check the options of a dataclass: numbers are finite, a seed is one."""
        where = type(self).__name__
        for option in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, option.name)
            if option.name == "seed" and value is not None:
                as_generator(value, where)
                if not isinstance(value, np.random.Generator):
                    object.__setattr__(self, "seed", operator.index(value))
            elif isinstance(option.default, float):
                value = number(value, option.name, where)
                if not math.isfinite(value):
                    raise ValueError(
                        f"[{where}] {option.name} is {value}; expected a finite number"
                    )
                object.__setattr__(self, option.name, value)  # the classes are frozen

    def __call__(
        self,
        shape: tuple[int, ...],
        dtype: Any = "float32",
        rng: np.random.Generator | None = None,
    ) -> Array:
        """Return an array of that shape and dtype."""
        seed = getattr(self, "seed", None)
        generator = as_generator(rng if seed is None else seed)
        kind = np.dtype("float32" if dtype is None else dtype)
        sizes = items(shape, "shape", type(self).__name__, "a tuple of sizes")
        return np.ascontiguousarray(self.draw(tuple(sizes), kind, generator))

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Make the values; a subclass defines this."""
        raise NotImplementedError(
            f"[{type(self).__name__}] has no draw; expected it in a class derived from Initializer"
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Initializer:
        """Make an initializer from what `get_config` returned."""
        return cls(**config)


@dataclass(frozen=True, eq=False)
class Given(Initializer):
    """A function of shape and dtype, or an array, as an initializer."""

    source: Any

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Return the function's result or the array, after a check of its shape."""
        call: Callable[..., Any] | None = self.source if callable(self.source) else None
        values = self.source if call is None else call(shape, dtype.name)
        what = "array" if call is None else getattr(call, "__name__", type(call).__name__)
        array = as_float(values, dtype, "initializer", what)
        if array.shape != shape:
            raise wrong_shape("initializer", what, array.shape, shape)
        return np.array(array, order="C")  # the function may keep its own


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


@dataclass(frozen=True, eq=False)
class Constant(Initializer):
    """All values `value`, or those of an array, stretched to the weight's shape as NumPy does.

    Parameters
    ----------
    value : float or array_like
        The number, or the numbers: ``Embedding(..., embeddings_initializer=Constant(matrix))``.

    Examples
    --------
    >>> from lstmfast.initializers import Constant
    >>> Constant(0.5)((2,))
    array([0.5, 0.5], dtype=float32)
    >>> Constant([1, 2])((2, 2)).tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """

    value: Any = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        given = self.value
        if isinstance(given, list | tuple) or getattr(given, "ndim", 0) > 0:
            array = np.array(as_array(given, "Constant", "value"))
            expect(np.isfinite(array), array, "Constant", "value", "a finite number")
            return object.__setattr__(self, "value", array)
        return super().__post_init__()

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Return the constant."""
        try:
            return np.full(shape, self.value, dtype)
        except ValueError:
            given = np.shape(self.value)
            raise wrong_shape("Constant", "value", given, f"one that fits {shape}") from None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's argument; an array in the form of Keras's files."""
        return {"value": described(self.value) if np.ndim(self.value) else self.value}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Constant:
        """Make an initializer from what `get_config` returned."""
        value = config.get("value", 0.0)
        if isinstance(value, Mapping):
            value = np.array(value["config"]["value"], value["config"]["dtype"])
        return cls(value)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and np.array_equal(self.value, other.value)

    def __hash__(self) -> int:
        return hash(np.asarray(self.value).tobytes())


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

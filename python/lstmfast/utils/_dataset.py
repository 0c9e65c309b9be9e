"""A data set that is read from its beginning in each pass, with the methods of tf.data's."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import count, flag, integer, wrong_kind


class _Item(np.ndarray):
    """An array with the method of TensorFlow's tensors."""

    def numpy(self) -> Array:
        """Return the plain array."""
        return np.asarray(self)


def mapped(function: Callable[[Any], Any], element: Any) -> Any:
    """Return an element, an array or tuples and dictionaries of arrays, with all arrays mapped."""
    if isinstance(element, Mapping):
        return {key: mapped(function, value) for key, value in element.items()}
    if isinstance(element, tuple):
        return tuple(mapped(function, value) for value in element)
    return None if element is None else function(element)


def _leaves(element: Any) -> list[Any]:
    found: list[Any] = []
    mapped(found.append, element)
    return found


def _row(element: Any, k: int) -> Any:
    return mapped(lambda array: array[k], element)


def _check_function(value: Any, name: str, where: str) -> None:
    if not callable(value):
        raise wrong_kind(where, name, value, "a function")


def _stacked(elements: list[Any]) -> Any:
    first = elements[0]
    if isinstance(first, Mapping):
        return {key: _stacked([each[key] for each in elements]) for key in first}
    if isinstance(first, tuple):
        return tuple(map(_stacked, map(list, zip(*elements, strict=True))))
    return np.stack(list(map(np.asarray, elements)))


class Dataset:
    """Elements, one after the other, from the beginning in each pass.

    An element is an array, which has a method ``numpy()``, or a tuple or dictionary of these.
    `fit`, `evaluate` and `predict` take data sets whose elements are batches: (x, y),
    (x, y, weights), or x alone.

    Parameters
    ----------
    elements : callable
        Returns an iterator over the elements, from the first one, at each call.
    length : int, optional
        How many elements there are, where that is known; `math.inf`: there is no end.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.utils import Dataset
    >>> data = Dataset.from_tensor_slices((np.arange(4), np.arange(4) ** 2))
    >>> for x, y in data.map(lambda x, y: (x + 1, y)).batch(3):
    ...     print(x.numpy(), y.numpy())
    [1 2 3] [0 1 4]
    [4] [9]
    """

    def __init__(self, elements: Callable[[], Iterator[Any]], length: float | None = None) -> None:
        self._elements = elements
        self._length = length

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Dataset:
        """Return a data set of the rows of arrays, which may stand in tuples and dictionaries."""
        where = "Dataset.from_tensor_slices"
        arrays = mapped(np.asarray, tensors)
        lengths = {len(array) if array.ndim else None for array in _leaves(arrays)}
        if len(lengths) != 1 or None in lengths:
            raise ValueError(
                f"[{where}] the arrays have {sorted(map(str, lengths))} rows; expected as many in "
                "each"
            )
        total = lengths.pop() or 0
        return cls(lambda: (_row(arrays, k) for k in range(total)), total)

    @classmethod
    def from_generator(cls, generator: Callable[[], Iterable[Any]], **_: Any) -> Dataset:
        """Return a data set of what a function's generator yields; signatures are not needed."""
        _check_function(generator, "generator", "Dataset.from_generator")
        return cls(lambda: iter(generator()))

    def __iter__(self) -> Iterator[Any]:
        for element in self._elements():
            yield mapped(lambda value: np.asarray(value).view(_Item), element)

    def __len__(self) -> int:
        if self._length is None or self._length == math.inf:
            what = "not known" if self._length is None else "infinite"
            raise TypeError(f"[Dataset] the number of elements is {what}")
        return int(self._length)

    def cardinality(self) -> int:
        """Return the number of elements; -1: infinite, -2: not known."""
        if self._length is None:
            return -2
        return -1 if self._length == math.inf else int(self._length)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return an iterator over the elements as plain arrays."""
        return (mapped(np.asarray, element) for element in self._elements())

    def take(self, count: int) -> Dataset:
        """Return a data set of the first elements; -1: of all."""
        most = _number(count, "count", "Dataset.take")
        length = None if self._length is None else min(most, self._length)
        return self._next(lambda: _first(self._elements(), most), length)

    def skip(self, count: int) -> Dataset:
        """Return a data set without the first elements; -1: without any element."""
        most = _number(count, "count", "Dataset.skip")
        length = None if self._length is None else max(0, self._length - most)
        if most == math.inf:
            return self._next(lambda: iter(()), 0)
        return self._next(lambda: itertools.islice(self._elements(), int(most), None), length)

    def batch(self, batch_size: int, drop_remainder: bool = False, **_: Any) -> Dataset:
        """Return a data set of so many elements, stacked, at a time."""
        size = count(batch_size, "batch_size", "Dataset.batch")
        drop = flag(drop_remainder, "drop_remainder", "Dataset.batch")

        def batches() -> Iterator[Any]:
            elements = self._elements()
            while some := list(itertools.islice(elements, size)):
                if len(some) == size or not drop:
                    yield _stacked(some)

        whole = self._length in (None, math.inf)
        length = self._length if whole else len(self) // size if drop else -(-len(self) // size)
        return self._next(batches, length)

    def unbatch(self) -> Dataset:
        """Return a data set of the rows of each element."""

        def rows() -> Iterator[Any]:
            for element in self._elements():
                for k in range(len(_leaves(element)[0])):
                    yield _row(element, k)

        return self._next(rows, None)

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = None,
        **_: Any,
    ) -> Dataset:
        """Return a data set in random order: each element is drawn from the next `buffer_size`."""
        size = count(buffer_size, "buffer_size", "Dataset.shuffle")
        start = None if seed is None else integer(seed, "seed", "Dataset.shuffle")
        if start is None:
            start = int(np.random.randint(2**31))  # noqa: NPY002  set_random_seed seeds it
        rng = np.random.default_rng(start)

        def shuffled() -> Iterator[Any]:
            own = rng if reshuffle_each_iteration in (None, True) else np.random.default_rng(start)
            elements = self._elements()
            waiting = list(itertools.islice(elements, size))
            while waiting:
                at = int(own.integers(len(waiting)))
                waiting[at], waiting[-1] = waiting[-1], waiting[at]
                yield waiting.pop()
                waiting += itertools.islice(elements, 1)

        return self._next(shuffled, self._length)

    def map(self, map_func: Callable[..., Any], *_: Any, **__: Any) -> Dataset:
        """Return a data set of what a function makes of each element, of the parts of a tuple."""
        _check_function(map_func, "map_func", "Dataset.map")

        def results() -> Iterator[Any]:
            for element in self:
                yield map_func(*element) if isinstance(element, tuple) else map_func(element)

        return self._next(results, self._length)

    def filter(self, predicate: Callable[..., Any], **_: Any) -> Dataset:
        """Return a data set of the elements for which a function returns something true."""
        _check_function(predicate, "predicate", "Dataset.filter")

        def kept() -> Iterator[Any]:
            for element in self:
                if predicate(*element) if isinstance(element, tuple) else predicate(element):
                    yield element

        return self._next(kept, None)

    def repeat(self, count: int | None = None) -> Dataset:
        """Return a data set that begins anew so many times; None or -1: without an end."""
        times = math.inf if count is None else _number(count, "count", "Dataset.repeat")

        def again() -> Iterator[Any]:
            for k in itertools.count():
                if k >= times:
                    return
                found = False
                for element in self._elements():
                    found = True
                    yield element
                if not found:
                    return

        known = self._length is not None and self._length > 0
        return self._next(again, self._length * times if known and self._length else self._length)

    def cache(self, *_: Any, **__: Any) -> Dataset:
        """Return a data set that keeps its elements in memory once a pass has read them all."""
        kept: list[Any] = []
        done = False

        def elements() -> Iterator[Any]:
            nonlocal done
            if done:
                yield from kept
                return
            found = []
            for element in self._elements():
                found.append(element)
                yield element
            kept[:], done = found, True

        return self._next(elements, self._length)

    def prefetch(self, buffer_size: int | None = None, **_: Any) -> Dataset:
        """Return the data set: elements are ready when they are asked for."""
        return self

    def _next(self, elements: Callable[[], Iterator[Any]], length: float | None) -> Dataset:
        return type(self)(elements, length)


def _number(value: Any, name: str, where: str) -> float:
    number = integer(value, name, where)
    return math.inf if number < 0 else number


def _first(elements: Iterator[Any], most: float) -> Iterator[Any]:
    return elements if most == math.inf else itertools.islice(elements, int(most))

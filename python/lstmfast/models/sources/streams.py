"""Adapters for iterators, for things that give an iterator, and for batches by number."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from lstmfast.models.sources.base import Batches


class Iterated(Batches):
    """A generator or another iterator, which is read once; or what gives a new iterator."""

    def __init__(self, data: Iterable[Any], where: str, steps: int | None, of_steps: str) -> None:
        super().__init__(where, steps)
        count = getattr(data, "cardinality", None)  # of TensorFlow's data sets and ours
        if steps is None and callable(count) and int(count()) == -1:
            raise _endless(where, of_steps)
        self.data = data
        self.renews = iter(data) is not data
        try:  # those of torch and TensorFlow know it, or raise
            self.length = len(data) if self.renews else None  # type: ignore[arg-type]
        except (TypeError, AttributeError, NotImplementedError):
            self.length = None

    def new_pass(self) -> Iterator[Any]:
        """Return an iterator over the batches of a pass."""
        return iter(self.data)


class Numbered(Batches):
    """Batches by number, as Keras's `PyDataset` and `Sequence` have them; shuffled as wholes."""

    uses_order = True

    def __init__(self, data: Any, where: str, steps: int | None, of_steps: str) -> None:
        super().__init__(where, steps)
        self.data = data
        known = getattr(data, "num_batches", None)
        self.length = len(data) if known is None and hasattr(data, "__len__") else known
        if self.length is None and steps is None:
            raise _endless(where, of_steps)

    def first(self) -> Any:
        """Return a batch like the first one, which stays."""
        return self.data[0] if self.length != 0 else super().first()

    def new_pass(self) -> Iterator[Any]:
        """Return an iterator over the batches of a pass."""
        numbers: Iterable[int] = itertools.count()
        if self.length is not None:
            order = self.order
            numbers = range(self.length) if order is None else map(int, order(self.length))
        workers = getattr(self.data, "workers", 0)
        processes = getattr(self.data, "use_multiprocessing", False)
        if workers > 1 or (workers and processes):
            waiting = max(workers, getattr(self.data, "max_queue_size", 0))
            return _ahead(self.data, numbers, workers, processes, waiting)
        return map(self.data.__getitem__, numbers)

    def begin(self) -> None:
        """Begin an epoch."""
        super().begin()
        _call(self.data, "on_epoch_begin")

    def end(self) -> None:
        """End an epoch."""
        _call(self.data, "on_epoch_end")


def _endless(where: str, of_steps: str) -> ValueError:
    return ValueError(f"[{where}] x is a data set without an end; expected {of_steps} next to it")


def _call(data: Any, hook: str) -> None:
    method: Callable[[], Any] | None = getattr(data, hook, None)
    if method is not None:
        method()


def _ahead(
    data: Any, numbers: Iterable[int], workers: int, processes: bool, waiting: int
) -> Iterator[Any]:
    """Yield batches in order, up to `waiting` of them made ahead by threads or processes."""
    pools: tuple[Callable[[int], Executor], ...] = (ThreadPoolExecutor, ProcessPoolExecutor)
    with pools[bool(processes)](workers) as pool:
        left = iter(numbers)
        begun: list[Future[Any]] = []
        try:
            while True:
                for number in itertools.islice(left, waiting - len(begun)):
                    begun.append(pool.submit(data.__getitem__, number))
                if not begun:
                    return
                yield begun.pop(0).result()
        finally:
            for future in begun:
                future.cancel()

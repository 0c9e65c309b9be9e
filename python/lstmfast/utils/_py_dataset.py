"""The class from which users derive data sets that are batches by number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as numbers
from typing import Any

from lstmfast._checks import count, flag


class PyDataset:
    """Batches by number, for `fit`, `evaluate` and `predict`; derive a class, as from Keras's.

    Parameters
    ----------
    workers : int
        How many threads make batches; with 1 the training itself does.
    use_multiprocessing : bool
        Have the workers be processes, to which the data set is pickled for each batch.
    max_queue_size : int
        How many batches may wait.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> from lstmfast.utils import PyDataset
    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, index):
    ...         x = np.full((4, 1), index)
    ...         return x, x**2
    >>> model = Sequential([Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> run = model.fit(Squares(), epochs=2, verbose=0)
    >>> run.params["steps"]
    3
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        where = type(self).__name__
        self.workers = count(workers, "workers", where, least=0)
        self.use_multiprocessing = flag(use_multiprocessing, "use_multiprocessing", where)
        self.max_queue_size = count(max_queue_size, "max_queue_size", where, least=0)

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None: any number, so that `steps_per_epoch` is needed."""
        return len(self) if hasattr(self, "__len__") else None

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"[{type(self).__name__}] expected a method __getitem__(index)")

    def __iter__(self) -> Iterator[Any]:
        known = self.num_batches
        for index in numbers() if known is None else range(known):
            yield self[index]

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of each epoch, before validation."""


Sequence = PyDataset
"""Keras's older name."""

"""Windows that slide over a series, as a data set of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array
from lstmfast._checks import count, flag, integer, wrong_kind
from lstmfast.utils._dataset import Dataset


def timeseries_dataset_from_array(
    data: ArrayLike,
    targets: ArrayLike,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Return a data set of batches of windows over a series.

    Window k has the steps ``start_index + k * sequence_stride + sampling_rate * i`` for i from 0 to
    below `sequence_length`; its target is that of its first step.

    Parameters
    ----------
    data : array_like
        (steps, ...): the series.
    targets : array_like, optional
        (steps, ...): the target of the window that begins at each step; None: there are none, and
        the data set has windows alone.
    sequence_length, sequence_stride, sampling_rate : int
        Steps of a window, steps from window to window, and from step to step in a window.
    batch_size : int, optional
        Windows in a batch; None: the data set has single windows.
    shuffle : bool
        Take the windows in a new order in each pass.
    seed : int, optional
        Of this order; by default from NumPy's global generator, as in Keras.
    start_index, end_index : int, optional
        The first step to use, and the one after the last.
    format : {"tf", "grain"}
        Accepted for Keras's sake.

    Returns
    -------
    Dataset
        Of windows (batch, sequence_length, ...), or of pairs (windows, targets).

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.utils import timeseries_dataset_from_array
    >>> series = np.arange(10)
    >>> windows = timeseries_dataset_from_array(series[:-3], series[3:], 3, batch_size=4)
    >>> for x, y in windows.take(1):
    ...     print(x.numpy(), y.numpy())
    [[0 1 2]
     [1 2 3]
     [2 3 4]
     [3 4 5]] [3 4 5 6]
    """
    where = "timeseries_dataset_from_array"
    series = as_array(data, where, "data")
    if not series.ndim:
        raise wrong_kind(where, "data", data, "an array whose first axis counts steps")
    values = None if targets is None else as_array(targets, where, "targets")
    length = count(sequence_length, "sequence_length", where)
    stride = count(sequence_stride, "sequence_stride", where)
    rate = count(sampling_rate, "sampling_rate", where)
    size = None if batch_size is None else count(batch_size, "batch_size", where)
    random = flag(shuffle, "shuffle", where)
    if format not in ("tf", "grain"):
        raise ValueError(f"[{where}] format is {format!r}; expected 'tf' or 'grain'")
    steps = len(series)
    for name, value in (("sampling_rate", rate), ("sequence_stride", stride)):
        if value >= steps:
            raise ValueError(f"[{where}] {name} is {value}; expected below {steps}, data's length")
    first = integer(start_index or 0, "start_index", where)
    end = integer(end_index or steps, "end_index", where)
    if not 0 <= first < steps or not first < end <= steps:
        raise ValueError(
            f"[{where}] start_index is {first} and end_index {end}; expected 0 <= start_index < "
            f"end_index <= {steps}, data's length"
        )
    windows = end - first - (length - 1) * rate
    if values is not None:
        windows = min(windows, len(values) - first)
    starts = np.arange(first, first + max(0, windows), stride)
    if random and seed is None:
        seed = int(np.random.randint(10**6))  # noqa: NPY002  as in Keras
    steps_of = np.arange(length) * rate
    rng = np.random.default_rng(seed)

    def elements() -> Iterator[Any]:
        order = rng.permutation(starts) if random else starts
        for begin in range(0, len(order), size or 1):
            at = order[begin : begin + size] if size else order[begin]
            x: Array = series[at[..., None] + steps_of]
            yield x if values is None else (x, values[at])

    return Dataset(elements, -(-len(starts) // (size or 1)))

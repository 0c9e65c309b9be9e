"""Windows over a series, padded sequences, pairs of words."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import count, flag, integer
from lstmfast.utils import PyDataset, pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


class TimeseriesGenerator(PyDataset):
    """Batches of windows over a series, each with the target of the step after its last one.

    The window that ends before step t has the steps ``t - length, t - length + sampling_rate, ...``
    below t, and the target ``targets[t]``.

    Parameters
    ----------
    data, targets : array_like
        (steps, ...): the series, and the target of each step.
    length : int
        Steps that a window spans.
    sampling_rate, stride : int
        From step to step in a window, and from window to window.
    start_index, end_index : int
        The first step to use, and the last target; by default the last step.
    shuffle : bool
        Draw the windows of each batch at random, with NumPy's global generator.
    reverse : bool
        Reverse the steps of each window.
    batch_size : int
        Windows in a batch.
    **kwargs
        Arguments of `lstmfast.utils.PyDataset`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.preprocessing.sequence import TimeseriesGenerator
    >>> series = np.arange(6)
    >>> windows = TimeseriesGenerator(series, series, length=3, batch_size=2)
    >>> x, y = windows[0]
    >>> x.tolist(), y.tolist(), len(windows)
    ([[0, 1, 2], [1, 2, 3]], [3, 4], 2)
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        where = "TimeseriesGenerator"
        if len(data) != len(targets):
            raise ValueError(
                f"[{where}] targets has {len(targets)} steps; expected {len(data)}, as data has"
            )
        self.data, self.targets = data, targets
        self.length = count(length, "length", where)
        self.sampling_rate = count(sampling_rate, "sampling_rate", where)
        self.stride = count(stride, "stride", where)
        self.start_index = integer(start_index, "start_index", where) + self.length
        last = len(data) - 1 if end_index is None else end_index
        self.end_index = integer(last, "end_index", where)
        self.shuffle = flag(shuffle, "shuffle", where)
        self.reverse = flag(reverse, "reverse", where)
        self.batch_size = count(batch_size, "batch_size", where)
        if self.start_index > self.end_index:
            raise ValueError(
                f"[{where}] start_index + length is {self.start_index}; expected at most "
                f"end_index={self.end_index}, so that a window has a target"
            )

    def __len__(self) -> int:
        each = self.batch_size * self.stride
        return (self.end_index - self.start_index + each) // each

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        if self.shuffle:
            ends = np.random.randint(  # noqa: NPY002  as in Keras
                self.start_index, self.end_index + 1, size=self.batch_size
            )
        else:
            each = self.batch_size * self.stride
            first = self.start_index + each * index
            ends = np.arange(first, min(first + each, self.end_index + 1), self.stride)
        steps = np.arange(-self.length, 0, self.sampling_rate)
        if self.reverse:
            steps = steps[::-1]
        return _rows(self.data, ends[:, None] + steps), _rows(self.targets, ends)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, with data and targets as JSON."""
        names = ("sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse")
        return {
            "data": json.dumps(np.asarray(self.data).tolist()),
            "targets": json.dumps(np.asarray(self.targets).tolist()),
            "length": self.length,
            **{name: getattr(self, name) for name in (*names, "batch_size")},
        }

    def to_json(self, **kwargs: Any) -> str:
        """Return class and configuration as JSON, by the options of `json.dumps`."""
        return json.dumps(
            {"class_name": "TimeseriesGenerator", "config": self.get_config()}, **kwargs
        )


def _rows(values: Any, at: Array) -> Array:
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    return np.asarray(array[at])


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> Array:
    """Return the probability with which the word of each rank is sampled.

    By word2vec's rule p = min(1, sqrt(f / s) / (f / s)) for a word of frequency f and the factor s,
    with frequencies by Zipf's law (Mikolov et al., arXiv:1310.4546).

    Examples
    --------
    >>> from lstmfast.preprocessing.sequence import make_sampling_table
    >>> make_sampling_table(3).round(5).tolist()
    [0.00315, 0.00315, 0.00548]
    """
    rank = np.arange(count(size, "size", "make_sampling_table"), dtype=np.float64)
    rank[0] = 1.0
    # the sum of 1 / k for k up to the rank, by its asymptotic series with Euler's constant
    rarity = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    return np.asarray(np.minimum(1.0, np.sqrt(sampling_factor * rarity)))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Return pairs of words: those near each other with label 1, random ones with label 0.

    Parameters
    ----------
    sequence : list of int
        Words by number; 0 is no word.
    vocabulary_size : int
        One more than the largest number.
    window_size : int
        The largest distance.
    negative_samples : float
        Random pairs for each pair of the text.
    shuffle : bool
        Return them in random order.
    categorical : bool
        Return labels as ``[0, 1]`` and ``[1, 0]``.
    sampling_table : array_like, optional
        The probability of each word to begin pairs, see `make_sampling_table`.
    seed : int, optional
        Of the order; random pairs are drawn from Python's global generator.

    Examples
    --------
    >>> from lstmfast.preprocessing.sequence import skipgrams
    >>> skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])
    """
    pairs: list[list[int]] = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        near = range(max(0, place - window_size), min(len(sequence), place + window_size + 1))
        pairs += [[word, sequence[k]] for k in near if k != place and sequence[k]]
    yes, no = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [yes] * len(pairs)
    words = [word for word, _ in pairs]
    wanted = int(len(pairs) * negative_samples)
    if wanted:
        random.shuffle(words)
        pairs += [
            [words[k % len(words)], random.randint(1, vocabulary_size - 1)] for k in range(wanted)
        ]
        labels += [no] * wanted
    if shuffle:
        start = math.floor(random.random() * 10**7) if seed is None else seed
        for each in (pairs, labels):
            random.Random(start).shuffle(each)
    return pairs, labels

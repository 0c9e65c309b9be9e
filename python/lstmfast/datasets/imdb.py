"""Reviews of films as lists of words by number, with labels: positive or negative."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.datasets import _files

__all__ = ["get_word_index", "load_data"]


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return 25,000 reviews to train with and 25,000 to test with (Maas et al., 2011).

    Parameters
    ----------
    path : str
        The file's name in the cache, or the path of the file.
    num_words, skip_top : int
        Keep words by their rank: those below `num_words`, without the `skip_top` most frequent.
    maxlen : int, optional
        Keep reviews that are shorter than this.
    seed : int
        Of the order of the reviews.
    start_char : int, optional
        What each review begins with.
    oov_char : int, optional
        What stands for words that are not kept; None: they are left out.
    index_from : int
        Words count from here, so that lower numbers are free for such marks.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Arrays of lists of words, and labels: 1 is positive.

    Raises
    ------
    OSError
        Where the file is not there and cannot be downloaded.
    """
    digest = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
    found = _files.located(path, "imdb.npz", digest)
    arrays = _files.read_npz(found, "x_train", "y_train", "x_test", "y_test")
    texts: list[list[int]] = []
    parts: list[Any] = []
    for of_part, labels in _files.shuffled(seed, (arrays[0], arrays[1]), (arrays[2], arrays[3])):
        kept, labels = _files.shorter(
            _files.marked(of_part, start_char, index_from), labels, maxlen
        )
        texts += kept
        parts.append(labels)
    texts = _files.limited(texts, num_words, skip_top, oov_char)
    first = len(parts[0])
    train, test = _files.as_objects(texts[:first]), _files.as_objects(texts[first:])
    return (train, np.asarray(parts[0])), (test, np.asarray(parts[1]))


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Return the number of each word, from 1; reviews add `index_from` to it.

    Parameters
    ----------
    path : str
        The file's name in the cache, or the path of the file.
    """
    digest = "bfafd718b763782e994055a2d397834f"
    return _files.word_index(path, "imdb_word_index.json", digest)

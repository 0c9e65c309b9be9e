"""News as lists of words by number, with labels: one of 46 topics."""

from __future__ import annotations

import numpy as np

from lstmfast._arrays import Array
from lstmfast.datasets import _files

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves "
    "ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin "
    "strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange "
    "pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return 11,228 items of news, in a part to train with and one to test with.

    Parameters
    ----------
    path : str
        The file's name in the cache, or the path of the file.
    num_words, skip_top, maxlen, seed, start_char, oov_char, index_from
        As `lstmfast.datasets.imdb.load_data` takes them.
    test_split : float
        The share of the news to test with.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Arrays of lists of words, and labels from 0 to 45, see `get_label_names`.

    Raises
    ------
    OSError
        Where the file is not there and cannot be downloaded.
    """
    digest = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
    x, y = _files.read_npz(_files.located(path, "reuters.npz", digest), "x", "y")
    ((texts, labels),) = _files.shuffled(seed, (x, y))
    kept, labels = _files.shorter(_files.marked(texts, start_char, index_from), labels, maxlen)
    kept = _files.limited(kept, num_words, skip_top, oov_char)
    first = int(len(kept) * (1 - test_split))
    train, test = _files.as_objects(kept[:first]), _files.as_objects(kept[first:])
    return (train, np.asarray(labels[:first])), (test, np.asarray(labels[first:]))


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Return the number of each word, from 1; news add `index_from` to it.

    Parameters
    ----------
    path : str
        The file's name in the cache, or the path of the file.
    """
    digest = "4d44cc38712099c9e383dc6e5f11a921"
    return _files.word_index(path, "reuters_word_index.json", digest)


def get_label_names() -> tuple[str, ...]:
    """Return the topics in the order of the labels.

    Examples
    --------
    >>> from lstmfast.datasets import reuters
    >>> reuters.get_label_names()[:3], len(reuters.get_label_names())
    (('cocoa', 'grain', 'veg-oil'), 46)
    """
    return tuple(_TOPICS.split())

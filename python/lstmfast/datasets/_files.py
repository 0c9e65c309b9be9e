"""Texts as lists of numbers: how their files are found and read, and what users ask of them."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.utils import get_file

_ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# arrays of lists are pickles: these rebuild them, and nothing else is run
_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


def located(path: str | os.PathLike[str], file: str, file_hash: str) -> str:
    """Return the path of a file: one that exists, else Keras's in the cache under that name."""
    if os.path.dirname(path) and os.path.isfile(path):
        return os.fspath(path)
    return get_file(os.fspath(path), _ADDRESS + file, file_hash=file_hash)


class _Arrays(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the file wants to run {module}.{name}")
        return super().find_class(module, name)


def read_npz(path: str, *names: str) -> list[Array]:
    """Return arrays of an npz file, those of Python's lists too."""
    found: list[Array] = []
    with zipfile.ZipFile(path) as archive:
        for name in names:
            with archive.open(f"{name}.npy") as file:
                version = np.lib.format.read_magic(file)
                dtype = _header(file, version)[2]
                if dtype.hasobject:
                    found.append(np.asarray(_Arrays(file).load()))
                    continue
            with archive.open(f"{name}.npy") as file:
                found.append(np.lib.format.read_array(file, allow_pickle=False))
    return found


def _header(file: Any, version: tuple[int, int]) -> Any:
    one = version == (1, 0)
    read = np.lib.format.read_array_header_1_0 if one else np.lib.format.read_array_header_2_0
    return read(file)


def shuffled(seed: int, *parts: tuple[Array, Array]) -> list[tuple[Array, Array]]:
    """Return pairs of texts and labels in Keras's random order."""
    rng = np.random.RandomState(seed)
    orders = [rng.permutation(len(texts)) for texts, _ in parts]
    return [
        (texts[order], labels[order]) for (texts, labels), order in zip(parts, orders, strict=True)
    ]


def marked(
    texts: Iterable[list[int]], start_char: int | None, index_from: int | None
) -> list[list[int]]:
    """Return texts that begin with the mark, their words counted from `index_from`."""
    above = index_from if start_char is not None or index_from else 0
    first = [] if start_char is None else [start_char]
    return [[*first, *(word + (above or 0) for word in text)] for text in texts]


def shorter(texts: list[list[int]], labels: Any, maxlen: int | None) -> tuple[list[list[int]], Any]:
    """Return those of the texts that are shorter than `maxlen`, with their labels."""
    if not maxlen:
        return texts, labels
    kept = [k for k, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(f"[load_data] maxlen is {maxlen}; expected more: no text is shorter")
    return [texts[k] for k in kept], np.asarray(labels)[kept]


def limited(
    texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> list[list[int]]:
    """Return texts of words below `num_words`, others replaced by `oov_char` or left out."""
    below = num_words or max(max(text) for text in texts)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < below] for text in texts]
    return [[word if skip_top <= word < below else oov_char for word in text] for text in texts]


def as_objects(texts: list[list[int]]) -> Array:
    """Return texts as an array of lists."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def word_index(path: str, file: str, file_hash: str) -> dict[str, int]:
    """Return the number of each word."""
    found = json.loads(Path(located(path, file, file_hash)).read_text(encoding="utf-8"))
    return dict(found)

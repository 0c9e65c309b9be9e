"""Paths of files to read and to write."""

from __future__ import annotations

import os
from typing import Any

from lstmfast._checks import wrong_kind

# Formats of other programs: our files must not have their names.
_FOREIGN_SUFFIXES = (".pt", ".pth", ".onnx", ".npz", ".pkl")
_KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")


def path_text(path: Any, where: str, name: str = "filepath") -> str:
    """Return a path as text; name: that of the argument."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise wrong_kind(where, name, path, "text or a path")
    if "\0" in text:
        raise ValueError(f"[{where}] {name} is {text!r}, which contains a NUL character")
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        raise ValueError(
            f"[{where}] {name} is {text!r}, whose character {error.start + 1} no file name can hold"
        ) from None
    return text


def is_of_keras(path: str) -> bool:
    """Return whether a file of that name has a format of Keras."""
    return path.lower().endswith(_KERAS_SUFFIXES)


def check_path(path: str | os.PathLike[str], where: str) -> str:
    """Return a path to write a model to as text; refuse the names of other formats."""
    text = path_text(path, where)
    if text.lower().endswith(_FOREIGN_SUFFIXES):
        raise ValueError(
            f"[{where}] filepath is {text!r}; models are saved as safetensors files, or as those "
            "of other programs: use a name that ends in .safetensors, .keras, .h5, .json or .nam"
        )
    return text

"""Names of model files."""

from __future__ import annotations

import os

# Formats of others. A file of ours under such a name would mislead people and programs.
_FOREIGN_SUFFIXES = (".keras", ".h5", ".hdf5", ".pt", ".pth", ".onnx", ".npz", ".pkl")


def check_path(path: str | os.PathLike[str], where: str) -> str:
    """Return a path to write a model to as text; refuse the names of other formats."""
    text = os.fspath(path)
    if not isinstance(text, str):
        raise TypeError(f"[{where}] filepath is of type bytes; expected text or a path")
    if text.lower().endswith(_FOREIGN_SUFFIXES):
        raise ValueError(
            f"[{where}] filepath is {text!r}; models are saved as safetensors files: use a name "
            "that ends in .safetensors"
        )
    return text

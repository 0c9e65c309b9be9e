"""Handwritten digits as images of 28 by 28 pixels."""

from __future__ import annotations

from lstmfast._arrays import Array
from lstmfast.datasets import _files

__all__ = ["load_data"]


def load_data(path: str = "mnist.npz") -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return 60,000 digits to train with and 10,000 to test with (LeCun and Cortes).

    Parameters
    ----------
    path : str
        The file's name in the cache, or the path of the file.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images (N, 28, 28) of uint8, from 0 to 255, and labels (N,) from 0 to 9.

    Raises
    ------
    OSError
        Where the file is not there and cannot be downloaded.
    """
    digest = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    found = _files.located(path, "mnist.npz", digest)
    x_train, y_train, x_test, y_test = _files.read_npz(
        found, "x_train", "y_train", "x_test", "y_test"
    )
    return (x_train, y_train), (x_test, y_test)

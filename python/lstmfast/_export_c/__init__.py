"""Trained models as C: a source and a header for firmware, plug-ins and other programs.

`model.py` reads a model as layers in a row; `lstm.py`, `units.py` and `feedforward.py` write each
of them, with what they share in `parts.py`; `helpers.c` has the functions that they call,
`source.py` makes the two files of it all, and `sizes.py` asks a compiler what they cost.

A layer that is exported is one function in its file and one line in ``KINDS`` of `model.py`; an
activation one function in `helpers.c`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lstmfast._checks import flag, string, wrong_kind
from lstmfast._core import __version__, write_file
from lstmfast._files import path_text

from . import sizes, source
from .model import read

if TYPE_CHECKING:
    from lstmfast.models import Model

__all__ = ["Exported", "export_c"]


@dataclass(frozen=True)
class Exported:
    """What `export_c` has written, and what it takes.

    Attributes
    ----------
    header, source : pathlib.Path
        The two files.
    weights : int
        Bytes of constants, in flash.
    state : int
        Bytes of what a stream carries, in RAM.
    products : int
        Multiply-adds of weights in a step.
    """

    header: Path
    source: Path
    weights: int
    state: int
    products: int

    def measure(self) -> sizes.Measured | None:
        """Return bytes of code and stack by a compiler, that for Cortex-M where it is installed.

        Returns
        -------
        Measured or None
            None without a compiler.
        """
        return sizes.measure(self.source, self.weights)


def export_c(
    model: Model,
    folder: str | os.PathLike[str],
    *,
    int8: bool = False,
    name: str = "model",
    overwrite: bool = False,
) -> Exported:
    """Write a model as C99, one step at a time: ``NAME.h`` and ``NAME.c``.

    The source needs no library but ``memcpy`` and its like, allocates nothing and has no globals
    that change; it compiles as C++ too. Built with ``-ffp-contract=off`` it gives the bits of
    ``LSTMFAST_ISA=baseline`` on every processor, where no value is denormal. `docs/export_c.md` has
    an example.

    Parameters
    ----------
    model : Model
        Layers in a row, in float32: LSTM, GRU, SimpleRNN, Dense, causal Conv1D, Embedding first,
        normalisations over features, activations; TimeDistributed of those without
        a state; layers that act in training alone.
    folder : str or path-like
        Where to write; it is made where it is missing.
    int8 : bool
        Whether kernels are int8 with a scale for each output, and what they are multiplied with is
        quantised at each step. Everything else stays float32.
    name : str
        Of the files, and the beginning of the names in C.
    overwrite : bool
        Whether files of that name are replaced.

    Returns
    -------
    Exported
        The files and what they take.

    Raises
    ------
    ValueError
        Where the model has something that cannot be exported; the message names the layer.
    FileExistsError
        Where there is such a file and `overwrite` is false.
    OSError
        Where the folder or a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from lstmfast import export_c
    >>> from lstmfast.layers import LSTM, Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([LSTM(16, input_shape=(None, 1)), Dense(1)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = export_c(model, folder, name="filter")
    >>> done.source.name, done.weights, done.state
    ('filter.c', 4676, 128)
    """
    from lstmfast.models import Model
    from lstmfast.models.saving import check_full_precision

    where = "export_c"
    if not isinstance(model, Model):
        raise wrong_kind(where, "model", model, "a Model")
    check_full_precision(model, where, "export the model that it was made of, with int8=True")
    if not re.fullmatch(r"[A-Za-z]\w*", string(name, "name", where), re.ASCII):
        raise ValueError(f"[{where}] name is {name!r}; expected letters, digits and _, as in C")
    place = Path(path_text(folder, where, "folder"))
    files = place / f"{name}.h", place / f"{name}.c"
    replace = flag(overwrite, "overwrite", where)
    row = read(model, flag(int8, "int8", where))
    texts = source.header(row, name, __version__), source.source(row, name)
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(f"[{where}] {place} is a file; expected a folder")
    for path in files:
        if path.exists() and not replace:
            raise FileExistsError(f"[{where}] {path} exists; pass overwrite=True to replace it")
    place.mkdir(parents=True, exist_ok=True)
    for path, text in zip(files, texts, strict=True):
        write_file(path, text.encode(), replace)
    return Exported(*files, source.weight_bytes(row), source.state_bytes(row), source.products(row))

"""The running core: its instruction set, its threads, how it was built."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Literal, overload

import numpy as np

import lstmfast._core as core
from lstmfast._checks import choice, count

__all__ = [
    "available_isas",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "isa",
    "set_num_threads",
    "show_config",
]


def isa() -> str:
    """Return the instruction set that the core uses.

    It is the best one that this processor has, or the one that the environment variable
    ``LSTMFAST_ISA`` names. The choice is made once in a process.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.isa() in lf.available_isas()
    True
    """
    return core.isa()


def available_isas() -> list[str]:
    """Return the instruction sets compiled in that this processor can run, the best last.

    Examples
    --------
    >>> import lstmfast as lf
    >>> len(lf.available_isas()) > 0
    True
    """
    return list(core.available_isas())


def set_num_threads(n: int) -> None:
    """Set how many threads a call may use.

    Outputs and input gradients have the same bits for any number. Small problems run on the
    caller's thread alone, for any number.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError
        If `n` is not an integer.
    ValueError
        If `n` is less than 1.

    Examples
    --------
    >>> import lstmfast as lf
    >>> before = lf.get_num_threads()
    >>> lf.set_num_threads(1)
    >>> lf.get_num_threads()
    1
    >>> lf.set_num_threads(before)
    """
    core.set_num_threads(count(n, "n", "set_num_threads"))


def get_num_threads() -> int:
    """Return how many threads a call may use.

    At first this is ``LSTMFAST_NUM_THREADS``, else ``OMP_NUM_THREADS`` (the first number of a
    list; ignored where it is none), else the physical cores
    within the processor affinity and the container's quota.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.get_num_threads() >= 1
    True
    """
    return core.get_num_threads()


def get_include() -> str:
    """Return the folder of the C and C++ headers, ``lstmfast/lstmfast.h`` and ``.hpp``.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.get_include().endswith("include")
    True
    """
    return str(_installed("include"))


def get_cmake_dir() -> str:
    """Return the folder of the CMake package: ``cmake -Dlstmfast_DIR=...``.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.get_cmake_dir().endswith("lstmfast")
    True
    """
    return str(_installed("lib/cmake/lstmfast"))


def _installed(name: str) -> Path:
    # next to the core, which an editable install keeps apart from the Python files
    return Path(core.__file__).parent / name


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dict"]) -> dict[str, str]: ...
def show_config(mode: str = "stdout") -> dict[str, str] | None:
    """Show versions, processor, instruction sets and threads: what a bug report needs.

    Parameters
    ----------
    mode : {"stdout", "dict"}
        Print the table, or return it.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.show_config("dict")["isa"] == lf.isa()
    True
    """
    choice(mode, "mode", "show_config", "stdout", "dict")
    table = {
        "lstmfast": core.__version__,
        "python": f"{platform.python_version()} ({platform.system()} {platform.machine()})",
        "numpy": np.__version__,
        **core.config(),
        "isa": isa(),
        "isas available": " ".join(available_isas()),
        "isas compiled": " ".join(core.compiled_isas()),
        "threads": str(get_num_threads()),
    }
    if mode == "dict":
        return table
    width = max(map(len, table))
    print("\n".join(f"{name:{width}}  {value}" for name, value in table.items()))
    return None

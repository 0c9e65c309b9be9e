"""One number of threads for all engines: the environment and CPUs of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping

# The variables from which libraries of NumPy and the rivals read their number of threads, once, at
# import.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LSTMFAST_NUM_THREADS",
    "NPROC",  # XLA's pool
)


def environment(threads: int, base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that measures with this many threads."""
    fixed = dict.fromkeys(_THREAD_VARIABLES, str(threads))
    return {**base, **fixed, "KERAS_BACKEND": "torch", "JAX_PLATFORMS": "cpu"}


def pin(threads: int) -> None:
    """Keep this process on as many CPUs as it has threads, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:threads])

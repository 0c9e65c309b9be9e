"""Random seeds: one generator for the package, one child of it for each object."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np

from lstmfast._checks import integer

Seed: TypeAlias = "int | np.random.Generator | None"
"""What every ``seed`` argument takes: an integer, a NumPy generator, or None."""

_package_generator = np.random.default_rng()


def set_random_seed(seed: int) -> None:
    """Seed the package's generator: initial weights, shuffling and dropout are then reproducible.

    As in Keras, this seeds `random` and NumPy's global generator too. Objects that were given a
    ``seed`` of their own do not depend on it.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1.

    Raises
    ------
    TypeError
        If `seed` is not an integer.
    ValueError
        If `seed` is out of range.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.utils.set_random_seed(1)
    >>> first = lf.LSTM(2, 3).state_dict()["weight_hh_l0"]
    >>> lf.utils.set_random_seed(1)
    >>> bool((lf.LSTM(2, 3).state_dict()["weight_hh_l0"] == first).all())
    True
    """
    global _package_generator
    value = integer(seed, "seed", "set_random_seed")
    if not 0 <= value < 2**32:
        raise ValueError(f"[set_random_seed] seed is {value}; expected 0 to 2**32 - 1")
    random.seed(value)
    np.random.seed(value)  # noqa: NPY002  Keras's set_random_seed does, and users rely on it
    _package_generator = np.random.default_rng(value)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let what is made here without a seed of its own follow from this one."""
    global _package_generator
    before = _package_generator
    _package_generator = np.random.default_rng(seed)
    try:
        yield
    finally:
        _package_generator = before


def as_generator(seed: Seed = None, where: str = "as_generator") -> np.random.Generator:
    """Return the generator for a ``seed`` argument.

    Parameters
    ----------
    seed : int, numpy.random.Generator or None
        An integer seeds a new generator; a generator is returned as it is; None draws the seed
        from the package's generator.
    where : str
        The name of the operation, for error messages.

    Examples
    --------
    >>> from lstmfast.utils import as_generator
    >>> int(as_generator(3).integers(10)) == int(as_generator(3).integers(10))
    True
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None:
        return np.random.default_rng(draw_seed(_package_generator))
    value = integer(seed, "seed", where, "an integer, a numpy.random.Generator or None")
    if value < 0:
        raise ValueError(f"[{where}] seed is {value}; expected 0 or more")
    return np.random.default_rng(value)


def draw_seed(rng: np.random.Generator) -> int:
    """Draw a seed of 63 bits, as the core takes it.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.utils import draw_seed
    >>> 0 <= draw_seed(np.random.default_rng(0)) < 2**63
    True
    """
    return int(rng.integers(2**63, dtype=np.uint64))

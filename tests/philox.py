"""The random numbers of masks, by the published generator, in NumPy.

Philox 4x32 with 10 rounds (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3,
SC 2011), and how numbers are named by it (docs/equations.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = 0x9E3779B9, 0xBB67AE85


def philox(counter: tuple[Any, ...], key: tuple[int, int]) -> list[Array]:
    """Return the four words of each counter, as uint64 below 2^32."""
    words = [np.asarray(word, np.uint64) for word in counter]
    for turn in range(10):
        k0, k1 = (np.uint64((k + turn * w) & int(LOW)) for k, w in zip(key, WEYL, strict=True))
        p0, p1 = MULTIPLIERS[0] * words[0], MULTIPLIERS[1] * words[2]
        words = [(p1 >> HALF) ^ words[1] ^ k0, p1 & LOW, (p0 >> HALF) ^ words[3] ^ k1, p0 & LOW]
    return words


def random_bits(seed: int, layer: int, kind: int, step: int, shape: tuple[int, ...]) -> Array:
    """Return the numbers of all rows and, where the shape has three axes, steps."""
    low = int(LOW)
    name = philox((layer, kind, step & low, step >> 32), (seed & low, seed >> 32))
    rows, *steps, width = shape
    row, time, place = np.ogrid[:rows, : (*steps, 1)[0], :width]
    words = philox((place // 4, 0, row, time), (int(name[0]), int(name[1])))
    return np.choose(place % 4, words).reshape(shape)

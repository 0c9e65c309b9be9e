"""The marked words of a text are to be written down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._measures import EXACT
from ._records import Part, Settings
from ._task import Task, option
from ._words import BLANK
from .text import sentences, words

_MARK = "*"


@dataclass(kw_only=True)
class Summary(Task):
    """Write down the words of a text that have a mark before them, in their order.

    Parameters
    ----------
    length : int
        Words of a text.
    most : int
        Up to so many of them are marked, one at least.
    """

    length: int = option(16)
    most: int = option(4)

    mode = "sequence to sequence"
    source = "Cheng and Lapata: Neural Summarization by Extracting Sentences and Words, 2016"
    settings = Settings(
        "encoder_decoder", units=64, epochs=20, learning_rate=0.01, samples=(3000, 200, 500),
        model={"attention": "luong", "mask_value": 0},
    )  # fmt: skip
    measure = EXACT
    target = 0.95
    labels = (BLANK, *words())
    vocabulary = (*labels, _MARK)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.most > self.length:
            raise ValueError(
                f"[summary] most is {self.most}; expected at most length={self.length}"
            )

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return texts with marks and their marked words; blanks fill them up on the right."""
        size = samples * self.length
        text = sentences(rng, 8 * size + 100).lower().replace(".", "").split()[:size]
        ids = np.searchsorted(self.labels, text).reshape(samples, -1)
        order = rng.random(ids.shape).argsort(axis=1)
        is_marked = order < rng.integers(1, self.most + 1, (samples, 1))
        count = is_marked.cumsum(axis=1)  # marks up to each word
        places = np.arange(self.length) + count
        x = np.zeros((samples, self.length + self.most), ids.dtype)
        y = np.zeros((samples, self.most), ids.dtype)
        np.put_along_axis(x, places, ids, axis=1)
        row, column = is_marked.nonzero()
        x[row, places[row, column] - 1] = len(self.labels)
        y[row, count[row, column] - 1] = ids[row, column]
        return Part(x, y)

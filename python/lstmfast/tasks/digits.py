"""Handwritten digits, read row by row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lstmfast._arrays import Array

from ._given import Given
from ._records import Part, Settings


@dataclass(kw_only=True)
class Digits(Given):
    """Recognise handwritten digits, whose images are read row by row.

    The 1,797 images of 8 x 8 pixels come with scikit-learn. Which of them train and which test
    follows from the seed.
    """

    mode = "many to one"
    source = "Alpaydin and Kaynak: Optical Recognition of Handwritten Digits, UCI, 1998"
    settings = Settings(units=64, epochs=20, learning_rate=0.02, samples=(1197, 200, 400))
    target = 0.95
    labels = tuple("0123456789")

    @cached_property
    def data(self) -> Part:  # type: ignore[override]
        """All images and their digits, in random order."""
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            text = "[digits] the images need scikit-learn: pip install scikit-learn"
            raise ImportError(text) from None
        found = load_digits()
        order = np.random.default_rng(self.seed).permutation(len(found.target))
        return Part(found.images[order].astype(np.float32) / 16, found.target[order])

    def show_x(self, x: Array) -> str:
        """Return the rows of an image, one below another, in three shades."""
        rows = ("".join(".+#"[int(pixel * 2.99)] for pixel in row) for row in x)
        return "".join(f"\n{row}" for row in rows)

"""Five numbers in equal steps in, the next one out."""

from __future__ import annotations

from dataclasses import dataclass

from ._counting import Counting
from ._task import option


@dataclass(kw_only=True)
class SequencePrediction(Counting):
    """Say the number after five in equal steps: 1 2 3 4 5 makes 6, and 2 5 8 11 14 makes 17.

    Parameters
    ----------
    longest : int
        The steps are 1 to this number.
    """

    longest: int = option(3)  # type: ignore[misc]

    mode = "many to one"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 1"
    steps_in, steps_out = 5, 1

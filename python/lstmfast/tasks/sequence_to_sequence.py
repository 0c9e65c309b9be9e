"""Five numbers in equal steps in, the next five out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ._counting import SETTINGS, Counting
from ._task import option


@dataclass(kw_only=True)
class SequenceToSequence(Counting):
    """Say the five numbers after five in equal steps: 1 2 3 4 5 makes 6 7 8 9 10.

    Parameters
    ----------
    longest : int
        The steps are 1 to this number.
    """

    longest: int = option(3)  # type: ignore[misc]

    mode = "sequence to sequence"
    source = "Brownlee: Long Short-Term Memory Networks With Python, 2017, chapter 1"
    settings = replace(SETTINGS, variant="encoder_decoder")
    steps_in, steps_out, answers_have_steps = 5, 5, True

"""A window slides over a counting series: three numbers in, the next one out."""

from __future__ import annotations

from dataclasses import dataclass

from ._counting import Counting


@dataclass(kw_only=True)
class NextNumber(Counting):
    """Say the number after each window of three numbers on a counting series: 7 8 9 makes 10."""

    mode = "many to one"
    source = "windows of the numbers 1 to 10, a usual first example of forecasting"
    steps_in, steps_out = 3, 1

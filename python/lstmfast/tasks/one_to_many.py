"""One number in, the two that follow it out."""

from __future__ import annotations

from dataclasses import dataclass

from ._counting import Counting


@dataclass(kw_only=True)
class OneToMany(Counting):
    """Say the two numbers that follow one number: 4 makes 5 6."""

    mode = "one to many"
    source = "one number in and several out, a usual first example of Keras's LSTM"
    steps_in, steps_out = 1, 2

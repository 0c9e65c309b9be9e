"""Three multiples of five in, the next three out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ._counting import SETTINGS, Counting


@dataclass(kw_only=True)
class ManyToMany(Counting):
    """Say the three multiples of five after three others: 5 10 15 makes 20 25 30."""

    mode = "many to many"
    source = "the next three multiples of five, a usual first example of Keras's RepeatVector"
    settings = replace(SETTINGS, variant="encoder_decoder")
    steps_in, steps_out, answers_have_steps = 3, 3, True
    multiple = 5

"""Small programs are to be executed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ._apart import Apart
from ._measures import EXACT
from ._records import Part, Settings
from ._task import option
from ._words import BLANK, ids_of

_NAMES = "abcdefgh"


def program(draws: Sequence[Sequence[int]], printed: int) -> tuple[str, int]:
    """Return a program and what it prints; a line's draws are a variable, a digit and a sign."""
    values = [draws[0][1]]
    text = f"a={values[0]};"
    for name, (other, digit, sign) in zip(_NAMES[1:], draws[1:], strict=False):
        text += f"{name}={_NAMES[other]}{'+-'[sign]}{digit};"
        values.append(values[other] + digit * (1, -1)[sign])
    return f"{text}print({_NAMES[printed]})", values[printed]


@dataclass(kw_only=True)
class Programs(Apart):
    """Execute small programs, read character by character: a=7;b=a-3;print(b) prints 4.

    Parameters
    ----------
    lines : int
        Assignments of a program: a digit first, then an earlier variable plus or minus a digit.
    """

    lines: int = option(3, least=2, most=len(_NAMES))

    mode = "sequence to sequence"
    source = "Zaremba and Sutskever: Learning to Execute, 2014"
    settings = Settings(
        "encoder_decoder", units=96, epochs=20, learning_rate=0.01, batch_size=32,
        samples=(12000, 200, 500), model={"attention": "luong", "mask_value": 0},
    )  # fmt: skip
    measure = EXACT
    target = 0.9
    labels = tuple(f"{BLANK}0123456789-")
    vocabulary = (*labels, *f"{_NAMES}+=;()print")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return programs and what they print; blanks fill texts up on the right."""
        highest = [[max(line, 1), 10, 2] for line in range(self.lines)]
        draws = rng.integers(0, highest, (samples, self.lines, 3)).tolist()
        drawn = [*map(program, draws, rng.integers(0, self.lines, samples).tolist())]
        x = ids_of([text for text, _ in drawn], self.vocabulary, 6 * self.lines + 6)
        return Part(x, ids_of([str(value) for _, value in drawn], self.labels, 3))

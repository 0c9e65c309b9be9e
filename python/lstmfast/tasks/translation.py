"""Numbers in English words are to be said in German ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._apart import Apart
from ._measures import EXACT
from ._records import Part, Settings
from ._task import option
from ._words import BLANK, ids_of

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
_ONES += " fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_EINS = "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn"
_EINS += " fünfzehn sechzehn siebzehn achtzehn neunzehn"
_ZEHN = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"


def english(number: int) -> str:
    """Return a number below a million in words: 342 is ``three hundred forty two``."""
    ones, tens = _ONES.split(), _TENS.split()
    if number >= 100:
        size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
        rest = english(number % size) if number % size else ""
        return f"{english(number // size)} {name} {rest}".strip()
    if number < 20:
        return ones[number]
    ten = tens[number // 10 - 2]
    return f"{ten} {ones[number % 10]}" if number % 10 else ten


def german(number: int, last: bool = True) -> str:
    """Return a number below a million in German, in parts.

    342 is ``drei hundert zwei und vierzig``; 1 is ``eins`` as the last word and else ``ein``.
    """
    ones, tens = _EINS.split(), _ZEHN.split()
    if number >= 100:
        size, name = (1000, "tausend") if number >= 1000 else (100, "hundert")
        rest = german(number % size, last) if number % size else ""
        return f"{german(number // size, last=False)} {name} {rest}".strip()
    if number < 20:
        return "eins" if last and number == 1 else ones[number]
    ten = tens[number // 10 - 2]
    return f"{ones[number % 10]} und {ten}" if number % 10 else ten


@dataclass(kw_only=True)
class Translation(Apart):
    """Translate numbers in words from English to German, where the ones stand before the tens.

    Parameters
    ----------
    largest : int
        Numbers are drawn from 0 to this one, less than a million.
    """

    largest: int = option(999_999, least=30, most=999_999)

    mode = "sequence to sequence"
    source = (
        "Bahdanau, Cho, Bengio: Neural Machine Translation by Jointly Learning to Align and "
        "Translate, 2015"
    )
    settings = Settings(
        "encoder_decoder", units=64, epochs=20, learning_rate=0.01, batch_size=32,
        samples=(2000, 200, 500), model={"attention": "luong", "mask_value": 0},
    )  # fmt: skip
    measure = EXACT
    target = 0.95
    vocabulary = (BLANK, *_ONES.split(), *_TENS.split(), "hundred", "thousand")
    labels = (BLANK, *_EINS.split(), *_ZEHN.split(), "hundert", "tausend", "eins", "und")

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return numbers in words of both languages, filled up with blanks on the right."""
        drawn = rng.integers(0, self.largest + 1, samples).tolist()
        x = ids_of([english(number).split() for number in drawn], self.vocabulary, 9)
        return Part(x, ids_of([german(number).split() for number in drawn], self.labels, 11))

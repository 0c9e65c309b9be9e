"""A text, character by character: one of a small grammar, or a file of the user's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._files import path_text
from lstmfast.callbacks import EarlyStopping, History
from lstmfast.forecasting.errors import DataError, counted
from lstmfast.forecasting.text_file import read_text

from ._generation import Generation, bits
from ._records import Part, Settings
from ._task import option

# Each word in capitals stands for one of its lines.
_GRAMMAR = {
    "SENTENCE": "the ONE DOES.|the MANY DO.|SOMETIMES the ONE DOES.|SOMETIMES the MANY DO.",
    "SOMETIMES": "today|in the evening|after the rain|when it is cold",
    "ONE": "BEING|QUALITY BEING|BEING that DOES|BEING THAT|BEING THAT",
    "MANY": "BEINGs|QUALITY BEINGs|BEINGs that DO|BEINGs THAT|BEINGs THAT",
    "THAT": "that the BEING ACTs|that the BEINGs ACT",
    "DOES": "STATEs PLACE|ACTs the THING|is QUALITY",
    "DO": "STATE PLACE|ACT the THING|are QUALITY",
    "THING": "BEING|BEINGs|QUALITY BEINGs|river|road to the hill|light of the moon",
    "BEING": "sailor|farmer|dog|bird|king|cat|horse|baker|girl|neighbour",
    "QUALITY": "old|young|tall|happy|quiet|clever|hungry",
    "ACT": "see|follow|hear|help|love|remember|know",
    "STATE": "sing|sleep|wait|run|laugh|walk",
    "PLACE": "in the garden|near the river|by the sea|on the hill|under the bridge",
}
_LETTERS = 100_000
_SHARES = (0.8, 0.9)  # where the text is cut


def sentences(rng: np.random.Generator, letters: int) -> str:
    """Return sentences of the grammar, so many letters of them."""
    lines = {name: text.split("|") for name, text in _GRAMMAR.items()}

    def filled(name: re.Match[str]) -> str:
        choices = lines[name[0]]
        return re.sub("[A-Z]{2,}", filled, choices[rng.integers(len(choices))])

    text = ""
    while len(text) < letters:
        text += re.sub("SENTENCE", filled, "SENTENCE").capitalize() + " "
    return text[:letters]


def words() -> list[str]:
    """Return all words of the sentences, in the order of the alphabet."""
    ends = [f"{word}s" for name in ("BEING", "ACT", "STATE") for word in _GRAMMAR[name].split("|")]
    return sorted({*re.findall(r"\b[a-z]+\b", " ".join(_GRAMMAR.values())), *ends})


@dataclass(kw_only=True)
class Text(Generation):
    """Say how likely each next character of a text is, and so write such texts.

    The first 80 % of the text train, the next 10 % validate and the last 10 % test.

    Parameters
    ----------
    file : Path, optional
        The text, UTF-8; by default English sentences of a small grammar.
    length : int
        Characters in each piece of it that the model reads.
    """

    file: Path | None = None
    length: int = option(64, least=2)

    source = "Karpathy, Johnson, Fei-Fei: Visualizing and Understanding Recurrent Networks, 2015"
    measure = bits("character")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.file is not None:
            self.file = Path(path_text(self.file, self.name))
            _ = self.text  # read now, so that a file that cannot be read is refused here

    @property
    def settings(self) -> Settings:  # type: ignore[override]
        """A small model for the grammar, a larger one for a file."""
        units, epochs, rate = (96, 10, 0.01) if self.file is None else (128, 15, 0.005)
        return Settings(
            "generative", units, epochs, rate, samples=(1200, 150, 150), model={"embedding": 24}
        )

    @property
    def target(self) -> float:  # type: ignore[override]
        """Twice the 0.4 bits of the grammar; of a file 80 % of those of single characters."""
        return 0.8 if self.file is None else 0.8 * self.chance

    @cached_property
    def text(self) -> str:
        """The whole text."""
        if self.file is None:
            return sentences(np.random.default_rng(self.seed), _LETTERS)
        text = read_text(self.file)
        least = 10 * (self.length + 1)  # the last tenth is a piece and the character after it
        if not text.strip():
            raise DataError(f"{self.file}: the file is empty")
        if len(text) < least:
            expected = f"at least {least} with length={self.length}"
            found = counted(len(text), "character")
            raise DataError(f"{self.file}: {found}; expected {expected}")
        return text

    @cached_property
    def vocabulary(self) -> Sequence[str]:  # type: ignore[override]
        """The characters of the text."""
        return sorted(set(self.text))

    @property
    def labels(self) -> Sequence[str]:  # type: ignore[override]
        """The characters."""
        return self.vocabulary

    @cached_property
    def stretches(self) -> list[Array]:
        """The ids of the characters of each part of the text."""
        codes = np.frombuffer(self.text.encode("utf-32-le"), "<u4")
        ids = np.unique(codes, return_inverse=True)[1].astype(np.int32)
        return np.split(ids, [int(share * ids.size) for share in _SHARES])

    def fit(
        self, model: Any, epochs: int | None = None, callbacks: Sequence[Any] = (), verbose: int = 0
    ) -> History:
        """Train; with a file stop before the model learns the training part by heart."""
        own = [] if self.file is None else [EarlyStopping(patience=3, restore_best_weights=True)]
        return super().fit(model, epochs, [*callbacks, *own], verbose)

    def show_x(self, x: Array) -> str:
        """Return a piece of the text; an arrow stands for the end of a line."""
        return "".join(self.vocabulary[i] for i in x).replace("\n", "↵")

    def part(self, place: int, rng: np.random.Generator, samples: int) -> Part:
        """Return pieces from random places of a part of the text, and the same a step later."""
        ids = self.stretches[place]
        starts = rng.integers(0, ids.size - self.length, (samples, 1))
        found = ids[starts + np.arange(self.length + 1)]
        return Part(found[:, :-1], found[:, 1:])

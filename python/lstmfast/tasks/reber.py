"""The symbols that may come next in a string of a grammar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from lstmfast._arrays import Array

from ._apart import Apart
from ._measures import EXACT
from ._memory import Memory
from ._records import Part, Settings
from ._task import option

_SYMBOLS = " BTPSXVE"  # the blank fills up strings that are shorter than others

# Of each state of the Reber grammar, the symbols that may come and the states they lead to.
_INNER: tuple[dict[str, int], ...] = (
    {"B": 1}, {"T": 2, "P": 3}, {"S": 2, "X": 4}, {"T": 3, "V": 5}, {"X": 3, "S": 6},
    {"P": 4, "V": 6}, {"E": 7},
)  # fmt: skip


def _embedded() -> list[dict[str, int]]:
    """Return the states of the embedded grammar: the inner one twice, after T and after P."""
    states = [{"B": 1}, {"T": 2, "P": 10}]
    for first, branch in ((2, "T"), (10, "P")):
        states += [{symbol: first + to for symbol, to in each.items()} for each in _INNER]
        states.append({branch: 18})
    return [*states, {"E": 19}, {" ": 19}]


# By states and symbols: whether it may come, and the state it leads to.
_ALLOWED = np.array([[symbol in state for symbol in _SYMBOLS] for state in _embedded()])
_NEXT = np.array([[state.get(symbol, 19) for symbol in _SYMBOLS] for state in _embedded()])


@dataclass(kw_only=True)
class Reber(Apart, Memory):
    """Say which symbols may come next in a string of the embedded Reber grammar.

    A string is B, then T or P, a string of the inner grammar, the same T or P again, and E. Only
    who remembers the second symbol knows the last but one. A string is right where the most likely
    symbols are those that the grammar allows, at each step; who knows the grammar but forgets the
    second symbol gets half of the strings right.

    Parameters
    ----------
    length : int
        Symbols in a string, at most.
    """

    length: int = option(30, least=12)

    mode = "generation"
    source = (
        "Fahlman: The recurrent cascade-correlation architecture, 1991; "
        "Hochreiter and Schmidhuber: Long Short-Term Memory, 1997"
    )
    settings = Settings(
        units=32, epochs=20, learning_rate=0.02, samples=(4000, 200, 500),
        model={"embedding": 8, "forget_bias": "chrono"},
    )  # fmt: skip
    measure = replace(EXACT, name="strings right at each step")
    target = 0.95
    vocabulary = labels = tuple(_SYMBOLS)

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return strings but for the last symbol, the next symbols, and which of them there are."""
        strings = np.zeros((samples, self.length), int)
        left = np.arange(samples)
        while len(left):  # those that are too long are drawn again
            state = np.zeros(len(left), int)
            for step in range(self.length):
                odds = _ALLOWED[state] * rng.random((len(left), len(_SYMBOLS)))
                strings[left, step] = odds.argmax(axis=1)
                state = _NEXT[state, strings[left, step]]
            left = left[state != len(_NEXT) - 1]
        y = strings[:, 1:]
        return Part(strings[:, :-1], y, (y > 0).astype(np.float32))

    def allowed(self, x: Array) -> Array:
        """Return which symbols may follow each of x (N, T), as (N, T, 8) truth values."""
        state, found = np.zeros(len(x), int), []
        for symbols in x.T:
            state = _NEXT[state, symbols]
            found.append(_ALLOWED[state])
        return np.stack(found, axis=1)

    def same(self, x: Array) -> bytes:
        """Return the string of the inner grammar: after T and after P it is in the same part."""
        inner: Array = x[2 : np.argmax(x == _SYMBOLS.index("E"))]
        return inner.tobytes()

    def part_of(self, x: Array) -> int:
        """Return 0 for the short strings, so common that without them it were another grammar."""
        return super().part_of(x) if np.count_nonzero(x) > self.length // 2 else 0

    @cached_property
    def chance(self) -> float:
        """The score of the sets that are the commonest ones of their steps."""
        sets = _codes(self.allowed(self.train.x))
        guess = np.array([np.bincount(step).argmax() for step in sets.T])
        expected = _codes(self.allowed(self.test.x))
        answers = np.broadcast_to(guess, expected.shape)
        return self.measure.score(expected, answers, self.test.weights)

    def judged(self, model: Any, part: Part | None = None) -> tuple[Array, Array, Array | None]:
        """Return the sets of allowed symbols and the model's."""
        x, _, weights = self.test if part is None else part
        return _codes(self.allowed(x)), self.predict(model, x), weights

    def predict(self, model: Any, x: Array) -> Array:
        """Return the sets of the most likely symbols, as many as are allowed."""
        likely = model.predict(x, verbose=0)
        allowed = self.allowed(x)
        number = allowed.sum(axis=2, keepdims=True)
        least = np.take_along_axis(np.sort(likely, axis=2), likely.shape[2] - number, axis=2)
        found: Array = _codes(likely >= least)
        found[allowed[..., 0]] = 1  # nothing but blanks comes after the end
        return found

    def show_y(self, y: Array) -> str:
        """Return the sets of symbols, those of a choice with a stroke between them."""
        sets = ["/".join(s for i, s in enumerate(_SYMBOLS) if code >> i & 1) for code in y]
        return " ".join(sets).strip()


def _codes(sets: Array) -> Array:
    """Return sets of symbols as numbers whose bits are the symbols."""
    codes: Array = sets @ (1 << np.arange(len(_SYMBOLS)))
    return codes

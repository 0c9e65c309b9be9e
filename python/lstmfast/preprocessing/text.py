"""Texts as sequences of numbers."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import choice, count

__all__ = [
    "Tokenizer",
    "hashing_trick",
    "one_hot",
    "text_to_word_sequence",
    "tokenizer_from_json",
]

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_Words: TypeAlias = "str | Sequence[str]"
_TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def text_to_word_sequence(
    input_text: str, filters: str = _FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Return the words of a text.

    Parameters
    ----------
    input_text : str
        The text.
    filters : str
        Characters that separate words, next to `split`.
    lower : bool
        Make it lower case.
    split : str
        What separates words.

    Examples
    --------
    >>> from lstmfast.preprocessing.text import text_to_word_sequence
    >>> text_to_word_sequence("The cat, the mat.")
    ['the', 'cat', 'the', 'mat']
    """
    text = input_text.lower() if lower else input_text
    separators: dict[str, str | int | None] = dict.fromkeys(filters, split)
    text = text.translate(str.maketrans(separators))
    return [word for word in text.split(split) if word]


def hashing_trick(
    text: str,
    n: int,
    hash_function: str | Callable[[str], int] | None = None,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """Return for each word of a text a number from 1 to below `n`, by its hash.

    Parameters
    ----------
    text : str
        The text.
    n : int
        How many numbers there are, 0 among them, which stands for no word.
    hash_function : {"md5"} or callable, optional
        Python's `hash` by default, which differs from run to run.
    filters, lower, split
        As `text_to_word_sequence` takes them.
    analyzer : callable, optional
        Returns the words of a text, in place of `text_to_word_sequence`.

    Examples
    --------
    >>> from lstmfast.preprocessing.text import hashing_trick
    >>> hashing_trick("a b a", 100, "md5")
    [92, 95, 92]
    """
    if hash_function == "md5":

        def hashed(word: str) -> int:
            return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)

        hash_function = hashed
    find: Any = hash_function or hash
    words = analyzer(text) if analyzer else text_to_word_sequence(text, filters, lower, split)
    return [find(word) % (n - 1) + 1 for word in words]


def one_hot(
    input_text: str,
    n: int,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """Return for each word of a text a number from 1 to below `n`, by Python's `hash`.

    Parameters
    ----------
    input_text, n, filters, lower, split, analyzer
        As `hashing_trick` takes them.

    Examples
    --------
    >>> from lstmfast.preprocessing.text import one_hot
    >>> first, second, third = one_hot("a b a", 50)
    >>> first == third
    True
    """
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


class Tokenizer:
    """Numbers for words, the most frequent first, from 1; 0 stands for no word.

    Parameters
    ----------
    num_words : int, optional
        Only words whose number is below this appear in sequences.
    filters, lower, split
        As `text_to_word_sequence` takes them.
    char_level : bool
        Take each character for a word.
    oov_token : str, optional
        Word 1, which stands for all words that have no number.
    analyzer : callable, optional
        Returns the words of a text.

    Attributes
    ----------
    word_index, index_word : dict
        The number of each word, and the word of each number.
    word_counts, word_docs : dict of str to int
        How often each word occurs, and in how many texts.
    index_docs : dict of int to int
        `word_docs` by number.
    document_count : int
        How many texts there were.

    Examples
    --------
    >>> from lstmfast.preprocessing.text import Tokenizer
    >>> words = Tokenizer(oov_token="<?>")
    >>> words.fit_on_texts(["the cat sat", "the mat"])
    >>> words.texts_to_sequences(["the dog sat"])
    [[2, 1, 4]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], Iterable[str]] | None = None,
        *,
        document_count: int = 0,
    ) -> None:
        self.num_words = None if num_words is None else count(num_words, "num_words", "Tokenizer")
        self.filters, self.lower, self.split = filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = document_count
        self.word_counts: Counter[str] = Counter()
        self.word_docs: Counter[str] = Counter()
        self.index_docs: Counter[int] = Counter()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: _Words) -> list[str]:
        if self.char_level or not isinstance(text, str):
            return [each.lower() for each in text] if self.lower else list(text)
        if self.analyzer is not None:
            return list(self.analyzer(text))
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[_Words]) -> None:
        """Count the words of texts, each a string or a list of words, and number them anew."""
        for text in texts:
            words = self._words(text)
            self.document_count += 1
            self.word_counts.update(words)
            self.word_docs.update(set(words))
        # sorted by count alone: words that are as frequent stay in the order of the texts
        known = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        first = [] if self.oov_token is None else [self.oov_token]
        self.word_index = {word: k for k, word in enumerate([*first, *known], 1)}
        self.index_word = {k: word for word, k in self.word_index.items()}
        for word, number in self.word_docs.items():
            self.index_docs[self.word_index[word]] = number

    def fit_on_sequences(self, sequences: Sequence[Iterable[int]]) -> None:
        """Count in how many sequences each number occurs."""
        self.document_count += len(sequences)
        for sequence in sequences:
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts: Iterable[_Words]) -> list[list[int]]:
        """Return texts as lists of numbers."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[_Words]) -> Iterator[list[int]]:
        """Yield what `texts_to_sequences` returns, one by one."""
        for text in texts:
            numbers = [self.word_index.get(word) for word in self._words(text)]
            yield list(self._kept(numbers))

    def _kept(self, numbers: Iterable[int | None]) -> Iterator[int]:
        """Yield the numbers that sequences hold: others become that of `oov_token`."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for number in numbers:
            if number is not None and not (self.num_words and number >= self.num_words):
                yield number
            elif unknown is not None:
                yield unknown

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return lists of numbers as texts of words with spaces between them."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Yield what `sequences_to_texts` returns, one by one."""
        for sequence in sequences:
            known = (number if number in self.index_word else None for number in sequence)
            yield " ".join(self.index_word[number] for number in self._kept(known))

    def texts_to_matrix(self, texts: Iterable[_Words], mode: str = "binary") -> Array:
        """Return a row of numbers for each text, as `sequences_to_matrix` does."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(
        self, sequences: Sequence[Iterable[int]], mode: str = "binary"
    ) -> Array:
        """Return a row for each sequence, with a column for each number.

        Parameters
        ----------
        sequences : list of list of int
            Numbers; those of `num_words` or more are left out.
        mode : {"binary", "count", "freq", "tfidf"}
            1 for each number that occurs; how often it does; the same as a share of the sequence;
            ``(1 + log(n)) * log(1 + documents / (1 + documents with it))``.
        """
        where = "Tokenizer.sequences_to_matrix"
        choice(mode, "mode", where, "binary", "count", "freq", "tfidf")
        if not (self.num_words or self.word_index):
            raise ValueError(f"[{where}] expected num_words, or fit_on_texts before")
        if mode == "tfidf" and not self.document_count:
            raise ValueError(f"[{where}] mode is 'tfidf'; expected fit_on_texts before")
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        documents = np.array([self.index_docs.get(k, 0) for k in range(columns)])
        for row, sequence in zip(matrix, sequences, strict=True):
            numbers = np.asarray(list(sequence), np.int64)
            row += np.bincount(numbers[numbers < columns], minlength=columns)
            if mode == "binary":
                np.minimum(row, 1, out=row)
            elif mode == "freq" and len(numbers):
                row /= len(numbers)
            elif mode == "tfidf":
                found = row > 0
                idf = np.log(1 + self.document_count / (1 + documents[found]))
                row[found] = (1 + np.log(row[found])) * idf
        return matrix

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, and the tables of words as JSON."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token")
        return {
            **{name: getattr(self, name) for name in (*names, "document_count")},
            **{name: json.dumps(getattr(self, name)) for name in _TABLES},
        }

    def to_json(self, **kwargs: Any) -> str:
        """Return class and configuration as JSON, by the options of `json.dumps`."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Return the `Tokenizer` whose `to_json` returned a text, ours or Keras's.

    Parameters
    ----------
    json_string : str
        The text.

    Examples
    --------
    >>> from lstmfast.preprocessing.text import Tokenizer, tokenizer_from_json
    >>> words = Tokenizer()
    >>> words.fit_on_texts(["the cat"])
    >>> tokenizer_from_json(words.to_json()).word_index
    {'the': 1, 'cat': 2}
    """
    config = json.loads(json_string)["config"]
    tables = {name: json.loads(config.pop(name)) for name in _TABLES}
    made = Tokenizer(**config)
    for name, table in tables.items():
        if name.startswith("index"):  # JSON has texts for keys
            table = {int(key): value for key, value in table.items()}
        kind = Counter if name.endswith(("counts", "docs")) else dict
        setattr(made, name, kind(table))
    return made

"""Texts to numbers, as the first layer of a model: what comes before the core.

Long, because Keras's layer has many arguments.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, shape_text
from lstmfast._checks import check_unavailable, choice, count, flag, wrong_kind
from lstmfast._foreign import read
from lstmfast.layers._symbolic import Sample, holds_tensors
from lstmfast.layers.base import Layer

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NO_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))
_STANDARDS = {
    "lower": _LOWER,
    "strip_punctuation": _NO_PUNCTUATION,
    "lower_and_strip_punctuation": _LOWER | _NO_PUNCTUATION,
}
_WORD = re.compile(r"[^ \t\n\v\f\r]+")
_OLDER = {"binary": "multi_hot", "tf-idf": "tf_idf"}
_UNKNOWN = "[UNK]"


class TextVectorization(Layer):
    """Texts as numbers of words, or as counts of them, as `keras.layers.TextVectorization`.

    It stands alone, or as the first layer of a `Sequential`, which then takes texts: lists and
    arrays of str, (N,) or (N, 1). The vocabulary comes from `adapt`, or is given. Whatever is not
    in it counts as ``"[UNK]"``, number 1 with "int", else 0; with "int", 0 is padding.

    Parameters
    ----------
    max_tokens : int, optional
        The largest size of the vocabulary, padding and ``"[UNK]"`` included.
    standardize : str or callable, optional
        What is done to texts first: "lower_and_strip_punctuation", "lower" or "strip_punctuation",
        as in Keras of ASCII letters and punctuation alone. A function gets an array of str and
        returns one like it.
    split : {"whitespace", "character"} or callable, optional
        What tokens are. A function gets an array of str (N,) and returns N lists of str. None: each
        str is a token, and texts are (N,), or (N, L) for L tokens each.
    ngrams : int or tuple of int, optional
        Take n neighbouring tokens, joined by spaces, as one, for n from 1 to the number, or of the
        tuple.
    output_mode : {"int", "multi_hot", "count", "tf_idf"}
        Numbers of tokens (N, L); or for each token of the vocabulary (N, V) whether it is there,
        how often, or this times log(1 + documents / (1 + documents with it)).
    output_sequence_length : int, optional
        With "int", L: longer texts are cut and shorter ones padded. None: as the longest text has.
    pad_to_max_tokens : bool
        Make V `max_tokens`, however large the vocabulary is.
    vocabulary : list of str or path, optional
        The tokens, or a file with one in each line; `adapt` is then refused.
    idf_weights : array_like, optional
        Of "tf_idf" with `vocabulary`: the logarithm for each token.
    ragged, sparse : bool
        Only False: results are full arrays.
    encoding : str
        Of texts that are bytes.
    has_input_vocabulary : bool, optional
        Whether `adapt` is refused, in configurations; by default where there is a `vocabulary`.
    **options
        As in `Layer`.

    Examples
    --------
    >>> from lstmfast.layers import TextVectorization
    >>> texts = TextVectorization(max_tokens=5000, output_sequence_length=4)
    >>> texts.adapt(["foo bar", "bar baz", "baz bada boom"])
    >>> texts.get_vocabulary()
    ['', '[UNK]', 'baz', 'bar', 'foo', 'boom', 'bada']
    >>> texts([["Foo qux, bar"], ["qux baz"]])
    array([[4, 1, 3, 0],
           [1, 2, 0, 0]])
    """

    kind = "text_vectorization"
    _tokens: dict[str, int] | None = None  # their numbers
    _idf: Array | None = None  # of all tokens, the special ones first

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: ArrayLike = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        *,
        has_input_vocabulary: bool | None = None,
        **options: Any,
    ) -> None:
        fixed = vocabulary is not None if has_input_vocabulary is None else has_input_vocabulary
        options.pop("vocabulary_size", None)
        super().__init__(**options)
        where = self.where
        check_unavailable(
            where, {"sparse": sparse, "ragged": ragged}, {"sparse": False, "ragged": False}
        )
        self.max_tokens = None if max_tokens is None else count(max_tokens, "max_tokens", where, 2)
        for name, value, known in (
            ("standardize", standardize, tuple(_STANDARDS)),
            ("split", split, ("whitespace", "character")),
        ):
            if value is not None and not callable(value):
                choice(value, name, where, *known)
        self.standardize, self.split, self.encoding = standardize, split, encoding
        self.ngrams = _sizes(ngrams, where)
        modes = "int", "multi_hot", "count", "tf_idf"
        self.output_mode = choice(
            _OLDER.get(output_mode, output_mode), "output_mode", where, *modes
        )
        self.pad_to_max_tokens = flag(pad_to_max_tokens, "pad_to_max_tokens", where)
        if self.pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"[{where}] pad_to_max_tokens is True; expected max_tokens with it")
        if output_sequence_length is not None:
            count(output_sequence_length, "output_sequence_length", where)
            if self.output_mode != "int":
                raise ValueError(
                    f"[{where}] output_sequence_length is given; expected output_mode='int' with it"
                )
        self.output_sequence_length = output_sequence_length
        self._fixed = flag(fixed, "has_input_vocabulary", where)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        elif idf_weights is not None:
            raise ValueError(f"[{where}] idf_weights is given; expected vocabulary with it")

    # -- as a layer --------------------------------------------------------------------------

    @property
    def built(self) -> bool:
        """Whether there is a vocabulary."""
        return self._tokens is not None

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return the names and shapes of its weights: there are none."""
        return []

    @property
    def sample(self) -> Sample | None:
        """The shape of what it makes of a text; None where that is not known yet."""
        if self.output_mode == "int":
            return (self.output_sequence_length,)
        size = self.max_tokens if self.pad_to_max_tokens else None
        if size is None and self._tokens is not None:
            size = self.vocabulary_size()
        return None if size is None else (size,)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, the batch first, as None."""
        return (None, *(self.sample or (None,)))

    def options(self) -> dict[str, Any]:
        """Return the constructor's arguments, the vocabulary among them."""
        names = ("max_tokens", "standardize", "split", "ngrams", "output_mode",
                 "output_sequence_length", "pad_to_max_tokens", "encoding")  # fmt: skip
        found: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self._tokens is None:
            return found
        idf = None if self._idf is None else self._idf.tolist()
        return {
            **found,
            "vocabulary": self.get_vocabulary(),
            "idf_weights": idf,
            "has_input_vocabulary": self._fixed,
        }

    # -- the vocabulary ----------------------------------------------------------------------

    @property
    def _special(self) -> list[str]:
        return ["", _UNKNOWN] if self.output_mode == "int" else [_UNKNOWN]

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the tokens by their numbers; with the special ones first, or without these."""
        return (self._special if include_special_tokens else []) + list(self._tokens or ())

    def vocabulary_size(self) -> int:
        """Return the size of the vocabulary, with the special tokens."""
        return len(self._special) + len(self._tokens or ())

    def set_vocabulary(self, vocabulary: Any, idf_weights: ArrayLike = None) -> None:
        """Take these tokens.

        Parameters
        ----------
        vocabulary : list of str or path
            The tokens, perhaps with the special ones first; or a file with one in each line.
        idf_weights : array_like, optional
            With "tf_idf" one weight for each token of `vocabulary`.
        """
        where = f"{self.where}.set_vocabulary"
        if isinstance(vocabulary, str | Path):
            try:
                vocabulary = Path(vocabulary).read_text(self.encoding).splitlines()
            except OSError as error:
                raise ValueError(f"[{where}] vocabulary {vocabulary!r}: {error.strerror}") from None
        given = self._texts(vocabulary, "vocabulary").reshape(-1).tolist()
        special = self._special
        whole = given[: len(special)] == special
        tokens = given[len(special) :] if whole else given
        if not given:
            raise ValueError(f"[{where}] vocabulary is empty; expected tokens")
        twice = [token for token, times in Counter(tokens).items() if times > 1]
        if twice or "" in tokens:
            text = f"has {twice[0]!r} twice" if twice else "holds ''"
            raise ValueError(f"[{where}] vocabulary {text}; expected different tokens, none empty")
        self._check_room(tokens, where)
        idf = None
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            needed = "given; expected None unless" if idf_weights is not None else "missing where"
            raise ValueError(f"[{where}] idf_weights is {needed} output_mode is 'tf_idf'")
        if idf_weights is not None:
            idf = as_float(idf_weights, np.dtype("float32"), where, "idf_weights")
            if idf.shape != (len(given),):
                raise ValueError(
                    f"[{where}] idf_weights has shape {shape_text(idf.shape)}; expected "
                    f"({len(given)},), one for each token"
                )
            idf = idf if whole else np.concatenate([[idf.mean(dtype=np.float32)], idf])
        self._take(tokens, idf)

    def _check_room(self, tokens: Sequence[str], where: str) -> None:
        size = len(self._special) + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"[{where}] vocabulary has {size} tokens with the special ones; expected at most "
                f"max_tokens={self.max_tokens}"
            )

    def _take(self, tokens: Iterable[str], idf: Array | None) -> None:
        first = len(self._special)
        self._tokens = {token: first + place for place, token in enumerate(tokens)}
        self._idf = None if idf is None else np.asarray(idf, np.float32)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Make the vocabulary of the tokens in these texts, the most frequent ones first.

        Tokens that are as frequent stand in the reverse order of their bytes, as in Keras.

        Parameters
        ----------
        data : list of str, array or iterable
            The texts; or a data set or another iterable of batches of them.
        batch_size : int, optional
            Not used.
        steps : int, optional
            How many batches to take.
        """
        where = f"{self.where}.adapt"
        if self._fixed:
            raise ValueError(f"[{where}] the layer was given a vocabulary; expected none before")
        whole = isinstance(data, list | tuple | str | bytes) or hasattr(data, "__array__")
        if not whole and not hasattr(data, "__iter__"):
            raise wrong_kind(where, "data", data, "texts, or an iterable of batches of them")
        counts: Counter[str] = Counter()
        documents: Counter[str] = Counter()
        texts = 0
        for place, batch in enumerate([data] if whole else data):
            if steps is not None and place >= count(steps, "steps", where):
                break
            each = self._split_texts(self._texts(batch, "data"))
            texts += len(each)
            for tokens in each:
                counts.update(tokens)
                documents.update(set(tokens))
        for token in [*self._special, ""]:
            counts.pop(token, None)
        ordered = sorted(counts, key=lambda token: (counts[token], token.encode()), reverse=True)
        if self.max_tokens is not None:
            ordered = ordered[: self.max_tokens - len(self._special)]
        idf = None
        if self.output_mode == "tf_idf":
            # in float32, as Keras does
            seen = np.array([documents[token] for token in ordered])
            idf = np.log(1 + texts / (1 + seen)).astype(np.float32)
            idf = np.concatenate([[idf.mean() if ordered else 0], idf])
        self._take(ordered, idf)

    # -- texts to numbers --------------------------------------------------------------------

    def _texts(self, value: Any, name: str) -> Array:
        """Return an array of Python's str for texts of any form."""
        if isinstance(value, list | tuple | str | bytes):
            # never one of NumPy's str, where each text takes as much room as the longest
            value = np.array(value, dtype=object)
        array = value if isinstance(value, np.ndarray) else read(value, self.where, name)
        flat = array.reshape(-1).tolist()
        for kind in set(map(type, flat)):
            if not issubclass(kind, str | bytes):
                raise TypeError(
                    f"[{self.where}] {name} holds {kind.__name__} values; expected texts"
                )
        texts = np.empty(len(flat), dtype=object)
        texts[:] = [
            text.decode(self.encoding) if isinstance(text, bytes) else str(text) for text in flat
        ]
        return texts.reshape(array.shape)

    def _split_texts(self, texts: Array) -> list[list[str]]:
        """Return the tokens of each text."""
        if callable(self.standardize):
            texts = self._texts(self.standardize(texts.astype(str)), "what standardize returned")
        elif self.standardize is not None:
            table = _STANDARDS[self.standardize]
            flat = [text.translate(table) for text in texts.reshape(-1).tolist()]
            texts = self._texts(flat, "x").reshape(texts.shape)
        each: list[list[str]]
        if self.split is None:
            each = texts.reshape(len(texts) if texts.ndim else 1, -1).tolist()
        else:
            if texts.ndim > 2 or (texts.ndim == 2 and texts.shape[1] != 1):
                raise ValueError(
                    f"[{self.where}] x has shape {shape_text(texts.shape)}; expected (N,) or "
                    "(N, 1), texts to be split"
                )
            each = self._split_each(texts.reshape(-1))
        return each if self.ngrams is None else [_joined(one, self.ngrams) for one in each]

    def _split_each(self, texts: Array) -> list[list[str]]:
        if not callable(self.split):
            cut: Callable[[str], list[str]] = list if self.split == "character" else _WORD.findall
            return list(map(cut, texts.tolist()))
        found = self.split(texts.astype(str))
        found = found.to_list() if hasattr(found, "to_list") else found
        if len(found) != len(texts):
            raise ValueError(
                f"[{self.where}] split returned {len(found)} items for {len(texts)} texts; "
                "expected a list of tokens for each"
            )
        return [self._texts(list(one), "what split returned").tolist() for one in found]

    def __call__(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Return the numbers of texts.

        Parameters
        ----------
        x : array_like of str
            (N,) or (N, 1); one text alone gives one row without the batch.
        mask, training : optional
            Without a meaning here.

        Returns
        -------
        numpy.ndarray
            (N, L) of int64 with "int", else (N, V), of int64 or with "tf_idf" of float32.
        """
        if holds_tensors(x):
            raise ValueError(
                f"[{self.where}] {self.name or self.kind} is called with a tensor; expected texts, "
                "or the layer as the first one of a Sequential"
            )
        if self._tokens is None:
            raise ValueError(
                f"[{self.where}] {self.name or self.kind} has no vocabulary; call adapt or "
                "set_vocabulary first"
            )
        texts = self._texts(x, "x")
        each = self._split_texts(texts)
        unknown = len(self._special) - 1
        numbers = dict.fromkeys([""], unknown - 1) | self._tokens
        lengths = np.array(list(map(len, each)), int)
        ids = np.array([numbers.get(token, unknown) for one in each for token in one], int)
        if self.output_mode == "int":
            longest = self.output_sequence_length or int(lengths.max(initial=0))
            found: Array = np.zeros(
                (len(each), max(longest, int(lengths.max(initial=0)))), np.int64
            )
            found[np.arange(found.shape[1]) < lengths[:, None]] = ids
            found = found[:, :longest]
            if self.split is None and self.ngrams is None and self.output_sequence_length is None:
                return found.reshape(texts.shape)
        else:
            depth = self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()
            assert depth is not None
            places = np.repeat(np.arange(len(each)), lengths) * depth + ids
            found = np.bincount(places[ids >= 0], minlength=len(each) * depth)
            found = found.reshape(len(each), depth)
            if self.output_mode == "multi_hot":
                found = np.asarray(found > 0, np.int64)
            elif self.output_mode == "tf_idf" and self._idf is not None:
                weights = np.zeros(depth, np.float32)
                weights[: len(self._idf)] = self._idf
                found = found.astype(np.float32) * weights
        return found if texts.ndim else found[0]


def _sizes(ngrams: Any, where: str) -> tuple[int, ...] | int | None:
    if ngrams is None or isinstance(ngrams, int):
        return None if ngrams is None else count(ngrams, "ngrams", where)
    if not isinstance(ngrams, tuple | list):
        raise wrong_kind(where, "ngrams", ngrams, "a number or several")
    return tuple(count(n, f"ngrams[{place}]", where) for place, n in enumerate(ngrams))


def _joined(tokens: Sequence[str], sizes: tuple[int, ...] | int) -> list[str]:
    """Return neighbouring tokens as one, those of each size in turn."""
    each = range(1, sizes + 1) if isinstance(sizes, int) else sizes
    return [
        " ".join(tokens[first : first + n]) for n in each for first in range(len(tokens) - n + 1)
    ]

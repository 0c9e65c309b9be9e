"""Helpers that make data: classes as rows, padded sequences, windows, data sets, texts, files."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.preprocessing.sequence import TimeseriesGenerator, make_sampling_table, skipgrams
from lstmfast.preprocessing.text import Tokenizer, hashing_trick, one_hot, tokenizer_from_json
from lstmfast.utils import (
    Dataset,
    PyDataset,
    get_file,
    normalize,
    pad_sequences,
    timeseries_dataset_from_array,
    to_categorical,
)


@pytest.mark.parametrize(
    ("x", "classes", "shape"),
    [
        ([0, 2, 1], None, (3, 3)),
        ([[0], [2]], 4, (2, 4)),
        ([[0, 1], [1, 1]], None, (2, 2, 2)),
        (1, 2, (2,)),
        ([1.0, 0.0], None, (2, 2)),
        (np.zeros(0, int), 3, (0, 3)),
    ],
)
def test_to_categorical(x: Any, classes: int | None, shape: tuple[int, ...]) -> None:
    rows = to_categorical(x, classes)
    assert rows.shape == shape
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows.sum(-1), 1.0)
    np.testing.assert_array_equal(rows.argmax(-1).ravel(), np.ravel(x))


def test_pad_sequences() -> None:
    some = [[1], [2, 3], [], [4, 5, 6]]
    assert pad_sequences(some).tolist() == [[0, 0, 1], [0, 2, 3], [0, 0, 0], [4, 5, 6]]
    assert pad_sequences(some, padding="post", value=-1).tolist()[:2] == [[1, -1, -1], [2, 3, -1]]
    assert pad_sequences(some, 2, truncating="post").tolist()[3] == [4, 5]
    assert pad_sequences(some, 0).shape == (4, 0)
    assert pad_sequences([]).shape == (0, 0)
    steps = pad_sequences([np.ones((2, 3)), np.ones((1, 3))], dtype="float32", padding="post")
    assert steps.shape == (2, 2, 3)
    assert steps.dtype == np.float32
    words = pad_sequences([["a"], ["b", "c"]], dtype=object, value="-")
    assert words.tolist() == [["-", "a"], ["b", "c"]]


def test_normalize() -> None:
    x = np.arange(6.0).reshape(2, 3)
    for axis in (0, 1, -1):
        for order in (1, 2, np.inf):
            norms = np.linalg.norm(normalize(x, axis, order), order, axis)
            np.testing.assert_allclose(norms, 1.0)
    assert normalize(np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]


WRONG = {
    "classes": (lambda: to_categorical([0, 3], 2), ValueError,
                "[to_categorical] x holds 3; expected whole numbers from 0 to 1"),
    "negative class": (lambda: to_categorical([-1]), ValueError, "[to_categorical] "),
    "no class": (lambda: to_categorical([]), ValueError, "[to_categorical] x is empty"),
    "axis": (lambda: normalize(np.ones(3), 1), ValueError, "[normalize] axis is 1; expected one"),
    "sequences": (lambda: pad_sequences(3), TypeError, "[pad_sequences] sequences is of type int"),
    "item": (lambda: pad_sequences([[1], 2]), TypeError, "[pad_sequences] sequences[1] is of type"),
    "features": (lambda: pad_sequences([np.ones((2, 3)), np.ones((2, 4))]), ValueError,
                 "[pad_sequences] sequences[1] has shape (2, 4); expected (2, 3)"),
    "text": (lambda: pad_sequences([[1]], value="a"), ValueError, "[pad_sequences] value is 'a'"),
    "padding": (lambda: pad_sequences([[1]], padding="both"), ValueError, "[pad_sequences] padd"),
    "stride": (lambda: timeseries_dataset_from_array(np.ones(4), None, 2, 4), ValueError,
               "[timeseries_dataset_from_array] sequence_stride is 4; expected below 4"),
    "start": (lambda: timeseries_dataset_from_array(np.ones(4), None, 2, start_index=4), ValueError,
              "[timeseries_dataset_from_array] start_index is 4 and end_index 4; expected 0 <="),
    "rows": (lambda: Dataset.from_tensor_slices((np.ones(3), np.ones(2))), ValueError,
             "[Dataset.from_tensor_slices] the arrays have ['2', '3'] rows"),
    "endless": (lambda: len(Dataset(lambda: iter([1]), 1).repeat()), TypeError,
                "[Dataset] the number of elements is infinite"),
    "targets": (lambda: TimeseriesGenerator(np.ones(4), np.ones(3), 2), ValueError,
                "[TimeseriesGenerator] targets has 3 steps; expected 4"),
    "too short": (lambda: TimeseriesGenerator(np.ones(4), np.ones(4), 4), ValueError,
                  "[TimeseriesGenerator] start_index + length is 4; expected at most end_index=3"),
    "unfit": (lambda: Tokenizer().sequences_to_matrix([[1]]), ValueError,
              "[Tokenizer.sequences_to_matrix] expected num_words, or fit_on_texts before"),
    "mode": (lambda: Tokenizer(3).sequences_to_matrix([[1]], "some"), ValueError,
             "[Tokenizer.sequences_to_matrix] mode is 'some'"),
    "origin": (lambda: get_file("a"), TypeError, "[get_file] origin is None; expected the address"),
    "fname": (lambda: get_file("a/b", "file:///c"), ValueError, "[get_file] fname is 'a/b'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_messages(name: str) -> None:
    call, kind, text = WRONG[name]
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(text)


# -- windows -----------------------------------------------------------------------------------


def test_windows_over_a_series() -> None:
    """The first example of Keras's documentation: windows of 10 steps, every second, 3 apart."""
    data = timeseries_dataset_from_array(
        np.arange(99), None, 10, sequence_stride=3, sampling_rate=2, batch_size=None
    )
    windows = [each.numpy().tolist() for each in data]
    assert windows[0] == list(range(0, 20, 2))
    assert windows[1] == list(range(3, 23, 2))
    assert windows[-1] == list(range(78, 98, 2))
    assert len(data) == len(windows)


def test_windows_with_targets() -> None:
    x, y = np.arange(60.0).reshape(30, 2), np.arange(30)
    options = {"batch_size": 4, "start_index": 3, "end_index": 25}
    data = timeseries_dataset_from_array(x, y, 5, **options)
    found = list(data)
    assert [len(a) for a, _ in found] == [4] * 4 + [2]
    starts = np.concatenate([b.numpy() for _, b in found])
    assert starts.tolist() == list(range(3, 21))
    np.testing.assert_array_equal(np.concatenate([a[:, 0, 0] for a, _ in found]), 2.0 * starts)
    few = timeseries_dataset_from_array(x, y[:6], 5)
    assert [b.tolist() for _, b in few] == [[0, 1, 2, 3, 4, 5]]


def test_windows_in_random_order() -> None:
    x, y = np.arange(40), np.arange(40)
    random = [timeseries_dataset_from_array(x, y, 3, shuffle=True, seed=s, batch_size=8)
              for s in (1, 1, 2)]  # fmt: skip
    orders = [np.concatenate([b for _, b in data]).tolist() for data in random]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list(range(38))
    again = np.concatenate([b for _, b in random[0]]).tolist()
    assert again != orders[0]
    assert all((a[:, 0] == b).all() for a, b in random[0])


def test_timeseries_generator() -> None:
    x = np.arange(40.0).reshape(20, 2)
    data = TimeseriesGenerator(x, np.arange(20), 6, sampling_rate=2, stride=3, batch_size=2)
    assert len(data) == 3
    found = list(data)
    assert [y.tolist() for _, y in found] == [[6, 9], [12, 15], [18]]
    np.testing.assert_array_equal(found[0][0][1], x[[3, 5, 7]])
    back = TimeseriesGenerator(x, np.arange(20), 6, sampling_rate=2, reverse=True)
    np.testing.assert_array_equal(back[0][0][0], x[[4, 2, 0]])
    random = TimeseriesGenerator(x, np.arange(20), 2, shuffle=True, batch_size=200)
    lf.utils.set_random_seed(0)
    a, b = random[0]
    assert set(b) == set(range(2, 20))
    np.testing.assert_array_equal(a[:, 1, 0], 2.0 * (b - 1))
    config = json.loads(data.to_json())["config"]
    assert json.loads(config["targets"]) == list(range(20))
    assert config["stride"] == 3


# -- data sets ---------------------------------------------------------------------------------


def plain(data: Dataset) -> list[Any]:
    return [np.asarray(each).tolist() for each in data]


def test_dataset_methods() -> None:
    data = Dataset.from_tensor_slices(np.arange(7))
    assert plain(data.take(2)) == [0, 1]
    assert plain(data.take(-1)) == list(range(7))
    assert plain(data.skip(5)) == [5, 6]
    assert plain(data.skip(-1)) == []
    assert plain(data.batch(3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert plain(data.batch(3, drop_remainder=True)) == [[0, 1, 2], [3, 4, 5]]
    assert plain(data.batch(3).unbatch()) == list(range(7))
    assert plain(data.map(lambda x: x + 1).filter(lambda x: x % 2 == 0)) == [2, 4, 6]
    assert plain(data.take(2).repeat(2)) == [0, 1, 0, 1]
    assert plain(data.repeat().take(9)) == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    assert plain(data.prefetch(1)) == list(range(7))
    assert plain(Dataset.from_generator(lambda: range(3))) == [0, 1, 2]
    sizes = [data, data.take(2), data.skip(9), data.batch(3), data.batch(3, True), data.repeat(3)]
    assert [len(each) for each in sizes] == [7, 2, 0, 3, 2, 21]
    kinds = [data, data.repeat(), data.unbatch(), data.filter(bool), data.repeat().batch(2)]
    assert [each.cardinality() for each in kinds] == [7, -1, -2, -2, -1]
    assert list(data.as_numpy_iterator())[3] == 3


def test_dataset_elements_have_parts() -> None:
    data = Dataset.from_tensor_slices(({"a": np.arange(4), "b": np.ones((4, 2))}, np.arange(4.0)))
    (x, y), *_ = data.batch(3)
    assert x["a"].numpy().tolist() == [0, 1, 2]
    assert x["b"].shape == (3, 2)
    assert type(y.numpy()) is np.ndarray
    (pair,) = data.map(lambda x, y: (x["a"] + y, y)).batch(4)
    assert pair[0].tolist() == [0, 2, 4, 6]


def test_dataset_in_random_order() -> None:
    data = Dataset.from_tensor_slices(np.arange(20))
    a, b = data.shuffle(5, seed=3), data.shuffle(5, seed=3)
    first = plain(a)
    assert first == plain(b) != list(range(20))
    assert sorted(first) == list(range(20))
    assert all(value <= place + 4 for place, value in enumerate(first))
    assert plain(a) != first
    fixed = data.shuffle(20, seed=3, reshuffle_each_iteration=False)
    assert plain(fixed) == plain(fixed)


def test_dataset_that_keeps_its_elements() -> None:
    reads: list[int] = []

    def elements() -> Any:
        for k in range(3):
            reads.append(k)
            yield np.array(k)

    data = Dataset(elements).cache()
    assert plain(data.take(2)) == [0, 1]  # a pass that is cut short keeps nothing
    assert plain(data) == plain(data) == [0, 1, 2]
    assert reads == [0, 1, 0, 1, 2]


def test_py_dataset() -> None:
    class Endless(PyDataset):
        def __getitem__(self, index: int) -> int:
            return index

    assert Endless().num_batches is None
    assert list(itertools.islice(Endless(), 3)) == [0, 1, 2]
    with pytest.raises(NotImplementedError, match=r"\[PyDataset\] expected a method __getitem__"):
        _ = PyDataset()[0]
    assert lf.utils.Sequence is PyDataset


# -- texts -------------------------------------------------------------------------------------

TEXTS = ["The cat sat on the mat.", "The dog sat!", ["A", "list", "cat"]]


def test_tokenizer() -> None:
    words = Tokenizer()
    words.fit_on_texts(TEXTS)
    assert list(words.word_index)[:3] == ["the", "cat", "sat"]
    assert words.index_word[1] == "the"
    assert words.word_counts["the"] == 3
    assert words.word_docs["the"] == words.index_docs[1] == 2
    assert words.document_count == 3
    assert words.texts_to_sequences(["the zebra sat"]) == [[1, 3]]
    assert words.sequences_to_texts([[1, 3, 99]]) == ["the sat"]
    few = Tokenizer(num_words=4, oov_token="?")
    few.fit_on_texts(TEXTS)
    assert few.texts_to_sequences(["the cat sat"]) == [[2, 3, 1]]
    assert few.sequences_to_texts([[2, 5, 99]]) == ["the ? ?"]
    letters = Tokenizer(char_level=True, lower=False)
    letters.fit_on_texts(["abA"])
    assert letters.word_index == {"a": 1, "b": 2, "A": 3}
    own = Tokenizer(analyzer=lambda text: text.split("|"))
    own.fit_on_texts(["x y|z"])
    assert own.texts_to_sequences(["z|x y"]) == [[2, 1]]


def test_tokenizer_as_json() -> None:
    words = Tokenizer(num_words=5, oov_token="?")
    words.fit_on_texts(TEXTS)
    again = tokenizer_from_json(words.to_json())
    assert again.get_config() == words.get_config()
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_array_equal(
            again.texts_to_matrix(TEXTS, mode), words.texts_to_matrix(TEXTS, mode)
        )


def test_matrix_of_words() -> None:
    words = Tokenizer(num_words=4)
    words.fit_on_texts(["a a b", "a c c c c d"])
    assert words.word_index == {"c": 1, "a": 2, "b": 3, "d": 4}
    counts = words.sequences_to_matrix([[2, 2, 3, 4], []], "count")
    assert counts.tolist() == [[0, 0, 2, 1], [0, 0, 0, 0]]
    assert words.sequences_to_matrix([[2, 2, 3, 4]], "freq").tolist() == [[0, 0, 0.5, 0.25]]
    tfidf = words.sequences_to_matrix([[2, 2, 3]], "tfidf")[0]
    expected = [(1 + np.log(2)) * np.log(1 + 2 / 3), np.log(1 + 2 / 2)]
    np.testing.assert_allclose(tfidf[2:], expected)


def test_words_by_their_hash() -> None:
    assert one_hot("a b a", 10)[0] == one_hot("a b a", 10)[2]
    assert all(1 <= number < 10 for number in one_hot("a b c d e f", 10))
    assert hashing_trick("word", 50, len) == [5]


def test_pairs_of_words() -> None:
    pairs, labels = skipgrams([1, 0, 2, 3], 4, 1, negative_samples=2.0, categorical=True, seed=1)
    assert len(pairs) == len(labels) == 6
    near = {tuple(pair) for pair, label in zip(pairs, labels, strict=True) if label == [0, 1]}
    assert near == {(2, 3), (3, 2)}
    assert skipgrams([1, 2], 3, sampling_table=np.zeros(3)) == ([], [])
    table = make_sampling_table(1000)
    assert (np.diff(table[1:]) > 0).all()
    assert 0 < table[0] < table[-1] < 1

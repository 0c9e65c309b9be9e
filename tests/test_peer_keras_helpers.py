"""Against live Keras 3: helpers return the same arrays, and fit takes the same data."""

from __future__ import annotations

import importlib
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_twins import KERAS, TRAINED, compile_both, lstm, peer, share_weights, twins
from lstmfast import datasets, utils
from lstmfast.preprocessing import sequence, text

pytestmark = peer

RNG = np.random.default_rng(3)


def theirs(name: str) -> Any:
    pytest.importorskip("keras")
    return importlib.import_module(name)


def same(mine: Any, other: Any) -> None:
    assert np.shape(mine) == np.shape(other)
    np.testing.assert_array_equal(mine, other)
    assert np.asarray(mine).dtype == np.asarray(other).dtype


@pytest.mark.parametrize(
    "arguments",
    [([0, 2, 1],), ([[0], [2]], 4), ([[0, 1], [1, 1]],), ([1.0, 0.0],), (np.arange(3)[:, None],)],
)
def test_to_categorical(arguments: Any) -> None:
    same(utils.to_categorical(*arguments), KERAS.utils.to_categorical(*arguments))


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("more", [{}, {"maxlen": 2}, {"maxlen": 5, "value": 7, "dtype": "int64"}])
def test_pad_sequences(padding: str, truncating: str, more: Any) -> None:
    for some in ([[1], [2, 3], [], [4, 5, 6]], [np.ones((2, 3)), np.zeros((4, 3))]):
        options = {"padding": padding, "truncating": truncating, **more}
        same(utils.pad_sequences(some, **options), KERAS.utils.pad_sequences(some, **options))


def test_normalize() -> None:
    for x in (RNG.random((3, 4)), RNG.random(4), np.zeros((2, 2)), np.arange(6).reshape(2, 3)):
        for order in (1, 2, 3):
            same(utils.normalize(x, order=order), KERAS.utils.normalize(x, order=order))
    x = RNG.random((2, 3, 4))
    same(utils.normalize(x, axis=1), KERAS.utils.normalize(x, axis=1))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sampling_rate": 2, "stride": 3, "batch_size": 2},
        {"start_index": 2, "end_index": 15, "reverse": True, "batch_size": 4},
        {"shuffle": True, "batch_size": 5},
    ],
)
def test_timeseries_generator(options: Any) -> None:
    other = theirs("keras.src.legacy.preprocessing.sequence").TimeseriesGenerator
    x, y = RNG.random((20, 2)), np.arange(20)
    for data, targets in ((x, y), (x.tolist(), y.tolist())):
        pair = (
            sequence.TimeseriesGenerator(data, targets, 4, **options),
            other(data, targets, 4, **options),
        )
        assert len(pair[0]) == len(pair[1])
        for index in range(len(pair[0])):
            utils.set_random_seed(index)
            mine = pair[0][index]
            utils.set_random_seed(index)
            for a, b in zip(mine, pair[1][index], strict=True):
                same(a, b)


def test_words_near_each_other() -> None:
    other = theirs("keras.src.legacy.preprocessing.sequence")
    np.testing.assert_allclose(
        sequence.make_sampling_table(500), other.make_sampling_table(500), rtol=1e-14
    )
    options = {"window_size": 2, "negative_samples": 1.5, "seed": 7}
    found = []
    for skipgrams in (sequence.skipgrams, other.skipgrams):
        random.seed(1)
        found.append(skipgrams([1, 2, 0, 3, 4], 5, **options))
    assert found[0] == found[1]


TEXTS = ["The cat sat on the mat.", "The dog sat!", ["A", "list", "cat"], "", "a b,c\td"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_words": 4},
        {"num_words": 4, "oov_token": "?"},
        {"oov_token": "cat"},
        {"char_level": True},
        {"lower": False, "filters": "!", "split": "a"},
        {"analyzer": lambda text: text.split()},
    ],
)
def test_tokenizer(options: Any) -> None:
    other = theirs("keras.src.legacy.preprocessing.text")
    pair = text.Tokenizer(**options), other.Tokenizer(**options)
    for tokenizer in pair:
        tokenizer.fit_on_texts(TEXTS[:3])
        tokenizer.fit_on_texts(TEXTS[3:])
    mine, of_keras = pair
    names = ("word_index", "index_word", "word_counts", "word_docs", "index_docs", "document_count")
    for name in names:
        assert getattr(mine, name) == getattr(of_keras, name)
    sequences = mine.texts_to_sequences(TEXTS)
    assert sequences == of_keras.texts_to_sequences(TEXTS)
    assert mine.sequences_to_texts([*sequences, [99]]) == of_keras.sequences_to_texts(
        [*sequences, [99]]
    )
    for mode in ("binary", "count", "freq", "tfidf"):
        a, b = (each.texts_to_matrix(TEXTS, mode) for each in pair)
        np.testing.assert_allclose(a, b, rtol=1e-14)
    if "analyzer" in options:  # which JSON does not hold
        return
    again = text.tokenizer_from_json(of_keras.to_json())
    assert again.texts_to_sequences(TEXTS[:2]) == of_keras.texts_to_sequences(TEXTS[:2])
    again = other.tokenizer_from_json(mine.to_json())
    assert again.texts_to_sequences(TEXTS[:2]) == of_keras.texts_to_sequences(TEXTS[:2])


def test_words_and_hashes() -> None:
    other = theirs("keras.src.legacy.preprocessing.text")
    for options in ({}, {"lower": False}, {"filters": "", "split": ","}):
        line = "A b, c a-b;"
        assert text.text_to_word_sequence(line, **options) == other.text_to_word_sequence(
            line, **options
        )
        assert text.one_hot(line, 9, **options) == other.one_hot(line, 9, **options)
        assert text.hashing_trick(line, 9, "md5", **options) == other.hashing_trick(
            line, 9, "md5", **options
        )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_words": 20, "skip_top": 5},
        {"maxlen": 6, "oov_char": None, "num_words": 30},
        {"start_char": None, "index_from": 0, "seed": 5},
        {"start_char": None, "index_from": None},
    ],
)
def test_data_sets(options: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.empty(30, dtype=object)
    x[:] = [RNG.integers(1, 40, RNG.integers(1, 9)).tolist() for _ in range(30)]
    y = RNG.integers(0, 2, 30)
    parts = {"x_train": x[:20], "y_train": y[:20], "x_test": x[20:], "y_test": y[20:]}
    np.savez(tmp_path / "all.npz", x=x, y=y, **parts)
    path = str(tmp_path / "all.npz")
    for name in ("imdb", "reuters"):
        other = theirs(f"keras.src.datasets.{name}")
        monkeypatch.setattr(other, "get_file", lambda *_, **__: path)
        mine = getattr(datasets, name).load_data(path, **options)
        for (a, b), (c, d) in zip(mine, other.load_data(path, **options), strict=True):
            assert list(a) == list(c)
            np.testing.assert_array_equal(b, d)


# -- fit ---------------------------------------------------------------------------------------

X = RNG.random((20, 5, 3)).astype(np.float32)
Y = RNG.random((20, 2)).astype(np.float32)
PAIRS = [(X[k : k + 4], Y[k : k + 4]) for k in range(0, 20, 4)]


def build(of: Any) -> Any:
    return of.models.Sequential([of.layers.Input((5, 3)), lstm(of, 4), of.layers.Dense(2)])


def generator(times: int = 10**9) -> Iterator[Any]:
    return itertools.chain.from_iterable(PAIRS for _ in range(times))


def as_generator(_: Any) -> Iterator[Any]:
    yield from generator()


def as_py_dataset(of: Any) -> Any:
    class Pairs(of.utils.PyDataset):
        def __len__(self) -> int:
            return len(PAIRS)

        def __getitem__(self, index: int) -> Any:
            return PAIRS[index]

    return Pairs()


def as_data_loader(_: Any) -> Any:
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return torch.utils.data.DataLoader(data, batch_size=4)


CASES = [
    (as_generator, {"steps_per_epoch": 5}),
    (as_generator, {"steps_per_epoch": 3}),
    (as_py_dataset, {}),
    (as_py_dataset, {"steps_per_epoch": 2}),
    (as_data_loader, {}),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("make", "options"), CASES)
def test_fit_as_in_keras(make: Any, options: Any) -> None:
    """Not with a generator to validate with: Keras 3.15 begins each validation with the two batches
    that it took to learn the shapes (generator_data_adapter.py); ours goes on."""
    ours, other = twins(build)
    compile_both(ours, other, optimizer="adam", loss="mse", metrics=["mae"])
    share_weights(ours, other)
    runs = []
    for made, of in ((ours, importlib.import_module("lstmfast")), (other, KERAS)):
        run = made.fit(
            make(of), epochs=3, shuffle=False, verbose=0,
            validation_data=(X, Y) if make is as_generator else make(of),
            validation_steps=2, validation_batch_size=4, **options,
        )  # fmt: skip
        runs.append(run)
    mine, of_keras = runs
    assert mine.epoch == of_keras.epoch
    assert mine.params["steps"] == of_keras.params["steps"]
    assert list(mine.history) == list(of_keras.history)
    for name, values in mine.history.items():
        np.testing.assert_allclose(
            values, of_keras.history[name], rtol=TRAINED, atol=TRAINED, err_msg=name
        )
    np.testing.assert_allclose(
        ours.predict(make(KERAS), steps=3),
        other.predict(make(KERAS), steps=3, verbose=0),
        rtol=1e-4,
    )


def test_callbacks_as_in_keras(tmp_path: Path) -> None:
    """The rates and the table that callbacks of both make of the same training."""
    tables, rates = [], []
    ours, other = twins(build)
    for number, (made, of) in enumerate(
        ((ours, importlib.import_module("lstmfast")), (other, KERAS))
    ):
        made.compile(of.optimizers.SGD(0.5), "mse")
        calls = [
            of.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9 if epoch else rate),
            of.callbacks.ReduceLROnPlateau(
                "loss", factor=0.5, patience=2, min_delta=10.0, cooldown=1, min_lr=0.05
            ),
            of.callbacks.CSVLogger(str(tmp_path / f"{number}.csv")),
        ]
        run = made.fit(X, Y, epochs=9, shuffle=False, verbose=0, callbacks=calls)
        rates.append(run.history["learning_rate"])
        lines = (tmp_path / f"{number}.csv").read_text().splitlines()
        tables.append(
            [[cell for k, cell in enumerate(line.split(",")) if k != 2] for line in lines]
        )
    np.testing.assert_allclose(rates[0], rates[1], rtol=1e-6)
    assert (
        tables[0][0] == tables[1][0] == ["epoch", "learning_rate", "val_learning_rate", "val_loss"]
    )
    assert [line[0] for line in tables[0]] == [line[0] for line in tables[1]]
    assert [line[2:] for line in tables[0]] == [line[2:] for line in tables[1]]

"""Texts to numbers by `TextVectorization`: alone, first in a model, in copies and files.

The expected values are those of Keras's documentation and tests, re-entered.
"""

from __future__ import annotations

import copy
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import layers
from lstmfast.layers import LSTM, Dense, Embedding, Input, TextVectorization
from lstmfast.models import Model, Sequential, load_model
from lstmfast.utils import Dataset

WORDS = ["earth", "wind", "and", "fire"]
TEXTS = ["Earth, wind!", "fire and fire", "", "and earth wind on earth"]
Y = np.array([[0.0], [1.0], [0.0], [1.0]])


def test_the_example_of_keras() -> None:
    layer = TextVectorization(max_tokens=5000, output_sequence_length=4)
    layer.adapt(["foo bar", "bar baz", "baz bada boom"])
    assert layer.get_vocabulary() == ["", "[UNK]", "baz", "bar", "foo", "boom", "bada"]
    assert layer.get_vocabulary(include_special_tokens=False)[0] == "baz"
    assert layer.vocabulary_size() == 7
    found = layer([["foo qux bar"], ["qux baz"]])
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, [[4, 1, 3, 0], [1, 2, 0, 0]])
    given = TextVectorization(output_sequence_length=4, vocabulary=WORDS)
    assert given.get_vocabulary() == ["", "[UNK]", *WORDS]
    np.testing.assert_array_equal(given(["fire and earth, michigan"]), [[5, 4, 2, 1]])


@pytest.mark.parametrize(
    "x",
    [
        TEXTS,
        [[text] for text in TEXTS],
        np.array(TEXTS),
        np.array(TEXTS, dtype=object)[:, None],
        [text.encode() for text in TEXTS],
        np.array([text.encode() for text in TEXTS]),
    ],
)
def test_forms_of_texts(x: Any) -> None:
    layer = TextVectorization(vocabulary=WORDS)
    np.testing.assert_array_equal(
        layer(x), [[2, 3, 0, 0, 0], [5, 4, 5, 0, 0], [0] * 5, [4, 2, 3, 1, 2]]
    )
    np.testing.assert_array_equal(layer("wind fire"), [3, 5])
    short = TextVectorization(vocabulary=WORDS, output_sequence_length=2)
    np.testing.assert_array_equal(short(x), [[2, 3], [5, 4], [0, 0], [4, 2]])


def test_counts() -> None:
    def of(mode: str, **more: Any) -> Any:
        return TextVectorization(output_mode=mode, vocabulary=WORDS, **more)(TEXTS)

    counts = np.array([[0, 1, 1, 0, 0], [0, 0, 0, 1, 2], [0] * 5, [1, 2, 1, 1, 0]])
    np.testing.assert_array_equal(of("count"), counts)
    np.testing.assert_array_equal(of("multi_hot"), counts > 0)
    np.testing.assert_array_equal(of("binary"), counts > 0)
    wide = of("count", max_tokens=7, pad_to_max_tokens=True)
    np.testing.assert_array_equal(wide, np.pad(counts, [(0, 0), (0, 2)]))
    weights = [0.5, 0.25, 0.2, 0.125]
    found = of("tf_idf", idf_weights=weights)
    mean = np.mean(np.float32(weights))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, counts.astype(np.float32) * [mean, *np.float32(weights)])


def test_tf_idf_learns_how_many_documents_have_a_token() -> None:
    layer = TextVectorization(output_mode="tf-idf")
    layer.adapt(["a a b", "b c", "b"])
    assert layer.get_vocabulary() == ["[UNK]", "b", "a", "c"]
    idf = np.log(1 + 3 / (1 + np.array([3, 1, 1]))).astype(np.float32)
    np.testing.assert_array_equal(
        layer(["a b a", "d"]), np.float32([[0, idf[0], 2 * idf[1], 0], [idf.mean(), 0, 0, 0]])
    )


def test_standards_and_splits() -> None:
    text = ["A-b \tÄ_c  'D'\n"]

    def tokens(**options: Any) -> list[str]:
        layer = TextVectorization(**options)
        layer.adapt(text)
        return sorted(layer.get_vocabulary(False))

    assert tokens() == ["ab", "d", "Äc"]
    assert tokens(standardize=None) == ["'D'", "A-b", "Ä_c"]
    assert tokens(standardize="lower") == ["'d'", "a-b", "Ä_c"]
    assert tokens(standardize="strip_punctuation") == ["Ab", "D", "Äc"]
    assert tokens(split="character") == ["\t", "\n", " ", "a", "b", "c", "d", "Ä"]
    assert tokens(split=None) == ["ab \tÄc  d\n"]
    assert tokens(standardize=lambda texts: np.char.replace(texts, "b", "x"), split=cut) == [
        "'D'\n", "A", "x \tÄ_c  "
    ]  # fmt: skip
    assert tokens(ngrams=2) == ["ab", "ab Äc", "d", "Äc", "Äc d"]
    assert tokens(ngrams=(3,)) == ["ab Äc d"]


def cut(texts: Any) -> Any:
    return [text.replace("-", "|").replace("'", "|'", 1).split("|") for text in texts]


def test_tokens_that_are_split_already() -> None:
    layer = TextVectorization(split=None, standardize=None, vocabulary=WORDS)
    np.testing.assert_array_equal(layer(["wind", "x", ""]), [3, 1, 0])
    np.testing.assert_array_equal(layer([["wind", "fire"], ["", "and"]]), [[3, 5], [0, 4]])
    counts = TextVectorization(split=None, output_mode="count", vocabulary=WORDS)
    np.testing.assert_array_equal(counts([["wind", "wind"], ["", "x"]]),
                                  [[0, 0, 2, 0, 0], [1, 0, 0, 0, 0]])  # fmt: skip


def test_adapt_takes_batches_and_steps() -> None:
    plain, batched, some = TextVectorization(), TextVectorization(), TextVectorization()
    plain.adapt(TEXTS)
    batched.adapt(Dataset.from_tensor_slices(np.array(TEXTS)).batch(3))
    assert batched.get_vocabulary() == plain.get_vocabulary()
    some.adapt(iter([TEXTS[:1], TEXTS[1:]]), steps=1)
    assert some.get_vocabulary(False) == ["wind", "earth"]
    few = TextVectorization(max_tokens=4)
    few.adapt(TEXTS)
    assert few.get_vocabulary() == ["", "[UNK]", *plain.get_vocabulary(False)[:2]]
    few.adapt(["x"])
    assert few.get_vocabulary(False) == ["x"]


def classifier(layer: TextVectorization, *start: Any) -> Sequential:
    inside: list[Any] = [Embedding(10, 4, mask_zero=True), LSTM(3)]
    if layer.output_mode != "int":
        inside = []
    model = Sequential([*start, layer, *inside, Dense(1)], seed=0)
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("start", [(), (Input((1,), dtype="string"),)])
@pytest.mark.parametrize("mode", ["int", "multi_hot", "tf_idf"])
def test_first_in_a_model(mode: str, start: Any) -> None:
    layer = TextVectorization(output_mode=mode)
    model = classifier(layer, *start)
    layer.adapt(TEXTS)
    numbers = layer(TEXTS)
    run = model.fit(TEXTS, Y, epochs=2, batch_size=3, shuffle=False, verbose=0)
    after = Sequential([*model.layers[1:]])
    expected = after.predict(numbers)
    assert model.layers[0] is layer
    for x in (TEXTS, [[text] for text in TEXTS], np.array(TEXTS), np.array(TEXTS)[:, None]):
        np.testing.assert_array_equal(model.predict(x), expected)
        np.testing.assert_array_equal(model(x), expected)
    np.testing.assert_array_equal(model.predict(np.array(TEXTS[1:2])), expected[1:2])
    again = classifier(TextVectorization(**layer.get_config()))
    batches = ((np.array(TEXTS[at : at + 3]), Y[at : at + 3]) for at in (0, 3, 0, 3))
    other = again.fit(batches, epochs=2, steps_per_epoch=2, shuffle=False, verbose=0)
    assert other.history == run.history
    assert model.evaluate(np.array(TEXTS), Y, verbose=0) == after_loss(model, numbers)
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert "text_vectorization" in lines[0]


def after_loss(model: Sequential, numbers: Any) -> float:
    after = Sequential([*model.layers[1:]])
    after.compile("sgd", "mse")
    loss: float = after.evaluate(numbers, Y, verbose=0)
    return loss


def test_a_model_as_the_rest() -> None:
    layer = TextVectorization(vocabulary=WORDS, output_sequence_length=5)
    rest = Sequential([Input((5,), dtype="int32"), Embedding(6, 2), LSTM(3)])
    np.testing.assert_array_equal(
        Sequential([layer, rest]).predict(TEXTS), rest.predict(layer(TEXTS))
    )


def shouted(texts: Any) -> Any:
    return np.char.upper(texts)


@pytest.mark.parametrize("mode", ["int", "count", "tf_idf"])
@pytest.mark.parametrize("name", ["model.safetensors", "model.keras", "model.h5"])
def test_files(name: str, mode: str, tmp_path: Path) -> None:
    if not name.endswith("safetensors"):
        pytest.importorskip("h5py")
    layer = TextVectorization(output_mode=mode, ngrams=(1, 2), max_tokens=9)
    model = classifier(layer)
    layer.adapt(TEXTS)
    expected = model.predict(TEXTS)
    model.save(tmp_path / name)
    again = load_model(tmp_path / name)
    np.testing.assert_array_equal(again.predict(TEXTS), expected)
    assert again.layers[0].get_config() == layer.get_config()
    again.layers[0].adapt(TEXTS)  # it was not given its vocabulary
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(TEXTS), expected)
    config = Sequential.from_config(model.get_config())
    assert config.predict(TEXTS).shape == expected.shape


def test_files_name_functions(tmp_path: Path) -> None:
    layer = TextVectorization(standardize=shouted)
    model = classifier(layer)
    layer.adapt(TEXTS)
    names = ["model.safetensors"]
    try:
        import h5py  # noqa: F401
    except ImportError:
        pass
    else:
        names.append("model.keras")
    for name in names:
        model.save(tmp_path / name)
        with pytest.raises(ValueError, match="standardize is 'shouted'; expected"):
            load_model(tmp_path / name)
        again = load_model(tmp_path / name, custom_objects={"shouted": shouted})
        np.testing.assert_array_equal(again.predict(TEXTS), model.predict(TEXTS))


def test_a_file_of_keras_with_its_vocabulary_apart(tmp_path: Path) -> None:
    """As Keras writes an adapted layer: the vocabulary is no setting but a file inside."""
    pytest.importorskip("h5py")
    for mode in ("int", "tf_idf"):
        layer = TextVectorization(output_mode=mode)
        model = classifier(layer)
        layer.adapt(TEXTS)
        expected = model.predict(TEXTS)
        ours, theirs = tmp_path / "ours.keras", tmp_path / "theirs.keras"
        model.save(ours)
        with zipfile.ZipFile(ours) as found, zipfile.ZipFile(theirs, "w") as made:
            config = json.loads(found.read("config.json"))
            for each in config["config"]["layers"]:
                for name in ("vocabulary", "idf_weights"):
                    if name in each["config"]:
                        each["config"][name] = None
                each["config"].pop("has_input_vocabulary", None)
            made.writestr("config.json", json.dumps(config))
            made.writestr("metadata.json", found.read("metadata.json"))
            at = "assets/layers/text_vectorization/vocabulary.txt"
            made.writestr(at, "\n".join(layer.get_vocabulary()))
            made.writestr("model.weights.h5", found.read("model.weights.h5"))
        np.testing.assert_array_equal(load_model(theirs).predict(TEXTS), expected)


def test_vocabulary_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    layer = TextVectorization(vocabulary=str(tmp_path / "words.txt"))
    assert layer.get_vocabulary(False) == WORDS
    with pytest.raises(ValueError, match=r"vocabulary .*none.txt'?\)?: No such file"):
        layer.set_vocabulary(tmp_path / "none.txt")
    layer.set_vocabulary(["", "[UNK]", "x"])
    np.testing.assert_array_equal(layer(["x y"]), [[2, 1]])


WORDY: Any = TextVectorization
KNOWN = {"vocabulary": WORDS}
WRONG: list[tuple[Any, type[Exception], str]] = [
    (lambda: WORDY(ragged=True), ValueError, "ragged=True is not available in this version"),
    (lambda: WORDY(sparse=True), ValueError, "sparse=True is not available in this version"),
    (lambda: WORDY(max_tokens=1), ValueError, "max_tokens is 1; expected at least 2"),
    (lambda: WORDY(standardize="upper"), ValueError,
     "standardize is 'upper'; expected 'lower_and_strip_punctuation'|standardize is 'upper'"),
    (lambda: WORDY(split="words"), ValueError, "split is 'words'; expected 'whitespace' or"),
    (lambda: WORDY(ngrams="2"), TypeError, "ngrams is of type str; expected a number or several"),
    (lambda: WORDY(output_mode="one_hot"), ValueError, "output_mode is 'one_hot'; expected 'int'"),
    (lambda: WORDY(output_mode="count", output_sequence_length=3), ValueError,
     "output_sequence_length is given; expected output_mode='int' with it"),
    (lambda: WORDY(pad_to_max_tokens=True), ValueError, "expected max_tokens with it"),
    (lambda: WORDY(idf_weights=[1.0]), ValueError, "idf_weights is given; expected vocabulary"),
    (lambda: WORDY(output_mode="tf_idf", **KNOWN), ValueError, "idf_weights is missing where"),
    (lambda: WORDY(idf_weights=[1.0] * 4, **KNOWN), ValueError, "idf_weights is given; expected"),
    (lambda: WORDY(output_mode="tf_idf", idf_weights=[1.0], **KNOWN), ValueError,
     r"idf_weights has shape \(1,\); expected \(4,\), one for each token"),
    (lambda: WORDY(vocabulary=["a", "a"]), ValueError, "vocabulary has 'a' twice"),
    (lambda: WORDY(vocabulary=["a", ""]), ValueError, "vocabulary holds ''"),
    (lambda: WORDY(vocabulary=[]), ValueError, "vocabulary is empty; expected tokens"),
    (lambda: WORDY(max_tokens=5, **KNOWN), ValueError, "has 6 tokens with the special ones"),
    (lambda: WORDY(**KNOWN).adapt(TEXTS), ValueError, "the layer was given a vocabulary"),
    (lambda: WORDY().adapt(3), TypeError, "data is of type int; expected texts, or an iterable"),
    (lambda: WORDY()(TEXTS), ValueError, "has no vocabulary; call adapt or set_vocabulary first"),
    (lambda: WORDY(**KNOWN)([1, 2]), TypeError, "x holds int values; expected texts"),
    (lambda: WORDY(**KNOWN)([["a", "b"]]), ValueError,
     r"x has shape \(1, 2\); expected \(N,\) or \(N, 1\), texts to be split"),
    (lambda: WORDY(split=lambda texts: [], **KNOWN)(["a"]), ValueError,
     "split returned 0 items for 1 texts"),
    (lambda: WORDY(**KNOWN)(Input((1,), dtype="string")), ValueError,
     "is called with a tensor; expected texts"),
    (lambda: Dense(1)(Input((1,), dtype="string")), ValueError,
     "dense is called with texts; expected TextVectorization before it"),
    (lambda: Sequential([Input((1,), dtype="string"), Dense(1)]), ValueError, "called with texts"),
    (lambda: Sequential([Dense(1), WORDY()]), ValueError, "TextVectorization must come first"),
    (lambda: Sequential([Input((3,)), WORDY()]), ValueError, "TextVectorization must come first"),
    (lambda: Sequential([WORDY(), WORDY()]), ValueError, "TextVectorization must come first"),
    (lambda: Sequential([WORDY(**KNOWN)]).predict(TEXTS), ValueError,
     "the model has no layers after TextVectorization; call that layer itself"),
    (lambda: Sequential([WORDY(output_mode="count"), Dense(1)]).predict(TEXTS), ValueError,
     r"\[predict\] text_vectorization has no vocabulary"),
    (lambda: classifier(WORDY(**KNOWN)).predict(np.ones((2, 3))), TypeError,
     "x holds float values; expected texts"),
    (lambda: Sequential([Dense(1), classifier(WORDY(**KNOWN))]), ValueError,
     "it takes texts; expected its layers"),
    (lambda: classifier(WORDY(**KNOWN))(Input((1,), dtype="string")), ValueError,
     "the model takes texts and is called with a tensor"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_mistakes_are_named(case: int) -> None:
    call, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        call()


def test_pop_and_names() -> None:
    model = Sequential([TextVectorization(**KNOWN, name="words"), Embedding(6, 2), LSTM(3)])
    assert isinstance(model.pop(), LSTM)
    assert [layer.name for layer in model.layers] == ["words", "embedding"]
    assert model.get_layer("words") is model.layers[0]
    model.pop()
    assert isinstance(model.pop(), TextVectorization)
    assert model.layers == []
    model.add(Input((2,)))
    model.add(Dense(1))
    assert model.predict(np.ones((1, 2))).shape == (1, 1)
    assert isinstance(layers.from_config(layers.base.serialize(TextVectorization(**KNOWN))),
                      TextVectorization)  # fmt: skip
    assert isinstance(model, Model)

"""TextVectorization against live Keras, which needs TensorFlow for it, and files with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import layers, models

tf: Any = pytest.importorskip("tensorflow")
keras: Any = pytest.importorskip("keras")
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

TEXTS = [
    "The cat sat on the mat.",
    "  A dog, a CAT and\ta\nrat!  ",
    "",
    "don't stop: 'quoted' words_with_lines, e-mail & 100%",
    "Ärger über Öl, naïve café — the ÉCOLE",
    "cat cat cat dog",
]
NEW = ["the dog and the bird", "CAT.", "", "a rat on a mat, über alles", "x y z [UNK] mat"]


def shouted(texts: Any) -> Any:
    """Of arrays, as elsewhere, or with the backend of TensorFlow of its tensors."""
    if isinstance(texts, np.ndarray):
        return np.char.upper(texts)
    return tf.strings.upper(texts, "utf-8")


CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "few": {"max_tokens": 6},
    "cut": {"output_sequence_length": 3},
    "padded": {"output_sequence_length": 12, "max_tokens": 9},
    "lower": {"standardize": "lower"},
    "strip": {"standardize": "strip_punctuation"},
    "as it is": {"standardize": None},
    "function": {"standardize": shouted},
    "letters": {"split": "character"},
    "whole": {"split": None},
    "pairs": {"ngrams": 2},
    "triples": {"ngrams": (1, 3), "max_tokens": 20},
    "hot": {"output_mode": "multi_hot"},
    "older": {"output_mode": "binary", "max_tokens": 5},
    "count": {"output_mode": "count", "ngrams": 2},
    "wide": {"output_mode": "count", "max_tokens": 50, "pad_to_max_tokens": True},
    "tf_idf": {"output_mode": "tf_idf"},
    "tf_idf of few": {"output_mode": "tf-idf", "max_tokens": 7, "pad_to_max_tokens": True},
}


def same(ours: Any, theirs: Any, mode: str) -> None:
    """Numbers are equal; weights of "tf_idf" are logarithms in float32 of either library."""
    theirs = keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    rtol = 4 * 2.0**-23 if mode.startswith("tf") else 0.0
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=0)


@pytest.mark.parametrize("name", CASES)
def test_values_and_vocabulary(name: str) -> None:
    options = CASES[name]
    mode = options.get("output_mode", "int")
    ours, theirs = layers.TextVectorization(**options), keras.layers.TextVectorization(**options)
    for each in (ours, theirs):
        each.adapt(TEXTS)
    assert ours.get_vocabulary() == list(map(str, theirs.get_vocabulary()))
    assert ours.get_vocabulary(False) == list(map(str, theirs.get_vocabulary(False)))
    assert ours.vocabulary_size() == theirs.vocabulary_size()
    for texts in (TEXTS, NEW, [[text] for text in NEW], np.array(NEW)):
        same(ours(texts), theirs(texts), mode)
    given = layers.TextVectorization(**options), keras.layers.TextVectorization(**options)
    idf = {"idf_weights": np.linspace(1.0, 2.0, 3)} if mode.startswith("tf") else {}
    for each in given:
        each.set_vocabulary(["cat", "the", "mat"], **idf)
    same(given[0](NEW), given[1](NEW), mode)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="texts enter models there alone"
)
@pytest.mark.parametrize(
    "name", ["default", "padded", "count", "wide", "tf_idf", "tf_idf of few", "function"]
)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_files(tmp_path: Path, name: str, ending: str) -> None:
    """Models that take texts, each side's loaded by the other; also with a given vocabulary."""
    options = CASES[name] | {"name": "texts"}
    mode = options.get("output_mode", "int")
    sides = (layers, models, np.array), (keras.layers, keras, keras.ops.convert_to_tensor)
    for (of, at, _), (_, other, _) in (sides, sides[::-1]):
        for given in (False, True):
            text = of.TextVectorization(**options)
            if given:
                idf = {"idf_weights": np.linspace(1.0, 2.0, 3)} if mode.startswith("tf") else {}
                words = ["cat", "the", "mat"]
                text = of.TextVectorization(**options, vocabulary=words, **idf)
            elif ending == "h5" and of is not layers:
                continue  # a vocabulary that was adapted is lost there
            else:
                text.adapt(TEXTS)
            size = options.get("max_tokens", 0) or len(text.get_vocabulary())
            row = [of.Embedding(size, 3), of.LSTM(2)] if mode == "int" else [of.Dense(2)]
            model = at.Sequential([of.Input((1,), dtype="string"), text, *row])
            expected = predicted(model)
            model.save(tmp_path / f"a.{ending}")
            load = getattr(other, "models", other).load_model
            loaded = load(tmp_path / f"a.{ending}", custom_objects={"shouted": shouted})
            np.testing.assert_allclose(predicted(loaded), expected, rtol=0, atol=30 * 2.0**-23)


def predicted(model: Any) -> Any:
    x = np.array(NEW, dtype=object)[:, None]
    if isinstance(model, models.Sequential):
        return model.predict(x, verbose=0)
    return model(tf.constant(x)).numpy()

"""Against live Keras 3: Embedding, its masks, the ids it takes and what it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keras_twins import (
    KERAS,
    OURS,
    TRAINED,
    B,
    T,
    compile_both,
    lstm,
    numbers,
    peer,
    same,
    same_fit,
    same_nets,
    same_outputs,
    twins,
    weights_of,
)

pytestmark = peer

WORDS, WIDTH = 11, 3
# ids repeat within rows and between them; 0 is padding at the end, at the start and in between;
# 9 and 10 do not occur
IDS = np.array(
    [
        [1, 2, 2, 3, 0, 0],
        [0, 0, 4, 1, 5, 8],
        [6, 0, 2, 0, 7, 6],
        [0, 0, 0, 0, 0, 0],
        [8, 7, 6, 5, 4, 1],
    ]
)
TARGET = numbers(B, 2, seed=9)


def encoder(of: Any, mask_zero: bool = False, **options: Any) -> Any:
    ids = of.layers.Input((T,))
    h = of.layers.Embedding(WORDS, WIDTH, mask_zero=mask_zero, **options)(ids)
    return of.models.Model(ids, of.layers.Dense(2)(lstm(of, 3)(h)))


@pytest.mark.parametrize("mask_zero", [False, True])
def test_embedding(mask_zero: bool) -> None:
    ours, theirs = same_nets(lambda of: encoder(of, mask_zero), IDS, TARGET)
    mine, other = ours.layers[1], theirs.layers[1]
    assert [w.name for w in mine.weights] == [w.name for w in other.weights] == ["embeddings"]
    assert tuple(mine.output.shape) == tuple(other.output.shape) == (None, T, WIDTH)
    same(np.asarray(mine.embeddings), weights_of(theirs)[0], TRAINED)


@pytest.mark.parametrize("masked", [False, True])
def test_every_step_out(masked: bool) -> None:
    """The mask travels to the loss: steps of id 0 do not weigh."""

    def build(of: Any) -> Any:
        ids = of.layers.Input((None,), dtype="int32")
        h = of.layers.Embedding(WORDS, WIDTH, mask_zero=masked)(ids)
        h = of.layers.Bidirectional(lstm(of, 2, return_sequences=True))(h)
        return of.models.Model(ids, of.layers.Dense(WORDS, activation="softmax")(h))

    loss = "sparse_categorical_crossentropy"
    ours, theirs = same_nets(build, IDS, IDS, loss=loss, metrics=["accuracy"])
    same_outputs(ours, theirs, IDS[:, :4], TRAINED)  # steps are unknown until then
    assert ours.input_shape == theirs.input_shape == (None, None)


OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda of: of.optimizers.SGD(0.3),
    "momentum": lambda of: of.optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda of: of.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda of: of.optimizers.Adam(0.02, epsilon=1e-2),
    "clipnorm": lambda of: of.optimizers.SGD(0.5, clipnorm=0.05),
    "clipvalue": lambda of: of.optimizers.SGD(0.5, clipvalue=0.03),
    "global_clipnorm": lambda of: of.optimizers.SGD(0.5, global_clipnorm=0.1),
    "adam, clipped": lambda of: of.optimizers.Adam(0.02, epsilon=1e-2, global_clipnorm=0.1),
}


@pytest.mark.parametrize("mask_zero", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str, mask_zero: bool) -> None:
    """Batches of one row: what a step does not touch, momentum and Adam's moments still move."""
    ours, theirs = twins(lambda of: encoder(of, mask_zero))
    before = weights_of(theirs)[0]
    compile_both(ours, theirs, optimizer=OPTIMIZERS[name], loss="mse")
    same_fit(ours, theirs, IDS, TARGET, batch_size=1)
    same(weights_of(ours), weights_of(theirs), TRAINED)
    moved = (weights_of(theirs)[0] != before).any(axis=1)
    assert list(moved) == [not mask_zero, *[True] * 8, False, False]
    np.testing.assert_array_equal(weights_of(ours)[0][~moved], before[~moved])


RULES: dict[str, dict[str, Any]] = {
    "l2": {"embeddings_regularizer": "l2"},
    "l1 of words seen or not": {"embeddings_regularizer": "l1"},
    "max_norm": {"embeddings_constraint": {"class_name": "MaxNorm", "config": {"max_value": 0.3}}},
    "non_neg": {"embeddings_constraint": "non_neg"},
    "unit_norm": {
        "embeddings_constraint": {"class_name": "UnitNorm", "config": {"axis": 1}},
    },
}


@pytest.mark.parametrize("name", RULES)
def test_rules(name: str) -> None:
    """Penalties and constraints are of the whole matrix, words that do not occur too."""
    ours, theirs = twins(lambda of: encoder(of, True, **RULES[name]))
    compile_both(ours, theirs, optimizer=OPTIMIZERS["sgd"], loss="mse")
    same_fit(ours, theirs, IDS, TARGET, batch_size=2)
    same(weights_of(ours), weights_of(theirs), TRAINED)


@pytest.mark.parametrize("of_input", [None, "int32", "int64", "float32"])
@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "float32", "float64", "list"]
)
def test_ids_of_any_kind(dtype: str, of_input: str | None) -> None:
    """Whole numbers are ids, whatever the array or the Input is of."""

    def build(of: Any) -> Any:
        ids = of.layers.Input((T,), dtype=of_input)
        return of.models.Model(ids, lstm(of, 3)(of.layers.Embedding(WORDS, WIDTH)(ids)))

    ours, theirs = twins(build)
    expected = theirs.predict(IDS, verbose=0)
    given = IDS.tolist() if dtype == "list" else IDS.astype(dtype)
    same(ours.predict(given, verbose=0), expected)


def test_ids_beyond_float32() -> None:
    """2^24 + 1 is an id, and no float32."""
    rows = 2**24 + 2
    ids = OURS.layers.Input((1,))
    h = OURS.layers.Embedding(rows, 1, embeddings_initializer="zeros")(ids)
    model = OURS.models.Model(ids, OURS.layers.Flatten()(h))
    matrix = np.zeros((rows, 1), np.float32)
    matrix[-1] = 1.0
    model.set_weights([matrix])
    found = model.predict(np.array([[rows - 1], [rows - 2]]), verbose=0)
    np.testing.assert_array_equal(found, [[1.0], [0.0]])


@pytest.mark.parametrize(
    ("value", "message"), [(2.5, r"2\.5"), (-1, "-1"), (WORDS, str(WORDS)), (np.nan, "nan")]
)
def test_what_is_no_id(value: float, message: str) -> None:
    """Named with its element. (Keras cuts fractions off and takes -1 for the last row.)"""
    model = encoder(OURS)
    ids = IDS.astype(np.float64)
    ids[2, 4] = value
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=message) as caught:
        model.predict(ids, verbose=0)
    assert "2, 4" in str(caught.value)
    with pytest.raises(ValueError, match=message):
        model.fit(ids, TARGET, verbose=0)


def through(of: Any, kind: str) -> Any:
    if kind == "reshape":
        x = of.layers.Input((2, 3))
        return x, of.layers.Reshape((6,))(x)
    if kind == "flatten":
        x = of.layers.Input((2, 3))
        return x, of.layers.Flatten()(x)
    if kind == "permute":
        x = of.layers.Input((2, 3))
        return x, of.layers.Reshape((6,))(of.layers.Permute((2, 1))(x))
    x = of.layers.Input((3,))
    return x, of.layers.Reshape((6,))(of.layers.RepeatVector(2)(x))


@pytest.mark.parametrize("kind", ["reshape", "flatten", "permute", "repeat"])
def test_ids_on_their_way(kind: str) -> None:
    def build(of: Any) -> Any:
        x, ids = through(of, kind)
        h = of.layers.Embedding(WORDS, WIDTH, mask_zero=True)(ids)
        return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(h)))

    x = IDS[:, :3] if kind == "repeat" else IDS.reshape(B, 2, 3)
    same_nets(build, x, TARGET)


def test_one_input_for_embedding_and_more() -> None:
    """As ids for the one, as numbers for the other."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T,))
        h = lstm(of, 3)(of.layers.Embedding(WORDS, WIDTH)(x))
        return of.models.Model(x, of.layers.Dense(2)(of.layers.concatenate([h, x])))

    same_nets(build, IDS, TARGET, rate=0.01)


def test_two_texts_and_one_vocabulary() -> None:
    """One Embedding reads two inputs: the gradients of both add, of the same ids too."""

    def build(of: Any) -> Any:
        a, b = of.layers.Input((T,)), of.layers.Input((4,))
        words = of.layers.Embedding(WORDS, WIDTH, mask_zero=True)
        h = of.layers.multiply([lstm(of, 3)(words(a)), lstm(of, 3)(words(b))])
        return of.models.Model([a, b], of.layers.Dense(2)(h))

    same_nets(build, [IDS, IDS[::-1, :4]], TARGET, rate=0.5)


def test_words_beside_numbers() -> None:
    """Ids, categories and numbers, each its own input; a mask of zeros of one of them."""

    def build(of: Any) -> Any:
        ids, kind, x = of.layers.Input((T,)), of.layers.Input((1,)), of.layers.Input((T, 2))
        words = of.layers.Embedding(WORDS, WIDTH, mask_zero=True)(ids)
        kinds = of.layers.Flatten()(of.layers.Embedding(4, 2)(kind))
        h = lstm(of, 3)(of.layers.concatenate([words, x]))
        return of.models.Model(
            [ids, kind, x], of.layers.Dense(2)(of.layers.concatenate([h, kinds]))
        )

    x = [IDS, np.array([[3], [0], [1], [1], [2]]), numbers(B, T, 2)]
    same_nets(build, x, TARGET)


@pytest.mark.parametrize("form", ["first", "input_length", "input_shape", "Input"])
def test_first_in_a_sequential(form: str) -> None:
    def build(of: Any) -> Any:
        keywords = {"input_length": {"input_length": T}, "input_shape": {"input_shape": (T,)}}
        words = of.layers.Embedding(WORDS, WIDTH, mask_zero=True, **keywords.get(form, {}))
        first = [of.layers.Input((None,))] if form == "Input" else []
        model = of.models.Sequential([*first, words, lstm(of, 3), of.layers.Dense(2)])
        if form == "first" or (of.module is KERAS and form == "input_length"):
            model.build((None, T))  # Keras takes no notice of input_length
        return model

    same_nets(build, IDS, TARGET)


def test_batch_input_shape() -> None:
    """Keras 2's way, which Keras 3 has no more: a stateful model over ids."""
    layers = OURS.layers
    first = layers.Embedding(WORDS, WIDTH, batch_input_shape=(B, T))
    ours = OURS.models.Sequential([first, lstm(OURS, 3, stateful=True), layers.Dense(2)])
    theirs = KERAS.models.Sequential(
        [
            KERAS.layers.Input((T,), B),
            KERAS.layers.Embedding(WORDS, WIDTH),
            lstm(KERAS, 3, stateful=True),
            KERAS.layers.Dense(2),
        ]
    )
    ours.set_weights(theirs.get_weights())
    for _ in range(2):
        expected = theirs.predict(IDS, batch_size=B, verbose=0)
        same(ours.predict(IDS, batch_size=B, verbose=0), expected)


def test_given_weights() -> None:
    """Vectors made elsewhere: ``weights=[matrix]``."""
    matrix = numbers(WORDS, WIDTH)
    for of in (OURS, KERAS):
        layers = of.layers
        words = layers.Embedding(WORDS, WIDTH, weights=[matrix], trainable=False)
        model = of.models.Sequential([layers.Input((T,)), words])
        np.testing.assert_array_equal(model.predict(IDS, verbose=0), matrix[IDS])
        assert not model.trainable_weights

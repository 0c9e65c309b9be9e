"""Files of Keras against live Keras: each predicts what the other does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_file_models import MODELS, OWN, answers
from lstmfast import layers, models

keras: Any = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:.*the mask ends at"),
    pytest.mark.filterwarnings("ignore:.*does not support mask"),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    pytest.mark.filterwarnings("ignore:.*saving your model as an HDF5"),
]
cases = pytest.mark.parametrize("name", MODELS)
endings = pytest.mark.parametrize("ending", ["keras", "h5"])
# outputs are below 1, of at most 30 terms each; both round in float32
close = {"rtol": 0, "atol": 30 * 2.0**-23}


def check(ours: list[Any], theirs: list[Any]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, **close)


@cases
@endings
def test_of_keras(tmp_path: Path, name: str, ending: str) -> None:
    model, inputs = MODELS[name](keras.layers, keras)
    model.save(tmp_path / f"a.{ending}")
    model.save_weights(tmp_path / "a.weights.h5")
    expected = answers(model, inputs)
    fresh, _ = MODELS[name](layers, models)
    loaded = models.load_model(tmp_path / f"a.{ending}", custom_objects=OWN["lstmfast"])
    check(answers(loaded, inputs), expected)
    theirs = {layer.name: layer.trainable for layer in model.layers}
    ours = {layer.name: layer.trainable for layer in loaded.layers if layer.name in theirs}
    assert ours == theirs
    if name != "operations":  # nodes here, and no layers there
        assert [layer.name for layer in loaded.layers] == list(theirs)
    fresh.load_weights(tmp_path / "a.weights.h5")
    check(answers(fresh, inputs), expected)


@cases
@endings
def test_of_ours(tmp_path: Path, name: str, ending: str) -> None:
    model, inputs = MODELS[name](layers, models)
    model.save(tmp_path / f"a.{ending}")
    model.save_weights(tmp_path / "a.weights.h5")
    expected = answers(model, inputs)
    fresh, _ = MODELS[name](keras.layers, keras)
    loaded = keras.models.load_model(tmp_path / f"a.{ending}", custom_objects=OWN["keras"])
    check(answers(loaded, inputs), expected)
    fresh.load_weights(tmp_path / "a.weights.h5")
    check(answers(fresh, inputs), expected)


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_how_it_was_compiled(tmp_path: Path, ending: str) -> None:
    model, (x,) = MODELS["row"](keras.layers, keras)
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9), keras.losses.MeanAbsoluteError(), metrics=["mse"]
    )
    y = np.ones((2, 2), np.float32)
    model.save(tmp_path / f"a.{ending}")
    loaded = models.load_model(tmp_path / f"a.{ending}")
    expected, found = model.evaluate(x, y, verbose=0), loaded.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(found, expected, **close)
    assert loaded.optimizer.momentum == 0.9
    assert np.float32(loaded.optimizer.learning_rate) == np.float32(0.1)


@pytest.mark.parametrize("name", ["attention", "own", "cells"])
@pytest.mark.parametrize("of", ["keras", "lstmfast"])
def test_training_goes_on(tmp_path: Path, name: str, of: str) -> None:
    """Where the other loads the model after three steps of Adam, the next three are the same."""
    sides = {"lstmfast": (layers, models), "keras": (keras.layers, keras.models)}
    first, second = (sides[of], sides["keras" if of == "lstmfast" else "lstmfast"])
    MODELS[name](*second)
    model, (x,) = MODELS[name](*first)
    model.compile("adam", "mse")
    targets = [np.full_like(each, 0.5) for each in answers(model, [x])]
    model.fit(x, targets, epochs=3, verbose=0, shuffle=False)
    model.save(tmp_path / "a.keras")
    own = OWN["keras" if of == "lstmfast" else "lstmfast"]
    loaded = second[1].load_model(tmp_path / "a.keras", custom_objects=own)
    runs = [one.fit(x, targets, epochs=3, verbose=0, shuffle=False) for one in (model, loaded)]
    losses, others = (np.array(run.history["loss"]) for run in runs)
    np.testing.assert_allclose(losses, others, rtol=1e-5)


def own_model(of: Any, layers_of: Any) -> type:
    class Net(of.Model):  # type: ignore[misc]
        def __init__(self, size: int = 3, **options: Any) -> None:
            super().__init__(**options)
            self.size = size
            self.lstm = layers_of.LSTM(size, return_sequences=True)
            self.ends = [layers_of.Dense(1), layers_of.Dense(2)]

        def call(self, x: Any) -> Any:
            h = self.lstm(x)
            return [end(h[:, -1]) for end in self.ends]

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"size": self.size}

    return Net


def test_models_of_ones_own(tmp_path: Path) -> None:
    """A model with ``call``: whole, and its weights alone."""
    ours, theirs = own_model(models, layers), own_model(keras, keras.layers)
    x = MODELS["row"](layers, models)[1]
    for first, second, load in (
        (ours, theirs, keras.models.load_model),
        (theirs, ours, models.load_model),
    ):
        model = first(4, name="net")
        expected = answers(model, x)
        model.save(tmp_path / "a.keras")
        model.save_weights(tmp_path / "a.weights.h5")
        loaded = load(tmp_path / "a.keras", custom_objects={"Net": second})
        assert type(loaded) is second
        check(answers(loaded, x), expected)
        fresh = second(4)
        answers(fresh, x)
        fresh.load_weights(tmp_path / "a.weights.h5")
        check(answers(fresh, x), expected)


@endings
def test_functions_without_names(tmp_path: Path, ending: str) -> None:
    """Keras needs no code for a lambda of ours, and ours that of Keras by the layer's name."""
    x = MODELS["row"](layers, models)[1]
    start = layers.Input((5, 3))
    y = layers.Lambda(lambda x: x[:, 1:] * 2.0, name="twice")(layers.Dense(2)(start))
    model = models.Model(start, models.Sequential([layers.Input((4, 2)), layers.LSTM(2)])(y))
    model.save(tmp_path / f"a.{ending}")
    check(answers(keras.models.load_model(tmp_path / f"a.{ending}"), x), answers(model, x))

    def function(x: Any) -> Any:
        return x * 2.0

    row = [keras.layers.Input((5, 3)), keras.layers.Lambda(lambda x: x * 2.0, name="twice")]
    theirs = keras.Sequential(row)
    theirs.save(tmp_path / f"b.{ending}")
    with pytest.raises(ValueError, match=r"'twice' \(Lambda\): it holds code .*{'twice': \.\.\.}"):
        models.load_model(tmp_path / f"b.{ending}", safe_mode=False)
    loaded = models.load_model(tmp_path / f"b.{ending}", custom_objects={"twice": function})
    check(answers(loaded, x), answers(theirs, x))


def test_operations_that_are_not_here(tmp_path: Path) -> None:
    x = keras.layers.Input((5, 3))
    for y, words in (
        (keras.ops.roll(x, 1, axis=1), "'roll' is Keras's operation Roll, which is not here"),
        (keras.ops.mean(x), r"'mean.*' \(Mean\): .*axis is None, which takes the batch too"),
    ):
        keras.Model(x, y).save(tmp_path / "a.keras")
        with pytest.raises(ValueError, match=words):
            models.load_model(tmp_path / "a.keras")


def masked_models() -> list[Any]:
    """Models with masks that the user gives, and with those that come with tensors."""
    of, ops = keras.layers, keras.ops
    x, ids = keras.Input((5, 2)), keras.Input((5,), dtype="int32")
    marks = [of.Embedding(7, 4, mask_zero=True) for _ in range(3)]
    given = ops.not_equal(ids, 0)
    return [
        keras.Model([x, ids], of.LSTM(3)(x, mask=given)),
        keras.Model([x, ids], of.Bidirectional(of.GRU(3))(x, mask=ops.cast(ids, "bool"))),
        keras.Model([x, ids], of.GlobalAveragePooling1D()(x, mask=given)),
        keras.Model([x, ids], of.LSTM(3)(marks[0](ids) * 2.0, mask=marks[0].compute_mask(ids))),
        keras.Model([x, ids], of.LSTM(3)(of.LSTM(3, return_sequences=True)(marks[1](ids)))),
        keras.Model([x, ids], of.LSTM(3)(of.Concatenate()([of.Masking()(x), marks[2](ids)]))),
    ]


def test_masks_that_are_given(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x, ids = rng.random((3, 5, 2)), rng.integers(0, 3, (3, 5))
    ids[:, 0] = 1
    for theirs in masked_models():
        theirs.save(tmp_path / "a.keras")
        loaded = models.load_model(tmp_path / "a.keras")
        check([loaded.predict([x, ids])], [theirs.predict([x, ids], verbose=0)])

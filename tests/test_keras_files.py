"""Files of Keras: what is written is read again, and what cannot be is refused by name."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_file_models import MODELS, OWN, answers
from lstmfast import layers, models, ops
from lstmfast.callbacks import ModelCheckpoint
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.layers._operations import Operation
from lstmfast.models import EncoderDecoder, Model, Sequential, load_model
from lstmfast.utils import set_random_seed

h5py = pytest.importorskip("h5py")
pytestmark = pytest.mark.filterwarnings("ignore:.*the mask ends at")
each = pytest.mark.parametrize("name", MODELS)


@each
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_models(tmp_path: Path, name: str, ending: str) -> None:
    model, inputs = MODELS[name](layers, models)
    path = tmp_path / f"model.{ending}"
    model.save(path)
    loaded = load_model(path, custom_objects=OWN["lstmfast"])
    assert type(loaded) is type(model)
    assert loaded.name == model.name
    ours, theirs = (
        [layer for layer in each.layers if not isinstance(layer, Operation)]
        for each in (loaded, model)
    )
    assert [layer.name for layer in ours] == [layer.name for layer in theirs]
    assert [layer.get_config() for layer in ours if not layer.layers_inside()] == [
        layer.get_config() for layer in theirs if not layer.layers_inside()
    ]
    assert all(map(np.array_equal, answers(loaded, inputs), answers(model, inputs)))


@each
@pytest.mark.parametrize("ending", ["keras", "h5", "weights.h5"])
def test_weights(tmp_path: Path, name: str, ending: str) -> None:
    model, inputs = MODELS[name](layers, models)
    other, _ = MODELS[name](layers, models)
    path = tmp_path / f"model.{ending}"
    (model.save_weights if "weights" in ending else model.save)(path)
    other.load_weights(path)
    assert all(map(np.array_equal, other.get_weights(), model.get_weights()))
    assert all(map(np.array_equal, answers(other, inputs), answers(model, inputs)))


def test_the_best_model_of_a_fit(tmp_path: Path) -> None:
    set_random_seed(0)
    model, (x,) = MODELS["row"](layers, models)
    path = tmp_path / "best_model.h5"
    best = ModelCheckpoint(path, monitor="loss", save_best_only=True)
    model.compile("sgd", "mse")
    model.fit(x, np.ones((2, 2)), epochs=2, verbose=0, callbacks=[best])
    assert all(map(np.array_equal, load_model(path).get_weights(), model.get_weights()))


def small(**options: Any) -> Sequential:
    return Sequential([LSTM(2, input_shape=(3, 1), name="first", **options), Dense(1, name="last")])


@pytest.mark.parametrize(
    ("option", "value"),
    [("peephole", True), ("zoneout_h", 0.5), ("output_activation", "relu"), ("proj_size", 1)],
)
def test_options_that_keras_lacks(tmp_path: Path, option: str, value: Any) -> None:
    path = tmp_path / "a.keras"
    message = rf"^\[save\] layer 'first' has {option}={value!r}; Keras has no {option}; expected"
    with pytest.raises(ValueError, match=message):
        small(**{option: value}).save(path)
    assert not path.exists()


class Own(layers.Layer):
    def call(self, x: Any) -> Any:
        return x * 2.0


class OwnModel(Model):
    def call(self, x: Any) -> Any:
        return x * 2.0


def made(change: Any) -> Model:
    x = Input((5, 3))
    return Model(x, change(x))


def own_model() -> Model:
    model = OwnModel(name="mine")
    model.build((None, 5, 3))
    return model


def encoder_decoder() -> Model:
    return EncoderDecoder(Sequential([Input((5, 3)), LSTM(2)]), 2, features=1, name="both")


class Unsaid(Own):
    def get_config(self) -> dict[str, Any]:
        return {"what": object()}


LACKING = {
    "array": (
        lambda: made(lambda x: ops.concatenate([x, np.ones((5, 1))], axis=-1)),
        "an array that layer 'concatenate' takes",
    ),
    "array in a function": (
        lambda: made(
            layers.Lambda(lambda x: ops.concatenate([x, np.ones((5, 1))], axis=-1), name="joined")
        ),
        "in layer 'joined': an array that layer 'concatenate' takes",
    ),
    "inside": (
        lambda: made(layers.TimeDistributed(layers.MixtureDensity(1, 2, name="last"))),
        "layer 'last', of the class MixtureDensity,",
    ),
    "in a model": (
        lambda: made(Sequential([Input((5, 3)), layers.MixtureDensity(1, 2, name="last")])),
        "layer 'last', of the class MixtureDensity,",
    ),
    "decoder input": (
        lambda: made(layers.DecoderInput(name="late")),
        "layer 'late', of the class DecoderInput,",
    ),
    "EncoderDecoder": (encoder_decoder, "model 'both', of the class EncoderDecoder,"),
}


@pytest.mark.parametrize("name", LACKING)
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_what_keras_lacks(tmp_path: Path, name: str, ending: str) -> None:
    make, words = LACKING[name]
    with pytest.raises(ValueError, match=rf"^\[save\] {words}.* cannot stand in Keras's files"):
        make().save(tmp_path / f"a.{ending}")
    assert not list(tmp_path.iterdir())


def test_models_of_ones_own(tmp_path: Path) -> None:
    model = own_model()
    with pytest.raises(
        ValueError, match=r"\[save\] model 'mine', of the class OwnModel, .* \.keras"
    ):
        model.save(tmp_path / "a.h5")
    model.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match=r"class OwnModel; .*custom_objects={'OwnModel': \.\.\.}"):
        load_model(tmp_path / "a.keras")
    loaded = load_model(tmp_path / "a.keras", custom_objects={"OwnModel": OwnModel})
    assert type(loaded) is OwnModel
    x = np.ones((2, 5, 3))
    assert np.array_equal(loaded.predict(x, verbose=0), 2.0 * x)


def test_own_configurations(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'mine', of the class Unsaid: get_config .*JSON"):
        made(Unsaid(name="mine")).save(tmp_path / "a.keras")
    made(Own(name="mine")).save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match=r"layer 'mine' is of the class Own, .*custom_objects="):
        load_model(tmp_path / "a.keras")


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_functions_without_names(tmp_path: Path, ending: str) -> None:
    """They are saved as what they compute, next to models inside, whose weights are numbered."""
    path, x = tmp_path / f"a.{ending}", np.linspace(-1.0, 1.0, 30).reshape(2, 5, 3)
    start = Input((5, 3))
    inner = Model(start, Dense(2)(start))
    model = Sequential(
        [
            Input((5, 3)),
            layers.Lambda(lambda x: x * 2.0 + np.ones(3), name="twice"),
            inner,
            layers.TimeDistributed(layers.Lambda(lambda x: ops.softmax(x) > 0.5)),
        ]
    )
    model.save(path)
    loaded = load_model(path)
    assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert type(loaded.get_layer("twice")) is Model
    loaded.save(path)
    again = load_model(path)
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def changed(path: Path, change: Any) -> None:
    """Write a .keras file again with another configuration."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_what_is_not_here(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"

    def check(words: str, change: Any) -> None:
        small().save(path)
        changed(path, change)
        with pytest.raises(ValueError, match=rf"^\[load_model\] .*a\.keras: {words}"):
            load_model(path)

    def layer(at: int, **new: Any) -> Any:
        return lambda config: config["config"]["layers"][at].update(new)

    def setting(at: int, **new: Any) -> Any:
        return lambda config: config["config"]["layers"][at]["config"].update(new)

    check(r"layer 'last' is of the class Conv4D, which is not", layer(2, class_name="Conv4D"))
    check(r"layer 'first' \(LSTM\): .*units is 0", setting(1, units=0))
    check(r"layer 'first' \(LSTM\): .*activation is 'gold'", setting(1, activation="gold"))
    check(
        "the model is of class Own; expected Sequential or Functional, or custom_objects=",
        lambda c: c.update(class_name="Own"),
    )
    check(r"'config'", lambda c: c.pop("config"))
    check(r".*kernel has shape \(2, 1\); expected \(2, 5\)", setting(2, units=5))


def test_damaged_files(tmp_path: Path) -> None:
    model = small()
    before = model.get_weights()
    for ending in ("keras", "h5"):
        path = tmp_path / f"a.{ending}"
        model.save(path)
        content = path.read_bytes()
        for size in range(0, len(content), len(content) // 7):
            path.write_bytes(content[:size])
            with pytest.raises(ValueError, match=rf"^\[load_model\] .*a\.{ending}: "):
                load_model(path)
            with pytest.raises(ValueError, match=rf"^\[load_weights\] .*a\.{ending}: "):
                model.load_weights(path)
    assert all(map(np.array_equal, model.get_weights(), before))


def test_files_that_are_there_or_not(tmp_path: Path) -> None:
    model = small()
    for name, save in {"a.keras": model.save, "a.weights.h5": model.save_weights}.items():
        path = tmp_path / name
        with pytest.raises(
            FileNotFoundError, match=rf"\[load_weights\] .*{name}: there is no such"
        ):
            model.load_weights(path)
        save(path)
        content = path.read_bytes()
        with pytest.raises(FileExistsError, match=rf"\[save\] .*{name} exists; pass overwrite"):
            save(path, overwrite=False)
        assert path.read_bytes() == content
    with pytest.raises(
        ValueError, match=r"\[save_weights\] .*expected a name that ends in .weights"
    ):
        model.save_weights(tmp_path / "b.h5")


def test_weights_of_another_model(tmp_path: Path) -> None:
    path = tmp_path / "a.weights.h5"
    small().save_weights(path)
    x = Input((3, 1))
    other = Model(x, Dense(1)(LSTM(3)(x)))
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"\[load_weights\] .*a\.weights\.h5: lstm\.kernel has"):
        other.load_weights(path)
    assert all(map(np.array_equal, other.get_weights(), before))

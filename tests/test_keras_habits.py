"""What scripts written for Keras and TensorFlow do with models, layers and arrays."""

from __future__ import annotations

import importlib
import json
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import initializers
from lstmfast.layers import (
    LSTM,
    Activation,
    Dense,
    Embedding,
    Input,
    InputLayer,
    Layer,
    LeakyReLU,
)
from lstmfast.models import Model, Sequential, clone_model, load_model, model_from_json

keras: Any = lf.keras
ops: Any = lf.ops  # many of whose names are made in a loop
RNG = np.random.default_rng(0)
X = RNG.random((4, 5, 2)).astype(np.float32)
TABLE = RNG.random((7, 3))


def row() -> Sequential:
    return Sequential([Input((5, 2)), LSTM(4), Dense(1)], seed=0)


def branched() -> Model:
    x = Input((5, 2))
    y, h, c = LSTM(4, return_state=True)(x)
    return Model(x, {"a": Dense(1)(y), "b": h * ops.tanh(c)})


# -- constants -----------------------------------------------------------------------------------


def test_a_constant_array_fills_weights_and_stretches() -> None:
    layer = Embedding(7, 3, embeddings_initializer=initializers.Constant(TABLE), trainable=False)
    np.testing.assert_array_equal(layer(np.arange(7)[None])[0], TABLE.astype(np.float32))
    np.testing.assert_array_equal(initializers.Constant([1, 2])((2, 2)), [[1, 2], [1, 2]])
    again = initializers.get(
        json.loads(json.dumps(initializers.serialize(initializers.Constant(TABLE))))
    )
    assert again == initializers.Constant(TABLE.tolist()) != initializers.Constant(TABLE + 1)
    assert hash(again) == hash(initializers.Constant(TABLE))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1.0, np.nan], r"\[Constant\] value\[1\] is nan; expected a finite number"),
        (["a"], r"\[Constant\] value holds <U1 values; expected real numbers"),
        ([1.0, 2.0, 3.0], r"\[Constant\] value has shape \(3,\); expected one that fits \(2, 2\)"),
    ],
)
def test_other_constants_are_refused(value: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        initializers.Constant(value)((2, 2))


def test_constants_in_keras_s_files(tmp_path: Any) -> None:
    pytest.importorskip("h5py")
    start = initializers.Constant(TABLE)
    model = Sequential([Input((4,)), Embedding(7, 3, embeddings_initializer=start)])
    model.save(tmp_path / "m.keras")
    layer: Any = load_model(tmp_path / "m.keras").layers[0]
    assert layer.embeddings_initializer == start


# -- arrays --------------------------------------------------------------------------------------


def test_results_have_numpy() -> None:
    model = row()
    y: Any = model(X)
    assert type(y.numpy()) is np.ndarray
    np.testing.assert_array_equal((2 * y).numpy(), 2 * model.predict(X))
    assert type(model.predict(X)) is np.ndarray
    assert repr(y) == repr(y.numpy())
    assert isinstance(y.mean(), np.float32)
    assert keras.losses.mse([[1.0]], [[3.0]]).numpy().tolist() == [4.0]
    assert Dense(2)(y).shape == (4, 2)
    assert branched()(X)["b"].numpy().shape == (4, 4)


def test_the_seed_by_tensorflow_s_name() -> None:
    lf.random.set_seed(7)
    first = row().get_weights()[0]
    lf.random.set_seed(7)
    np.testing.assert_array_equal(row().get_weights()[0], first)


# -- models from models --------------------------------------------------------------------------


@pytest.mark.parametrize("make", [row, branched])
def test_models_from_text_and_clones(make: Any) -> None:
    model = make()
    for made in (model_from_json(model.to_json(indent=1)), clone_model(model)):
        assert type(made) is type(model)
        assert made.name == model.name
        made.set_weights(model.get_weights())
        np.testing.assert_equal(made.predict(X), model.predict(X))
        made.set_weights([0 * weight for weight in model.get_weights()])
    assert any(weight.any() for weight in model.get_weights())


def test_clones_with_arguments() -> None:
    model = branched()
    assert clone_model(model, clone_function=lambda layer: layer).layers[1] is model.layers[1]
    start = Input((5, 2))
    assert clone_model(model, start).inputs == [start]
    nested = Sequential([Input((5, 2)), row()])
    clone = clone_model(nested, start)
    assert clone.input_shape == (None, 5, 2)
    assert clone.layers[0] is not nested.layers[0]
    assert clone.count_params() == nested.count_params()
    unbuilt = clone_model(Sequential([Dense(3)]))
    assert not unbuilt.built


class Scaled(Model):
    def __init__(self, factor: float = 2.0, **more: Any) -> None:
        super().__init__(**more)
        self.factor = factor
        self.head = Dense(1)

    def call(self, x: Any) -> Any:
        return self.factor * self.head(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


def test_clones_and_texts_of_a_class_of_one_s_own() -> None:
    model: Any = Scaled(3.0)
    model.build((None, 2))
    clone: Any = clone_model(model)
    assert (clone.factor, clone.built) == (3.0, False)
    made: Any = model_from_json(model.to_json(), {"Scaled": Scaled})
    assert made.factor == 3.0
    with pytest.raises(ValueError, match=r"\[clone_model\] clone_function or input_tensors is"):
        clone_model(model, Input((2,)))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: keras.models.clone_model(Dense(1)),
            r"\[clone_model\] model is of type Dense; expected a model",
        ),
        (
            lambda: keras.models.clone_model(row(), None, 3),
            r"\[clone_model\] clone_function is of type int; ex",
        ),
        (
            lambda: clone_model(branched(), [Input((5, 2)), Input((5, 2))]),
            r"\[clone_model\] input_tensors has 2 tensors; expected 1",
        ),
        (
            lambda: keras.models.model_from_json(3),
            r"\[model_from_json\] json_string is of type int; expected a s",
        ),
        (lambda: model_from_json("{"), r"\[model_from_json\] Expecting property name"),
        (lambda: model_from_json("{}"), r"\[model_from_json\] 'class_name'"),
    ],
)
def test_refused_clones_and_texts(call: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        call()


# -- activations ---------------------------------------------------------------------------------


def test_activations_of_arrays() -> None:
    x = np.array([[-1.0, 2.0, 0.5], [0.0, -3.0, 1.0]])
    np.testing.assert_array_equal(keras.activations.relu(x), np.maximum(x, 0))
    np.testing.assert_array_equal(keras.activations.relu(x[0, 0]), 0.0)
    powers = np.exp(x)
    for found, rows in (
        (keras.activations.softmax(x), powers),
        (keras.activations.softmax(x[0]), powers[0]),
    ):
        np.testing.assert_allclose(found, rows / rows.sum(axis=-1, keepdims=True), rtol=1e-14)


def test_functions_as_activations() -> None:
    functions = (ops.tanh, ops.relu, ops.softmax, ops.gelu, ops.leaky_relu)
    names = [Dense(2, activation=function).activation for function in functions]
    assert names == ["tanh", "relu", "softmax", "gelu", "leaky_relu"]
    cell: Any = LSTM(2, activation=ops.relu, recurrent_activation=ops.hard_sigmoid)
    assert (cell.activation, cell.recurrent_activation) == ("relu", "hard_sigmoid")
    assert Activation(ops.tanh).activation == "tanh"
    for function in (lambda x: ops.tanh(x) * 2, LeakyReLU()):
        with pytest.raises(TypeError, match=r"a layer of their own after this one, Lambda\(func"):
            Dense(2, activation=function)
    doubled = Activation(lambda x: 2 * ops.tanh(x), name="doubled")
    np.testing.assert_allclose(doubled(X), 2 * np.tanh(X), rtol=1e-5)
    assert doubled.name == "doubled"
    np.testing.assert_array_equal(Activation(LeakyReLU())(X - 0.5), LeakyReLU()(X - 0.5))
    with pytest.raises(TypeError, match="activation is of type int; expected a name such as"):
        Activation(3)


# -- older names and forms -----------------------------------------------------------------------


def test_modules_by_their_older_names() -> None:
    older = {
        "engine.topology": "Layer",
        "layers.recurrent": "LSTM",
        "optimizers.legacy": "Adam",
        "utils.np_utils": "to_categorical",
    }
    for module, name in older.items():
        found = getattr(importlib.import_module(f"lstmfast.keras.{module}"), name)
        family = module.partition(".")[0].replace("engine", "layers")
        assert found is getattr(getattr(keras, family), name)
    assert keras.layers.core.Dense is keras.layers.Dense
    assert keras.constraints.maxnorm is keras.constraints.MaxNorm


def test_older_shapes() -> None:
    assert LSTM(3, input_dim=5, input_length=4).input_shape == (4, 5)
    assert InputLayer(input_shape=(5, 2)).output_shape == (None, 5, 2)
    assert InputLayer(batch_input_shape=(4, 5, 2)).output_shape == (4, 5, 2)
    for refused in (
        lambda: Dense(3, input_dim=5, input_length=4),
        lambda: LSTM(3, input_length=4),
    ):
        with pytest.raises(ValueError, match="input_length is given; expected input_dim with it"):
            refused()


def test_calls_by_keras_s_name_of_x_and_no_epochs() -> None:
    model = row()
    np.testing.assert_array_equal(model(inputs=X), model(X))
    model.compile("adam", "mse")
    assert model.fit(X, X[:, 0, :1], epochs=0, verbose=0).history == {}


def test_hdf5_and_save_format(tmp_path: Any) -> None:
    pytest.importorskip("h5py")
    model = row()
    with pytest.warns(UserWarning, match=r"\[save\] save_format is 'h5'; the end of the name says"):
        model.save(tmp_path / "m.hdf5", save_format="h5")
    np.testing.assert_array_equal(load_model(tmp_path / "m.hdf5").predict(X), model.predict(X))


def test_masks_that_are_tensors() -> None:
    ids = np.array([[1, 2, 0, 0], [3, 0, 4, 5]])
    x = Input((None,), dtype="int32")
    table = Embedding(9, 4, mask_zero=True)
    plain = Embedding(9, 4)
    lstm = LSTM(3)
    want = Model(x, lstm(table(x)))
    given = Model(x, lstm(plain(x), mask=table.compute_mask(x)))
    plain.set_weights(table.get_weights())
    np.testing.assert_array_equal(given.predict(ids), want.predict(ids))
    with pytest.raises(ValueError, match=r"mask has samples of shape \(5,\); expected \(\?,\)"):
        lstm(plain(x), mask=Input((5,)))


def test_names_of_one_s_own_objects() -> None:
    class Mine(Layer):
        def call(self, x: Any) -> Any:
            return 2 * x

    before = dict(keras.utils.get_custom_objects())
    with keras.utils.custom_object_scope({"Mine": Mine}):
        made = model_from_json(Sequential([Input((3,)), Mine()]).to_json())
        assert type(made.layers[0]) is Mine
    assert keras.saving.get_custom_objects() == before
    with pytest.raises(TypeError, match=r"\[CustomObjectScope\] custom_objects is of type list"):
        keras.saving.CustomObjectScope([Mine])


# -- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda m: m.compile("adam", "mse", metric=["mae"]),
            r"\[compile\] got .* mean 'metrics'\?",
        ),
        (
            lambda m: m.fit(X, X[:, 0], epoch=3),
            r"\[fit\] got an .*'epoch'; did you mean 'epochs'\?",
        ),
        (lambda m: m.evaluate(X, step=1), r"\[evaluate\] got .*'step'; did you mean 'steps'\?"),
        (lambda m: m.predict(X, workers=1), r"\[predict\] got an unexpected keyword .* 'workers'$"),
        (lambda m: m.fit(batches_of), r"\[fit\] x is a function that makes a generator once it is"),
    ],
)
def test_mistakes_are_named(call: Any, text: str) -> None:
    model = row()
    model.compile("adam", "mse")
    with pytest.raises(TypeError, match=text):
        call(model)


def batches_of() -> Any:
    yield X, X[:, 0, :1]


def test_outputs_of_one_class_warn_once() -> None:
    model = Sequential([Input((5, 2)), LSTM(3), Dense(1, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    y = np.ones((4, 1))
    with pytest.warns(UserWarning, match=r"\[fit\] dense") as told:
        model.fit(X, y, verbose=0)
    assert [str(each.message).partition(";")[0] for each in told] == [
        "[fit] dense: softmax of one value is always 1",
        "[fit] dense has one value, and categorical_crossentropy needs one for each class",
    ]
    model.fit(X, y, verbose=0)  # warnings are errors here


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_file_of_something_else(tmp_path: Any, ending: str) -> None:
    pytest.importorskip("h5py")
    path = tmp_path / f"g{ending}"
    path.write_text("garbage")
    with pytest.raises(ValueError, match=r"it is neither a zip archive nor HDF5, as Keras's files"):
        load_model(path)

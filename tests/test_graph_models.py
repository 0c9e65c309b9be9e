"""`lstmfast.models.Model`: tensors, graphs between them, shared layers, freezing, masks."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from graph_cases import FLAT, B, I, T, X, two_branches
from lstmfast import models
from lstmfast.layers import (
    LSTM,
    Add,
    Bidirectional,
    Concatenate,
    Dense,
    Embedding,
    Flatten,
    Input,
    InputLayer,
    Masking,
)
from lstmfast.models import Model, Sequential

# -- tensors --------------------------------------------------------------------------------


def test_tensors() -> None:
    x = Input((None, I), batch_size=2, name="x")
    assert (x.shape, x.dtype, x.name, x.batch_size) == ((2, None, I), "float32", "x", 2)
    y, h, c = LSTM(4, return_sequences=True, return_state=True)(x)
    assert [tensor.shape for tensor in (y, h, c)] == [(2, None, 4), (2, 4), (2, 4)]
    assert len({x.name, y.name, h.name, c.name}) == 4
    assert y == y.node.layer.output[0]
    assert y != h
    assert len({y, y.node.layer.output[0], h}) == 2
    assert repr(x) == "<Input shape=(2, ?, 3), name=x>"
    assert repr(h).startswith("<Tensor shape=(2, 4), dtype=float32, name=tensor_")
    assert Input((3,), dtype="float64").dtype == "float64"
    assert Input((3,), dtype=np.int64).dtype == "int64"
    assert Input(batch_shape=(2, None)).shape == (2, None)
    with pytest.raises(TypeError, match="x is of type Input and cannot be read as an array: "):
        models.Sequential([Dense(1)]).predict(x)
    assert (x.layer.output_shape, Input((3,)).layer.output_shape) == ((2, None, I), (None, 3))


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (len, r"\[Tensor.__len__\] x is a .*; expected x.shape\[axis\]"),
        (float, r"\[Tensor.__float__\] x is a .*; expected a function of lstmfast.ops, or a layer"),
        (list, r"\[Tensor.__iter__\] x is"),
        (bool, r"\[Tensor.__bool__\] x is .*expected a condition in values: ops.where"),
        (np.asarray, r"\[Tensor.__array__\] x is a tensor of a graph, which has no values until"),
        (np.exp, r"\[numpy.exp\] x is"),
        (lambda x: np.concatenate([x, x]), r"\[numpy.concatenate\] x is .*\.py, line [0-9]+\)"),
        (lambda x: x[0], r"\[Tensor.__getitem__\] x is .*each sample is computed alone"),
    ],
)
def test_tensors_have_no_values(use: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        use(Input((T, I), name="x"))


@pytest.mark.parametrize(
    ("layer", "results"),
    [
        (lambda: LSTM(4), 1),
        (lambda: LSTM(4, return_state=True), 3),
        (lambda: LSTM(4, return_cell_states=True), 2),
        (lambda: LSTM(4, return_state=True, return_cell_states=True), 4),
        (lambda: Bidirectional(LSTM(4, return_state=True)), 5),
        (lambda: Bidirectional(LSTM(4), None), 2),
        (lambda: Bidirectional(LSTM(4, return_state=True, return_cell_states=True), None), 8),
    ],
)
def test_all_results_of_recurrent_layers(layer: Any, results: int) -> None:
    """A model of them computes what the layer does when it is called with the array."""
    made = layer()
    x = Input((T, I))
    found = made(x)
    tensors = found if isinstance(found, list) else [found]
    assert len(tensors) == results
    model = Model(x, tensors)
    outputs = model.predict(X)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    alone = made(X)
    for y, tensor, expected in zip(
        outputs, tensors, alone if isinstance(alone, list) else [alone], strict=True
    ):
        np.testing.assert_array_equal(y, expected)
        assert y.shape[1:] == tensor.shape[1:]


def test_input_and_output_of_layers() -> None:
    model = two_branches()
    both = model.get_layer("both")
    assert both.input == [model.get_layer("short").output, model.get_layer("deep").output]
    assert model.get_layer("deeper").input == model.inputs[0]
    assert [t.shape for t in both.input] == [(None, 3), (None, 3)]
    assert (model.input, model.output) == (model.inputs, model.outputs[0])
    assert (model.input_shape, model.output_shape) == ([(None, T, I), (None, 2)], (None, 1))
    assert (model.input_names, model.output_names) == (["sequence", "fixed"], ["last"])
    layer = Dense(2)
    with pytest.raises(AttributeError, match=r"dense is in no model yet; expected one use, for ou"):
        _ = layer.output
    a, b = layer(Input((3,))), layer(Input((3,)))
    with pytest.raises(AttributeError, match="dense is used 2 times; expected one use, for input"):
        _ = layer.input
    del a
    assert layer.output == b  # a use goes with its last tensor


# -- graphs ---------------------------------------------------------------------------------


def test_order_of_layers() -> None:
    """By distance from the outputs, then as a walk from them meets the layers (Keras's order)."""
    model = two_branches()
    names = ["sequence", "fixed", "deeper", "short", "deep", "both", "last"]
    assert [layer.name for layer in model.layers] == names
    assert isinstance(model.layers[0], InputLayer)
    assert [weight.path for weight in model.weights[:3]] == [
        "deeper/kernel", "deeper/recurrent_kernel", "deeper/bias",
    ]  # fmt: skip


def test_what_a_graph_computes() -> None:
    """Against the layers one by one."""
    model = two_branches()
    deeper, short, deep, last = (
        model.get_layer(name) for name in ("deeper", "short", "deep", "last")
    )
    joined = np.concatenate([short(FLAT), deep(deeper(X))], axis=1)
    np.testing.assert_array_equal(model.predict([X, FLAT]), last(joined))
    np.testing.assert_array_equal(model([X, FLAT]), last(joined))
    np.testing.assert_array_equal(model({"fixed": FLAT, "sequence": X}), last(joined))


def test_a_shared_layer() -> None:
    x, y = Input((I,)), Input((I,))
    layer = Dense(I, kernel_initializer="ones", use_bias=False)
    model = Model([x, y], Add()([layer(x), layer(layer(y))]))
    assert model.count_params() == 9
    ones = np.ones((1, I))
    np.testing.assert_array_equal(model.predict([ones, ones]), [[12.0] * I])
    layer.set_weights([2 * np.eye(I)])
    np.testing.assert_array_equal(model.predict([ones, ones]), [[6.0] * I])
    model.compile("sgd", "mse")
    model.train_on_batch([ones, ones], np.zeros((1, I)))
    # dL/dy = 2/3 * 6 = 4; w = 2: of x 1 * 4, of layer(y) 1 * (4 * 2) + 2 * 4; rows are alike
    w = 2 * np.eye(I) - 0.01 * np.full((I, I), 4.0 + 8.0 + 8.0)
    np.testing.assert_allclose(layer.kernel.numpy(), w, rtol=1e-6)


def test_models_share_their_layers() -> None:
    model = two_branches()
    part = Model(model.inputs[0], model.get_layer("deep").output)
    inside = Model(model.get_layer("deeper").output, model.get_layer("deep").output)
    deeper = model.get_layer("deeper")
    model.compile("adam", "mse")
    for _ in range(2):
        np.testing.assert_array_equal(part.predict(X), inside.predict(deeper(X)))
        before = part.predict(X)
        model.train_on_batch([X, FLAT], np.ones((B, 1)))
        assert (part.predict(X) != before).any()
    for twin in (copy.copy(inside), Model.from_config(inside.get_config())):
        twin.set_weights(inside.get_weights())
        np.testing.assert_array_equal(twin.predict(deeper(X)), inside.predict(deeper(X)))
    part.set_weights([0 * weight for weight in part.get_weights()])
    assert not model.get_layer("deep").kernel.numpy().any()


def test_sequentials_mix_with_graphs() -> None:
    row = Sequential([LSTM(4, return_sequences=True), Dense(2, activation="tanh")])
    x = Input((T, I))
    model = Model(x, Dense(1)(LSTM(2)(row(x))))
    assert row.built
    np.testing.assert_array_equal(row.predict(X), row.layers[1](row.layers[0](X)))
    first = Model(row.inputs, row.layers[0].output)
    np.testing.assert_array_equal(first.predict(X), row.layers[0](X))
    assert [layer.name for layer in model.layers][:2] == ["input_layer", "sequential"]
    outer = Sequential([Input((T, I)), row, LSTM(1)])
    assert outer.output_shape == (None, 1)
    before = row.predict(X)
    outer.compile("sgd", "mse")
    outer.fit(X, X[:, 0, :1], verbose=0)
    assert (row.predict(X) != before).any()
    late = Sequential([Sequential([Dense(3)]), Flatten(), Dense(2)])
    assert late.predict(X).shape == (B, 2)


def test_nested_models_and_their_forms() -> None:
    a, b = Input((I,), name="a"), Input((I,), name="b")
    inner = Model({"a": a, "b": b}, {"sum": Add()([a, b]), "b": Dense(1)(b)}, name="inner")
    x = Input((I,))
    found = inner({"b": x, "a": x})
    assert {name: tensor.shape for name, tensor in found.items()} == {
        "sum": (None, I), "b": (None, 1),
    }  # fmt: skip
    outer = Model(x, Concatenate()([found["b"], found["sum"]]))
    y = outer.predict(X[:, 0])
    np.testing.assert_array_equal(y[:, 1:], 2 * X[:, 0])
    alone = inner.predict({"a": X[:, 1], "b": X[:, 0]})
    np.testing.assert_array_equal(alone["b"], y[:, :1])
    np.testing.assert_array_equal(alone["sum"], X[:, 0] + X[:, 1])
    assert outer.get_layer("inner") is inner


def test_states_are_values() -> None:
    x, y = Input((T, I)), Input((None, I))
    _, *states = LSTM(4, return_state=True, name="encoder")(x)
    decoder = LSTM(4, return_sequences=True, return_state=True, name="decoder")
    steps, _, _ = decoder(y, initial_state=states)
    model = Model([x, y], Dense(1, name="head")(steps))
    encoder = Model(x, states)
    given = [Input((4,)), Input((4,))]
    step, *after = decoder(y, initial_state=given)
    stepper = Model([y, *given], [model.get_layer("head")(step), *after])
    whole = model.predict([X, X])
    carried = encoder.predict(X)
    for t in range(T):
        found, *carried = stepper.predict([X[:, t : t + 1], *carried])
        np.testing.assert_array_equal(found[:, 0], whole[:, t])


def test_names_are_given_once() -> None:
    x = Input((I,))
    model = Model(x, Dense(1)(Dense(2, name="dense")(Dense(3)(x))))
    assert [layer.name for layer in model.layers] == ["input_layer", "dense_1", "dense", "dense_2"]
    first, second = (Sequential([Input((I,)), Dense(I)]) for _ in range(2))
    both = Model(first.inputs, second(first.outputs[0]))
    assert [layer.name for layer in both.layers][1:] == ["dense", "sequential"]
    joined = Model(x, second.layers[0](first.layers[0](x)))
    assert len({layer.name for layer in joined.layers}) == 3
    with pytest.raises(ValueError, match="two layers would be called 'a'"):
        Model(x, Dense(1, name="a")(Dense(1, name="a")(x)))


def test_ids_and_values_of_one_input() -> None:
    ids = Input((3,), name="ids")
    words = Flatten()(Embedding(5, 2)(ids))
    model = Model(ids, [Concatenate()([words, ids]), words])
    given = np.array([[0, 4, 2], [1, 1, 3]])
    both, alone = model.predict(given.astype(np.float64))
    np.testing.assert_array_equal(both[:, 6:], given)
    np.testing.assert_array_equal(both[:, :6], alone)
    table = model.layers[1].get_weights()[0]
    np.testing.assert_array_equal(alone, table[given].reshape(2, 6))


# -- freezing -------------------------------------------------------------------------------


def test_what_is_frozen() -> None:
    model = two_branches()
    assert len(model.trainable_weights) == len(model.weights) == 10
    model.get_layer("deep").trainable = False
    assert [w.path for w in model.non_trainable_weights] == [
        "deep/kernel", "deep/recurrent_kernel", "deep/bias",
    ]  # fmt: skip
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch([X, FLAT], np.ones((B, 1)))
    after = model.get_weights()
    moved = [bool((w != v).any()) for w, v in zip(before, after, strict=True)]
    assert moved == [w not in model.non_trainable_weights for w in model.weights]
    model.trainable = False
    assert not any(layer.trainable for layer in model.layers)
    assert Model.from_config(model.get_config()).trainable is False
    both = Bidirectional(LSTM(2), trainable=False)
    both(X)
    assert not both.forward_layer.trainable
    assert both.trainable_weights == []
    row = Sequential([Input((T, I)), LSTM(2)], trainable=False)
    row.add(Dense(1))
    assert row.trainable_weights == []


# -- masks ----------------------------------------------------------------------------------


def test_a_layer_that_drops_a_mask_warns_once() -> None:
    x = Input((T, I))
    flat = Flatten(name="flat")(Masking()(x))
    with pytest.warns(UserWarning, match="the mask ends at flat: layers after it"):
        Model(x, Dense(1)(flat))
    Model(x, flat)
    with pytest.warns(UserWarning, match=r"\[Sequential\] the mask ends at flatten"):
        Sequential([Masking(input_shape=(T, I)), Flatten()])

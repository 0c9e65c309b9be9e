"""`lstmfast.models.Model`: tensors, graphs between them, shared layers, configurations, copies."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import _core, layers, models, utils
from lstmfast.layers import (
    LSTM,
    Add,
    Bidirectional,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    InputLayer,
    Masking,
    TimeDistributed,
)
from lstmfast.models import Model, Sequential, load_model

B, T, I = 4, 5, 3
RNG = np.random.default_rng(0)
X = RNG.standard_normal((B, T, I), dtype=np.float32)
FLAT = RNG.standard_normal((B, 2), dtype=np.float32)


def two_branches() -> Model:
    """Layers are made in another order than they stand in the graph."""
    last = Dense(1, name="last")
    fixed, sequence = Input((2,), name="fixed"), Input((T, I), name="sequence")
    short = Dense(3, name="short")(fixed)
    deep = LSTM(3, name="deep")(LSTM(2, return_sequences=True, name="deeper")(sequence))
    return Model([sequence, fixed], last(Concatenate(name="both")([short, deep])), name="net")


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
        (lambda x: x + x, r"\[Tensor.__add__\] x is a .*; expected layers.add\(\[x, y\]\)"),
        (lambda x: 1 + x, r"\[Tensor.__radd__\] x is a .*; expected layers.add\(\[x, y\]\)"),
        (lambda x: x - 2.0, r"expected layers.subtract\(\[x, y\]\)"),
        (lambda x: x * x, r"expected layers.multiply\(\[x, y\]\)"),
        (lambda x: x @ x, r"expected layers.dot\(\[x, y\], axes\)"),
        (lambda x: x / 2, "expected a layer of lstmfast.layers"),
        (lambda x: -x, "expected a layer of lstmfast.layers"),
        (lambda x: x[:, -1], "expected a layer; of all steps, an LSTM without return_sequences"),
        (len, "expected a layer;"),
        (list, "expected a layer;"),
        (bool, "expected a layer of"),
        (np.asarray, r"\[Tensor.__array__\] x is a tensor of a graph, which has no values until"),
        (np.exp, r"\[Tensor.__array_ufunc__\] x is"),
        (lambda x: np.ones(3) + x, r"\[Tensor.__array_ufunc__\] x is"),
        (lambda x: np.concatenate([x, x]), r"\[Tensor.__array_function__\] x is"),
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


# -- descriptions, copies, files ------------------------------------------------------------


def answers(model: Model) -> Any:
    inputs = {"sequence": X, "fixed": FLAT, "x": X}
    found = model.predict([inputs[name] for name in model.input_names])
    return found if isinstance(found, list) else [found]


def with_states() -> Model:
    """Results that nothing uses; a nested model, a nested row, a shared layer."""
    x = Input((None, I), name="x")
    lstm = LSTM(2, return_sequences=True, return_state=True, forget_bias=0.5, name="lstm")
    y, h, _ = lstm(x)
    each = layers.TimeDistributed(Dense(2, name="each"), name="all")
    z = Input((None, 2))
    inner = Model(z, [each(each(z)), LSTM(2)(z)], name="inner")
    steps, last = inner(y)
    row = Sequential([Dense(3), Dropout(0.5)], name="row")
    return Model(x, {"p": row(h), "q": Dense(1, name="q")(last), "r": steps}, name="states")


MADE = {"branches": two_branches, "states": with_states}


@pytest.mark.parametrize("name", MADE)
def test_configurations(name: str) -> None:
    model = MADE[name]()
    config = json.loads(json.dumps(model.get_config()))
    twin = Model.from_config(config)
    assert json.loads(json.dumps(twin.get_config())) == config
    assert [w.shape for w in twin.get_weights()] == [w.shape for w in model.get_weights()]
    twin.set_weights(model.get_weights())
    for found, expected in zip(_flat(answers(twin)), _flat(answers(model)), strict=True):
        np.testing.assert_array_equal(found, expected)


def _flat(found: list[Any]) -> list[Any]:
    return list(found[0].values()) if isinstance(found[0], dict) else found


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("way", ["copy", "deepcopy", "pickle", "file"])
def test_copies_and_files(name: str, way: str, tmp_path: Path) -> None:
    """They answer alike, keep what calls of their layers return, and train on alike."""
    model = MADE[name]()
    x = {key: {"sequence": X, "fixed": FLAT, "x": X}[key] for key in model.input_names}
    y = [np.ones(found.shape, np.float32) for found in _flat(answers(model))]
    target: Any = y[0] if name == "branches" else dict(zip("pqr", y, strict=True))
    metrics: Any = ["mae"] if name == "branches" else {"q": ["mae", "mse"]}
    model.compile("adam", "mse", metrics=metrics)
    model.fit(x, target, verbose=0)
    drawn = utils._package_generator.bit_generator.state
    if way == "file":
        model.save(tmp_path / "model.safetensors")
        twin: Any = load_model(tmp_path / "model.safetensors")
    else:
        twin = {"copy": copy.copy, "deepcopy": copy.deepcopy}.get(
            way, lambda m: pickle.loads(pickle.dumps(m))
        )(model)
        assert utils._package_generator.bit_generator.state == drawn
    assert type(twin) is Model
    assert twin.name == model.name
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert [type(layer) for layer in twin.layers] == [type(layer) for layer in model.layers]
    for mine, theirs in zip(_flat(answers(twin)), _flat(answers(model)), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    mine, theirs = (m.fit(x, target, verbose=0, shuffle=False).history for m in (twin, model))
    assert list(mine) == list(theirs)
    np.testing.assert_equal([w.shape for w in twin.get_weights()],
                            [w.shape for w in model.get_weights()])  # fmt: skip
    if name == "states":
        lstm = twin.get_layer("lstm")
        assert len(lstm(Input((None, I)))) == 3
        assert twin.predict(x).keys() == {"p", "q", "r"}
        assert isinstance(twin.get_layer("row"), Sequential)
        assert twin.get_layer("inner").count_params() == model.get_layer("inner").count_params()
    model.set_weights([0 * weight for weight in model.get_weights()])
    assert any(weight.any() for weight in twin.get_weights())  # they are its own


def test_a_graph_goes_with_its_last_reference() -> None:
    model = two_branches()
    layer = weakref.ref(model.get_layer("deep"))
    watched = weakref.ref(model)
    gc.collect()
    gc.disable()
    try:
        del model
        assert watched() is None
        assert layer() is None
    finally:
        gc.enable()


def test_summary() -> None:
    lines: list[str] = []
    model = two_branches()
    model.get_layer("short").trainable = False
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    for part in (
        'Model: "net"', "sequence (InputLayer)", "Connected to", "short[0][0], deep[0][0]",
        "Total params: 136 (544.00 B)", "Trainable params: 127 (508.00 B)",
        "Non-trainable params: 9 (36.00 B)",
    ):  # fmt: skip
        assert part in text


def test_summary_of_a_row() -> None:
    """What each layer takes is shown only where that is not the layer above."""

    def text_of(model: Model) -> str:
        lines: list[str] = []
        model.summary(print_fn=lines.append)
        return "\n".join(lines)

    x = Input((T, I))
    layer = LSTM(2, return_sequences=True)
    row = Model(x, Dense(1)(layer(x)))
    assert "Connected to" not in text_of(row)
    assert "Connected to" not in text_of(Model(x, x))
    layer = LSTM(I, return_sequences=True)
    for joined in (layer(layer(x)), layers.add([x, layer(x)])):
        assert "Connected to" in text_of(Model(x, joined))
    assert row.layers[0].input == []
    assert row.layers[1].input == row.layers[0].output == x


# -- messages -------------------------------------------------------------------------------

x_, other = Input((T, I), name="x_"), Input((2,), name="other")
ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "nothing": (lambda: Model(), TypeError, r"\[Model\] expected inputs and outputs: Model\(x,"),
    "no tensor": (
        lambda: Model(Dense(1), Dense(1)(other)),
        TypeError,
        r"\[Model\] inputs is of type Dense; expected a tensor \(an Input, or what a layer",
    ),
    "no tensors": (lambda: Model(other, []), ValueError, r"\[Model\] outputs is empty"),
    "input twice": (
        lambda: Model([other, other], Dense(1)(other)),
        ValueError,
        "an input is given twice",
    ),
    "input left out": (
        lambda: Model(x_, Concatenate()([Dense(2)(other), LSTM(2)(x_)])),
        ValueError,
        r"\[Model\] the outputs are computed from other \(\?, 2\) too; expected these among the",
    ),
    "two for one": (
        lambda: Dense(1, name="d")([x_, other]),
        ValueError,
        r"\[layers.Dense\] d got inputs of shapes \(\?, 5, 3\), \(\?, 2\); expected one input",
    ),
    "array among tensors": (
        lambda: Add()([other, FLAT]),
        TypeError,
        r"\[layers.Add\] x\[1\] is of type ndarray; expected a tensor, as the others are",
    ),
    "array as a state": (
        lambda: LSTM(2)(x_, initial_state=[other, FLAT]),
        TypeError,
        r"LSTM\] initial_state\[1\] is of type ndarray; expected a tensor, as the others are$",
    ),
    "states in lists": (
        lambda: LSTM(2)(x_, initial_state=[[other, other], [other, other]]),
        TypeError,
        r"initial_state\[0\] is of type list; expected a tensor, as the others are$",
    ),
    "no sequence": (
        lambda: LSTM(3)(other),
        ValueError,
        r"lstm needs sequences \(steps, features\), but a sample is \(2,\)$",
    ),
    "no sequence any more": (
        lambda: LSTM(3)(LSTM(4, name="first")(x_)),
        ValueError,
        r"but first gives \(4,\); pass return_sequences=True to first$",
    ),
    "shapes": (
        lambda: Add(name="sum")([Dense(3)(x_), Input((4, 3))]),
        ValueError,
        r"\[layers.Add\] sum: .*\(5, 3\).*\(4, 3\)",
    ),
    "features": (
        lambda: _used(Dense(2, name="d"))(other),
        ValueError,
        r"\[layers.Dense\] d: input of a sample has shape \(2,\); expected 3 features",
    ),
    "dtype": (
        lambda: Dense(1, name="d", dtype="float64")(other),
        ValueError,
        r"\[layers.Dense\] d has dtype float64; expected float32, that of its input, or none",
    ),
    "mask": (
        lambda: LSTM(1)(x_, mask=np.ones((B, T), bool)),
        ValueError,
        r"\[layers.LSTM\] mask is given with a tensor; expected None",
    ),
    "training": (
        lambda: Dropout(0.5)(x_, training=True),
        ValueError,
        r"\[layers.Dropout\] training is given with a tensor; expected None",
    ),
    "one state": (
        lambda: LSTM(1)(x_, initial_state=[Input((1,))]),
        ValueError,
        r"\[layers.LSTM\] lstm: .*2 inputs",
    ),
    "list in a row": (lambda: Sequential([Add()]), ValueError, "it takes a list of inputs"),
    "model in a row": (
        lambda: Sequential([two_branches()]),
        ValueError,
        r"<Model name=net, built=True>: it has 2 inputs and 1 outputs; call it with tensors",
    ),
    "layer twice in a row": (
        lambda: [Sequential([layer, layer]) for layer in [Dense(2)]],
        ValueError,
        "is in this model already",
    ),
    "no layer": (
        lambda: two_branches().get_layer("x"),
        ValueError,
        r"\[Model.get_layer\] no layer is called 'x'; there are: sequence, fixed, deeper",
    ),
    "layers set": (
        lambda: setattr(two_branches(), "layers", []),
        AttributeError,
        r"\[Model\] layers cannot be set; call the layers with tensors, and Model",
    ),
    "config": (
        lambda: Model.from_config({"layers": []}),
        ValueError,
        r"\[Model.from_config\] config lacks input_layers; expected get_config\(\)",
    ),
    "weights": (
        lambda: two_branches().set_weights([np.zeros((3, 7))] + [np.zeros(1)] * 9),
        ValueError,
        r"\[Model.set_weights\] deeper.kernel has shape \(3, 7\); expected \(3, 8\)",
    ),
    "inner weight": (
        lambda: _used(Dense(2)).kernel.assign(np.zeros(3)),
        ValueError,
        r"\[layers.Dense.set_weights\] kernel has shape \(3,\); expected \(3, 2\)",
    ),
    "no such weight": (
        lambda: _used(Dense(2, use_bias=False, name="d")).bias,
        AttributeError,
        r"\[layers.Dense\] bias: d has none",
    ),
}  # fmt: skip


def _used(layer: Any) -> Any:
    layer(np.ones((1, 3)))
    return layer


@pytest.mark.parametrize("name", ERRORS)
def test_message(name: str) -> None:
    call, kind, pattern = ERRORS[name]
    with pytest.raises(kind, match=pattern) as caught:
        call()
    assert type(caught.value) is kind


def test_a_call_that_fails_leaves_no_trace() -> None:
    layer = LSTM(3)
    with pytest.raises(ValueError, match="needs sequences"):
        layer(other)
    assert not layer.built
    assert layer(x_).shape == (None, 3)
    with pytest.raises(ValueError, match="expected 3 features"):
        layer(Input((T, 7)))
    assert layer(X).shape == (B, 3)


def test_a_connection_that_fails_declares_nothing() -> None:
    dense = Dense(1 << 24)
    with pytest.raises(ValueError, match="elements"):
        dense(Input((1 << 30, 3)))
    assert dense(Input((4,))).shape == (None, 1 << 24)
    inner = LSTM(3, stateful=True)
    with pytest.raises(ValueError, match="stateful"):
        TimeDistributed(inner)(Input((2, T, I)))
    assert inner(Input((T, I + 1))).shape == (None, 3)


def test_inputs_of_a_nested_model_have_their_own_ids() -> None:
    a, b = Input((3,)), Input((3,))
    small, large = Embedding(10, 4), Embedding(1000, 4)
    inner = Model([a, b], Concatenate()([small(a), large(b)]))
    a, b = Input((3,)), Input((3,))
    outer = Model([a, b], inner([a, b]))
    ids = [np.array([[0, 1, 9]]), np.array([[999, 0, 10]])]
    rows = [small.get_weights()[0][ids[0]], large.get_weights()[0][ids[1]]]
    expected = np.concatenate(rows, axis=-1)
    np.testing.assert_array_equal(outer.predict(ids), expected)
    with pytest.raises(ValueError, match=r"x\[0\]\[0, 2\] is 10; expected .* 0 to 9"):
        outer.predict([ids[0] + 1, ids[1]])


def test_no_file_for_a_layer_with_two_paths(tmp_path: Path) -> None:
    shared, x = Dense(2, name="shared"), Input((2,))
    inner, y = Model(x, shared(x)), Input((2,))
    model = Model(y, shared(inner(y)))
    path = tmp_path / "model.lstmfast"
    with pytest.raises(ValueError, match='layer "shared" stands in several of the models'):
        model.save(path)
    assert not path.exists()


def test_models_in_models_end() -> None:
    x = Input((1,))
    model = Model(x, Dense(1)(x))
    for _ in range(16):  # 65536 runs of the layer
        x = Input((1,))
        model = Model(x, model(model(x)))
    x = Input((1,))
    once = model(x)
    with pytest.raises(ValueError, match=r"run 131072 times, .* expected at most 100000"):
        Model(x, model(once))


def test_layers_inside_each_other_end() -> None:
    config: dict[str, Any] = {"layer." * k + "kind": "time_distributed" for k in range(300)}
    with pytest.raises(ValueError, match="fewer layers inside each other"):
        _core.Layer(config, "float32")

"""`lstmfast.models.Model`: what is refused, with which message, and what it leaves as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph_cases import FLAT, B, I, T, X, two_branches
from lstmfast import _core
from lstmfast.layers import (
    LSTM,
    Add,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Input,
    TimeDistributed,
)
from lstmfast.models import Model, Sequential

x_, other = Input((T, I), name="x_"), Input((2,), name="other")
ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "nothing": (lambda: Model(), TypeError, r"\[Model\] expected inputs and outputs: Model\(x,"),
    "no tensor": (
        lambda: Model(Dense(1), Dense(1)(other)),
        TypeError,
        r"\[Model\] inputs is of type Dense; expected a tensor \(an Input, or what a layer",
    ),
    "two tensors, without a list": (
        lambda: Concatenate()(other, other),
        ValueError,
        r"\[layers.Concatenate\] mask is a tensor.* several inputs come in a list, \(\[a, b\]\)",
    ),
    "ids that a layer computes": (
        lambda: Embedding(4, 2)(LSTM(3, name="maker")(x_)),
        ValueError,
        r"\[layers.Embedding\] embedding is called with what maker returned; expected an Input of",
    ),
    "several outputs at each step": (
        lambda: TimeDistributed(LSTM(2, return_state=True)),
        ValueError,
        r"\[layers.TimeDistributed\] layer: return_state=True returns several arrays",
    ),
    "a layer of one's own": (
        lambda: type("Own", (Dense,), {"call": lambda self, x: x}),
        TypeError,
        r"\[Own\] has a method call\(\); expected a class derived from Layer or Model, with other",
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
        lambda: Dropout(0.5)(x_, training=1),
        TypeError,
        r"\[layers.Dropout\] training is of type int; expected True or False",
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

"""Users' Python in models: Lambda, layers and models of one's own, operations on tensors.

Long, because layers and models of one's own are made of the same few classes.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph_layer_cases import Case
from lstmfast import activations, layers, ops, saving
from lstmfast import backend as K  # noqa: N812  Keras's name
from lstmfast.layers import LSTM, Dense, Dropout, Embedding, Input, Lambda, Layer
from lstmfast.models import Model, Sequential, load_model
from lstmfast.optimizers import SGD
from operation_cases import CASES
from test_graph_layers import ATOL, close

B, T, I = 5, 4, 3


def data(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("name", CASES)
def test_operations(name: str) -> None:
    """Values, and gradients by a step of what stands before: h = x·I, so that dI = xᵀ·dh."""
    case: Case = CASES[name]
    x = case.inputs()
    layer = case.make(layers)
    layer.dtype = "float64"
    y = case.forward(x)
    close(layer(x if len(x) > 1 else x[0]), y)
    inputs = [Input(shape, dtype="float64") for shape in case.shapes]
    dense = [Dense(s[-1], use_bias=False, kernel_initializer="identity") for s in case.shapes]
    values = [each(one) for each, one in zip(dense, inputs, strict=True)]
    again = case.make(layers)
    made = again(values if len(values) > 1 else values[0])
    if len(made.shape) == 1:
        made = made[:, None]
    model = Model(inputs, made)
    model.compile(SGD(1.0), "mse")
    target = data(*y.shape)
    loss = model.train_on_batch(x, target.reshape(len(y), *made.shape[1:]))
    close(loss, ((y - target) ** 2).mean())
    expected = case.backward(2.0 * (y - target) / y.size, x)
    for one, each, dh in zip(dense, x, expected, strict=True):
        width = each.shape[-1]
        step = each.reshape(-1, width).T @ dh.reshape(-1, width)
        np.testing.assert_allclose(
            one.get_weights()[0], np.eye(width) - step, rtol=4 * ATOL, atol=4 * ATOL
        )


class Attention(Layer):
    """The layer of tutorials."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def build(self, input_shape: Any) -> None:
        self.W = self.add_weight(
            name="att_weight", shape=(input_shape[-1], 1), initializer="normal"
        )
        self.b = self.add_weight(name="att_bias", shape=(input_shape[1], 1), initializer="zeros")
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        e = K.tanh(K.dot(x, self.W) + self.b)
        a = K.softmax(e, axis=1)
        return K.sum(x * a, axis=1)


def attended(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    e = np.tanh(x @ w + b)
    a = np.exp(e)
    y: np.ndarray = (x * (a / a.sum(1, keepdims=True))).sum(1)
    return y


def attention_model() -> Sequential:
    model = Sequential([LSTM(6, return_sequences=True, input_shape=(T, I)), Attention(), Dense(1)])
    model.compile("adam", "mse")
    return model


def test_own_layer() -> None:
    model, x = attention_model(), data(B, T, I)
    layer = model.layers[1]
    before = layer.get_weights()
    assert [w.shape for w in before] == [(6, 1), (T, 1)]
    assert [w.path for w in layer.weights] == ["attention/att_weight", "attention/att_bias"]
    assert [w.name for w in model.trainable_weights][3:5] == ["att_weight", "att_bias"]
    assert layer.W.numpy().shape == (6, 1)
    h = data(B, T, 6)
    np.testing.assert_allclose(layer(h), attended(h, *before), rtol=1e-5, atol=1e-6)
    losses = model.fit(x, x[:, 0, :1], epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all((a != b).any() for a, b in zip(before, layer.get_weights(), strict=True))
    layer.trainable = False
    model.compile("adam", "mse")
    frozen = layer.get_weights()
    model.fit(x, x[:, 0, :1], verbose=0)
    assert all((a == b).all() for a, b in zip(frozen, layer.get_weights(), strict=True))


def test_own_gradients() -> None:
    """Of each weight, in float64, against central differences of the loss."""
    model = Sequential([Input((T, I), dtype="float64"), Attention()])
    rng = np.random.default_rng(3)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    x, y = data(B, T, I), data(B, I)
    model.compile(SGD(1.0), "mse")
    weights = model.get_weights()
    model.train_on_batch(x, y)

    def loss(given: list[np.ndarray]) -> float:
        return float(((attended(x, *given) - y) ** 2).mean())

    for k, (before, after) in enumerate(zip(weights, model.get_weights(), strict=True)):
        for place in np.ndindex(before.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [w.copy() for w in weights]
                moved[k][place] += step
                ends.append(loss(moved))
            # errors of differences: of order step², and eps / step of the loss
            slope = (ends[0] - ends[1]) / 2e-5
            assert before[place] - after[place] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_files_and_copies(tmp_path: Path) -> None:
    model, x = attention_model(), data(B, T, I)
    model.fit(x, x[:, 0, :1], verbose=0)
    path = tmp_path / "model.safetensors"
    model.save(path)
    loaded = load_model(path, {"Attention": Attention})
    assert isinstance(loaded.layers[1], Attention)
    without = load_model(path)
    assert type(without.layers[1]) is Model
    for again in (loaded, without, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
        for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    y = x[:, 0, :1]
    assert loaded.train_on_batch(x, y) == model.train_on_batch(x, y)

    class Other(Attention):
        def call(self, x: Any) -> Any:
            return K.sum(x, axis=1)

    with pytest.raises(ValueError, match=r"call\(\) makes .*; expected .*as when the model was s"):
        load_model(path, {"Attention": Other})
    with pytest.raises(ValueError, match=r"expected a class derived from lstmfast\.layers\.Layer"):
        load_model(path, {"Attention": len})


class Gated(Layer):
    """Sublayers, options, several weights, one that is not trained, rules."""

    def __init__(self, units: int = 4, **options: Any) -> None:
        super().__init__(**options)
        self.units = units
        self.inner = [LSTM(units, return_sequences=True), Dropout(0.5)]

    def build(self, input_shape: Any) -> None:
        self.count = self.add_weight(shape=(1,), initializer="ones", trainable=False, name="count")
        self.gate = self.add_weight(
            (self.units,), "ones", regularizer="l2", constraint="non_neg", name="gate"
        )

    def call(self, x: Any, training: Any = None) -> Any:
        h = self.inner[0](x)
        h = self.inner[1](h, training=training)
        return h * self.gate + self.count

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def test_sublayers(tmp_path: Path) -> None:
    model = Sequential([Input((T, I)), Gated(5), Dense(1)])
    layer = model.layers[0]
    names = ["gate", "count", "kernel", "recurrent_kernel", "bias"]
    assert [w.name for w in layer.weights] == names
    assert layer.count.shape == (1,)
    assert not layer.count.trainable
    assert layer.gate.trainable
    model.compile("adam", "mse")
    x = data(B, T, I)
    model.fit(x, x[..., :1], epochs=3, verbose=0)
    assert layer.count.numpy() == 1.0
    # a pass that is no training drops nothing
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors", {"Gated": Gated})
    assert again.layers[0].units == 5
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    copied = Gated.from_config(layer.get_config())
    assert copied.units == 5
    assert not copied.built


class Pair(Layer):
    def call(self, a: Any, b: Any, scale: float = 1.0) -> Any:
        return [a + scale * b, {"product": a * b}]


def test_several_tensors() -> None:
    a, b = data(2, B, T)
    pair = Pair()
    total, more = pair(a, b, scale=2.0)
    np.testing.assert_allclose(total, a + 2 * b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(more["product"], a * b, rtol=1e-5, atol=1e-6)
    x, y = Input((T,)), Input((T,))
    out, more = pair(x, y, scale=2.0)
    model = Model([x, y], [out, more["product"]])
    np.testing.assert_array_equal(model.predict([a, b], verbose=0)[0], total)
    with pytest.raises(ValueError, match="was called with other arguments before"):
        pair(x, y, scale=3.0)


class Own(Model):
    def __init__(self, units: int = 6) -> None:
        super().__init__()
        self.units = units
        self.lstm = LSTM(units)
        self.drop = Dropout(0.5)
        self.out = Dense(1)

    def call(self, x: Any, training: Any = None) -> Any:
        return self.out(self.drop(self.lstm(x), training=training))


def test_own_model(tmp_path: Path) -> None:
    x = data(16, T, I)
    model = Own()
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(x, x[:, 0, :1], epochs=2, verbose=0).history
    assert list(history) == ["loss", "mae"]
    assert [layer.name for layer in model.layers] == ["lstm", "dropout", "dense"]
    assert [w.shape for w in model.get_weights()] == [(3, 24), (6, 24), (24,), (6, 1), (1,)]
    assert model(x).shape == (16, 1)
    other = Own()
    other.build((None, T, I))
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    inside = Input((T, I))
    outer = Model(inside, other(inside) * 2.0)
    np.testing.assert_allclose(outer.predict(x, verbose=0), 2.0 * other(x), rtol=1e-6)
    model.save(tmp_path / "own.safetensors")
    loaded = load_model(tmp_path / "own.safetensors")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_operators_of_functional_models() -> None:
    x = Input((None, I))
    h = LSTM(4, return_sequences=True)(x)
    y = ops.mean(h, axis=1) + 0.5 * h[:, -1] - 1.0
    model = Model(x, y)
    given = data(B, T, I)
    hidden = Model(x, h).predict(given, verbose=0)
    expected = hidden.mean(1) + 0.5 * hidden[:, -1] - 1.0
    np.testing.assert_allclose(model.predict(given, verbose=0), expected, rtol=1e-5, atol=1e-6)


OTHERS: dict[str, Any] = {
    "logsumexp": (lambda x: ops.logsumexp(x, 2), lambda x: np.log(np.exp(x).sum(2))),
    "var": (lambda x: ops.var(x, 1), lambda x: x.var(1)),
    "std": (lambda x: ops.std(x, -1), lambda x: x.std(-1)),
    "clip": (lambda x: ops.clip(x, -0.5, 0.5), lambda x: x.clip(-0.5, 0.5)),
    "where": (lambda x: ops.where(x > 0, x, -1e9), lambda x: np.where(x > 0, x, -1e9)),
    "stack": (lambda x: ops.stack([x, 2 * x], 1), lambda x: np.stack([x, 2 * x], 1)),
    "split": (lambda x: ops.split(x, 2, 1)[1], lambda x: np.split(x, 2, 1)[1]),
    "split_at": (lambda x: ops.split(x, [1], 2)[1], lambda x: np.split(x, [1], 2)[1]),
    "unstack": (lambda x: ops.unstack(x, axis=2)[2], lambda x: x[:, :, 2]),
    "repeat": (lambda x: ops.repeat(x, 3, 1), lambda x: x.repeat(3, 1)),
    "repeat_last": (lambda x: K.repeat_elements(x, 2, 2), lambda x: x.repeat(2, 2)),
    "tile": (lambda x: ops.tile(x, (1, 2, 3)), lambda x: np.tile(x, (1, 2, 3))),
    "flip": (lambda x: ops.flip(x, 1), lambda x: x[:, ::-1]),
    "transpose": (lambda x: K.permute_dimensions(x, (0, 2, 1)), lambda x: x.transpose(0, 2, 1)),
    "moveaxis": (lambda x: ops.moveaxis(x, 1, -1), lambda x: np.moveaxis(x, 1, -1)),
    "swapaxes": (lambda x: ops.swapaxes(x, 1, 2), lambda x: x.swapaxes(1, 2)),
    "reshape": (lambda x: ops.reshape(x, (-1, T * I)), lambda x: x.reshape(-1, T * I)),
    "squeeze": (lambda x: ops.squeeze(ops.expand_dims(x, 1), 1), lambda x: x),
    "constants": (lambda x: x * np.arange(3.0) + [[1.0]], lambda x: x * np.arange(3.0) + 1),
    "of_numpy": (lambda x: np.float64(2.0) * x, lambda x: 2 * x),
    "matmul": (lambda x: x @ np.ones((I, 2)), lambda x: x @ np.ones((I, 2))),
    "left": (lambda x: np.ones((2, T)) @ x, lambda x: np.ones((2, T)) @ x),
    "outer": (lambda x: ops.outer(x[:, 0], x[:, 1]), lambda x: x[:, 0, :, None] * x[:, 1, None]),
    "norm": (lambda x: ops.norm(x, axis=1), lambda x: np.linalg.norm(x, axis=1)),
    "normalize": (
        lambda x: K.l2_normalize(x, 1),
        lambda x: x / np.linalg.norm(x, axis=1, keepdims=True),
    ),
    "average": (
        lambda x: ops.average(x, 1, ops.abs(x)),
        lambda x: (x * np.abs(x)).sum(1) / np.abs(x).sum(1),
    ),
    "compare": (lambda x: ops.logical_not(x >= 0.5), lambda x: x < 0.5),
    "cast": (lambda x: K.cast(x > 0, "float32"), lambda x: x > 0),
    "zeros": (lambda x: ops.zeros_like(x) + ops.ones_like(x), np.ones_like),
    "batch_dot": (
        lambda x: K.batch_dot(x, x, axes=(2, 2)),
        lambda x: np.einsum("bti,bsi->bts", x, x),
    ),
    "relu": (lambda x: K.relu(x, 0.1, 0.5), lambda x: np.minimum(np.where(x > 0, x, 0.1 * x), 0.5)),
    "gelu": (ops.relu6, lambda x: x.clip(0, 6)),
    "activation": (lambda x: activations.get("tanh")(x), np.tanh),
    "log_softmax": (
        lambda x: ops.log_softmax(x, 1),
        lambda x: x - np.log(np.exp(x).sum(1, keepdims=True)),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_operations(name: str) -> None:
    function, expected = OTHERS[name]
    x = data(B, T, I)
    y = Lambda(function, dtype="float64")(x)
    np.testing.assert_allclose(y, expected(x), rtol=1e-12, atol=1e-12)


@saving.register_keras_serializable("mine")
class Half(Layer):
    def call(self, x: Any) -> Any:
        return 0.5 * x


def test_registered_classes(tmp_path: Path) -> None:
    model = Sequential([Input((3,)), Half(name="half")])
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    assert type(again.layers[0]) is Half
    assert again.layers[0].name == "half"
    assert saving.get_registered_object("mine>Half") is Half


def test_tied_and_free_weights() -> None:
    """A weight that serves in several ways is one value."""

    class Tied(Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(I, 2), name="w")
            self.unused = self.add_weight(shape=(2,), name="unused")

        def call(self, x: Any) -> Any:
            return K.dot(K.dot(x, self.w), K.transpose(self.w)) + K.sum(self.w**2)

    layer = Tied(dtype="float64")
    x = data(B, T, I)
    y = layer(x)
    w, unused = layer.get_weights()
    np.testing.assert_allclose(y, x @ w @ w.T + (w**2).sum(), rtol=1e-12, atol=1e-12)
    assert unused.shape == (2,)


def test_masks() -> None:
    """`mask` arrives as numbers; the output has the input's mask where the class says so."""

    class Mean(Layer):
        def call(self, x: Any, mask: Any = None) -> Any:
            count = K.cast(mask, "float32")[..., None]
            return K.sum(x * count, axis=1) / K.sum(count, axis=1)

    class Double(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.supports_masking = True

        def call(self, x: Any) -> Any:
            return 2.0 * x

    ids = Input((None,))
    embedded = Embedding(7, 3, mask_zero=True)(ids)
    model = Model(ids, [Mean()(Double()(embedded)), embedded])
    mean, table = model.predict(np.array([[1, 2, 0, 0], [3, 3, 3, 4]]), verbose=0)
    np.testing.assert_allclose(mean[0], 2 * table[0, :2].mean(0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(mean[1], 2 * table[1].mean(0), rtol=1e-5, atol=1e-7)


def broken(function: Any) -> Any:
    return lambda: Lambda(function)(Input((T, I)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (broken(lambda x: x if x > 0 else -x), TypeError, "condition in values: ops.where"),
        (broken(lambda x: np.exp(x)), TypeError, "[numpy.exp] tensor_"),
        (broken(lambda x: np.mean(x, axis=1)), TypeError, "[numpy.mean] tensor_"),
        (broken(lambda x: [row for row in x]), TypeError, "[Tensor.__iter__]"),  # noqa: C416
        (broken(lambda x: float(x)), TypeError, "[Tensor.__float__]"),
        (broken(lambda x: x[0]), TypeError, "each sample is computed alone"),
        (broken(lambda x: x[:, x]), TypeError, "expected slices, integers, None or ..."),
        (broken(lambda x: x[:, 9]), ValueError, "expected elements at 9 of axis"),
        (broken(lambda x: ops.sum(x)), ValueError, "axis is None, which takes the batch too"),
        (broken(lambda x: ops.sum(x, axis=0)), ValueError, "axis is 0; expected one that is not"),
        (broken(lambda x: x + x[:, 0]), ValueError, "expected as many axes: insert one"),
        (broken(lambda x: 3.0), TypeError, "what it returned is of type float; expected a tensor"),
        (broken(lambda x: ops.reshape(x, (5, 7))), ValueError, "expected -1 or None first"),
        (broken(lambda x: ops.cast(x, "int32")), TypeError, "[ops.cast to int32]"),
        (broken(lambda x: x + "a"), TypeError, "unsupported operand"),
        (broken(lambda x: ops.median(x)), AttributeError, "ops.median"),
        (broken(lambda x: ops.exp(object())), TypeError, "expected tensors, or arrays"),
        (broken(lambda x: x + np.zeros((2, 2, 2, 2))), ValueError, "those of samples, without"),
        (lambda: Lambda(3), TypeError, "function is of type int; expected a function of a tensor"),
        (lambda: Gated()(3.0), TypeError, "expected an array or a tensor"),
        (lambda: type("A", (Dense,), {"call": len}), TypeError, "has a method call(); expected a"),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
    if "expected" in message and "(at " in str(caught.value):
        assert Path(__file__).name in str(caught.value)


def test_training_is_not_read() -> None:
    class Asks(Layer):
        def call(self, x: Any, training: Any = None) -> Any:
            return 2 * x if training else x

    with pytest.raises(TypeError, match="only a running model knows whether it is training"):
        Asks()(Input((3,)))


def test_lambda_in_files(tmp_path: Path) -> None:
    """A file has the graph, and no code."""
    model = Sequential([Input((T, I)), Lambda(lambda x: x[:, -1] * 2, name="last"), Dense(1)])
    x = data(B, T, I)
    model.save(tmp_path / "m.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = load_model(tmp_path / "m.safetensors")
    assert again.layers[0].name == "last"
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_equality_of_tensors_in_traced_code() -> None:
    class Peaks(Layer):
        def call(self, x: Any) -> Any:
            top = ops.max(x, axis=-1, keepdims=True)
            marks = ops.cast(x == top, "float32") - ops.where(x != top, 0.5, 0.0)
            return marks + ops.where(x != 0, 2.0, 0.0)

    x = np.array([[1, 3, 0], [2, 2, 1]], np.float32)
    top = x.max(axis=-1, keepdims=True)
    expected = (x == top) - 0.5 * (x != top) + 2.0 * (x != 0)
    np.testing.assert_array_equal(Sequential([Input((3,)), Peaks()]).predict(x), expected)
    first, second = Input((3,)), Input((3,))
    assert first != second
    assert [first, second].index(second) == 1  # elsewhere tensors are looked up

"""Against live Keras 3: layers and models of one's own, Lambda, operations, and what they learn."""

from __future__ import annotations

import os
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lstmfast import layers, models, ops, optimizers

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

# float32 on both sides: as in test_peer_keras_layers.py
ATOL = 4e-6
B, T, I = 6, 5, 3
OURS = SimpleNamespace(layers=layers, ops=ops, models=models, optimizers=optimizers)


def attention(of: Any) -> Any:
    """The layer of tutorials."""

    class Attention(of.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(name="w", shape=(shape[-1], 1), initializer="normal")
            self.b = self.add_weight(name="b", shape=(shape[1], 1), initializer="zeros")

        def call(self, x: Any) -> Any:
            a = of.ops.softmax(of.ops.tanh(of.ops.matmul(x, self.w) + self.b), axis=1)
            return of.ops.sum(x * a, axis=1)

    return Attention()


def with_layers_inside(of: Any) -> Any:
    class Gated(of.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = of.layers.LSTM(4, return_sequences=True)

        def build(self, shape: Any) -> None:
            self.lstm.build(shape) if of is keras else None
            self.gate = self.add_weight(shape=(4,), initializer="ones", regularizer="l2", name="g")
            self.steady = self.add_weight(shape=(4,), trainable=False, name="s")

        def call(self, x: Any) -> Any:
            return (self.lstm(x) * self.gate + self.steady)[:, -1]

    return Gated()


KERNEL = np.random.default_rng(2).standard_normal((I, 2, 4)).astype(np.float32)
FUNCTIONS: dict[str, Any] = {
    "slices": lambda o, x: x[:, 1:, ::2] - x[:, :-1, ::2],
    "last": lambda o, x: x[:, -1],
    "mean_max": lambda o, x: o.concatenate([o.mean(x, axis=1), o.max(x, axis=1)], axis=-1),
    "log_sum": lambda o, x: o.log(o.sum(o.exp(x), axis=-1)),
    "powers": lambda o, x: (x**2 + 1.0) ** 0.5 / (2.0 + o.abs(x)),
    "clipped": lambda o, x: o.clip(x, -0.5, 0.5) * o.sigmoid(x),
    "scores": lambda o, x: o.softmax(o.matmul(x, o.transpose(x, (0, 2, 1))), axis=-1),
    "chosen": lambda o, x: o.where(x > 0.2, x, 0.1 * x),
    "spread": lambda o, x: (x - o.mean(x, axis=1, keepdims=True)) / (o.std(x, 1, True) + 1.0),
    "stacked": lambda o, x: o.reshape(o.stack([x, o.square(x)], axis=2), (-1, T, 2 * I)),
    "limits": lambda o, x: o.maximum(x, 0.1) + o.minimum(x, o.zeros_like(x)),
    "heads": lambda o, x: o.einsum("bqi,bki->bqk", x, x),
    "kernel": lambda o, x: o.einsum("bti,ihd->bthd", x, KERNEL)[:, :, 0],
    "sums": lambda o, x: o.cumsum(x, axis=1) * o.cumsum(x, axis=-1),
    "padded": lambda o, x: o.pad(x, [[0, 0], [2, 1], [0, 0]], mode="reflect"),
    "padded_1": lambda o, x: o.pad(x, [[0, 0], [2, 1], [0, 3]], constant_values=0.5),
    "places": lambda o, x: x * o.one_hot(o.argmax(x, axis=-1), I),
    "numbered": lambda o, x: x * o.cast(o.arange(1, 1 + I), "float32") + o.ones((T, I)),
    "rest": lambda o, x: x % 0.7,
    "norms": lambda o, x: o.expand_dims(o.norm(x, axis=1), -1) * 2.0,
}
MODELS: dict[str, Any] = {"attention": attention, "inside": with_layers_inside} | {
    name: (lambda f: lambda of: of.layers.Lambda(lambda x: f(of.ops, x)))(function)
    for name, function in FUNCTIONS.items()
}


@pytest.mark.parametrize("name", MODELS)
def test_values_and_training(name: str) -> None:
    """The same first weights; outputs, losses and weights of three steps of Adam."""

    def built(of: Any) -> Any:
        # lest gradients vanish: x goes through weights
        row = [of.layers.Input((T, I)), of.layers.Dense(I), MODELS[name](of)]
        model = of.models.Sequential(row)
        model.compile(of.optimizers.SGD(0.05), "mse")
        return model

    ours, theirs = built(OURS), built(keras)
    weights = [np.asarray(w) for w in theirs.get_weights()]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in weights]
    ours.set_weights(weights)
    x = np.random.default_rng(0).standard_normal((B, T, I)).astype(np.float32)
    y = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), y, rtol=ATOL, atol=ATOL)
    target = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)
    for _ in range(3):
        found, loss = ours.train_on_batch(x, target), theirs.train_on_batch(x, target)
        np.testing.assert_allclose(found, loss, rtol=4 * ATOL)
    for found, weight in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(found, np.asarray(weight), rtol=4 * ATOL, atol=4 * ATOL)


AT_ONCE: dict[str, Any] = {
    "sum": lambda o, x: o.sum(x),
    "softmax": lambda o, x: o.softmax(x, axis=1),
    "logsumexp": lambda o, x: o.logsumexp(x, axis=(0, 2)),
    "gelu": lambda o, x: o.gelu(x) + o.relu6(x) + o.elu(x, alpha=0.5),
    "norm": lambda o, x: o.norm(x, axis=-1) + o.logsumexp(x, axis=-1),
    "normalize": lambda o, x: o.normalize(x, axis=1),
    "argmax": lambda o, x: o.argmax(x),
    "one_hot": lambda o, x: o.one_hot(o.argmax(x, axis=-1), I, axis=0),
    "concatenate": lambda o, x: o.concatenate([x, x]),
    "take": lambda o, x: o.take(x, [1, 0], axis=1),
    "where": lambda o, x: o.where(x > 0, x, 0.0),
    "full": lambda o, x: o.add(o.add(x, o.full((T, I), 2.0)), o.eye(T, I)),
    "repeat": lambda o, x: o.repeat(x, 2),
    "identity": lambda o, x: o.identity(3),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_arrays_at_once(name: str) -> None:
    x = np.random.default_rng(0).standard_normal((B, T, I)).astype(np.float32)
    expected = np.asarray(AT_ONCE[name](keras.ops, x))
    found = np.asarray(AT_ONCE[name](ops, x))
    assert found.dtype.kind == expected.dtype.kind
    np.testing.assert_allclose(found, expected, rtol=ATOL, atol=ATOL)

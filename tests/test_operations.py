"""Operations of arrays at once and of tensors in graphs: values, gradients, and what is refused.

Long, because one table of operations serves arrays, graphs, random programs and refusals.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import backend as K  # noqa: N812  Keras's name
from lstmfast import ops
from lstmfast.layers import (
    LSTM,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    Input,
    Lambda,
    Layer,
    MultiHeadAttention,
)
from lstmfast.models import Model, load_model
from lstmfast.optimizers import SGD

B, T, I = 5, 4, 3
RNG = np.random.default_rng(1)
X = RNG.standard_normal((B, T, I))
W = RNG.standard_normal((I, 2, 5))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    y: np.ndarray = e / e.sum(-1, keepdims=True)
    return y


AT_ONCE: dict[str, tuple[Any, Any]] = {
    "sum": (K.sum(X), X.sum()),
    "of_lists": (ops.add([1, 2], 3), [4, 5]),
    "of_numbers": (ops.sqrt(16.0), 4.0),
    "mean": (ops.mean(X, axis=0, keepdims=True), X.mean(0, keepdims=True)),
    "softmax": (ops.softmax(X), softmax(X)),
    "logsumexp": (ops.logsumexp(X, axis=(0, 2)), np.log(np.exp(X).sum((0, 2)))),
    "relu": (ops.relu(np.array([-1, 2])), [0, 2]),
    "elu": (ops.elu(X, alpha=0.5), np.where(X > 0, X, 0.5 * np.expm1(X))),
    "rsqrt": (ops.rsqrt(4.0), 0.5),
    "norm": (ops.norm(X, axis=-1), np.linalg.norm(X, axis=-1)),
    "normalize": (ops.normalize(X), X / np.linalg.norm(X, axis=-1, keepdims=True)),
    "erf": (ops.erf([0.0, 9.0]), [0.0, 1.0]),
    "compare": (ops.logical_and(X > 0, X < 1), (X > 0) & (X < 1)),
    "where": (ops.where(X > 0, X, x2=-1.0), np.where(X > 0, X, -1.0)),
    "concatenate": (ops.concatenate([X, X]), np.concatenate([X, X])),
    "last": (K.concatenate([X, X]), np.concatenate([X, X], -1)),
    "unstack": (ops.unstack(X)[1], X[1]),
    "reshape": (ops.reshape(x=X, newshape=(-1, I)), X.reshape(-1, I)),
    "one_hot": (ops.one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]]),
    "one_hot_first": (ops.one_hot([2, 0], 3, axis=0), [[0, 1], [0, 0], [1, 0]]),
    "arange": (ops.arange(2, 8, 2), [2, 4, 6]),
    "eye": (ops.identity(2), np.eye(2)),
    "full": (ops.full((2,), 3), [3, 3]),
    "argmax": (K.argmax(X), X.argmax(-1)),
    "cumsum": (ops.cumsum(X, axis=1), X.cumsum(1)),
    "pad": (ops.pad([1, 2], (1, 2), constant_values=7), [7, 1, 2, 7, 7]),
    "einsum": (ops.einsum("bti,bsi->bts", X, X), X @ X.swapaxes(1, 2)),
    "batch_dot": (K.batch_dot(X, X, axes=(2, 2)), X @ X.swapaxes(1, 2)),
    "flat": (K.batch_flatten(X), X.reshape(B, -1)),
    "floor": (ops.floor_divide(X, 0.5), X // 0.5),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_arrays_at_once(name: str) -> None:
    found, expected = AT_ONCE[name]
    # np.float64 or arrays, or what the core makes of float64
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_types_of_new_arrays() -> None:
    """As Keras has them: whole numbers have 32 bits, others too."""
    assert [ops.arange(3).dtype, ops.arange(3.0).dtype] == [np.int32, np.float32]
    assert [ops.zeros(3).dtype, ops.one_hot([1], 2).dtype] == [np.float32, np.float32]
    assert ops.greater(X, 0).dtype == bool


class Scaled(Layer):
    def build(self, shape: Any) -> None:
        self.w = self.add_weight(shape=shape[-1:], name="w")

    def call(self, x: Any) -> Any:
        return x * self.w


def test_weights_at_once() -> None:
    dense, scaled = Dense(2), Scaled()
    dense(X)
    scaled(X)
    for weight in (dense.kernel, scaled.w):
        array = weight.numpy()
        np.testing.assert_array_equal(ops.sum(weight), array.sum())
        np.testing.assert_array_equal(K.eval(weight), array)
        np.testing.assert_array_equal(ops.stack([weight, weight]), [array, array])
        np.testing.assert_array_equal(ops.exp(weight), np.exp(array))
    np.testing.assert_array_equal(2.0 * scaled.w > -scaled.w, 2.0 * array > -array)


IN_GRAPHS: dict[str, tuple[Any, Any]] = {
    "one_hot": (
        lambda x: ops.one_hot(ops.argmax(x, axis=1), T),
        lambda x: np.eye(T)[x.argmax(1)],
    ),
    "one_hot_at_1": (
        lambda x: ops.one_hot(ops.argmax(x, axis=1), T, axis=1),
        lambda x: np.eye(T)[x.argmax(1)].swapaxes(1, 2),
    ),
    "arange": (lambda x: x + ops.arange(3), lambda x: x + np.arange(3)),
    "zeros": (lambda x: x + ops.ones((T, 1)), lambda x: x + 1),
    "pad": (
        lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=2.0),
        lambda x: np.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=2.0),
    ),
    "pad_reflect": (
        lambda x: ops.pad(x, [[0, 0], [3, 1], [0, 0]], "reflect"),
        lambda x: np.pad(x, [[0, 0], [3, 1], [0, 0]], "reflect"),
    ),
    "pad_symmetric": (
        lambda x: ops.pad(x, [[0, 0], [2, 4], [3, 0]], mode="symmetric"),
        lambda x: np.pad(x, [[0, 0], [2, 4], [3, 0]], mode="symmetric"),
    ),
    "floordiv": (lambda x: x // 0.5 + 1.0 // x, lambda x: x // 0.5 + 1.0 // x),
    "mod": (lambda x: x % 0.5, lambda x: x % 0.5),
    "array_mod": (lambda x: np.arange(1.0, 4.0) % x, lambda x: np.arange(1.0, 4.0) % x),
    "logic": (
        lambda x: ((x > 0) & ~(x > 1)) | (x < -1),
        lambda x: ((x > 0) & ~(x > 1)) | (x < -1),
    ),
    "xor": (lambda x: (x > 0) ^ (x < 1), lambda x: (x > 0) ^ (x < 1)),
    "sum_of_all": (lambda x: ops.einsum("bti->b", x), lambda x: np.einsum("bti->b", x)),
    "turned": (lambda x: ops.einsum("bti->bit", x), lambda x: np.einsum("bti->bit", x)),
    "pairs": (lambda x: ops.einsum("bti,bsi->bts", x, x), lambda x: x @ x.swapaxes(1, 2)),
    "elements": (lambda x: ops.einsum("bti,bti->bt", x, x), lambda x: (x * x).sum(2)),
    "outer": (
        lambda x: ops.einsum("bt,bi->bti", x[:, :, 0], x[:, 0]),
        lambda x: np.einsum("bt,bi->bti", x[:, :, 0], x[:, 0]),
    ),
    "alone": (
        lambda x: ops.einsum("bti,bsj->bts", x, x),
        lambda x: np.einsum("bti,bsj->bts", x, x),
    ),
    "heads": (
        lambda x: ops.einsum("bti,ihd->bthd", x, W),
        lambda x: np.einsum("bti,ihd->bthd", x, W),
    ),
    "from_heads": (
        lambda x: ops.einsum(
            "bthd,hde->bte", ops.einsum("bti,ihd->bthd", x, W), W.transpose(1, 2, 0)
        ),
        lambda x: np.einsum("bti,ihd,jhd->btj", x, W, W),
    ),
    "left": (
        lambda x: ops.einsum("st,bti->bsi", np.ones((2, T)), x),
        lambda x: np.ones((2, T)) @ x,
    ),
    "vector": (lambda x: ops.einsum("bti,i", x, W[:, 0, 0]), lambda x: x @ W[:, 0, 0]),
}


@pytest.mark.parametrize("name", IN_GRAPHS)
def test_in_graphs(name: str) -> None:
    function, expected = IN_GRAPHS[name]
    y = Lambda(function, dtype="float64")(X)
    np.testing.assert_allclose(y, expected(X), rtol=1e-12, atol=1e-12)


def test_einsum_of_any_number_of_steps() -> None:
    x = Input((None, I))
    model = Model(x, ops.einsum("bqi,bki->bqk", x, x))
    for steps in (2, 4):
        part = X[:, :steps].astype(np.float32)
        # sums of I products in float32
        np.testing.assert_allclose(
            model.predict(part, verbose=0), part @ part.swapaxes(1, 2), rtol=1e-5, atol=1e-6
        )


def test_a_weight_of_einsum_learns() -> None:
    """By one step of SGD on half the squared sum: dW = Σ x dy."""

    class Product(Layer):
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(shape=(I, 2), name="w")

        def call(self, x: Any) -> Any:
            return ops.einsum("bti,ij->btj", x, self.w)

    layer = Product(dtype="float64")
    x = Input((T, I), dtype="float64")
    model = Model(x, layer(x))
    model.compile(SGD(1.0), "mse")
    (before,) = model.get_weights()
    y = X @ before
    model.train_on_batch(X, np.zeros_like(y))
    slope = np.einsum("bti,btj->ij", X, 2 * y / y.size)
    np.testing.assert_allclose(model.get_weights()[0], before - slope, rtol=1e-12, atol=1e-12)


class TokenAndPositionEmbedding(Layer):
    """The layer of Keras's example of text classification by a transformer."""

    def __init__(self, maxlen: int, vocab_size: int, embed_dim: int) -> None:
        super().__init__()
        self.token_emb = Embedding(input_dim=vocab_size, output_dim=embed_dim)
        self.pos_emb = Embedding(input_dim=maxlen, output_dim=embed_dim)

    def call(self, x: Any) -> Any:
        maxlen = ops.shape(x)[-1]
        positions = ops.arange(start=0, stop=maxlen, step=1)
        return self.token_emb(x) + self.pos_emb(positions)


def test_positions(tmp_path: Path) -> None:
    inputs = Input((T,))
    layer = TokenAndPositionEmbedding(T, 7, 3)
    y = Dense(1)(GlobalAveragePooling1D()(layer(inputs)))
    model = Model(inputs, y)
    ids = RNG.integers(0, 7, (B, T))
    model.compile(SGD(1.0), "mse")
    tokens, places = layer.get_weights()
    hidden = Model(inputs, layer(inputs))
    np.testing.assert_allclose(hidden.predict(ids, verbose=0), tokens[ids] + places, rtol=1e-6)
    kernel = model.get_weights()[2]
    error = 2 * (model.predict(ids, verbose=0) - 1.0) / B
    model.train_on_batch(ids, np.ones((B, 1)))
    # each step of each row has the same gradient: dy kernel / T
    slope = (error @ kernel.T).sum(0) / T
    np.testing.assert_allclose(layer.get_weights()[1], places - slope, rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(ids, verbose=0), model.predict(ids, verbose=0))


def test_numbers_in_a_layer_inside() -> None:
    """Arrays become constants for layers of one's own too, where those of another call them."""

    class Places(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.table = Embedding(T, I)

        def call(self, x: Any) -> Any:
            return 2.0 * self.table(x)

    places = Places()
    x = Input((T, I))
    model = Model(x, Lambda(lambda x: x + places(ops.arange(ops.shape(x)[1])))(x))
    assert [w.shape for w in model.trainable_weights] == [(T, I)]
    expected = X + 2.0 * model.get_weights()[0]
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-6, atol=1e-6)


def test_ids_as_numbers() -> None:
    """An input of ids serves an Embedding and an operation at once."""
    ids = Input((T,), dtype="int32")
    model = Model(ids, [ops.one_hot(ids, 5), Embedding(5, 2)(ids)])
    given = np.array([[1, 2, 3, 4]])
    hot, rows = model.predict(given, verbose=0)
    np.testing.assert_array_equal(hot, np.eye(5)[given])
    np.testing.assert_array_equal(rows, model.get_weights()[0][given])


def causal_attention_mask(batch_size: Any, n: int, dtype: str) -> Any:
    """As in Keras's example of a small GPT."""
    mask = ops.cast(ops.arange(n)[:, None] >= ops.arange(n), dtype)
    mask = ops.reshape(mask, [1, n, n])
    once = ops.convert_to_tensor([1, 1])
    return ops.tile(mask, ops.concatenate([ops.expand_dims(batch_size, -1), once], 0))


def test_a_causal_mask() -> None:
    attention = MultiHeadAttention(2, 3)

    def call(x: Any) -> Any:
        batch_size, steps, _ = ops.shape(x)
        return attention(x, x, attention_mask=causal_attention_mask(batch_size, steps, "bool"))

    inputs = Input((T, I))
    x = X.astype(np.float32)
    found = Model(inputs, Lambda(call)(inputs)).predict(x, verbose=0)
    causal = MultiHeadAttention(2, 3)
    causal(x, x, use_causal_mask=True)
    causal.set_weights(attention.get_weights())
    np.testing.assert_array_equal(found, causal(x, x, use_causal_mask=True))
    mask = np.tril(np.ones((1, T, T)))
    model = Model(inputs, attention(inputs, inputs, attention_mask=mask))
    np.testing.assert_array_equal(found, model.predict(x, verbose=0))
    assert causal_attention_mask(2, 3, "bool").shape == (2, 3, 3)


def test_ids_that_a_table_lacks() -> None:
    with pytest.raises(ValueError, match=r"lambda: an id is [34]; expected ids from 0 to 2"):
        Lambda(lambda x: x + Embedding(3, I)(np.arange(5)))(Input((5, I)))


def traced(function: Any) -> Any:
    return lambda: Lambda(function)(Input((T, I)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ops.exp(object()), TypeError, "[ops.exp] loop of ufunc"),
        (lambda: ops.sum(X, axis=7), ValueError, "[ops.sum] axis 7 is out of bounds"),
        (lambda: ops.zeros((None, 2)), ValueError, "expected known sizes"),
        (lambda: ops.flip(), TypeError, "missing a required argument: 'x'"),
        (traced(lambda x: x.T), AttributeError, "[Tensor.T] tensor_"),
        (traced(lambda x: x.T), AttributeError, "expected ops.transpose(...) (at "),
        (traced(lambda x: x.mean(1)), AttributeError, "expected ops.mean(...) (at "),
        (traced(lambda x: x.flatten()), AttributeError, "expected a function of lstmfast.ops (at "),
        (traced(lambda x: np.tanh(x)), TypeError, "expected ops.tanh(...) (at "),
        (traced(lambda x: np.mean(x, axis=1)), TypeError, "expected ops.mean(...) (at "),
        (traced(lambda x: np.interp(x, x, x)), TypeError, "expected a function of lstmfast.ops"),
        (traced(lambda x: [row for row in x]), TypeError, "ops.unstack(x, axis=1), or slices"),  # noqa: C416
        (traced(lambda x: x if ops.max(x, axis=(1, 2)) > 0 else -x), TypeError, "ops.where(...)"),
        (traced(lambda x: x if ops.max(x) > 0 else -x), ValueError, "takes the batch too"),
        (traced(lambda x: range(len(x))), TypeError, "expected x.shape[axis] (at "),
        (traced(lambda x: MultiHeadAttention(2, 3)(x)), TypeError, "expected two inputs"),
        (traced(lambda x: ops.einsum("...i,...i->...", x, x)), ValueError, "a letter for each"),
        (traced(lambda x: ops.einsum("bii->bi", x)), ValueError, "a letter for each axis, each"),
        (traced(lambda x: ops.einsum("ti->t", x)), ValueError, "shapes (None, 4, 3); expected one"),
        (traced(lambda x: ops.pad(x, 1)), ValueError, "expected one that is not the batch"),
        (traced(lambda x: ops.pad(x, ((0, 0), (1, 1), (0, 0)), "edge")), ValueError, "'symmetric'"),
        (
            traced(lambda x: ops.one_hot(x, 3, sparse=True)),
            ValueError,
            "sparse is True; expected False",
        ),
        (traced(lambda x: ops.argmax(x)), ValueError, "axis is None, which takes the batch too"),
        (traced(lambda x: x + ops.zeros((None, I))), ValueError, "ops.zeros_like(x)"),
        (traced(lambda x: ops.concatenate([x, x])), ValueError, "axis is 0; expected one that is"),
        (
            lambda: Lambda(lambda x: x + ops.arange(0, ops.shape(x)[1]))(Input((None, I))),
            ValueError,
            "there is no number from 0 to None; expected some: ops.shape has None",
        ),
    ],
)
def test_refusals(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
    if "(at " in str(caught.value):
        assert Path(__file__).name in str(caught.value)


def test_weights_of_other_layers_are_refused() -> None:
    """They would be constants, which do not learn."""
    dense = Dense(I)
    dense(X)
    with pytest.raises(TypeError, match="got the weight 'dense/kernel' of a layer; expected the"):
        Lambda(lambda x: ops.matmul(x, ops.transpose(dense.kernel)))(Input((T, I)))


def test_other_attributes() -> None:
    x = Input((T, I))
    assert x.ndim == 3
    assert not hasattr(x, "shapes")
    with pytest.raises(AttributeError, match="object has no attribute"):
        _ = x.shapes


class Own(Model):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = LSTM(4)
        self.drop = [Dropout(0.1)]
        self.out = Dense(1)

    def call(self, x: Any) -> Any:
        return self.out(self.drop[0](self.lstm(x)))


def test_summary_before_it_is_built(capsys: pytest.CaptureFixture[str]) -> None:
    """As Keras prints it."""
    model = Own()
    model.summary()
    rows = [line.split("│")[1:4] for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert [[each.strip() for each in row] for row in rows] == [
        ["lstm (LSTM)", "?", "0 (unbuilt)"],
        ["dropout (Dropout)", "?", "0"],
        ["dense (Dense)", "?", "0 (unbuilt)"],
    ]
    model(X)
    assert [layer.name for layer in model.layers] == ["lstm", "dropout", "dense"]


def _axis(rng: Any, x: Any) -> int:
    """An axis of a sample, counted from either end."""
    axis = int(rng.integers(1, x.ndim))
    return axis - x.ndim if rng.random() < 0.5 else axis


def _reduced(rng: Any, x: Any) -> Any:
    name = rng.choice(["sum", "mean", "max", "min", "logsumexp", "var", "norm"])
    axis = _axis(rng, x)
    return getattr(ops, name)(x, axis=axis, keepdims=x.ndim == 2 or bool(rng.random() < 0.3))


def _sliced(rng: Any, x: Any) -> Any:
    size = x.shape[1]
    start = int(rng.integers(size))
    step = int(rng.choice([1, 2, -1]))
    return x[:, start::step] if step > 0 else x[:, start::step][:, : start + 1]


def _moved(rng: Any, x: Any) -> Any:
    return ops.moveaxis(x, _axis(rng, x) % x.ndim, _axis(rng, x))


# each makes a tensor with a batch of another, by what it draws
CHOICES: list[Any] = [
    lambda rng, x: ops.tanh(x),
    lambda rng, x: ops.silu(x) - 0.3,
    lambda rng, x: 1.0 / (1.0 + x**2),
    lambda rng, x: ops.where(x > 0.1, x, 0.2 * x),
    lambda rng, x: ops.clip(x, -0.7, 0.6) + x % 0.71,
    lambda rng, x: ops.softmax(x, axis=_axis(rng, x)),
    lambda rng, x: ops.cumsum(x, axis=_axis(rng, x)),
    lambda rng, x: ops.flip(x, axis=_axis(rng, x)),
    lambda rng, x: ops.expand_dims(x, _axis(rng, x)) if x.ndim < 4 else x,
    lambda rng, x: ops.repeat(x, 2, axis=_axis(rng, x)),
    lambda rng, x: ops.concatenate([x, -x], axis=_axis(rng, x)),
    lambda rng, x: ops.pad(x, [[0, 0]] * (x.ndim - 1) + [[1, 2]], constant_values=0.5),
    lambda rng, x: ops.reshape(x, (-1, int(np.prod(x.shape[1:])))),
    lambda rng, x: (
        x @ ops.swapaxes(x, -1, -2)
        if x.ndim > 2
        else ops.outer(x, x)
        if hasattr(x, "node")
        else x[:, :, None] * x[:, None]
    ),
    lambda rng, x: ops.einsum("bi,bj->bij", x, x) if x.ndim == 2 else x * x.shape[1],
    lambda rng, x: ops.normalize(x, axis=_axis(rng, x)),
    _reduced,
    _sliced,
    _moved,
]


def _program(seed: int, x: Any) -> Any:
    rng = np.random.default_rng(seed)
    for _ in range(6):
        big = np.prod(x.shape[1:]) > 64
        x = _reduced(rng, x) if big else CHOICES[int(rng.integers(len(CHOICES)))](rng, x)
    return x


@pytest.mark.fuzz
@pytest.mark.parametrize("first", range(0, 120, 30))
def test_random_programs(first: int) -> None:
    """Of tensors in the core as of arrays in NumPy, and whatever the batch."""
    for seed in range(first, first + 30):
        layer = Lambda(lambda x, seed=seed: _program(seed, x), dtype="float64")
        y = layer(X)
        # 6 steps, each within some 1000 eps: of sums of up to 128 elements, and quotients by them
        np.testing.assert_allclose(
            y, _program(seed, X), rtol=6000 * 2.2e-16, atol=6000 * 2.2e-16, err_msg=str(seed)
        )
        np.testing.assert_array_equal(layer(X[1:2]), y[1:2])
        assert layer(X[:0]).shape == (0, *y.shape[1:])

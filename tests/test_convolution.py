"""Conv1D and Conv2D against the reference; what they share with pooling: masks, sizes, errors."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import layer_errors
import lstmfast as lf
from graph_layer_cases import CONVS, MASKS, B, Conv
from lstmfast import layers, reference
from lstmfast.models import Sequential, load_model
from lstmfast.optimizers import SGD

Array = npt.NDArray[Any]
DTYPES = ("float32", "float64")


def problem(case: Conv, dtype: str) -> tuple[Any, Array, Array, Array]:
    """A layer with its weights, in a dtype; input, kernel and bias in float64."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((B, *case.shape)).astype(dtype)
    layer = case.make(layers, dtype=dtype, bias_initializer="normal")
    layer(x)
    layer.set_weights([rng.standard_normal(w.shape) for w in layer.get_weights()])
    kernel, bias = (w.astype(np.float64) for w in layer.get_weights())
    return layer, x.astype(np.float64), kernel, bias


def rounding(dtype: str, terms: int) -> float:
    """Error of a sum of so many products, of the sum of magnitudes: u a product and an addition."""
    return (terms + 2) * float(np.finfo(dtype).eps) / 2


@pytest.mark.isa
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CONVS)
def test_values(name: str, dtype: str) -> None:
    layer, x, kernel, bias = problem(CONVS[name], dtype)
    of_axes = CONVS[name].of_axes()
    y = reference.conv_forward(x, kernel, of_axes, bias)
    sizes = reference.conv_forward(abs(x), abs(kernel), of_axes, abs(bias))
    found = layer(x)
    assert (found.dtype, found.shape) == (dtype, y.shape)
    assert layer.output_shape == (None, *y.shape[1:])
    both = rounding(dtype, kernel[..., 0].size) + rounding("float64", kernel[..., 0].size)
    assert np.all(abs(found - y) <= both * sizes)


@pytest.mark.isa
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CONVS)
def test_gradients(name: str, dtype: str) -> None:
    """By a step of training, after a layer h = x·I, whose gradient xᵀ·dh shows dh."""
    layer, x, kernel, bias = problem(CONVS[name], dtype)
    of_axes, width = CONVS[name].of_axes(), x.shape[-1]
    before = layers.Dense(width, use_bias=False, kernel_initializer="identity")
    model = Sequential([layers.Input(x.shape[1:], dtype=dtype), before, layer])
    model.compile(SGD(1.0), "mse")
    y = reference.conv_forward(x, kernel, of_axes, bias)
    target = np.random.default_rng(1).standard_normal(y.shape).astype(dtype).astype(np.float64)
    model.train_on_batch(x, target)

    dy = 2.0 * (y - target) / y.size
    dx, dkernel, dbias = reference.conv_backward(dy, x, kernel, of_axes)
    dfirst = np.einsum("bpi,bpo->io", x.reshape(B, -1, width), dx.reshape(B, -1, width))
    # what the sums may be off: those of y, then by their magnitudes those of the gradients
    longest = max(kernel[..., 0].size, kernel.size // width, y.size // kernel.shape[-1],
                  x.size // width)  # fmt: skip
    error = rounding(dtype, longest) + rounding("float64", longest)
    sizes = reference.conv_forward(abs(x), abs(kernel), of_axes, abs(bias))
    off = error * (2.0 * sizes / y.size + 2.0 * abs(dy))
    bounds = reference.conv_backward(off, abs(x), abs(kernel), of_axes)
    most = reference.conv_backward(abs(dy), abs(x), abs(kernel), of_axes)[0]
    first_bound = np.einsum(
        "bpi,bpo->io",
        abs(x).reshape(B, -1, width),
        (bounds[0] + error * most).reshape(B, -1, width),
    )
    for found, start, step, bound in (
        (before.get_weights()[0], np.eye(width), dfirst, first_bound),
        (layer.get_weights()[0], kernel, dkernel, bounds[1]),
        (layer.get_weights()[1], bias, dbias, bounds[2]),
    ):
        ends = float(np.finfo(dtype).eps) * (abs(start) + 2.0 * abs(step))
        assert np.all(abs(found - (start - step)) <= bound + ends)


@pytest.mark.isa
@pytest.mark.parametrize("name", ["softmax", "relu", "gelu", "leaky_relu:-0.5"])
@pytest.mark.parametrize("filters", [4, 16])
def test_activations(name: str, filters: int) -> None:
    """The same bits as by a layer of its own, also after training."""
    x = np.random.default_rng(0).standard_normal((B, 6, 3), dtype=np.float32)
    y = np.random.default_rng(1).standard_normal((B, 4, filters), dtype=np.float32)
    inside = layers.Conv1D(filters, 3, activation=name)
    apart = layers.Conv1D(filters, 3)
    first = Sequential([layers.Input((6, 3)), inside])
    second = Sequential([layers.Input((6, 3)), apart, layers.Activation(name)])
    second.set_weights(first.get_weights())
    for _ in range(2):
        for model in (first, second):
            model.compile("adam", "mse")
            model.train_on_batch(x, y)
        np.testing.assert_array_equal(first.predict(x), second.predict(x))
        np.testing.assert_array_equal(inside.kernel.numpy(), apart.kernel.numpy())


def test_without_bias() -> None:
    x = np.random.default_rng(0).standard_normal((B, 6, 3))
    layer = layers.Conv1D(2, 3, use_bias=False, dtype="float64")
    model = Sequential([layers.Input((6, 3)), layer], dtype="float64")
    model.compile(SGD(0.1), "mse")
    for _ in range(2):
        model.train_on_batch(x, np.ones((B, 4, 2)))
    assert [w.shape for w in layer.get_weights()] == [(3, 3, 2)]
    y = reference.conv_forward(x, layer.kernel.numpy(), [reference.window_positions(6, 3)])
    np.testing.assert_allclose(layer(x), y, rtol=1e-13, atol=1e-13)


SHARED = {
    "steps": lambda: layers.Conv1D(64, 5, padding="causal"),
    "strided": lambda: layers.Conv1D(64, 5, 2, padding="same"),
    "large_windows": lambda: layers.Conv1D(64, 200),
    "dilated": lambda: layers.Conv1D(64, 4, padding="same", dilation_rate=3),
    "max": lambda: layers.MaxPooling1D(3, 2),
    "mean": lambda: layers.AveragePooling1D(3, 1, "same"),
    "images": lambda: layers.Conv2D(64, 3, padding="same"),
    "max_images": lambda: layers.MaxPooling2D(3, 2, "same"),
}


@pytest.mark.isa
@pytest.mark.parametrize("name", SHARED)
def test_same_bits(name: str) -> None:
    """Of a row alone, on any number of threads; and of a step of training on these."""
    shape = (20, 15, 32) if "images" in name else (301, 32)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((9, *shape), dtype=np.float32)
    rows, trained = [], []
    for threads in (1, 2, 3):
        lf.set_num_threads(threads)
        layer = SHARED[name]()
        model = Sequential([layers.Input(shape), layers.Dense(32), layer], seed=4)
        rows.append(model.predict(x))
        model.compile("sgd", "mse")
        model.train_on_batch(x, np.ones_like(rows[0]))
        trained.append(model.get_weights())
        alone = [model.predict(x[k : k + 1]) for k in (0, 8)]
        np.testing.assert_array_equal(np.concatenate(alone), model.predict(x)[[0, 8]])
    for found, weights in zip(rows[1:], trained[1:], strict=True):
        np.testing.assert_array_equal(found, rows[0])
        for one, other in zip(weights, trained[0], strict=True):
            np.testing.assert_array_equal(one, other)


def test_any_number_of_steps() -> None:
    conv = layers.Conv1D(4, 3)
    model = Sequential([layers.Input((None, 2)), conv, layers.MaxPooling1D(2)])
    assert model.output_shape == (None, None, 4)
    for steps in (4, 9, 5):
        x = np.random.default_rng(steps).standard_normal((3, steps, 2), dtype=np.float32)
        y = model.predict(x)
        assert y.shape == (3, (steps - 2) // 2, 4)
        np.testing.assert_array_equal(y, layers.MaxPooling1D(2)(conv(x)))
    with pytest.raises(ValueError, match=r"sample has shape \(2, 2\); .* at least 3 steps"):
        model.predict(np.zeros((3, 2, 2)))
    assert model.predict(np.zeros((0, 5, 2))).shape == (0, 1, 4)
    ends = Sequential([layers.Input((None, 2)), layers.GlobalMaxPooling1D(keepdims=True)])
    assert ends.output_shape == (None, 1, 2)


def test_at_each_step(tmp_path: Path) -> None:
    """CNN-LSTM in both of its forms, from the same weights; and from a file."""
    x = np.random.default_rng(0).standard_normal((5, 3, 8, 2), dtype=np.float32)
    y = np.random.default_rng(1).standard_normal((5, 1), dtype=np.float32)
    read = [
        lambda: layers.Conv1D(6, 3, activation="relu"),
        lambda: layers.MaxPooling1D(2),
        lambda: layers.Flatten(),
    ]
    wrapped = Sequential(
        [layers.TimeDistributed(Sequential([make() for make in read]), input_shape=(None, 8, 2)),
         layers.LSTM(4), layers.Dense(1)]
    )  # fmt: skip
    by_layer = Sequential(
        [layers.TimeDistributed(make()) for make in read] + [layers.LSTM(4), layers.Dense(1)]
    )
    by_layer.build((None, None, 8, 2))
    by_layer.set_weights(wrapped.get_weights())
    for model in (wrapped, by_layer):
        model.compile("adam", "mse")
        model.fit(x, y, epochs=2, batch_size=2, shuffle=False, verbose=0)
    for one, other in zip(wrapped.get_weights(), by_layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    wrapped.save(str(tmp_path / "model.safetensors"))
    again = load_model(str(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(again.predict(x), wrapped.predict(x))
    conv = layers.Conv1D(6, 3)
    conv(x[:, 0])
    each = layers.TimeDistributed(conv)
    np.testing.assert_array_equal(each(x), reference.time_distributed(conv, x))


ENDING = {
    "conv": lambda: layers.Conv1D(2, 2),
    "max": lambda: layers.MaxPooling1D(2),
    "mean": lambda: layers.AveragePooling1D(2),
    "max_of_all": lambda: layers.GlobalMaxPooling1D(),
}


@pytest.mark.parametrize("name", [*ENDING, "mean_of_all"])
def test_masks_end(name: str) -> None:
    """With a warning, where the layer does not heed them."""
    layer = ENDING.get(name, layers.GlobalAveragePooling1D)()
    warning = pytest.warns(UserWarning, match=f"the mask ends at {layer.kind}")
    with warning if name in ENDING else nullcontext(), warnings.catch_warnings():
        if name not in ENDING:
            warnings.simplefilter("error")
        model = Sequential([layers.Input((4, 3)), layers.Masking(), layer])
    x = np.random.default_rng(0).standard_normal((B, 4, 3))
    assert layer.compute_mask(x, MASKS[1]) is None
    assert model.predict(x).shape[0] == B


def test_masked_mean() -> None:
    mask = MASKS[1].copy()
    mask[0] = True
    mask[1] = [True, False, False, False]
    x = np.random.default_rng(0).standard_normal((B, 4, 3))
    pool = layers.GlobalAveragePooling1D(dtype="float64")
    x[~mask] = np.nan  # does not count
    y = reference.global_average_forward(x, mask)
    np.testing.assert_allclose(pool(x, mask=mask), y, rtol=1e-15)
    assert np.isnan(pool(x, mask=np.zeros((B, 4), bool))).all()

    x[~mask] = 0.0
    dense = layers.Dense(3, use_bias=False, kernel_initializer="identity")
    model = Sequential([layers.Input((4, 3), dtype="float64"), layers.Masking(), dense, pool])
    model.compile(SGD(1.0), "mse")
    model.train_on_batch(x, np.zeros((B, 3)))
    dx = reference.global_average_backward(2.0 * y / y.size, mask)
    step = np.einsum("bti,bto->io", x, dx)
    np.testing.assert_allclose(dense.kernel.numpy(), np.eye(3) - step, rtol=1e-14, atol=1e-15)


def test_maxima_of_nan_and_infinity() -> None:
    x = np.array([[1.0, np.nan, 2.0, -np.inf, -np.inf, 0.0]])[..., None]
    for features in (1, 9):  # part of a vector, and more than one
        y = layers.MaxPooling1D(2)(np.repeat(x, features, axis=2))
        np.testing.assert_array_equal(y, np.repeat([[[np.nan], [2.0], [0.0]]], features, axis=2))
        assert np.isnan(layers.MaxPooling1D(2)(-np.repeat(x, features, axis=2))[0, 0]).all()
    assert layers.MaxPooling1D(2)(np.full((1, 2, 1), -np.inf))[0, 0, 0] == -np.inf


def test_other_names() -> None:
    for ours, other in (
        ("Conv#D", "Convolution#D"),
        ("MaxPooling#D", "MaxPool#D"),
        ("AveragePooling#D", "AvgPool#D"),
        ("GlobalMaxPooling#D", "GlobalMaxPool#D"),
        ("GlobalAveragePooling#D", "GlobalAvgPool#D"),
    ):
        for axes in "12":
            names = (name.replace("#", axes) for name in (ours, other))
            first, second = (getattr(layers, name) for name in names)
            assert first is second
            assert first.kind == layers.LAYERS.find(first.__name__).kind
    assert layers.Conv2D(1, 2).kernel_size == (2, 2)
    assert layers.Conv1D(1, (2,), [3], "SAME").strides == (3,)
    assert layers.MaxPooling2D((2, 3)).strides == (2, 3)
    assert layers.Conv1D(1, 2, data_format="channels_last").groups == 1


X = np.zeros((2, 4, 3))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Conv1D(2, 5)(X), ValueError, "(steps, features) with at least 5 steps"),
        (lambda: layers.Conv1D(2, 3, dilation_rate=2)(X), ValueError, "with at least 5 steps"),
        (lambda: layers.MaxPooling1D(5)(X), ValueError, "with at least 5 steps"),
        (lambda: layers.Conv2D(2, (2, 3))(np.zeros((1, 4, 2, 1))), ValueError,
         "(4, 2, 1); expected (rows, columns, features) with at least 3 columns"),
        (lambda: layers.Conv2D(2, 2)(X), ValueError, "expected (rows, columns, features)"),
        (lambda: layers.MaxPooling2D(2)(X), ValueError, "expected (rows, columns, features)"),
        (lambda: layers.GlobalMaxPooling1D()(X[:, :0]), ValueError, "at least 1 steps"),
        (lambda: layers.Conv1D(0, 2), ValueError, "filters is 0; expected an integer from 1 to"),
        (lambda: layers.Conv1D(2, 0), ValueError, "from 1 to 16777216, or a tuple of 1"),
        (lambda: layers.Conv2D(2, (2,)), ValueError, "kernel_size is (2,); expected an integer"),
        (lambda: layers.Conv2D(2, (2, None)), ValueError, "or a tuple of 2"),
        (lambda: layers.Conv1D(2, 2.0), TypeError, "kernel_size is of type float; expected an"),
        (lambda: layers.MaxPooling1D(2, 0), ValueError, "strides is 0; expected an integer from"),
        (lambda: layers.Conv1D(2, 2, padding="full"), ValueError, "expected one of"),
        (lambda: layers.Conv2D(2, 2, padding="causal"), ValueError, "padding is"),
        (lambda: layers.MaxPooling1D(2, padding="causal"), ValueError, "padding is"),
        (lambda: layers.Conv1D(2, 2, 2, dilation_rate=2), ValueError,
         "dilation_rate is 2; expected 1 with strides above 1"),
        (lambda: layers.Conv1D(2, 2, groups=2), ValueError, "groups=2 is not available"),
        (lambda: layers.Conv1D(2, 2, data_format="channels_first"), ValueError,
         "data_format='channels_first' is not available"),
        (lambda: layers.GlobalMaxPooling2D("channels_first"), ValueError, "'channels_first'"),
        (lambda: layers.AveragePooling1D(2, data_format="channels_first"), ValueError,
         "'channels_first'"),
        (lambda: layers.Conv2D(2**20, (2**20, 2**20))(np.zeros((1, 1, 1, 1))), ValueError,
         "at least 1048576 rows"),
        (lambda: layers.Conv2D(2**20, (2**20, 2**20), padding="same")(np.zeros((1, 1, 1, 1))),
         ValueError, "elements"),
    ],
)  # fmt: skip
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    layer_errors.check_layer_error(make, error, message)


def test_other_features_are_refused() -> None:
    layer_errors.check_other_features(layers.Conv1D(2, 2), X)

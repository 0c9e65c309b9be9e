"""BatchNormalization: statistics of the batch, moving averages, and where they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import layers, reference
from lstmfast.models import Model, Sequential, load_model
from lstmfast.optimizers import SGD

B, T, F = 5, 4, 3
EPSILON = 1e-3
# float64: a few roundings of sums of at most some twenty terms of size 1
ATOL = 64 * float(np.finfo(np.float64).eps)
MASK = np.random.default_rng(1).random((B, T)) < 0.6
MASK[0] = False


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=ATOL, atol=ATOL)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def identity(units: int = F) -> layers.Dense:
    return layers.Dense(units, use_bias=False, kernel_initializer="identity")


def sample(masked: bool) -> np.ndarray:
    x = numbers(B, T, F)
    if masked:
        x[~MASK] = 0.0  # which Masking takes for padding
    return x


def network(masked: bool, **options: Any) -> tuple[Sequential, Any]:
    norm = layers.BatchNormalization(**options)
    start = layers.Input((T, F), dtype="float64")
    model = Sequential([start, *[layers.Masking()] * masked, identity(), norm])
    weights = [numbers(*w.shape, seed=9 + n) for n, w in enumerate(norm.get_weights())]
    weights[-1] = np.abs(weights[-1])  # the moving variance
    norm.set_weights(weights)
    model.compile(SGD(1.0), "mse")
    return model, norm


def moved(old: np.ndarray, new: np.ndarray, momentum: float = 0.99) -> np.ndarray:
    return old * momentum + new * (1 - momentum)


@pytest.mark.isa
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("center", [False, True])
def test_a_step_of_training(center: bool, scale: bool, masked: bool) -> None:
    """Loss, all gradients and moving averages, against the reference."""
    model, norm = network(masked, center=center, scale=scale)
    x, target, before = sample(masked), numbers(B, T, F, seed=5), norm.get_weights()
    gamma = before[0] if scale else np.ones(F)
    beta = before[scale] if center else np.zeros(F)
    mask = MASK if masked else None
    y, mean, variance = reference.batch_normalization_forward(x, gamma, beta, EPSILON, mask)
    real = np.ones((B, T), bool) if mask is None else mask
    error = np.where(real[..., None], y - target, 0.0)
    size = real.sum() * F
    dx, dgamma, dbeta = reference.batch_normalization_backward(
        2 * error / size, x, gamma, EPSILON, mask
    )
    close(model.train_on_batch(x, target), (error**2).sum() / size)
    found = norm.get_weights()
    if scale:
        close(found[0], gamma - dgamma)
    if center:
        close(found[scale], beta - dbeta)
    close(found[-2], moved(before[-2], mean))
    close(found[-1], moved(before[-1], variance))
    kernel = model.get_weights()[0]
    close(kernel, np.eye(F) - x.reshape(-1, F).T @ dx.reshape(-1, F))


@pytest.mark.isa
@pytest.mark.parametrize("axis", [1, 2, -2])
def test_axes(axis: int) -> None:
    norm = layers.BatchNormalization(axis, momentum=0.0, dtype="float64")
    x = numbers(B, T, F)
    moved_x = np.moveaxis(x, axis, -1)
    y, mean, variance = reference.batch_normalization_forward(
        moved_x, np.ones(moved_x.shape[-1]), np.zeros(moved_x.shape[-1])
    )
    close(norm(x, training=True), np.moveaxis(y, -1, axis))
    close(norm.moving_mean, mean)
    close(norm.moving_variance, variance)
    close(norm(x), np.moveaxis(y, -1, axis))  # by the averages, which are those of the batch


def test_gradient_along_another_axis() -> None:
    start = layers.Input((T, F), dtype="float64")
    model = Sequential([start, identity(), layers.BatchNormalization(1)])
    model.compile(SGD(1.0), "mse")
    x = numbers(B, T, F)
    rows, ones = np.moveaxis(x, 1, -1), np.ones(T)
    y = reference.batch_normalization_forward(rows, ones, 0 * ones)[0]
    dx, *_ = reference.batch_normalization_backward(2 * y / y.size, rows, ones)
    model.train_on_batch(x, np.zeros_like(x))
    step = x.reshape(-1, F).T @ np.moveaxis(dx, -1, 1).reshape(-1, F)
    close(model.get_weights()[0], np.eye(F) - step)


def test_inference_and_frozen_layers_use_the_averages() -> None:
    model, norm = network(False)
    x, target, weights = sample(False), numbers(B, T, F, seed=5), norm.get_weights()
    gamma, beta, mean, variance = weights
    factor = gamma / np.sqrt(variance + EPSILON)
    y = (x - mean) * factor + beta
    close(model.predict(x, verbose=0), y)
    norm.trainable = False
    dx = 2 * (y - target) / y.size * factor
    close(model.train_on_batch(x, target), ((y - target) ** 2).mean())
    kernel = model.get_weights()[0]
    close(kernel, np.eye(F) - x.reshape(-1, F).T @ dx.reshape(-1, F))
    for found, weight in zip(norm.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(found, weight)


def test_steps_of_time_distributed_have_statistics_of_their_own() -> None:
    inner = layers.BatchNormalization(momentum=0.5, dtype="float64")
    layer = layers.TimeDistributed(layers.TimeDistributed(inner))
    x = numbers(B, T, 2, F)
    y = layer(x, training=True)
    mean = np.zeros(F)
    for t in range(T):
        for u in range(2):
            step, of_step, _ = reference.batch_normalization_forward(
                x[:, t, u], np.ones(F), np.zeros(F)
            )
            close(y[:, t, u], step)
            mean = moved(mean, of_step, 0.5)
    close(inner.moving_mean, mean)


@pytest.mark.parametrize("masked", [False, True])
def test_gradient_in_time_distributed(masked: bool) -> None:
    norm = layers.BatchNormalization()
    start = layers.Input((T, F), dtype="float64")
    masking = [layers.Masking()] * masked
    model = Sequential([start, *masking, identity(), layers.TimeDistributed(norm)])
    model.compile(SGD(1.0), "mse")
    x, ones = sample(masked), np.ones(F)
    real = MASK if masked else np.ones((B, T), bool)
    parts, dx = [], np.zeros_like(x)
    for t in range(T):
        mask = real[:, t] if masked else None
        y = reference.batch_normalization_forward(x[:, t], ones, 0 * ones, EPSILON, mask)[0]
        dy = np.where(real[:, t, None], 2 * y / (real.sum() * F), 0.0)
        dx[:, t], *more = reference.batch_normalization_backward(dy, x[:, t], ones, EPSILON, mask)
        parts.append(more)
    model.train_on_batch(x, np.zeros_like(x))
    close(model.get_weights()[0], np.eye(F) - x.reshape(-1, F).T @ dx.reshape(-1, F))
    close(norm.gamma, 1 - np.sum([part[0] for part in parts], axis=0))
    close(norm.beta, -np.sum([part[1] for part in parts], axis=0))


def test_a_layer_that_stands_twice_moves_twice() -> None:
    x, norm = layers.Input((F,), dtype="float64"), layers.BatchNormalization(momentum=0.5)
    model = Model(x, norm(layers.Activation("tanh")(norm(x))))
    model.compile("sgd", "mse")
    batch = numbers(B, F)
    first, mean, _ = reference.batch_normalization_forward(batch, np.ones(F), np.zeros(F))
    second = np.tanh(first).mean(axis=0)
    model.train_on_batch(batch, batch)
    close(norm.moving_mean, moved(moved(np.zeros(F), mean, 0.5), second, 0.5))


def test_a_step_that_fails_leaves_the_averages() -> None:
    model, norm = network(False)
    before = norm.get_weights()
    with pytest.raises(FloatingPointError, match="not finite"):
        model.train_on_batch(sample(False), np.full((B, T, F), np.inf))
    for found, weight in zip(norm.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, weight)


def test_statistics_are_weights_that_nothing_trains() -> None:
    model, norm = network(False)
    assert [w.name for w in norm.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [w.name for w in norm.trainable_weights] == ["gamma", "beta"]
    assert [w.name for w in model.non_trainable_weights] == ["moving_mean", "moving_variance"]
    text: list[str] = []
    model.summary(print_fn=text.append)
    assert " Trainable params: 15 (" in text[0]
    assert " Non-trainable params: 6 (" in text[0]
    norm.trainable = False
    assert norm.trainable_weights == []


def test_files_and_resumed_training(tmp_path: Path) -> None:
    model, _ = network(False)
    model.compile("adam", "mse")
    x, y = numbers(20, T, F, seed=3), numbers(20, T, F, seed=4)
    model.fit(x, y, epochs=2, batch_size=6, verbose=0)
    model.save(tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    for each in (model, again):
        each.fit(x, y, epochs=2, batch_size=6, verbose=0)
    for found, weight in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.isa
@pytest.mark.parametrize("width", [1, 3, 70])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_for_any_number_of_threads(dtype: str, width: int) -> None:
    """Of blocks of rows, tails of vectors among them."""
    x = np.random.default_rng(0).standard_normal((40, 50, width)).astype(dtype)
    found = []
    for threads in (1, 2, 3):
        lf.set_num_threads(threads)
        start = layers.Input((50, width), dtype=dtype)
        norms = [layers.BatchNormalization(), layers.LayerNormalization()]
        model = Sequential([start, identity(width), *norms], seed=0)
        model.compile(SGD(0.1), "mse")
        model.fit(x, np.roll(x, 1), batch_size=40, epochs=2, verbose=0)
        found.append([*model.get_weights(), model.predict(x, verbose=0)])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.isa
def test_long_sums_keep_their_digits() -> None:
    """A mean of 1000 with a deviation of 1, over 200,000 rows, in float32."""
    x = (1000 + np.random.default_rng(0).standard_normal((200_000, 2))).astype(np.float32)
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(layer.moving_mean, exact.mean(axis=0), rtol=2e-7)
    # the mean is off by 3e-5 at most, which adds 1e-9 to the variance
    np.testing.assert_allclose(layer.moving_variance, exact.var(axis=0), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: layers.BatchNormalization(1)(numbers(B, T, F), mask=MASK, training=True),
            "axis is 1; expected -1 for an input with a mask",
        ),
        (
            lambda: layers.BatchNormalization(3)(numbers(B, T, F)),
            "axis is 3; expected one of a sample of shape (4, 3)",
        ),
        (
            lambda: layers.BatchNormalization(1)(layers.Input((None, F))),
            "expected known sizes along axis",
        ),
        (lambda: layers.BatchNormalization(renorm=True), "renorm=True is not available"),
        (
            lambda: layers.LayerNormalization([1, -2])(numbers(B, T, F)),
            "axis is (1, -2); expected different ones of a sample of shape (4, 3)",
        ),
        (lambda: layers.LayerNormalization([]), "expected an integer from -5 to 5 other than 0"),
    ],
)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert message in str(caught.value)
    assert str(caught.value).startswith("[layers.")


def test_other_sizes_than_the_weights_have() -> None:
    layer = layers.BatchNormalization()
    layer(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="3 along axis, for which the layer has weights"):
        layer(np.zeros((2, 4)))
    assert layer(np.zeros((0, 3)), training=True).shape == (0, 3)


def test_average_of_weights_leaves_statistics_out() -> None:
    # statistics have no slot: written there, they would reach the average of the next layer
    model = lf.models.Sequential([lf.layers.Input((2,)), lf.layers.BatchNormalization()])
    model.add(lf.layers.Dense(2))
    model.compile(lf.optimizers.SGD(0.0, use_ema=True, ema_momentum=0.5), "mse")
    before = model.layers[1].get_weights()
    model.fit(np.ones((8, 2)), np.zeros((8, 2)), epochs=3, batch_size=2, verbose=0)
    for ours, expected in zip(model.layers[1].get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)

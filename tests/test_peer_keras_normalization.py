"""Against live Keras 3, and torch: normalisation, noise, resampling and activations as layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from keras_twins import (
    KERAS,
    MASK,
    OURS,
    TRAINED,
    B,
    T,
    lstm,
    masked_numbers,
    numbers,
    peer,
    same,
    same_nets,
    twins,
)

pytestmark = peer

X, Y = masked_numbers(), numbers(B, 2, seed=9)


def plain(of: Any, x: Any) -> Any:
    """Return products without a bias, whose gradient before a normalisation is 0."""
    return of.layers.Dense(4, use_bias=False)(x)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"center": False},
        {"scale": False, "momentum": 0.5},
        {"center": False, "scale": False, "epsilon": 0.1},
        {"gamma_regularizer": "l2", "beta_regularizer": "l1", "beta_constraint": "non_neg"},
    ],
    ids=str,
)
def test_batch_normalization(options: dict[str, Any], masked: bool) -> None:
    """Outputs before and after some epochs of uneven batches, moving averages among the weights."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = plain(of, of.layers.Masking()(x) if masked else x)
        h = of.layers.BatchNormalization(**options)(h)
        return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(h)))

    x = X if masked else numbers(B, T, 3)
    same_nets(build, x, Y, fit={"batch_size": 3}, rate=0.1)


@pytest.mark.parametrize("axis", [1, 2, -2])
def test_axes_of_batch_normalization(axis: int) -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = of.layers.BatchNormalization(axis)(plain(of, x))
        return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(h)))

    same_nets(build, numbers(B, T, 3), Y, rate=0.1)


@pytest.mark.parametrize("masked", [False, True])
def test_batch_normalization_at_each_step(masked: bool) -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = plain(of, of.layers.Masking()(x) if masked else x)
        h = of.layers.TimeDistributed(of.layers.BatchNormalization(momentum=0.9))(h)
        return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(h)))

    same_nets(build, X if masked else numbers(B, T, 3), Y, rate=0.1)


def test_frozen_batch_normalization() -> None:
    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        norm = of.layers.BatchNormalization()
        norm.trainable = False
        h = norm(plain(of, x))
        return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(h)))

    same_nets(build, numbers(B, T, 3), Y, frozen=4)


def test_calls_that_train() -> None:
    ours, theirs = (of.layers.BatchNormalization(momentum=0.5) for of in (OURS, KERAS))
    for seed in range(3):
        x = numbers(B, T, 3, seed=seed)
        for mask in (None, MASK):
            same(ours(x, mask, training=True), theirs(x, mask=mask, training=True))
            same(ours.get_weights(), theirs.get_weights())
        same(ours(x), theirs(x))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradients_by_torch(dtype: str) -> None:
    """A step of training through both kinds of normalisation."""
    torch = pytest.importorskip("torch")
    layers = OURS.layers
    model = OURS.models.Sequential(
        [layers.Input((6,), dtype=dtype), layers.BatchNormalization(), layers.LayerNormalization()]
    )
    rng = np.random.default_rng(0)
    weights = [rng.random(w.shape).astype(dtype) + 0.5 for w in model.get_weights()]
    model.set_weights(weights)
    model.compile(OURS.optimizers.SGD(1.0), "mse")
    x, y = (rng.standard_normal((40, 6)).astype(dtype) for _ in range(2))
    loss = model.train_on_batch(x, y)
    given = [torch.tensor(w, requires_grad=True) for w in weights]
    gamma, beta, _, _, scale, shift = given
    h = torch.nn.functional.batch_norm(
        torch.tensor(x), None, None, gamma, beta, training=True, eps=1e-3
    )
    h = torch.nn.functional.layer_norm(h, (6,), scale, shift, eps=1e-3)
    expected = ((h - torch.tensor(y)) ** 2).mean()
    expected.backward()
    # a few roundings of sums of 40 terms of size 1
    atol = 64 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(loss, expected.item(), rtol=atol)
    for place in (0, 1, 4, 5):
        step = weights[place] - model.get_weights()[place]
        np.testing.assert_allclose(step, given[place].grad.numpy(), rtol=atol, atol=atol)


LAYERS: dict[str, Any] = {
    "spatial": lambda of: of.layers.SpatialDropout1D(0.0),
    "gaussian_noise": lambda of: of.layers.GaussianNoise(0.0),
    "gaussian_dropout": lambda of: of.layers.GaussianDropout(0.0),
    "alpha_dropout": lambda of: of.layers.AlphaDropout(0.0),
    "activity": lambda of: of.layers.ActivityRegularization(0.1, 0.2),
    "layer_norm": lambda of: of.layers.LayerNormalization(gamma_regularizer="l2"),
    "unit_norm": lambda of: of.layers.UnitNormalization(),
    "leaky_relu": lambda of: of.layers.LeakyReLU(),
    "leaky_relu_alpha": lambda of: of.layers.LeakyReLU(alpha=0.1),
    "relu": lambda of: of.layers.ReLU(0.5, 0.1, 0.2),
    "relu_6": lambda of: of.layers.ReLU(6.0),
    "elu": lambda of: of.layers.ELU(0.5),
    "prelu": lambda of: of.layers.PReLU("he_normal", "l2", shared_axes=[1]),
    "up_sampling": lambda of: of.layers.UpSampling1D(2),
    "zero_padding": lambda of: of.layers.ZeroPadding1D((1, 2)),
    "cropping": lambda of: of.layers.Cropping1D((1, 1)),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str, masked: bool) -> None:
    """After a mask, before an LSTM, which shows whether the mask goes on."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = of.layers.Dense(4)(of.layers.Masking()(x) if masked else x)
        return of.models.Model(x, of.layers.Dense(2)(lstm(of, 3)(LAYERS[name](of)(h))))

    same_nets(build, X if masked else numbers(B, T, 3), Y)


IMAGES: dict[str, Any] = {
    "up_sampling": lambda of, **how: of.layers.UpSampling2D((2, 3), **how),
    "padding_of_all": lambda of, **how: of.layers.ZeroPadding2D(2, **how),
    "padding_of_two": lambda of, **how: of.layers.ZeroPadding2D((1, 2), **how),
    "padding": lambda of, **how: of.layers.ZeroPadding2D(((1, 0), (0, 2)), **how),
    "cropping_of_all": lambda of, **how: of.layers.Cropping2D(1, **how),
    "cropping_of_two": lambda of, **how: of.layers.Cropping2D((0, 1), **how),
    "cropping": lambda of, **how: of.layers.Cropping2D(((1, 0), (0, 2)), **how),
    "spatial": lambda of, **how: of.layers.SpatialDropout2D(0.0, **how),
}


@pytest.mark.parametrize("data_format", [None, "channels_last", "channels_first"])
@pytest.mark.parametrize("name", IMAGES)
def test_images(name: str, data_format: str | None) -> None:
    x = numbers(2, 4, 5, 6)
    same(*(IMAGES[name](of, data_format=data_format)(x) for of in (OURS, KERAS)))
    ours, theirs = (IMAGES[name](of, data_format=data_format).get_config() for of in (OURS, KERAS))
    for key, value in ours.items():
        if key in theirs and key not in ("name", "dtype"):
            assert value == theirs[key], key


@pytest.mark.parametrize(
    "make",
    [
        lambda of: of.layers.BatchNormalization(),
        lambda of: of.layers.LayerNormalization(),
        lambda of: of.layers.RMSNormalization(),
        lambda of: of.layers.UnitNormalization(),
        lambda of: of.layers.Dropout(0.1),
        lambda of: of.layers.AlphaDropout(0.1),
        lambda of: of.layers.GaussianNoise(0.1),
        lambda of: of.layers.GaussianDropout(0.1),
        lambda of: of.layers.SpatialDropout1D(0.1),
        lambda of: of.layers.ActivityRegularization(),
        lambda of: of.layers.UpSampling1D(),
        lambda of: of.layers.ZeroPadding1D(),
        lambda of: of.layers.Cropping1D(),
        lambda of: of.layers.LeakyReLU(),
        lambda of: of.layers.ReLU(),
        lambda of: of.layers.ELU(),
        lambda of: of.layers.PReLU(),
        lambda of: of.layers.Softmax(),
    ],
)
def test_defaults_are_keras_s(make: Any) -> None:
    ours, theirs = make(OURS).get_config(), make(KERAS).get_config()
    for key, value in ours.items():
        if key in theirs and key not in ("name", "dtype") and "initializer" not in key:
            assert value == theirs[key], key


def test_softmax_with_a_mask() -> None:
    x = numbers(B, T)
    ours, theirs = OURS.layers.Softmax(), KERAS.layers.Softmax()
    same(ours(x, mask=MASK), theirs(x, mask=MASK))


def test_softmax_at_the_end() -> None:
    def build(of: Any) -> Any:
        parts = [of.layers.Input((T, 3)), lstm(of, 4), of.layers.Dense(3), of.layers.Softmax()]
        return of.models.Sequential(parts)

    ours, theirs = twins(build)
    target = np.eye(3, dtype=np.float32)[[0, 1, 2, 1, 0]]
    for model, of in ((ours, OURS), (theirs, KERAS)):
        model.compile(of.optimizers.SGD(0.5), "categorical_crossentropy")
        model.fit(numbers(B, T, 3), target, epochs=3, verbose=0)
    same(ours.get_weights(), theirs.get_weights(), TRAINED)

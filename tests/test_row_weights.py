"""Weights of samples, of steps and of classes in losses: values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from differences import slope_along
from loss_cases import CASES, OF_ROWS
from lstmfast.layers import LSTM, Dense, Dropout, Input, Masking
from lstmfast.models import Sequential

B, T, I = 4, 5, 3
RNG = np.random.default_rng(0)
X = RNG.standard_normal((B, T, I))
X[0, 3:] = X[1, :2] = X[2, 1] = 0.0
MASK = np.any(X != 0.0, axis=-1)
# what every loss needs of the layer before, its targets, and the reference's formula
TARGETS = {name: CASES[name] for name in OF_ROWS}
# of samples, of steps; some are 0
WEIGHTS = {
    "none": None,
    "samples": np.array([1.0, 0.0, 2.5, 0.5]),
    "steps": RNG.random((B, T)) * (RNG.random((B, T)) < 0.8),
}


def make(name: str, masked: bool, fused: bool) -> Sequential:
    case = TARGETS[name]
    far = lf.initializers.RandomNormal(stddev=1.0, seed=0)  # from 0, where some losses have kinks
    model = Sequential(
        [
            Input((T, I)),
            *[Masking()] * masked,
            LSTM(4, return_sequences=True),
            Dense(case.columns, activation=case.activation, bias_initializer=far),
            *[Dropout(0.0)] * (not fused),  # between activation and loss
        ],
        dtype="float64",
        seed=0,
    )
    model.compile(lf.optimizers.SGD(1.0), case.loss())
    return model


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize(
    ("name", "fused"),
    [(name, True) for name in TARGETS] + [(name, False) for name in TARGETS if "entropy" in name],
)
def test_values_and_slopes(name: str, weights: str, masked: bool, fused: bool) -> None:
    model = make(name, masked, fused)
    y, given = TARGETS[name].target(B, T), WEIGHTS[weights]
    p = model.predict(X)
    each = np.ones((B, T))
    if given is not None:
        each = each * (given if given.ndim == 2 else given[:, None])
    count = B * T
    if masked:
        each, count = each * MASK, int(MASK.sum())
    of_row = TARGETS[name].reference
    total = 0.0
    for b, t in np.ndindex(B, T):
        total += each[b, t] * of_row(p[b, t][None], np.asarray(y[b, t])[None])[0]
    value = model.evaluate(X, y, batch_size=B, sample_weight=given, verbose=0)
    # a sum of some ten terms, and log within 4 ulp
    assert value == pytest.approx(total / count, rel=1e-14)

    before = model.get_weights()
    model.train_on_batch(X, y, sample_weight=given)
    gradients = [w - v for w, v in zip(before, model.get_weights(), strict=True)]
    rng = np.random.default_rng(1)
    ways = [rng.standard_normal(w.shape) / w.size**0.5 for w in before]

    def loss(s: float) -> float:
        model.set_weights([w + s * way for w, way in zip(before, ways, strict=True)])
        return float(model.evaluate(X, y, batch_size=B, sample_weight=given, verbose=0))

    slope, bound = slope_along(loss)
    found = sum(float((g * way).sum()) for g, way in zip(gradients, ways, strict=True))
    assert bound < 1e-4
    assert abs(found - slope) <= bound


@pytest.mark.parametrize("masked", [False, True])
def test_shuffled_samples_keep_their_weights(masked: bool) -> None:
    """Samples of weight 0 do nothing, wherever they come in an epoch."""
    name = "mean_squared_error"
    y = TARGETS[name].target(B, T)
    weights = np.array([1.0, 0.0, 1.0, 0.0])
    other = y.copy()
    other[weights == 0] = 1e6
    losses = []
    for target in (y, other):
        model = make(name, masked, fused=True)
        how: dict[str, Any] = {"batch_size": 1, "epochs": 3, "verbose": 0, "shuffle": True}
        losses.append(model.fit(X, target, sample_weight=weights, **how).history["loss"])
    assert losses[0] == losses[1]


def test_metrics_heed_masks_and_no_weights() -> None:
    model = make("mean_squared_error", masked=True, fused=True)
    metrics = ["mse", "mae", lf.metrics.RootMeanSquaredError(name="rmse")]
    model.compile("sgd", "mse", metrics=metrics)
    y = TARGETS["mean_squared_error"].target(B, T)
    error = (model.predict(X) - y)[MASK]
    weights = np.array([1.0, 0.0, 1.0, 3.0])
    for size in (1, 3, B):
        how: dict[str, Any] = {"batch_size": size, "verbose": 0, "return_dict": True}
        found = model.evaluate(X, y, sample_weight=weights, **how)
        assert found["mse"] == pytest.approx((error**2).mean(), rel=1e-14)
        assert found["mae"] == pytest.approx(abs(error).mean(), rel=1e-14)
        assert found["rmse"] == pytest.approx((error**2).mean() ** 0.5, rel=1e-14)


def test_class_weights_are_sample_weights() -> None:
    given = {0: 2.0, 2: 0.5}
    labels_of_rows = TARGETS["sparse_categorical_crossentropy"].target(B, T)
    of_class = np.array([2.0, 1.0, 0.5])[labels_of_rows]
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        runs = []
        for how in ({"class_weight": given}, {"sample_weight": of_class}):
            model = make(name, masked=True, fused=True)
            model.fit(X, TARGETS[name].target(B, T), verbose=0, shuffle=False, batch_size=2, **how)
            runs.append(model.get_weights())
        for mine, other in zip(*runs, strict=True):
            np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("listens", [False, True])
def test_what_weighs_the_validation_part(listens: bool) -> None:
    """As in Keras 3: with validation_split, sample_weight goes along and class_weight does not."""
    x, y = np.zeros((6, 1)), np.array([0, 1, 1, 0, 1, 1])
    model = Sequential([Dense(1, activation="sigmoid", kernel_initializer="zeros")])
    model.compile(lf.optimizers.SGD(0.0), "binary_crossentropy")
    hook = lf.callbacks.LambdaCallback(on_test_begin=lambda logs: None)
    how: dict[str, Any] = {"verbose": 0, "callbacks": [hook] * listens}
    classes = {0: 1, 1: 5}

    def run(**more: Any) -> tuple[float, float]:
        history = model.fit(**({"x": x, "y": y, "validation_split": 1 / 3} | how | more)).history
        return history["loss"][0], history["val_loss"][0]

    log2 = float(np.log(2.0))
    assert run(class_weight=classes) == pytest.approx((3 * log2, log2), rel=1e-6)
    part = {"x": x[:4], "y": y[:4], "validation_split": 0, "validation_data": (x[4:], y[4:])}
    assert run(class_weight=classes, **part) == run(class_weight=classes)
    weights = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 7.0])
    assert run(sample_weight=weights) == pytest.approx((2.5 * log2, 6 * log2), rel=1e-6)


def test_a_batch_of_nothing_but_masked_steps() -> None:
    model = make("mean_squared_error", masked=True, fused=True)
    before, y = model.get_weights(), TARGETS["mean_squared_error"].target(B, T)
    assert model.train_on_batch(np.zeros((B, T, I)), y) == 0.0
    for mine, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, other)

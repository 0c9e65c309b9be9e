"""Losses and metrics of the user's own against live Keras 3: what they train, and what they say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from keras_twins import KERAS, peer
from lstmfast import layers, losses, metrics, models, ops, optimizers
from traced_losses import TRACED, D, T

pytestmark = peer

OURS = SimpleNamespace(
    layers=layers, losses=losses, metrics=metrics, models=models, ops=ops, optimizers=optimizers
)
N = 10
RNG = np.random.default_rng(8)
X, Y = RNG.normal(size=(N, T, 3)).astype("f"), RNG.normal(size=(N, T, D)).astype("f")
# a few steps of SGD on sums of up to some hundred terms, float32 on both sides
RTOL = 2e-4


def runs(loss: Any, metric: Any = None, masked: bool = False, y: Any = Y, **fit: Any) -> list[Any]:
    """What both say of a few epochs; loss and metric are made for each."""
    out, weights = [], None
    x = X.copy()
    if masked:
        x[1, 1:] = x[4, 2:] = 0
    for of in (OURS, KERAS):
        inside = [of.layers.Input((T, 3))] + [of.layers.Masking()] * masked
        if y.ndim == 3:
            inside += [of.layers.LSTM(4, return_sequences=True), of.layers.Dense(y.shape[-1])]
        else:
            inside += [of.layers.LSTM(4), of.layers.Dense(1)]
        model = of.models.Sequential(inside)
        weights = model.get_weights() if weights is None else weights
        model.set_weights(weights)
        watched = None if metric is None else [metric(of)]
        model.compile(of.optimizers.SGD(0.01), loss(of), metrics=watched)
        # a metric that returns one number counts batches of any size alike in Keras
        size = 4 if metric is None else 5
        run = model.fit(x, y, batch_size=size, epochs=2, shuffle=False, verbose=0, **fit)
        scores = model.evaluate(x, y, batch_size=size, verbose=0, return_dict=True)
        out.append({**run.history, **{f"at the end {k}": [v] for k, v in scores.items()}})
    return out


def check(both: list[Any]) -> None:
    mine, theirs = both
    assert set(mine) == set(theirs)
    for name in theirs:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=RTOL, atol=1e-5)


def traced(name: str) -> Any:
    def made(of: Any) -> Any:
        def custom(y: Any, p: Any) -> Any:
            return TRACED[name](of.ops, of.losses, y, p)

        return custom

    return made


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("name", [name for name in TRACED if name not in ("hinges", "classes")])
def test_losses_of_tutorials(name: str, watched: bool) -> None:
    check(runs(traced(name), traced(name) if watched else None))


def test_losses_of_classes() -> None:
    def both(of: Any) -> Any:
        def custom(y: Any, p: Any) -> Any:
            y = of.ops.cast(y > 0, "float32")
            return (
                of.losses.hinge(2 * y - 1, p)
                + of.losses.categorical_hinge(y, p)
                + of.losses.binary_crossentropy(y, p, from_logits=True, label_smoothing=0.1)
                + of.losses.categorical_crossentropy(y, p, from_logits=True)
                + of.losses.kl_divergence(of.ops.softmax(y), of.ops.softmax(p))
            )

        return custom

    check(runs(both, both))


WEIGHTS = RNG.random(N).astype("f")


@pytest.mark.parametrize("name", ["samples", "root of the mean", "the last step"])
def test_weights_of_samples(name: str) -> None:
    check(runs(traced(name), sample_weight=WEIGHTS))


def test_weights_of_steps() -> None:
    check(runs(traced("steps"), sample_weight=RNG.random((N, T)).astype("f")))


@pytest.mark.parametrize("name", ["steps", "quantile", "root of the mean"])
def test_masks(name: str) -> None:
    check(runs(traced(name), masked=True))


def test_a_mask_with_weights() -> None:
    weights = RNG.random((N, T)).astype("f")
    check(runs(traced("steps"), masked=True, sample_weight=weights))


@pytest.mark.parametrize("shape", [(N,), (N, 1)])
def test_targets_of_one_axis(shape: Any) -> None:
    y = RNG.normal(size=shape).astype("f")

    def loss(of: Any) -> Any:
        return lambda y, p: of.ops.sqrt(of.ops.mean(of.ops.square(p - y)))

    check(runs(loss, y=y))


def weighted(of: Any) -> Any:
    class Weighted(of.losses.Loss):  # type: ignore[misc]
        def __init__(self, w: float = 2.0, name: str = "wmse") -> None:
            super().__init__(name=name)
            self.w = w

        def call(self, y_true: Any, y_pred: Any) -> Any:
            d = y_true - y_pred
            return of.ops.mean(of.ops.where(d > 0, self.w * d * d, d * d), axis=-1)

    return Weighted(3.0)


def absolute(of: Any) -> Any:
    class Absolute(of.metrics.Metric):  # type: ignore[misc]
        def __init__(self, name: str = "absolute", **options: Any) -> None:
            super().__init__(name=name, **options)
            self.total = self.add_weight(name="total", initializer="zeros")
            self.count = self.add_weight(name="count", initializer="zeros", shape=())

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            error = of.ops.abs(y_true - y_pred)
            self.total.assign_add(of.ops.sum(of.ops.cast(error, self.dtype)))
            self.count.assign(self.count + of.ops.sum(of.ops.ones_like(y_true)))

        def result(self) -> Any:
            return of.ops.sqrt(self.total / self.count)

    return Absolute()


def test_classes() -> None:
    check(runs(weighted, absolute))


def test_classes_called_directly() -> None:
    y, p, w = Y[0], Y[1], WEIGHTS[:T]
    for more in ((), (w,)):
        mine, theirs = (float(weighted(of)(y, p, *more)) for of in (OURS, KERAS))
        assert mine == pytest.approx(theirs, rel=RTOL)
    own, other = absolute(OURS), absolute(KERAS)
    for metric in (own, other):
        metric.update_state(y, p)
        metric.update_state(p, 2 * y)
    assert float(own.result()) == pytest.approx(float(other.result()), rel=RTOL)
    own.reset_state()
    assert [float(each) for each in own.variables] == [0.0, 0.0]

"""Metrics of the user's own as Keras documents them: `add_weight`, operations, default resets."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import lstmfast.keras as keras
from lstmfast import ops
from lstmfast.layers import Dense
from lstmfast.models import Sequential, load_model

RNG = np.random.default_rng(2)
X, Y = RNG.random((10, 3)), RNG.random((10, 2))
EPS = 40 * 2.0**-24  # sums of 20 numbers in float32, as `dtype` says


class Absolute(keras.metrics.Metric):  # type: ignore[misc]
    def __init__(self, name: str = "absolute", **options: Any) -> None:
        super().__init__(name=name, **options)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight("count")
        self.each = self.add_variable(shape=(2,), initializer="ones", name="each", dtype="float32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        error = ops.abs(y_true - y_pred)
        if sample_weight is not None:
            error = error * ops.expand_dims(sample_weight, -1)
        self.total.assign_add(ops.sum(ops.cast(error, self.dtype)))
        self.count.assign(self.count + float(y_true.size))
        self.each.assign_sub(ops.max(error, axis=0))

    def result(self) -> Any:
        return self.total / self.count


def compiled(**metrics: Any) -> Sequential:
    model = Sequential([Dense(2, input_shape=(3,))], seed=0, dtype="float64")
    model.compile("sgd", "mse", **metrics)
    return model


def test_of_a_model() -> None:
    model = compiled(metrics=[Absolute(), "mae"], weighted_metrics=[Absolute("weighted")])
    weights = RNG.random(10)
    for batch_size in (3, 10):
        for _ in range(2):  # the second one begins anew
            of = model.evaluate(X, Y, batch_size, 0, weights, return_dict=True)
            assert of["absolute"] == pytest.approx(of["mae"], rel=EPS)
            errors = abs(Y - model.predict(X)) * weights[:, None]
            assert of["weighted"] == pytest.approx(errors.mean(), rel=EPS)
    run = model.fit(X, Y, batch_size=4, epochs=2, validation_split=0.3, verbose=0).history
    assert run["val_absolute"] == pytest.approx(run["val_mae"], rel=EPS)


def test_of_loops() -> None:
    metric = Absolute()
    assert [v.tolist() for v in metric.variables] == [0.0, 0.0, [1.0, 1.0]]
    metric.update_state(Y, Y + 1)
    other = copy.deepcopy(metric)
    other.update_state(Y, Y + 3)
    assert float(metric.result()) == pytest.approx(1.0)
    assert float(other.result()) == pytest.approx(2.0)
    assert float(pickle.loads(pickle.dumps(other)).result()) == pytest.approx(2.0)
    assert metric.total.numpy() == metric.total.value == pytest.approx(20.0)
    assert type(metric.total.numpy()) is np.ndarray
    assert metric.each.dtype == np.float32
    metric.reset_state()
    assert [v.tolist() for v in metric.variables] == [0.0, 0.0, [0.0, 0.0]]
    assert metric.get_config() == {"name": "absolute"}


def mae100(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.abs(y_true - y_pred)) * 100


def test_functions_and_files(tmp_path: Any) -> None:
    backend = keras.backend

    def worst(y_true: Any, y_pred: Any) -> Any:
        return backend.max(backend.abs(y_true - y_pred), axis=-1)

    model = compiled(metrics=[mae100, worst, Absolute()])
    of = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert of["mae100"] == pytest.approx(100 * of["absolute"], rel=EPS)
    assert of["worst"] == pytest.approx(abs(Y - model.predict(X)).max(axis=1).mean(), rel=1e-12)
    model.save(tmp_path / "m.safetensors")
    objects = {"mae100": mae100, "worst": worst, "Absolute": Absolute}
    again = load_model(tmp_path / "m.safetensors", custom_objects=objects)
    assert again.evaluate(X, Y, verbose=0, return_dict=True) == of


def test_what_is_lacking() -> None:
    class Endless(keras.metrics.Metric):  # type: ignore[misc]
        def update_state(self, y_true: Any, y_pred: Any) -> None:
            self.seen = True

        def result(self) -> float:
            return 0.0

    with pytest.raises(TypeError, match=r"\[Endless\] the metric lacks reset_state"):
        compiled(metrics=[Endless()])

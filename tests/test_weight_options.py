"""X_initializer, X_regularizer and X_constraint of every layer: of its weight X, and no other."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from lstmfast import layers
from lstmfast.initializers import Constant
from lstmfast.models import Sequential
from lstmfast.optimizers import SGD
from lstmfast.regularizers import L2

CONV: dict[str, Any] = {"filters": 2, "kernel_size": 2}
# what a layer is made with, and the shape of a sample; MultiHeadAttention's stand for all weights
MADE: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "LSTM": ({"units": 2, "unit_forget_bias": False}, (4, 3)),
    "GRU": ({"units": 2}, (4, 3)),
    "SimpleRNN": ({"units": 2}, (4, 3)),
    "ConvLSTM1D": (CONV | {"unit_forget_bias": False}, (3, 4, 2)),
    "ConvLSTM2D": (CONV | {"unit_forget_bias": False}, (3, 4, 4, 2)),
    "Conv1D": (CONV, (4, 3)),
    "Conv2D": (CONV, (4, 4, 3)),
    "Dense": ({"units": 2}, (3,)),
    "MixtureDensity": ({"components": 2, "dimensions": 1}, (3,)),
    "Embedding": ({"input_dim": 5, "output_dim": 2}, (3,)),
    "BatchNormalization": ({}, (4, 3)),
    "LayerNormalization": ({}, (4, 3)),
    "PReLU": ({}, (4, 3)),
}


def options(name: str, kind: str) -> list[str]:
    """Return the layer's arguments of a kind, without the kind."""
    found = inspect.signature(getattr(layers, name)).parameters
    ending = f"_{kind}"
    return [p.removesuffix(ending) for p in found if p.endswith(ending) and p[:4] != "acti"]


def weight_of(option: str) -> str:
    return "recurrent_kernel" if option == "recurrent" else option


def network(name: str, **more: Any) -> tuple[Sequential, dict[str, np.ndarray]]:
    """A model that ends with the layer, and the layer's weights."""
    made, shape = MADE[name]
    layer = getattr(layers, name)(**made, **more)
    model = Sequential([layers.Input(shape, dtype="float64"), layer], dtype="float64", seed=3)
    return model, weights(model)


def weights(model: Sequential) -> dict[str, np.ndarray]:
    layer = model.layers[-1]
    return {w.name: v for w, v in zip(layer.weights, layer.get_weights(), strict=True)}


def loss_of_a_step(model: Sequential, name: str) -> float:
    """The loss of a step of size 0."""
    x = np.random.default_rng(0).random((2, *MADE[name][1])).round()  # ids, too
    model.compile(SGD(0.0), "mse")
    return float(model.train_on_batch(x, np.zeros_like(model(x))))


def test_every_layer_is_here() -> None:
    apart = {"Convolution1D", "Convolution2D", "MultiHeadAttention"}  # names of others, all weights
    of_weights = {
        name
        for name, each in vars(layers).items()
        if inspect.isclass(each) and any(options(name, k) for k in ("regularizer", "constraint"))
    }
    assert of_weights - apart == set(MADE)


@pytest.mark.parametrize("name", MADE)
def test_initializers(name: str) -> None:
    values = {option: 0.1 + k for k, option in enumerate(options(name, "initializer"))}
    given = {f"{option}_initializer": Constant(v) for option, v in values.items()}
    _, found = network(name, **given)
    assert found.keys() == {weight_of(option) for option in values}
    for option, value in values.items():
        assert (found[weight_of(option)] == value).all(), option


@pytest.mark.parametrize("name", MADE)
def test_regularizers(name: str) -> None:
    factors = {option: 0.5 + k for k, option in enumerate(options(name, "regularizer"))}
    assert factors
    model, start = network(name, **{f"{o}_regularizer": L2(f) for o, f in factors.items()})
    plain, _ = network(name)
    rng = np.random.default_rng(1)
    values = {w: rng.uniform(0.5, 1.5, v.shape) for w, v in start.items()}
    for each in (model, plain):
        each.set_weights(list(values.values()))
    cost = sum(f * (values[weight_of(option)] ** 2).sum() for option, f in factors.items())
    found = loss_of_a_step(model, name) - loss_of_a_step(plain, name)
    # sums of some hundred squares of size 1, in another order, and a loss before them
    assert found == pytest.approx(cost, rel=1000 * np.finfo(float).eps)


@pytest.mark.parametrize("name", MADE)
def test_constraints(name: str) -> None:
    given = options(name, "constraint")
    assert given
    for option in given:
        model, start = network(name, **{f"{option}_constraint": "non_neg"})
        model.set_weights([np.full(v.shape, -0.25) for v in start.values()])
        loss_of_a_step(model, name)
        for weight, value in weights(model).items():
            if not weight.startswith("moving"):
                expected = 0.0 if weight == weight_of(option) else -0.25
                assert (value == expected).all(), (option, weight)

"""The layer MixtureDensity: values, gradients, files, and what it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmfast import layers, losses, reference
from lstmfast.models import Sequential, load_model
from lstmfast.optimizers import SGD

B, T, I = 3, 4, 5
EPS = float(np.finfo(np.float64).eps)


def made(components: int, dimensions: int, use_bias: bool) -> tuple[Sequential, dict[str, Any]]:
    layer = layers.MixtureDensity(
        components, dimensions, use_bias, bias_initializer="ones", input_shape=(T, I)
    )
    model = Sequential([layer], dtype="float64", seed=0)
    names = ["kernel", "bias"] if use_bias else ["kernel"]
    return model, dict(zip(names, model.get_weights(), strict=True))


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize(("components", "dimensions"), [(1, 1), (2, 1), (3, 2), (8, 8)])
def test_values_and_gradients(components: int, dimensions: int, use_bias: bool) -> None:
    model, params = made(components, dimensions, use_bias)
    x = np.random.default_rng(0).standard_normal((B, T, I))
    y = np.random.default_rng(1).standard_normal((B, T, dimensions))
    out = reference.mixture_density_forward(x, params, components)
    assert out.shape == (B, T, components * (1 + 2 * dimensions))
    np.testing.assert_allclose(model.predict(x), out, rtol=20 * EPS, atol=20 * EPS)

    model.compile(SGD(1.0), losses.MixtureNegativeLogLikelihood(components))
    value, dy = reference.mixture_nll(out, y, components)
    assert model.train_on_batch(x, y) == pytest.approx(value, rel=100 * EPS)
    _, grads = reference.mixture_density_backward(dy, x, params, components)
    for name, after in zip(params, model.get_weights(), strict=True):
        # sums of B T terms; weights are of order 1
        np.testing.assert_allclose(params[name] - after, grads[name], rtol=1e-12, atol=40 * EPS)


def test_files(tmp_path: Any) -> None:
    model, _ = made(3, 2, True)
    model.compile("adam", losses.MixtureNegativeLogLikelihood(3))
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors")
    x = np.random.default_rng(0).standard_normal((B, T, I))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    assert again.layers[0].options() == model.layers[0].options()
    assert again.loss == model.loss


def test_errors() -> None:
    with pytest.raises(
        ValueError, match=r"^\[layers.MixtureDensity\] components is 0; expected an"
    ):
        layers.MixtureDensity(0)
    with pytest.raises(ValueError, match=r"^\[layers.MixtureDensity\] dimensions is 1000000; e"):
        layers.MixtureDensity(100, 1000000)
    model, _ = made(3, 2, True)
    with pytest.raises(ValueError, match=r"prediction has 15 columns; expected 2 \* \(1 \+ 2 \* d"):
        model.compile("adam", losses.MixtureNegativeLogLikelihood(2))

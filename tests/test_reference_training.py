"""The reference's Dense, losses, optimizers, clipping and training loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from differences import slope_along
from lstmfast import reference
from lstmfast.reference import (
    LOSSES,
    Adam,
    Chain,
    Clip,
    DenseLayer,
    DropoutLayer,
    LstmLayer,
    Sgd,
    fit,
    in_order,
)

Array = npt.NDArray[Any]


def test_loss_values() -> None:
    p, y = np.array([[0.5, 3.0], [-1.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]])
    assert LOSSES["mse"](p, y)[0] == (0.25 + 9.0 + 4.0) / 4
    assert LOSSES["mae"](p, y)[0] == (0.5 + 3.0 + 2.0) / 4
    assert LOSSES["huber"](p, y)[0] == (0.125 + 2.5 + 1.5) / 4
    q = np.array([[0.25, 0.75], [1.0, 0.0]])
    log = np.log(np.array([0.25, 0.75, 1.0 - 1e-7]))
    classes = -(log[0] + log[2]) / 2
    assert LOSSES["categorical_crossentropy"](q, np.eye(2))[0] == pytest.approx(
        -(log[0] + np.log(1e-7)) / 2, rel=1e-15
    )
    assert LOSSES["sparse_categorical_crossentropy"](q, [0, 0])[0] == pytest.approx(classes)
    np.testing.assert_array_equal(
        LOSSES["sparse_categorical_crossentropy"](q, [[0], [0]])[1],
        LOSSES["categorical_crossentropy"](q, np.eye(2)[[0, 0]])[1],
    )
    assert LOSSES["binary_crossentropy"](q, np.eye(2))[0] == pytest.approx(
        -(log[0] + np.log(0.25) + 2 * np.log(1e-7)) / 4, rel=1e-9
    )
    clipped = LOSSES["binary_crossentropy"](np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]))
    assert not clipped[1].any()


def test_loss_errors() -> None:
    p = np.full((2, 3), 1.0 / 3.0)
    with pytest.raises(ValueError, match=r"target has shape \(2,\); expected \(2, 3\)"):
        LOSSES["mse"](p, [0.0, 1.0])
    with pytest.raises(ValueError, match=r"labels have shape \(3,\)"):
        LOSSES["sparse_categorical_crossentropy"](p, [0, 1, 2])
    for wrong in ([0, 3], [-1, 0], [0.5, 1.0]):
        with pytest.raises(ValueError, match=r"labels must be whole numbers in \[0, 3\)"):
            LOSSES["sparse_categorical_crossentropy"](p, wrong)


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "sigmoid", "softmax"])
def test_dense_gradient(activation: str) -> None:
    rng = np.random.default_rng(1)
    arrays = {
        "x": rng.standard_normal((2, 3, 4)),
        "kernel": rng.standard_normal((4, 5)),
        "bias": rng.standard_normal(5),
    }
    weights = rng.standard_normal((2, 3, 5))

    def loss(a: dict[str, Array]) -> float:
        params = {"kernel": a["kernel"], "bias": a["bias"]}
        return float((weights * reference.dense_forward(a["x"], params, activation)[0]).sum())

    params = {"kernel": arrays["kernel"], "bias": arrays["bias"]}
    _, cache = reference.dense_forward(arrays["x"], params, activation)
    dx, grads = reference.dense_backward(weights, cache)
    for name, gradient in (grads | {"x": dx}).items():
        for at in np.ndindex(*gradient.shape):
            way = np.zeros(gradient.shape)
            way[at] = 1.0

            def along(s: float, name: str = name, way: Array = way) -> float:
                return loss(arrays | {name: arrays[name] + s * way})

            numeric, bound = slope_along(along)
            assert abs(gradient[at] - numeric) <= bound


def test_softmax_of_large_numbers() -> None:
    np.testing.assert_array_equal(
        reference.softmax(np.array([[1e4, 0.0], [-1e4, -1e4]])), [[1.0, 0.0], [0.5, 0.5]]
    )


def test_sgd_by_hand() -> None:
    g = np.array([2.0])
    for optimizer, path in (
        (Sgd(0.5), [-1.0, -2.0]),
        (Sgd(0.5, momentum=0.5), [-1.0, -2.5]),
        (Sgd(0.5, momentum=0.5, nesterov=True), [-1.5, -3.25]),
    ):
        w = np.zeros(1)
        for expected in path:
            optimizer.step([w], [g])
            assert w[0] == expected


def test_adam_by_hand() -> None:
    """With a constant g, m = (1 - β₁ᵗ)g and v = (1 - β₂ᵗ)g²: a step is lr·sign(g) but for ε."""
    w, g, expected = np.zeros(2), np.array([3.0, -1e-3]), np.zeros(2)
    optimizer = Adam(0.01)
    for t in (1, 2, 3):
        optimizer.step([w], [g])
        expected -= 0.01 * g / (np.abs(g) + 1e-7 / np.sqrt(1.0 - 0.999**t))
        np.testing.assert_allclose(w, expected, rtol=1e-12)


def test_clipping() -> None:
    grads = [np.array([3.0, 4.0]), np.array([0.0, 12.0])]
    np.testing.assert_allclose(np.concatenate(Clip(norm=5.0)(grads)), [3.0, 4.0, 0.0, 5.0])
    np.testing.assert_array_equal(np.concatenate(Clip(value=3.5)(grads)), [3.0, 3.5, 0.0, 3.5])
    np.testing.assert_allclose(np.concatenate(Clip(global_norm=6.5)(grads)), [1.5, 2.0, 0.0, 6.0])
    np.testing.assert_array_equal(Clip(global_norm=13.0)(grads), grads)
    np.testing.assert_array_equal(Clip(norm=1.0)([np.zeros(2)])[0], np.zeros(2))
    with pytest.raises(ValueError, match="only one of norm, value and global_norm"):
        Clip(norm=1.0, value=1.0)


def small_model(sequences: bool, dtype: str = "float64") -> tuple[Chain, Array, Array]:
    rng = np.random.default_rng(5)
    shapes = reference.parameter_shapes(2, 4)
    lstm = {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}
    dense = {"kernel": rng.standard_normal((4, 3)), "bias": np.zeros(3)}
    mask = 2.0 * rng.integers(0, 2, (6, 5, 4) if sequences else (6, 4))
    chain = Chain(
        [
            LstmLayer(lstm, return_sequences=sequences, dtype=dtype),
            DropoutLayer(lambda shape: mask[: shape[0]]),
            DenseLayer(dense, "tanh", dtype=dtype),
        ]
    )
    x = rng.standard_normal((6, 5, 2)).astype(dtype)
    y = rng.standard_normal((6, 5, 3) if sequences else (6, 3)).astype(dtype)
    return chain, x, y


@pytest.mark.parametrize("sequences", [False, True])
def test_chain_gradient(sequences: bool) -> None:
    model, x, y = small_model(sequences)
    _, d_prediction = LOSSES["mse"](model.forward(x, training=True), y)
    dx = model.backward(d_prediction)
    assert dx.shape == x.shape
    for w, g in zip(model.params(), model.grads(), strict=True):
        way = np.random.default_rng(0).standard_normal(w.shape)
        start = w.copy()

        def along(s: float, w: Array = w, start: Array = start, way: Array = way) -> float:
            w[...] = start + s * way
            value = LOSSES["mse"](model.forward(x, training=True), y)[0]
            w[...] = start
            return value

        numeric, bound = slope_along(along)
        assert abs((g * way).sum() - numeric) <= bound


def test_fit_learns_and_reports() -> None:
    model, x, y = small_model(False)
    history = fit(model, x, y, loss="mse", optimizer=Adam(0.05), epochs=[in_order(6, 4)] * 150)
    assert len(history.batches) == 300
    assert history.epochs[0] == pytest.approx((4 * history.batches[0] + 2 * history.batches[1]) / 6)
    assert history.epochs[-1] < 0.2 * history.epochs[0]


def test_fit_in_float32_stays_in_float32() -> None:
    model, x, y = small_model(True, "float32")
    fit(model, x, y, loss="huber", optimizer=Sgd(0.1, 0.9, nesterov=True), epochs=[in_order(6, 6)])
    assert {w.dtype for w in model.params()} == {np.dtype("float32")}


def test_inference_leaves_no_backward() -> None:
    model, x, y = small_model(False)
    model.forward(x, training=True)
    model.forward(x)
    with pytest.raises(ValueError, match="backward needs a forward with training=True"):
        model.backward(y)

"""Kernels of int8 in the reference: exact where all is representable, else within half a level."""

from __future__ import annotations

import numpy as np
import pytest

from lstmfast import reference

F32 = np.float32


def test_what_the_levels_hold_is_exact() -> None:
    """With 127 as the greatest magnitude of each row and column all scales are 1."""
    rng = np.random.default_rng(0)
    W, R = (rng.integers(-127, 128, (k, 8)).astype(F32) for k in (5, 3))
    x, h = (rng.integers(-127, 128, (4, k)).astype(F32) for k in (5, 3))
    W[0] = x[:, 0] = h[:, 0] = 127
    kernels, scale = reference.quantize_columns(W, R)
    assert (scale == 1).all()
    z = reference.quantized_sum([x, h], kernels, scale, np.arange(8))
    np.testing.assert_array_equal(z, x @ W + h @ R + np.arange(8))


def test_a_sum_is_within_half_a_level_of_each_factor() -> None:
    """|w - q s| <= s / 2 and |v - q s| <= s / 2; each of three roundings adds 2^-24 of |z|."""
    rng = np.random.default_rng(1)
    kernel, x = rng.normal(size=(40, 6)).astype(F32), rng.normal(size=(9, 40)).astype(F32)
    y = reference.quantized_dense_forward(x, {"kernel": kernel})
    exact = x.astype(float) @ kernel
    s_w, s_x = np.abs(kernel).max(0) / 127.0, np.abs(x).max(1, keepdims=True) / 127.0
    bound = np.abs(x).sum(1, keepdims=True) * s_w / 2 + np.abs(kernel).sum(0) * s_x / 2
    bound = bound + 40 * s_w * s_x / 4 + 2.0**-22 * np.abs(exact)
    assert (np.abs(y - exact) <= bound).all()


def test_rows_without_a_scale() -> None:
    """Zeros and what is below the normal numbers count as 0; what is not finite stays visible."""
    rows = np.array([[0, 0], [1e-37, 0], [np.inf, 1], [np.nan, 1], [3e38, -3e38]], F32)
    q, scale = reference.quantize_rows(rows)
    assert q.tolist() == [[0, 0], [0, 0], [0, 0], [0, 0], [127, -127]]
    assert scale[:2, 0].tolist() == [0, 0]
    assert np.isnan(scale[2:4]).all()
    (kernel,), of_kernel = reference.quantize_columns(np.zeros((2, 3)))
    assert not kernel.any()
    assert not of_kernel.any()
    z = reference.quantized_sum([rows], [kernel], of_kernel, 1.0)
    assert (z[[0, 1, 4]] == 1).all()


@pytest.mark.parametrize("reset_after", [False, True])
def test_a_step_is_that_of_the_layer_on_quantised_sums(reset_after: bool) -> None:
    """Where activations, states and kernels are levels, layers equal those that are not int8."""
    rng = np.random.default_rng(2)
    linear = "linear"
    x = rng.integers(-127, 128, (2, 1, 3)).astype(F32)
    x[..., 0] = 127

    def levels(*shape: int) -> np.ndarray:
        kernel = rng.integers(-127, 128, shape).astype(F32)
        kernel[0] = 127
        return kernel

    params = {"kernel": levels(3, 6), "recurrent_kernel": levels(2, 6)}
    given = {"reset_after": reset_after, "activation": linear, "recurrent_activation": "relu6"}
    y, h = reference.quantized_gru_forward(x, params, **given)
    expected, _, _ = reference.gru_forward(x, params, **given)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(h, expected[:, -1])

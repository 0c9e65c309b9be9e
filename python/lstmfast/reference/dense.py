"""The Dense layer on the last axis, with softmax among its activations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .activations import Activation, get_activation
from .arrays import Array, as_real, quiet_overflow
from .parameters import Params

__all__ = [
    "DenseCache",
    "dense_backward",
    "dense_forward",
    "mixture_density_backward",
    "mixture_density_forward",
    "softmax",
]


class DenseCache(NamedTuple):
    """Values for `dense_backward`; z and y are (..., O)."""

    x: Array
    kernel: Array
    z: Array
    y: Array
    activation: Activation | None


def softmax(z: Array) -> Array:
    """exp(z - max) / Σ exp(z - max) over the last axis."""
    e: Array = np.exp(z - z.max(axis=-1, keepdims=True))
    y: Array = e / e.sum(axis=-1, keepdims=True)
    return y


def dense_forward(
    x: npt.ArrayLike,
    params: Params,
    activation: str | Activation = "linear",
    *,
    dtype: npt.DTypeLike = np.float64,
) -> tuple[Array, DenseCache]:
    """y = activation(x·W + b) on the last axis.

    Parameters
    ----------
    x : (..., I)
        Inputs.
    params : dict
        ``kernel`` (I, O) and ``bias`` (O), which may be missing.
    activation : str or Activation
        A name of `ACTIVATIONS`, or "softmax".
    dtype : dtype
        Everything is computed in this floating type.

    Returns
    -------
    y : (..., O)
    cache : DenseCache

    Examples
    --------
    >>> import numpy as np
    >>> y, _ = dense_forward(np.eye(2), {"kernel": np.zeros((2, 4))}, "softmax")
    >>> y.tolist()
    [[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]]
    """
    inputs, kernel = as_real(x, dtype), as_real(params["kernel"], dtype)
    if kernel.ndim != 2 or inputs.shape[-1] != kernel.shape[0]:
        raise ValueError(f"[reference.dense] x is {inputs.shape}, kernel is {kernel.shape}")
    z = inputs @ kernel
    if "bias" in params:
        z = z + as_real(params["bias"], dtype)
    function = None if activation == "softmax" else get_activation(activation)
    with quiet_overflow():
        y = softmax(z) if function is None else function.value(z)
    return y, DenseCache(inputs, kernel, z, y, function)


def dense_backward(dy: npt.ArrayLike, cache: DenseCache) -> tuple[Array, dict[str, Array]]:
    """Return dx (..., I) and the gradients of kernel and bias, summed over all other axes.

    Before a softmax, dz = y ⊙ (dy - Σ dy ⊙ y).
    """
    x, kernel, z, y, activation = cache
    gradient = as_real(dy, y.dtype)
    with quiet_overflow():
        if activation is None:
            dz = y * (gradient - (gradient * y).sum(axis=-1, keepdims=True))
        else:
            dz = gradient * activation.derivative(z, y)
    flat = dz.reshape(-1, dz.shape[-1])
    grads = {"kernel": x.reshape(-1, x.shape[-1]).T @ flat, "bias": flat.sum(axis=0)}
    return dz @ kernel.T, grads


def mixture_density_forward(x: Array, params: Params, components: int) -> Array:
    """[K logits | K·D means | K·D deviations] of x·W + b; deviations are log(1 + e^z)."""
    z: Array = x @ np.asarray(params["kernel"]) + params.get("bias", 0.0)
    first = components + (z.shape[-1] - components) // 2
    y: Array = np.concatenate([z[..., :first], np.logaddexp(0.0, z[..., first:])], axis=-1)
    return y


def mixture_density_backward(
    dy: Array, x: Array, params: Params, components: int
) -> tuple[Array, dict[str, Array]]:
    """Return dx and the gradients of kernel and bias; a deviation s has the slope 1 - e^-s."""
    y = mixture_density_forward(x, params, components)
    first = components + (y.shape[-1] - components) // 2
    dz = dy * np.where(np.arange(y.shape[-1]) < first, 1.0, -np.expm1(-y))
    flat = dz.reshape(-1, dz.shape[-1])
    grads = {"kernel": x.reshape(-1, x.shape[-1]).T @ flat, "bias": flat.sum(axis=0)}
    return dz @ np.asarray(params["kernel"]).T, grads

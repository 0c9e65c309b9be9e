"""What Keras's scripts ask of its backend: `lstmfast.ops` by its older names, and settings."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np

from lstmfast import ops
from lstmfast._keras_names import explain_missing
from lstmfast.layers._operations import elementwise, is_symbolic, reshaped, tensor_of
from lstmfast.metrics.in_core import forget_names

# name here: name in lstmfast.ops, where they differ
_OF_OPS = {
    "cast_to_floatx": "convert_to_tensor", "constant": "convert_to_tensor", "int_shape": "shape",
    "permute_dimensions": "transpose", "pow": "power", "repeat_elements": "repeat",
    "reverse": "flip", "switch": "where", "bias_add": "add",
}  # fmt: skip
_SAME = """abs all any arange batch_dot cast clip cos dot elu equal exp expand_dims eye greater
greater_equal hard_sigmoid less less_equal log logsumexp max maximum mean min minimum not_equal
one_hot ones ones_like prod reshape round shape sigmoid sign sin softmax softplus softsign sqrt
square squeeze stack std stop_gradient sum tanh tile transpose var zeros zeros_like"""
_OWN = """argmax argmin backend batch_flatten clear_session concatenate cumsum epsilon eval floatx
get_value image_data_format l2_normalize ndim relu repeat"""

__all__ = sorted([*_OWN.split(), *_SAME.split(), *_OF_OPS])

globals().update(
    {name: getattr(ops, _OF_OPS.get(name, name)) for name in [*_OF_OPS, *_SAME.split()]}
)

explain_missing(__name__)


def clear_session(free_memory: bool = True) -> None:
    """Collect what is no longer in use, and number metrics without names anew.

    Nothing else is kept between models.

    Parameters
    ----------
    free_memory : bool
        Run Python's garbage collector.

    Examples
    --------
    >>> from lstmfast import backend
    >>> backend.clear_session()
    """
    forget_names()
    if free_memory:
        gc.collect()


def backend() -> str:
    """Return the name of the engine.

    Examples
    --------
    >>> import lstmfast as lf
    >>> lf.backend.backend()
    'lstmfast'
    """
    return "lstmfast"


def floatx() -> str:
    """Return the dtype that layers have by default.

    Examples
    --------
    >>> from lstmfast import backend
    >>> backend.floatx()
    'float32'
    """
    return "float32"


def epsilon() -> float:
    """Return the small number that Keras keeps from zero: 1e-07.

    Examples
    --------
    >>> from lstmfast import backend
    >>> backend.epsilon()
    1e-07
    """
    return 1e-7


def image_data_format() -> str:
    """Return where channels stand in images.

    Examples
    --------
    >>> from lstmfast import backend
    >>> backend.image_data_format()
    'channels_last'
    """
    return "channels_last"


def ndim(x: Any) -> int:
    """Return how many axes a tensor has, that of the batch among them."""
    return len(x.shape)


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Return tensors one after the other along an axis."""
    return ops.concatenate(tensors, axis)


def argmax(x: Any, axis: int = -1) -> Any:
    """Return the place of the greatest element along an axis."""
    return ops.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """Return the place of the least element along an axis."""
    return ops.argmin(x, axis)


def cumsum(x: Any, axis: int = 0) -> Any:
    """Return the sums of the elements up to each along an axis."""
    return ops.cumsum(x, axis)


def get_value(x: Any) -> Any:
    """Return the array of a weight, or of numbers."""
    return np.asarray(x)


eval = get_value  # noqa: A001  Keras's name


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None) -> Any:
    """Return x above 0, alpha x below; max_value at most."""
    y = ops.leaky_relu(x, alpha) if alpha else elementwise("at_least", x, 0.0)
    return y if max_value is None else elementwise("at_most", y, max_value)


def l2_normalize(x: Any, axis: int = -1) -> Any:
    """Return x divided by its length along an axis."""
    return ops.normalize(x, axis, epsilon=1e-6)


def repeat(x: Any, n: int) -> Any:
    """Return vectors (batch, features) at each of n steps."""
    return ops.repeat(ops.expand_dims(x, 1), n, 1)


def batch_flatten(x: Any) -> Any:
    """Return the elements of each sample as one axis."""
    if not is_symbolic(x):
        return np.reshape(x, (len(x), -1))
    return reshaped(tensor_of(x), (-1,))

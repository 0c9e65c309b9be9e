"""What Keras's scripts ask of its backend: `lstmfast.ops` by its older names, and settings."""

from __future__ import annotations

import gc
from typing import Any

from lstmfast import ops
from lstmfast._keras_names import explain_missing
from lstmfast.layers._operations import elementwise, reshaped, tensor_of
from lstmfast.layers._symbolic import Sample, Tensor
from lstmfast.metrics.in_core import forget_names

# name here: name in lstmfast.ops, where they differ
_OF_OPS = {
    "cast_to_floatx": "identity", "constant": "convert_to_tensor", "int_shape": "shape",
    "permute_dimensions": "transpose", "pow": "power", "repeat_elements": "repeat",
    "reverse": "flip", "switch": "where",
}  # fmt: skip
_SAME = """abs all any batch_dot cast clip concatenate cos dot elu equal exp expand_dims greater
greater_equal hard_sigmoid less less_equal log logsumexp max maximum mean min minimum not_equal
ones_like prod reshape round shape sigmoid sign sin softmax softplus softsign sqrt square squeeze
stack std stop_gradient sum tanh tile transpose var zeros_like"""
_OWN = """backend batch_flatten clear_session epsilon floatx image_data_format l2_normalize ndim
relu repeat"""

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


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None) -> Any:
    """Return x above 0, alpha x below; max_value at most."""
    y = ops.leaky_relu(x, alpha) if alpha else elementwise("at_least", tensor_of(x), 0.0)
    return y if max_value is None else elementwise("at_most", y, max_value)


def l2_normalize(x: Any, axis: int = -1) -> Any:
    """Return x divided by its length along an axis."""
    return ops.normalize(x, axis, epsilon=1e-6)


def repeat(x: Any, n: int) -> Any:
    """Return vectors (batch, features) at each of n steps."""
    return ops.repeat(ops.expand_dims(x, 1), n, 1)


def batch_flatten(x: Any) -> Tensor:
    """Return the elements of each sample as one axis."""
    x = tensor_of(x)
    sample: Sample = (-1,)
    return reshaped(x, sample)

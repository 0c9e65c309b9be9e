"""Operations on tensors of a graph, as `keras.ops`: for layers of one's own, functional models.

Each makes a node of the core's graph, with its gradient. Axis 0 is the batch, whose samples are
computed each alone: reductions, slices and joins along it are refused. Values are numbers of the
model's type; those of comparisons are 0 and 1. Arrays and numbers may stand among the operands.
Long, because each operation is here.

Examples
--------
>>> from lstmfast import ops
>>> from lstmfast.layers import Input, LSTM
>>> from lstmfast.models import Model
>>> x = Input((None, 3))
>>> h = LSTM(4, return_sequences=True)(x)
>>> Model(x, ops.mean(h, axis=1) + 0.5 * h[:, -1]).output_shape
(None, 4)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lstmfast import activations
from lstmfast._activation import Activation
from lstmfast._keras_names import explain_missing
from lstmfast.layers import Activation as ActivationLayer
from lstmfast.layers import Dot, Softmax
from lstmfast.layers._operations import (
    apply,
    core_axis,
    elementwise,
    is_number,
    joined,
    multiplied,
    part,
    permuted,
    reduced,
    reshaped,
    tensor_of,
    with_axis,
)
from lstmfast.layers._symbolic import Sample, Tensor, place_of_code, refusal

_ONE = """abs absolute arccos arcsin arctan ceil cos cosh erf expm1 floor isnan log log1p negative
ones_like reciprocal round rsqrt sign sin sinh sqrt square stop_gradient tan zeros_like"""
_TWO = """add arctan2 divide equal greater greater_equal less less_equal logical_and logical_or
maximum minimum multiply not_equal power subtract true_divide"""
_ACTIVATIONS = """exp hard_sigmoid hard_silu hard_swish hard_tanh log_sigmoid mish relu relu6
selu sigmoid silu softplus softsign sparse_plus sparse_sigmoid swish tanh tanh_shrink"""
_OTHERS = """all amax amin any average batch_dot cast celu clip concatenate convert_to_tensor dot
elu expand_dims flip gelu get_item hard_shrink identity leaky_relu log_softmax logical_not logsumexp
matmul max mean min moveaxis norm normalize outer prod repeat reshape shape soft_shrink softmax
split squareplus squeeze stack std sum swapaxes take threshold tile transpose unstack var where"""

__all__ = sorted(f"{_ONE} {_TWO} {_ACTIVATIONS} {_OTHERS}".split())

explain_missing(__name__)

_CORE = {
    "abs": "absolute", "isnan": "is_nan", "ones_like": "ones", "zeros_like": "zeros",
    "stop_gradient": "constant", "logical_and": "multiply", "logical_or": "maximum",
    "true_divide": "divide",
}  # fmt: skip


def _unary(name: str) -> Callable[[Any], Tensor]:
    def function(x: Any) -> Tensor:
        return elementwise(_CORE.get(name, name), tensor_of(x, where=f"ops.{name}"))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return the function `{name}` of each element."
    return function


def _binary(name: str) -> Callable[[Any, Any], Tensor]:
    def function(x1: Any, x2: Any) -> Tensor:
        return elementwise(_CORE.get(name, name), x1, x2, where=f"ops.{name}")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return `{name}` of the elements of two operands, stretched together."
    return function


def _activated(x: Any, activation: Activation, where: str = "ops") -> Tensor:
    return apply(ActivationLayer(activation), tensor_of(x, where=where))


def _activation(name: str) -> Callable[[Any], Tensor]:
    made = getattr(activations, "exponential" if name == "exp" else name)
    made = made if isinstance(made, Activation) else made()

    def function(x: Any) -> Tensor:
        return _activated(x, made, f"ops.{name}")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return the activation `{name}` of each element."
    return function


for _names, _make in ((_ONE, _unary), (_TWO, _binary), (_ACTIVATIONS, _activation)):
    globals().update({name: _make(name) for name in _names.split()})


def negative(x: Any) -> Tensor:
    """Return -x."""
    return elementwise("multiply", x, -1.0)


def reciprocal(x: Any) -> Tensor:
    """Return 1 / x."""
    return elementwise("divide", 1.0, x)


def rsqrt(x: Any) -> Tensor:
    """Return 1 / sqrt(x)."""
    return elementwise("divide", 1.0, elementwise("sqrt", tensor_of(x)))


def logical_not(x: Any) -> Tensor:
    """Return 1 where x is 0, else 0."""
    return elementwise("equal", x, 0.0)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Return x above 0, alpha (exp(x) - 1) below."""
    return _activated(x, activations.elu(alpha))


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """Return x above 0, alpha (exp(x / alpha) - 1) below."""
    return _activated(x, activations.celu(alpha))


def gelu(x: Any, approximate: bool = True) -> Tensor:
    """Return x Φ(x), by a tanh if approximated."""
    return _activated(x, activations.gelu(approximate))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """Return x above 0, negative_slope x below."""
    return _activated(x, activations.leaky_relu(negative_slope))


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """Return x where its magnitude is above the threshold, else 0."""
    return _activated(x, activations.hard_shrink(threshold))


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """Return x brought nearer to 0 by the threshold, 0 within it."""
    return _activated(x, activations.soft_shrink(threshold))


def squareplus(x: Any, b: float = 4) -> Tensor:
    """Return (x + sqrt(x² + b)) / 2."""
    return _activated(x, activations.squareplus(b))


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """Return x above the threshold, else the default value."""
    return _activated(x, activations.threshold(threshold, default_value))


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Return exp(x) / Σ exp(x) along an axis."""
    x = tensor_of(x, where="ops.softmax")
    return apply(Softmax(core_axis(x, axis, "ops.softmax")), x)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Return x - log Σ exp(x) along an axis."""
    return tensor_of(x) - logsumexp(x, axis, keepdims=True)  # type: ignore[operator,no-any-return]


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return log Σ exp(x) along axes."""
    x = tensor_of(x, where="ops.logsumexp")
    most = elementwise("constant", reduced("max", x, axis, True))
    sums = reduced("sum", _activated(elementwise("subtract", x, most), activations.exponential),
                   axis, True)  # fmt: skip
    total = elementwise("add", elementwise("log", sums), most)
    return total if keepdims else squeeze(total, range(len(x.shape)) if axis is None else axis)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001  Keras's name
    """Return the sum along axes."""
    return reduced("sum", x, axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the mean along axes."""
    return reduced("mean", x, axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001  Keras's name
    """Return the greatest element along axes; equal ones share the gradient."""
    return reduced("max", x, axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001  Keras's name
    """Return the least element along axes; equal ones share the gradient."""
    return reduced("min", x, axis, keepdims)


amax, amin = max, min


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product along axes."""
    return reduced("prod", x, axis, keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001  Keras's name
    """Return 1 where an element along the axes is not 0, else 0."""
    return reduced("max", elementwise("not_equal", x, 0.0), axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A001  Keras's name
    """Return 1 where no element along the axes is 0, else 0."""
    return reduced("min", elementwise("not_equal", x, 0.0), axis, keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the mean of the squared distances from the mean along axes."""
    apart = elementwise("subtract", x, reduced("mean", x, axis, True))
    return reduced("mean", elementwise("square", apart), axis, keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the square root of `var`."""
    return elementwise("sqrt", var(x, axis, keepdims))


def average(x: Any, axis: Any = None, weights: Any = None) -> Tensor:
    """Return the mean along axes, weighted or not."""
    if weights is None:
        return mean(x, axis)
    weighted = sum(elementwise("multiply", x, weights), axis)
    return elementwise("divide", weighted, sum(weights, axis))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:  # noqa: A002
    """Return the norm of vectors along an axis: of order 2 by default, 1 or infinity."""
    size = elementwise("absolute", tensor_of(x, where="ops.norm"))
    if ord in (None, 2, "euclidean"):
        return elementwise("sqrt", sum(elementwise("square", size), axis, keepdims))
    if ord in (1, np.inf):
        return (sum if ord == 1 else max)(size, axis, keepdims)
    raise ValueError(f"[ops.norm] ord is {ord!r}; expected None, 1, 2 or inf")


def normalize(x: Any, axis: int = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """Return x divided by its `norm` along an axis, which counts as epsilon at least."""
    least = 1e-7 if epsilon is None else epsilon
    return elementwise("divide", x, elementwise("at_least", norm(x, order, axis, True), least))


def clip(x: Any, x_min: Any, x_max: Any) -> Tensor:
    """Return x limited to x_min .. x_max; at a limit the slope is 1."""
    x = tensor_of(x, where="ops.clip")
    return elementwise("at_most", elementwise("at_least", x, x_min), x_max)


def where(condition: Any, x1: Any = None, x2: Any = None) -> Tensor:
    """Return x1 where the condition is not 0, else x2."""
    condition = tensor_of(condition, where="ops.where")
    if x1 is None or x2 is None:
        raise TypeError(f"[ops.where] expected x1 and x2 (at {place_of_code()})")
    zeros = elementwise("zeros", condition)
    chosen = []
    for which, x in ((elementwise("not_equal", condition, 0.0), x1), (logical_not(condition), x2)):
        x = elementwise("add", zeros, x) if is_number(x) else x
        chosen.append(elementwise("keep", which, x))
    return elementwise("add", *chosen)


def identity(x: Any) -> Tensor:
    """Return x."""
    return tensor_of(x)


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None) -> Any:
    """Return x: a tensor as it is, numbers for arrays and lists, which operations take."""
    return x if isinstance(x, Tensor) or hasattr(x, "_as_tensor") else np.asarray(x)


def cast(x: Any, dtype: Any) -> Any:
    """Return x, whose values are numbers of the model's type; to whole numbers is refused."""
    name = str(getattr(dtype, "name", getattr(dtype, "__name__", dtype)))
    if is_number(x) or isinstance(x, np.ndarray):
        return np.asarray(x, name)
    x = tensor_of(x, where="ops.cast")
    if name == "bool":
        return elementwise("not_equal", x, 0.0)
    if not name.startswith("float"):
        raise refusal(x, f"ops.cast to {name}", "a type of floating-point numbers")
    return x


def shape(x: Any) -> Sample:
    """Return the shape: None for the batch, and for steps of any number."""
    return tuple(x.shape)


def reshape(x: Any, newshape: Sequence[int | None]) -> Tensor:
    """Return x with samples of another shape; the batch, -1 or None, stays first."""
    x = tensor_of(x, where="ops.reshape")
    sizes: list[Any] = list(newshape) if isinstance(newshape, list | tuple) else [newshape]
    if x.node.batched and sizes[0] not in (-1, None, x.node.batch):
        raise ValueError(
            f"[ops.reshape] newshape is {tuple(sizes)}; expected -1 or None first, for the batch "
            f"(at {place_of_code()})"
        )
    return reshaped(x, sizes[1:] if x.node.batched else sizes)


def expand_dims(x: Any, axis: int) -> Tensor:
    """Return x with a new axis of size 1."""
    return with_axis(tensor_of(x, where="ops.expand_dims"), axis)


def squeeze(x: Any, axis: Any = None) -> Tensor:
    """Return x without axes of size 1, those of `axis` or all of them."""
    x = tensor_of(x, where="ops.squeeze")
    lead = int(x.node.batched)
    if axis is None:
        places = [place for place, size in enumerate(x.sample) if size == 1]
    else:
        each = [axis] if isinstance(axis, int) else list(axis)
        places = [core_axis(x, one, "ops.squeeze") - 1 for one in each]
    for place in sorted(places, reverse=True):
        if x.sample[place] != 1:
            raise ValueError(
                f"[ops.squeeze] axis {place + lead} of shape {x.shape} is not of size 1 "
                f"(at {place_of_code()})"
            )
        x = part(x, place, 0, drop=True)
    return tensor_of(x)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Return x with its axes in another order; the batch stays first."""
    x = tensor_of(x, where="ops.transpose")
    return permuted(x, list(range(len(x.shape)))[::-1] if axes is None else axes)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Return x with two axes exchanged."""
    x = tensor_of(x, where="ops.swapaxes")
    order = list(range(len(x.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return permuted(x, order)


def moveaxis(x: Any, source: int, destination: int) -> Tensor:
    """Return x with an axis moved to another place."""
    x = tensor_of(x, where="ops.moveaxis")
    order = list(range(len(x.shape)))
    moved = order.pop(source)
    order.insert(destination % len(x.shape), moved)
    return permuted(x, order)


def concatenate(xs: Sequence[Any], axis: int = -1) -> Tensor:
    """Return tensors one after the other along an axis; -1 by default, as layers have it."""
    return joined(xs, axis)


def stack(x: Sequence[Any], axis: int = 0) -> Tensor:
    """Return tensors as one with a new axis."""
    return joined([expand_dims(each, axis) for each in x], axis, "ops.stack")


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the parts of x along an axis, without it."""
    x = tensor_of(x, where="ops.unstack")
    place = core_axis(x, axis, "ops.unstack") - 1
    count = x.sample[place] if num is None else num
    if count is None:
        raise ValueError(f"[ops.unstack] axis {axis} has any size (at {place_of_code()})")
    return [part(x, place, k, drop=True) for k in range(count)]


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Return as many equal parts of x along an axis, or those between the given places."""
    x = tensor_of(x, where="ops.split")
    place = core_axis(x, axis, "ops.split") - 1
    size = x.sample[place]
    if isinstance(indices_or_sections, int):
        if size is None or size % indices_or_sections:
            raise ValueError(
                f"[ops.split] axis {axis} of shape {x.shape} has no {indices_or_sections} equal "
                f"parts (at {place_of_code()})"
            )
        step = size // indices_or_sections
        starts = [k * step for k in range(indices_or_sections)]
    else:
        starts = [0, *indices_or_sections]
    ends = [*starts[1:], None]
    return [part(x, place, a, b) for a, b in zip(starts, ends, strict=True)]


def repeat(x: Any, repeats: int, axis: int) -> Tensor:
    """Return x with each element along an axis several times in turn."""
    x = tensor_of(x, where="ops.repeat")
    at = core_axis(x, axis, "ops.repeat") - (1 - int(x.node.batched))
    each = joined([with_axis(x, at + 1)] * repeats, at + 1, "ops.repeat")
    size = x.shape[at]
    return reshaped(each, [*x.sample[: at - int(x.node.batched)],
                           None if size is None else size * repeats,
                           *x.sample[at + 1 - int(x.node.batched) :]])  # fmt: skip


def tile(x: Any, repeats: Sequence[int]) -> Tensor:
    """Return x several times in a row along each axis; the batch once."""
    x = tensor_of(x, where="ops.tile")
    each = [repeats] if isinstance(repeats, int) else list(repeats)
    for axis, times in enumerate(reversed(each), 1):
        x = joined([x] * times, -axis, "ops.tile") if times > 1 else x
    return tensor_of(x)


def flip(x: Any, axis: int) -> Tensor:
    """Return x in reverse order along an axis."""
    x = tensor_of(x, where="ops.flip")
    return part(x, core_axis(x, axis, "ops.flip") - 1, None, None, -1)


def take(x: Any, indices: int, axis: int) -> Tensor:
    """Return the element at a place of an axis, which goes."""
    x = tensor_of(x, where="ops.take")
    if not isinstance(indices, int | np.integer):
        raise refusal(x, "ops.take", "one integer; for rows of a table layers.Embedding")
    return part(x, core_axis(x, axis, "ops.take") - 1, indices, drop=True)


def get_item(x: Any, key: Any) -> Tensor:
    """Return ``x[key]``."""
    return tensor_of(x)[key]  # type: ignore[index,no-any-return]


def matmul(x1: Any, x2: Any) -> Tensor:
    """Return the product of the last two axes, for each of those before them."""
    return multiplied(x1, x2)


def dot(x1: Any, x2: Any) -> Tensor:
    """Return ``matmul(x1, x2)``, for a weight or constant x2 of one or two axes."""
    like = x1 if isinstance(x1, Tensor) else None
    x2 = tensor_of(x2, like, "ops.dot")
    if x2.node.batched or len(x2.shape) > 2:
        raise refusal(x2, "ops.dot", "a weight of two axes; ops.matmul or ops.batch_dot for others")
    return multiplied(x1, x2, "ops.dot")


def outer(x1: Any, x2: Any) -> Tensor:
    """Return the products of all pairs of elements of two vectors of each sample."""
    return elementwise("multiply", expand_dims(x1, -1), expand_dims(x2, -2))


def batch_dot(x: Any, y: Any, axes: Any = None) -> Tensor:
    """Return `lstmfast.layers.Dot` of two tensors; by default the last axis, and the second last.

    Of vectors both have the last axis.
    """
    x, y = tensor_of(x), tensor_of(y)
    if axes is None:
        rank = len(y.shape)
        axes = (len(x.shape) - 1, rank - 1 if rank == 2 else rank - 2)
    return apply(Dot(axes), x, y)

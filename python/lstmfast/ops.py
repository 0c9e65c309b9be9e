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

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

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

explain_missing(__name__)

P = ParamSpec("P")

# functions of the elements of one operand or two; the name in the core, where it is another
_ONE = """abs:absolute absolute arccos arcsin arctan ceil cos cosh erf expm1 floor isnan:is_nan log
log1p ones_like:ones round sign sin sinh sqrt square stop_gradient:constant tan zeros_like:zeros"""
_TWO = """add arctan2 divide equal greater greater_equal less less_equal logical_and:multiply
logical_or:maximum maximum minimum multiply not_equal power subtract true_divide:divide"""
_ACTIVATIONS = """exp:exponential hard_sigmoid hard_silu hard_swish hard_tanh log_sigmoid mish relu
relu6 selu sigmoid silu softplus softsign sparse_plus sparse_sigmoid swish tanh tanh_shrink"""


def _one(core: str) -> Callable[[Any], Tensor]:
    return lambda x: elementwise(core, x)


def _two(core: str) -> Callable[[Any, Any], Tensor]:
    return lambda x1, x2: elementwise(core, x1, x2)


def _activated(x: Any, activation: Activation) -> Tensor:
    return apply(ActivationLayer(activation), tensor_of(x))


def _activation(core: str) -> Callable[[Any], Tensor]:
    found = getattr(activations, core)
    return lambda x: _activated(x, found if isinstance(found, Activation) else found())


for _make, _names in ((_one, _ONE), (_two, _TWO), (_activation, _ACTIVATIONS)):
    for _name, _, _core in (each.partition(":") for each in _names.split()):
        globals()[_name] = _make(_core or _name)
        globals()[_name].__doc__ = f"Return `{_name}` of each element; two operands are stretched."


def _of(make: Callable[P, Activation]) -> Callable[Concatenate[Any, P], Tensor]:
    """Return what applies the activation that `make` makes of the arguments after the first."""

    @wraps(make)
    def function(x: Any, *given: P.args, **named: P.kwargs) -> Tensor:
        return _activated(x, make(*given, **named))

    first = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = inspect.signature(make).parameters.values()
    function.__signature__ = inspect.Signature([first, *own])  # type: ignore[attr-defined]
    function.__module__ = __name__
    function.__doc__ = str(make.__doc__).replace("Make", "Return", 1)
    return function  # type: ignore[return-value]


celu, elu, leaky_relu = _of(activations.celu), _of(activations.elu), _of(activations.leaky_relu)
hard_shrink, soft_shrink = _of(activations.hard_shrink), _of(activations.soft_shrink)
squareplus, threshold = _of(activations.squareplus), _of(activations.threshold)


def negative(x: Any) -> Any:
    """Return -x."""
    return -x


def reciprocal(x: Any) -> Any:
    """Return 1 / x."""
    return 1.0 / x


def rsqrt(x: Any) -> Any:
    """Return 1 / sqrt(x)."""
    return 1.0 / elementwise("sqrt", x)


def logical_not(x: Any) -> Any:
    """Return 1 where x is 0, else 0."""
    return elementwise("equal", x, 0.0)


def gelu(x: Any, approximate: bool = True) -> Any:
    """Return x Φ(x), by a tanh if approximated."""
    return _activated(x, activations.gelu(approximate))


def softmax(x: Any, axis: int = -1) -> Any:
    """Return exp(x) / Σ exp(x) along an axis."""
    return apply(Softmax(core_axis(x, axis, "ops.softmax")), x)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """Return x - log Σ exp(x) along an axis."""
    return x - logsumexp(x, axis, keepdims=True)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return log Σ exp(x) along axes."""
    most = elementwise("constant", reduced("max", x, axis, True))
    sums = reduced("sum", _activated(x - most, activations.exponential), axis, True)
    total = most + elementwise("log", sums)
    return total if keepdims else squeeze(total, range(len(x.shape)) if axis is None else axis)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A001  Keras's name
    """Return the sum along axes."""
    return reduced("sum", x, axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean along axes."""
    return reduced("mean", x, axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A001  Keras's name
    """Return the greatest element along axes; equal ones share the gradient."""
    return reduced("max", x, axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A001  Keras's name
    """Return the least element along axes; equal ones share the gradient."""
    return reduced("min", x, axis, keepdims)


amax, amin = max, min


def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the product along axes."""
    return reduced("prod", x, axis, keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A001  Keras's name
    """Return 1 where an element along the axes is not 0, else 0."""
    return reduced("max", elementwise("not_equal", x, 0.0), axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A001  Keras's name
    """Return 1 where no element along the axes is 0, else 0."""
    return reduced("min", elementwise("not_equal", x, 0.0), axis, keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean of the squared distances from the mean along axes."""
    apart = x - reduced("mean", x, axis, True)
    return reduced("mean", elementwise("square", apart), axis, keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the square root of `var`."""
    return elementwise("sqrt", var(x, axis, keepdims))


def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Return the mean along axes, weighted or not."""
    return mean(x, axis) if weights is None else sum(x * weights, axis) / sum(weights, axis)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    """Return the norm of vectors along an axis: of order 2 by default, 1 or infinity."""
    size = elementwise("absolute", x)
    if ord in (None, 2, "euclidean"):
        return elementwise("sqrt", sum(elementwise("square", size), axis, keepdims))
    if ord in (1, np.inf):
        return (sum if ord == 1 else max)(size, axis, keepdims)
    raise ValueError(f"[ops.norm] ord is {ord!r}; expected None, 1, 2 or inf")


def normalize(x: Any, axis: int = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """Return x divided by its `norm` along an axis, which counts as epsilon at least."""
    least = 1e-7 if epsilon is None else epsilon
    return x / elementwise("at_least", norm(x, order, axis, True), least)


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return x limited to x_min .. x_max; at a limit the slope is 1."""
    return elementwise("at_most", elementwise("at_least", x, x_min), x_max)


def where(condition: Any, x1: Any, x2: Any) -> Any:
    """Return x1 where the condition is not 0, else x2."""
    like = next((x for x in (condition, x1, x2) if isinstance(x, Tensor)), None)
    condition = tensor_of(condition, like, "ops.where")
    zeros = elementwise("zeros", condition)
    chosen = [
        elementwise("keep", which, zeros + x if is_number(x) else x)
        for which, x in ((condition, x1), (logical_not(condition), x2))
        if not is_number(x) or x != 0
    ]
    return chosen[0] + chosen[1] if len(chosen) == 2 else (chosen or [zeros])[0]


def identity(x: Any) -> Any:
    """Return x."""
    return x


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None) -> Any:
    """Return x: a tensor as it is, numbers for arrays and lists, which operations take."""
    return x if isinstance(x, Tensor) or hasattr(x, "_as_tensor") else np.asarray(x)


def cast(x: Any, dtype: Any) -> Any:
    """Return x, whose values are numbers of the model's type; to whole numbers is refused."""
    name = str(getattr(dtype, "name", getattr(dtype, "__name__", dtype)))
    if is_number(x) or isinstance(x, np.ndarray):
        return np.asarray(x, name)
    if name == "bool":
        return elementwise("not_equal", x, 0.0)
    if not name.startswith("float"):
        raise refusal(x, f"ops.cast to {name}", "a type of floating-point numbers")
    return x


def shape(x: Any) -> Sample:
    """Return the shape: None for the batch, and for steps of any number."""
    return tuple(x.shape)


def reshape(x: Any, newshape: Sequence[int | None]) -> Any:
    """Return x with samples of another shape; the batch, -1 or None, stays first."""
    sizes: list[Any] = list(newshape) if isinstance(newshape, list | tuple) else [newshape]
    if x.node.batched and sizes[0] not in (-1, None, x.node.batch):
        raise ValueError(
            f"[ops.reshape] newshape is {tuple(sizes)}; expected -1 or None first, for the batch "
            f"(at {place_of_code()})"
        )
    return reshaped(x, sizes[1:] if x.node.batched else sizes)


def expand_dims(x: Any, axis: int) -> Any:
    """Return x with a new axis of size 1."""
    return with_axis(x, axis)


def squeeze(x: Any, axis: Any = None) -> Any:
    """Return x without axes of size 1, those of `axis` or all of them."""
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
    return x


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Return x with its axes in another order; the batch stays first."""
    return permuted(x, list(range(len(x.shape)))[::-1] if axes is None else axes)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return x with two axes exchanged."""
    order = list(range(len(x.shape)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return permuted(x, order)


def moveaxis(x: Any, source: int, destination: int) -> Any:
    """Return x with an axis moved to another place."""
    order = list(range(len(x.shape)))
    moved = order.pop(source)
    order.insert(destination % len(x.shape), moved)
    return permuted(x, order)


def concatenate(xs: Sequence[Any], axis: int = -1) -> Any:
    """Return tensors one after the other along an axis; -1 by default, as layers have it."""
    return joined(xs, axis)


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Return tensors as one with a new axis."""
    return joined([expand_dims(each, axis) for each in x], axis, "ops.stack")


def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """Return the parts of x along an axis, without it."""
    place = core_axis(x, axis, "ops.unstack") - 1
    count = x.sample[place] if num is None else num
    if count is None:
        raise ValueError(f"[ops.unstack] axis {axis} has any size (at {place_of_code()})")
    return [part(x, place, k, drop=True) for k in range(count)]


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Return as many equal parts of x along an axis, or those between the given places."""
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


def repeat(x: Any, repeats: int, axis: int) -> Any:
    """Return x with each element along an axis several times in turn."""
    at = core_axis(x, axis, "ops.repeat") - (1 - int(x.node.batched))
    each = joined([with_axis(x, at + 1)] * repeats, at + 1, "ops.repeat")
    size = x.shape[at]
    return reshaped(each, [*x.sample[: at - int(x.node.batched)],
                           None if size is None else size * repeats,
                           *x.sample[at + 1 - int(x.node.batched) :]])  # fmt: skip


def tile(x: Any, repeats: Sequence[int]) -> Any:
    """Return x several times in a row along each axis; the batch once."""
    each = [repeats] if isinstance(repeats, int) else list(repeats)
    for axis, times in enumerate(reversed(each), 1):
        x = joined([x] * times, -axis, "ops.tile") if times > 1 else x
    return x


def flip(x: Any, axis: int) -> Any:
    """Return x in reverse order along an axis."""
    return part(x, core_axis(x, axis, "ops.flip") - 1, None, None, -1)


def take(x: Any, indices: int, axis: int) -> Any:
    """Return the element at a place of an axis, which goes."""
    if not isinstance(indices, int | np.integer):
        raise refusal(x, "ops.take", "one integer; for rows of a table layers.Embedding")
    return part(x, core_axis(x, axis, "ops.take") - 1, indices, drop=True)


def get_item(x: Any, key: Any) -> Any:
    """Return ``x[key]``."""
    return x[key]


def matmul(x1: Any, x2: Any) -> Any:
    """Return the product of the last two axes, for each of those before them."""
    return multiplied(x1, x2)


def dot(x1: Any, x2: Any) -> Any:
    """Return ``matmul(x1, x2)``, for a weight or constant x2 of one or two axes."""
    like = x1 if isinstance(x1, Tensor) else None
    x2 = tensor_of(x2, like, "ops.dot")
    if x2.node.batched or len(x2.shape) > 2:
        raise refusal(x2, "ops.dot", "a weight of two axes; ops.matmul or ops.batch_dot for others")
    return multiplied(x1, x2, "ops.dot")


def outer(x1: Any, x2: Any) -> Any:
    """Return the products of all pairs of elements of two vectors of each sample."""
    return expand_dims(x1, -1) * expand_dims(x2, -2)


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Return `lstmfast.layers.Dot` of two tensors; by default the last axis, and the second last.

    Of vectors both have the last axis.
    """
    x, y = tensor_of(x), tensor_of(y)
    if axes is None:
        rank = len(y.shape)
        axes = (len(x.shape) - 1, rank - 1 if rank == 2 else rank - 2)
    return apply(Dot(axes), x, y)


def _operation(name: str, function: Callable[P, Any]) -> Callable[P, Any]:
    """Return a function of this module as it is public: its first operand `x` is a tensor."""
    takes_x = next(iter(inspect.signature(function).parameters)) == "x"

    @wraps(function)
    def operation(*given: Any, **named: Any) -> Any:
        if takes_x and not given and "x" in named:
            given = (named.pop("x"),)
        if takes_x and given and not isinstance(given[0], Tensor | list | tuple):
            like = next((each for each in given if isinstance(each, Tensor)), None)
            given = (tensor_of(given[0], like, f"ops.{name}"), *given[1:])
        return function(*given, **named)

    operation.__name__ = operation.__qualname__ = name
    return operation


_PUBLIC = {
    name: _operation(name, each)
    for name, each in globals().items()
    if inspect.isfunction(each) and each.__module__ == __name__ and not name.startswith("_")
}
globals().update(_PUBLIC)
__all__ = sorted(_PUBLIC)

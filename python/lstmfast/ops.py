"""Operations on tensors of a graph, as `keras.ops`: for layers of one's own, functional models.

Each makes a node of the core's graph, with its gradient. Axis 0 is the batch, whose samples are
computed each alone: reductions, slices and joins along it are refused. Values are numbers of the
model's type; those of comparisons are 0 and 1. Arrays and numbers may stand among the operands.
Long, because each operation is here.

Of arrays and numbers alone they are computed at once, by NumPy where it has the function.

Examples
--------
>>> from lstmfast import ops
>>> ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=1).tolist()
[3.0, 7.0]
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
from lstmfast.layers._einsum import contracted
from lstmfast.layers._operations import (
    PUBLIC,
    Operation,
    apply,
    core_axis,
    elementwise,
    is_number,
    is_symbolic,
    joined,
    multiplied,
    part,
    permuted,
    plain,
    reduced,
    reshaped,
    tensor_of,
    with_axis,
)
from lstmfast.layers._symbolic import RUNNING, Sample, Tensor, place_of_code, refusal

explain_missing(__name__)

P = ParamSpec("P")

# functions of the elements of one operand or two; the name in the core, where it is another
_ONE = """abs:absolute absolute arccos arcsin arctan ceil cos cosh erf expm1 floor isnan:is_nan log
log1p ones_like:ones round sign sin sinh sqrt square stop_gradient:constant tan zeros_like:zeros"""
_TWO = """add arctan2 divide equal floor_divide greater greater_equal less less_equal
logical_and:multiply logical_or:maximum logical_xor:not_equal maximum minimum mod multiply not_equal
power subtract true_divide:divide"""
_ACTIVATIONS = """exp:exponential hard_sigmoid hard_silu hard_swish hard_tanh log_sigmoid mish relu
relu6 selu sigmoid silu softplus softsign sparse_plus sparse_sigmoid swish tanh tanh_shrink"""


def _one(core: str) -> Callable[[Any], Any]:
    return lambda x: elementwise(core, x)


def _two(core: str) -> Callable[[Any, Any], Any]:
    return lambda x1, x2: elementwise(core, x1, x2)


def _activated(x: Any, activation: Activation) -> Any:
    if is_symbolic(x):
        return apply(ActivationLayer(activation), tensor_of(x))
    array = np.asarray(x)
    layer = ActivationLayer(activation, dtype="float64" if array.dtype == "float64" else "float32")
    rows = array.reshape(-1, array.shape[-1]) if array.size and array.ndim else array.reshape(1, -1)
    return layer(rows).reshape(array.shape)


def _activation(core: str) -> Any:
    found = getattr(activations, core)
    activation = found if isinstance(found, Activation) else found()

    def function(x: Any) -> Any:
        return _activated(x, activation)

    return _known_as(function, activation)


def _known_as(function: Any, activation: Any) -> Any:
    """Let a function stand for an activation, or for what makes it, as an argument of layers."""
    function._activation = activation
    return function


for _make, _names in ((_one, _ONE), (_two, _TWO), (_activation, _ACTIVATIONS)):
    for _name, _, _core in (each.partition(":") for each in _names.split()):
        globals()[_name] = _make(_core or _name)
        globals()[_name].__doc__ = f"Return `{_name}` of each element; two operands are stretched."


def _of(make: Callable[P, Activation]) -> Callable[Concatenate[Any, P], Any]:
    """Return what applies the activation that `make` makes of the arguments after the first."""

    @wraps(make)
    def function(x: Any, *given: P.args, **named: P.kwargs) -> Any:
        return _activated(x, make(*given, **named))

    first = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = inspect.signature(make).parameters.values()
    function.__signature__ = inspect.Signature([first, *own])  # type: ignore[attr-defined]
    function.__module__ = __name__
    function.__doc__ = str(make.__doc__).replace("Make", "Return", 1)
    return _known_as(function, make)  # type: ignore[no-any-return]


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
    if not is_symbolic(x):
        return np.exp(log_softmax(x, axis))
    return apply(Softmax(core_axis(x, axis, "ops.softmax")), x)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """Return x - log Σ exp(x) along an axis."""
    return x - logsumexp(x, axis, keepdims=True)


_known_as(gelu, activations.gelu)
_known_as(softmax, Activation("softmax"))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return log Σ exp(x) along axes."""
    most = elementwise("constant", max(x, axis, True))
    sums = sum(_activated(x - most, activations.exponential), axis, True)
    total = most + elementwise("log", sums)
    return total if keepdims else squeeze(total, tuple(range(x.ndim)) if axis is None else axis)


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


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the place of the greatest element along an axis, the first of equal ones."""
    return reduced("argmax", x, axis, keepdims)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the place of the least element along an axis, the first of equal ones."""
    return reduced("argmin", x, axis, keepdims)


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Return the sums of the elements up to each along an axis."""
    return apply(Operation("cumsum", axis=core_axis(x, axis, "ops.cumsum")), x)


def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Return 1 at the place that each element of x names along a new axis, else 0."""
    if sparse:
        raise ValueError("[ops.one_hot] sparse is True; expected False")
    hot = elementwise("equal", expand_dims(x, -1), arange(num_classes))
    return moveaxis(cast(hot, dtype or "float32"), -1, axis)


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


def _known(shape: Any, where: str) -> Any:
    """Return the shape of an array, all of whose sizes must be known."""
    if None in (shape if isinstance(shape, list | tuple) else [shape]):
        raise ValueError(
            f"[{where}] shape is {shape}; expected known sizes: arrays are of each sample, without "
            f"the batch; ops.zeros_like(x) and ops.ones_like(x) have x's (at {place_of_code()})"
        )
    return shape


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return an array of zeros."""
    return full(shape, 0.0, dtype)


def ones(shape: Any, dtype: Any = None) -> Any:
    """Return an array of ones."""
    return full(shape, 1.0, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return an array of one value."""
    return np.full(_known(shape, "ops.full"), fill_value, dtype or np.float32)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return an array of ones on a diagonal, and zeros."""
    return np.eye(_known(N, "ops.eye"), M, k, dtype or np.float32)


def identity(n: int, dtype: Any = None) -> Any:
    """Return the array of an identity matrix."""
    return eye(n, dtype=dtype)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Any:
    """Return the array of numbers from start, by step, before stop; from 0 where stop is None."""
    numbers = np.arange(start, stop, step)
    if RUNNING.get() is not None and numbers.size == 0:
        raise ValueError(
            f"[ops.arange] there is no number from {start} to {stop}; expected some: ops.shape "
            f"has None for steps of any number, so name them, Input((steps, ...)) "
            f"(at {place_of_code()})"
        )
    return numbers.astype(dtype or ("int32" if numbers.dtype.kind == "i" else "float32"))


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


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Return tensors one after the other along an axis."""
    return joined(xs, axis)


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Return tensors as one with a new axis."""
    return joined([expand_dims(each, axis) for each in x], axis, "ops.stack")


def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """Return the parts of x along an axis, without it."""
    if not is_symbolic(x):
        return [*np.moveaxis(np.asarray(x), axis, 0)]
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


def repeat(x: Any, repeats: int, axis: int | None = None) -> Any:
    """Return x with each element along an axis several times in turn."""
    at = core_axis(x, axis, "ops.repeat") - (1 - int(x.node.batched))
    each = joined([with_axis(x, at + 1)] * repeats, at + 1, "ops.repeat")
    size = x.shape[at]
    return reshaped(each, [*x.sample[: at - int(x.node.batched)],
                           None if size is None else size * repeats,
                           *x.sample[at + 1 - int(x.node.batched) :]])  # fmt: skip


def tile(x: Any, repeats: Any) -> Any:
    """Return x several times in a row along each axis; the batch once.

    An array of one sample may be repeated None times first, the unknown size of a batch.
    """
    each = [repeats] if isinstance(repeats, int) else list(repeats)
    if not is_symbolic(x):
        of_batch = each[0] is None and len(each) == x.ndim and len(x) == 1
        return tensor_of(np.tile(x[0], each[1:])) if of_batch else np.tile(x, each)
    for axis, times in enumerate(reversed(each), 1):
        x = joined([x] * times, -axis, "ops.tile") if times > 1 else x
    return x


def flip(x: Any, axis: int | None = None) -> Any:
    """Return x in reverse order along an axis."""
    return part(x, core_axis(x, axis, "ops.flip") - 1, None, None, -1)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the element at a place of an axis, which goes."""
    if not isinstance(indices, int | np.integer):
        raise refusal(x, "ops.take", "one integer; for rows of a table layers.Embedding")
    return part(x, core_axis(x, axis, "ops.take") - 1, indices, drop=True)


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Return x with elements before and after along axes: constant, reflected or symmetric ones.

    `pad_width` has a number or (before, after), for all axes or each; the batch has (0, 0).
    """
    if mode not in ("constant", "reflect", "symmetric"):
        raise ValueError(
            f"[ops.pad] mode is {mode!r}; expected 'constant', 'reflect' or 'symmetric'"
        )
    away = int(mode == "reflect")
    for axis, (before, after) in enumerate(np.broadcast_to(pad_width, (x.ndim, 2)).tolist()):
        if before == after == 0:
            continue
        place = core_axis(x, axis, "ops.pad") - 1
        if mode == "constant":
            one = elementwise("zeros", part(x, place, 0, 1)) + float(constant_values or 0.0)
            parts = [*[one] * before, x, *[one] * after]
        else:
            parts = [x]
            if before > 0:
                parts.insert(0, part(x, place, before - 1 + away, 0 if away else None, -1))
            if after > 0:
                parts.append(part(x, place, -1 - away, -1 - away - after, -1))
        x = joined(parts, axis, "ops.pad")
    return x


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


def einsum(subscripts: str, *operands: Any) -> Any:
    """Return sums of products by letters for axes, of one operand or two: ``"bqd,bkd->bqk"``."""
    return contracted(subscripts, operands)


def outer(x1: Any, x2: Any) -> Any:
    """Return the products of all pairs of elements of two vectors of each sample."""
    return expand_dims(x1, -1) * expand_dims(x2, -2)


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Return `lstmfast.layers.Dot` of two tensors; by default the last axis, and the second last.

    Of vectors both have the last axis.
    """
    rank = len(y.shape)
    usual = (len(x.shape) - 1, rank - 1 if rank == 2 else rank - 2)
    dtype = None if is_symbolic([x, y]) else np.result_type(x, y, np.float32)
    return Dot(usual if axes is None else axes, dtype=dtype)([x, y])


# what NumPy computes otherwise, or under names that mean other things
_NOT_NUMPYS = {"arange", "eye", "full", "identity", "ones", "tile", "unstack", "zeros"}


def _at_once(name: str, function: Callable[..., Any], bound: inspect.BoundArguments) -> Any:
    """Return what a function of this module makes of arrays and numbers alone."""
    numpys = None if name in _NOT_NUMPYS else getattr(np, name, None)
    needed: list[Any] = []
    more: dict[str, Any] = {}
    for key, value in bound.arguments.items():
        parameter = bound.signature.parameters[key]
        if parameter.kind is parameter.VAR_POSITIONAL:
            needed += plain(value)
        elif parameter.default is parameter.empty:
            needed.append(plain(value))
        elif value is not None:
            more[key] = value
    if numpys is not None:
        return numpys(*needed, **more)
    if next(iter(bound.arguments)) == "x":
        needed[0] = np.asarray(needed[0])
    return function(*needed, **more)


def _operation(name: str, function: Callable[P, Any]) -> Callable[P, Any]:
    """Return a function of this module as it is public: its first operand `x` is a tensor."""
    signature = inspect.signature(function)
    takes_x = next(iter(signature.parameters)) == "x"

    @wraps(function)
    def operation(*given: Any, **named: Any) -> Any:
        if not is_symbolic([*given, *named.values()]):
            try:
                return _at_once(name, function, signature.bind(*given, **named))
            except (TypeError, ValueError) as error:
                if str(error).startswith("["):
                    raise
                kind = TypeError if isinstance(error, TypeError) else ValueError
                expected = "expected tensors, or arrays and numbers"
                raise kind(f"[ops.{name}] {error}; {expected} (at {place_of_code()})") from None
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
PUBLIC.update(__all__)

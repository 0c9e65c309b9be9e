"""What operators and `lstmfast.ops` make of tensors: nodes of a graph. Knows no users' layers.

Long, because the operators and what they share with the functions stand together.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._options import Value
from lstmfast.layers._merging import Concatenate
from lstmfast.layers._reshaping import Permute, Reshape
from lstmfast.layers._symbolic import RUNNING, Sample, Tensor, place_of_code, refusal
from lstmfast.layers.base import LAYERS, Layer
from lstmfast.layers.feedforward import Activation
from lstmfast.layers.weights import Weight

MOST_CONSTANTS = 1 << 16  # numbers of one array among the operations


class Operation(Layer):
    """A layer of the core that stands for an operation of a user's code."""

    def __init__(self, kind: str, name: str | None = None, **options: Any) -> None:
        object.__setattr__(self, "kind", kind)
        super().__init__(name)
        self._options = options

    takes_list = True

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer."""
        return dict(self._options)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"kind": self.kind, "name": self.name, **self._options}

    @classmethod
    def from_core(cls, config: Mapping[str, Value], inside: Mapping[str, Any]) -> Operation:
        """Make the layer that the core describes."""
        return cls(**config)  # type: ignore[arg-type]


LAYERS.add([Operation])
# the core's layers that have no class of their own
KINDS = (
    "elementwise", "reduce", "cumsum", "slice", "matmul", "weight", "constant", "mask_values",
    "with_mask",
)  # fmt: skip


class Trace:
    """A running call of a user's code with tensors."""

    def __init__(self, anchor: Tensor) -> None:
        self.anchor = anchor  # says how many samples there are
        self.weights: dict[Any, Tensor] = {}

    def value(self, source: Layer) -> Tensor:
        """Return a weight as a tensor; its layer gets its handle once the call is over."""
        if source not in self.weights:
            node = source._plan([self.anchor])[1]
            node.batched = False
            self.weights[source] = Tensor(node)
        return self.weights[source]

    def constant(self, value: Any) -> Tensor:
        """Return an array as a tensor."""
        return tensor_of(value)


def apply(layer: Layer, *tensors: Tensor) -> Tensor:
    """Return what a layer without weights makes of tensors."""
    try:
        return Tensor(layer._use(tensors))
    except ValueError as error:
        raise ValueError(f"{error} (at {place_of_code()})") from None


def tensor_of(value: Any, like: Tensor | None = None, where: str = "ops") -> Tensor:
    """Return a tensor for one, for a weight of the running call, or for an array."""
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "_as_tensor"):
        return tensor_of(value._as_tensor())
    if isinstance(value, Weight):
        raise TypeError(
            f"[{where}] got the weight {value.path!r} of a layer; expected the layer itself to be "
            f"called, or a weight that this call's layer made by add_weight (at {place_of_code()})"
        )
    trace = RUNNING.get()
    anchor = trace.anchor if trace is not None else like
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        array = None
    if anchor is None or array is None or array.size == 0 or array.dtype == object:
        raise TypeError(
            f"[{where}] got a value of type {type(value).__name__}; expected a tensor of a graph "
            f"(at {place_of_code()})"
        )
    if array.size > MOST_CONSTANTS:
        raise ValueError(
            f"[{where}] got an array of {array.size} numbers; expected at most {MOST_CONSTANTS}, "
            f"or a weight: add_weight(..., trainable=False) (at {place_of_code()})"
        )
    shape = array.shape or (1,)
    layer = Operation("constant", shape=shape, values=array.ravel().tolist())
    node = layer._use([anchor])
    node.batched = False
    return Tensor(node)


def is_number(value: Any) -> bool:
    """Tell whether a value is one number."""
    return isinstance(value, numbers.Real) or (isinstance(value, np.ndarray) and value.ndim == 0)


def is_symbolic(value: Any) -> bool:
    """Tell whether a value is part of a graph, or has a part that is."""
    if isinstance(value, list | tuple):
        return any(map(is_symbolic, value))
    return isinstance(value, Tensor) or (isinstance(value, Weight) and RUNNING.get() is not None)


def plain(value: Any) -> Any:
    """Return the array of a weight, of those in lists too; other values as they are."""
    if isinstance(value, list | tuple):
        return type(value)([plain(each) for each in value])
    return value.numpy() if isinstance(value, Weight) else value


# the functions of the core for arrays, where NumPy has other names for them
_NUMPY: dict[str, Any] = {
    "at_least": np.maximum, "at_most": np.minimum, "constant": np.asarray,
    "erf": np.vectorize(math.erf, otypes=[float]),
}  # fmt: skip


def elementwise(function: str, *given: Any, where: str = "") -> Any:
    """Return a function of the elements of one operand, or of two that are stretched together."""
    where = where or f"ops.{function}"
    if not is_symbolic(given):
        return (_NUMPY.get(function) or getattr(np, function))(*map(plain, given))
    if function in ("floor_divide", "mod"):
        whole = elementwise("floor", elementwise("divide", *given, where=where))
        return whole if function == "floor_divide" else given[0] - given[1] * whole
    given_numbers = [k for k, value in enumerate(given) if is_number(value)]
    like = next((each for each in given if isinstance(each, Tensor)), None)
    if given_numbers:
        (at,) = given_numbers
        options: dict[str, Any] = {"number": float(given[at]), "number_first": at == 0}
        operand = tensor_of(given[1 - at], like, where)
        return apply(Operation("elementwise", function=function, **options), operand)
    tensors = [tensor_of(each, like, where) for each in given]
    if len(tensors) == 2:
        tensors = aligned(tensors, where)
    return apply(Operation("elementwise", function=function), *tensors)


def aligned(tensors: list[Tensor], where: str) -> list[Tensor]:
    """Return operands whose samples the core aligns at the last axis as NumPy aligns the whole."""
    ranks = {len(tensor.shape) for tensor in tensors if tensor.node.batched}
    shapes = " and ".join(str(tensor.shape) for tensor in tensors)
    if len(ranks) == 2:
        raise ValueError(
            f"[{where}] operands have shapes {shapes}; expected as many axes: insert one, as in "
            f"x[:, None] (at {place_of_code()})"
        )
    rank = max(ranks, default=99)
    out = []
    for tensor in tensors:
        if not tensor.node.batched and len(tensor.shape) >= rank:
            if len(tensor.shape) > rank or tensor.shape[0] != 1:
                raise ValueError(
                    f"[{where}] operands have shapes {shapes}; expected those of samples, without "
                    f"the batch, for weights and constants (at {place_of_code()})"
                )
            tensor = part(tensor, 0, 0, drop=True)
        out.append(tensor)
    return out


def core_axis(x: Tensor, axis: Any, where: str, extra: int = 0) -> int:
    """Return an axis of a tensor as layers of the core count it, where the batch is 0."""
    rank = len(x.shape) + extra
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        raise TypeError(f"[{where}] axis is {axis!r}; expected an integer (at {place_of_code()})")
    at = int(axis) + rank if axis < 0 else int(axis)
    if not 0 <= at < rank or (x.node.batched and at == 0):
        why = "that is not the batch" if x.node.batched and at == 0 else f"of {rank}"
        raise ValueError(f"[{where}] axis is {axis}; expected one {why} (at {place_of_code()})")
    return at if x.node.batched else at + 1


def core_axes(x: Tensor, axis: Any, where: str) -> list[int]:
    """Return the axes that an argument means; None is all, which no batch may have."""
    if axis is None:
        if x.node.batched:
            raise ValueError(
                f"[{where}] axis is None, which takes the batch too; expected axes of a sample "
                f"(at {place_of_code()})"
            )
        return list(range(1, len(x.shape) + 1))
    each = axis if isinstance(axis, list | tuple) else [axis]
    return [core_axis(x, one, where) for one in each]


def reduced(function: str, x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return a reduction along axes."""
    where = f"ops.{function}"
    x = tensor_of(x, where=where)
    axes = tuple(core_axes(x, axis, where))
    if not axes:
        return tensor_of(x)
    return apply(Operation("reduce", function=function, axis=axes, keepdims=bool(keepdims)), x)


def part(
    x: Tensor, axis: int, start: Any, stop: Any = None, step: int = 1, drop: bool = False
) -> Tensor:
    """Return a slice along an axis of a sample, counted from 0, or one element of it."""
    given = {"start": start, "stop": stop}
    options: dict[str, Any] = {key: int(value) for key, value in given.items() if value is not None}
    return apply(Operation("slice", axis=axis + 1, step=int(step), drop=drop, **options), x)


def reshaped(x: Tensor, sample: Sequence[int | None]) -> Tensor:
    """Return a tensor with samples of another shape."""
    return apply(Reshape(tuple(-1 if size is None else size for size in sample)), x)


def with_axis(x: Tensor, axis: int) -> Tensor:
    """Return a tensor with a new axis of size 1 before that axis of the whole."""
    at = core_axis(x, axis, "ops.expand_dims", extra=1) - 1
    sample: Sample = x.sample
    return reshaped(x, (*sample[:at], 1, *sample[at:]))


def permuted(x: Tensor, order: Sequence[int]) -> Tensor:
    """Return a tensor with the axes of the whole in another order."""
    where, rank = "ops.transpose", len(x.shape)
    axes = [int(axis) % rank for axis in order]
    if sorted(axes) != list(range(rank)) or (x.node.batched and axes[0] != 0):
        raise ValueError(
            f"[{where}] axes are {tuple(order)}; expected each of {rank} once, the batch first "
            f"(at {place_of_code()})"
        )
    dims = axes[1:] if x.node.batched else [axis + 1 for axis in axes]
    return apply(Permute(dims), x) if len(dims) > 1 else x


def joined(each: Sequence[Any], axis: int, where: str = "ops.concatenate") -> Tensor:
    """Return tensors one after the other along an axis."""
    like = next((one for one in each if isinstance(one, Tensor)), None)
    tensors = [tensor_of(one, like, where) for one in each]
    first = next((one for one in tensors if one.node.batched), tensors[0])
    at = core_axis(first, axis, where)
    return apply(Concatenate(at), *tensors) if len(tensors) > 1 else tensors[0]


def multiplied(a: Any, b: Any, where: str = "ops.matmul") -> Tensor:
    """Return the product of matrices, as NumPy's ``a @ b``."""
    like = next((one for one in (a, b) if isinstance(one, Tensor)), None)
    a, b = (tensor_of(one, like, where) for one in (a, b))
    if b.node.batched and not a.node.batched:
        turned = [multiplied(_turned(b), _turned(a), where)]
        return _turned(turned[0])
    if a.node.batched and b.node.batched and not 3 <= len(a.shape) == len(b.shape):
        raise ValueError(
            f"[{where}] operands have shapes {a.shape} and {b.shape}; expected matrices of each "
            f"sample, or ops.batch_dot or layers.Dot (at {place_of_code()})"
        )
    return apply(Operation("matmul"), a, b)


def _turned(x: Tensor) -> Tensor:
    order = list(range(len(x.shape)))
    return permuted(x, [*order[:-2], order[-1], order[-2]])


def item(x: Any, key: Any) -> Tensor:
    """Return ``x[key]`` for slices, integers, None and an ellipsis."""
    x = tensor_of(x)
    keys = list(key) if isinstance(key, tuple) else [key]
    lacking = len(x.shape) - sum(each is not None and each is not Ellipsis for each in keys)
    places = [k for k, each in enumerate(keys) if each is Ellipsis]
    if len(places) > 1 or lacking < 0:
        raise IndexError(f"[Tensor.__getitem__] {key!r} does not fit (at {place_of_code()})")
    at = places[0] if places else len(keys)
    keys[at : at + 1] = [slice(None)] * lacking
    axis, lead = 0, int(x.node.batched)
    for each in keys:
        whole = each == slice(None) if isinstance(each, slice) else False
        if isinstance(each, slice | int | np.integer) and axis < lead and not whole:
            raise refusal(x, "Tensor.__getitem__", "[:, ...]: each sample is computed alone")
        if each is None:
            x = with_axis(x, axis)
        elif isinstance(each, slice):
            if not whole:
                step = 1 if each.step is None else each.step
                x = part(x, axis - lead, each.start, each.stop, step)
        elif isinstance(each, int | np.integer) and not isinstance(each, bool):
            x = part(x, axis - lead, each, drop=True)
            continue
        else:
            raise refusal(x, "Tensor.__getitem__", "slices, integers, None or ...")
        axis += 1
    return tensor_of(x)


_BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power",
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "and": "multiply", "or": "maximum", "xor": "not_equal",
    "floordiv": "floor_divide", "mod": "mod",
}  # fmt: skip
# the operators of arrays that stand on their left
_UFUNCS = {"true_divide": "divide", "remainder": "mod", **{name: name for name in _BINARY.values()}}
PUBLIC: set[str] = set()  # the names of lstmfast.ops, once it is loaded


def _operator(name: str, swapped: bool) -> Any:
    function, where = _BINARY[name], f"Tensor.__{'r' * swapped}{name}__"

    def operate(x: Any, other: Any) -> Any:
        if isinstance(other, Layer | str | Mapping) or other is None:
            return NotImplemented
        return elementwise(function, *((other, x) if swapped else (x, other)), where=where)

    return operate


def _ufunc(x: Any, ufunc: Any, method: str, *given: Any, **_: Any) -> Any:
    name = _UFUNCS.get(ufunc.__name__)
    if method == "__call__" and name is not None and len(given) == 2:
        return elementwise(name, *given)
    if method == "__call__" and ufunc.__name__ == "matmul":
        return multiplied(*given)
    return _refuse(x, ufunc)


def _instead(name: str) -> str:
    return f"ops.{name}(...)" if name in PUBLIC else "a function of lstmfast.ops"


def _refuse(x: Any, function: Any, *_: Any) -> Any:
    name = function.__name__
    raise refusal(x, f"numpy.{name}", _instead(name))


def _attribute(x: Any, name: str) -> Any:
    if name.startswith("_") or not hasattr(np.ndarray, name):
        raise AttributeError(f"{type(x).__name__!r} object has no attribute {name!r}", name=name)
    instead = _instead({"T": "transpose"}.get(name, name))
    raise AttributeError(str(refusal(x, f"Tensor.{name}", instead)), name=name)


_is_same = Tensor.__eq__


def _comparison(function: str) -> Callable[[Any, Any], Any]:
    """Return == or !=: elements in a user's code that is traced, elsewhere whether it is the same.

    So tensors can be looked up, as what a model is made of.
    """

    def compare(x: Any, other: Any) -> Any:
        if is_number(other) or (isinstance(other, Tensor) and RUNNING.get() is not None):
            return elementwise(function, x, other)
        is_same = _is_same(x, other)
        return is_same if function == "equal" or is_same is NotImplemented else not is_same

    return compare


def give_operators(cls: type) -> None:
    """Give a class the operators, which make tensors."""
    for name in _BINARY:
        setattr(cls, f"__{name}__", _operator(name, False))
        if len(name) > 2:
            setattr(cls, f"__r{name}__", _operator(name, True))
    more: dict[str, Any] = {
        "matmul": multiplied,
        "rmatmul": lambda x, other: multiplied(other, x),
        "neg": lambda x: elementwise("multiply", x, -1.0),
        "pos": tensor_of,
        "abs": lambda x: elementwise("absolute", x),
        "invert": lambda x: elementwise("equal", x, 0.0),
        "getitem": item,
        "array_ufunc": _ufunc,
        "array_function": _refuse,
        "getattr": _attribute,
    }
    for name, method in more.items():
        setattr(cls, f"__{name}__", method)
    activated: Any = lambda x, activation: apply(Activation(activation), tensor_of(x))  # noqa: E731
    setattr(cls, "_activated", activated)  # noqa: B010


give_operators(Tensor)
Tensor.__eq__ = _comparison("equal")  # type: ignore[method-assign]
Tensor.__ne__ = _comparison("not_equal")  # type: ignore[method-assign]

"""Operations on tensors in Keras's files, where each is a node of a class of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast import ops
from lstmfast._arrays import Array
from lstmfast._names import snake_case
from lstmfast.layers import Layer
from lstmfast.layers._operations import Operation
from lstmfast.layers.base import LAYERS

# functions of elements that Keras calls otherwise
_CLASSES = {
    "at_least": "Maximum", "at_most": "Minimum", "constant": "StopGradient", "is_nan": "Isnan",
    "keep": "Where", "ones": "OnesLike", "zeros": "ZerosLike",
}  # fmt: skip
_MODULES = {"Cast": "core", "Erf": "math", "StopGradient": "core"}  # keras.src.ops.numpy: others
# their values are truths or integers in Keras, and numbers here
_CAST = {
    "Argmax", "Argmin", "Equal", "Greater", "GreaterEqual", "Isnan", "Less", "LessEqual",
    "NotEqual",
}  # fmt: skip

Step = tuple[str, str, dict[str, Any], list[Any]]
"""Module, class, configuration and further arguments of one operation of Keras."""


def written(layer: Operation, given: Sequence[Any], dtype: str) -> list[Step] | None:
    """Return the operations of Keras that compute one of ours; None where there are none.

    given: how files describe the operands. The first operation takes its arguments, each further
    one the value of the one before it.
    """
    options, kind = layer.options(), layer.kind
    config: dict[str, Any] = {}
    args = list(given)
    if kind == "elementwise":
        function = options["function"]
        words = function.split("_")
        name = _CLASSES.get(function) or "".join(word.capitalize() for word in words)
        if options.get("number") is not None:
            args.insert(0 if options.get("number_first") else 1, options["number"])
        args += [0.0] if function == "keep" else []
    elif kind == "reduce":
        name, axes = options["function"].capitalize(), options["axis"]
        axes = list(axes) if isinstance(axes, Sequence) else [axes]
        config = {
            "axis": axes if len(axes) > 1 else axes[0],
            "keepdims": options.get("keepdims", False),
        }
    elif kind == "slice":
        start, stop, step = (options.get(key) for key in ("start", "stop", "step"))
        if step == -1 and start is None and stop is None:
            name, config = "Flip", {"axis": options["axis"]}
        else:
            last = start if options.get("drop") else slice(start, stop, step)
            name = "GetItem"
            args.append([_coded(each) for each in [slice(None)] * options["axis"] + [last]])
    elif kind in ("cumsum", "matmul"):
        name, config = kind.capitalize(), options
    else:
        return None
    steps = [(name, config, args)]
    if name in _CAST:
        steps.append(("Cast", {"dtype": dtype}, []))
    return [(f"keras.src.ops.{_MODULES.get(n, 'numpy')}", n, c, a) for n, c, a in steps]


def constant(layer: Layer, operands: Sequence[Array | None], dtype: str) -> Array | None:
    """Return what a layer of constants alone computes, and None of others."""
    if isinstance(layer, Operation) and layer.kind == "constant":
        options = layer.options()
        return np.reshape(np.asarray(options["values"], dtype), options["shape"])
    given = [None if each is None else each[None] for each in operands]
    if not given or any(each is None for each in given):
        return None
    found: Array = np.asarray(layer(given if layer.takes_list else given[0]))[0]
    return found


def _coded(key: Any) -> Any:
    if not isinstance(key, slice):
        return key
    held = {"start": key.start, "stop": key.stop, "step": key.step}
    return {"class_name": "__slice__", "config": held}


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Tell whether a file describes an operation, and no layer; in ``.h5`` it does not say so."""
    if "module" in entry:
        return str(entry["module"]).startswith("keras.src.ops")
    kind, settings = entry["class_name"], {"batch_shape", "layers", "trainable"}
    settings |= {"dtype"} if LAYERS.find(kind) else set()
    return snake_case(kind) in ops.__all__ and not settings & set(entry["config"])


def function_of(entry: Mapping[str, Any]) -> Callable[..., Any]:
    """Return what computes an operation of a file, of the arguments of its calls."""
    kind, config = entry["class_name"], entry["config"]
    name = snake_case(kind)
    found = getattr(ops, name) if name in ops.__all__ else None
    if found is None:
        raise ValueError(f"{config.get('name')!r} is Keras's operation {kind}, which is not here")
    known = inspect.signature(found).parameters
    options = {key: each for key, each in config.items() if key != "name" and each is not None}
    options = {key: each for key, each in options.items() if key in known or each}

    def call(*args: Any, **kwargs: Any) -> Any:
        key = [tuple(each) if isinstance(each, list) else each for each in args[1:]]
        args = (args[0], *key) if kind == "GetItem" else args
        first = [options["subscripts"]] if kind == "Einsum" else []
        more = {} if first else options
        try:
            return found(*first, *args, **kwargs, **more)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{config.get('name')!r} ({kind}): {error}") from None

    return call

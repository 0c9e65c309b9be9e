"""JSON files of other programs that hold layers in a row: what reading and writing them share.

A format has a module of its own with ``read(part) -> Row`` and ``content(model) -> bytes``, and a
line in ``ROW_FORMATS`` of models/saving.py. Everything that a file says is checked before a layer
is made of it: a `Part` knows where it lies, so that errors name the place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from lstmfast._arrays import Array, as_float, expect, wrong_shape
from lstmfast._checks import LARGEST_COUNT, shown
from lstmfast._options import defaults
from lstmfast.layers import Layer
from lstmfast.layers._calls import without_place
from lstmfast.models.keras_graph import lacks

T = TypeVar("T")

# options of recurrent layers that have one value in such files, which is not the default
_RECURRENT = {"return_sequences": True, "output_activation": "tanh"}

# options that say how a layer is trained or run, not what it computes for a sequence
_FREE = {
    "bptt_steps", "dropout", "momentum", "recompute_every", "recurrent_dropout",
    "recurrent_dropout_kind", "seed", "stateful", "weight_drop", "zero_output_for_mask",
}  # fmt: skip


class Row(NamedTuple):
    """What a file holds."""

    sample: tuple[int | None, ...]  # the shape of the input
    layers: list[Layer]  # without weights
    weights: list[Array]  # of all layers, in their order
    metadata: dict[str, Any]  # what the file says besides
    skips: bool = False  # the input's first feature is added to the output


class Part:
    """A value in a file, and where it lies."""

    def __init__(self, value: Any, at: str = "") -> None:
        self.value, self.at = value, at

    def wrong(self, expected: str) -> ValueError:
        """Return the error for a value that is not what was expected."""
        value, text = self.value, "null"
        if isinstance(value, Mapping | list):
            text = f"a list of {len(value)}" if isinstance(value, list) else "an object"
        elif isinstance(value, str):
            text = repr(value if len(value) < 60 else f"{value[:60]}...")
        elif value is not None:
            text = shown(value) if type(value) is int else json.dumps(value)
        return ValueError(f"{self.at or 'the whole'} is {text}; expected {expected}")

    def __getitem__(self, key: str | int) -> Part:
        """Return what an object has under a key, or a list at a place."""
        in_list = isinstance(key, int)
        held = self._held(list, "a list") if in_list else self._held(dict, "an object")
        at = f"{self.at}[{key}]" if in_list else f"{self.at}.{key}".lstrip(".")
        try:
            return Part(held[key], at)
        except LookupError:
            raise ValueError(f"it lacks {at}") from None

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def __iter__(self) -> Iterator[Part]:
        return (self[k] for k in range(len(self)))

    def __len__(self) -> int:
        return len(self._held(list, "a list"))

    def _held(self, kind: type, expected: str) -> Any:
        if not isinstance(self.value, kind):
            raise self.wrong(expected)
        return self.value

    def text(self) -> str:
        """Return a text."""
        return str(self._held(str, "a text"))

    def whole(self, least: int = 1, most: int = LARGEST_COUNT) -> int:
        """Return a whole number."""
        if type(self.value) is not int or not least <= self.value <= most:
            raise self.wrong(f"a whole number from {least} to {most}")
        return self.value

    def array(self, shape: tuple[int, ...]) -> Array:
        """Return finite numbers as an array of that shape."""
        found = as_float(self.value, np.dtype("float32"), "load_model", self.at)
        if found.shape != shape:
            raise wrong_shape("load_model", self.at, found.shape, shape)
        expect(np.isfinite(found), found, "load_model", self.at, "finite numbers")
        return found

    def made(self, make: Callable[..., T], *args: Any, **options: Any) -> T:
        """Return what a class makes of arguments in this part; its errors name the part."""
        try:
            return make(*args, **options)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self.at}: {without_place(error)}") from None

    def without(self, *keys: str) -> dict[str, Any]:
        """Return what an object has under other keys."""
        return {key: value for key, value in self.value.items() if key not in keys}


def read(path: str, make: Callable[[Part], T], where: str = "load_model") -> T:
    """Return what is made of a file; any fault in it becomes a ValueError that names the file."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        raise FileNotFoundError(f"[{where}] {path}: there is no such file") from None
    try:
        try:
            value = json.loads(content, parse_constant=_refuse)
        except RecursionError:
            raise ValueError("lists and objects lie in each other too deep") from None
        except ValueError as error:
            raise ValueError(f"it is no JSON: {error}") from None
        return make(Part(value))
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ValueError(f"[{where}] {path}: {without_place(error)}") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number")


def row_of(model: Any, files: str) -> tuple[list[Any], bool]:
    """Return the layers of a model in a row, and whether the input's first feature is added.

    files: what these files are called in the error for a model that is no row.
    """
    structure = model._core_model.structure
    order = getattr(model, "_order", ()) or model._graph.computing
    error = lacks(f"model {model.name!r}, whose layers are not in a row,", files)
    if len(structure["inputs"]) != 1 or len(structure["outputs"]) != 1 or model._text is not None:
        raise error

    def node(place: tuple[int, int]) -> tuple[Any, Sequence[tuple[int, int]]]:
        layer, given, training = structure["nodes"][place[0] - 1]
        if place[1] or training:
            raise error
        return order[layer], given

    def row(place: tuple[int, int]) -> list[Any]:
        found: list[Any] = []
        while place[0]:
            layer, given = node(place)
            if len(given) != 1:
                raise error
            found.insert(0, layer)
            place = given[0]
        return found

    (end,) = structure["outputs"]
    layer, given = node(end)
    if len(given) == 2 and _adds(layer):
        rows = [row(place) for place in given]
        for net, rest in (rows, rows[::-1]):
            if net and _is_first_feature(rest, structure["inputs"][0][1]):
                return net, True
    return row(end), False


def _adds(layer: Any) -> bool:
    is_operator = layer.kind == "elementwise" and layer.options()["function"] == "add"
    return layer.kind == "add" or bool(is_operator)


def _is_first_feature(row: Sequence[Any], sample: Sequence[int | None]) -> bool:
    """Tell whether a row makes the first feature of its input."""
    if not row:
        return sample[-1] == 1
    wanted = {"axis": len(sample), "start": 0, "stop": 1, "step": 1, "drop": False}
    return len(row) == 1 and row[0].kind == "slice" and {"start": 0, **row[0].options()} == wanted


def check_plain(layer: Any, files: str, held: Sequence[str], **only: Any) -> None:
    """Refuse a layer with options that files do not hold.

    held: options that files hold; only: the values of others, where it is not the default.
    """
    expected = {**defaults("layer", layer.kind), **_RECURRENT, **only}
    for name, value in layer.options().items():
        if name not in _FREE and name not in held and value != expected[name]:
            raise lacks(f"layer {layer.name!r}, whose {name} is {value!r},", files)


def named_weights(layer: Any) -> dict[str, Array]:
    """Return the weights of a layer by their names in it."""
    return dict(zip((each.name for each in layer.weights), layer.get_weights(), strict=True))


def content(model: Any, facts: Mapping[str, Any], reserved: Sequence[str] = ()) -> bytes:
    """Return a file with facts about a model, and its metadata.

    reserved: keys that metadata may not have either.
    """
    for key in model.metadata:
        if key in facts or key in reserved:
            raise ValueError(f"[save] metadata has {key!r}, which the file says of the model")
    try:
        return json.dumps({**facts, **model.metadata}, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"[save] model {model.name!r} with its metadata is no JSON: {error}"
        ) from None

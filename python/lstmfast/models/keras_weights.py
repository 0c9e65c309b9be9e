"""Weights in Keras's HDF5 files: where the arrays of each layer lie.

There are two layouts. That of Keras 3 (``.weights.h5``, also inside ``.keras``) has a group for
each layer, named by its class and numbered, with the arrays ``vars/0``, ``vars/1``, ... The older
one (``.h5``) has a group for each layer of the model, by the layer's name, with all arrays in it.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._names import snake_case
from lstmfast.layers import Lambda, Layer
from lstmfast.layers._recurrent import Recurrent
from lstmfast.layers.weights import Weight

# the layers of each model, in Keras's order; of a model that is not here, those of `layers`
Orders = Mapping[Any, Sequence[Layer]]
# what packages raise for damaged files, and constructors for what these say
_DAMAGED = (OSError, ValueError, TypeError, AttributeError, LookupError, zipfile.BadZipFile)
VERSION = "3.15.1"  # of Keras, whose formats these are


def h5py(where: str) -> Any:
    """Return the package that reads and writes HDF5."""
    try:
        import h5py as module
    except ImportError:
        raise ImportError(
            f'[{where}] Keras\'s files need h5py: pip install "lstmfast[keras]"'
        ) from None
    return module


def keras_class(layer: Any, whole: bool = False) -> str:
    """Return what Keras calls the class of a layer or model.

    whole: in a file with a model, where the graph of a nameless function stands in its place.
    """
    if layer._is_rnn:
        return "RNN"
    if hasattr(layer, "add"):
        return "Sequential"
    is_graph = hasattr(layer, "fit") and not is_own(layer)
    return "Functional" if is_graph or (whole and is_nameless(layer)) else type(layer).__name__


def is_own(layer: Any) -> bool:
    """Tell whether a layer or model is of a user's own class, with ``call``."""
    return hasattr(layer, "_pattern")


def is_nameless(layer: Any) -> bool:
    """Tell whether a layer is a `Lambda` of a function that files cannot name."""
    function = layer.function if isinstance(layer, Lambda) else is_nameless
    return getattr(function, "__name__", "<lambda>") == "<lambda>"


def in_order(layer: Any, orders: Orders) -> Iterator[Weight]:
    """Yield the weights as Keras has them, where models have their layers in these orders."""
    inside: Any = () if is_own(layer) else layer.layers_inside().values()
    if inside and hasattr(layer, "fit"):
        inside = orders.get(layer, layer.layers)
    for each in inside:
        yield from in_order(each, orders)
    if not inside:
        yield from layer.weights


def paths(model: Any, orders: Orders | None = None, whole: bool = False) -> dict[Weight, str]:
    """Return where each weight of a model lies in the layout of Keras 3."""
    found: dict[Weight, str] = {}
    met: dict[int, Any] = {}  # by identity; they live as long, lest another gets the same
    waiting: list[tuple[Any, str]] = [(model, "")]
    while waiting:  # layers and lists of layers in Keras's order; each counts where it is first
        thing, path = waiting.pop()
        if id(thing) in met:
            continue
        met[id(thing)] = thing
        parts = {}
        if isinstance(thing, Mapping | list | tuple):
            parts = _numbered(thing, lambda each: keras_class(each, whole))
        elif hasattr(thing, "fit") and thing._is_rnn:
            cells = _numbered(thing.layers, lambda each: f"{type(each).__name__}Cell")
            for name, cell in cells.items():
                found |= dict(_own(cell, f"{path}/cell/cells/{name}"))
        elif hasattr(thing, "fit") and not is_own(thing):
            parts = {"layers": (orders or {}).get(thing, thing.layers)}
        else:
            found |= dict(_own(thing, f"{path}/cell" if isinstance(thing, Recurrent) else path))
            parts = {n: each for n, each in vars(thing).items() if not hasattr(type(thing), n)}
            parts |= {"layers": thing.layers} if hasattr(thing, "fit") else {}
            parts = dict(sorted(parts.items(), key=lambda each: (each[0].startswith("_"), each[0])))
        waiting += [
            (each, f"{path}/{name}".lstrip("/"))
            for name, each in reversed(parts.items())
            if isinstance(each, Layer | Mapping | list | tuple)
        ]
    for weight in model.weights:
        if weight not in found:
            raise ValueError(f"{weight.path}: expected its layer as an attribute of what calls it")
    return found


def _numbered(things: Any, class_of: Callable[[Any], str]) -> dict[str, Any]:
    """Return the layers of a list, and the lists in it, by the names that files have for them."""
    numbers: Counter[str] = Counter()
    found = {}
    for each in things.values() if isinstance(things, Mapping) else things:
        name = snake_case(class_of(each)) if isinstance(each, Layer) else "container"
        if isinstance(each, Layer | Mapping | list | tuple):
            found[f"{name}_{numbers[name]}" if numbers[name] else name] = each
            numbers[name] += 1
    return found


def _own(layer: Any, path: str) -> Iterator[tuple[Weight, str]]:
    """Yield the weights that are a layer's own, not of layers inside, and where they lie."""
    numbers: Counter[str] = Counter()
    for weight in layer.weights:
        if getattr(weight._layer, "owner", weight._layer) is layer:
            part = getattr(layer, "keras_parts", {}).get(weight.name.rpartition(".")[0])
            at = "/".join(filter(None, (path, part, "vars")))
            yield weight, f"{at}/{numbers[at]}"
            numbers[at] += 1


def read(group: Any, model: Any, orders: Orders | None = None, whole: bool = False) -> list[Array]:
    """Return a model's weights from the layout of Keras 3, in the order of `get_weights`."""
    places = paths(model, orders, whole)
    for at, count in Counter(each.rpartition("/")[0] for each in places.values()).items():
        held = group.get(at, {})
        if len(held) != count:
            raise ValueError(f"{at} holds {len(held)} arrays; expected {count}")
    return [np.asarray(group[places[weight]]) for weight in model.weights]


def write(file: Any, model: Any, whole: bool = False) -> None:
    """Write a model's weights in the layout of Keras 3."""
    places = paths(model, whole=whole)
    put(file, [places[weight] for weight in model.weights], model.get_weights())
    text = model._text
    if text is not None and text._idf is not None:
        idf = np.pad(text._idf, (0, text.sample[0] - len(text._idf)))
        at = "layers/text_vectorization"
        put(file, [f"{at}/vars/idf_weights", f"{at}/_lookup_layer/vars/idf_weights"], [idf, idf])


def put(group: Any, names: Iterable[Any], arrays: Iterable[Any]) -> None:
    """Write arrays under their names."""
    for name, array in zip(names, arrays, strict=True):
        group.create_dataset(str(name), data=array)


def read_by_name(group: Any, model: Any, orders: Orders | None = None) -> list[Array]:
    """Return a model's weights from the older layout, in the order of `get_weights`."""
    found: dict[Any, Array] = {}
    for layer in (orders or {}).get(model, model.layers):
        names = attribute(group[layer.name], "weight_names") if layer.name in group else []
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        if len(names) != len(weights):
            raise ValueError(f"{layer.name} has {len(names)} arrays; expected {len(weights)}")
        for weight, name in zip(weights, names, strict=True):
            found[weight] = np.asarray(group[layer.name][name])
    return [found[weight] for weight in model.weights]


def load(path: str, model: Any) -> list[Array]:
    """Return a model's weights from a file of Keras with a model or weights alone."""
    with opened(path, "load_weights") as (archive, file):
        group = file.get("model_weights", file)
        if attribute(group, "layer_names"):
            return read_by_name(group, model)
        return read(file, model, whole=archive is not None)


@contextmanager
def opened(path: str, where: str) -> Iterator[tuple[zipfile.ZipFile | None, Any]]:
    """Yield a file's archive, if it is one, and its HDF5; errors in reading it name the file."""
    try:
        with ExitStack() as stack:
            archive, part = None, path
            if zipfile.is_zipfile(path):
                archive = stack.enter_context(zipfile.ZipFile(path))
                part = stack.enter_context(archive.open("model.weights.h5"))  # type: ignore[assignment]
            yield archive, stack.enter_context(h5py(where).File(part, "r"))
    except FileNotFoundError:
        raise FileNotFoundError(f"[{where}] {path}: there is no such file") from None
    except _DAMAGED as error:
        alien = "signature not found" in str(error)
        text = "it is neither a zip archive nor HDF5, as Keras's files are" if alien else error
        raise ValueError(f"[{where}] {path}: {text}") from error


def write_by_name(group: Any, model: Any) -> None:
    """Write a model's weights in the older layout."""
    group.attrs["layer_names"] = np.array([layer.name for layer in model.layers], "S")
    group.attrs["backend"], group.attrs["keras_version"] = "lstmfast", VERSION
    for layer in sorted(model.layers, key=lambda layer: str(layer.name)):
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        of_layer = group.create_group(layer.name)
        names = [f"{layer.name}/{place}/{weight.name}" for place, weight in enumerate(weights)]
        of_layer.attrs["weight_names"] = np.array(names, "S")
        put(of_layer, names, [weight.numpy() for weight in weights])
    group.create_group("top_level_model_weights").attrs["weight_names"] = np.array([], "S")


def attribute(group: Any, name: str) -> list[str]:
    """Return a list of texts, which long ones are cut into `name` followed by 0, 1, ..."""
    values = list(group.attrs.get(name, ()))
    part = 0
    while f"{name}{part}" in group.attrs:
        values += list(group.attrs[f"{name}{part}"])
        part += 1
    return [each.decode() if isinstance(each, bytes) else str(each) for each in values]

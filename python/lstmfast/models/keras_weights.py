"""Weights in Keras's HDF5 files: where the arrays of each layer lie.

There are two layouts. That of Keras 3 (``.weights.h5``, also inside ``.keras``) has a group for
each layer, named by its class and numbered, with the arrays ``vars/0``, ``vars/1``, ... The older
one (``.h5``) has a group for each layer of the model, by the layer's name, with all arrays in it.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._names import snake_case
from lstmfast.layers import Bidirectional, Layer, TimeDistributed
from lstmfast.layers._recurrent import Recurrent

# the layers of each model, in Keras's order; of a model that is not here, those of `layers`
Orders = Mapping[Any, Sequence[Layer]]
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


def keras_class(layer: Any) -> str:
    """Return what Keras calls the class of a layer or model."""
    if hasattr(layer, "add"):
        return "Sequential"
    return "Functional" if hasattr(layer, "fit") else type(layer).__name__


def places(layer: Any, orders: Orders | None = None, path: str = "") -> list[tuple[Layer, str]]:
    """Return the layers that have arrays of their own, each once, with their groups in Keras 3."""
    found: dict[Layer, str] = {}
    for leaf, at in _places(layer, orders or {}, path):
        found.setdefault(leaf, f"{at}/vars".lstrip("/"))
    return list(found.items())


def _places(layer: Any, orders: Orders, path: str) -> Iterator[tuple[Layer, str]]:
    if hasattr(layer, "fit"):
        numbers: dict[str, int] = {}
        for inside in orders.get(layer, layer.layers):
            name = snake_case(keras_class(inside))
            number = numbers[name] = numbers.get(name, -1) + 1
            yield from _places(
                inside, orders, f"{path}/layers/{name}" + (f"_{number}" if number else "")
            )
    elif isinstance(layer, Bidirectional):
        yield from _places(layer.forward_layer, orders, f"{path}/forward_layer")
        yield from _places(layer.backward_layer, orders, f"{path}/backward_layer")
    elif isinstance(layer, TimeDistributed):
        yield from _places(layer.layer, orders, f"{path}/layer")
    else:
        yield layer, f"{path}/cell" if isinstance(layer, Recurrent) else path


def _datasets(layer: Any, path: str) -> list[str]:
    """Return where each array of a layer lies whose own are in the group `path`."""
    numbers: Counter[str] = Counter()
    found = []
    for name, _ in layer.weight_parts():
        part = getattr(layer, "keras_parts", {}).get(name.rpartition(".")[0])
        at = path if part is None else f"{path.removesuffix('vars')}{part}/vars"
        found.append(f"{at}/{numbers[at]}")
        numbers[at] += 1
    return found


def read(group: Any, model: Any, orders: Orders | None = None) -> list[Array]:
    """Return a model's weights from the layout of Keras 3, in the order of `get_weights`."""
    of_layers: dict[Layer, list[Array]] = {}
    for layer, path in places(model, orders):
        found = _datasets(layer, path)
        for at, count in Counter(each.rpartition("/")[0] for each in found).items():
            held = group.get(at, {})
            if len(held) != count:
                raise ValueError(f"{layer.name}: {at} holds {len(held)} arrays; expected {count}")
        of_layers[layer] = [np.asarray(group[each]) for each in found]
    return [array for layer, _ in places(model) for array in of_layers[layer]]


def write(file: Any, model: Any, of_optimizer: Sequence[Any] | None = None) -> None:
    """Write a model's weights, and the arrays of its optimizer, in the layout of Keras 3."""
    for layer, path in places(model):
        file.require_group(path).attrs["name"] = layer.name or layer.kind
        for at, array in zip(_datasets(layer, path), layer.get_weights(), strict=True):
            file.create_dataset(at, data=array)
    if of_optimizer is not None:
        group = file.create_group("optimizer/vars")
        group.attrs["name"] = model.optimizer.name
        for k, array in enumerate(of_optimizer):
            group.create_dataset(str(k), data=array)


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
    with understood(path, "load_weights"):
        if zipfile.is_zipfile(path):
            with (
                zipfile.ZipFile(path) as archive,
                archive.open("model.weights.h5") as part,
                h5py("load_weights").File(part, "r") as file,
            ):
                return read(file, model)
        with h5py("load_weights").File(path, "r") as file:
            group = file.get("model_weights", file)
            of_keras_2 = "layer_names" in group.attrs or "layer_names0" in group.attrs
            return read_by_name(group, model) if of_keras_2 else read(file, model)


@contextmanager
def understood(path: str, where: str) -> Iterator[None]:
    """Name the file in the errors that reading one of Keras's brings."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(f"[{where}] {path}: there is no such file") from None
    # what packages raise for damaged files, and constructors for what these say
    except (
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(f"[{where}] {path}: {error}") from error


def write_by_name(group: Any, model: Any) -> None:
    """Write a model's weights in the older layout."""
    group.attrs["layer_names"] = np.array([layer.name for layer in model.layers], "S")
    group.attrs["backend"], group.attrs["keras_version"] = "lstmfast", VERSION
    for layer in sorted(model.layers, key=lambda layer: str(layer.name)):
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        of_layer = group.create_group(layer.name)
        names = [f"{layer.name}/{place}/{weight.name}" for place, weight in enumerate(weights)]
        of_layer.attrs["weight_names"] = np.array(names, "S")
        for name, weight in zip(names, weights, strict=True):
            of_layer.create_dataset(name, data=weight.numpy())
    group.create_group("top_level_model_weights").attrs["weight_names"] = np.array([], "S")


def attribute(group: Any, name: str) -> list[str]:
    """Return a list of texts, which long ones are cut into `name` followed by 0, 1, ..."""
    values = list(group.attrs.get(name, ()))
    part = 0
    while f"{name}{part}" in group.attrs:
        values += list(group.attrs[f"{name}{part}"])
        part += 1
    return [each.decode() if isinstance(each, bytes) else str(each) for each in values]

"""A layer's handle in the core, and the weights that it owns there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, shape_text, wrong_shape
from lstmfast._checks import flag, items
from lstmfast._core import Layer as CoreLayer

# properties that cannot be set
_KINDS = "", "trainable_", "non_trainable_"
WEIGHTS = [kind + name for kind in _KINDS for name in ("weights", "variables")]

Parts: TypeAlias = "Sequence[tuple[str, tuple[int, ...]]]"
"""Name and shape of each weight array of a layer."""


class Weights:
    """What reads and writes the weights of a layer, once it is built.

    All models in which the layer stands use the same ones.
    """

    name: str | None
    _core: CoreLayer | None = None
    _trainable = True

    @property
    def where(self) -> str:
        """How error messages call this layer."""
        return f"layers.{type(self).__name__}"

    def layers_inside(self) -> Mapping[str, Any]:
        """Return the layers inside this one, by the names that the core has for them."""
        return {}

    @property
    def built(self) -> bool:
        """Whether the layer has weights: its input shape is known."""
        return self._core is not None

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights, those of the layers inside too.

        Freezing takes effect at the next step of training. What was frozen when a model was
        compiled is trained only after another ``compile``.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = flag(value, "trainable", self.where)
        for layer in self.layers_inside().values():
            layer.trainable = self._trainable
        if self._core is not None:
            self._core.trainable = self._trainable

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return name and shape of each weight array, in the order of `get_weights`."""
        return self._built_core().weight_names()

    @property
    def precision(self) -> str:
        """The type of the kernels: that of all weights, or "bfloat16" or "int8".

        See `lstmfast.models.Model.astype` and `lstmfast.models.Model.quantize`.
        """
        return self._built_core().precision

    def count_params(self) -> int:
        """Return how many numbers the weights hold."""
        return sum(int(np.prod(shape)) for _, shape in self.weight_parts())

    @property
    def weights(self) -> list[Weight]:
        """The weights as objects, in the order of `get_weights`; none before it is built."""
        inside = self.layers_inside()
        if inside or self._core is None:
            return list(dict.fromkeys(w for layer in inside.values() for w in layer.weights))
        return [Weight(self, index) for index in range(len(self.weight_parts()))]

    variables = weights

    @property
    def trainable_weights(self) -> list[Weight]:
        """Those of `weights` that training changes."""
        return [weight for weight in self.weights if self._trainable and weight.trainable]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """Those of `weights` that training leaves alone."""
        return [weight for weight in self.weights if not (self._trainable and weight.trainable)]

    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[Array]:
        """Return copies of the weights, in Keras's order and layout; none before it is built."""
        return [] if self._core is None else list(self._core.get_weights())

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights; nothing changes where one of them does not fit.

        Parameters
        ----------
        weights : list of array_like
            As many arrays as `get_weights` returns, of the same shapes.

        Raises
        ------
        ValueError
            For another number of arrays, another shape, or where there are no weights yet.
        """
        core, where = self._built_core(), f"{self.where}.set_weights"
        core.set_weights(fitting(weights, self.weight_parts(), core.dtype, where))

    def _built_core(self) -> CoreLayer:
        if self._core is None:
            raise ValueError(
                f"[{self.where}] {self.name or type(self).__name__} has no weights yet: add it to "
                "a model whose input shape is known, or call it"
            )
        return self._core


def fitting(weights: Sequence[Any], parts: Parts, dtype: str, where: str) -> list[Array]:
    """Return arrays for weights of these names and shapes."""
    weights = items(weights, "weights", where, "a list of arrays")
    if len(weights) != len(parts):
        raise ValueError(f"[{where}] weights has {len(weights)} arrays; expected {len(parts)}")
    arrays = []
    for weight, (name, shape) in zip(weights, parts, strict=True):
        array = as_float(weight, np.dtype(dtype), where, name)
        if array.shape != shape:
            raise wrong_shape(where, name, array.shape, shape)
        arrays.append(array)
    return arrays


@dataclass(repr=False, unsafe_hash=True)
class Weight:
    """One weight array of a layer: it holds no values, but reads and writes the layer's.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Dense
    >>> dense = Dense(2, kernel_initializer="ones")
    >>> y = dense(np.ones((1, 3)))
    >>> dense.kernel.name, dense.kernel.shape, dense.kernel.path
    ('kernel', (3, 2), 'dense/kernel')
    >>> dense.kernel.assign(2 * dense.kernel.numpy())
    >>> dense(np.ones((1, 3))).tolist()
    [[6.0, 6.0]]
    """

    _layer: Weights
    _index: int

    def __post_init__(self) -> None:
        self.name, self.shape = self._layer.weight_parts()[self._index]

    @property
    def path(self) -> str:
        """The layer's name and the weight's."""
        return f"{self._layer.name or type(self._layer).__name__.lower()}/{self.name}"

    @property
    def dtype(self) -> str:
        """The type in which the values are held, "bfloat16" and "int8" among them."""
        return self._layer._built_core().weight_types[self._index]

    @property
    def trainable(self) -> bool:
        """Whether training changes the values: that of the layer; False of its statistics."""
        return self._layer.trainable and self._layer._built_core().trained_weights[self._index]

    def numpy(self) -> Array:
        """Return a copy of the values."""
        return self._layer.get_weights()[self._index]

    def assign(self, value: ArrayLike) -> None:
        """Replace the values."""
        weights: list[Any] = self._layer.get_weights()
        weights[self._index] = value
        self._layer.set_weights(weights)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.numpy(), dtype)

    def __repr__(self) -> str:
        return f"<Weight path={self.path}, shape={shape_text(self.shape)}, dtype={self.dtype}>"


def weight(name: str) -> Any:
    """Return a property of a layer: its weight of that name."""

    def get(layer: Weights) -> Weight:
        found = next((each for each in layer.weights if each.name == name), None)
        if found is not None:
            return found
        reason = "has none" if layer._core is not None else "has no weights yet"
        raise AttributeError(f"[{layer.where}] {name}: {layer.name or 'the layer'} {reason}")

    def refuse(layer: Weights, value: Any) -> None:
        raise AttributeError(
            f"[{layer.where}] {name} cannot be set; call its assign(), or set_weights()"
        )

    return property(
        get, refuse, doc=f"The weight {name!r}, once the layer is built and if it has it."
    )

"""A layer's part of the weights of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, as_float, shape_text
from lstmfast._checks import items

if TYPE_CHECKING:
    from lstmfast import _core


class Weights:
    """What reads and writes a layer's part of a model's weights, once there is a model."""

    name: str | None
    _engine: _core.Model | None = None
    _index = 0
    _prefix = ""  # of the weights' names, in a layer of layers

    @property
    def where(self) -> str:
        """How error messages call this layer."""
        return f"layers.{type(self).__name__}"

    @property
    def built(self) -> bool:
        """Whether the layer has weights: it is in a model whose input shape is known."""
        return self._engine is not None

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return name and shape of each weight array, in the order of `get_weights`."""
        names = self._built_engine().weight_names()
        return [
            (name.removeprefix(self._prefix), tuple(shape))
            for index, name, shape in names
            if self._owns(index, name)
        ]

    def _owns(self, index: int, weight: str) -> bool:
        return index == self._index and weight.startswith(self._prefix)

    def count_params(self) -> int:
        """Return how many numbers the weights hold."""
        return sum(int(np.prod(shape)) for _, shape in self.weight_parts())

    def get_weights(self) -> list[Array]:
        """Return copies of the weights, in Keras's order and layout; none before it is built."""
        if self._engine is None:
            return []
        names = self._built_engine().weight_names()
        values = self._built_engine().get_weights()
        pairs = zip(names, values, strict=True)
        return [value for (index, name, _), value in pairs if self._owns(index, name)]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights: as many arrays as `get_weights` returns, of the same shapes."""
        engine = self._built_engine()
        weights = items(weights, "weights", f"{self.where}.set_weights", "a list of arrays")
        names = engine.weight_names()
        values = engine.get_weights()
        slots = [slot for slot, (index, name, _) in enumerate(names) if self._owns(index, name)]
        if len(weights) != len(slots):
            raise ValueError(
                f"[{self.where}.set_weights] weights has {len(weights)} arrays; expected "
                f"{len(slots)}"
            )
        for slot, weight in zip(slots, weights, strict=True):
            _, name, shape = names[slot]
            array = as_float(weight, values[slot].dtype, f"{self.where}.set_weights", name)
            if array.shape != tuple(shape):
                raise ValueError(
                    f"[{self.where}.set_weights] {name} has shape {shape_text(array.shape)}; "
                    f"expected {shape_text(tuple(shape))}"
                )
            values[slot] = array
        engine.set_weights(values)

    def _built_engine(self) -> _core.Model:
        if self._engine is None:
            raise ValueError(
                f"[{self.where}] {self.name or type(self).__name__} has no weights yet: add it to "
                "a model whose input shape is known"
            )
        return self._engine

    def _bind(self, engine: _core.Model, index: int) -> None:
        self._engine, self._index = engine, index

"""The layer that applies another one to each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lstmfast._checks import wrong_kind
from lstmfast.layers._calls import Called
from lstmfast.layers.base import Layer, Sample

if TYPE_CHECKING:
    from lstmfast._options import Value


class TimeDistributed(Layer):
    """y[:, t] = layer(x[:, t]) for each step, as `keras.layers.TimeDistributed`.

    The weights are the layer's, the same at all steps. A mask of steps goes on to the output.

    Parameters
    ----------
    layer : Layer or Model
        A layer of one input and one output, without states from batch to batch.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    name, input_shape, dtype
        As in `Layer`.
    **unavailable
        Keras's other arguments, at their defaults.

    Raises
    ------
    ValueError
        In calls, where samples have fewer than two axes, or the layer cannot take their steps.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LSTM, TimeDistributed
    >>> TimeDistributed(LSTM(3))(np.zeros((2, 5, 4, 1))).shape
    (2, 5, 3)
    """

    kind = "time_distributed"

    def __init__(
        self,
        layer: Any,
        *,
        activity_regularizer: Any = None,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        **unavailable: Any,
    ) -> None:
        super().__init__(name, input_shape, **unavailable)
        if isinstance(layer, Mapping):
            layer = _from_config(layer)
        if not isinstance(layer, Called):
            raise wrong_kind(self.where, "layer", layer, "a layer, as in TimeDistributed(Dense(1))")
        self.layer = layer
        self.takes_ids = layer.takes_ids
        self.ids_below = layer.ids_below
        self.moves_elements = layer.moves_elements
        self.dtype = self._dtype or layer.dtype
        self.activity_regularizer = activity_regularizer

    def layers_inside(self) -> Mapping[str, Called]:
        """Return the layer."""
        return {"layer": self.layer}

    def _shapes_inside(self, shapes: Sequence[Sample]) -> Sequence[Sample]:
        return [tuple(shape[1:]) for shape in shapes]

    @classmethod
    def from_core(
        cls, config: Mapping[str, Value], inside: Mapping[str, Any] = MappingProxyType({})
    ) -> TimeDistributed:
        """Make the layer that a configuration of the core describes, of the one inside."""
        own = {key: value for key, value in config.items() if key.partition(".")[0] not in inside}
        return cls(inside["layer"], **cls.core_arguments(own))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        layer: Any = self.layer
        inside = {"class_name": type(layer).__name__, "config": layer.get_config()}
        return super().get_config() | {"layer": inside}


def _from_config(config: Mapping[str, Any]) -> Layer:
    """Make a layer from ``{"class_name": ..., "config": ...}``."""
    name = config.get("class_name")
    for known in _all_kinds(Layer):  # type: ignore[type-abstract]  # concrete ones have names
        if known.__name__ == name:
            return known.from_config(config.get("config", {}))
    raise ValueError(f"[layers.TimeDistributed] layer is of class {name!r}; expected a known layer")


def _all_kinds(base: type[Layer]) -> Iterator[type[Layer]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _all_kinds(kind)

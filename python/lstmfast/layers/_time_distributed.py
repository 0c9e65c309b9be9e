"""The layer that applies another one to each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstmfast._checks import wrong_kind
from lstmfast._names import naming
from lstmfast.layers._registry import from_config
from lstmfast.layers.base import Layer, Sample


class TimeDistributed(Layer):
    """y[:, t] = layer(x[:, t]) for each step, as `keras.layers.TimeDistributed`.

    The weights are the layer's, the same at all steps. A mask of steps goes on to the output.

    Parameters
    ----------
    layer : Layer or Model
        A layer of one input and one output, without states from batch to batch.
    **options
        As in `Layer`.

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

    def __init__(self, layer: Any, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(layer, Mapping):
            with naming(self.where, "layer"):
                layer = from_config(layer)
        if not isinstance(layer, Layer):
            raise wrong_kind(self.where, "layer", layer, "a layer, as in TimeDistributed(Dense(1))")
        self.layer = layer
        self._check_inside()
        self.takes_ids = layer.takes_ids
        self.ids_below = layer.ids_below
        self.moves_elements = layer.moves_elements
        self.dtype = self._dtype or layer.dtype

    def layers_inside(self) -> Mapping[str, Layer]:
        """Return the layer."""
        return {"layer": self.layer}

    def _shapes_inside(self, shapes: Sequence[Sample]) -> Sequence[Sample]:
        return [tuple(shape[1:]) for shape in shapes]

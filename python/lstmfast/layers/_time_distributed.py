"""The layer that applies another one to each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstmfast.layers.base import Layer, Sample, layer_inside


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
        expected = "a layer, as in TimeDistributed(Dense(1))"
        layer = self.layer = layer_inside(layer, self.where, "layer", Layer, expected)
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

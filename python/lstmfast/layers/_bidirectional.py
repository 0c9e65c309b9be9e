"""The layer of two LSTM layers that go in opposite directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lstmfast._checks import items
from lstmfast._core import check
from lstmfast.layers._lstm import LSTM
from lstmfast.layers._recurrent import Recurrent
from lstmfast.layers.base import layer_inside


class Bidirectional(Recurrent):
    """Two LSTM layers, one of them backwards, as `keras.layers.Bidirectional`.

    Both read the same sequences; their outputs are merged step by step in time. In a sequence of
    outputs masked steps are 0.

    Parameters
    ----------
    layer : LSTM
        What both layers are like; the second one goes backwards. It is copied, and both get new
        weights.
    merge_mode : {"concat", "sum", "mul", "ave", None}
        Side by side, sum, product or mean; None gives out both, in calls of the layer itself.
    weights : list of array_like, optional
        First weights: those of the forward layer, then those of the backward layer.
    backward_layer : LSTM, optional
        What the second layer is like, where it differs; with `go_backwards` unlike that of `layer`,
        and `return_sequences`, `return_state` and `stateful` like it.
    **shared
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LSTM, Bidirectional, Dense, Masking
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([
    ...     Masking(0.0, input_shape=(None, 3)),
    ...     Bidirectional(LSTM(8, return_sequences=True)),
    ...     Dense(1),
    ... ])
    >>> model.predict(np.ones((2, 5, 3))).shape
    (2, 5, 1)
    """

    kind = "bidirectional"
    arguments_inside: ClassVar[Mapping[str, str]] = {
        "forward": "layer",
        "backward": "backward_layer",
    }
    directions = 2

    def __init__(
        self,
        layer: LSTM | Mapping[str, Any],
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: LSTM | Mapping[str, Any] | None = None,
        **shared: Any,
    ) -> None:
        given = _lstm(layer, "layer")
        super().__init__(**shared)
        self.input_shape = self.input_shape or given.input_shape
        self.batch_size = self.batch_size or given.batch_size
        self.dtype = self._dtype or given._dtype
        self.merge_mode = None if merge_mode == "none" else merge_mode
        self.outputs_before_states = 2 if self.merge_mode is None else 1
        self.forward_layer = _copy(given, "forward")
        if backward_layer is None:
            self.backward_layer = _copy(given, "backward", go_backwards=True)
        else:
            self.backward_layer = _copy(_lstm(backward_layer, "backward_layer"), "")
        self.forward_layer._is_half = self.backward_layer._is_half = True
        for name in ("return_sequences", "return_state", "return_cell_states", "stateful"):
            setattr(self, name, getattr(given, name))
        self._check()
        if weights is not None:
            self._first_weights = items(weights, "weights", self.where, "a list of arrays")

    def _check(self) -> None:
        ahead, back = self.forward_layer, self.backward_layer
        dtypes = {layer._dtype for layer in (self, ahead, back)} - {None}
        if len(dtypes) > 1:
            raise ValueError(f"[{self.where}] the layers have several dtypes; expected the same")
        parts = {
            f"{which}.{key}": value
            for which, layer in self.layers_inside().items()
            for key, value in ({"kind": layer.kind} | layer.options()).items()
        }
        check("layer", self.kind, self.options() | parts, self.where)
        for name in ("return_state", "return_cell_states"):
            if getattr(ahead, name) != getattr(back, name):
                raise ValueError(
                    f"[{self.where}] {name} is {getattr(ahead, name)} for the forward layer and "
                    f"{getattr(back, name)} for the backward layer; expected the same"
                )
        self._check_inside()

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the layer out of a `Sequential`, where each takes and returns one array."""
        if self.merge_mode is None:
            return "merge_mode=None gives out two arrays; call the layer itself to get them"
        return super().problem_in_row

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer, beside its two."""
        return {"merge_mode": self.merge_mode or "none"}

    def layers_inside(self) -> Mapping[str, LSTM]:
        """Return the two layers."""
        return {"forward": self.forward_layer, "backward": self.backward_layer}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"merge_mode": self.merge_mode}


def _lstm(layer: Any, name: str) -> LSTM:
    expected = "a layer LSTM, as in Bidirectional(LSTM(32))"
    found: LSTM = layer_inside(layer, "layers.Bidirectional", name, LSTM, expected)
    return found


def _copy(layer: LSTM, which: str, **changed: Any) -> LSTM:
    """Return a new layer like this one; which: what its name begins with."""
    config = layer.get_config() | changed
    if which:
        config["name"] = f"{which}_{(layer.name or layer.kind).removeprefix(which + '_')}"
    config["zero_output_for_mask"] = layer.return_sequences  # as Keras has it
    return LSTM.from_config(config)  # type: ignore[return-value]

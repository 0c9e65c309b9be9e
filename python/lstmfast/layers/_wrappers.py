"""Layers that run others: in both directions, or at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lstmfast._checks import items, wrong_kind
from lstmfast._core import check
from lstmfast.layers._recurrent import Recurrent, RecurrentCells
from lstmfast.layers.base import Layer, Sample, layer_inside


class Bidirectional(Recurrent):
    """Two recurrent layers, one of them backwards, as `keras.layers.Bidirectional`.

    Both read the same sequences; their outputs are merged step by step in time. In a sequence of
    outputs masked steps are 0.

    Parameters
    ----------
    layer : LSTM, GRU or SimpleRNN
        What both layers are like; the second one goes backwards. It is copied, and both get new
        weights.
    merge_mode : {"concat", "sum", "mul", "ave", None}
        Side by side, sum, product or mean; None returns both, in calls of the layer itself.
    weights : list of array_like, optional
        First weights: those of the forward layer, then those of the backward layer.
    backward_layer : LSTM, GRU or SimpleRNN, optional
        What the second layer is like, where it differs; with `go_backwards` unlike that of `layer`,
        and `return_sequences`, `return_state`, `stateful` and the number of states like it.
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
        layer: RecurrentCells | Mapping[str, Any],
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: RecurrentCells | Mapping[str, Any] | None = None,
        **shared: Any,
    ) -> None:
        given = _half(layer, "layer")
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
            self.backward_layer = _copy(_half(backward_layer, "backward_layer"), "")
        self.forward_layer._is_half = self.backward_layer._is_half = True
        for name in ("return_sequences", "return_state", "stateful", "states"):
            setattr(self, name, getattr(given, name))
        self.return_cell_states = given.return_cell_states
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
        _check_inside(self)

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the layer out of a `Sequential`, where each takes and returns one array."""
        if self.merge_mode is None:
            return "merge_mode=None returns two arrays; call the layer itself to get them"
        return super().problem_in_row

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer, besides its two."""
        return {"merge_mode": self.merge_mode or "none"}

    def layers_inside(self) -> Mapping[str, RecurrentCells]:
        """Return the two layers."""
        return {"forward": self.forward_layer, "backward": self.backward_layer}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"merge_mode": self.merge_mode}


def _half(layer: Any, name: str) -> RecurrentCells:
    expected = "a layer LSTM, GRU or SimpleRNN, as in Bidirectional(LSTM(32))"
    where = "layers.Bidirectional"
    found: RecurrentCells = layer_inside(layer, where, name, RecurrentCells, expected)
    if not found.has_twin:
        raise wrong_kind(where, name, found, expected)
    return found


def _copy(layer: RecurrentCells, which: str, **changed: Any) -> RecurrentCells:
    """Return a new layer like this one; which: what its name begins with."""
    config = layer.get_config() | changed
    if which:
        config["name"] = f"{which}_{(layer.name or layer.kind).removeprefix(which + '_')}"
    config["zero_output_for_mask"] = layer.return_sequences  # as Keras has it
    return type(layer).from_config(config)  # type: ignore[return-value]


def _check_inside(wrapper: Layer) -> None:
    """Refuse what would have no effect in a layer inside."""
    if any(layer.activity_regularizer for layer in wrapper.layers_inside().values()):
        raise ValueError(
            f"[{wrapper.where}] a layer inside has an activity_regularizer; expected it here: "
            f"{type(wrapper).__name__}(..., activity_regularizer=...)"
        )


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
        if layer.problem_in_row is not None:
            raise ValueError(f"[{self.where}] layer: {layer.problem_in_row}")
        _check_inside(self)
        self.takes_ids = layer.takes_ids
        self.ids_below = layer.ids_below
        self.moves_elements = layer.moves_elements
        self.dtype = self._dtype or layer.dtype

    def layers_inside(self) -> Mapping[str, Layer]:
        """Return the layer."""
        return {"layer": self.layer}

    def _shapes_inside(self, shapes: Sequence[Sample]) -> Sequence[Sample]:
        return [tuple(shape[1:]) for shape in shapes]

"""The layer of two LSTM layers that go in opposite directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array, as_float, shape_text
from lstmfast._checks import items, wrong_kind
from lstmfast._core import Model, check
from lstmfast._options import Options
from lstmfast.layers._lstm import LSTM
from lstmfast.layers._recurrent import Recurrent
from lstmfast.layers.base import Parts, Sample, part_of


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
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    name, input_shape, batch_input_shape, dtype
        As in `Recurrent`.
    **unavailable
        Keras's other arguments, at their defaults.

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
    rules = ("activity_regularizer",)

    def __init__(
        self,
        layer: LSTM | Mapping[str, Any],
        merge_mode: str | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: LSTM | Mapping[str, Any] | None = None,
        *,
        activity_regularizer: Any = None,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        **unavailable: Any,
    ) -> None:
        given = _lstm(layer, "layer")
        if input_shape is None and batch_input_shape is None:
            input_shape = given.input_shape
        super().__init__(name, input_shape, batch_input_shape)
        self.batch_size = self.batch_size or given.batch_size
        self._check_rest(unavailable)
        self.dtype = self._dtype or given._dtype
        self.merge_mode = merge_mode
        self.forward_layer = _copy(given, "forward")
        if backward_layer is None:
            self.backward_layer = _copy(given, "backward", go_backwards=True)
        else:
            self.backward_layer = _copy(_lstm(backward_layer, "backward_layer"), "")
        self.return_sequences = given.return_sequences
        self.return_state = given.return_state
        self.return_cell_states = given.return_cell_states
        self.stateful = given.stateful
        self.activity_regularizer = activity_regularizer
        self._check()
        self._first_weights = None
        if weights is not None:
            self._first_weights = items(weights, "weights", self.where, "a list of arrays")

    def _check(self) -> None:
        ahead, back = self.forward_layer, self.backward_layer
        dtypes = {layer._dtype for layer in (self, ahead, back)} - {None}
        if len(dtypes) > 1:
            raise ValueError(f"[{self.where}] the layers have several dtypes; expected the same")
        halves = (("forward", ahead), ("backward", back))
        parts = {f"{w}.{key}": v for w, layer in halves for key, v in layer._options().items()}
        check("layer", self.kind, self.options() | parts, self.where)
        for name in ("return_state", "return_cell_states"):
            if getattr(ahead, name) != getattr(back, name):
                raise ValueError(
                    f"[{self.where}] {name} is {getattr(ahead, name)} for the forward layer and "
                    f"{getattr(back, name)} for the backward layer; expected the same"
                )
        if ahead.activity_regularizer or back.activity_regularizer:
            raise ValueError(
                f"[{self.where}] a layer inside has an activity_regularizer; expected it here: "
                "Bidirectional(..., activity_regularizer=...)"
            )

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the layer out of a `Sequential`, whose layers give out one array; or None."""
        if self.merge_mode is None:
            return "merge_mode=None gives out two arrays; call the layer itself to get them"
        return super().problem_in_row

    def output_of(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output for a sample of that shape."""
        one = self.forward_layer.output_of(shape)
        wide = self.merge_mode in ("concat", None)
        return (*one[:-1], (one[-1] or 0) + self.backward_layer.outputs) if wide else one

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer, beside its two."""
        return {"merge_mode": "concat" if self.merge_mode is None else self.merge_mode}

    def config(self) -> Options:
        """Return this layer's part of the configuration that the core reads."""
        both = (("forward.", self.forward_layer), ("backward.", self.backward_layer))
        return super().config() | {
            prefix + key: value for prefix, layer in both for key, value in layer.config().items()
        }

    @classmethod
    def from_core(cls, config: Mapping[str, Any]) -> Bidirectional:
        """Make the layer that a configuration of the core describes."""
        halves: dict[str, Any] = {
            name: _lstm(LSTM.from_core(part_of(config, f"{which}.")), name)
            for name, which in (("layer", "forward"), ("backward_layer", "backward"))
        }
        rest = {k: v for k, v in config.items() if not k.startswith(("forward.", "backward."))}
        return cls(**halves, **cls.core_arguments(rest))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {
            "merge_mode": self.merge_mode,
            "layer": {"class_name": "LSTM", "config": self.forward_layer.get_config()},
            "backward_layer": {"class_name": "LSTM", "config": self.backward_layer.get_config()},
        }

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights, for parts given as name and shape, and samples of that shape."""
        if self._first_weights is not None:
            return self._given_weights(parts, dtype)
        weights = []
        for prefix, layer in (("forward.", self.forward_layer), ("backward.", self.backward_layer)):
            mine = [(n.removeprefix(prefix), shape) for n, shape in parts if n.startswith(prefix)]
            weights += layer.initial_weights(mine, dtype, rng, sample)
        return weights

    def _given_weights(self, parts: Parts, dtype: Any) -> list[Array]:
        given = self._first_weights or []
        if len(given) != len(parts):
            raise ValueError(
                f"[{self.where}] weights has {len(given)} arrays; expected {len(parts)}"
            )
        arrays = []
        for weight, (name, shape) in zip(given, parts, strict=True):
            array = as_float(weight, dtype, self.where, name)
            if array.shape != shape:
                raise ValueError(
                    f"[{self.where}] weights: {name} has shape {shape_text(array.shape)}; expected "
                    f"{shape_text(shape)}"
                )
            arrays.append(array)
        return arrays

    def _split(self, results: list[Array]) -> list[Array]:
        if self.merge_mode is not None:
            return results
        cut = self.forward_layer.outputs
        parts = np.split(results[0], [cut], axis=-1)
        return [*(np.ascontiguousarray(part) for part in parts), *results[1:]]

    def _bind(self, engine: Model, index: int) -> None:
        super()._bind(engine, index)
        for prefix, layer in (("forward.", self.forward_layer), ("backward.", self.backward_layer)):
            layer._bind(engine, index)
            layer._prefix = prefix


def _lstm(layer: Any, name: str) -> LSTM:
    where = "layers.Bidirectional"
    if isinstance(layer, Mapping) and layer.get("class_name") == "LSTM":
        return LSTM.from_config(layer.get("config", {}))  # type: ignore[return-value]
    if not isinstance(layer, LSTM):
        raise wrong_kind(where, name, layer, "a layer LSTM, as in Bidirectional(LSTM(32))")
    return layer


def _copy(layer: LSTM, which: str, **changed: Any) -> LSTM:
    """Return a new layer like this one; which: what its name begins with."""
    config = layer.get_config() | changed
    if which:
        config["name"] = f"{which}_{(layer.name or layer.kind).removeprefix(which + '_')}"
    config["zero_output_for_mask"] = layer.return_sequences  # as Keras has it
    return LSTM.from_config(config)  # type: ignore[return-value]

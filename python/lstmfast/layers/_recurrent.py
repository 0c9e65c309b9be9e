"""What recurrent layers share: states that calls begin with and give out, or carry on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lstmfast._arrays import Array, ArrayLike, as_float, shape_text
from lstmfast._checks import items
from lstmfast.layers._input import split_batch
from lstmfast.layers.base import Layer

if TYPE_CHECKING:
    from lstmfast import _core


class Recurrent(Layer):
    """What recurrent layers share.

    Parameters
    ----------
    name, input_shape, dtype
        As in `Layer`.
    batch_input_shape : tuple of int or None, optional
        Batch size and `input_shape` in one, for a stateful layer at the head of a model.
    """

    steps_of_dim = (None,)
    return_sequences: bool
    return_state: bool
    return_cell_states: bool
    stateful: bool

    def __init__(
        self,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
    ) -> None:
        self.batch_size: int | None = None
        if batch_input_shape is not None:
            where = f"layers.{type(self).__name__}"
            if input_shape is not None:
                raise ValueError(
                    f"[{where}] batch_input_shape is given; expected no input_shape beside it"
                )
            self.batch_size, input_shape = split_batch(
                batch_input_shape, where, "batch_input_shape"
            )
        super().__init__(name, input_shape)

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the layer out of a `Sequential`, whose layers give out one array; or None."""
        if self._prefix:
            return "it is one half of a Bidirectional; add a copy and set its weights"
        for name in ("return_state", "return_cell_states"):
            if getattr(self, name):
                return f"{name}=True returns several arrays; call the layer itself to get them"
        return None

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> Any:
        """Return the mask of the output for an input with that mask, None where there is none."""
        return super().compute_mask(x, mask) if self.return_sequences else None

    def __call__(  # type: ignore[override]
        self,
        x: ArrayLike,
        initial_state: Any = None,
        mask: ArrayLike = None,
        training: bool | None = False,
    ) -> Any:
        """Return the layer's output for a batch of sequences.

        A layer that is in no model gets its weights at the first call. A stateful layer begins
        with the state that the call before left, and keeps the state that this one leaves.

        Parameters
        ----------
        x : array_like
            (B, T, I).
        initial_state : list of array_like, optional
            h (B, H) and c (B, H) to begin with (h has `proj_size` values where there are any);
            `Bidirectional` takes the forward layer's, then the backward layer's.
        mask : array_like of bool, optional
            (B, T): False steps are skipped.
        training : bool, optional
            Do what is random; None is False.

        Returns
        -------
        y : numpy.ndarray
            (B, H), or (B, T, H) with `return_sequences`.
        [y, h, c]
            With `return_state`; ``[y, cells]`` with `return_cell_states`, c of every step
            (B, T, H); ``[y, h, c, cells]`` with both. `Bidirectional`: ``[y, h, c, h, c, cells,
            cells]``, and with ``merge_mode=None`` the two outputs in place of y.
        """
        more: dict[str, Any] = {"states": self.return_state, "cells": self.return_cell_states}
        if initial_state is not None:
            more["initial_state"] = self._states(initial_state, x)
        results = self._split(self._call(x, mask, training, **more))
        return results if len(results) > 1 else results[0]

    def _check_axes(self, x: Array) -> None:
        if x.ndim != 3:
            raise ValueError(
                f"[{self.where}] x has shape {shape_text(x.shape)}; expected (batch, steps, "
                "features)"
            )

    def _states(self, states: Any, x: ArrayLike) -> list[Array]:
        states = items(states, "initial_state", self.where, "a list of arrays")
        dtype = self._ready(x).dtype
        return [as_float(state, dtype, self.where, "initial_state") for state in states]

    def _engine_of_call(self) -> tuple[_core.Model, int]:
        if not self._prefix:
            return super()._engine_of_call()
        # one half of a Bidirectional: the engine has both as one layer, and merges what they give
        self._check_no_half("a call")
        weights = self.get_weights()
        engine = self._engine_alone(1, weights[0].shape[0], self._built_engine().config["dtype"])
        engine.set_weights(weights)
        return engine, 0

    def _check_no_half(self, what: str) -> None:
        if self._prefix and self.stateful:
            raise ValueError(
                f"[{self.where}] {what} of {self.name}, one half of a Bidirectional, which carries "
                "the states of both; expected the Bidirectional itself"
            )

    def _split(self, results: list[Array]) -> list[Array]:
        return results

    def reset_states(self) -> None:
        """Begin anew: the state that a stateful layer carries on becomes zero."""
        if self._engine is not None:
            self._check_no_half("reset_states")
            self._engine.reset_states(self._index)

    reset_state = reset_states

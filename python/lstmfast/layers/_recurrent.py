"""What recurrent layers share: states that calls begin with and return, or carry on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from lstmfast import initializers
from lstmfast._arrays import Array, ArrayLike, as_float, shape_text
from lstmfast._checks import flag, items
from lstmfast._options import checked_cell
from lstmfast.initializers import Initializer
from lstmfast.layers._symbolic import Sample, Tensor, holds_tensors, one_or_all, origin
from lstmfast.layers.base import Layer, Parts
from lstmfast.layers.weights import weight

# How Keras computes, not what: accepted with any value, for it changes nothing here
_MEANINGLESS = {"unroll", "use_cudnn", "implementation"}

# the option that makes each weight, that of a projection too
_INITIALIZERS = {
    "kernel": "kernel_initializer",
    "recurrent_kernel": "recurrent_initializer",
    "bias": "bias_initializer",
    "projection_kernel": "kernel_initializer",
}


class Recurrent(Layer):
    """What recurrent layers share.

    Parameters
    ----------
    name, input_shape, batch_input_shape, dtype
        As in `Layer`; the batch size is for a stateful layer at the head of a model.
    """

    steps_of_dim = (None,)
    directions: ClassVar[int] = 1
    states: int = 1  # of a direction
    outputs_before_states = 1
    return_sequences: bool
    return_state: bool
    return_cell_states = False  # c of every step, of cells that have it
    stateful: bool
    _is_half = False  # of a Bidirectional

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the layer out of a `Sequential`, where each takes and returns one array."""
        if self._is_half and self.stateful:
            return "it is one half of a Bidirectional; add a copy and set its weights"
        for name in ("return_state", "return_cell_states"):
            if getattr(self, name):
                return f"{name}=True returns several arrays; call the layer itself to get them"
        return super().problem_in_row

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> Any:
        """Return the mask of the output for an input with that mask, None where there is none."""
        return super().compute_mask(x, mask) if self.return_sequences else None

    def __call__(  # type: ignore[override]
        self,
        x: Any,
        initial_state: Any = None,
        mask: ArrayLike = None,
        training: bool | None = None,
    ) -> Any:
        """Return the layer's output for a batch of sequences.

        A layer that has no weights yet gets them at the first call. A stateful layer begins
        with the state that the call before left, and keeps the state that this one leaves.

        Parameters
        ----------
        x : array_like or tensor
            (B, T, I).
        initial_state : list of array_like or tensor, optional
            h (B, H), and of an `LSTM` c (B, H), to begin with (h has `proj_size` values where
            there are any); one state need not be in a list. `Bidirectional` takes the forward
            layer's, then the backward layer's.
        mask : array_like of bool, optional
            (B, T): False steps are skipped. With tensors it must be None.
        training : bool, optional
            Do what is random; None is False.

        Returns
        -------
        y : numpy.ndarray or tensor
            (B, H), or (B, T, H) with `return_sequences`.
        [y, h, c]
            With `return_state` (c of an `LSTM` alone); ``[y, cells]`` with `return_cell_states`, c
            of every step (B, T, H); ``[y, h, c, cells]`` with both. `Bidirectional`:
            ``[y, h, c, h, c, cells, cells]``, and with ``merge_mode=None`` the two outputs in place
            of y.
        """
        if self._is_half and self.stateful:
            raise self._half_error("a call")
        if holds_tensors(x):
            states = [] if initial_state is None else initial_state
            if isinstance(states, Tensor):
                states = [states]
            tensors = self._tensors(x) + self._all_tensors(states, "initial_state")
            return self._joined(tensors, mask, training)
        arrays = self._arrays(x)
        core = self._ready(arrays)
        if initial_state is not None:
            expected = len(core.state_sizes)
            if expected == 1 and not isinstance(initial_state, list | tuple):
                initial_state = [initial_state]
            states = items(initial_state, "initial_state", self.where, "a list of arrays")
            if len(states) != expected:
                text = f"initial_state has {len(states)} arrays; expected {expected}"
                raise ValueError(f"[{self.where}] {text}")
            dtype = np.dtype(core.dtype)
            arrays += [as_float(state, dtype, self.where, "initial_state") for state in states]
        outputs = (2 * self.states - 1) * self.directions  # of the core, after y
        ports = self._ports(self.outputs_before_states + outputs)
        return one_or_all(self._compute(core, arrays, [mask], training, ports)[0])

    def _ports(self, count: int) -> Sequence[int]:
        """Return which outputs a call returns: of y, the states by direction, then all cells."""
        first = self.outputs_before_states
        cells = first + self.states * self.directions
        return [
            *range(first),
            *(range(first, cells) if self.return_state else ()),
            *(range(cells, count) if self.return_cell_states else ()),
        ]

    def _declared(self, shape: Sample) -> Sample:
        return (None, *shape[1:])

    def _check_inputs(self, inputs: Sequence[Tensor]) -> None:
        """Refuse an input that is no sequence, with the layer before that has left its steps."""
        x = inputs[0]
        if len(x.sample) == 2:
            return
        before = x.node.layer
        what = f"{before.name or before.kind} gives" if x.node.inputs else "a sample is"
        last = [
            node.layer
            for node in origin(x)
            if isinstance(node.layer, Recurrent) and not node.layer.return_sequences
        ]
        hint = f"; pass return_sequences=True to {last[0].name or last[0].kind}" if last else ""
        raise ValueError(
            f"[{self.where}] {self.name or self.kind} needs sequences (steps, features), but "
            f"{what} {shape_text(x.sample)}{hint}"
        )

    def _half_error(self, what: str) -> ValueError:
        return ValueError(
            f"[{self.where}] {what} of {self.name}, one half of a Bidirectional, which carries "
            "the states of both; expected the Bidirectional itself"
        )

    def reset_states(self) -> None:
        """Begin anew: the state that a stateful layer carries on becomes zero."""
        if self._core is not None:
            if self._is_half and self.stateful:
                raise self._half_error("reset_states")
            self._core.reset_states()

    reset_state = reset_states


class RecurrentCells(Recurrent):
    """A layer of cells of one kind, in one direction."""

    has_twin: ClassVar[bool] = True  # Bidirectional takes it
    flags: ClassVar[tuple[str, ...]] = ("return_state",)  # arguments that the core does not know
    units: int
    activation: str
    kernel_initializer: Initializer
    recurrent_initializer: Initializer
    bias_initializer: Initializer
    use_bias: bool
    go_backwards: bool
    zero_output_for_mask: bool

    learn_initial_state: bool

    kernel = weight("kernel")
    recurrent_kernel = weight("recurrent_kernel")
    bias = weight("bias")
    initial_h = weight("initial_h")

    def _take_arguments(self, given: Mapping[str, Any]) -> None:
        options = {k: v for k, v in given["options"].items() if k not in _MEANINGLESS}
        super()._take_arguments({**given, "options": options})
        for name in self.flags:
            setattr(self, name, flag(given[name], name, self.where))

    def _set(self, **options: Any) -> None:
        for key, value in checked_cell("layer", options, self.where, self.kind).items():
            setattr(self, key, value)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {name: getattr(self, name) for name in self.flags}

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights, for parts given as name and shape, and samples of that shape."""
        weights = []
        for name, shape in parts:
            option = _INITIALIZERS.get(name)
            maker = _initializer_of_extra(name) if option is None else getattr(self, option)
            weights.append(maker(shape, dtype, rng))
            self._adjust_first(name, weights[-1], rng, sample)
        return weights

    def _adjust_first(
        self, name: str, values: Array, rng: np.random.Generator, sample: Sample
    ) -> None:
        """Change the first values of a weight, where they are not its initializer's alone."""


def _initializer_of_extra(name: str) -> Initializer:
    # peepholes and shifts start at 0 and gains at 1: the variant starts as the plain cell
    gain = name.startswith("norm") and name.endswith("weight")
    return initializers.Ones() if gain else initializers.Zeros()

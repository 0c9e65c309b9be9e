"""The LSTM layer of a model."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from lstmfast import initializers
from lstmfast._arrays import Array
from lstmfast.initializers._chrono import Chrono, ForgetBias, forget_bias_of, set_forget_bias
from lstmfast.layers._recurrent import RecurrentCells
from lstmfast.layers.base import Sample
from lstmfast.layers.weights import weight


class LSTM(RecurrentCells):
    """A layer of LSTM cells, as `keras.layers.LSTM`.

    Input (B, T, I); output (B, H), or (B, T, H) with `return_sequences`. The equations of one step
    are those of `lstmfast.LSTM`, here with one bias and the weights as Keras has them: kernel
    (I, 4H), recurrent_kernel (H, 4H), bias (4H), gates in order i, f, g, o.

    Parameters
    ----------
    units : int
        H.
    activation, recurrent_activation : str or Activation, optional
        φ of g, and σ of i, f and o: any of `lstmfast.activations` but softmax; None is
        ``"linear"``.
    use_bias : bool
        Whether there is a bias.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        What makes the first weights.
    unit_forget_bias : bool
        Start the forget gate's bias at 1, where `forget_bias` is None.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        What these weights cost.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    kernel_constraint, recurrent_constraint, bias_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    dropout : float
        In training, the share of x that is set to 0, by one mask for all steps of a row.
    recurrent_dropout : float
        The same for h on its way into the gates.
    recurrent_dropout_kind : {"sequence", "step"}
        One mask for all steps of a row, or one for each.
    seed : int, optional
        Of the layer's random masks; by default they follow the model's seed.
    return_sequences : bool
        Return h of every step instead of the last.
    return_state, return_cell_states : bool
        Return also the last h and c; c of every step. For calls of the layer itself, see
        `__call__`.
    go_backwards : bool
        Go from the last step to the first; outputs stand in that order.
    stateful : bool
        Begin each batch with the state in which row by row the batch before ended, through all
        calls of `fit`, `evaluate` and `predict`, until `reset_states`. All batches must be of one
        size: that of an ``Input(batch_size=...)``, or of the first. Copies and saved models begin
        with zeros.
    output_activation : str or Activation, optional
        φ of c on its way to h; by default, as in Keras, `activation`.
    forget_bias : float, "chrono", ("chrono", int) or Chrono, optional
        Start the forget gate's bias at this number; or at long memories, of up to as many steps as
        the input or the tuple says: see `lstmfast.initializers.Chrono`. With `layer_norm` it is
        the shift after the norm that starts so.
    peephole, coupled, input_gate, forget_gate, output_gate, layer_norm : bool
        The cell's variants.
    preact_clip, cell_clip, proj_clip : float, optional
        Bounds of what enters the gates' functions, of c and of the projection.
    proj_size : int
        P > 0: return h·Q with P values in place of h, which the next step gets too.
    zoneout_h, zoneout_c : float
        In training, the share of h and of c that keeps its old value at each step.
    weight_drop : float
        In training, the share of the recurrent kernel that is set to 0.
    bptt_steps : int, optional
        Gradients of the state end at every so many steps.
    recompute_every : int or "sqrt", optional
        Keep what backward needs of so many steps and compute the rest again: less memory.
    zero_output_for_mask : bool
        Return 0 at masked steps, in place of the output of the step before.
    learn_initial_state : bool
        Begin with states that are weights, ``initial_h`` and, of an LSTM, ``initial_c``: zeros at
        first, then learnt, with gradients summed over the rows. Not for a stateful layer, and calls
        then take no `initial_state`.
    **shared
        As in `Layer`.

    Notes
    -----
    ``docs/equations.md`` says where each option comes in.

    Examples
    --------
    >>> from lstmfast.layers import LSTM, Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([LSTM(50, activation="relu", input_shape=(3, 1)), Dense(1)])
    >>> [w.shape for w in model.layers[0].get_weights()]
    [(1, 200), (50, 200), (200,)]

    A layer on its own:

    >>> import numpy as np
    >>> y, h, c = LSTM(4, return_sequences=True, return_state=True)(np.ones((2, 5, 3)))
    >>> y.shape, bool((y[:, -1] == h).all())
    ((2, 5, 4), True)
    """

    kind = "lstm"
    states = 2
    flags: ClassVar = ("return_state", "return_cell_states", "unit_forget_bias")
    unit_forget_bias: bool
    initial_c = weight("initial_c")
    coupled: bool
    layer_norm: bool
    proj_size: int

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        recurrent_dropout_kind: str = "sequence",
        return_cell_states: bool = False,
        output_activation: Any = None,
        forget_bias: Any = None,
        peephole: bool = False,
        coupled: bool = False,
        input_gate: bool = True,
        forget_gate: bool = True,
        output_gate: bool = True,
        layer_norm: bool = False,
        preact_clip: float | None = None,
        cell_clip: float | None = None,
        proj_size: int = 0,
        proj_clip: float | None = None,
        zoneout_h: float = 0.0,
        zoneout_c: float = 0.0,
        weight_drop: float = 0.0,
        bptt_steps: int | None = None,
        recompute_every: int | str | None = None,
        zero_output_for_mask: bool = False,
        learn_initial_state: bool = False,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())
        has_bias = self.use_bias or self.layer_norm
        self.forget_bias = forget_bias_of(forget_bias, self.where, has_bias=has_bias)

    @property
    def outputs(self) -> int:
        """Values of a step's output: `proj_size` where there is a projection, else `units`."""
        return self.proj_size or self.units

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        b = self.forget_bias
        shown = initializers.serialize(b) if isinstance(b, Chrono) else b
        return super().get_config() | {"forget_bias": shown}

    def _adjust_first(
        self, name: str, values: Array, rng: np.random.Generator, sample: Sample
    ) -> None:
        forget = self._first_forget_bias(name)
        if forget is not None:
            set_forget_bias(values, forget, self.coupled, rng, self.where, sample[0])

    def _first_forget_bias(self, name: str) -> ForgetBias:
        if self.forget_bias is None:
            return 1.0 if name == "bias" and self.unit_forget_bias else None
        # a norm takes away what a bias before it adds to all units alike
        effective = "norm_z_bias" if self.layer_norm else "bias"
        return self.forget_bias if name == effective else None

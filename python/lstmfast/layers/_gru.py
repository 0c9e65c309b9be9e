"""The GRU layer of a model."""

from __future__ import annotations

from typing import Any

from lstmfast.layers._recurrent import RecurrentCells


class GRU(RecurrentCells):
    """A layer of gated recurrent units, as `keras.layers.GRU`.

    Input (B, T, I); output (B, H), or (B, T, H) with `return_sequences`. One step is::

        z = σ(x·W_z + b_z + h·R_z + rb_z)
        r = σ(x·W_r + b_r + h·R_r + rb_r)
        g = φ(x·W_h + b_h + r ⊙ (h·R_h + rb_h))     reset_after
        g = φ(x·W_h + b_h + (r ⊙ h)·R_h)            else; there is no rb
        h = z ⊙ h + (1 - z) ⊙ g

    with the weights as Keras has them: kernel (I, 3H), recurrent_kernel (H, 3H), bias (2, 3H), of
    which row 0 is b and row 1 rb, or (3H) without `reset_after`; gates in order z, r, h.

    Parameters
    ----------
    units : int
        H.
    activation, recurrent_activation : str or Activation, optional
        φ of g, and σ of z and r: any of `lstmfast.activations` but softmax; None is ``"linear"``.
    use_bias : bool
        Whether there is a bias.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        What makes the first weights.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        What these weights cost.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    kernel_constraint, recurrent_constraint, bias_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    dropout : float
        In training, the share of x that is set to 0, by one mask for all steps of a row.
    recurrent_dropout : float
        The same for h on its way into the gates and the candidate.
    recurrent_dropout_kind : {"sequence", "step"}
        One mask for all steps of a row, or one for each.
    seed : int, optional
        Of the layer's random masks; by default they follow the model's seed.
    return_sequences : bool
        Return h of every step instead of the last.
    return_state : bool
        Return also the last h. For calls of the layer itself, see `__call__`.
    go_backwards : bool
        Go from the last step to the first; outputs stand in that order.
    stateful : bool
        Begin each batch with the state in which row by row the batch before ended; see `LSTM`.
    reset_after : bool
        Whether the reset gate acts on the product of h and R_h, as in cuDNN and torch, or on h
        before it, as in the first GRU (Cho et al. 2014).
    weight_drop : float
        In training, the share of the recurrent kernel that is set to 0.
    bptt_steps : int, optional
        Gradients of the state end at every so many steps.
    recompute_every : int or "sqrt", optional
        Keep what backward needs of so many steps and compute the rest again: less memory.
    zero_output_for_mask : bool
        Return 0 at masked steps, in place of the output of the step before.
    learn_initial_state : bool
        Begin with a state that is a weight, ``initial_h``; see `LSTM`.
    **shared
        As in `Layer`.

    Notes
    -----
    Where Keras drops h by a mask of its own for each gate, here one mask serves all.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import GRU, Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([GRU(50, input_shape=(3, 1)), Dense(1)])
    >>> [w.shape for w in model.layers[0].get_weights()]
    [(1, 150), (50, 150), (2, 150)]
    >>> y, h = GRU(4, return_sequences=True, return_state=True)(np.ones((2, 5, 3)))
    >>> y.shape, bool((y[:, -1] == h).all())
    ((2, 5, 4), True)
    """

    kind = "gru"
    recurrent_activation: str
    reset_after: bool

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
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
        reset_after: bool = True,
        recurrent_dropout_kind: str = "sequence",
        weight_drop: float = 0.0,
        bptt_steps: int | None = None,
        recompute_every: int | str | None = None,
        zero_output_for_mask: bool = False,
        learn_initial_state: bool = False,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())

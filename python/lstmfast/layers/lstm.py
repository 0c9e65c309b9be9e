"""The LSTM layer of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lstmfast import initializers
from lstmfast._activation import activation_text
from lstmfast._arrays import Array
from lstmfast._checks import check_unavailable, count, flag
from lstmfast.initializers.chrono import Chrono, ForgetBias, forget_bias_of, set_forget_bias
from lstmfast.layers.base import UNAVAILABLE, Layer, Parts, Sample

if TYPE_CHECKING:
    from lstmfast.initializers import Initializer

_UNAVAILABLE: dict[str, Any] = UNAVAILABLE | {
    "dropout": 0.0,
    "go_backwards": False,
    "recurrent_dropout": 0.0,
    "return_state": False,
    "seed": None,
    "stateful": False,
}
# How Keras computes, not what: accepted with any value, for it changes nothing here
_MEANINGLESS = {"unroll", "use_cudnn", "implementation"}


class LSTM(Layer):
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
    return_sequences : bool
        Return h of every step instead of the last.
    output_activation : str or Activation, optional
        φ of c on its way to h; by default, as in Keras, `activation`.
    forget_bias : float, "chrono", ("chrono", int) or Chrono, optional
        Start the forget gate's bias at this number; or at long memories, of up to as many steps as
        the input or the tuple says: see `lstmfast.initializers.Chrono`. With `layer_norm` it is
        the shift behind the norm that starts so.
    peephole : bool
        Let the gates see c, by weights of their own (3, H), at first 0.
    coupled : bool
        Take i = 1 - f: three gates, in order f, g, o.
    layer_norm : bool
        Normalise each gate's pre-activation, and c on its way to h.
    name, input_shape
        As in `Layer`.
    **unavailable
        Keras's other arguments, at their defaults.

    Examples
    --------
    >>> from lstmfast.layers import LSTM, Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([LSTM(50, activation="relu", input_shape=(3, 1)), Dense(1)])
    >>> [w.shape for w in model.layers[0].get_weights()]
    [(1, 200), (50, 200), (200,)]
    """

    kind = "lstm"
    unavailable: ClassVar[dict[str, Any]] = _UNAVAILABLE
    rules = (
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
    )

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
        *,
        return_sequences: bool = False,
        output_activation: Any = None,
        forget_bias: Any = None,
        peephole: bool = False,
        coupled: bool = False,
        layer_norm: bool = False,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        **unavailable: Any,
    ) -> None:
        super().__init__(name, input_shape)
        known = {key: value for key, value in unavailable.items() if key not in _MEANINGLESS}
        check_unavailable(self.where, known, self.unavailable)
        self.units = count(units, "units", self.where)
        self.activation = activation_text(activation, self.where)
        self.recurrent_activation = activation_text(
            recurrent_activation, self.where, "recurrent_activation"
        )
        self.output_activation = activation_text(
            self.activation if output_activation is None else output_activation,
            self.where,
            "output_activation",
        )
        self.use_bias = flag(use_bias, "use_bias", self.where)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = kernel_regularizer
        self.recurrent_regularizer = recurrent_regularizer
        self.bias_regularizer = bias_regularizer
        self.activity_regularizer = activity_regularizer
        self.kernel_constraint = kernel_constraint
        self.recurrent_constraint = recurrent_constraint
        self.bias_constraint = bias_constraint
        self.unit_forget_bias = flag(unit_forget_bias, "unit_forget_bias", self.where)
        self.return_sequences = flag(return_sequences, "return_sequences", self.where)
        self.peephole = flag(peephole, "peephole", self.where)
        self.coupled = flag(coupled, "coupled", self.where)
        self.layer_norm = flag(layer_norm, "layer_norm", self.where)
        has_bias = self.use_bias or self.layer_norm
        self.forget_bias = forget_bias_of(forget_bias, self.where, has_bias=has_bias)

    def output_of(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output for a sample of that shape."""
        return (shape[0], self.units) if self.return_sequences else (self.units,)

    def options(self) -> dict[str, bool | float | str]:
        """Return what the core must know of this layer."""
        names = "units activation recurrent_activation output_activation use_bias return_sequences"
        names += " peephole coupled layer_norm"
        return {name: getattr(self, name) for name in names.split()}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        b = self.forget_bias
        return super().get_config() | {
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "unit_forget_bias": self.unit_forget_bias,
            "forget_bias": initializers.serialize(b) if isinstance(b, Chrono) else b,
        }

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights, for parts given as name and shape, and samples of that shape."""
        makers: dict[str, Initializer] = {
            "kernel": self.kernel_initializer,
            "recurrent_kernel": self.recurrent_initializer,
            "bias": self.bias_initializer,
        }
        weights = []
        for name, shape in parts:
            maker = makers.get(name) or _initializer_of_extra(name)
            weight = maker(shape, dtype, rng)
            forget = self._first_forget_bias(name)
            if forget is not None:
                how: dict[str, Any] = {"units": self.units, "coupled": self.coupled}
                set_forget_bias(weight, forget, rng=rng, where=self.where, steps=sample[0], **how)
            weights.append(weight)
        return weights

    def _first_forget_bias(self, name: str) -> ForgetBias:
        if self.forget_bias is None:
            return 1.0 if name == "bias" and self.unit_forget_bias else None
        # a norm takes away what a bias before it adds to all units alike
        effective = "norm_z_bias" if self.layer_norm else "bias"
        return self.forget_bias if name == effective else None


def _initializer_of_extra(name: str) -> Initializer:
    # peepholes and shifts start at 0 and gains at 1: the variant starts as the plain cell
    gain = name.startswith("norm") and name.endswith("weight")
    return initializers.Ones() if gain else initializers.Zeros()

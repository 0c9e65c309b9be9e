"""`lstmfast.LSTM`: the engine, with torch's weights, states and layouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lstmfast import _core
from lstmfast._activation import activation_text
from lstmfast._arrays import Array, ArrayLike, as_dtype
from lstmfast._checks import check_unavailable, count, flag, number
from lstmfast._names import config_text
from lstmfast._recurrent import State, run, run_backward
from lstmfast._torch_layout import TorchParameters, first_weights
from lstmfast.initializers.chrono import Chrono, forget_bias_of, set_forget_bias
from lstmfast.utils import Seed, as_generator, draw_seed

__all__ = ["LSTM"]

# what a finished object would not heed
_FIXED = "input_size hidden_size num_layers bias dropout bidirectional proj_size activation"
_FIXED += " recurrent_activation output_activation peephole coupled layer_norm forget_bias"
_FIXED += " seed training"


class LSTM:
    r"""LSTM layers as `torch.nn.LSTM`, but **batch_first=True by default**; NumPy in and out.

    Arrays are (batch, steps, features) unless ``batch_first=False``: torch's default is the other.
    One step of a layer, for each row of the batch, with x its input and ⊙ element by element:

        z = b + x W + h R,  in four parts z_i, z_f, z_g, z_o
        i = σ(z_i),  f = σ(z_f),  g = φ(z_g)
        c ← f ⊙ c + i ⊙ g
        o = σ(z_o)
        h ← o ⊙ φ(c)

    Parameters
    ----------
    input_size, hidden_size : int
        I and H.
    num_layers : int
        L: layers on top of each other, each with H units.
    bias : bool
        Whether there is b.
    batch_first : bool
        Whether arrays are (B, T, ...), here by default, or (T, B, ...), as torch has it by default.
    dropout : float
        In training, the share of values set to 0 between two layers.
    bidirectional, proj_size
        Not available in this version: must be False and 0.
    activation, recurrent_activation : str or Activation, optional
        φ and σ: any of `lstmfast.activations` but softmax; None is ``"linear"``.
    output_activation : str or Activation, optional
        φ of c, where it is not that of g.
    peephole : bool
        Let i and f see c before the step, and o after it, by one weight a unit.
    coupled : bool
        Take i = 1 - f: three gates, in order f, g, o.
    layer_norm : bool
        Normalise each gate's z over the units, and c within φ(c).
    forget_bias : float, ("chrono", int) or Chrono, optional
        What the forget gate's bias, that is the sum of the two, starts at; ("chrono", T) is
        `lstmfast.initializers.Chrono`, long memories of up to T steps. With `layer_norm` it is the
        shift behind the norm that starts so. By default the biases start as in torch.
    dtype : {"float32", "float64"}
        The type of weights and computation; other arrays are converted.
    seed : int or numpy.random.Generator, optional
        For the first weights, uniform within ± 1/sqrt(H) as in torch, and for dropout.

    Notes
    -----
    Parameters bear torch's names, for layer k: ``weight_ih_lk`` (4H, I or H), ``weight_hh_lk``
    (4H, H), ``bias_ih_lk`` and ``bias_hh_lk`` (4H), gates in order i, f, g, o; and further
    ``weight_peephole_lk`` (3, H) for i, f, o; ``norm_z_weight_lk``, ``norm_z_bias_lk`` (4H);
    ``norm_c_weight_lk``, ``norm_c_bias_lk`` (H). With coupled gates it is 3H, and (2, H).

    Calls without ``training=True`` change nothing and may run in several threads at a time.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> rnn = lf.LSTM(8, 16, num_layers=2, seed=0)
    >>> x = np.random.default_rng(0).standard_normal((4, 10, 8), np.float32)
    >>> y, (h, c) = rnn(x, training=True)
    >>> y.shape, h.shape, c.shape
    ((4, 10, 16), (2, 4, 16), (2, 4, 16))
    >>> dx, (dh0, dc0) = rnn.backward(np.ones_like(y))
    >>> dx.shape, rnn.grads()["weight_ih_l0"].shape
    ((4, 10, 8), (64, 8))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        output_activation: Any = None,
        peephole: bool = False,
        coupled: bool = False,
        layer_norm: bool = False,
        forget_bias: Any = None,
        dtype: Any = "float32",
        seed: Seed = None,
    ) -> None:
        check_unavailable("LSTM", {"bidirectional": bidirectional}, {"bidirectional": False})
        check_unavailable("LSTM", {"proj_size": proj_size}, {"proj_size": 0})
        self.input_size = count(input_size, "input_size", "LSTM")
        self.hidden_size = count(hidden_size, "hidden_size", "LSTM")
        self.num_layers = count(num_layers, "num_layers", "LSTM")
        self.bias = flag(bias, "bias", "LSTM")
        self.batch_first = flag(batch_first, "batch_first", "LSTM")
        self.dropout = number(dropout, "dropout", "LSTM")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"[LSTM] dropout is {self.dropout}; expected 0 to below 1")
        self.activation = activation_text(activation, "LSTM")
        self.recurrent_activation = activation_text(
            recurrent_activation, "LSTM", "recurrent_activation"
        )
        self.output_activation = activation_text(
            self.activation if output_activation is None else output_activation,
            "LSTM",
            "output_activation",
        )
        self.peephole = flag(peephole, "peephole", "LSTM")
        self.coupled = flag(coupled, "coupled", "LSTM")
        self.layer_norm = flag(layer_norm, "layer_norm", "LSTM")
        self.forget_bias = forget_bias_of(
            forget_bias, "LSTM", has_bias=self.bias or self.layer_norm
        )
        self._dtype = as_dtype(dtype, "LSTM")
        rng = as_generator(seed)
        self._make_core(draw_seed(rng))
        weights: dict[str, Array] = {}
        for layer, shapes in enumerate(self._parameters.layers):
            first = first_weights(shapes, self.hidden_size, rng, self._dtype)
            weights |= {f"{name}_l{layer}": value for name, value in first.items()}
        if self.forget_bias is not None:  # last, so that no other weight depends on it
            for layer in range(self.num_layers):
                self._set_forget_bias(weights, layer, self.forget_bias, rng)
        self.load_state_dict(weights)

    def _set_forget_bias(
        self, weights: dict[str, Array], layer: int, value: float | Chrono, rng: np.random.Generator
    ) -> None:
        name = "norm_z_bias" if self.layer_norm else "bias_ih"
        written = set_forget_bias(
            weights[f"{name}_l{layer}"],
            value,
            units=self.hidden_size,
            coupled=self.coupled,
            rng=rng,
            where="LSTM",
        )
        for part in written if name == "bias_ih" else ():
            weights[f"bias_hh_l{layer}"][part] = 0.0  # the two act as their sum

    def _make_core(self, seed: int) -> None:
        self._seed = seed
        options = {
            "activation": self.activation,
            "recurrent_activation": self.recurrent_activation,
            "output_activation": self.output_activation,
            "use_bias": config_text(self.bias),
            "peephole": config_text(self.peephole),
            "coupled": config_text(self.coupled),
            "layer_norm": config_text(self.layer_norm),
        }
        self._core = _core.Rnn(
            self.input_size,
            self.hidden_size,
            self.num_layers,
            options,
            self.dropout,
            self._dtype.name,
            seed,
        )
        self._parameters = TorchParameters(self._core, self.num_layers, self._dtype)
        self._batched = True

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would have no effect: only `batch_first` may change later."""
        held = self.__dict__.get("_parameters")
        if held is not None and (name in _FIXED.split() or name in held.shapes):
            how = "use load_state_dict" if name in held.shapes else "make a new LSTM"
            raise AttributeError(f"[LSTM] {name} cannot be set; {how}")
        super().__setattr__(name, value)

    @property
    def dtype(self) -> str:
        """The type of weights and computation."""
        return self._dtype.name

    def __call__(
        self,
        x: ArrayLike,
        state: Any = None,
        *,
        lengths: ArrayLike = None,
        resets: ArrayLike = None,
        training: bool = False,
        out: Array | None = None,
    ) -> tuple[Array, State]:
        """Run over whole sequences.

        Parameters
        ----------
        x : array_like
            (B, T, I) or, without `batch_first`, (T, B, I); (T, I) is one sequence.
        state : (h0, c0), optional
            (L, B, H) each, or (L, H) for one sequence; zeros by default.
        lengths : array_like of int, optional
            (B,): how many steps of each row count. Outputs behind them are 0, the final state is
            that of the last one, and the time they take is not spent.
        resets : array_like of bool, optional
            (B, T), or (T, B) without `batch_first`: before which steps the state is set to 0.
        training : bool
            Apply dropout and keep what `backward` needs. x and the result are referred to, not
            copied: leave them unchanged until then.
        out : numpy.ndarray, optional
            Where to write y; an array like it.

        Returns
        -------
        y : numpy.ndarray
            (B, T, H), (T, B, H) or (T, H): the last layer's h after every step.
        (h, c) : tuple of numpy.ndarray
            (L, B, H) each, or (L, H): the state after the last step.

        Raises
        ------
        TypeError, ValueError
            For arrays of the wrong kind or shape.
        """
        result = run(
            self._core, self._dtype, self.batch_first, x, state, lengths, resets, training, out
        )
        if training:
            self._batched = result[0].ndim == 3
        return result

    def backward(self, dy: ArrayLike, dstate: Any = None) -> tuple[Array, State]:
        """Propagate gradients back through the latest call with ``training=True``.

        Gradients of the parameters are added to `grads`. Each such call allows one `backward`.

        Parameters
        ----------
        dy : array_like or None
            Gradient for y; None is 0.
        dstate : (dh_n, dc_n), optional
            Gradients for the final h and c; either may be None.

        Returns
        -------
        dx : numpy.ndarray
            Gradient for x.
        (dh0, dc0) : tuple of numpy.ndarray
            Gradients for the initial state.
        """
        return run_backward(self._core, self._dtype, self._batched, self.batch_first, dy, dstate)

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters under torch's names."""
        return self._parameters.values()

    def grads(self) -> dict[str, Array]:
        """Return copies of the gradients, summed since `zero_grad`, under torch's names.

        The two biases act as their sum, so their gradients are equal.
        """
        return self._parameters.gradients()

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        self._core.zero_grad()

    def load_state_dict(self, state_dict: Mapping[str, ArrayLike], strict: bool = True) -> None:
        """Replace all parameters; nothing changes where one of them does not fit.

        Parameters
        ----------
        state_dict : mapping of str to array_like
            What `state_dict` returns, or that of a `torch.nn.LSTM` of the same sizes.
        strict : bool
            For torch's sake; must be true.

        Raises
        ------
        ValueError
            Where names are missing or unknown, or a shape does not fit.
        """
        where = "LSTM.load_state_dict"
        check_unavailable(where, {"strict": flag(strict, "strict", where)}, {"strict": True})
        self._parameters.load(state_dict, where)

    def __getstate__(self) -> dict[str, Any]:
        # gradients, and what a running training step keeps, stay behind
        left_out = ("_core", "_parameters", "_batched")
        kept = {name: value for name, value in self.__dict__.items() if name not in left_out}
        calls = self._core.training_calls  # or dropout would begin anew
        return kept | {"state_dict": self.state_dict(), "training_calls": calls}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        weights, calls = state.pop("state_dict"), state.pop("training_calls")
        self.__dict__.update(state)
        self._make_core(self._seed)
        self._core.training_calls = calls
        self.load_state_dict(weights)

    def __repr__(self) -> str:
        shown: list[tuple[str, Any, Any]] = [
            ("num_layers", self.num_layers, 1),
            ("bias", self.bias, True),
            ("batch_first", self.batch_first, True),
            ("dropout", self.dropout, 0.0),
            ("activation", self.activation, "tanh"),
            ("recurrent_activation", self.recurrent_activation, "sigmoid"),
            ("output_activation", self.output_activation, self.activation),
            ("peephole", self.peephole, False),
            ("coupled", self.coupled, False),
            ("layer_norm", self.layer_norm, False),
            ("forget_bias", self.forget_bias, None),
            ("dtype", self.dtype, "float32"),
        ]
        changed = [f"{name}={value!r}" for name, value, default in shown if value != default]
        return f"LSTM({', '.join([str(self.input_size), str(self.hidden_size), *changed])})"

"""`lstmfast.LSTM`: the engine, with torch's weights, states and layouts.

Long, because every option is explained here; what acts on arrays lies in `_recurrent.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_dtype
from lstmfast._cell import CELL_OPTIONS, checked_cell, share
from lstmfast._checks import check_unavailable, count, flag
from lstmfast._core import Rnn
from lstmfast._layouts import suffixes
from lstmfast._names import config_text
from lstmfast._pickles import marked, restoring
from lstmfast._recurrent import State, run, run_backward, run_trace
from lstmfast._state_dict import TorchParameters, first_weights
from lstmfast._torch_names import explain_names, explain_weights
from lstmfast.initializers._chrono import Chrono, forget_bias_of, set_forget_bias
from lstmfast.utils import Seed, as_generator, draw_seed

__all__ = ["LSTM", "Trace"]

# what a finished object would not heed
_SIZES = "input_size hidden_size num_layers bias dropout bidirectional"
_FIXED = frozenset({*_SIZES.split(), *CELL_OPTIONS, "forget_bias", "seed", "training"})


@dataclass(frozen=True)
class Trace:
    """What happened inside one layer, in one direction: one array each for all steps.

    Attributes
    ----------
    i, f, g, o : numpy.ndarray
        (B, T, H) in the layout of x: the gates as they were used; 1 where one is switched off, and
        i is 1 - f where they are coupled.
    c : numpy.ndarray
        (B, T, H): the cell state after every step.
    h : numpy.ndarray
        (B, T, H), or (B, T, P) with `proj_size`: the hidden state after every step.
    """

    i: Array
    f: Array
    g: Array
    o: Array
    c: Array
    h: Array


class LSTM:
    r"""LSTM layers as `torch.nn.LSTM`, but **batch_first=True by default**; NumPy in and out.

    Arrays are (batch, steps, features) unless ``batch_first=False``: torch's default is the other.
    One step of a layer, for each row of the batch, with x its input and ⊙ element by element:

        z = b + x W + h R,  in four parts z_i, z_f, z_g, z_o
        i = σ(z_i),  f = σ(z_f),  g = φ(z_g)
        c ← f ⊙ c + i ⊙ g
        o = σ(z_o)
        h ← o ⊙ φ(c)

    ``docs/equations.md`` says where each option below comes in. Rates of what is random act in
    calls with ``training=True``; otherwise nothing is dropped, and zoneout takes its expectation.

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
    bidirectional : bool
        Whether each layer also goes from the end to the beginning; y then has both outputs of a
        step side by side. D is 2, else 1.
    proj_size : int
        P: give out and hand on h Q with P values in place of h; 0 for none. May exceed H.
    activation, recurrent_activation : str or Activation, optional
        φ and σ: any of `lstmfast.activations` but softmax; None is ``"linear"``.
    output_activation : str or Activation, optional
        φ of c, where it is not that of g.
    peephole : bool
        Let i and f see c before the step, and o after it, by one weight a unit.
    coupled : bool
        Take i = 1 - f: three gates, in order f, g, o.
    input_gate, forget_gate, output_gate : bool
        Whether there is the gate; one that is switched off is 1, its weights stay without effect.
    preact_clip, cell_clip, proj_clip : float, optional
        The most that |z|, |c| and |h Q| may be.
    layer_norm : bool
        Normalise each gate's z over the units, and c within φ(c).
    forget_bias : float, ("chrono", int) or Chrono, optional
        What the forget gate's bias, that is the sum of the two, starts at; ("chrono", T) is
        `lstmfast.initializers.Chrono`, long memories of up to T steps. With `layer_norm` it is the
        shift behind the norm that starts so. By default the biases start as in torch.
    input_dropout : float
        The share of x that a row loses, the same values at every step; of every layer's x.
    recurrent_dropout : float
        The share of h that does not come into the gates; of a row, the same values at every step,
        or with ``recurrent_dropout_kind="step"`` others at each.
    zoneout_h, zoneout_c : float
        The share of h and of c that a step leaves as they were.
    weight_drop : float
        The share of R that a call does without (DropConnect).
    return_cell_states : bool
        Whether calls return c of every step, too.
    bptt_steps : int, optional
        Let gradients pass no further back than within so many steps of a row, counted from its
        first (truncated backpropagation through time).
    recompute_every : int or "sqrt", optional
        Keep what backward needs for so many steps at a time, and compute it again for the others:
        less memory, more time; the same bits but for the last ones of the weights' gradients.
        ``"sqrt"`` is the root of T, which needs least.
    dtype : {"float32", "float64"}
        The type of weights and computation; other arrays are converted.
    seed : int or numpy.random.Generator, optional
        For the first weights, uniform within ± 1/sqrt(H) as in torch, and for what is random.

    Notes
    -----
    Parameters bear torch's names, for layer k: ``weight_ih_lk`` (4H, I or H), ``weight_hh_lk``
    (4H, H), ``bias_ih_lk`` and ``bias_hh_lk`` (4H), gates in order i, f, g, o; and further
    ``weight_hr_lk`` (P, H), the transpose of Q, which makes ``weight_hh_lk`` (4H, P);
    ``weight_peephole_lk`` (3, H) for i, f, o; ``norm_z_weight_lk``, ``norm_z_bias_lk`` (4H);
    ``norm_c_weight_lk``, ``norm_c_bias_lk`` (H). With coupled gates it is 3H, and (2, H). Layers
    above the first read D·H or D·P values. The names of a second direction end in ``_reverse``.

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

    _fixed: frozenset[str] = frozenset()  # of a finished object

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
        input_gate: bool = True,
        forget_gate: bool = True,
        output_gate: bool = True,
        preact_clip: float | None = None,
        cell_clip: float | None = None,
        proj_clip: float | None = None,
        layer_norm: bool = False,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        recurrent_dropout_kind: str = "sequence",
        zoneout_h: float = 0.0,
        zoneout_c: float = 0.0,
        weight_drop: float = 0.0,
        return_cell_states: bool = False,
        bptt_steps: int | None = None,
        recompute_every: int | str | None = None,
        forget_bias: Any = None,
        dtype: Any = "float32",
        seed: Seed = None,
    ) -> None:
        given = locals()
        self._cell = checked_cell("LSTM", {name: given[name] for name in CELL_OPTIONS})
        self.input_size = count(input_size, "input_size", "LSTM")
        self.hidden_size = count(hidden_size, "hidden_size", "LSTM")
        self.num_layers = count(num_layers, "num_layers", "LSTM")
        self.bias = flag(bias, "bias", "LSTM")
        self.batch_first = flag(batch_first, "batch_first", "LSTM")
        self.dropout = share(dropout, "dropout", "LSTM")
        if self.dropout > 0.0 and self.num_layers == 1:
            warnings.warn(
                f"[LSTM] dropout={self.dropout} has no effect with num_layers=1: it acts between "
                "two layers; input_dropout and recurrent_dropout act in each",
                stacklevel=2,
            )
        self.bidirectional = flag(bidirectional, "bidirectional", "LSTM")
        self.forget_bias = forget_bias_of(
            forget_bias, "LSTM", has_bias=self.bias or self.layer_norm
        )
        self._dtype = as_dtype(dtype, "LSTM")
        rng = as_generator(seed, "LSTM")
        self._make_core(draw_seed(rng))
        weights: dict[str, Array] = {}
        for suffix, shapes in zip(self._suffixes, self._parameters.parts, strict=True):
            first = first_weights(shapes, self.hidden_size, rng, self._dtype)
            weights |= {f"{name}_{suffix}": value for name, value in first.items()}
        if self.forget_bias is not None:  # last, so that no other weight depends on it
            for suffix in self._suffixes:
                self._set_forget_bias(weights, suffix, self.forget_bias, rng)
        self.load_state_dict(weights)

    def _set_forget_bias(
        self,
        weights: dict[str, Array],
        suffix: str,
        value: float | Chrono,
        rng: np.random.Generator,
    ) -> None:
        name = "norm_z_bias" if self.layer_norm else "bias_ih"
        written = set_forget_bias(
            weights[f"{name}_{suffix}"],
            value,
            units=self.hidden_size,
            coupled=self.coupled,
            rng=rng,
            where="LSTM",
        )
        for part in written if name == "bias_ih" else ():
            weights[f"bias_hh_{suffix}"][part] = 0.0  # the two act as their sum

    def _make_core(self, seed: int) -> None:
        self._seed = seed
        options = self._cell.config() | {
            "use_bias": config_text(self.bias),
            "bidirectional": config_text(self.bidirectional),
        }
        self._core = Rnn(
            self.input_size,
            self.hidden_size,
            self.num_layers,
            options,
            self.dropout,
            self._dtype.name,
            seed,
        )
        self._suffixes = suffixes(self.num_layers, self.bidirectional)
        self._parameters = TorchParameters(self._core, self._suffixes, self._dtype)
        self._fixed = _FIXED.union(self._parameters.shapes)
        explain_weights(LSTM, self._parameters.shapes)

    if TYPE_CHECKING:  # options of the cell, the properties below

        def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would have no effect: only `batch_first` may change later."""
        if name in self._fixed:
            how = "make a new LSTM" if name in _FIXED else "use load_state_dict"
            raise AttributeError(f"[LSTM] {name} cannot be set; {how}")
        if name == "batch_first":
            value = flag(value, "batch_first", "LSTM")
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
        hx: None = None,
    ) -> Any:
        """Run over whole sequences.

        Parameters
        ----------
        x : array_like
            (B, T, I) or, without `batch_first`, (T, B, I); (T, I) is one sequence.
        state : (h0, c0), optional
            (D·L, B, H) each, or (D·L, H) for one sequence; zeros by default. Layer 0, layer 0
            reverse, layer 1, ...; with `proj_size` h0 has P values in place of H.
        lengths : array_like of int, optional
            (B,): how many steps of each row count. Outputs behind them are 0, the final state is
            that of the last one, and the time they take is not spent.
        resets : array_like of bool, optional
            (B, T), or (T, B) without `batch_first`: before which steps the state is set to 0; a
            reverse direction does so behind them.
        training : bool
            Do what is random and keep what `backward` needs. x and the result are referred to, not
            copied: leave them unchanged until then. lengths and resets are copied.
        out : numpy.ndarray, optional
            Where to write y: an array like it, in C order, aligned, and in memory of its own.
        hx : None
            What torch calls `state`; refused, so that nobody's state is overlooked.

        Returns
        -------
        y : numpy.ndarray
            (B, T, D·H), (T, B, D·H) or (T, D·H), with `proj_size` P for H: the last layer's h after
            every step.
        (h, c) : tuple of numpy.ndarray
            Shaped as `state`: the state after the last step; of a reverse direction, the first.
        cells : numpy.ndarray
            Only with `return_cell_states`: the last layer's c after every step, D·H values, in the
            layout of y; 0 where y is padded.

        Raises
        ------
        TypeError, ValueError
            For arrays of the wrong kind or shape.
        KeyboardInterrupt
            At Ctrl-C, also in the middle of a long call; `out` may then hold a part of y.
        """
        if hx is not None:
            raise TypeError("[lstm.forward] hx is given; expected state, as it is called here")
        result = self._core.call(x, state, lengths, resets, training, out, self.batch_first)
        if result is not None:
            return result
        y, final, cells = run(
            self._core, self._dtype, self.batch_first, x, state, lengths, resets, training, out
        )
        return (y, final) if cells is None else (y, final, cells)

    def backward(
        self, dy: ArrayLike, dstate: Any = None, dcells: ArrayLike = None
    ) -> tuple[Array, State]:
        """Propagate gradients back through the latest call with ``training=True``.

        Gradients of the parameters are added to `grads`. Each such call allows one `backward`.

        Parameters
        ----------
        dy : array_like or None
            Gradient for y; None is 0.
        dstate : (dh_n, dc_n), optional
            Gradients for the final h and c; either may be None.
        dcells : array_like, optional
            Gradient for the cells of a call with `return_cell_states`.

        Returns
        -------
        dx : numpy.ndarray
            Gradient for x.
        (dh0, dc0) : tuple of numpy.ndarray
            Gradients for the initial state.

        Raises
        ------
        KeyboardInterrupt
            At Ctrl-C; the gradients are then those before the call, and it takes another call
            with ``training=True`` to try again.
        """
        result = self._core.call_backward(dy, dstate, dcells)
        if result is not None:
            return result
        return run_backward(self._core, self._dtype, dy, dstate, dcells)

    def trace(
        self,
        x: ArrayLike,
        state: Any = None,
        *,
        lengths: ArrayLike = None,
        resets: ArrayLike = None,
    ) -> dict[str, Trace]:
        """Return all gates and states of every step, as a call without training computes them.

        Parameters
        ----------
        x, state, lengths, resets
            As for a call.

        Returns
        -------
        dict of str to Trace
            Under ``"l0"``, ``"l0_reverse"``, ``"l1"``, ...: a layer in one direction. Arrays are in
            the layout of x, and 0 where it is padded.

        Examples
        --------
        >>> import numpy as np
        >>> import lstmfast as lf
        >>> inside = lf.LSTM(2, 3, seed=0).trace(np.ones((1, 4, 2)))["l0"]
        >>> inside.f.shape, bool((inside.c[:, 0] == inside.i[:, 0] * inside.g[:, 0]).all())
        ((1, 4, 3), True)
        """
        arrays = run_trace(self._core, self._dtype, self.batch_first, x, state, lengths, resets)
        return {name: Trace(*of) for name, of in zip(self._suffixes, arrays, strict=True)}

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

    def release_memory(self) -> None:
        """Give back the memory that calls keep so that later ones need not ask for it.

        What the latest call with ``training=True`` kept for `backward` goes too. The next call
        takes what it needs anew. Without this, memory goes back once sixteen calls in turn have
        needed less than a quarter of it.

        Raises
        ------
        RuntimeError
            While another thread trains.

        Examples
        --------
        >>> import numpy as np
        >>> import lstmfast as lf
        >>> rnn = lf.LSTM(3, 4)
        >>> y, state = rnn(np.ones((8, 100, 3), np.float32), training=True)
        >>> dx, dstate = rnn.backward(y)
        >>> rnn.release_memory()
        """
        self._core.release_memory()

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

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if hasattr(self, name)]

    def __getstate__(self) -> dict[str, Any]:
        # gradients, and what a running training step keeps, stay behind
        left_out = ("_core", "_parameters", "_suffixes", "_fixed")
        kept = {name: value for name, value in self.__dict__.items() if name not in left_out}
        calls = self._core.training_calls  # or dropout would begin anew
        return marked(kept | {"state_dict": self.state_dict(), "training_calls": calls})

    def __setstate__(self, state: dict[str, Any]) -> None:
        with restoring(state, "LSTM") as known:
            weights, calls = known.pop("state_dict"), known.pop("training_calls")
            self.__dict__.update(known)
            self._make_core(self._seed)
            self._core.training_calls = calls
            self.load_state_dict(weights)

    def __repr__(self) -> str:
        shown: list[tuple[str, Any, Any]] = [
            ("num_layers", self.num_layers, 1),
            ("bias", self.bias, True),
            ("batch_first", self.batch_first, True),
            ("dropout", self.dropout, 0.0),
            ("bidirectional", self.bidirectional, False),
        ]
        changed = [f"{name}={value!r}" for name, value, default in shown if value != default]
        changed += [f"{name}={value!r}" for name, value in self._cell.changed().items()]
        shown = [("forget_bias", self.forget_bias, None), ("dtype", self.dtype, "float32")]
        changed += [f"{name}={value!r}" for name, value, default in shown if value != default]
        return f"LSTM({', '.join([str(self.input_size), str(self.hidden_size), *changed])})"


# A __getattr__ in their place would slow down every attribute that a call reads.
for _name in CELL_OPTIONS:
    setattr(LSTM, _name, property(attrgetter(f"_cell.{_name}"), doc="Option of the cell."))
del _name
explain_names(LSTM)

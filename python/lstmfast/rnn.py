"""`lstmfast.LSTM`: LSTM layers with torch's weights, states and layouts."""

from __future__ import annotations

from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lstmfast._arrays import as_dtype
from lstmfast._checks import flag
from lstmfast._core import Rnn
from lstmfast._layouts import suffixes
from lstmfast._options import changed, checked_cell, defaults
from lstmfast._pickles import marked, restoring
from lstmfast._recurrent import RecurrentLayers, Trace
from lstmfast._torch_names import explain_names
from lstmfast._warnings import warn
from lstmfast.initializers._chrono import forget_bias_of
from lstmfast.utils import Seed, as_generator, draw_seed

if TYPE_CHECKING:
    from lstmfast.models.streaming import Stream

__all__ = ["LSTM", "Trace"]

# attributes whose change would have no effect
_OPTIONS = tuple(defaults("rnn", "lstm"))
_FIXED = frozenset({*_OPTIONS, "forget_bias", "seed", "training"})


class LSTM(RecurrentLayers):
    r"""LSTM layers as `torch.nn.LSTM`, but **batch_first=True by default**; NumPy in and out.

    Arrays are (batch, steps, features) unless ``batch_first=False``; torch's default is (steps,
    batch, features). One step of a layer, for each row of the batch, with x its input and ⊙ the
    product element by element:

        z = b + x W + h R,  in four parts z_i, z_f, z_g, z_o
        i = σ(z_i),  f = σ(z_f),  g = φ(z_g)
        c ← f ⊙ c + i ⊙ g
        o = σ(z_o)
        h ← o ⊙ φ(c)

    ``docs/equations.md`` says where each option below comes in. Random options act in calls with
    ``training=True``; in other calls nothing is dropped, and zoneout takes its expectation.

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
        Whether each layer also runs from the end to the beginning; y then has both outputs of a
        step, one after the other. D is 2, else 1.
    proj_size : int
        P: the output and the state of a step are h Q, with P values, in place of h; 0 for none. May
        exceed H.
    activation, recurrent_activation : str or Activation, optional
        φ and σ: any of `lstmfast.activations` but softmax; None is ``"linear"``.
    output_activation : str or Activation, optional
        φ of c, where it is not that of g.
    peephole : bool
        Let i and f see c before the step, and o after it, by one weight a unit.
    coupled : bool
        Take i = 1 - f: three gates, in order f, g, o.
    input_gate, forget_gate, output_gate : bool
        Whether the gate exists; a gate that is switched off is 1, and its weights have no effect.
    preact_clip, cell_clip, proj_clip : float, optional
        Limits of |z|, |c| and |h Q|.
    layer_norm : bool
        Normalise each gate's z over the units, and c within φ(c).
    forget_bias : float, ("chrono", int) or Chrono, optional
        The first value of the forget gate's bias, that is of the sum of the two; ("chrono", T) is
        `lstmfast.initializers.Chrono`, for memories of up to T steps. With `layer_norm` it is the
        first value of the norm's shift. By default the biases start as in torch.
    input_dropout : float
        The share of each layer's inputs that is set to 0, for a row the same inputs at every step.
    recurrent_dropout : float
        The share of h that is set to 0 on its way into the gates; for a row the same values at
        every step, or with ``recurrent_dropout_kind="step"`` others at each step.
    zoneout_h, zoneout_c : float
        The share of h and of c that keeps its value from the step before.
    weight_drop : float
        The share of R that is set to 0 in a call (DropConnect).
    return_cell_states : bool
        Whether calls return c of every step, too.
    bptt_steps : int, optional
        Truncated backpropagation through time: gradients pass only within chunks of so many steps
        of a row, counted from its first.
    recompute_every : int or "sqrt", optional
        Keep what backward needs for so many steps at a time, and compute it again for the others:
        less memory, more time; the same bits, except that gradients of weights may differ in the
        last ones. ``"sqrt"`` is the root of T, which needs least memory.
    dtype : {"float32", "float64"}
        The type of weights and computation; other arrays are converted.
    seed : int or numpy.random.Generator, optional
        For the first weights, uniform within ± 1/sqrt(H) as in torch, and for the random options.

    Notes
    -----
    Parameters have torch's names, for layer k: ``weight_ih_lk`` (4H, I or H), ``weight_hh_lk``
    (4H, H), ``bias_ih_lk`` and ``bias_hh_lk`` (4H), gates in order i, f, g, o; and further
    ``weight_hr_lk`` (P, H), the transpose of Q, which makes ``weight_hh_lk`` (4H, P);
    ``weight_peephole_lk`` (3, H) for i, f, o; ``norm_z_weight_lk``, ``norm_z_bias_lk`` (4H);
    ``norm_c_weight_lk``, ``norm_c_bias_lk`` (H). With coupled gates 4H becomes 3H, and (3, H)
    becomes (2, H). Layers above the first read D·H or D·P values. The names of a second direction
    end in ``_reverse``.

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

    _fixed: frozenset[str] = frozenset()  # attributes that can no longer be set

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
        options = checked_cell("rnn", {name: given[name] for name in _OPTIONS}, "LSTM")
        self._options = SimpleNamespace(**options)
        self.batch_first = flag(batch_first, "batch_first", "LSTM")
        if self.dropout > 0.0 and self.num_layers == 1:
            warn(
                f"[LSTM] dropout={self.dropout} has no effect with num_layers=1: it acts between "
                "two layers; input_dropout and recurrent_dropout act in each"
            )
        self.forget_bias = forget_bias_of(
            forget_bias, "LSTM", has_bias=self.bias or self.layer_norm
        )
        self._dtype = as_dtype(dtype, "LSTM")
        rng = as_generator(seed, "LSTM")
        self._make_core(draw_seed(rng))
        self.load_state_dict(
            self._first_values(self.hidden_size, rng, self.forget_bias, self.coupled)
        )

    def _make_core(self, seed: int) -> None:
        self._seed = seed
        core = Rnn(vars(self._options), self._dtype.name, seed)
        self._take(core, suffixes(self.num_layers, self.bidirectional))
        self._fixed = _FIXED.union(self._shapes)

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

    def stream(self, batch: int = 1, *, release_gil: bool = False) -> Stream:
        """Return what computes sequences step by step as they come, from zero states.

        Parameters
        ----------
        batch : int
            Sequences side by side.
        release_gil : bool
            Let other threads of Python run during each step: as for `Model.stream`.

        Returns
        -------
        lstmfast.models.Stream
            A step takes (batch, I) and returns (batch, O), whatever `batch_first` is. Its weights
            are those of now: see `Stream.refresh`.

        Raises
        ------
        ValueError
            With ``bidirectional=True``, which needs whole sequences.

        Examples
        --------
        >>> import numpy as np
        >>> import lstmfast as lf
        >>> rnn = lf.LSTM(3, 4, seed=0)
        >>> x = np.ones((1, 2, 3), np.float32)
        >>> stream = rnn.stream()
        >>> y = [stream.step(x[:, t]) for t in range(2)]
        >>> np.array_equal(np.stack(y, axis=1), rnn(x)[0])
        True
        """
        from lstmfast.models.rnn_streams import stream_of_layers

        return stream_of_layers(self, batch, release_gil)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if hasattr(self, name)]

    def __getstate__(self) -> dict[str, Any]:
        # without gradients and what the latest call with training=True kept
        left_out = ("_core", "_core_shapes", "_shapes", "_biases", "_fixed")
        kept = {name: value for name, value in self.__dict__.items() if name not in left_out}
        calls = self._core.training_calls  # without it, dropout would repeat its masks
        return marked(kept | {"state_dict": self.state_dict(), "training_calls": calls})

    def __setstate__(self, state: dict[str, Any]) -> None:
        with restoring(state, "LSTM") as known:
            weights, calls = known.pop("state_dict"), known.pop("training_calls")
            self.__dict__.update(known)
            self._make_core(self._seed)
            self._core.training_calls = calls
            self.load_state_dict(weights)

    def __repr__(self) -> str:
        shown = changed("rnn", vars(self._options))
        del shown["input_size"], shown["hidden_size"]
        usual = {"batch_first": True, "forget_bias": None, "dtype": "float32"}
        shown |= {name: getattr(self, name) for name in usual if getattr(self, name) != usual[name]}
        texts = [f"{name}={value!r}" for name, value in shown.items()]
        return f"LSTM({', '.join([str(self.input_size), str(self.hidden_size), *texts])})"


# A __getattr__ in their place would slow down every attribute that a call reads.
for _name in _OPTIONS:
    setattr(LSTM, _name, property(attrgetter(f"_options.{_name}"), doc="Option of the LSTM."))
del _name
explain_names(LSTM)

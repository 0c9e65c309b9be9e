"""The model that reads one sequence and writes another."""

from __future__ import annotations

from typing import Any, NoReturn
from weakref import WeakMethod

from lstmfast._arrays import ArrayLike, Data
from lstmfast._checks import check_unavailable, count, flag, number, wrong_kind
from lstmfast._core import Model as CoreModel
from lstmfast.layers import DecoderInput, Dense, Embedding, Input
from lstmfast.layers._graph import Graph, graph_between
from lstmfast.models._model import Model
from lstmfast.models.data import Adapter, ArrayNames, samples_of
from lstmfast.models.decoder_parts import attended, decoder_layers, first_states, step_of
from lstmfast.models.predicting import Compute
from lstmfast.models.progress import verbosity
from lstmfast.models.ragged import with_lengths
from lstmfast.utils import Seed


class EncoderDecoder(Model):
    """An encoder whose final states start a decoder, which writes a sequence step by step.

    ``fit(x, y)`` trains by teacher forcing: in step t the decoder takes y_{t-1}, in the first one
    `start_token`, and its output is compared with y_t. ``predict(x)`` feeds the decoder's own
    outputs back. Sequences of tokens (N, T) come with `tokens`, sequences of values (N, T, F) with
    `features`; y ends with `stop_token`, where there is one, and rows of different lengths are
    filled with `mask_value`.

    Parameters
    ----------
    encoder : Model
        What reads x: any model whose input shape is known. The decoder begins with the final states
        of its recurrent layers, those of a `Bidirectional` side by side; of the last layers where
        it has more of them than the decoder. Without a recurrent layer its output (N, F) is every
        state. Of a model with several outputs those without steps are the states. A state of
        another size than the decoder's passes through a `Dense`.
    decoder : int, or recurrent layer, or list of these
        Layers with ``return_sequences=True``, or the units of an `LSTM`.
    tokens : int, optional
        Size of the vocabulary of y: the decoder looks its tokens up in an `Embedding`, and ends in
        a `Dense` with softmax (loss ``"sparse_categorical_crossentropy"``). Either this or
        `features` must be given.
    features : int, optional
        Features of each step of y: values go into the decoder as they are, and a `Dense` without
        activation returns them (loss ``"mse"``).
    embedding_dim : int, optional
        Size of the vectors of the tokens; by default that of the decoder's first layer.
    start_token, stop_token, mask_value, length, sampling_rate, sampling_steps
        As in `layers.DecoderInput`. `sampling_rate` makes scheduled sampling, in its parallel form
        (Mihaylova, Martins: Scheduled Sampling for Transformers, 2019): of each batch a first pass
        over the targets computes outputs, the likeliest tokens, which replace the targets of
        randomly chosen steps as the decoder's inputs in the pass that trains. The choice follows
        from seed, step of the optimizer, row and step.
    name, trainable, seed
        As in `Model`.
    attention : {"luong", "dot", "bahdanau", "additive"} or layer, optional
        Lets each output h[t] of the decoder look at all steps v[j] of the encoder, which must
        return them (``return_sequences=True``); masked ones do not count::

            s[t, j] = h[t]·k[j]                                  "luong" or "dot"
            s[t, j] = Σ scale ⊙ tanh(h[t]·W + v[j]·U)            "bahdanau" or "additive"
            c[t] = Σⱼ softmax(s[t])[j] · v[j]

        and the last `Dense` takes c[t] and h[t] side by side. k is v, or v·U where it has another
        size than h. The names stand for `Attention` and `AdditiveAttention` with their defaults; a
        layer of these or a `MultiHeadAttention` may be given instead.

    Notes
    -----
    Called as a layer or with arrays, the model takes ``[x, y]`` and returns what the decoder
    returns with the targets given.

    References
    ----------
    Sutskever, Vinyals, Le: Sequence to Sequence Learning with Neural Networks, 2014. Luong, Pham,
    Manning: Effective Approaches to Attention-based Neural Machine Translation, 2015. Bahdanau,
    Cho, Bengio: Neural Machine Translation by Jointly Learning to Align and Translate, 2015; there
    c[t] enters the cell, here it enters the output, so that all steps train at once.

    Examples
    --------
    Digits backwards; 10 starts a sequence.

    >>> import numpy as np
    >>> from lstmfast.layers import LSTM, Embedding, Input
    >>> from lstmfast.models import EncoderDecoder, Sequential
    >>> x = np.random.default_rng(0).integers(0, 10, (64, 4))
    >>> layers = [Input((None,)), Embedding(10, 8), LSTM(16, return_sequences=True)]
    >>> encoder = Sequential(layers)
    >>> model = EncoderDecoder(
    ...     encoder, 16, tokens=11, start_token=10, length=4, attention="luong"
    ... )
    >>> model.compile("adam", "sparse_categorical_crossentropy")
    >>> run = model.fit(x, x[:, ::-1], epochs=2, verbose=0)
    >>> model.predict(x, beam_width=3).shape
    (64, 4)
    """

    kind = "encoder_decoder"
    _decodes = True
    _encoder: CoreModel  # from x to the states and what else the decoder takes
    _step: CoreModel  # one step of the decoder
    _x_adapter: Adapter
    _decoder_input: DecoderInput

    def __init__(
        self,
        encoder: Model,
        decoder: Any,
        tokens: int | None = None,
        features: int | None = None,
        embedding_dim: int | None = None,
        start_token: float = 0,
        stop_token: int | None = None,
        mask_value: float | None = None,
        length: int | None = None,
        sampling_rate: float = 0.0,
        sampling_steps: int = 0,
        name: str | None = None,
        trainable: bool = True,
        *,
        attention: Any = None,
        seed: Seed = None,
    ) -> None:
        where = type(self).__name__
        if not isinstance(encoder, Model):
            raise wrong_kind(
                where, "encoder", encoder, "a model: Sequential([Input(...), LSTM(8)])"
            )
        if encoder._core_model is None or encoder.stateful:
            problem = "is stateful" if encoder.stateful else "has no weights yet"
            hint = (
                "layers with stateful=False" if encoder.stateful else "an Input as its first item"
            )
            raise ValueError(f"[{where}] encoder {encoder.name!r} {problem}; expected {hint}")
        if (tokens is None) == (features is None):
            raise ValueError(f"[{where}] expected either tokens or features")
        if stop_token is not None and tokens is None:
            raise ValueError(f"[{where}] stop_token is given; expected None without tokens")
        forcing = DecoderInput(
            start_token, stop_token, mask_value, length, sampling_rate, sampling_steps
        )
        layers = decoder_layers(decoder, encoder.dtype, where)
        if tokens is not None:
            size = count(tokens, "tokens", where)
            targets = Input((None,), dtype="int32", name="targets")
            width = embedding_dim or layers[0].units
            y = Embedding(size, width, dtype=encoder.dtype)(forcing(targets))
        else:
            size = count(features, "features", where)
            targets = Input((None, size), dtype=encoder.dtype, name="targets")
            y = forcing(targets)
        for layer, states in zip(layers, first_states(encoder, layers, where), strict=True):
            found = layer(y, initial_state=states)
            y = found[0] if isinstance(found, list) else found
        if attention is not None:
            y = attended(attention, y, encoder, where)
        end = Dense(size, "softmax" if tokens is not None else None, dtype=encoder.dtype)
        super().__init__([*encoder.inputs, targets], end(y), name, trainable, seed=seed)

    @classmethod
    def _between(cls, inputs: Any, outputs: Any, *options: Any, seed: Seed) -> EncoderDecoder:
        made = cls.__new__(cls)
        Model.__init__(made, inputs, outputs, *options, seed=seed)
        return made

    def _take(self, graph: Graph, core_model: CoreModel) -> None:
        """Make this the model's graph, and of its parts an encoder and a step of the decoder."""
        forced = next(node for node in graph.nodes if isinstance(node.layer, DecoderInput))
        starts = [tensor for tensor in graph.inputs if tensor not in forced.inputs]
        given, step = step_of(graph, forced)
        dtype = core_model.graph.dtype
        encoder = CoreModel(graph_between(starts, given).core(dtype))
        decoder = CoreModel(step.core(dtype))
        super()._take(graph, core_model)
        self._encoder, self._step, self._decoder_input = encoder, decoder, forced.layer
        names = self._adapter.names
        on_masks = self._adapter.on_masks
        self._x_adapter = Adapter(names[:-1], encoder, dtype, WeakMethod(self._ignore))
        self._adapter = _Forcing(names, core_model, dtype, on_masks)

    def _ignore(self, masked: list[bool]) -> None:
        """Do nothing where decoding has masks: training has warned of their ends."""

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        *,
        length: int | None = None,
        beam_width: int = 1,
        length_penalty: float = 0.0,
        return_scores: bool = False,
        lengths: ArrayLike = None,
        **unknown: NoReturn,
    ) -> Any:
        """Return the sequences that the decoder writes, from its own outputs.

        Each step appends the likeliest token, or with `beam_width` keeps that many hypotheses of
        all continuations, and returns the best one: by the score s = log p / ((5 + n) / 6)^a, p the
        probability of its n tokens, `stop_token` among them, and a the `length_penalty` (Wu et al.:
        Google's Neural Machine Translation System, 2016). Values are fed back as they are.

        Parameters
        ----------
        x, batch_size, verbose, steps, callbacks, lengths
            As in `Model.predict`, without targets.
        length : int, optional
            Steps at most; by default the model's `length`.
        beam_width : int
            Hypotheses; 1 is greedy.
        length_penalty : float
            a, at least 0: the larger, the more long sequences are preferred.
        return_scores : bool
            Return the scores, too: of tokens alone.

        Returns
        -------
        sequences : numpy.ndarray
            (N, length), of int32 tokens, where after `stop_token` all are `mask_value`, or without
            one `stop_token`; or (N, length, features). `mask_value` is never chosen as a token.
        scores : numpy.ndarray
            (N,), with `return_scores`, in a list with the sequences.

        Raises
        ------
        ValueError
            Where neither the model nor the call says a length, and for beams of values.
        """
        check_unavailable("predict", unknown, {}, self.predict)
        compute = self._decoding("predict", length, beam_width, length_penalty, return_scores)
        shown = verbosity(verbose, "predict", auto=0)
        x = with_lengths(x, lengths)
        return self._predicted(x, batch_size, shown, steps, callbacks, compute, self._x_adapter)

    def predict_on_batch(self, x: Any, *, lengths: ArrayLike = None) -> Any:
        """Return what `predict` does for all samples, computed as one batch."""
        compute = self._decoding("predict_on_batch", None, 1, 0.0, False)
        samples = self._x_adapter.checked(with_lengths(x, lengths), "predict_on_batch")
        return self._packed(compute(samples, max(1, samples_of(samples)), True))

    def release_memory(self) -> None:
        """Give back the memory that calls keep, as `Model.release_memory`."""
        super().release_memory()
        for part in (self._encoder, self._step):
            part.release_memory()

    def _decoding(
        self, where: str, length: Any, beam_width: Any, length_penalty: Any, return_scores: Any
    ) -> Compute:
        """Return what decodes samples, so many at a time."""
        own = self._decoder_input
        if length is None and own.length is None:
            raise ValueError(f"[{where}] length is None; expected how many steps to decode at most")
        is_text = self._step.inputs[0][2]
        with_scores = flag(return_scores, "return_scores", where)
        beams = count(beam_width, "beam_width", where)
        penalty = number(length_penalty, "length_penalty", where)
        if not 0.0 <= penalty < float("inf"):
            expected = "a finite number of at least 0"
            raise ValueError(f"[{where}] length_penalty is {penalty}; expected {expected}")
        if not is_text and (beams > 1 or with_scores):
            name = "beam_width" if beams > 1 else "return_scores"
            raise ValueError(f"[{where}] {name} is given; expected it for tokens alone")
        steps = count(own.length if length is None else length, "length", where)
        padding = own.mask_value if is_text else None

        def decode(samples: list[Data], size: int, whole: bool) -> list[Any]:
            sequences, scores = self._encoder.decode(
                self._step,
                samples,
                batch_size=size,
                length=steps,
                beams=beams,
                length_penalty=penalty,
                start=own.start_token,
                stop=own.stop_token,
                padding=None if padding is None else int(padding),
            )
            return [sequences, scores] if with_scores else [sequences]

        return decode


class _Forcing(Adapter):
    """Takes the targets as the last input, too."""

    def _inputs(self, x: Any, y: Any, where: str, names: ArrayNames) -> list[Data]:
        if y is None:
            raise ValueError(f"[{where}] {names[1]} is missing")
        return self.checked(x, where, names[0], [(names[1], y)])

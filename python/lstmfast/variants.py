"""Ready-made LSTM models, each for one kind of problem: `compile` and `fit` them.

The file is long, for each model has its drawing and its arguments explained.

====================  ==============================================  ============================
model                 takes                                           returns
====================  ==============================================  ============================
`vanilla`             a sequence                                      a vector, or one at each step
`stacked`             a sequence with structure at several scales     a vector, or one at each step
`bidirectional`       a sequence that is known as a whole             a vector, or one at each step
`cnn_lstm`            a sequence of images, or of pieces of signals   a vector
`encoder_decoder`     a sequence                                      a sequence of another length
`generative`          a text, as ids                                  at each step the next id
====================  ==============================================  ============================

In the drawings B is the batch, T the number of steps; ``T=None`` takes any number of them. Sizes
and the options of the LSTM are arguments; for anything else build the model of `lstmfast.layers`
itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmfast._checks import items
from lstmfast.layers import (
    LSTM,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Layer,
    Masking,
    MaxPooling1D,
    MaxPooling2D,
    RepeatVector,
    TimeDistributed,
)
from lstmfast.models import Sequential
from lstmfast.utils import Seed

__all__ = ["bidirectional", "cnn_lstm", "encoder_decoder", "generative", "stacked", "vanilla"]


def vanilla(
    features: int,
    outputs: int = 1,
    *,
    steps: int | None = None,
    units: int = 64,
    activation: Any = "tanh",
    output_activation: Any = None,
    return_sequences: bool = False,
    dropout: float = 0.0,
    tokens: int | None = None,
    mask_value: float | None = None,
    seed: Seed = None,
    **cell: Any,
) -> Sequential:
    """One LSTM and a Dense: the first thing to try for any problem of sequences.

    It forecasts the next values of a series, classifies sequences, or with `return_sequences` says
    something at each step, as in an echo or a filter::

        (B, T, features) -> LSTM -> (B, units) -> Dense -> (B, outputs)
        (B, T, features) -> LSTM -> (B, T, units) -> Dense -> (B, T, outputs)   return_sequences

    Parameters
    ----------
    features : int
        Numbers a step.
    outputs : int
        Numbers to return: values of a forecast, or classes.
    steps : int, optional
        T; by default any.
    units : int
        The size of the LSTM.
    activation : str
        The LSTM's; ``"relu"`` counts on where ``"tanh"`` saturates.
    output_activation : str, optional
        The Dense's: ``"softmax"`` for classes, ``"sigmoid"`` for yes or no; none for numbers.
    return_sequences : bool
        Return outputs at each step, not after the last one.
    dropout : float
        The share of the LSTM's outputs that training drops.
    tokens : int, optional
        How many tokens there are: the input is their ids (B, T), and an `Embedding` makes
        `features` numbers of each.
    mask_value : float, optional
        Steps all of whose features have this value change nothing; of tokens that can be the id 0.
    seed : int or numpy.random.Generator, optional
        Of first weights, shuffling and dropout.
    **cell
        More options of the LSTM, those of `lstmfast.layers.LSTM`: ``forget_bias="chrono"``,
        ``peephole=True``, ``recurrent_dropout=0.2``.

    Returns
    -------
    Sequential
        A model that is not compiled.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> x = np.arange(1.0, 46.0).reshape(15, 3, 1)
    >>> model = lf.variants.vanilla(1, units=50, activation="relu", seed=0)
    >>> model.compile("adam", "mse")
    >>> run = model.fit(x, x.sum(axis=1), epochs=300, batch_size=3, verbose=0)
    >>> bool(abs(model.predict([[[50.0], [51.0], [52.0]]])[0, 0] - 153.0) < 3.0)
    True
    """
    given = locals()
    return stacked(**given.pop("cell"), **given | {"units": [units]})


def stacked(
    features: int,
    outputs: int = 1,
    *,
    steps: int | None = None,
    units: Sequence[int] = (64, 64),
    activation: Any = "tanh",
    output_activation: Any = None,
    return_sequences: bool = False,
    dropout: float = 0.0,
    tokens: int | None = None,
    mask_value: float | None = None,
    seed: Seed = None,
    **cell: Any,
) -> Sequential:
    """LSTMs on each other: for sequences with structure at several scales, as waves upon waves.

    Each LSTM but the last hands all its steps to the next::

        (B, T, features) -> LSTM -> (B, T, units[0]) -> ... -> LSTM -> (B, units[-1])
                         -> Dense -> (B, outputs)

    Parameters
    ----------
    features, outputs, steps, activation, output_activation, return_sequences, seed
        As in `vanilla`.
    tokens, mask_value, **cell
        As in `vanilla`.
    units : sequence of int
        The sizes of the LSTMs, the first one first.
    dropout : float
        The share of each LSTM's outputs that training drops.

    Returns
    -------
    Sequential
        A model that is not compiled.

    Examples
    --------
    >>> import lstmfast as lf
    >>> model = lf.variants.stacked(3, 4, units=(32, 16, 8), output_activation="softmax")
    >>> model.output_shape, [layer.name for layer in model.layers]
    ((None, 4), ['lstm', 'lstm_1', 'lstm_2', 'dense'])
    """
    start = _start(features, steps, tokens, mask_value)
    row = _lstms(units, dropout, "stacked", return_sequences, activation=activation, **cell)
    end = Dense(outputs, activation=output_activation)
    return Sequential([*start, *row, end], seed=seed)


def bidirectional(
    features: int,
    outputs: int = 1,
    *,
    steps: int | None = None,
    units: int = 64,
    activation: Any = "tanh",
    output_activation: Any = None,
    merge_mode: str = "concat",
    return_sequences: bool = False,
    dropout: float = 0.0,
    tokens: int | None = None,
    mask_value: float | None = None,
    seed: Seed = None,
    **cell: Any,
) -> Sequential:
    """An LSTM each way: where what comes later says something about a step, as in tagging words.

    It needs the whole sequence, so it can neither forecast step by step nor stream::

                         -> LSTM forwards  ->
        (B, T, features)                      (B, 2 units) -> Dense -> (B, outputs)
                         -> LSTM backwards ->

    Parameters
    ----------
    features, outputs, steps, activation, output_activation, return_sequences, dropout, seed
        As in `vanilla`.
    tokens, mask_value, **cell
        As in `vanilla`.
    units : int
        The size of each of the two LSTMs.
    merge_mode : {"concat", "sum", "mul", "ave"}
        How both outputs are merged; other than side by side they are `units` numbers.

    Returns
    -------
    Sequential
        A model that is not compiled.

    Examples
    --------
    >>> import lstmfast as lf
    >>> model = lf.variants.bidirectional(8, 5, output_activation="softmax", return_sequences=True)
    >>> model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    >>> model.output_shape
    (None, None, 5)
    """
    both = LSTM(units, activation=activation, return_sequences=return_sequences, **cell)
    row: list[Layer] = _start(features, steps, tokens, mask_value)
    row += [Bidirectional(both, merge_mode), *([Dropout(dropout)] if dropout else [])]
    end = Dense(outputs, activation=output_activation)
    return Sequential([*row, end], seed=seed)


def cnn_lstm(
    frame: Sequence[int],
    outputs: int = 1,
    *,
    steps: int | None = None,
    filters: Sequence[int] = (16,),
    kernel_size: int = 3,
    pool_size: int = 2,
    units: int = 64,
    output_activation: Any = None,
    seed: Seed = None,
    **cell: Any,
) -> Sequential:
    """Convolutions that look at each frame, and an LSTM over what they see: for videos and signals.

    It says what happens in a video, or classifies a long signal that is cut into T pieces::

        (B, T, *frame) -> at each step: Conv, relu -> MaxPooling -> ... -> Flatten
                       -> (B, T, what is seen) -> LSTM -> (B, units) -> Dense -> (B, outputs)

    Parameters
    ----------
    frame : (height, width, channels) or (length, channels)
        The shape of an image, or of a piece of a signal.
    outputs, steps, output_activation, seed, **cell
        As in `vanilla`.
    filters : sequence of int
        Those of each convolution; its outputs are as large as its inputs, and are pooled.
    kernel_size, pool_size : int
        Of each convolution and each pooling.
    units : int
        The size of the LSTM.

    Returns
    -------
    Sequential
        A model that is not compiled.

    Examples
    --------
    >>> import lstmfast as lf
    >>> model = lf.variants.cnn_lstm((28, 28, 1), 2, filters=(8, 16), output_activation="softmax")
    >>> model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    >>> model.output_shape
    (None, 2)
    """
    shape = items(frame, "frame", "cnn_lstm", "a shape: (height, width, channels)")
    if len(shape) not in (2, 3):
        raise ValueError(
            f"[cnn_lstm] frame is {tuple(shape)}; expected (height, width, channels) or "
            "(length, channels)"
        )
    convolution, pooling = (Conv1D, MaxPooling1D) if len(shape) == 2 else (Conv2D, MaxPooling2D)
    each: list[Layer] = []
    for size in _sizes(filters, "filters", "cnn_lstm"):
        each.append(convolution(size, kernel_size, padding="same", activation="relu"))
        each.append(pooling(pool_size))
    row: list[Layer] = [TimeDistributed(layer) for layer in [*each, Flatten()]]
    end = Dense(outputs, activation=output_activation)
    return Sequential([Input((steps, *shape)), *row, LSTM(units, **cell), end], seed=seed)


def encoder_decoder(
    features: int,
    outputs: int = 1,
    *,
    steps_out: int,
    steps: int | None = None,
    units: int = 64,
    activation: Any = "tanh",
    output_activation: Any = None,
    tokens: int | None = None,
    mask_value: float | None = None,
    seed: Seed = None,
    **cell: Any,
) -> Sequential:
    """One LSTM reads a sequence into a vector, another writes one of another length from it.

    For forecasts of several steps, sums written as digits, short translations::

        (B, T, features) -> LSTM -> (B, units) -> RepeatVector -> (B, steps_out, units)
                         -> LSTM -> (B, steps_out, units) -> Dense at each step
                         -> (B, steps_out, outputs)

    The decoder does not see what it has written.

    Parameters
    ----------
    features, outputs, steps, activation, output_activation, seed
        As in `vanilla`; `outputs` at each step.
    tokens, mask_value, **cell
        As in `vanilla`.
    steps_out : int
        The number of steps to return.
    units : int
        The size of both LSTMs.

    Returns
    -------
    Sequential
        A model that is not compiled.

    Examples
    --------
    >>> import lstmfast as lf
    >>> model = lf.variants.encoder_decoder(1, steps_out=3, units=100, activation="relu")
    >>> model.compile("adam", "mse")
    >>> model.output_shape
    (None, 3, 1)
    """
    row = [
        *_start(features, steps, tokens, mask_value),
        LSTM(units, activation=activation, **cell),
        RepeatVector(steps_out),
        LSTM(units, activation=activation, return_sequences=True, **cell),
        TimeDistributed(Dense(outputs, activation=output_activation)),
    ]
    return Sequential(row, seed=seed)


def generative(
    tokens: int,
    *,
    steps: int | None = None,
    embedding: int = 32,
    units: Sequence[int] = (128,),
    dropout: float = 0.0,
    seed: Seed = None,
    **cell: Any,
) -> Sequential:
    """An LSTM that says at each step how likely each next token is: it writes texts, or music.

    Train it with texts and the same texts one step later, and the loss
    ``"sparse_categorical_crossentropy"``; then `Model.generate` continues texts::

        (B, T) ids -> Embedding -> (B, T, embedding) -> LSTM -> ... -> (B, T, units[-1])
                   -> Dense, softmax -> (B, T, tokens)

    Parameters
    ----------
    tokens : int
        How many tokens there are; ids are 0 to below it.
    steps : int, optional
        T; by default any.
    embedding : int
        The size of the vector that stands for a token.
    units : sequence of int
        The sizes of the LSTMs.
    dropout : float
        The share of each LSTM's outputs that training drops.
    seed, **cell
        As in `vanilla`.

    Returns
    -------
    Sequential
        A model that is not compiled.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> text = np.tile(np.arange(5), 20)[None]  # 0 1 2 3 4 0 1 2 3 4 ...
    >>> model = lf.variants.generative(5, embedding=8, units=(16,), seed=0)
    >>> model.compile(lf.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    >>> run = model.fit(text[:, :-1], text[:, 1:], epochs=60, verbose=0)
    >>> model.generate([0, 1, 2], 4, temperature=0).tolist()
    [3, 4, 0, 1]
    """
    row = [Embedding(tokens, embedding), *_lstms(units, dropout, "generative", **cell)]
    end = Dense(tokens, activation="softmax")
    return Sequential([Input((steps,), dtype="int32"), *row, end], seed=seed)


def _start(
    features: int, steps: int | None, tokens: int | None, mask_value: float | None
) -> list[Any]:
    """Return the input, and what makes vectors of ids or masks steps."""
    if tokens is None:
        masking = [] if mask_value is None else [Masking(mask_value)]
        return [Input((steps, features)), *masking]
    if mask_value not in (None, 0):
        raise ValueError(f"[variants] mask_value is {mask_value!r}; expected 0 or None with tokens")
    ids = Input((steps,), dtype="int32")
    return [ids, Embedding(tokens, features, mask_zero=mask_value is not None)]


def _lstms(
    units: Any, dropout: float, where: str, all_steps: bool = True, **cell: Any
) -> list[Layer]:
    """Return LSTMs on each other; the last one returns all steps, or the last."""
    sizes, row = _sizes(units, "units", where), list[Layer]()
    for place, size in enumerate(sizes, 1):
        row.append(LSTM(size, return_sequences=all_steps or place < len(sizes), **cell))
        row += [Dropout(dropout)] if dropout else []
    return row


def _sizes(sizes: Any, name: str, where: str) -> list[int]:
    """Return the sizes of layers on each other; the layers check them."""
    found: list[int] = items(sizes, name, where, "a list of sizes: (64, 64)")
    if not found:
        raise ValueError(f"[{where}] {name} is empty; expected one size a layer")
    return found

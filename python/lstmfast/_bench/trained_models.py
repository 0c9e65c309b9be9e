"""Models as people train them, from toy to encoder-decoder, with made data; in torch as well.

A training in torch is a list of modules, in the order in which ours have their weights, and a
function that computes the loss of a batch with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstmfast._bench.problems import Array
from lstmfast._bench.protocol import Goal
from lstmfast.layers import LSTM, Bidirectional, Dense, Embedding, Input, TimeDistributed
from lstmfast.models import EncoderDecoder, Model, Sequential

Data = tuple[Array, Array]

WORDS, WIDTH, TAGS = 1000, 32, 9  # of the tagger: words and tags with 0 for padding, vectors
SHORTEST, LONGEST = 5, 40
TOKENS, SOURCE, TARGET = 16, 20, 12  # of the translation; token 0 starts a target
NAMED = "sparse_categorical_crossentropy"
# Where a digit of seven segments has its bars, and which bars make 0 to 9.
BARS = {
    "a": np.s_[4:6, 9:19], "b": np.s_[4:14, 17:19], "c": np.s_[14:24, 17:19],
    "d": np.s_[22:24, 9:19], "e": np.s_[14:24, 9:11], "f": np.s_[4:14, 9:11],
    "g": np.s_[13:15, 9:19],
}  # fmt: skip
DIGITS = (
    "abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg",
)  # fmt: skip


@dataclass(frozen=True)
class Training:
    """A model, its data, and the same for torch.

    Attributes
    ----------
    ours : callable
        Returns the model, not compiled.
    theirs : callable
        Returns torch's modules for the module `torch.nn`.
    theirs_loss : callable
        Returns the loss for `torch`, the modules, and a batch of x and of y.
    data : callable
        Returns x and y for a generator and a number of samples.
    forward_flops : callable
        Returns the FLOP of the products of LSTM and Dense layers for x and y.
    batches : int
        Of an epoch.
    goal : Goal
        On one thread.
    """

    name: str
    ours: Callable[[], Model]
    theirs: Callable[[Any], list[Any]]
    theirs_loss: Callable[[Any, list[Any], Any, Any], Any]
    loss: str
    data: Callable[[np.random.Generator, int], Data]
    forward_flops: Callable[[Array, Array], float]
    batches: int
    batch_size: int
    goal: Goal


def lstm_flops(steps: int, inputs: int, units: int) -> float:
    """Return the FLOP of the products of this many steps of a row."""
    return 8.0 * units * (inputs + units) * steps


def dense_flops(rows: int, inputs: int, units: int) -> float:
    """Return the FLOP of a product with this many rows."""
    return 2.0 * inputs * units * rows


def _sine(rng: np.random.Generator, samples: int) -> Data:
    """Return ten steps of sines, and the next one."""
    steps = rng.uniform(0.0, 6.3, (samples, 1)) + 0.5 * np.arange(11)
    wave = np.sin(steps).astype(np.float32)
    return wave[:, :-1, None].copy(), wave[:, -1:].copy()


def _digits(rng: np.random.Generator, samples: int) -> Data:
    """Return pictures of digits, each moved by up to three pixels, in noise."""
    drawn = np.zeros((10, 28, 28), np.float32)
    for picture, bars in zip(drawn, DIGITS, strict=True):
        for bar in bars:
            picture[BARS[bar]] = 1.0
    y = rng.integers(0, 10, samples)
    down, right = np.arange(28) + rng.integers(-3, 4, (2, samples, 1))
    x = drawn[y[:, None, None], down[:, :, None] % 28, right[:, None, :] % 28]
    return x + rng.normal(0.0, 0.3, x.shape).astype(np.float32), y


def _windows(rng: np.random.Generator, samples: int) -> Data:
    """Return windows of a series of eight channels, and the value of the first one after each."""
    periods = np.geomspace(6.0, 200.0, 8)
    series = np.sin(np.arange(samples + 96)[:, None] / periods)
    series = (series + series[:, ::-1] + rng.normal(0.0, 0.1, series.shape)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(series[:-1], 96, axis=0)
    return windows.swapaxes(1, 2).copy(), series[96:, :1].copy()


def _tagged(rng: np.random.Generator, samples: int) -> Data:
    """Return rows of words, and tags that depend on the neighbours as well; both end in zeros."""
    words = rng.integers(1, WORDS, (samples, LONGEST + 2))
    real = np.arange(LONGEST) < rng.integers(SHORTEST, LONGEST + 1, (samples, 1))
    tags = 1 + (words[:, :-2] + words[:, 1:-1] + words[:, 2:]) % (TAGS - 1)
    return words[:, 1:-1] * real, tags * real


def _reversed(rng: np.random.Generator, samples: int) -> Data:
    """Return rows of tokens, and the last ones of each, backwards."""
    x = rng.integers(1, TOKENS, (samples, SOURCE))
    return x, x[:, : -TARGET - 1 : -1].copy()


def _squares(torch: Any, layers: list[Any], x: Any, y: Any) -> Any:
    """Return the loss of the values that a Dense makes of the last state."""
    lstm, dense = layers
    return torch.nn.functional.mse_loss(dense(lstm(x)[1][0][-1]), y)


def _classes(torch: Any, layers: list[Any], x: Any, y: Any) -> Any:
    """Return the loss of the classes that a Dense makes of the last state."""
    lstm, dense = layers
    return torch.nn.functional.cross_entropy(dense(lstm(x)[1][0][-1]), y)


def _tags(torch: Any, layers: list[Any], x: Any, y: Any) -> Any:
    """Return the loss of the tags, on rows that are cut after the longest one.

    An LSTM for each direction: the second reads each row from its last word on, so that padding
    comes after the words for both. `torch.nn.LSTM` leaves its fast path for packed rows, on which
    a step takes two to three times as long.
    """
    embedding, forward, backward, dense = layers
    lengths = (x != 0).sum(1, keepdim=True)
    T = int(lengths.max())
    x, y = x[:, :T], y[:, :T]
    turned = (lengths - 1 - torch.arange(T)) % T
    back, _ = backward(embedding(x.gather(1, turned)))
    back = back.gather(1, turned[:, :, None].expand_as(back))
    scores = dense(torch.cat([forward(embedding(x))[0], back], -1))
    functions = torch.nn.functional
    return functions.cross_entropy(scores.flatten(0, 1), y.flatten(), ignore_index=0)


def _translated(torch: Any, layers: list[Any], x: Any, y: Any) -> Any:
    """Return the loss of the tokens, each with those before it given."""
    embedding, targets, encoder, decoder, dense = layers
    functions = torch.nn.functional
    _, state = encoder(embedding(x))
    outputs, _ = decoder(targets(functions.pad(y[:, :-1], (1, 0))), state)
    return functions.cross_entropy(dense(outputs).flatten(0, 1), y.flatten())


TRAININGS = (
    Training(
        "sine",
        lambda: Sequential([Input((10, 1)), LSTM(32), Dense(1)]),
        lambda nn: [nn.LSTM(1, 32, batch_first=True), nn.Linear(32, 1)],
        _squares, "mse", _sine,
        lambda x, y: lstm_flops(x.size, 1, 32) + dense_flops(len(x), 32, 1),
        60, 32, Goal("ratio", 12.0),
    ),
    Training(
        "digits",
        lambda: Sequential([Input((28, 28)), LSTM(128), Dense(10, activation="softmax")]),
        lambda nn: [nn.LSTM(28, 128, batch_first=True), nn.Linear(128, 10)],
        _classes, NAMED, _digits,
        lambda x, y: lstm_flops(28 * len(x), 28, 128) + dense_flops(len(x), 128, 10),
        60, 64, Goal("peak_share", 0.92),
    ),
    Training(
        "windows",
        lambda: Sequential([Input((96, 8)), LSTM(64, return_sequences=True), LSTM(64), Dense(1)]),
        lambda nn: [nn.LSTM(8, 64, 2, batch_first=True), nn.Linear(64, 1)],
        _squares, "mse", _windows,
        lambda x, y: (
            lstm_flops(96 * len(x), 8, 64) + lstm_flops(96 * len(x), 64, 64)
            + dense_flops(len(x), 64, 1)
        ),
        40, 32, Goal("peak_share", 0.80),
    ),
    Training(
        "tagger",
        lambda: Sequential([
            Input((None,), dtype="int32"), Embedding(WORDS, WIDTH, mask_zero=True),
            Bidirectional(LSTM(64, return_sequences=True)),
            TimeDistributed(Dense(TAGS, activation="softmax")),
        ]),
        lambda nn: [
            nn.Embedding(WORDS, WIDTH), nn.LSTM(WIDTH, 64, batch_first=True),
            nn.LSTM(WIDTH, 64, batch_first=True), nn.Linear(128, TAGS),
        ],
        _tags, NAMED, _tagged,
        lambda x, y: (
            2.0 * lstm_flops(int(np.count_nonzero(x)), WIDTH, 64)
            + dense_flops(int(np.count_nonzero(x)), 128, TAGS)
        ),
        60, 32, Goal("peak_share", 0.80),
    ),
    Training(
        "translation",
        lambda: EncoderDecoder(
            Sequential([Input((None,), dtype="int32"), Embedding(TOKENS, 64), LSTM(128)]),
            128, tokens=TOKENS, embedding_dim=64, length=TARGET,
        ),
        lambda nn: [
            *(nn.Embedding(TOKENS, 64) for _ in range(2)),
            *(nn.LSTM(64, 128, batch_first=True) for _ in range(2)), nn.Linear(128, TOKENS),
        ],
        _translated, NAMED, _reversed,
        lambda x, y: lstm_flops(x.size + y.size, 64, 128) + dense_flops(y.size, 128, TOKENS),
        40, 64, Goal("peak_share", 0.92),
    ),
)  # fmt: skip

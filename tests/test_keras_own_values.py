"""The values of Keras's own tests: settings and expected outputs, re-entered from their files.

Each case names the file of Keras 3.15 (below keras/src/layers) that has the numbers. Weights are
constants there, 0.01, 0.02 and 0.03 unless a case says otherwise; inputs count up from 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lstmfast.initializers import Constant
from lstmfast.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Embedding,
    Masking,
    SimpleRNN,
    TimeDistributed,
)
from lstmfast.models import Sequential

CELLS = {"lstm": LSTM, "gru": GRU, "simple_rnn": SimpleRNN}
CLOSE = {"rtol": 1e-5, "atol": 1e-5}  # those of Keras's tests, whose numbers have so many digits


def rnn(cls: Any, units: int, numbers: tuple[float, ...] = (0.01, 0.02, 0.03), **more: Any) -> Any:
    kernel, recurrent, bias = (Constant(number) for number in numbers)
    return cls(
        units,
        kernel_initializer=kernel,
        recurrent_initializer=recurrent,
        bias_initializer=bias,
        **more,
    )


def counting(*shape: int) -> Any:
    return np.arange(np.prod(shape)).reshape(shape).astype("float32")


def wide(rows: list[float], units: int) -> Any:
    """Rows whose units all have one value."""
    return np.repeat(np.array(rows)[..., None], units, axis=-1)


# rnn/lstm_test.py, gru_test.py, simple_rnn_test.py, test_correctness: cell, shape of the input,
# units, settings, the one value of the units of each row
LAST: list[tuple[str, tuple[int, ...], int, dict[str, Any], list[float]]] = [
    ("lstm", (3, 6, 4), 3, {}, [0.6288687, 0.86899155, 0.9460773]),
    ("lstm", (3, 6, 4), 3, {"go_backwards": True}, [0.35622165, 0.74789524, 0.8872726]),
    ("lstm", (3, 6, 4), 3, {"unroll": True}, [0.6288687, 0.86899155, 0.9460773]),
    ("lstm", (3, 6, 4), 3, {"unit_forget_bias": False}, [0.57019705, 0.8661914, 0.9459622]),
    ("lstm", (3, 6, 4), 3, {"use_bias": False}, [0.54986924, 0.86226785, 0.9443936]),
    ("gru", (3, 6, 4), 3, {}, [0.5217289, 0.6371659, 0.39384964]),
    ("gru", (3, 6, 4), 3, {"go_backwards": True}, [0.24406259, 0.611516, 0.3928808]),
    ("gru", (3, 6, 4), 3, {"unroll": True}, [0.5217289, 0.6371659, 0.39384964]),
    ("gru", (3, 6, 4), 3, {"reset_after": False}, [0.51447755, 0.6426879, 0.40208298]),
    ("gru", (3, 6, 4), 3, {"use_bias": False}, [0.49988455, 0.64701194, 0.4103359]),
    ("simple_rnn", (2, 3, 4), 4, {}, [0.405432, 0.73605347]),
    ("simple_rnn", (2, 3, 4), 4, {"unroll": True}, [0.405432, 0.73605347]),
    ("simple_rnn", (2, 3, 4), 4, {"go_backwards": True}, [0.11144729, 0.5528889]),
]


@pytest.mark.parametrize(("cell", "shape", "units", "settings", "expected"), LAST)
def test_correctness(
    cell: str, shape: tuple[int, ...], units: int, settings: dict[str, Any], expected: list[float]
) -> None:
    layer = rnn(CELLS[cell], units, **settings)
    np.testing.assert_allclose(layer(counting(*shape)), wide(expected, units), **CLOSE)


# test_statefulness: the second of two calls
STATEFUL: list[tuple[str, list[float]]] = [
    ("lstm", [0.3124785, 0.6863672]),
    ("simple_rnn", [0.40559256, 0.7361247]),
]


@pytest.mark.parametrize(("cell", "expected"), STATEFUL)
def test_statefulness(cell: str, expected: list[float]) -> None:
    layer = rnn(CELLS[cell], 4, stateful=True)
    for _ in range(2):
        layer(counting(2, 3, 4))
        np.testing.assert_allclose(layer(counting(2, 3, 4)), wide(expected, 4), **CLOSE)
        layer.reset_states()


# rnn/lstm_test.py, test_pass_initial_state
@pytest.mark.parametrize(
    ("backwards", "expected"),
    [
        (False, [[0.20574439, 0.3558822], [0.64930826, 0.66276]]),
        (True, [[0.13281618, 0.2790356], [0.5839337, 0.5992567]]),
    ],
)
def test_initial_state(backwards: bool, expected: list[list[float]]) -> None:
    layer = rnn(LSTM, 2, go_backwards=backwards)
    found = layer(counting(2, 4, 3), initial_state=[counting(2, 2), counting(2, 2)])
    np.testing.assert_allclose(found, expected, **CLOSE)


# test_masking: cell, mask, the last output, outputs of the steps
MASKS: list[tuple[str, list[list[int]], list[float], list[list[float]]]] = [
    (
        "lstm",
        [[1, 1, 1, 0], [1, 1, 0, 0]],
        [0.11755939, 0.28556206],
        [
            [0.01588910, 0.05552048, 0.11755939, 0.11755939],
            [0.14185596, 0.28556206, 0.28556206, 0.28556206],
        ],
    ),
    (
        "gru",
        [[1, 1, 0, 1], [1, 0, 0, 1]],
        [0.19393763, 0.30818558],
        [
            [0.03606692, 0.09497581, 0.09497581, 0.19393763],
            [0.16051409, 0.16051409, 0.16051409, 0.30818558],
        ],
    ),
]


@pytest.mark.parametrize(("cell", "mask", "last", "steps"), MASKS)
def test_masking(
    cell: str, mask: list[list[int]], last: list[float], steps: list[list[float]]
) -> None:
    x, m = counting(2, 4, 3), np.array(mask, bool)
    np.testing.assert_allclose(rnn(CELLS[cell], 2)(x, mask=m), wide(last, 2), **CLOSE)
    each = rnn(CELLS[cell], 2, return_sequences=True)(x, mask=m)
    np.testing.assert_allclose(each, wide(steps, 2), **CLOSE)
    zeros = rnn(CELLS[cell], 2, return_sequences=True, zero_output_for_mask=True)(x, mask=m)
    np.testing.assert_allclose(zeros, wide(steps, 2) * m[..., None], **CLOSE)


# rnn/bidirectional_test.py: how the layer is made, its output
BOTH_WAYS: list[tuple[Callable[[], Any], Any]] = [
    (
        lambda: Bidirectional(rnn(SimpleRNN, 2)),
        [
            [0.39687276, 0.39687276, 0.10004295, 0.10004295],
            [0.7237238, 0.7237238, 0.53391594, 0.53391594],
        ],
    ),
    (
        lambda: Bidirectional(rnn(SimpleRNN, 2), merge_mode="ave"),
        [[0.24845785, 0.24845785], [0.6288199, 0.6288199]],
    ),
    (
        lambda: Bidirectional(
            rnn(SimpleRNN, 2),
            backward_layer=rnn(SimpleRNN, 2, (0.03, 0.02, 0.01), go_backwards=True),
            merge_mode="mul",
        ),
        [[0.08374989, 0.08374989], [0.6740834, 0.6740834]],
    ),
    (
        lambda: Bidirectional(rnn(GRU, 2, return_sequences=True), merge_mode="sum"),
        wide([[0.20937867, 0.34462988, 0.40290534], [0.59829646, 0.6734641, 0.6479671]], 2),
    ),
]


@pytest.mark.parametrize(("make", "expected"), BOTH_WAYS)
def test_bidirectional(make: Callable[[], Any], expected: Any) -> None:
    np.testing.assert_allclose(make()(counting(2, 3, 4)), expected, **CLOSE)


def test_bidirectional_apart() -> None:
    found = Bidirectional(rnn(SimpleRNN, 2), merge_mode=None)(counting(2, 3, 4))
    np.testing.assert_allclose(found[0], wide([0.39687276, 0.7237238], 2), **CLOSE)
    np.testing.assert_allclose(found[1], wide([0.10004295, 0.53391594], 2), **CLOSE)


def test_bidirectional_statefulness() -> None:
    layer = Bidirectional(rnn(LSTM, 2, stateful=True))
    expected = [
        [0.26234663, 0.26234663, 0.16959146, 0.16959146],
        [0.6137073, 0.6137073, 0.5381646, 0.5381646],
    ]
    layer(counting(2, 4, 3))
    np.testing.assert_allclose(layer(counting(2, 4, 3)), expected, **CLOSE)


# core/embedding_test.py
def test_embedding() -> None:
    layer = Embedding(3, 2)
    layer(np.zeros((1, 3), np.int32))
    layer.embeddings.assign(np.array([[0.0, 0.0], [2.0, 2.0], [3.0, 3.0]]))
    found = layer(np.array([[2, 1, 0]]))
    np.testing.assert_array_equal(found, [[[3.0, 3.0], [2.0, 2.0], [0.0, 0.0]]])


# core/masking_test.py, test_masking_correctness: here masks show in the zeros of a layer after it
def test_masking_layer() -> None:
    x = [[[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]], [[2.0, 2.0], [0.0, 0.0], [2.0, 1.0]]]
    after = SimpleRNN(1, return_sequences=True, zero_output_for_mask=True, bias_initializer="ones")
    found = Sequential([Masking(0.0, input_shape=(3, 2)), after]).predict(x, verbose=0)
    expected = [[False, True, False], [True, False, True]]
    np.testing.assert_array_equal(found[..., 0] != 0, expected)


# rnn/time_distributed_test.py, test_masking: where its layer, which multiplies by the mask, has 1
def test_time_distributed() -> None:
    layer = TimeDistributed(Dense(1, kernel_initializer=Constant(0.01), use_bias=False))
    mask = np.array([[False, True], [True, False], [True, True]])
    found = layer(counting(3, 2, 4)) * mask[..., None]
    np.testing.assert_allclose(found, [[[0], [0.22]], [[0.38], [0]], [[0.7], [0.86]]], **CLOSE)

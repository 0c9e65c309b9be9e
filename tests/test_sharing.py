"""Shares of threads that are empty, uneven, or change between forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import lstmfast as lf
import runs

Arrays = dict[str, npt.NDArray[Any]]

pytestmark = pytest.mark.isa


def trained(
    rnn: lf.LSTM, x: npt.NDArray[Any], threads: tuple[int, int], **arguments: Any
) -> Arrays:
    """Results of a forward and a backward call, each with its own number of threads."""
    rnn.zero_grad()
    with runs.threads(threads[0]):
        y, (h, c) = rnn(x, training=True, **arguments)
    with runs.threads(threads[1]):
        dx, (dh0, dc0) = rnn.backward(np.cos(y))
    return {"y": y, "h": h, "c": c, "dx": dx, "dh0": dh0, "dc0": dc0, **rnn.grads()}


@pytest.mark.parametrize("outputs", [5, 16, 20, 33])
def test_a_thread_without_a_share_of_the_projection(outputs: int) -> None:
    rng = np.random.default_rng(outputs)
    rnn = lf.LSTM(64, 256, proj_size=outputs, seed=0)
    x = rng.standard_normal((8, 12, 64)).astype(np.float32)
    resets = rng.random((8, 12)) < 0.3
    expected = trained(rnn, x, (1, 1), resets=resets)
    for threads in (2, 4):
        runs.assert_same_bits(trained(rnn, x, (threads, threads), resets=resets), expected)


@pytest.mark.parametrize("outputs", [0, 7])
def test_more_threads_for_real_steps_than_for_all(outputs: int) -> None:
    """By all steps panels are shared among few, by real ones rows among more."""
    rng = np.random.default_rng(0)
    rnn = lf.LSTM(28, 32, layer_norm=True, proj_size=outputs, dtype="float64", seed=0)
    x = rng.standard_normal((31, 60, 28))
    lengths = rng.integers(0, 61, 31)
    expected = trained(rnn, x, (1, 1), lengths=lengths)
    for _ in range(3):
        runs.assert_same_bits(trained(rnn, x, (4, 4), lengths=lengths), expected)


@pytest.mark.parametrize("between", [(1, 4), (4, 1), (2, 4)])
def test_another_number_of_threads_for_backward(between: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    rnn = lf.LSTM(48, 96, layer_norm=True, proj_size=24, seed=0, recompute_every=7)
    x = rng.standard_normal((33, 20, 48)).astype(np.float32)
    runs.assert_same_bits(trained(rnn, x, between), trained(rnn, x, (1, 1)))


def test_masks_of_steps_where_rows_end() -> None:
    """The mask of a step has no rows for those that ended before it."""
    rng = np.random.default_rng(0)
    lengths = np.array([3] + [2] * 39)
    x = rng.standard_normal((40, 3, 8)).astype(np.float32)

    def run(threads: int) -> Arrays:
        rnn = lf.LSTM(8, 50, recurrent_dropout=0.5, recurrent_dropout_kind="step", seed=0)
        return trained(rnn, x, (threads, threads), lengths=lengths)

    expected = run(1)
    runs.assert_same_bits(run(2), expected)
    assert all(np.isfinite(value).all() for value in expected.values())
    assert not expected["y"][1:, 2].any()

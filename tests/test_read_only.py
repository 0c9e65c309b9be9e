"""y of a training call is read-only as long as backward may read it."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import lstmfast as lf

SHAPES = [(2, 5, 3), (5, 3)]  # a batch, and one sequence


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("cells", [False, True])
def test_y_of_an_object_that_is_gone(shape: tuple[int, ...], cells: bool) -> None:
    rnn = lf.LSTM(3, 4, seed=0, return_cell_states=cells)
    y = rnn(np.ones(shape, np.float32), training=True)[0]
    assert not y.flags.writeable
    del rnn
    gc.collect()
    y[...] = 0


@pytest.mark.parametrize("shape", SHAPES)
def test_y_of_a_call_that_is_over(shape: tuple[int, ...]) -> None:
    rnn = lf.LSTM(3, 4, seed=0)
    x = np.ones(shape, np.float32)

    def trained() -> np.ndarray:
        y, _ = rnn(x, training=True)
        assert not y.flags.writeable
        return y

    y = trained()
    rnn.backward(np.ones_like(y))
    assert y.flags.writeable
    y = trained()
    again = trained()
    assert y.flags.writeable
    rnn.load_state_dict(rnn.state_dict())
    assert again.flags.writeable
    y = trained()
    with pytest.raises(ValueError, match="expected"):  # refused: y is still to be read
        rnn(np.ones((2, 5, 7), np.float32), training=True)
    assert not y.flags.writeable
    rnn.backward(y)
    out = np.zeros_like(y)
    rnn(x, training=True, out=out)
    assert out.flags.writeable


@pytest.mark.parametrize("shape", SHAPES)
def test_y_of_functions(shape: tuple[int, ...]) -> None:
    w_ih, w_hh = np.ones((16, 3), np.float32), np.ones((16, 4), np.float32)
    x = np.ones(shape, np.float32)
    y, _ = lf.functional.lstm(x, w_ih, w_hh, seed=0, input_dropout=0.5)
    assert y.flags.writeable
    (y, _), _vjp = lf.functional.lstm_vjp(x, w_ih, w_hh)
    assert y.flags.writeable

"""Cells of recurrent layers that are called by hand, on tensors and on arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.layers import (
    RNN,
    Dense,
    GRUCell,
    Input,
    Layer,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
)
from lstmfast.models import Model, Sequential, load_model

ops: Any = lf.ops  # many of whose names are made in a loop


RNG = np.random.default_rng(0)


X = RNG.random((4, 5, 2)).astype(np.float32)


@pytest.mark.parametrize("kind", [LSTMCell, GRUCell, SimpleRNNCell])
def test_a_cell_step_by_step_computes_what_its_layer_does(kind: Any) -> None:
    cell = kind(3)
    layer = RNN(cell, return_sequences=True, return_state=True)
    whole, *last = layer(X)
    states = cell.get_initial_state(4)
    x, model_states = Input((2,)), [Input((3,)) for _ in states]
    y, after = cell(x, model_states)
    model = Model([x, *model_states], [y, *after])
    for t in range(5):
        by_model = model.predict([X[:, t], *states])
        y, states = cell(X[:, t], states)
        np.testing.assert_array_equal(y, whole[:, t])
        np.testing.assert_array_equal(by_model[0], y)
        np.testing.assert_array_equal(by_model[-1], states[-1])
    for state, want in zip(states, last, strict=True):
        np.testing.assert_array_equal(state, want)
    assert np.shape(states[0]) == (4, *np.atleast_1d(cell.state_size)[:1])


def test_one_state_need_not_be_in_a_list() -> None:
    cell = GRUCell(3)
    y, state = cell(X[:, 0], np.zeros((4, 3)))
    np.testing.assert_array_equal(y, state)
    np.testing.assert_array_equal(cell(X[:, 0], [np.zeros((4, 3))])[1][0], state)


def test_stacked_cells() -> None:
    cells = StackedRNNCells([GRUCell(3), LSTMCell(2)])
    rnn = RNN(cells, return_sequences=True)
    want = rnn(X)
    states = cells.get_initial_state(4)
    assert cells.state_size == [3, [2, 2]]
    for t in range(5):
        y, states = cells(X[:, t], states)
        np.testing.assert_array_equal(y, want[:, t])


class FeedBack(Model):
    """TensorFlow's tutorial on time series: a forecast is the input of the next step."""

    def __init__(self, units: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.cell = LSTMCell(units)
        self.warm = RNN(self.cell, return_state=True)
        self.head = Dense(2)

    def call(self, inputs: Any, training: Any = None) -> Any:
        x, *state = self.warm(inputs)
        found = [self.head(x)]
        for _ in range(1, self.steps):
            x, state = self.cell(found[-1], states=state, training=training)
            found.append(self.head(x))
        return ops.stack(found, axis=1)


def test_a_cell_shares_weights_with_its_layer_in_a_model() -> None:
    model = FeedBack(4, 3)
    model.compile("adam", "mse")
    model.fit(X, X[:, :3], verbose=0)
    assert model.count_params() == 4 * 4 * (2 + 4 + 1) + 4 * 2 + 2
    y, h, c = model.warm(X)
    for t in range(3):
        step = model.head(y)
        np.testing.assert_allclose(model.predict(X)[:, t], step, rtol=1e-6)
        y, (h, c) = model.cell(step, [h, c])


class Steps(Layer):
    def __init__(self) -> None:
        super().__init__()
        self.cell = GRUCell(3)

    def call(self, x: Any) -> Any:
        state = ops.zeros_like(x[:, 0, :1] * np.ones((1, 3)))
        for t in range(5):
            y, state = self.cell(x[:, t], state)
        return y


def test_a_cell_in_a_layer_of_one_s_own() -> None:
    layer = Steps()
    model = Sequential([Input((5, 2)), layer])
    made: Any = layer.cell._made
    np.testing.assert_array_equal(model.predict(X), made(X)[0])
    assert layer.cell.built
    assert len(layer.cell.get_weights()) == 3


@pytest.mark.parametrize("cell", [LSTMCell, GRUCell, SimpleRNNCell])
@pytest.mark.parametrize("ending", ["keras", "h5", "safetensors"])
def test_files_of_cells_called_by_hand(tmp_path: Path, cell: Any, ending: str) -> None:
    if ending == "h5":
        pytest.importorskip("h5py")
    one = cell(3)
    x = Input((2,))
    states = [Input((3,)) for _ in one.get_initial_state(1)]
    _, after = one(x, states)
    model = Model([x, *states], one(x, after)[0])
    model.save(tmp_path / f"m.{ending}")
    data = [X[:, 0], *one.get_initial_state(4)]
    again = load_model(tmp_path / f"m.{ending}")
    np.testing.assert_array_equal(again.predict(data), model.predict(data))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda cell: cell(X[:, 0], np.zeros((4, 3))),
            r"\[layers.LSTMCell\] states has 1 arrays; expected 2",
        ),
        (
            lambda cell: StackedRNNCells([cell])(X[:, 0], []),
            r"\[layers.StackedRNNCells\] states has 0 items; expected 1",
        ),
        (lambda cell: RNN(cell), r"\[layers.RNN\] cell has weights, for it was called; expected"),
    ],
)
def test_refused_calls_of_cells(call: Any, text: str) -> None:
    cell = LSTMCell(3)
    cell(X[:, 0], cell.get_initial_state(4))
    with pytest.raises(ValueError, match=text):
        call(cell)

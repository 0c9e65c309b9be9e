"""Keras's cells, and `RNN`, which makes of them the layers that the core runs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from lstmfast._checks import items, wrong_kind
from lstmfast.layers._gru import GRU
from lstmfast.layers._lstm import LSTM
from lstmfast.layers._operations import is_symbolic, tensor_of, with_axis
from lstmfast.layers._recurrent import RecurrentCells
from lstmfast.layers._simple_rnn import SimpleRNN
from lstmfast.layers._symbolic import Tensor, one_or_all

# arguments of the layers that are those of `RNN`, and no cell's
OF_SEQUENCES = {
    "return_sequences",
    "return_state",
    "return_cell_states",
    "go_backwards",
    "stateful",
    "zero_output_for_mask",
    "learn_initial_state",
    "activity_regularizer",
}


class Cell:
    """What a layer of `RNN` computes at each step: a description, without weights.

    Parameters
    ----------
    units : int
        H.
    **options
        Those of the layer of the same name, but for what `RNN` takes.

    Notes
    -----
    The attributes are those of that layer. A cell is no layer; called, it computes one step, by the
    weights of the layer that `RNN` made of it, or of one of its own.
    """

    layer: ClassVar[type[RecurrentCells]]
    _made: RecurrentCells | None = None

    def __init__(self, units: int, **options: Any) -> None:
        where = f"layers.{type(self).__name__}"
        for name in OF_SEQUENCES & options.keys():
            raise TypeError(f"[{where}] {name} is an argument of RNN, not of a cell")
        self._given = {"units": units, **options}
        self._described = self.layer(**self._given)

    def made(self, **options: Any) -> RecurrentCells:
        """Return a new layer of such cells."""
        if self._made is not None and self._made.built:
            raise ValueError(
                "[layers.RNN] cell has weights, for it was called; expected RNN(cell) before that"
            )
        self._made = self.layer(**(self._given | options))
        return self._made

    @property
    def state_size(self) -> Any:
        """The sizes of the states: H, or those of h and c in a list."""
        return one_or_all([self._described.units] * self.layer.states)

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Return states of zeros."""
        return [np.zeros((batch_size, self._described.units))] * self.layer.states

    def __call__(self, inputs: Any, states: Any, training: bool | None = None) -> tuple[Any, Any]:
        """Return what one step computes, for tensors or arrays, and the states after it.

        Parameters
        ----------
        inputs : array_like or tensor
            (B, I).
        states : list of array_like or tensor
            h (B, H), and of an `LSTMCell` c (B, H); one state need not be in a list.
        training : bool, optional
            As of a layer.

        Returns
        -------
        output : numpy.ndarray or tensor
            (B, H): h.
        states : list of these
            h, and c where there is one; h alone where `states` was no list.
        """
        layer = self._made or self.made(return_state=True)  # as files then say
        is_listed = isinstance(states, list | tuple)
        given = [inputs, *(states if is_listed else [states])]
        if len(given) != 1 + layer.states:
            text = f"states has {len(given) - 1} arrays; expected {layer.states}"
            raise ValueError(f"[layers.{type(self).__name__}] {text}")
        found: list[Any]
        if is_symbolic(given):
            anchor = next(each for each in given if is_symbolic(each))
            given = [tensor_of(each, tensor_of(anchor)) for each in given]
            made = layer._joined([with_axis(given[0], 1), *given[1:]], None, training)
            node = (made[0] if isinstance(made, list) else made).node
            found = [Tensor(node, 1 + k) for k in range(layer.states)]
        else:
            arrays = [layer._array(np.expand_dims(given[0], 1), "inputs")]
            core = layer._ready(arrays)
            arrays += [layer._array(each, "states") for each in given[1:]]
            found, _ = layer._compute(core, arrays, [], training, range(1, 1 + layer.states))
        return found[0], found if is_listed else found[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = self._described.get_config()
        return {name: value for name, value in config.items() if name not in OF_SEQUENCES}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cell:
        """Make a cell from what `get_config` returned."""
        return cls(**config)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._made or self._described, name)


class LSTMCell(Cell):
    """The cell of `LSTM`, for `RNN`, as `keras.layers.LSTMCell`.

    Parameters
    ----------
    units : int
        H.
    **options
        Those of `LSTM`, but for what `RNN` takes.

    Examples
    --------
    >>> from lstmfast.layers import RNN, LSTMCell
    >>> RNN(LSTMCell(8), return_sequences=True)
    <LSTM units=8, name=None, built=False>
    """

    layer = LSTM


class GRUCell(Cell):
    """The cell of `GRU`, for `RNN`, as `keras.layers.GRUCell`.

    Parameters
    ----------
    units : int
        H.
    **options
        Those of `GRU`, but for what `RNN` takes.

    Examples
    --------
    >>> from lstmfast.layers import GRUCell
    >>> GRUCell(8).reset_after
    True
    """

    layer = GRU


class SimpleRNNCell(Cell):
    """The cell of `SimpleRNN`, for `RNN`, as `keras.layers.SimpleRNNCell`.

    Parameters
    ----------
    units : int
        H.
    **options
        Those of `SimpleRNN`, but for what `RNN` takes.

    Examples
    --------
    >>> from lstmfast.layers import SimpleRNNCell
    >>> SimpleRNNCell(8, activation="relu").activation
    'relu'
    """

    layer = SimpleRNN


class StackedRNNCells:
    """Cells of which each reads the output of the one before, as `keras.layers.StackedRNNCells`.

    Parameters
    ----------
    cells : list of LSTMCell, GRUCell or SimpleRNNCell
        The cells, the first one that of the input.

    Examples
    --------
    >>> from lstmfast.layers import GRUCell, LSTMCell, StackedRNNCells
    >>> len(StackedRNNCells([LSTMCell(8), GRUCell(4)]).cells)
    2
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = list(items(cells, "cells", "layers.StackedRNNCells", "a list of cells"))
        for place, cell in enumerate(self.cells):
            if not isinstance(cell, Cell):
                raise wrong_kind("layers.StackedRNNCells", f"cells[{place}]", cell, "a cell")
        if not self.cells:
            raise ValueError("[layers.StackedRNNCells] cells is empty; expected one or more")

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """Return states of zeros for each cell."""
        return [cell.get_initial_state(batch_size) for cell in self.cells]

    def __call__(
        self, inputs: Any, states: Sequence[Any], training: bool | None = None
    ) -> tuple[Any, list[Any]]:
        """Return what one step of the last cell computes, and the states of each after it.

        inputs, training: as of a cell; states: a list with those of each cell.
        """
        after = []
        given = items(states, "states", "layers.StackedRNNCells", "a list with those of each cell")
        if len(given) != len(self.cells):
            text = f"states has {len(given)} items; expected {len(self.cells)}"
            raise ValueError(f"[layers.StackedRNNCells] {text}")
        for cell, own in zip(self.cells, given, strict=True):
            inputs, own = cell(inputs, own, training)
            after.append(own)
        return inputs, after


class RNN:
    """The layer of a cell, or a row of layers of several, as `keras.layers.RNN`.

    ``RNN(LSTMCell(n))`` is a `LSTM`, of n units, and so for the other cells; ``RNN([...])`` is a
    `Sequential` of such layers. Other cells, written in Python, are refused.

    Parameters
    ----------
    cell : LSTMCell, GRUCell, SimpleRNNCell, StackedRNNCells or list of cells
        What is computed at each step.
    return_sequences, return_state, go_backwards, stateful, zero_output_for_mask : bool
    learn_initial_state : bool
        As of `LSTM`; several cells return no states and do not go backwards.
    **options
        Those of every layer.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import RNN, GRUCell, SimpleRNNCell
    >>> RNN([GRUCell(8), SimpleRNNCell(4)], input_shape=(None, 3)).output_shape
    (None, 4)
    """

    def __new__(
        cls,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        learn_initial_state: bool = False,
        **options: Any,
    ) -> Any:
        """Return the layer, or the row of layers."""
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        shared = {
            "stateful": stateful,
            "zero_output_for_mask": zero_output_for_mask,
            "learn_initial_state": learn_initial_state,
        }
        own = {"return_sequences": return_sequences, "return_state": return_state}
        if isinstance(cell, Cell):
            return _by_rnn(cell.made(**options, **shared, **own, go_backwards=go_backwards))
        if not isinstance(cell, StackedRNNCells):
            expected = "LSTMCell, GRUCell, SimpleRNNCell, or a list of them"
            raise wrong_kind("layers.RNN", "cell", cell, expected)
        for name, given in (("return_state", return_state), ("go_backwards", go_backwards)):
            if given:
                raise ValueError(
                    f"[layers.RNN] {name} is {given} for several cells; expected False, or a layer "
                    "for each cell in a functional model"
                )
        name = options.pop("name", None)
        last = len(cell.cells) - 1
        layers = [
            each.made(
                **(options if place == 0 else {}),
                **shared,
                return_sequences=return_sequences or place < last,
            )
            for place, each in enumerate(cell.cells)
        ]
        # models know layers; only here it is the other way round
        return _by_rnn(import_module("lstmfast.models").Sequential(layers, name=name))


def _by_rnn(made: Any) -> Any:
    made._is_rnn = True  # Keras's files say so
    return made

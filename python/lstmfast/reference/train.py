"""Small models of LSTM, Dropout and Dense layers, and their training loop.

Every layer has `params`, `grads` (dicts with the same keys), `forward` and `backward`. The order
of the batches is an argument, so that another engine's training can be repeated step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .activations import Activation
from .arrays import Array, as_real
from .cell import CellOptions
from .dense import dense_backward, dense_forward
from .losses import LOSSES, Loss
from .optimizers import Adam, Clip, Sgd
from .parameters import Params, check_params
from .sequence import lstm_backward, lstm_forward

__all__ = [
    "Chain",
    "DenseLayer",
    "DropoutLayer",
    "History",
    "Layer",
    "LstmLayer",
    "fit",
    "in_order",
]


Back: TypeAlias = Callable[[Array], tuple[Array, dict[str, Array]]]


class Layer:
    """A layer of `Chain`; `backward` belongs to the latest training `forward`.

    The parameters are copies, changed in place by the optimizer.
    """

    def __init__(self, params: Params, dtype: npt.DTypeLike = np.float64) -> None:
        self.params = {name: as_real(value, dtype).copy() for name, value in params.items()}
        self.grads: dict[str, Array] = {}
        self.dtype = np.dtype(dtype)
        self._back: Back | None = None

    def forward(self, x: Array, training: bool) -> Array:
        """Outputs for x."""
        y, back = self._run(x, training)
        self._back = back if training else None
        return y

    def backward(self, dy: Array) -> Array:
        """Set `grads` and return dx."""
        if self._back is None:
            raise ValueError("[reference.train] backward needs a forward with training=True")
        dx, grads = self._back(dy)
        self.grads = {name: grads[name] for name in self.params}
        return dx

    def _run(self, x: Array, training: bool) -> tuple[Array, Back]:
        """Return the outputs, and the function from their gradient to dx and `grads`."""
        raise NotImplementedError


class LstmLayer(Layer):
    """LSTM over (B, T, I): all steps (B, T, P), or the last one (B, P)."""

    def __init__(
        self,
        params: Params,
        options: CellOptions | None = None,
        *,
        return_sequences: bool = False,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        self.options = options or CellOptions()
        input_size = np.shape(params["kernel"])[0]
        super().__init__(check_params(params, input_size, self.options, dtype), dtype)
        self.return_sequences = return_sequences

    def _run(self, x: Array, training: bool) -> tuple[Array, Back]:
        y, (h, _), cache = lstm_forward(
            x, self.params, options=self.options, dtype=self.dtype, keep_cache=training
        )

        def back(dy: Array) -> tuple[Array, dict[str, Array]]:
            dy_all, dh_n = (dy, None) if self.return_sequences else (None, dy)
            dx, _, _, grads = lstm_backward(dy_all, dh_n, None, cache)
            return dx, grads

        return y if self.return_sequences else h, back


class DenseLayer(Layer):
    """Dense on the last axis."""

    def __init__(
        self,
        params: Params,
        activation: str | Activation = "linear",
        *,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(params, dtype)
        self.activation = activation

    def _run(self, x: Array, training: bool) -> tuple[Array, Back]:
        y, cache = dense_forward(x, self.params, self.activation, dtype=self.dtype)
        return y, lambda dy: dense_backward(dy, cache)


class DropoutLayer(Layer):
    """Multiplies by a mask in training, which `draw(shape)` returns already scaled."""

    def __init__(self, draw: Callable[[tuple[int, ...]], Array]) -> None:
        super().__init__({})
        self.draw = draw

    def _run(self, x: Array, training: bool) -> tuple[Array, Back]:
        mask = as_real(self.draw(x.shape) if training else 1.0, x.dtype)
        return x * mask, lambda dy: (dy * mask, {})


@dataclass
class Chain:
    """Layers one after the other; parameters in layer order, then in the order of the dicts."""

    layers: Sequence[Layer]

    def forward(self, x: Array, training: bool = False) -> Array:
        """Outputs of the last layer."""
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dy: Array) -> Array:
        """Gradient of the inputs; every layer's `grads` are set."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def params(self) -> list[Array]:
        """Every parameter, not a copy."""
        return [value for layer in self.layers for value in layer.params.values()]

    def grads(self) -> list[Array]:
        """Gradients in the order of `params`."""
        return [layer.grads[name] for layer in self.layers for name in layer.params]


@dataclass
class History:
    """Loss of each batch before its step, and of each epoch: their mean weighted by batch size."""

    batches: list[float] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)


def in_order(samples: int, batch_size: int) -> list[npt.NDArray[np.intp]]:
    """Batches of one epoch without shuffling.

    Examples
    --------
    >>> [batch.tolist() for batch in in_order(5, 2)]
    [[0, 1], [2, 3], [4]]
    """
    rows = np.arange(samples)
    return [rows[start : start + batch_size] for start in range(0, samples, batch_size)]


def fit(
    model: Chain,
    x: Array,
    y: Array,
    *,
    loss: str | Loss,
    optimizer: Sgd | Adam,
    epochs: Iterable[Sequence[npt.NDArray[np.intp]]],
    clip: Clip | None = None,
) -> History:
    """Train in place.

    Parameters
    ----------
    model : Chain
        Its parameters change.
    x, y : arrays with N samples on the first axis
        Inputs and targets.
    loss : str or function
        A name of `LOSSES`, or ``loss(p, y) -> (value, dp)``.
    optimizer : Sgd or Adam
        It keeps its slots, so a second call continues.
    epochs : iterable of lists of row numbers
        The batches of each epoch, for instance ``[in_order(N, 32)] * 10``.
    clip : Clip, optional
        Applied to the gradients before the optimizer.

    Returns
    -------
    History

    Examples
    --------
    >>> import numpy as np
    >>> model = Chain([DenseLayer({"kernel": np.zeros((1, 1))})])
    >>> x = np.ones((4, 1))
    >>> history = fit(model, x, x, loss="mse", optimizer=Sgd(0.25), epochs=[in_order(4, 4)] * 2)
    >>> history.epochs
    [1.0, 0.25]
    """
    function = LOSSES[loss] if isinstance(loss, str) else loss
    clip = clip or Clip()
    history = History()
    for batches in epochs:
        total, samples = 0.0, 0
        for rows in batches:
            value, d_prediction = function(model.forward(x[rows], training=True), y[rows])
            model.backward(d_prediction)
            optimizer.step(model.params(), clip(model.grads()))
            history.batches.append(value)
            total += value * len(rows)
            samples += len(rows)
        history.epochs.append(total / samples)
    return history

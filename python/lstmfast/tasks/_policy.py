"""A policy: LSTMs that choose an action at each step, and learn from what came of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast import layers
from lstmfast._arrays import Array
from lstmfast._recurrent import State
from lstmfast.rnn import LSTM


class Policy:
    """The LSTMs of a model and its Dense with a softmax, one step at a time or many.

    Parameters
    ----------
    model : Sequential
        LSTMs of one size, then the Dense. Its weights change by `store` alone.
    """

    def __init__(self, model: Any) -> None:
        self.lstms = [each for each in model.layers if isinstance(each, layers.LSTM)]
        self.head = model.layers[-1]
        sizes = tuple(each.units for each in self.lstms)
        if len(set(sizes)) > 1:
            raise ValueError(f"[Policy] units is {sizes}; expected the same of all LSTMs")
        self.rnn = LSTM(model.input_shape[-1], sizes[0], num_layers=len(self.lstms))
        of_rnn = {}
        for k, each in enumerate(self.lstms):
            kernel, recurrent, bias = each.get_weights()
            of_rnn[f"weight_ih_l{k}"], of_rnn[f"weight_hh_l{k}"] = kernel.T, recurrent.T
            of_rnn[f"bias_ih_l{k}"], of_rnn[f"bias_hh_l{k}"] = bias, np.zeros_like(bias)
        self.rnn.load_state_dict(of_rnn)
        kernel, bias = self.head.get_weights()
        self.weights = self.rnn.state_dict() | {"kernel": kernel, "bias": bias}
        self.moments = {name: np.zeros((2, *each.shape)) for name, each in self.weights.items()}
        self.updates = 0

    def __call__(
        self, seen: Array, state: State | None, resets: Array | None = None, training: bool = False
    ) -> tuple[Array, Array, State]:
        """Return how likely each action is (B, T, A), the outputs of the LSTM, and its state."""
        outputs, state = self.rnn(seen, state, resets=resets, training=training)
        scores = outputs @ self.weights["kernel"] + self.weights["bias"]
        likely = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return likely / likely.sum(axis=-1, keepdims=True), outputs, state

    def learn(
        self, seen: Array, state: State, resets: Array, actions: Array, gains: Array, rate: float
    ) -> None:
        """Make actions (B, T) likelier by how much better than others they were, `gains`.

        The gradient is that of Williams's REINFORCE: of - mean(gain · log p(action)), with p the
        likelihood of the action that was taken. A step of Adam follows.
        """
        likely, outputs, _ = self(seen, state, resets, training=True)
        slopes = (likely - np.eye(likely.shape[-1])[actions]) * gains[..., np.newaxis] / gains.size
        slopes = slopes.astype(np.float32)
        self.rnn.zero_grad()
        self.rnn.backward(slopes @ self.weights["kernel"].T)
        gradients = self.rnn.grads() | {
            "kernel": np.tensordot(outputs, slopes, ((0, 1), (0, 1))),
            "bias": slopes.sum(axis=(0, 1)),
        }
        norm = np.sqrt(sum(np.square(each).sum() for each in gradients.values()))
        self.updates += 1
        for name, gradient in gradients.items():
            gradient = gradient / max(norm, 1.0)
            first, second = self.moments[name]
            first += 0.1 * (gradient - first)
            second += 0.01 * (np.square(gradient) - second)
            spread = np.sqrt(second / (1.0 - 0.99**self.updates)) + 1e-8
            self.weights[name] -= rate * first / (1.0 - 0.9**self.updates) / spread
        self.rnn.load_state_dict({k: self.weights[k] for k in self.rnn.state_dict()})

    def store(self) -> None:
        """Write the weights into the model."""
        for k, each in enumerate(self.lstms):
            matrices = [self.weights[f"weight_{kind}_l{k}"].T for kind in ("ih", "hh")]
            biases = [self.weights[f"bias_{kind}_l{k}"] for kind in ("ih", "hh")]
            each.set_weights([*matrices, biases[0] + biases[1]])
        self.head.set_weights([self.weights["kernel"], self.weights["bias"]])

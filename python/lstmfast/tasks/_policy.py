"""A policy: LSTMs that choose an action at each step, and learn from what came of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast import layers, reference
from lstmfast._arrays import Array
from lstmfast._layouts import KERAS_WEIGHTS, from_torch, to_torch
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
        of_rnn: dict[str, Array] = {}
        for k, each in enumerate(self.lstms):
            weights = dict(zip(KERAS_WEIGHTS, each.get_weights(), strict=True))
            of_rnn |= {f"{name}_l{k}": value for name, value in to_torch(weights).items()}
        self.rnn.load_state_dict(of_rnn)
        kernel, bias = self.head.get_weights()
        self.weights = self.rnn.state_dict() | {"kernel": kernel, "bias": bias}
        self.optimizer = reference.Adam(learning_rate=0.0, beta_2=0.99, epsilon=1e-9)

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
        self.optimizer.learning_rate = rate
        names = [*self.weights]
        self.optimizer.step(
            [self.weights[name] for name in names],
            [gradients[name] for name in names],
            reference.Clip(global_norm=1.0),
        )
        self.rnn.load_state_dict({k: self.weights[k] for k in self.rnn.state_dict()})

    def store(self) -> None:
        """Write the weights into the model."""
        for k, each in enumerate(self.lstms):
            names = [name for name in self.weights if name.endswith(f"_l{k}")]
            found = from_torch({name[: -len(f"_l{k}")]: self.weights[name] for name in names})
            each.set_weights([found[name] for name in KERAS_WEIGHTS])
        self.head.set_weights([self.weights["kernel"], self.weights["bias"]])

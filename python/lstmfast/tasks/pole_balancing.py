"""A pole on a cart is to stay up, and nobody says how fast it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast.callbacks import History
from lstmfast.callbacks.base import CallbackList

from ._measures import Measure, mean_of
from ._pictures import legend, panels
from ._policy import Policy
from ._records import Example, Part, Settings
from ._task import Task, option

_FARTHEST, _STEEPEST = 2.4, np.radians(12.0)  # metres and radians, beyond which a pole has fallen
_STEP = 0.02  # seconds
_CHUNK = 100  # steps between two updates
_DISCOUNT = 0.98  # of a fall, for each step that it is away


def moved(state: Array, right: Array) -> Array:
    """Return states (4, N) a step later: the carts' places and speeds, the poles' angles and rates.

    A cart of 1 kg is pushed by 10 N to the right or to the left; its pole has 0.1 kg and 1 m.
    """
    _, speed, angle, rate = state
    sine, cosine = np.sin(angle), np.cos(angle)
    pushed = (np.where(right, 10.0, -10.0) + 0.05 * np.square(rate) * sine) / 1.1
    turning = (9.8 * sine - cosine * pushed) / (2.0 / 3.0 - 0.05 * np.square(cosine) / 1.1)
    changes = [speed, pushed - 0.05 * turning * cosine / 1.1, rate, turning]
    return state + _STEP * np.array(changes)


def fallen(state: Array) -> Array:
    """Tell which poles have fallen, or have left the track."""
    gone: Array = (np.abs(state[0]) > _FARTHEST) | (np.abs(state[2]) > _STEEPEST)
    return gone


def started(rng: np.random.Generator, poles: int) -> Array:
    """Return states at rest (4, N), near the middle and nearly upright."""
    state = np.zeros((4, poles))
    state[::2] = rng.uniform(-0.05, 0.05, (2, poles))
    return state


def seen(state: Array) -> Array:
    """Return what is seen of states (N, 2): the place and the angle, not how they change."""
    shares: Array = state[::2].T / [_FARTHEST, _STEEPEST]
    return shares.astype(np.float32)


@dataclass(kw_only=True)
class PoleBalancing(Task):
    """Keep a pole on a cart upright by pushes to the left and the right, without seeing speeds.

    At each step the model sees where the cart is and how the pole leans; how fast both change it
    has to remember from the steps before. Nobody shows it the right pushes: it tries, and pushes
    that a fall follows soon become less likely, by policy gradients. Training samples are poles
    that it tries at a time, in 100 steps an epoch.

    Parameters
    ----------
    limit : int
        Steps, of a fiftieth of a second, that a pole should stay up.
    """

    limit: int = option(200, least=100)

    mode = "control"
    source = (
        "Barto, Sutton and Anderson: Neuronlike Adaptive Elements, 1983; without speeds: Wierstra "
        "and others: Recurrent Policy Gradients, 2010"
    )
    settings = Settings(units=16, epochs=110, learning_rate=0.03, samples=(64, 20, 100))
    measure = Measure("steps balanced", lambda expected, given, weights: mean_of(given, weights))
    labels = ("left", "right")

    @property
    def target(self) -> float:  # type: ignore[override]
        """Nearly all of the steps: 195 of 200."""
        return 0.975 * self.limit

    def make(self, rng: np.random.Generator, samples: int) -> Part:
        """Return what is seen of poles that are pushed at random, and the pushes.

        A pole that has fallen starts again. A pole's first step is where each policy begins.
        """
        pushes = rng.integers(0, 2, (samples, self.limit))
        state, x = started(rng, samples), []
        for right in pushes.T:
            x.append(seen(state))
            state = moved(state, right)
            state = np.where(fallen(state), started(rng, samples), state)
        return Part(np.stack(x, axis=1), pushes)

    @cached_property
    def chance(self) -> float:
        """The score of random pushes."""
        return float(self.balanced(None, self.test).mean())

    def run(self, policy: Policy | None, part: Part) -> Array:
        """Return the states (limit, 4, N) of a part's poles after each push.

        Without a policy they are pushed at random. A fallen pole stays where it is.
        """
        rng = np.random.default_rng(self.seed)
        state, memory, states = np.zeros((4, len(part.x))), None, []
        state[::2] = part.x[:, 0].T * [[_FARTHEST], [_STEEPEST]]
        for _ in range(self.limit):
            if policy is None:
                right = rng.integers(0, 2, len(part.x))
            else:
                likely, _, memory = policy(seen(state)[:, np.newaxis], memory)
                right = likely[:, 0].argmax(axis=-1)
            state = np.where(fallen(state), state, moved(state, right))
            states.append(state)
        return np.array(states)

    def balanced(self, policy: Policy | None, part: Part) -> Array:
        """Return how many steps the poles of a part stay up."""
        steps: Array = (~fallen(self.run(policy, part).swapaxes(0, 1))).sum(axis=0)
        return steps

    def judged(self, model: Any, part: Part | None = None) -> tuple[Array, Array, None]:
        """Return the steps that the poles should stay up, and those that they do."""
        steps = self.balanced(Policy(model), self.test if part is None else part)
        return np.full(len(steps), self.limit), steps, None

    def fit(
        self, model: Any, epochs: int | None = None, callbacks: Sequence[Any] = (), verbose: int = 0
    ) -> History:
        """Train a model by policy gradients; its loss is the share of steps with a fall."""
        epochs = self.settings.epochs if epochs is None else epochs
        rng, policy, history = np.random.default_rng(self.seed), Policy(model), History()
        listeners = CallbackList(list(callbacks), self.name)
        listeners.attach(model, {"epochs": epochs, "steps": 1, "verbose": verbose})
        listeners.call("on_train_begin", {})
        model.stop_training = False
        poles, rate = len(self.train.x), float(model.optimizer.learning_rate)
        state, resets = started(rng, poles), np.full(poles, True)
        memory = (np.zeros((len(policy.lstms), poles, policy.rnn.hidden_size), np.float32),) * 2
        for epoch in range(epochs):
            before, tried = memory, []
            for _ in range(_CHUNK):
                x = seen(state)[:, np.newaxis]
                likely, _, memory = policy(x, memory, resets[:, np.newaxis])
                right = rng.random(poles) < likely[:, 0, 1]
                state = moved(state, right)
                tried.append((x[:, 0], resets, right, resets := fallen(state)))
                state = np.where(resets, started(rng, poles), state)
            x, begun, right, falls = (np.stack(each, axis=1) for each in zip(*tried, strict=True))
            gains = outcomes(falls)
            gains = (gains - gains.mean(axis=0)) / (gains.std() + 0.05)  # better than other poles
            decay = 0.5 + 0.5 * np.cos(np.pi * epoch / epochs)
            policy.learn(x, before, begun, right.astype(int), gains, rate * decay)
            policy.store()
            logs = {"loss": float(falls.mean())}
            listeners.call("on_train_batch_end", 0, logs)
            listeners.call("on_epoch_end", epoch, logs)
            history.record(epoch, logs)
            if model.stop_training:
                break
        listeners.call("on_train_end", {})
        return history

    def examples(self, model: Any, number: int = 3) -> list[Example]:
        """Return where the first poles start, and how long they stay up."""
        balanced = self.balanced(Policy(model), self.test)
        return [
            Example(
                f"leans by {x[0, 1] * np.degrees(_STEEPEST):.1f}°",
                f"goal: {self.limit} steps",
                f"balanced for {steps:.0f} steps",
            )
            for x, steps in zip(self.test.x[:number], balanced, strict=False)
        ]

    def picture(self, model: Any) -> Any:
        """Return a figure of how some poles lean and where their carts are, to their limits."""
        from lstmfast.plot.looks import INK, RED

        states = self.run(Policy(model), Part(self.test.x[:10], self.test.y[:10]))
        seconds = _STEP * np.arange(1, self.limit + 1)
        shown = (np.degrees(states[:, 2]), np.degrees(_STEEPEST)), (states[:, 0], _FARTHEST)
        titles = ("Angle of the pole, degrees", "Place of the cart, m")
        figure, all_axes = panels(titles, 1, (9.0, 2.6), "seconds", scale="x")
        for axes, (values, limit) in zip(all_axes, shown, strict=True):
            first, *_ = axes.plot(seconds, values, color=INK, linewidth=0.8)
            first.set_label("each of ten poles")
            axes.axhline(limit, color=RED, linewidth=1.2, linestyle="--", label="fallen")
            axes.axhline(-limit, color=RED, linewidth=1.2, linestyle="--")
        legend(figure)
        return figure


def outcomes(falls: Array) -> Array:
    """Return -1 at each step with a fall (B, T), and less before it, the longer before the less."""
    found, after = np.empty(falls.shape), np.zeros(len(falls))
    for step in reversed(range(falls.shape[1])):
        after = np.where(falls[:, step], -1.0, _DISCOUNT * after)
        found[:, step] = after
    return found

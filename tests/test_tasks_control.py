"""Pole balancing: the physics, the policy and its gradient, and that training needs memory."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.tasks._policy import Policy
from lstmfast.tasks.pole_balancing import PoleBalancing, fallen, moved, outcomes, seen, started

EPOCHS = 30


def by_hand(state: list[float], right: bool) -> list[float]:
    """Return a state 0.02 s later, by the equations of Barto, Sutton and Anderson (1983)."""
    place, speed, angle, rate = state
    cart, pole, half, gravity = 1.0, 0.1, 0.5, 9.8
    force = 10.0 if right else -10.0
    sine, cosine = math.sin(angle), math.cos(angle)
    pushed = (-force - pole * half * rate**2 * sine) / (cart + pole)
    above = gravity * sine + cosine * pushed
    turning = above / (half * (4.0 / 3.0 - pole * cosine**2 / (cart + pole)))
    speeding = (force + pole * half * (rate**2 * sine - turning * cosine)) / (cart + pole)
    return [
        place + 0.02 * speed,
        speed + 0.02 * speeding,
        angle + 0.02 * rate,
        rate + 0.02 * turning,
    ]


def test_carts_and_poles_move_by_the_equations() -> None:
    rng = np.random.default_rng(0)
    states, right = rng.uniform(-0.2, 0.2, (4, 20)), rng.random(20) < 0.5
    expected = [by_hand(state, push) for state, push in zip(states.T.tolist(), right, strict=True)]
    np.testing.assert_allclose(moved(states, right).T, expected, rtol=1e-12)


def test_poles_fall_at_twelve_degrees_or_at_the_end_of_the_track() -> None:
    lean = math.radians(12.0)
    states = np.array([[2.39, 9, 0.9 * lean, 9], [2.41, 0, 0, 0], [0, 0, -1.1 * lean, 0]]).T
    np.testing.assert_array_equal(fallen(states), [False, True, True])
    np.testing.assert_allclose(seen(states)[0], [2.39 / 2.4, 0.9], rtol=1e-6)
    assert (started(np.random.default_rng(0), 5)[[1, 3]] == 0).all()


def test_data_are_what_random_pushes_do() -> None:
    task = lf.tasks.load("pole_balancing", limit=100)
    x, pushes, _ = task.test
    state = np.zeros((4, len(x)))
    state[::2] = x[:, 0].T * [[2.4], [math.radians(12.0)]]
    up = np.full(len(x), True)
    for step in range(40):
        np.testing.assert_allclose(x[up, step], seen(state)[up], atol=1e-5)
        state = moved(state, pushes[:, step])
        up &= ~fallen(state)
    assert 0 < up.mean() < 0.5


def test_outcomes_are_discounted_falls() -> None:
    falls = np.random.default_rng(0).random((5, 12)) < 0.2
    expected = [
        [-(0.98 ** row[t:].argmax()) if row[t:].any() else 0.0 for t in range(12)] for row in falls
    ]
    np.testing.assert_allclose(outcomes(falls), expected, rtol=1e-12)


def tiny_policy() -> tuple[Any, Policy, np.ndarray]:
    task = lf.tasks.load("pole_balancing", limit=100, samples=6)
    model = task.build("stacked", units=5)
    return model, Policy(model), task.train.x[:, :12]


def test_a_policy_says_what_its_model_says() -> None:
    model, policy, x = tiny_policy()
    likely, _, _ = policy(x, None)
    np.testing.assert_allclose(likely, model.predict(x, verbose=0), atol=1e-6)
    first, _, memory = policy(x[:, :5], None)
    second, _, _ = policy(x[:, 5:], memory)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), likely, atol=1e-6)
    begun = np.zeros((6, 12), bool)
    begun[:, 5] = True
    again, _, _ = policy(x, None, begun)
    np.testing.assert_allclose(again[:, 5:], policy(x[:, 5:], None)[0], atol=1e-6)


def test_a_policy_learns_along_the_gradient() -> None:
    """The first step of Adam is the rate times the sign of each slope: slopes are measured."""
    model, policy, x = tiny_policy()
    rng = np.random.default_rng(1)
    actions, gains = rng.integers(0, 2, (6, 12)), rng.standard_normal((6, 12))
    begun = rng.random((6, 12)) < 0.2
    memory = (np.zeros((2, 6, 5), np.float32),) * 2
    before = {name: value.copy() for name, value in policy.weights.items()}

    def cost(name: str, place: tuple[int, ...], shift: float) -> float:
        values = {key: value.copy() for key, value in before.items()}
        values[name][place] += shift
        probe = Policy(model)
        probe.weights = values
        probe.rnn.load_state_dict({key: values[key] for key in probe.rnn.state_dict()})
        likely, _, _ = probe(x, memory, begun)
        chosen = np.take_along_axis(likely, actions[..., np.newaxis], axis=-1)[..., 0]
        return -float((gains * np.log(chosen.astype(float))).mean())

    policy.learn(x, memory, begun, actions, gains, 0.001)
    tried = 0
    for slots, (name, value) in zip(policy.optimizer.slots, before.items(), strict=True):
        place = np.unravel_index(np.abs(slots["m"]).argmax(), value.shape)
        slope = (cost(name, place, 0.01) - cost(name, place, -0.01)) / 0.02
        np.testing.assert_allclose(10.0 * slots["m"][place], slope, rtol=0.05)
        change = policy.weights[name][place] - value[place]
        np.testing.assert_allclose(change, -0.001 * np.sign(slope), rtol=1e-3)
        tried += 1
    assert tried == 10
    assert not np.allclose(model.predict(x, verbose=0), policy(x, None)[0], atol=1e-5)
    policy.store()
    np.testing.assert_allclose(model.predict(x, verbose=0), policy(x, None)[0], atol=1e-6)


@pytest.fixture(scope="module")
def trained() -> tuple[PoleBalancing, Any]:
    task = PoleBalancing(samples=32)
    return task, task.solve(epochs=EPOCHS)


def test_training_learns_and_remembers(trained: tuple[PoleBalancing, Any]) -> None:
    """Poles stay up longer than pushed at random, by many deviations of the mean."""
    task, solution = trained
    random = task.balanced(None, task.test)
    assert task.chance == random.mean()
    steps = task.balanced(Policy(solution.model), task.test)
    assert solution.score == steps.mean() == task.score(solution.model)
    deviation = np.hypot(random.std(), steps.std()) / np.sqrt(len(steps))
    assert steps.mean() > random.mean() + 6 * deviation
    history = solution.history.history
    assert len(history["loss"]) == EPOCHS
    assert np.mean(history["loss"][-3:]) < 0.5 * np.mean(history["loss"][:3])


def test_without_memory_poles_fall(trained: tuple[PoleBalancing, Any]) -> None:
    task, solution = trained
    policy = Policy(solution.model)

    def forgetful(x: Any, memory: Any) -> Any:
        return policy(x, None)

    short = task.balanced(forgetful, task.test)  # type: ignore[arg-type]
    assert short.mean() < 0.6 * solution.score


def test_a_trained_model_is_saved(trained: tuple[PoleBalancing, Any], tmp_path: Path) -> None:
    task, solution = trained
    solution.model.save(tmp_path / "pole.safetensors")
    loaded = lf.models.load_model(tmp_path / "pole.safetensors")
    assert task.score(loaded) == solution.score
    examples = task.examples(loaded, 2)
    assert re.fullmatch(r"leans by -?\d\.\d°", examples[0].input)
    assert examples[0].expected == "goal: 200 steps"


def test_the_picture_shows_the_poles(trained: tuple[PoleBalancing, Any]) -> None:
    pytest.importorskip("matplotlib")
    task, solution = trained
    angle, place = task.picture(solution.model).axes
    states = task.run(Policy(solution.model), task.test)
    assert states.shape == (task.limit, 4, len(task.test.x))
    for n in range(10):
        np.testing.assert_allclose(
            angle.get_lines()[n].get_ydata(), np.degrees(states[:, 2, n]), atol=1e-9
        )
        np.testing.assert_allclose(place.get_lines()[n].get_ydata(), states[:, 0, n], atol=1e-9)


def test_callbacks_hear_of_the_training_and_may_stop_it() -> None:
    heard: list[Any] = []

    class Listener(lf.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            heard.append((self.params["epochs"], self.params["steps"], batch))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            heard.append((epoch, sorted(logs)))
            self.model.stop_training = epoch == 1

        def on_train_end(self, logs: Any = None) -> None:
            heard.append("end")

    task = lf.tasks.load("pole_balancing", samples=2, limit=100)
    history = task.fit(task.build(epochs=9), 9, [Listener()])
    assert heard == [(9, 1, 0), (0, ["loss"]), (9, 1, 0), (1, ["loss"]), "end"]
    assert history.epoch == [0, 1]


def test_layers_of_different_sizes_are_refused() -> None:
    task = lf.tasks.load("pole_balancing", samples=2, limit=100)
    with pytest.raises(ValueError, match=re.escape("[Policy] units is (4, 3); expected the same")):
        task.solve("stacked", units=(4, 3), epochs=1)

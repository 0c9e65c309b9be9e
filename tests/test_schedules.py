"""Schedules of learning rates: values, training by them, files, resumption, errors."""

from __future__ import annotations

import copy
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import _core, reference
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential, load_model
from lstmfast.optimizers import SGD, Adam, schedules
from lstmfast.optimizers.schedules import LearningRateSchedule

STEPS = [0, 1, 2, 3, 4, 7, 9, 10, 11, 29, 30, 31, 99, 100, 101, 1000, 12345]
SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    name: (kind, options)
    for name, kind, options in [
        ("exponential", "ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.96}),
        ("staircase", "ExponentialDecay", {"decay_steps": 3, "decay_rate": 0.5, "staircase": True}),
        ("inverse", "InverseTimeDecay", {"decay_steps": 10, "decay_rate": 0.5}),
        ("inverse stairs", "InverseTimeDecay",
         {"decay_steps": 1.5, "decay_rate": 0.5, "staircase": True}),
        ("pieces", "PiecewiseConstantDecay",
         {"boundaries": [1, 9, 100.5], "values": [1, 0.5, 0.25, 0]}),
        ("line", "PolynomialDecay", {"decay_steps": 100}),
        ("polynomial", "PolynomialDecay",
         {"decay_steps": 30, "end_learning_rate": 0.01, "power": 0.5}),
        ("cycles", "PolynomialDecay", {"decay_steps": 10, "power": 2.0, "cycle": True}),
        ("cosine", "CosineDecay", {"decay_steps": 100, "alpha": 0.1}),
        ("warmed cosine", "CosineDecay",
         {"decay_steps": 100, "warmup_target": 0.5, "warmup_steps": 10}),
        ("restarts", "CosineDecayRestarts", {"first_decay_steps": 10}),
        ("other restarts", "CosineDecayRestarts",
         {"first_decay_steps": 3, "t_mul": 3.0, "m_mul": 0.9, "alpha": 0.2}),
        ("equal restarts", "CosineDecayRestarts", {"first_decay_steps": 7, "t_mul": 1.0}),
    ]
}  # fmt: skip


def first(kind: str) -> dict[str, Any]:
    return {} if kind == "PiecewiseConstantDecay" else {"initial_learning_rate": 0.3}


def made(name: str) -> Any:
    kind, options = SCHEDULES[name]
    return getattr(schedules, kind)(**first(kind), **options)


@pytest.mark.parametrize("name", SCHEDULES)
def test_values(name: str) -> None:
    kind, options = SCHEDULES[name]
    schedule = made(name)
    expected = reference.SCHEDULES[schedule.kind]
    for step in STEPS:
        found = schedule(step)
        assert found == pytest.approx(
            expected(step, **first(kind), **options), rel=1e-12, abs=1e-15
        )
        assert found.numpy() == schedule(np.int64(step)) == schedule(float(step))


@pytest.mark.parametrize("t_mul", [1.1, 1.5, 2.0, 3.0, 7.0])
def test_restarts_begin_where_periods_do(t_mul: float) -> None:
    """Also where the quotient of logarithms is rounded down, as in log(243) / log(3)."""
    schedule = schedules.CosineDecayRestarts(1.0, 1.0, t_mul=t_mul)
    step = 0.0
    for period in range(10):
        assert schedule(step * (1 + 1e-12)) == pytest.approx(1.0, abs=1e-6)
        step += t_mul**period
        assert schedule(step * (1 - 1e-9)) == pytest.approx(0.0, abs=1e-6)


def test_schedules_of_the_core_have_their_classes_and_cases() -> None:
    kinds = set(_core.kinds("schedule"))
    assert {cls.kind for cls in schedules.SCHEDULES.classes.values()} == kinds
    assert {made(name).kind for name in SCHEDULES} | {"warm_up"} == kinds


def test_warm_up() -> None:
    after = schedules.ExponentialDecay(0.4, 10, 0.5)
    schedule = schedules.WarmUp(0.4, after, warmup_steps=4, power=2.0)
    for step in range(20):
        expected = 0.4 * (step / 4) ** 2 if step < 4 else after(step - 4)
        assert schedule(step) == pytest.approx(expected, rel=1e-14)


class Harmonic(LearningRateSchedule):
    def __init__(self, first: float) -> None:
        self.first = first
        self.seen: list[Any] = []

    def __call__(self, step: Any) -> float:
        self.seen.append(step)
        return self.first / (step + 1)

    def get_config(self) -> dict[str, Any]:
        return {"first": self.first}


class Slower(schedules.ExponentialDecay):
    """A schedule of the user's own that is derived from one of the core."""

    def __call__(self, step: Any) -> float:
        return super().__call__(step) / 2


def rates(schedule: Any, steps: int = 12) -> list[float]:
    """What a training reports, and what it steps by."""
    x, y = np.ones((4 * steps, 1)), np.ones((4 * steps, 1))
    model = Sequential(
        [Input((1,)), Dense(1, use_bias=False, kernel_initializer="zeros")], dtype="float64"
    )
    model.compile(SGD(schedule), lambda y_true, y_pred: (0.0, -y_true / y_true.size))
    assert model.optimizer is not None
    found, moved = [], [0.0]
    for step in range(steps):
        found.append(float(model.optimizer.learning_rate))
        part = slice(4 * step, 4 * step + 4)
        model.train_on_batch(x[part], y[part])
        moved.append(model.get_weights()[0].item())
    np.testing.assert_allclose(np.diff(moved), found, rtol=1e-13, atol=1e-15)
    return found


OWN: dict[str, tuple[Any, Any]] = {
    "own": (lambda: Harmonic(0.5), [0.5 / (step + 1) for step in range(12)]),
    "derived": (
        lambda: Slower(0.5, 2, 0.5),
        [0.25 * 0.5 ** (step / 2) for step in range(12)],
    ),
    "own after warm-up": (
        lambda: schedules.WarmUp(0.5, Harmonic(0.5), 2),
        [0.0, 0.25] + [0.5 / (step + 1) for step in range(10)],
    ),
    "function": (lambda: lambda: 0.125, [0.125] * 12),
}


@pytest.mark.parametrize("name", [*SCHEDULES, *OWN])
def test_training_steps_by_the_schedule(name: str) -> None:
    if name in OWN:
        schedule, expected = OWN[name][0](), OWN[name][1]
        assert rates(schedule) == pytest.approx(expected, rel=1e-14)
    else:
        schedule = made(name)
        assert rates(schedule) == [schedule(step) for step in range(12)]


def test_a_schedule_is_called_once_a_step_with_an_int() -> None:
    schedule = Harmonic(0.5)
    model = Sequential([Input((1,)), Dense(1)])
    model.compile(SGD(schedule), "mse")
    model.fit(np.ones((12, 1)), np.ones((12, 1)), batch_size=4, epochs=2, verbose=0)
    assert schedule.seen == [0, 1, 2, 3, 4, 5]
    assert {type(step) for step in schedule.seen} == {int}


def model_by(schedule: Any) -> Sequential:
    model = Sequential([Input((4, 1)), LSTM(5), Dense(1)], seed=3)
    options = {"weight_decay": 0.1, "use_ema": True, "ema_overwrite_frequency": 3}
    model.compile(Adam(schedule, gradient_accumulation_steps=2, **options), "mse")
    return model


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    return rng.normal(size=(20, 4, 1)), rng.normal(size=(20, 1))


@pytest.mark.parametrize("name", [*SCHEDULES, *OWN])
@pytest.mark.parametrize("way", ["file", "pickle", "copy"])
def test_resumed_training_is_the_same(name: str, way: str, tmp_path: Path) -> None:
    if way == "pickle" and name == "function":
        pytest.skip("a lambda has no pickle")
    x, y = data()
    model = model_by(OWN[name][0]() if name in OWN else made(name))
    for _ in range(5):
        model.train_on_batch(x, y)
    if way == "file":
        given = {"Harmonic": Harmonic, "Slower": Slower(0.5, 2, 0.5), "lambda": lambda: 0.125}
        model.save(tmp_path / "model.safetensors")
        again: Any = load_model(tmp_path / "model.safetensors", given)
    else:
        again = pickle.loads(pickle.dumps(model)) if way == "pickle" else copy.deepcopy(model)
    assert model.optimizer is not None
    assert again.optimizer.learning_rate == model.optimizer.learning_rate
    for _ in range(4):
        model.train_on_batch(x, y)
        again.train_on_batch(x, y)
    np.testing.assert_equal(again.get_weights(), model.get_weights())
    if name not in OWN:
        assert again.optimizer.get_config() == model.optimizer.get_config()


def test_a_file_names_the_code_that_it_lacks(tmp_path: Path) -> None:
    model = model_by(schedules.WarmUp(0.5, Harmonic(0.5), 2))
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"pass custom_objects=\{'Harmonic': ...\}"):
        load_model(tmp_path / "model.safetensors")
    own = {"Harmonic": schedules.ExponentialDecay(0.1, 1, 0.5)}
    with pytest.raises(TypeError, match=r"custom_objects\['Harmonic'\] is .*which is not your own"):
        load_model(tmp_path / "model.safetensors", own)


@pytest.mark.parametrize("name", SCHEDULES)
def test_configurations(name: str) -> None:
    schedule = made(name)
    config = schedule.get_config()
    assert schedules.deserialize(schedules.serialize(schedule)) == schedule
    assert type(schedule).from_config(config).get_config() == config
    assert eval(repr(schedule), vars(schedules)) == schedule
    for optimizer in (SGD(schedule), SGD(schedules.serialize(schedule))):
        again = SGD.from_config(optimizer.get_config())
        assert again.get_config() == optimizer.get_config()
        assert again.learning_rate == schedule(0)


def test_configurations_with_others_inside() -> None:
    schedule = schedules.WarmUp(0.5, schedules.WarmUp(0.5, made("cosine"), 3), 2)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again == schedule
    own = schedules.serialize(Harmonic(0.25))
    assert schedules.deserialize(own, {"Harmonic": Harmonic})(0) == 0.25


class Failing(LearningRateSchedule):
    def __init__(self, rate: Any) -> None:
        self.rate = rate

    def __call__(self, step: Any) -> float:
        if isinstance(self.rate, Exception):
            raise self.rate
        return self.rate if step else 0.1  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("rate", "kind", "message"),
    [
        (math.nan, ValueError, r"^\[schedule at step 1\] learning_rate is nan; expected a number"),
        (
            -0.5,
            ValueError,
            r"^\[schedule at step 1\] learning_rate is -0.5; expected a number of",
        ),
        ("0.1", TypeError, r"^\[schedule\] learning rate is str; expected a number"),
        (None, TypeError, r"^\[schedule\] learning rate is NoneType; expected a number"),
        (KeyError("mine"), KeyError, "mine"),
    ],
)
def test_rates_that_are_none_leave_weights_alone(rate: Any, kind: Any, message: str) -> None:
    x, y = data()
    schedule = Failing(0.1)
    model = Sequential([Input((4, 1)), LSTM(5), Dense(1)], seed=3)
    model.compile(SGD(schedule), "mse")
    model.train_on_batch(x, y)
    before = model.get_weights()
    schedule.rate = rate
    with pytest.raises(kind, match=message):
        model.fit(x, y, verbose=0)
    np.testing.assert_equal(model.get_weights(), before)
    assert model.optimizer is not None
    schedule.rate = 0.1
    assert model.optimizer.iterations == 1
    model.fit(x, y, verbose=0)  # nothing holds the model


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "steps": (
        lambda: schedules.ExponentialDecay(0.1, 0, 0.5),
        ValueError,
        r"^\[ExponentialDecay\] decay_steps is 0; expected a number above 0",
    ),
    "rate": (
        lambda: schedules.CosineDecay("0.1", 10),
        TypeError,
        r"^\[CosineDecay\] initial_learning_rate is of type str; expected a number of at least 0",
    ),
    "values": (
        lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
        ValueError,
        r"^\[PiecewiseConstantDecay\] values is \(0.1, 0.2\); expected a list of 3 numbers, one mo",
    ),
    "boundaries": (
        lambda: schedules.PiecewiseConstantDecay([2, 2], [0.1, 0.2, 0.3]),
        ValueError,
        r"boundaries is \(2, 2\); expected increasing numbers",
    ),
    "items": (
        lambda: schedules.PiecewiseConstantDecay([2], [0.1, "x"]),
        TypeError,
        r"values is of type list; expected a list of numbers of at least 0",
    ),
    "negative items": (
        lambda: schedules.PiecewiseConstantDecay([2], [0.1, -1]),
        ValueError,
        r"values is \(0.1, -1\); expected a list of numbers of at least 0",
    ),
    "inside a warm-up": (
        lambda: schedules.WarmUp(0.1, 0.5, 10),
        TypeError,
        "the learning rate schedule is of type float; expected an object of",
    ),
    "class": (
        lambda: SGD(schedules.ExponentialDecay),
        TypeError,
        r"^\[SGD\] learning_rate is the class ExponentialDecay; expected a number of at least 0",
    ),
    "step": (
        lambda: made("cosine")("x"),
        TypeError,
        r"^\[CosineDecay\] step is of type str; expected a number",
    ),
    "a number in its place": (
        lambda: setattr(SGD(made("cosine")), "learning_rate", 0.1),
        TypeError,
        r"^\[SGD\] learning_rate is a schedule, so that no number can take its place",
    ),
    "assign": (
        lambda: SGD(made("cosine")).learning_rate.assign(0.1),
        TypeError,
        "is a schedule, so that no number",
    ),
    "after compile": (
        lambda: setattr(model_by(0.1).optimizer, "learning_rate", made("cosine")),
        AttributeError,
        r"^\[Adam\] learning_rate cannot become a schedule once a model is compiled with it",
    ),
    "changes": (
        lambda: setattr(made("cosine"), "alpha", 0.5),
        AttributeError,
        "cannot assign to field 'alpha'",
    ),
    "no __call__": (
        lambda: LearningRateSchedule()(0),
        NotImplementedError,
        r"^\[LearningRateSchedule\] the schedule lacks __call__",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    call, kind, message = ERRORS[name]
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cosine"}, r'schedule.kind is "cosine"; expected one of "exponential_decay"'),
        ({"kind": "custom"}, r'schedule.kind is "custom"; expected a function with it'),
        ({"kind": "warm_up", "initial_learning_rate": 1, "warmup_steps": 3}, "fn.kind is miss"),
        ({"kind": "cosine_decay", "initial_learning_rate": 1}, "decay_steps is missing"),
        (
            {"kind": "cosine_decay", "initial_learning_rate": 1, "decay_steps": 3, "x": 2},
            "unknown key optimizer.schedule.x",
        ),
        (
            {f"{'decay_schedule_fn.' * depth}{key}": value
             for depth in range(9)
             for key, value in (("kind", "warm_up"), ("initial_learning_rate", 1),
                                ("warmup_steps", 1))},
            "expected fewer schedules inside each other",
        ),
    ],
)  # fmt: skip
def test_configurations_of_the_core_that_are_wrong(options: Any, message: str) -> None:
    model = Sequential([Input((1,)), Dense(1)])
    config = {f"optimizer.schedule.{name}": value for name, value in options.items()}
    with pytest.raises(ValueError, match=message):
        model._core_model.compile({"optimizer.kind": "sgd", "loss": "mse", **config})  # type: ignore[union-attr]


def test_callbacks_read_the_rate_of_the_next_step() -> None:
    x, y = data()
    schedule = schedules.ExponentialDecay(0.1, 1, 0.5)
    model = Sequential([Input((4, 1)), LSTM(5), Dense(1)], seed=3)
    model.compile(SGD(schedule), "mse")
    seen: list[float] = []
    log = lf.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.optimizer.learning_rate)  # type: ignore[union-attr]
    )
    model.fit(x, y, batch_size=10, epochs=3, verbose=0, callbacks=[log])
    assert seen == [schedule(2), schedule(4), schedule(6)]

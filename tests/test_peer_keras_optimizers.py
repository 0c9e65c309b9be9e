"""Every optimizer, with the options that all have and with schedules, against live Keras 3."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import _core
from lstmfast.optimizers import OPTIMIZERS, schedules

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

STEPS = 20
RATE = 2.0**-7  # in float32 as in float64, since Keras keeps it in float32
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "weight decay": {"weight_decay": 0.0625},
    "average": {"use_ema": True, "ema_momentum": 0.75},
    "overwritten": {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 3},
    "clipnorm": {"clipnorm": 0.25},
    "clipvalue": {"clipvalue": 0.125},
    "global_clipnorm": {"global_clipnorm": 0.25},
    "accumulation": {"gradient_accumulation_steps": 3, "weight_decay": 0.0625, "use_ema": True},
}
OWN = {
    "sgd": [{"momentum": 0.5}, {"momentum": 0.5, "nesterov": True}],
    "adam": [{"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125, "amsgrad": True}],
    "adamw": [{"amsgrad": True, "weight_decay": 0.25}],
    "rmsprop": [{"rho": 0.5}, {"momentum": 0.5}, {"centered": True, "momentum": 0.5}],
    "adagrad": [{"initial_accumulator_value": 0.5, "epsilon": 0.125}],
    "adadelta": [{"rho": 0.5, "epsilon": 0.125}],
    "adamax": [{"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125}],
    "nadam": [{"beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.125}],
    "lion": [{"beta_1": 0.5, "beta_2": 0.75}],
}
CASES = [
    pytest.param(kind, options, id=f"{kind}-{name}")
    for kind in _core.kinds("optimizer")
    for name, options in [*CHANGES.items(), *((str(each), each) for each in OWN[kind])]
]


def trained(of: Any, kind: str, rate: Any, options: dict[str, Any]) -> list[list[np.ndarray]]:
    """The weights after each step, and those at the end of fit."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(STEPS, 5, 3)), rng.normal(size=(STEPS, 5, 2))
    layers = [of.layers.Dense(4, "tanh", dtype="float64"), of.layers.Dense(2, dtype="float64")]
    start = of.layers.Input((3,), dtype="float64")
    model = of.models.Model(start, layers[1](layers[0](start)))
    model.set_weights([rng.normal(size=w.shape) for w in model.weights])
    cls = {name.lower(): value for name, value in vars(of.optimizers).items()}[kind]
    optimizer = cls(rate, **options)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "mse")
    out = []
    for inputs, targets in zip(x, y, strict=True):
        model.train_on_batch(inputs, targets)
        out.append([np.asarray(w) for w in model.get_weights()])
    model.fit(x[0], y[0], batch_size=5, verbose=0)
    return [*out, [np.asarray(w) for w in model.get_weights()]]


def check(kind: str, ours: Any, theirs: Any, options: dict[str, Any], rtol: float) -> None:
    mine, other = (trained(of, kind, rate, options) for of, rate in ((lf, ours), (keras, theirs)))
    for a, b in zip(mine, other, strict=True):
        for w, v in zip(a, b, strict=True):
            np.testing.assert_allclose(w, v, rtol=rtol, atol=rtol)


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_steps(kind: str, options: dict[str, Any]) -> None:
    # float64 on both sides. Keras takes factors such as 1 - beta_1 in float32 where its backend
    # makes tensors of them: 20 steps whose factors err by 6e-8
    check(kind, RATE, RATE, options, rtol=20 * 6e-8)


SCHEDULES: dict[str, Any] = {
    "exponential": lambda of: of.ExponentialDecay(0.03125, 5, 0.5),
    "stairs": lambda of: of.ExponentialDecay(0.03125, 5, 0.5, staircase=True),
    "inverse": lambda of: of.InverseTimeDecay(0.03125, 5, 0.5),
    "inverse stairs": lambda of: of.InverseTimeDecay(0.03125, 5, 0.5, staircase=True),
    "pieces": lambda of: of.PiecewiseConstantDecay([3, 9], [0.0625, 0.03125, 0.015625]),
    "polynomial": lambda of: of.PolynomialDecay(0.0625, 9, 0.015625, power=2.0),
    "cycles": lambda of: of.PolynomialDecay(0.0625, 6, 0.015625, cycle=True),
    "cosine": lambda of: of.CosineDecay(0.0625, 15, 0.125),
    "warmed cosine": lambda of: of.CosineDecay(0.0, 10, warmup_target=0.0625, warmup_steps=5),
    "restarts": lambda of: of.CosineDecayRestarts(0.0625, 5, 2.0, 0.5, 0.125),
    "equal restarts": lambda of: of.CosineDecayRestarts(0.0625, 5, 1.0),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str) -> None:
    ours, theirs = SCHEDULES[name](schedules), SCHEDULES[name](keras.optimizers.schedules)
    assert ours.get_config() == theirs.get_config()
    assert schedules.deserialize(keras.optimizers.schedules.serialize(theirs)) == ours
    for step in range(40):
        # Keras computes in float32; the cosine near pi and logarithms lose some of its digits
        assert ours(step) == pytest.approx(float(theirs(step)), abs=2e-8), step
    # in float32 the rates err by 2e-8, a few 1e-7 of them, and so do the steps
    check("adam", ours, theirs, {"weight_decay": 0.0625, "clipnorm": 0.5}, rtol=20 * 3e-7)


def test_accumulation_and_schedules_count_alike() -> None:
    make = SCHEDULES["exponential"]
    options = {"gradient_accumulation_steps": 3}
    check("sgd", make(schedules), make(keras.optimizers.schedules), options, rtol=20 * 3e-7)


@pytest.mark.parametrize("kind", _core.kinds("optimizer"))
def test_signatures_and_configurations(kind: str) -> None:
    import inspect

    ours = OPTIMIZERS.classes[kind]
    theirs = getattr(keras.optimizers, ours.__name__)
    names = [name for name in inspect.signature(ours).parameters if name != "common"]
    assert list(inspect.signature(theirs).parameters)[: len(names)] == names
    config = theirs(RATE).get_config()
    again = ours.from_config(config).get_config()
    assert again == {name: value for name, value in config.items() if name in again}
    config = theirs().get_config()
    for key, value in ours().get_config().items():
        if key != "name":
            assert value == pytest.approx(config.pop(key)), key
    assert config.keys() == {"name", "loss_scale_factor"}


@pytest.mark.parametrize("cls", schedules.SCHEDULES.classes.values())
def test_signatures_of_schedules(cls: Any) -> None:
    import inspect

    if cls is schedules.WarmUp:
        pytest.skip("Keras has none")
    theirs = inspect.signature(getattr(keras.optimizers.schedules, cls.__name__)).parameters
    mine = inspect.signature(cls).parameters
    assert {n: p.default for n, p in mine.items()} == {n: p.default for n, p in theirs.items()}
    assert [*mine] == [*theirs]

"""Steps of every optimizer against its formula in `lf.reference`, with each of its options.

The cases follow from the core's tables, so that a new optimizer or option is tried as soon as it is
listed. Limits on gradients, which all optimizers share, are tested elsewhere.
Long, because the expected values of Keras's own tests stand here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import _core, reference
from lstmfast.layers import LSTM, Bidirectional, Dense, Embedding, Flatten, Input
from lstmfast.models import Sequential
from lstmfast.optimizers import OPTIMIZERS
from lstmfast.optimizers.base import CLIPS

STEPS, B, I, UNITS = 7, 7, 3, 2
IN_REFERENCE = {name.lower(): value for name, value in vars(reference).items()}
AVERAGES = {"ema_momentum", "ema_overwrite_frequency"}  # which need use_ema


def other(row: dict[str, Any]) -> Any:
    """A value that is not the option's default and lies in its range."""
    if row["takes"] == ["flag"]:
        return not row["default"]
    if row["takes"] == ["integer"]:
        return 3
    return row["default"] / 2 if row["default"] else 0.4


def variants() -> list[Any]:
    """The defaults, each option changed alone, and all of them."""
    out = []
    for kind in _core.kinds("optimizer"):
        rows = [row for row in _core.describe("optimizer", kind) if row["name"] not in CLIPS]
        every = {row["name"]: other(row) for row in rows}
        some = {"defaults": {}, "all": every} | {name: {name: every[name]} for name in every}
        for name in AVERAGES:
            some[name] |= {"use_ema": True}
        out += [pytest.param(kind, some[name], id=f"{kind}-{name}") for name in some]
    return out


def given_gradients(y_true: Any, y_pred: Any) -> tuple[float, Any]:
    """A loss whose gradient is the target."""
    return 0.0, y_true


def weights_as_outputs(count: int, optimizer: Any, dtype: str = "float64") -> Sequential:
    """A model whose outputs are its weights, so that their gradient is that of the loss."""
    dense = Dense(count, use_bias=False, kernel_initializer="ones")
    model = Sequential([Input((1,)), dense], dtype=dtype)
    model.compile(optimizer, given_gradients)
    return model


def step(model: Sequential, gradient: Any) -> np.ndarray:
    """Take a step along a gradient of the weights, and return them."""
    model.train_on_batch(np.ones((1, 1)), np.reshape(gradient, (1, -1)))
    return model.get_weights()[0][0]


@pytest.mark.isa
@pytest.mark.parametrize(("kind", "options"), variants())
def test_steps(kind: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    model = Sequential([Input((I,)), Dense(UNITS)], dtype="float64")
    model.compile(OPTIMIZERS.classes[kind](**options), "mse")
    expected = [rng.normal(size=(I, UNITS)), rng.normal(size=UNITS)]
    model.set_weights(expected)
    optimizer = IN_REFERENCE[kind](**options)

    def check() -> None:
        for actual, value in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(actual, value, rtol=1e-10, atol=1e-12)

    for _ in range(STEPS):
        x, y = rng.normal(size=(B, I)), rng.normal(size=(B, UNITS))
        error = x @ expected[0] + expected[1] - y
        slope = 2 * error / error.size
        model.train_on_batch(x, y)
        optimizer.step(expected, [x.T @ slope, slope.sum(axis=0)])
        check()
    assert model.optimizer is not None
    assert model.optimizer.iterations == STEPS // options.get("gradient_accumulation_steps", 1)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    optimizer.finish(expected)
    check()


EMBEDDED: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.1},
    {"use_ema": True},
    {"gradient_accumulation_steps": 2},
    {"global_clipnorm": 0.1},
    {"global_clipnorm": 0.1, "gradient_accumulation_steps": 2},
]


@pytest.mark.parametrize("options", EMBEDDED, ids=str)
@pytest.mark.parametrize("kind", _core.kinds("optimizer"))
def test_tables_of_which_steps_touch_few_rows(kind: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    model = Sequential([Input((2,), dtype="int32"), Embedding(9, 3), Flatten()], dtype="float64")
    model.compile(OPTIMIZERS.classes[kind](0.1, **options), given_gradients)
    expected = [rng.normal(size=(9, 3))]
    model.set_weights(expected)
    given = {name: value for name, value in options.items() if name not in CLIPS}
    optimizer = IN_REFERENCE[kind](0.1, **given)
    clip = reference.Clip(global_norm=options.get("global_clipnorm"))
    for _ in range(5):
        ids, gradient = rng.integers(0, 5, (2, 2)), rng.normal(size=(2, 2, 3))
        model.train_on_batch(ids, gradient.reshape(2, 6))
        dense = np.zeros((9, 3))
        np.add.at(dense, ids, gradient)
        optimizer.step(expected, [dense], clip)
        np.testing.assert_allclose(model.get_weights()[0], expected[0], rtol=1e-10, atol=1e-12)


def after_a_step(decay: float | None, exclude: Any = None) -> Sequential:
    """A model of nested layers whose weights were all 0.5."""
    model = Sequential(
        [Input((4, 3)), Bidirectional(LSTM(5)), Sequential([Dense(4)]), Dense(1)], seed=1
    )
    model.set_weights([np.full(w.shape, 0.5) for w in model.weights])
    optimizer = lf.optimizers.SGD(0.5, weight_decay=decay)
    if exclude:
        exclude(model, optimizer)
    model.compile(optimizer, "mse")
    model.train_on_batch(np.ones((2, 4, 3)), np.ones((2, 1)))
    return model


BIASES = {
    "names": lambda model, optimizer: optimizer.exclude_from_weight_decay(var_names=["^b", "x"]),
    "weights": lambda model, optimizer: optimizer.exclude_from_weight_decay(
        var_list=[w for w in model.weights if w.name == "bias"]
    ),
}


@pytest.mark.parametrize("way", BIASES)
def test_weights_that_do_not_decay(way: str, tmp_path: Any) -> None:
    model, plain, whole = after_a_step(0.5, BIASES[way]), after_a_step(None), after_a_step(0.5)
    assert sum(w.name == "bias" for w in model.weights) == 4
    for weight, without, decayed in zip(
        model.weights, plain.get_weights(), whole.get_weights(), strict=True
    ):
        # a quarter of 0.5, up to the rounding of steps from less than 1
        np.testing.assert_allclose(without - decayed, 0.125, atol=2**-23)
        expected = without if weight.name == "bias" else decayed
        np.testing.assert_array_equal(weight.numpy(), expected)
    model.save(tmp_path / "model.safetensors")
    again = lf.models.load_model(tmp_path / "model.safetensors")
    for each in (model, again):
        each.train_on_batch(np.ones((2, 4, 3)), np.ones((2, 1)))
    np.testing.assert_equal(again.get_weights(), model.get_weights())
    assert again.optimizer is not None
    again.compile(again.optimizer, "mse")  # the same weights, though nobody names them again
    assert again.optimizer.config()["optimizer.exclude_from_weight_decay"] == tuple(
        place for place, weight in enumerate(model.weights) if weight.name == "bias"
    )


def test_the_average_replaces_weights_at_the_end_of_fit() -> None:
    """Keras's numbers (optimizer_test.py, test_ema_with_model_fit)."""
    optimizer = lf.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    dense = Dense(2, kernel_initializer="ones", use_bias=False)
    model = Sequential([Input((1,)), dense])
    model.compile(optimizer, "mse")
    model.fit(np.ones((1, 1)), np.zeros((1, 1)).repeat(2, 1), batch_size=1, epochs=2, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [[0.891, 0.891]], rtol=1e-6)


def test_frozen_weights_do_not_become_their_average() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    model = Sequential([Input((3,)), Dense(4, activation="tanh"), Dense(1)])
    model.compile(lf.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.7), "mse")
    model.fit(x, y, epochs=2, verbose=0)
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()
    model.fit(x, y, epochs=2, verbose=0)
    np.testing.assert_equal(model.layers[0].get_weights(), before)
    model.layers[0].trainable = True
    model.fit(x, y, epochs=1, verbose=0)
    # the average went on over the frozen weights
    np.testing.assert_allclose(model.layers[0].get_weights()[0], before[0], atol=0.1)


# Keras 3.15, keras/src/optimizers/*_test.py: test_correctness_with_golden. Weights of 1 after a
# step along 0.01, and then after each of four along 0.1, 0.5 and 1 (of Keras's 0.1, 0.2, ... 1);
# one number stands for all three.
GOLDEN: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "Adam": ({"amsgrad": True}, [0.999, 0.9982, 0.9974, 0.9965, 0.9955]),
    "AdamW": (
        {"learning_rate": 1.0, "weight_decay": 0.5, "epsilon": 2},
        [
            0.4998,
            [0.2486, 0.244, 0.2382],
            [0.1223, 0.1124, 0.1003],
            [0.0586, 0.0439, 0.0258],
            [0.0263, 0.0073, -0.0159],
        ],
    ),
    "RMSprop": ({"centered": True}, [0.9967, 0.9933, 0.9908, 0.9885, 0.9864]),
    "Adagrad": (
        {"learning_rate": 0.2, "initial_accumulator_value": 0.3, "epsilon": 1e-6},
        [
            0.9963,
            [0.9604, 0.8615, 0.8209],
            [0.9251, 0.7497, 0.6891],
            [0.8903, 0.6521, 0.579],
            [0.856, 0.5644, 0.4825],
        ],
    ),
    "Adadelta": (
        {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-6},
        [0.9978, 0.9947, 0.9915, 0.9882, 0.9849],
    ),
    "Adamax": (
        {"learning_rate": 0.2, "beta_1": 0.85, "beta_2": 0.95, "epsilon": 1e-6},
        [
            0.8,
            [0.6827, 0.6901, 0.691],
            [0.5333, 0.5451, 0.5466],
            [0.368, 0.3829, 0.3848],
            [0.1933, 0.2105, 0.2126],
        ],
    ),
    "Nadam": (
        {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.67, "epsilon": 1e-5},
        [
            0.4281,
            [-0.1738, -0.1721, -0.1717],
            [-0.7115, -0.709, -0.7084],
            [-1.2335, -1.2306, -1.2299],
            [-1.7492, -1.7461, -1.7454],
        ],
    ),
    "Lion": ({}, [0.999, 0.998, 0.997, 0.996, 0.995]),
    "SGD": (
        {"nesterov": True},
        [
            0.9999,
            [0.9989, 0.9949, 0.9899],
            [0.9979, 0.9899, 0.9799],
            [0.9969, 0.9849, 0.9699],
            [0.9959, 0.9799, 0.9599],
        ],
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_numbers_of_keras(name: str) -> None:
    options, golden = GOLDEN[name]
    model = weights_as_outputs(3, getattr(lf.optimizers, name)(**options), "float32")
    gradient = np.full(3, 0.01)
    for expected in golden:
        # Keras compares with 5e-4; its numbers have four digits
        np.testing.assert_allclose(step(model, gradient), expected, atol=5e-4)
        gradient = np.array([0.1, 0.5, 1.0])


# test_single_step of the same files: weights 1, 2, 3, 4 along 1, 6, 7, 2, learning rate 0.5
SINGLE = {
    "Adam": [0.5, 1.5, 2.5, 3.5],
    "AdamW": [0.4980, 1.4960, 2.494, 3.492],
    "RMSprop": [-0.5811, 0.4189, 1.4189, 2.4189],
    "Adagrad": [0.5233, 1.5007, 2.5005, 3.5061],
    "Adadelta": [0.9993, 1.9993, 2.9993, 3.9993],
    "Adamax": [0.5, 1.5, 2.5, 3.5],
    "Nadam": [0.4686, 1.4686, 2.4686, 3.4686],
    "Lion": [0.5, 1.5, 2.5, 3.5],
    "SGD": [0.5, -1.0, -0.5, 3.0],
}


@pytest.mark.isa
@pytest.mark.parametrize("name", SINGLE)
def test_single_steps_of_keras(name: str) -> None:
    model = weights_as_outputs(4, getattr(lf.optimizers, name)(0.5), "float32")
    model.set_weights([np.array([[1.0, 2.0, 3.0, 4.0]])])
    np.testing.assert_allclose(step(model, [1.0, 6.0, 7.0, 2.0]), SINGLE[name], atol=1e-4)


@pytest.mark.parametrize("name", [name for name in SINGLE if name != "SGD"])
def test_decay_alone_of_keras(name: str) -> None:
    """test_weight_decay of the same files, whose number is rounded in float32."""
    for excluded, expected in ((False, 1.992), (True, 2.0)):
        optimizer = getattr(lf.optimizers, name)(1.0, weight_decay=0.004)
        if excluded:
            optimizer.exclude_from_weight_decay(var_names=["kernel"])
        model = weights_as_outputs(1, optimizer)
        model.set_weights([np.array([[2.0]])])
        assert step(model, [0.0])[0] == pytest.approx(expected, abs=1e-12)


def test_averages_and_sums_of_keras() -> None:
    """optimizer_test.py: test_ema and test_gradient_accumulation."""
    options = {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3}
    model = weights_as_outputs(4, lf.optimizers.SGD(1.0, **options))
    model.set_weights([np.array([[3.0, 4.0, 5.0, 6.0]])])
    for expected in (2.0, 1.0, 1.71):
        np.testing.assert_allclose(step(model, np.ones(4)), expected + np.arange(4), rtol=1e-12)
    model = weights_as_outputs(4, lf.optimizers.SGD(1.0, gradient_accumulation_steps=3))
    assert model.optimizer is not None
    for expected, iterations in ((1.0, 0), (1.0, 0), (0.0, 1), (0.0, 1)):
        np.testing.assert_array_equal(step(model, np.ones(4)), expected)
        assert model.optimizer.iterations.numpy() == iterations  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", _core.kinds("optimizer"))
def test_a_file_holds_all_that_further_steps_need(kind: str, tmp_path: Any) -> None:
    rows = [row for row in _core.describe("optimizer", kind) if row["name"] not in CLIPS]
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(9, 4, 3)), rng.normal(size=(9, 1))
    model = Sequential([Input((4, 3)), LSTM(5), Dense(1)], seed=1)
    model.compile(OPTIMIZERS.classes[kind](**{row["name"]: other(row) for row in rows}), "mse")
    model.fit(x, y, batch_size=2, verbose=0)
    model.save(tmp_path / "model.safetensors")
    again = lf.models.load_model(tmp_path / "model.safetensors")
    assert again.optimizer is not None
    assert again.optimizer.get_config() == model.optimizer.get_config()  # type: ignore[union-attr]
    for each in (model, again):
        each.fit(x, y, batch_size=2, epochs=2, initial_epoch=1, verbose=0)
    np.testing.assert_equal(again.get_weights(), model.get_weights())


@pytest.mark.parametrize("kind", _core.kinds("optimizer"))
def test_configurations(kind: str) -> None:
    rows = [row for row in _core.describe("optimizer", kind) if row["name"] not in CLIPS]
    given = {row["name"]: other(row) for row in rows} | {"clipvalue": 0.5, "name": "mine"}
    optimizer = OPTIMIZERS.classes[kind](**given)
    config = optimizer.get_config()
    assert {name: config[name] for name in given} == given
    for again in (
        type(optimizer).from_config(config),
        lf.optimizers.deserialize(lf.optimizers.serialize(optimizer)),
        lf.optimizers.get({"class_name": type(optimizer).__name__.lower(), "config": config}),
    ):
        assert type(again) is type(optimizer)
        assert again.get_config() == config
    assert type(lf.optimizers.get(kind.upper())) is type(optimizer)
    assert eval(repr(optimizer), vars(lf.optimizers)).get_config() == config | {"name": kind}


def test_the_default_of_compile() -> None:
    model = Sequential([Input((1,)), Dense(1)])
    model.compile(loss="mse")
    assert repr(model.optimizer) == repr(lf.optimizers.RMSprop())


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "decay": (
        lambda: lf.optimizers.Adam(0.1, decay=1e-6),
        TypeError,
        r"^\[Adam\] got decay, .* expected learning_rate=schedules.InverseTimeDecay",
    ),
    "set decay": (
        lambda: setattr(lf.optimizers.Adam(), "decay", 0.1),
        AttributeError,
        r"^\[Adam\] there is no decay; set learning_rate=schedules",
    ),
    "misspelt": (
        lambda: lf.optimizers.RMSprop(weigth_decay=0.1),
        TypeError,
        r"^\[RMSprop\] got an unexpected .*'weigth_decay'; did you mean 'weight_decay'",
    ),
    "AdamW without decay": (
        lambda: lf.optimizers.AdamW(weight_decay=None),
        TypeError,
        r"^\[AdamW\] weight_decay is None; expected a number of at least 0",
    ),
    "Lion's beta_1": (
        lambda: lf.optimizers.Lion(beta_1=0.0),
        ValueError,
        r"^\[Lion\] beta_1 is 0; expected a number above 0 to 1",
    ),
    "accumulation": (
        lambda: lf.optimizers.SGD(gradient_accumulation_steps=1),
        ValueError,
        r"gradient_accumulation_steps is 1; expected an integer from 2 to",
    ),
    "var_list": (
        lambda: lf.optimizers.AdamW().exclude_from_weight_decay(var_list=["bias"]),
        TypeError,
        r"^\[AdamW.exclude_from_weight_decay\] var_list is of type str; expected weights of layers",
    ),
    "weight of another model": (
        lambda: exclude_another(),
        ValueError,
        r"^\[compile\] \S+/bias, excluded from weight decay, is none of the model's",
    ),
    "exclusion after compile": (
        lambda: compiled().optimizer.exclude_from_weight_decay(var_names=["bias"]),
        ValueError,
        r"^\[AdamW.exclude_from_weight_decay\] a model is compiled with it; expected the call bef",
    ),
    "weight decay after compile": (
        lambda: setattr(compiled().optimizer, "weight_decay", 0.5),
        AttributeError,
        r"^\[AdamW\] weight_decay cannot change once a model is compiled with it",
    ),
}


def compiled() -> Any:
    model = Sequential([Input((1,)), Dense(1)])
    model.compile("adamw", "mse")
    return model


def exclude_another() -> None:
    optimizer = lf.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_list=[compiled().layers[0].bias])
    compiled().compile(optimizer, "mse")


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    call, kind, message = ERRORS[name]
    with pytest.raises(kind, match=message):
        call()

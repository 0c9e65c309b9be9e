"""Against live Keras 3: the same weights give the same predictions and the same trainings."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest

from lstmfast import callbacks, initializers, layers, losses, metrics, models, optimizers, utils
from lstmfast.optimizers import OPTIMIZERS

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

EPOCHS = 12
# float32 on both sides, over at most 12 epochs of 8 steps whose sums have some hundred terms:
# 96 steps x sqrt(200 terms) x 6e-8 is 8e-5 of the quantity, were all errors of one sign
RTOL = 8e-5


def twins(build: Any, **compile_options: Any) -> tuple[models.Sequential, Any]:
    """Build the same model in both libraries, with Keras's first weights."""
    keras.utils.set_random_seed(0)
    theirs = keras.Sequential(build(keras.layers))
    ours = models.Sequential(build(layers))
    ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
    ours.compile(**{k: v(optimizers, losses, metrics) for k, v in compile_options.items()})
    theirs.compile(
        **{k: v(keras.optimizers, keras.losses, keras.metrics) for k, v in compile_options.items()}
    )
    return ours, theirs


def forecaster(activation: str) -> Any:
    return lambda of: [of.Input((3, 1)), of.LSTM(50, activation=activation), of.Dense(2)]


def stacked(of: Any) -> list[Any]:
    return [
        of.Input((None, 2)),
        of.LSTM(16, return_sequences=True, recurrent_activation="hard_sigmoid"),
        of.LSTM(8, use_bias=False),
        of.Dense(8, activation="tanh"),
        of.Dense(1),
    ]


def tagger(of: Any) -> list[Any]:
    return [
        of.Input((6, 3)),
        of.LSTM(12, return_sequences=True),
        of.Dense(4, activation="softmax"),
    ]


def classifier(of: Any) -> list[Any]:
    return [of.Input((6, 3)), of.LSTM(12), of.Dense(1, activation="sigmoid")]


def named(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def constrained(of: Any) -> list[Any]:
    return [
        of.Input((6, 3)),
        of.LSTM(
            12,
            return_sequences=True,
            kernel_constraint=named("MaxNorm", max_value=0.4),
            recurrent_constraint=named("MinMaxNorm", min_value=0.3, max_value=0.6, rate=0.5),
            bias_constraint="non_neg",
        ),
        of.LSTM(
            7,
            kernel_constraint=named("UnitNorm", axis=1),
            recurrent_constraint=named("MaxNorm", max_value=1.5, axis=[0, 1]),
            bias_constraint=named("MaxNorm", max_value=0.7),
        ),
        of.Dense(5, kernel_constraint="non_neg", bias_constraint="unit_norm"),
        of.Dense(1, kernel_constraint=named("MaxNorm", max_value=0.5, axis=-2)),
    ]


def penalised(of: Any) -> list[Any]:
    orthogonal = named("OrthogonalRegularizer", factor=0.3, mode="columns")
    return [
        of.Input((6, 3)),
        of.LSTM(
            12,
            return_sequences=True,
            kernel_regularizer=named("L1", l1=0.003),
            recurrent_regularizer="l2",
            bias_regularizer=named("L1L2", l2=0.02),  # at 0, where they start, l1 has a kink
            activity_regularizer=named("L1L2", l1=0.002, l2=0.03),
        ),
        of.LSTM(
            7,
            activity_regularizer="l2",
            kernel_regularizer="orthogonal_regularizer",
            recurrent_regularizer=orthogonal,
        ),
        of.Dense(5, activation="tanh", activity_regularizer="l1", kernel_constraint="max_norm"),
        of.Dense(4, activation="softmax", kernel_regularizer="l2", activity_regularizer="l2"),
    ]


def smoothly_penalised(of: Any) -> list[Any]:
    """Without kinks: Adam takes whole steps however small a gradient is, so that a rounding error
    which decides a sign would show."""
    return [
        of.Input((6, 3)),
        of.LSTM(
            12,
            return_sequences=True,
            kernel_regularizer=named("L2", l2=0.003),
            recurrent_regularizer="l2",
            bias_regularizer=named("L1L2", l2=0.02),
            activity_regularizer=named("L2", l2=0.3),
        ),
        of.LSTM(7, activity_regularizer="l2", kernel_constraint="max_norm"),
        of.Dense(4, activation="softmax", kernel_regularizer="l2", activity_regularizer="l2"),
    ]


def series(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


ADAM = lambda o, l, m: o.Adam()  # noqa: E731
TRAININGS: dict[str, tuple[Any, Any, Any, dict[str, Any]]] = {
    "relu": (
        forecaster("relu"),
        series((15, 3, 1)),
        series((15, 2), 1),
        {
            "optimizer": ADAM,
            "loss": lambda o, l, m: "mse",
            "metrics": lambda o, l, m: ["mae", m.RootMeanSquaredError(name="rmse")],
        },
    ),
    "sgd momentum": (
        forecaster("tanh"),
        series((15, 3, 1)),
        series((15, 2), 1),
        {
            "optimizer": lambda o, l, m: o.SGD(0.05, momentum=0.9, clipnorm=0.5),
            "loss": lambda o, l, m: l.Huber(delta=0.3),
        },
    ),
    "nesterov": (
        forecaster("tanh"),
        series((15, 3, 1)),
        series((15, 2), 1),
        {
            "optimizer": lambda o, l, m: o.SGD(0.05, 0.9, nesterov=True, global_clipnorm=0.3),
            "loss": lambda o, l, m: "mae",
        },
    ),
    "stacked": (
        stacked,
        series((40, 9, 2)),
        series((40, 1), 1),
        {
            "optimizer": lambda o, l, m: o.Adam(0.01, clipvalue=0.1),
            "loss": lambda o, l, m: "mean_squared_error",
        },
    ),
    "tagger": (
        tagger,
        series((20, 6, 3)),
        np.random.default_rng(0).integers(0, 4, (20, 6)),
        {
            "optimizer": ADAM,
            "loss": lambda o, l, m: "sparse_categorical_crossentropy",
            "metrics": lambda o, l, m: ["accuracy"],
        },
    ),
    "one-hot tagger": (
        tagger,
        series((20, 6, 3)),
        np.eye(4, dtype=np.float32)[np.random.default_rng(0).integers(0, 4, (20, 6))],
        {
            "optimizer": ADAM,
            "loss": lambda o, l, m: l.CategoricalCrossentropy(label_smoothing=0.1),
            "metrics": lambda o, l, m: ["acc"],
        },
    ),
    "constrained": (
        constrained,
        series((20, 6, 3)),
        series((20, 1), 1),
        {"optimizer": lambda o, l, m: o.Adam(0.01), "loss": lambda o, l, m: "mse"},
    ),
    "constrained sgd": (
        constrained,
        series((20, 6, 3)),
        series((20, 1), 1),
        {"optimizer": lambda o, l, m: o.SGD(0.05, 0.9), "loss": lambda o, l, m: "mse"},
    ),
    "penalised": (
        smoothly_penalised,
        series((20, 6, 3)),
        np.eye(4, dtype=np.float32)[np.random.default_rng(0).integers(0, 4, 20)],
        {
            "optimizer": lambda o, l, m: o.Adam(0.01, clipnorm=0.1),
            "loss": lambda o, l, m: "categorical_crossentropy",
            "metrics": lambda o, l, m: ["acc"],
        },
    ),
    "penalised sgd": (
        penalised,
        series((20, 6, 3)),
        series((20, 4), 1),
        {"optimizer": lambda o, l, m: o.SGD(0.1, 0.9), "loss": lambda o, l, m: "mse"},
    ),
    "classifier": (
        classifier,
        series((20, 6, 3)),
        np.random.default_rng(0).integers(0, 2, (20, 1)).astype(np.float32),
        {
            "optimizer": ADAM,
            "loss": lambda o, l, m: "binary_crossentropy",
            "metrics": lambda o, l, m: ["accuracy"],
        },
    ),
}


for _name in OPTIMIZERS.classes:
    TRAININGS[f"{_name} as it is"] = (
        forecaster("tanh"),
        series((15, 3, 1)),
        series((15, 2), 1),
        {"optimizer": lambda o, l, m, name=_name: name, "loss": lambda o, l, m: "mse"},
    )


@pytest.mark.parametrize("name", TRAININGS)
def test_trainings(name: str) -> None:
    build, x, y, options = TRAININGS[name]
    ours, theirs = twins(build, **options)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), atol=2e-6)
    how = {
        "epochs": EPOCHS,
        "batch_size": 4,
        "validation_split": 0.2,
        "shuffle": False,
        "verbose": 0,
    }
    mine, other = ours.fit(x, y, **how), theirs.fit(x, y, **how)
    assert mine.epoch == other.epoch
    assert mine.history.keys() == other.history.keys()
    for key, values in other.history.items():
        np.testing.assert_allclose(mine.history[key], values, rtol=RTOL, atol=1e-6, err_msg=key)
    for mine_w, their_w in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine_w, np.asarray(their_w), rtol=RTOL, atol=RTOL)
    a = ours.evaluate(x, y, verbose=0, return_dict=True)
    b = theirs.evaluate(x, y, verbose=0, return_dict=True)
    assert a == pytest.approx(b, rel=RTOL)


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 0},
        {"patience": 2},
        {"patience": 1, "min_delta": 0.02},
        {"patience": 2, "start_from_epoch": 3},
        {"patience": 2, "baseline": 0.25},
        {"patience": 3, "mode": "max"},
    ],
)
@pytest.mark.parametrize("seed", range(2))
def test_early_stopping_stops_where_keras_does(options: dict[str, Any], seed: int) -> None:
    values = 1 / (1 + np.arange(12)) + 0.2 * np.random.default_rng(seed).random(12)
    x, y = series((8, 3)), series((8, 1))
    ours, theirs = twins(
        lambda of: [of.Input((3,)), of.Dense(1)],
        optimizer=lambda o, l, m: "sgd",
        loss=lambda o, l, m: "mse",
    )
    runs = []
    for model, of in ((ours, callbacks), (theirs, keras.callbacks)):
        feed = of.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(loss=values[epoch]))
        stop = of.EarlyStopping(monitor="loss", **options)
        run = model.fit(x, y, epochs=12, verbose=0, callbacks=[feed, stop])
        runs.append((run.epoch, stop.best, stop.best_epoch, stop.stopped_epoch))
    assert runs[0] == runs[1]


def test_defaults_are_keras_s() -> None:
    ours, theirs = layers.LSTM(3), keras.layers.LSTM(3)
    config = theirs.get_config()
    for key, value in ours.get_config().items():
        if key.endswith("initializer"):
            assert value["class_name"] == config[key]["class_name"]
        elif key in config and key != "name":
            assert value == config[key], key
    for cls in OPTIMIZERS.classes.values():
        config = getattr(keras.optimizers, cls.__name__)().get_config()
        for key, value in cls().get_config().items():
            if key != "name":
                assert value == pytest.approx(config[key]), key


def test_summary_says_the_same() -> None:
    ours, theirs = twins(
        forecaster("relu"), optimizer=lambda o, l, m: "sgd", loss=lambda o, l, m: "mse"
    )
    texts: list[list[str]] = [[], []]
    ours.summary(print_fn=texts[0].append)
    theirs.summary(print_fn=lambda line, **_: texts[1].append(line))
    words = [set("\n".join(lines).split()) for lines in texts]
    for word in ("10,400", "102", "10,502", "(41.02", "(None,", "50)", "(LSTM)", "(Dense)"):
        assert word in words[0]
        assert word in words[1]


@pytest.mark.parametrize("name", initializers.INITIALIZERS.classes)
def test_initializers_are_keras_s(name: str) -> None:
    if name == "chrono":
        pytest.skip("Keras has none")
    ours = initializers.get(name)
    theirs = getattr(keras.initializers, type(ours).__name__)()
    if name != "identity":  # Keras forgets its gain
        assert ours.get_config() == theirs.get_config()
    shape = (300, 200)
    keras.utils.set_random_seed(0)
    utils.set_random_seed(0)
    mine, other = (np.asarray(each(shape), np.float64) for each in (ours, theirs))
    # two samples of 60000: each moment within 5 standard errors of the other, times sqrt(2)
    scale = other.std() / np.sqrt(other.size)
    assert abs(mine.mean() - other.mean()) <= 5 * np.sqrt(2) * scale
    assert abs(mine.std() - other.std()) <= 5 * scale
    if name not in ("random_normal", "orthogonal"):  # the others have bounds
        # Not the largest: of 60000 truncated values Keras with torch lets one in four samples have
        # one outside. A quantile at p of n values errs by sqrt(p(1 - p)/n) / density, which is
        # 1.1e-3 standard deviations near 2 of them.
        ends = [np.quantile(abs(values), 0.999) for values in (mine, other)]
        assert ends[0] == pytest.approx(ends[1], rel=4e-3)

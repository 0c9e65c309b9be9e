"""Against live Keras 3: recurrent layers with masks, directions and states, and what they learn."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pytest

from lstmfast import layers, losses, metrics, models, optimizers

os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras")

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

# float32 on both sides, values below 1, sums of at most some hundred terms: sqrt(200) x 6e-8 is
# 8e-7, and activations and steps add their own
ATOL = 4e-6
B, T, I = 5, 6, 3
# padded right, padded left, with gaps, with nothing left, whole
MASK = np.array(
    [
        [True, True, True, True, False, False],
        [False, False, True, True, True, True],
        [False, True, False, True, True, False],
        [False, False, False, False, False, False],
        [True, True, True, True, True, True],
    ]
)
LSTM_OPTIONS: list[dict[str, Any]] = [
    {},
    {"return_sequences": True},
    {"go_backwards": True},
    {"go_backwards": True, "return_sequences": True},
    {"use_bias": False, "recurrent_activation": "hard_sigmoid", "return_sequences": True},
    {"activation": "relu", "unit_forget_bias": False},
    {"dropout": 0.3, "recurrent_dropout": 0.4, "return_sequences": True},  # off in inference
    {"zero_output_for_mask": True, "return_sequences": True},
    {"zero_output_for_mask": True},
]


def samples(masked: bool, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((B, T, I), dtype=np.float32)
    if masked:
        x[~MASK] = 0.0
    return x


def lstm(of: Any, units: int, **options: Any) -> Any:
    """Keras's fused kernels for torch forget masks of some kinds: its plain ones serve."""
    if of is keras.layers:
        options["use_cudnn"] = False
    zero = options.pop("zero_output_for_mask", False)
    layer = of.LSTM(units, **options) if of is keras.layers else None
    if layer is None:
        return of.LSTM(units, **options, zero_output_for_mask=zero)
    layer.zero_output_for_mask = zero
    return layer


def bidirectional(of: Any, merge: Any, units: int, other: int | None = None, **options: Any) -> Any:
    back = None
    if other is not None:
        back = lstm(of, other, go_backwards=True, activation="softsign", **options)
    return of.Bidirectional(lstm(of, units, **options), merge_mode=merge, backward_layer=back)


def pair(build: Any, batch: int | None = None, **options: Any) -> tuple[models.Sequential, Any]:
    """Build and compile the same model in both libraries, with Keras's first weights."""
    theirs = keras.Sequential([keras.layers.Input((T, I), batch), *build(keras.layers)])
    ours = models.Sequential([layers.Input((T, I), batch), *build(layers)])
    ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
    if options:
        ours.compile(**{k: v(optimizers, losses, metrics) for k, v in options.items()})
        of = keras.optimizers, keras.losses, keras.metrics
        theirs.compile(**{k: v(*of) for k, v in options.items()})
    return ours, theirs


def same(ours: Any, theirs: Any, atol: float = ATOL) -> None:
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=ATOL, atol=atol)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("options", LSTM_OPTIONS, ids=str)
def test_lstm(options: dict[str, Any], masked: bool) -> None:
    ours, theirs = pair(lambda of: [*[of.Masking()] * masked, lstm(of, 7, **options), of.Dense(2)])
    x = samples(masked)
    same(ours.predict(x), theirs.predict(x, verbose=0))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("other", [None, 5])
@pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave"])
def test_bidirectional(merge: str, other: int | None, masked: bool) -> None:
    def build(of: Any) -> list[Any]:
        return [
            *[of.Masking()] * masked,
            bidirectional(of, merge, 5, other, return_sequences=True),
            bidirectional(of, merge, 5, other),
            of.Dense(2),
        ]

    ours, theirs = pair(build)
    x = samples(masked)
    same(ours.predict(x), theirs.predict(x, verbose=0))
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("merge", ["concat", None])
def test_calls_of_layers(merge: str | None, sequences: bool) -> None:
    x, options = samples(True), {"return_sequences": sequences, "return_state": True}
    rng = np.random.default_rng(2)
    states = [rng.standard_normal((B, 4), dtype=np.float32) for _ in range(4)]
    for build, count in (
        (lambda of: lstm(of, 4, **options), 2),
        (lambda of: lstm(of, 4, go_backwards=True, **options), 2),
        (lambda of: bidirectional(of, merge, 4, **options), 4),
        # in a model, Keras takes layers of different sizes for twice the first
        (lambda of: bidirectional(of, merge, 4, 3, **options), 4),
    ):
        ours, theirs = build(layers), build(keras.layers)
        theirs(x)
        ours(x)
        ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
        for mask in (None, MASK):
            widths = [w.shape[1] for w in (theirs(x)[-count:])]
            begin = [state[:, :width] for state, width in zip(states, widths, strict=False)]
            for initial in (None, begin):
                found = ours(x, initial_state=initial, mask=mask)
                expected = theirs(x, initial_state=initial, mask=mask)
                assert len(found) == len(expected) == 1 + count + (merge is None and count == 4)
                for mine, other in zip(found, expected, strict=True):
                    same(mine, other.detach())
        mine = ours.compute_mask(x, MASK)
        other = theirs.compute_mask(x, MASK)
        other = other[0] if isinstance(other, list | tuple) else other
        assert (mine is None) == (other is None)


@pytest.mark.parametrize("sequences", [False, True])
def test_calls_of_halves(sequences: bool) -> None:
    x = samples(True)
    ours, theirs = (
        bidirectional(of, "concat", 4, return_sequences=sequences) for of in (layers, keras.layers)
    )
    theirs(x)
    ours(x)
    ours.set_weights([np.asarray(w) for w in theirs.get_weights()])
    for half in ("forward_layer", "backward_layer"):
        for mask in (None, MASK):
            same(getattr(ours, half)(x, mask=mask), getattr(theirs, half)(x, mask=mask).detach())


LOSSES: dict[str, tuple[Any, int, Any, list[str]]] = {
    "mse": ("mse", 2, None, ["mse", "mae"]),
    "mae": ("mae", 2, None, ["mae"]),
    "huber": ("huber", 2, None, []),
    "log_cosh": ("log_cosh", 2, None, []),
    "mape": ("mape", 2, None, ["mape"]),
    "msle": ("msle", 2, "softplus", ["msle"]),
    "poisson": ("poisson", 2, "softplus", ["poisson"]),
    "hinge": ("hinge", 2, None, ["hinge", "squared_hinge"]),
    "divergence": ("kl_divergence", 3, "softmax", ["kl_divergence"]),
    "sparse": ("sparse_categorical_crossentropy", 3, "softmax", ["accuracy"]),
    "categorical": ("categorical_crossentropy", 3, "softmax", ["accuracy"]),
    "binary": ("binary_crossentropy", 1, "sigmoid", ["accuracy", "mse"]),
}


def targets(name: str, columns: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if name == "sparse":
        return rng.integers(0, columns, (B, T))
    if name == "categorical":
        return np.eye(columns, dtype=np.float32)[rng.integers(0, columns, (B, T))]
    if name == "binary":
        return rng.integers(0, 2, (B, T, 1)).astype(np.float32)
    if name == "mape":  # far from 0, where slopes are large
        return rng.uniform(100.0, 200.0, (B, T, columns)).astype(np.float32)
    if name in ("msle", "poisson"):
        return rng.integers(0, 5, (B, T, columns)).astype(np.float32)
    if name == "hinge":
        return rng.choice([-1.0, 1.0], (B, T, columns)).astype(np.float32)
    if name == "divergence":
        return rng.uniform(0.1, 0.9, (B, T, columns)).astype(np.float32)
    return rng.standard_normal((B, T, columns), dtype=np.float32)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_masked_losses(name: str, masked: bool, weighted: bool) -> None:
    loss, columns, activation, reported = LOSSES[name]

    def build(of: Any) -> list[Any]:
        return [
            *[of.Masking()] * masked,
            bidirectional(of, "concat", 4, return_sequences=True),
            lstm(of, 4, return_sequences=True),
            of.Dense(columns, activation=activation),
        ]

    ours, theirs = pair(
        build,
        optimizer=lambda o, l, m: o.SGD(0.1),
        loss=lambda o, l, m: loss,
        metrics=lambda o, l, m: list(reported),
    )
    x, y = samples(masked), targets(name, columns)
    weights = np.random.default_rng(5).random((B, T), dtype=np.float32) if weighted else None
    for size in (5, 3, 2):  # masked steps are not spread evenly over uneven batches
        how = {"batch_size": size, "verbose": 0, "return_dict": True, "sample_weight": weights}
        mine, other = ours.evaluate(x, y, **how), theirs.evaluate(x, y, **how)
        assert mine == pytest.approx(other, rel=3e-6)
    mine = ours.train_on_batch(x, y, sample_weight=weights, return_dict=True)
    other = theirs.train_on_batch(x, y, sample_weight=weights, return_dict=True)
    assert mine == pytest.approx({k: float(v) for k, v in other.items()}, rel=3e-6)
    how = {"batch_size": 2, "epochs": 3, "shuffle": False, "verbose": 0, "sample_weight": weights}
    first, second = ours.fit(x, y, **how), theirs.fit(x, y, **how)
    for key, values in second.history.items():
        np.testing.assert_allclose(first.history[key], values, rtol=3e-5, err_msg=key)
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        same(w, v, atol=3e-5)


@pytest.mark.parametrize("name", ["sparse", "categorical"])
def test_weights_of_samples_and_classes(name: str) -> None:
    loss, columns, activation, _ = LOSSES[name]
    ours, theirs = pair(
        lambda of: [lstm(of, 4), of.Dense(columns, activation=activation)],
        optimizer=lambda o, l, m: o.SGD(0.1),
        loss=lambda o, l, m: loss,
        metrics=lambda o, l, m: ["accuracy"],
    )
    x, y = samples(False), targets(name, columns)[:, 0]
    how: dict[str, Any] = {"epochs": 2, "batch_size": 2, "shuffle": False, "verbose": 0}
    how["validation_split"] = 0.4  # of which one goes along, and the other does not
    of_samples = np.array([1.0, 2.0, 0.0, 0.5, 3.0], np.float32)
    for given in ({"sample_weight": of_samples}, {"class_weight": {0: 2.0, 1: 0.0, 2: 0.5}}):
        first, second = ours.fit(x, y, **how, **given), theirs.fit(x, y, **how, **given)
        for key, values in second.history.items():
            np.testing.assert_allclose(first.history[key], values, rtol=3e-6, err_msg=key)
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        same(w, v)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_stateful(masked: bool, both: bool) -> None:
    """States go on through all calls, validation too, until they are reset."""

    def build(of: Any) -> list[Any]:
        first = lstm(of, 4, stateful=True, return_sequences=True)
        if both:
            first = of.Bidirectional(first)
        middle = [first, lstm(of, 3, stateful=True)]
        return [*[of.Masking()] * masked, *middle, of.Dense(2)]

    ours, theirs = pair(
        build,
        batch=B,
        optimizer=lambda o, l, m: o.SGD(0.1),
        loss=lambda o, l, m: "mse",
    )
    x = np.concatenate([samples(masked, seed) for seed in range(3)])
    y = np.random.default_rng(9).standard_normal((3 * B, 2), dtype=np.float32)
    how: dict[str, Any] = {"batch_size": B, "verbose": 0}
    for _ in range(2):
        same(ours.predict(x, **how), theirs.predict(x, **how))
        assert ours.evaluate(x, y, **how) == pytest.approx(theirs.evaluate(x, y, **how), rel=3e-6)
        run = {**how, "epochs": 2, "shuffle": False, "validation_data": (x[:B], y[:B])}
        first, second = ours.fit(x, y, **run), theirs.fit(x, y, **run)
        for key, values in second.history.items():
            np.testing.assert_allclose(first.history[key], values, rtol=3e-5, err_msg=key)
        same(ours.predict(x, **how), theirs.predict(x, **how), atol=3e-5)
        ours.reset_states()
        for layer in theirs.layers:
            if hasattr(layer, "reset_state"):
                layer.reset_state()


def test_one_layer_is_reset() -> None:
    ours, theirs = pair(
        lambda of: [
            lstm(of, 4, stateful=True, return_sequences=True),
            lstm(of, 3, stateful=True),
        ],
        batch=B,
    )
    x = samples(False)
    for which in (0, 1):
        same(ours.predict(x, batch_size=B), theirs.predict(x, batch_size=B, verbose=0))
        ours.layers[which].reset_state()
        theirs.layers[which].reset_state()
    same(ours.predict(x, batch_size=B), theirs.predict(x, batch_size=B, verbose=0))


def test_defaults_are_keras_s() -> None:
    for ours, theirs in (
        (layers.LSTM(3), keras.layers.LSTM(3)),
        (layers.Masking(), keras.layers.Masking()),
        (layers.Bidirectional(layers.LSTM(3)), keras.layers.Bidirectional(keras.layers.LSTM(3))),
    ):
        config = theirs.get_config()
        for key, value in ours.get_config().items():
            ours_alone = key in ("name", "layer", "backward_layer") or "initializer" in key
            if key in config and not ours_alone:
                assert value == config[key], key

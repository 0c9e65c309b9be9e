"""Penalties: NumPy's values, gradients by formulas and finite differences, clipping, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import regularizers
from lstmfast.layers import LSTM, Dense, Dropout
from lstmfast.models import Sequential
from lstmfast.optimizers import SGD
from lstmfast.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer
from rules_travel import assert_rules_travel
from runs import threads

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((7, 5, 3)), RNG.standard_normal((7, 4))


def pairs(rule: OrthogonalRegularizer, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of length 1, their lengths, and their products without the diagonal."""
    rows = w if rule.mode == "rows" else w.T
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = rows / lengths
    return units, lengths, units @ units.T - np.eye(len(rows))


def penalty(rule: Regularizer, x: np.ndarray) -> float:
    """The formulas, in float64."""
    x = x.astype(np.float64)
    if isinstance(rule, OrthogonalRegularizer):
        products = pairs(rule, x)[2]
        n = len(products)
        return float(rule.factor * np.abs(products).sum() / (n * (n - 1)))
    l1, l2 = (getattr(rule, name, 0.0) for name in ("l1", "l2"))
    return float(l1 * np.abs(x).sum() + l2 * (x * x).sum())


def slope(rule: Regularizer, x: np.ndarray) -> np.ndarray:
    """Their derivatives."""
    x = x.astype(np.float64)
    if isinstance(rule, OrthogonalRegularizer):
        units, lengths, products = pairs(rule, x)
        n = len(products)
        du = 2 * rule.factor / (n * (n - 1)) * (np.sign(products) @ units)
        dx = (du - units * (units * du).sum(axis=1, keepdims=True)) / lengths
        return dx if rule.mode == "rows" else dx.T
    l1, l2 = (getattr(rule, name, 0.0) for name in ("l1", "l2"))
    return l1 * np.sign(x) + 2 * l2 * x


def model(
    dtype: str = "float64",
    of_lstm: dict[str, Any] | None = None,
    of_dense: dict[str, Any] | None = None,
    loss: str = "mse",
    units: int = 19,
    **compile_options: Any,
) -> Sequential:
    """Sizes with tails in every vector width; the last layer may be of any kind."""
    made = Sequential(
        [
            LSTM(units, input_shape=(None, 3), return_sequences=True, **of_lstm or {}),
            LSTM(5, **of_lstm or {}),
            Dropout(0.0),
            Dense(4, **of_dense or {}),
        ],
        dtype=dtype,
        seed=3,
    )
    rng = np.random.default_rng(0)
    made.set_weights([0.4 * rng.standard_normal(w.shape) for w in made.get_weights()])
    made.compile(SGD(1.0, **compile_options), loss)
    return made


RULES = [L1(0.3), L2(0.2), L1L2(0.1, 0.4), L1L2()]
OF_MATRICES = [*RULES, OrthogonalRegularizer(0.5), OrthogonalRegularizer(2, mode="columns")]
PER_WEIGHT = {
    "kernel": "kernel_regularizer",
    "recurrent_kernel": "recurrent_regularizer",
    "bias": "bias_regularizer",
}


def weights(made: Sequential) -> list[tuple[str, np.ndarray]]:
    names = [name for layer in made.layers for name, _ in layer.weight_parts()]
    return list(zip(names, made.get_weights(), strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", OF_MATRICES, ids=str)
def test_penalties_on_weights(rule: Regularizer, dtype: str) -> None:
    options = {"coupled": True, "peephole": True, "layer_norm": True}
    bias = L1(0.7)
    rules = {"kernel_regularizer": rule, "bias_regularizer": bias}
    lstm = options | rules | {"recurrent_regularizer": rule}
    free, bound = model(dtype, options), model(dtype, lstm, rules)
    own = {"kernel": rule, "recurrent_kernel": rule, "bias": bias}
    before = weights(bound)
    expected = sum(penalty(own[name], w) for name, w in before if name in own)
    eps = float(np.finfo(dtype).eps)
    losses = {}
    for made in (free, bound):
        losses[made] = [made.evaluate(X, Y, batch_size=n, verbose=0) for n in (7, 3)]
        losses[made].append(made.test_on_batch(X, Y))
        losses[made].append(made.train_on_batch(X, Y))
    # sums of positive terms: at most 32 in dtype before they go on in float64
    for without, loss in zip(losses[free], losses[bound], strict=True):
        assert loss - without == pytest.approx(expected, rel=40 * eps, abs=40 * eps)
    # the difference of two steps: each rounds a weight of up to 2 and its gradient; the sums of
    # the orthogonal one are in float64 here and there
    for (name, start), (_, a), (_, b) in zip(before, weights(free), weights(bound), strict=True):
        if name in own:
            np.testing.assert_allclose(a - b, slope(own[name], start), rtol=8 * eps, atol=8 * eps)
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_penalties_on_outputs(rule: Regularizer, dtype: str) -> None:
    """The sum over each batch divided by its samples; of all batches together, as Keras."""
    with_rule = {"activity_regularizer": rule}
    bound = model(dtype, with_rule, with_rule | {"activation": "tanh"})
    free = model(dtype, None, {"activation": "tanh"})
    outputs = []
    for last in range(1, 5):
        part = Sequential(dtype=dtype)
        for layer in free.layers[:last]:
            part.add(type(layer).from_config(layer.get_config()))
        part.build((None, None, 3))
        part.set_weights(free.get_weights()[: len(part.get_weights())])
        outputs.append(part.predict(X, verbose=0))
    cost = sum(penalty(rule, outputs[i]) for i in (0, 1, 3)) / len(X)
    eps = float(np.finfo(dtype).eps)
    for n in (7, 3, 1):
        plain, loss = (made.evaluate(X, Y, batch_size=n, verbose=0) for made in (free, bound))
        assert loss - plain == pytest.approx(cost, rel=64 * eps, abs=64 * eps)
    assert bound.train_on_batch(X, Y) == pytest.approx(loss, rel=64 * eps)


DIFFERENTIATED: dict[str, tuple[Any, Any, str, Any]] = {
    "weights": (
        {
            "kernel_regularizer": L1L2(0.2, 0.3),
            "recurrent_regularizer": OrthogonalRegularizer(1.5, "columns"),
            "bias_regularizer": "l2",
        },
        {"kernel_regularizer": OrthogonalRegularizer(1), "bias_regularizer": L1(0.2)},
        "mse",
        Y,
    ),
    "outputs": (
        {"activity_regularizer": L1L2(0.2, 0.7)},
        {"activity_regularizer": L1L2(0.1, 0.4), "activation": "tanh"},
        "mse",
        Y,
    ),
    "softmax": (
        {"activity_regularizer": L2(0.3)},
        {"activity_regularizer": L1L2(0.1, 0.4), "activation": "softmax"},
        "sparse_categorical_crossentropy",
        np.array([0, 1, 2, 3, 0, 1, 2]),
    ),
    "sigmoid": (
        {"activity_regularizer": L1(0.3)},
        {"activity_regularizer": L2(0.4), "activation": "sigmoid"},
        "binary_crossentropy",
        (Y > 0).astype(float),
    ),
}


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_steps_follow_finite_differences_of_the_loss(name: str) -> None:
    of_lstm, of_dense, loss, y = DIFFERENTIATED[name]
    made = model("float64", of_lstm, of_dense, loss, units=4)
    start = made.get_weights()
    made.train_on_batch(X, y)
    steps = [before - after for before, after in zip(start, made.get_weights(), strict=True)]
    # a central difference of third derivatives of order 10 errs by 10·h²/6, and by eps/h for
    # losses of order 10
    h = 1e-5
    for slot, step in enumerate(steps):
        for at in np.ndindex(step.shape):
            values = []
            for sign in (1, -1):
                moved = [w.copy() for w in start]
                moved[slot][at] += sign * h
                made.set_weights(moved)
                values.append(made.test_on_batch(X, y))
            assert (values[0] - values[1]) / (2 * h) == pytest.approx(step[at], rel=1e-6, abs=2e-9)


def test_at_zero_l1_is_flat() -> None:
    made = Sequential(
        [Dense(3, input_shape=(2,), kernel_regularizer=L1(1), activity_regularizer=L1(1))]
    )
    made.compile(SGD(0.1), "mse")
    zeros = [np.zeros((2, 3)), np.zeros(3)]
    made.set_weights(zeros)
    made.train_on_batch(np.ones((4, 2)), np.zeros((4, 3)))
    assert not np.any(made.get_weights()[0])


def test_gradients_are_clipped_with_the_penalty() -> None:
    made = model(of_lstm={"kernel_regularizer": L2(1e3)}, clipvalue=0.01)
    (_, before), *_ = weights(made)
    made.train_on_batch(X, Y)
    (_, after), *_ = weights(made)
    np.testing.assert_allclose(before - after, 0.01 * np.sign(before), rtol=1e-12)


def test_training_and_validation_report_it() -> None:
    made = model(of_lstm={"kernel_regularizer": L2(10.0)})
    made.optimizer.learning_rate = 0.0
    run = made.fit(X, Y, epochs=1, batch_size=3, validation_data=(X, Y), verbose=0)
    plain = model().evaluate(X, Y, verbose=0)
    cost = sum(penalty(L2(10.0), w) for name, w in weights(made)[:4] if name == "kernel")
    for name in ("loss", "val_loss"):
        assert run.history[name][0] == pytest.approx(plain + cost, rel=1e-12)


def test_a_penalty_that_is_not_finite_is_refused() -> None:
    made = model("float32", of_dense={"kernel_regularizer": "l2"})
    huge = [np.where(w == w.flat[0], 1e30, w) for w in made.get_weights()]
    made.set_weights(huge)
    with pytest.raises(FloatingPointError, match="the loss is not finite"):
        made.train_on_batch(0 * X, Y)


def test_padding_stays_zero() -> None:
    """A lane of padding that were not zero would move the outputs, which a fresh model shows."""
    rules = {"kernel_regularizer": L1L2(0.1, 0.1), "recurrent_regularizer": OF_MATRICES[-1]}
    made = model("float64", rules)
    made.optimizer.learning_rate = 0.1
    made.fit(X, Y, epochs=3, batch_size=3, verbose=0)
    fresh = model("float64")
    fresh.set_weights(made.get_weights())
    assert made.predict(X, verbose=0).tobytes() == fresh.predict(X, verbose=0).tobytes()


def test_threads_do_not_matter() -> None:
    runs = []
    for n in (1, 2):
        with threads(n):
            made = Sequential(
                [
                    LSTM(
                        70,
                        input_shape=(20, 50),
                        kernel_regularizer=L1L2(0.1, 0.2),
                        recurrent_regularizer=OrthogonalRegularizer(),
                        activity_regularizer="l2",
                        return_sequences=True,
                    ),
                    Dense(900, kernel_regularizer="l1", activity_regularizer="l1"),
                ],
                seed=0,
            )
            made.compile("adam", "mse")
            x, y = np.ones((64, 20, 50)), np.ones((64, 20, 900))
            losses = [made.train_on_batch(x, y) for _ in range(2)]
            runs.append([losses, made.evaluate(x, y, verbose=0)])
            runs[-1] += [w.tobytes() for w in made.get_weights()]
    assert runs[0] == runs[1]


def test_configurations_files_and_copies(tmp_path: Path) -> None:
    of_lstm = {
        "kernel_regularizer": L1L2(0.123456789, 1e-12),
        "recurrent_regularizer": OrthogonalRegularizer(0.25, "columns"),
        "bias_regularizer": {"class_name": "L2", "config": {"l2": 0.5}},
        "activity_regularizer": "L1",
        "recurrent_constraint": "max_norm",
    }
    made = model("float32", of_lstm, {"activity_regularizer": "l1_l2"})
    assert made.layers[0].bias_regularizer == L2(0.5)
    assert made.layers[3].activity_regularizer == L1L2(0.01, 0.01)
    made.optimizer.learning_rate = 0.01
    assert_rules_travel(made, X, Y, tmp_path)


def test_names_and_configurations() -> None:
    for name, cls in regularizers.REGULARIZERS.classes.items():
        one = regularizers.get(name)
        assert type(one) is cls
        assert getattr(regularizers, name) is cls
        assert regularizers.get(cls) == cls()
        config = regularizers.serialize(one)
        assert regularizers.deserialize(config) == cls.from_config(one.get_config()) == one
        x = RNG.standard_normal((5, 3))
        assert one(x) == pytest.approx(penalty(one, x), rel=1e-14)
    assert regularizers.get(None) is regularizers.serialize(None) is None
    assert regularizers.get("l1l2") == regularizers.get("l1_l2") == L1L2(0.01, 0.01)
    assert regularizers.get("l1") == L1(0.01)
    assert L1L2() == L1L2(0, 0)


def dense(**rules: Any) -> Sequential:
    return Sequential([Dense(2, input_shape=(3,), **rules)])


def set_later() -> None:
    dense().layers[0].activity_regularizer = "l2"


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "name": (
        lambda: dense(kernel_regularizer="l3"),
        ValueError,
        "unknown regularizer 'l3'; known: l1, l1_l2, l1l2, l2, ",
    ),
    "function": (
        lambda: dense(activity_regularizer=lambda w: 0),
        TypeError,
        "regularizer is of type function; .* functions and classes of one's own are not available",
    ),
    "negative": (lambda: L1(-1), ValueError, r"\[L1\] l1 is -1; expected a number of at least 0"),
    "infinite": (lambda: L1L2(l2=float("inf")), ValueError, r"\[L1L2\] l2 is inf; expected a num"),
    "kind": (lambda: L2("2"), TypeError, "l2 is of type str; expected a number"),  # type: ignore[arg-type]
    "mode": (lambda: OrthogonalRegularizer(1, "diagonal"), ValueError, "mode is 'diagonal'; exp"),
    "of a vector": (
        lambda: dense(bias_regularizer="orthogonal_regularizer"),
        ValueError,
        r"bias_regularizer.kind is .*; expected a penalty that a weight of shape \(2,\)",
    ),
    "of one row": (
        lambda: Sequential(
            [Dense(2, input_shape=(1,), kernel_regularizer=OrthogonalRegularizer())]
        ),
        ValueError,
        r"of shape \(1, 2\) can have",
    ),
    "of outputs": (
        lambda: dense(activity_regularizer=OrthogonalRegularizer()),
        ValueError,
        "expected a penalty that outputs can have",
    ),
    "later": (set_later, AttributeError, "activity_regularizer cannot change once the layer has"),
    "no such weight": (
        lambda: Dense(2, recurrent_regularizer="l2"),
        TypeError,
        "unexpected keyword argument 'recurrent_regularizer'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call()

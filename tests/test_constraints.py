"""Constraints against NumPy's formulas: after a step, in the packed layout, in files, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import constraints
from lstmfast.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from lstmfast.layers import LSTM, Dense, Dropout
from lstmfast.models import Sequential
from lstmfast.optimizers import SGD
from rules_travel import assert_rules_travel
from runs import threads

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((12, 7, 3)), RNG.standard_normal((12, 4))


def norms(w: np.ndarray, axis: Any) -> np.ndarray:
    return np.sqrt((w * w).sum(axis=axis, keepdims=True))


def expected(rule: Constraint, w: np.ndarray) -> np.ndarray:
    """Keras's formulas in float64."""
    w = w.astype(np.float64)
    if isinstance(rule, NonNeg):
        return np.where(w > 0, w, 0)
    n = norms(w, rule.axis)  # type: ignore[attr-defined]
    if isinstance(rule, UnitNorm):
        return w / (1e-7 + n)
    low = rule.min_value if isinstance(rule, MinMaxNorm) else 0
    rate = rule.rate if isinstance(rule, MinMaxNorm) else 1
    within = np.minimum(np.maximum(n, low), rule.max_value)  # type: ignore[attr-defined]
    return w * ((rate * within + (1 - rate) * n) / (1e-7 + n))


def model(dtype: str, rules: dict[str, Any], **options: Any) -> Sequential:
    """Sizes with tails in every vector width, and more than one panel."""
    of_dense = {key: value for key, value in rules.items() if not key.startswith("recurrent")}
    made = Sequential(
        [
            LSTM(37, input_shape=(None, 3), return_sequences=True, **options, **rules),
            LSTM(5, **rules),
            Dense(71, activation="tanh", **of_dense),
            Dense(4, **of_dense),
        ],
        dtype=dtype,
        seed=3,
    )
    rng = np.random.default_rng(0)
    made.set_weights([0.3 * rng.standard_normal(w.shape) for w in made.get_weights()])
    made.compile(SGD(0.1), "mse")
    return made


OF_MATRICES = [
    MaxNorm(0.5),
    MaxNorm(0.4, axis=1),
    MaxNorm(2, axis=(0, 1)),
    MaxNorm(100),
    MinMaxNorm(0.6, 0.9),
    MinMaxNorm(1.0, 1.1, rate=0.25, axis=-1),
    UnitNorm(),
    UnitNorm(axis=1),
    UnitNorm(axis=None),
    NonNeg(),
]


@pytest.mark.parametrize("options", [{}, {"coupled": True, "peephole": True, "layer_norm": True}])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", OF_MATRICES, ids=str)
def test_weights_after_a_step(rule: Constraint, dtype: str, options: dict[str, Any]) -> None:
    bias_rule = NonNeg() if isinstance(rule, NonNeg) else UnitNorm(-1)
    rules = {"kernel_constraint": rule, "recurrent_constraint": rule, "bias_constraint": bias_rule}
    free, bound = model(dtype, {}, **options), model(dtype, rules, **options)
    free.train_on_batch(X, Y)
    bound.train_on_batch(X, Y)
    names = [name for layer in bound.layers for name, _ in layer.weight_parts()]
    # the step is the same to the bit; then a factor and a product are rounded in dtype. The norms
    # are sums in float64 on both sides, of √n roundings for n = 37 · 148 values at most
    rtol = 2 * np.finfo(dtype).eps + 75 * np.finfo("float64").eps
    for name, w, got in zip(names, free.get_weights(), bound.get_weights(), strict=True):
        own = {"kernel": rule, "recurrent_kernel": rule, "bias": bias_rule}.get(name)
        np.testing.assert_allclose(
            got, w if own is None else expected(own, w), rtol=rtol, atol=0, err_msg=name
        )
        if own is not None:
            np.testing.assert_allclose(own(w), got, rtol=8 * rtol, atol=0)


@pytest.mark.parametrize("rule", OF_MATRICES, ids=str)
def test_they_hold_after_every_step_and_padding_stays_zero(rule: Constraint) -> None:
    """A lane of padding that were not zero would move the outputs, which a fresh model shows."""
    rules = {"kernel_constraint": rule, "recurrent_constraint": rule}
    made = model("float64", rules)
    made.fit(X, Y, epochs=5, batch_size=5, verbose=0)
    kernel = made.get_weights()[0]
    if not (isinstance(rule, MinMaxNorm) and rule.rate < 1):
        np.testing.assert_allclose(expected(rule, kernel), kernel, rtol=1e-6, atol=1e-6)
    fresh = model("float64", {})
    fresh.set_weights(made.get_weights())
    assert made.predict(X, verbose=0).tobytes() == fresh.predict(X, verbose=0).tobytes()


def test_threads_do_not_matter() -> None:
    for rule in (MaxNorm(0.5), UnitNorm(axis=1), UnitNorm(axis=None), NonNeg()):
        runs = []
        for n in (1, 2):
            with threads(n):
                made = Sequential(
                    [
                        LSTM(100, input_shape=(3, 90), kernel_constraint=rule),
                        Dense(700, kernel_constraint=rule),
                    ],
                    seed=0,
                )
                made.compile("adam", "mse")
                for _ in range(2):
                    made.train_on_batch(np.ones((2, 3, 90)), np.ones((2, 700)))
                runs.append([w.tobytes() for w in made.get_weights()])
        assert runs[0] == runs[1], rule


def test_no_constraint_before_training() -> None:
    """As in Keras, what weights start as or are set to is the user's."""
    made = Sequential([Dense(3, input_shape=(2,), kernel_constraint="non_neg")], seed=0)
    assert (made.get_weights()[0] < 0).any()


def test_configurations_files_and_copies(tmp_path: Path) -> None:
    rules = {
        "kernel_constraint": MaxNorm(0.123456789, axis=(0, 1)),
        "recurrent_constraint": "min_max_norm",
        "bias_constraint": {"class_name": "UnitNorm", "config": {"axis": -1}},
    }
    made = model("float32", rules)
    layer = made.layers[0]
    assert layer.recurrent_constraint == MinMaxNorm()
    assert layer.bias_constraint == UnitNorm(-1)
    assert_rules_travel(made, X, Y, tmp_path)


def test_names_and_configurations() -> None:
    for name, cls in constraints.CONSTRAINTS.classes.items():
        one = constraints.get(name)
        assert type(one) is cls
        assert getattr(constraints, name) is cls
        assert constraints.get(cls) == one
        config = constraints.serialize(one)
        assert constraints.deserialize(config) == cls.from_config(one.get_config()) == one
    assert constraints.get(None) is constraints.serialize(None) is None
    assert MaxNorm(axis=[1]) == MaxNorm(axis=1)
    assert MaxNorm(axis=[-1, 0]) == MaxNorm(axis=None) == MaxNorm(axis=(0, 1))


class Own(Constraint):
    def __call__(self, w: Any) -> Any:
        return w


def dense(**rules: Any) -> Sequential:
    return Sequential([Dense(2, input_shape=(3,), **rules)])


def set_later() -> None:
    dense().layers[0].kernel_constraint = "non_neg"


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "name": (
        lambda: dense(kernel_constraint="nonneg"),
        ValueError,
        "unknown constraint 'nonneg'; known: max_norm, .*non_neg, ",
    ),
    "function": (
        lambda: dense(kernel_constraint=lambda w: w),
        TypeError,
        "constraint is of type function; .* functions and classes of one's own are not available",
    ),
    "class": (lambda: dense(kernel_constraint=Own), TypeError, "own are not available"),
    "object": (lambda: dense(kernel_constraint=Own()), TypeError, "constraint is of type Own"),
    "axis": (lambda: MaxNorm(axis=2), ValueError, r"\[MaxNorm\] axis is 2; expected 0, 1 or \(0"),
    "axes": (lambda: UnitNorm([0, -2]), ValueError, r"axis is \(0, 0\); expected 0, 1 or \(0, 1\)"),
    "no axis": (lambda: UnitNorm([]), ValueError, r"axis is \(\); expected"),
    "kind of axis": (lambda: UnitNorm("0"), TypeError, "axis is of type str; expected 0, 1 or"),
    "negative": (lambda: MaxNorm(-1), ValueError, r"\[MaxNorm\] max_value is -1; expected a num"),
    "kind": (lambda: MaxNorm("2"), TypeError, "max_value is of type str; expected a number"),  # type: ignore[arg-type]
    "order": (lambda: MinMaxNorm(2, 1), ValueError, "min_value is 2; expected at most max_value"),
    "rate": (lambda: MinMaxNorm(rate=1.5), ValueError, "rate is 1.5; expected a number from 0 to"),
    "of a vector": (
        lambda: dense(bias_constraint=MaxNorm(axis=1)),
        ValueError,
        r"\[layers.Dense\] dense: bias_constraint.axis is 1; expected 0 for a weight of one axis",
    ),
    "later": (set_later, AttributeError, "kernel_constraint cannot change once the layer has wei"),
    "no such weight": (
        lambda: Dropout(0.1, kernel_constraint="non_neg"),
        TypeError,
        "unexpected keyword argument 'kernel_constraint'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call()


def test_a_bias_that_is_not_there_needs_no_constraint() -> None:
    made = dense(use_bias=False, bias_constraint=MaxNorm(axis=1))
    assert len(made.get_weights()) == 1

"""Against live Keras 3: several inputs and outputs through fit, evaluate and predict.

Keras takes lists here; ours takes each form that an argument has, and answers the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from keras_twins import (
    ATOL,
    KERAS,
    OURS,
    TRAINED,
    B,
    T,
    compile_both,
    lstm,
    numbers,
    peer,
    same,
    same_fit,
    same_outputs,
    same_training,
    twins,
    weights_of,
)

pytestmark = peer

ROWS = 8
A, FIXED = numbers(ROWS, T, 3), numbers(ROWS, 4, seed=1)
P = numbers(ROWS, 2, seed=2)
Q = (numbers(ROWS, 1, seed=3) > 0).astype(np.float32)
# of rows; one of them counts nothing for one output alone
WEIGHTS = [
    np.array([1.0, 2.0, 0.0, 0.5, 3.0, 1.0, 1.5, 0.25], np.float32),
    np.array([0.5, 0.5, 4.0, 1.0, 1.0, 0.0, 2.0, 1.0], np.float32),
]


def net(of: Any) -> Any:
    """Two inputs, two outputs of different shapes; q stands on p's layer, too."""
    a, b = of.layers.Input((T, 3), name="a"), of.layers.Input((4,), name="b")
    h = of.layers.concatenate([lstm(of, 3)(a), b])
    p = of.layers.Dense(2, name="p")(h)
    q = of.layers.Dense(1, activation="sigmoid", name="q")(of.layers.concatenate([h, p]))
    return of.models.Model([a, b], [p, q])


def sgd(of: Any) -> Any:
    return of.optimizers.SGD(0.1)


def test_predictions_are_a_list() -> None:
    ours, theirs = twins(net)
    same_outputs(ours, theirs, [A, FIXED])
    for batch_size in (3, 8):
        found = ours.predict([A, FIXED], batch_size=batch_size, verbose=0)
        assert isinstance(found, list)
        same(found, theirs.predict([A, FIXED], batch_size=batch_size, verbose=0))
    same(ours.predict_on_batch([A, FIXED]), theirs.predict_on_batch([A, FIXED]))
    same(ours.predict({"b": FIXED, "a": A}, verbose=0), ours.predict((A, FIXED), verbose=0), 0.0)
    only = ours.predict([A[:1], FIXED[:1]], verbose=0)
    assert [y.shape for y in only] == [(1, 2), (1, 1)]


def by_name(values: list[Any]) -> dict[str, Any]:
    """In another order than the outputs stand in: names decide."""
    return {"q": values[1], "p": values[0]}


FORMS: dict[str, Callable[[list[Any]], Any]] = {"list": list, "dict": by_name}


@pytest.mark.parametrize("form", FORMS)
def test_losses_and_weights(form: str) -> None:
    """Of outputs and of rows, targets too; all of them as lists, and all by name."""
    given = FORMS[form]
    ours, theirs = twins(net)
    losses, shares = ["mse", "binary_crossentropy"], [0.7, 2.0]
    ours.compile(sgd(OURS), loss=given(losses), loss_weights=given(shares))
    theirs.compile(sgd(KERAS), loss=losses, loss_weights=shares)
    how: dict[str, Any] = {"batch_size": 3, "epochs": 3, "shuffle": False, "verbose": 0}
    first = ours.fit([A, FIXED], given([P, Q]), sample_weight=given(WEIGHTS), **how).history
    second = theirs.fit([A, FIXED], [P, Q], sample_weight=WEIGHTS, **how).history
    assert set(first) == set(second) == {"loss", "p_loss", "q_loss"}
    for key, values in second.items():
        np.testing.assert_allclose(first[key], values, rtol=TRAINED, err_msg=key)
    same(weights_of(ours), weights_of(theirs), TRAINED)


COMPILED: dict[str, dict[str, Any]] = {
    "one loss": {"loss": "mse"},
    "losses": {"loss": ["mse", "mae"]},
    "losses by name": {"loss": {"q": "binary_crossentropy", "p": "huber"}},
    "objects": {
        "loss": lambda of: {"p": of.losses.Huber(0.4), "q": of.losses.BinaryCrossentropy()},
        "metrics": lambda of: {"p": [of.metrics.MeanAbsoluteError(name="off")]},
    },
    "one output only": {"loss": ["mse", None]},
    "weights": {"loss": ["mse", "mae"], "loss_weights": [0.5, 2.0]},
    "weights by name": {"loss": ["mse", "mae"], "loss_weights": {"q": 2.0, "p": 0.5}},
    "metrics of each": {"loss": "mse", "metrics": [["mae", "mse"], ["accuracy"]]},
    "a metric each": {"loss": "mse", "metrics": ["mae", "accuracy"]},
    "metrics by name": {"loss": "mse", "metrics": {"q": ["accuracy", "mae"]}},
    "a metric by name": {"loss": "mse", "metrics": {"q": "accuracy", "p": "mae"}},
    "both by name": {
        "loss": {"p": "mse", "q": "binary_crossentropy"},
        "loss_weights": {"p": 0.3, "q": 1.5},
        "metrics": {"p": ["mae"], "q": ["accuracy", "mse"]},
    },
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", COMPILED)
def test_histories(name: str, weighted: bool) -> None:
    """Keys and values, over batches of different sizes, those of validation too."""
    ours, theirs = twins(net)
    compile_both(ours, theirs, **({"optimizer": sgd} | COMPILED[name]))
    how: dict[str, Any] = {"batch_size": 3, "validation_split": 0.5}
    if weighted and "one output only" not in name:
        how["sample_weight"] = WEIGHTS
    history = same_fit(ours, theirs, [A, FIXED], [P, Q], **how)
    assert {f"val_{key}" for key in history if "val_" not in key} < set(history)
    same(weights_of(ours), weights_of(theirs), TRAINED)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", COMPILED)
def test_evaluations(name: str, weighted: bool) -> None:
    """As a list in Keras's order: loss, losses of the outputs, then metrics; and by name."""
    ours, theirs = twins(net)
    compile_both(ours, theirs, **({"optimizer": sgd} | COMPILED[name]))
    how: dict[str, Any] = {"batch_size": 3, "verbose": 0}
    if weighted and "one output only" not in name:
        how["sample_weight"] = WEIGHTS
    x, y = [A, FIXED], [P, Q]
    found, expected = (model.evaluate(x, y, **how) for model in (ours, theirs))
    np.testing.assert_allclose(found, expected, rtol=ATOL)
    found, expected = (model.evaluate(x, y, return_dict=True, **how) for model in (ours, theirs))
    assert found == pytest.approx(expected, rel=ATOL)


def test_single_batches() -> None:
    ours, theirs = twins(net)
    compile_both(ours, theirs, **({"optimizer": sgd} | COMPILED["both by name"]))
    x, y = [A, FIXED], [P, Q]
    for call in ("test_on_batch", "train_on_batch"):
        found, expected = (
            getattr(model, call)(x, y, sample_weight=WEIGHTS, return_dict=True)
            for model in (ours, theirs)
        )
        assert found == pytest.approx({k: float(v) for k, v in expected.items()}, rel=ATOL)
        for model in (theirs, ours):  # Keras's values go on from the last call
            model.reset_metrics()
    same(weights_of(ours), weights_of(theirs), TRAINED)


def test_forms_of_data() -> None:
    """Tuples, dictionaries by name and validation data in each form are the same data."""
    _, theirs = twins(net)
    theirs.compile(sgd(KERAS), "mse", metrics=[["mae"], ["mae"]])
    start, how = weights_of(theirs), {"epochs": 2, "shuffle": False, "verbose": 0}
    expected = theirs.fit(
        [A, FIXED], [P, Q], validation_data=([A[:3], FIXED[:3]], [P[:3], Q[:3]]), **how
    ).history
    forms: list[tuple[Any, Any, Any, Any]] = [
        ((A, FIXED), (P, Q), (A[:3], FIXED[:3]), (P[:3], Q[:3])),
        ({"b": FIXED, "a": A}, by_name([P, Q]), [A[:3], FIXED[:3]], [P[:3], Q[:3]]),
        ([A, FIXED], by_name([P, Q]), {"a": A[:3], "b": FIXED[:3]}, by_name([P[:3], Q[:3]])),
    ]
    for x, y, val_x, val_y in forms:
        ours = net(OURS)
        ours.set_weights(start)
        ours.compile(sgd(OURS), "mse", metrics=[["mae"], ["mae"]])
        found = ours.fit(x, y, validation_data=(val_x, val_y), **how).history
        assert set(found) == set(expected)
        for key, values in expected.items():
            np.testing.assert_allclose(found[key], values, rtol=TRAINED, err_msg=key)


def test_dictionaries_stand_in_the_order_of_their_names() -> None:
    """Of a model's inputs and outputs: so do lists of data and losses, layers and weights."""

    def build(of: Any) -> Any:
        a, b = of.layers.Input((T, 3), name="a"), of.layers.Input((4,), name="b")
        h = of.layers.concatenate([lstm(of, 3)(a), b])
        q = of.layers.Dense(1, activation="sigmoid", name="q")(h)
        p = of.layers.Dense(2, name="p")(h)
        return of.models.Model({"b": b, "a": a}, {"second": q, "first": p})

    ours, theirs = twins(build)
    assert [layer.name for layer in ours.layers[-2:]] == ["p", "q"]
    assert [layer.name for layer in theirs.layers[-2:]] == ["p", "q"]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    x = {"a": A, "b": FIXED}
    found, expected = (model.predict(x, verbose=0) for model in (ours, theirs))
    assert list(found) == list(expected) == ["first", "second"]
    same(found, expected)
    same(ours.predict([A, FIXED], verbose=0), expected)
    compile_both(ours, theirs, optimizer=sgd, loss=["mse", "mae"], loss_weights=[0.3, 2.0])
    history = same_fit(ours, theirs, x, {"second": Q, "first": P})
    assert set(history) == {"loss", "first_loss", "second_loss"}


def test_one_weight_for_all_outputs() -> None:
    """One array of sample weights serves every output."""
    ours, theirs = twins(net)
    compile_both(ours, theirs, optimizer=sgd, loss="mse")
    same_fit(ours, theirs, [A, FIXED], [P, Q], sample_weight=WEIGHTS[0], batch_size=4)


def test_weights_of_classes_are_for_one_output() -> None:
    for model in twins(net):
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match="class_weight"):
            model.fit([A, FIXED], [P, Q], class_weight={0: 1.0, 1: 2.0}, verbose=0)


def test_one_output_has_no_name_in_its_keys() -> None:
    def build(of: Any) -> Any:
        a, b = of.layers.Input((T, 3), name="a"), of.layers.Input((4,), name="b")
        h = of.layers.concatenate([lstm(of, 3)(a), b])
        return of.models.Model([a, b], of.layers.Dense(2, name="p")(h))

    ours, theirs = twins(build)
    compile_both(ours, theirs, optimizer=sgd, loss="mse", metrics=["mae"])
    history = same_fit(ours, theirs, [A, FIXED], P, validation_split=0.25)
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    compile_both(ours, theirs, optimizer=sgd, loss={"p": "mse"}, metrics={"p": ["mae"]})
    same_fit(ours, theirs, [A, FIXED], P)


def test_outputs_on_the_way() -> None:
    """An output that another output is made of has the gradients of both."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        steps = lstm(of, 2, return_sequences=True, name="steps")(x)
        last = lstm(of, 2, name="last")(steps)
        return of.models.Model(x, [last, steps])

    ours, theirs = twins(build)
    x, y = numbers(B, T, 3), [numbers(B, 2, seed=1), numbers(B, T, 2, seed=2)]
    same_outputs(ours, theirs, x)
    same_training(ours, theirs, x, y, loss_weights=[1.0, 0.5], loss=["mse", "mae"])


def test_mistakes_name_what_is_wrong() -> None:
    model = net(OURS)
    model.compile("sgd", "mse")
    for x, y in (([A], [P, Q]), ([A, FIXED], [P]), ({"a": A}, [P, Q]), ([A, FIXED[:3]], [P, Q])):
        with pytest.raises(ValueError):
            model.fit(x, y, verbose=0)

    def compile_and_fit(**wrong: Any) -> None:
        model.compile("sgd", **wrong)
        model.fit([A, FIXED], [P, Q], verbose=0)

    for wrong in ({"loss": {"p": "mse", "r": "mse"}}, {"loss": "mse", "metrics": {"r": ["mae"]}}):
        with pytest.raises(ValueError, match=r"\br\b"):
            compile_and_fit(**wrong)

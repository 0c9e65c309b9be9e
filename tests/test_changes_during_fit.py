"""What may not change a model while it trains, and what may, from callbacks and other threads."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.callbacks import LambdaCallback
from lstmfast.layers import LSTM, Dense
from lstmfast.models import Sequential
from test_concurrency import RUNNING, in_thread

X = np.random.default_rng(0).random((8, 3, 2), dtype=np.float32)
Y = X[:, 0].copy()

# refused wherever it comes from; the name is that of the message
CHANGES: dict[str, Callable[[Sequential], Any]] = {
    "Sequential.add": lambda model: model.add(Dense(2)),
    "Sequential.pop": lambda model: model.pop(),
    "model.compile": lambda model: model.compile("sgd", "mae", metrics=["mse"]),
    "model.fit": lambda model: model.fit(X, Y, verbose=0),
    "model.train_on_batch": lambda model: model.train_on_batch(X, Y),
}


def make() -> Sequential:
    model = Sequential([LSTM(4, input_shape=(3, 2)), Dense(2)], seed=0)
    model.compile("adam", "mse", metrics=["mae"])
    return model


def visible(model: Sequential) -> Any:
    """What a user sees of a model, and what its next draw is made from."""
    optimizer = copy.copy(model.optimizer)
    return (
        [layer.name for layer in model.layers],
        model.output_shape,
        (repr(optimizer), repr(model.loss), [metric.name for metric in model.metrics]),
        (model.history, model.stop_training),
        model._rng.bit_generator.state,
    )


def fit_with(model: Sequential, work: Callable[[], Any], hook: str = "on_train_batch_end") -> Any:
    """Fit two epochs of two batches; call `work` once, in that hook."""
    todo = [work]

    def once(*_: Any) -> None:
        if todo:
            todo.pop()()

    listener = LambdaCallback(**{hook: once})
    return model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[listener])


def assert_same_weights(model: Sequential, other: Sequential) -> None:
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("hook", ["on_train_begin", "on_train_batch_end", "on_epoch_end"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_is_refused(name: str, hook: str) -> None:
    """With an error, and as if it had not been tried: the fit ends as it would have."""
    model, undisturbed = make(), make()
    messages = []

    def work() -> None:
        before = visible(model)
        with pytest.raises(RuntimeError) as caught:
            CHANGES[name](model)
        messages.append(str(caught.value))
        messages.append(in_thread(lambda: CHANGES[name](model)))
        assert visible(model) == before

    run = fit_with(model, work, hook)
    assert messages == [f"[{name}] {RUNNING}"] * 2
    assert run.history == fit_with(undisturbed, lambda: None, hook).history
    assert_same_weights(model, undisturbed)
    CHANGES[name](model)  # now it may


def test_weights_are_set_by_callbacks_alone() -> None:
    model, by_hand = make(), make()
    zeros = [np.zeros_like(weight) for weight in model.get_weights()]
    messages = []

    def work() -> None:
        messages.append(in_thread(lambda: model.set_weights(model.get_weights())))
        messages.append(in_thread(lambda: model.layers[1].set_weights(zeros[-2:])))
        model.set_weights(zeros)

    fit_with(model, work, "on_epoch_end")
    assert messages == [f"[layer.set_weights] {RUNNING}"] * 2
    fit_with(by_hand, lambda: setattr(by_hand, "stop_training", True), "on_epoch_end")
    by_hand.set_weights(zeros)
    by_hand.fit(X, Y, batch_size=4, verbose=0)
    assert_same_weights(model, by_hand)


def test_a_model_changes_at_the_end_of_its_fit() -> None:
    """on_train_end comes when the core is done: compile and fit again as you like."""
    model = make()

    def again() -> None:
        model.add(Dense(1))
        model.compile("sgd", "mse")
        model.fit(X, Y[:, :1], verbose=0)

    fit_with(model, again, "on_train_end")
    assert model.output_shape == (None, 1)


def test_a_compile_that_fails_draws_nothing() -> None:
    model, other = make(), make()
    with pytest.raises(ValueError, match="target has 2 values a row"):
        model.compile("sgd", "mse", metrics=[lf.metrics.SparseCategoricalAccuracy()])
    assert visible(model) == visible(other)

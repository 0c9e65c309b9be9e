"""Against live Keras 3: layers and models that do not train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from keras_twins import (
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
    same_training,
    twins,
    weights_of,
)

pytestmark = peer

X, TARGET = numbers(B, T, 3), numbers(B, 2, seed=9)


def net(of: Any) -> Any:
    x = of.layers.Input((T, 3))
    h = lstm(of, 3, return_sequences=True, name="first")(x)
    h = of.layers.Dense(3, activation="tanh", name="middle")(h)
    h = lstm(of, 3, name="second")(h)
    return of.models.Model(x, of.layers.Dense(2, name="last")(h))


def frozen(model: Any, *names: str) -> Any:
    for name in names:
        model.get_layer(name).trainable = False
    return model


def trainable(model: Any) -> tuple[list[str], list[str]]:
    return [w.name for w in model.trainable_weights], [w.name for w in model.non_trainable_weights]


@pytest.mark.parametrize(
    "names",
    [("first",), ("middle",), ("second",), ("last",), ("first", "middle"), ("second", "last")],
)
def test_frozen_before_compile(names: tuple[str, ...]) -> None:
    """A frozen layer hands dx on; optimizer and losses are those of the rest."""
    ours, theirs = twins(lambda of: frozen(net(of), *names))
    assert trainable(ours) == trainable(theirs)
    count = sum(2 if name in ("middle", "last") else 3 for name in names)
    same_training(ours, theirs, X, TARGET, frozen=count)


CLIPS: dict[str, Callable[[Any], Any]] = {
    "clipnorm": lambda of: of.optimizers.SGD(0.5, clipnorm=0.05),
    "global_clipnorm": lambda of: of.optimizers.SGD(0.5, global_clipnorm=0.1),
    "momentum": lambda of: of.optimizers.SGD(0.1, momentum=0.9, clipvalue=0.02),
}


@pytest.mark.parametrize("name", CLIPS)
def test_norms_are_of_what_trains(name: str) -> None:
    ours, theirs = twins(lambda of: frozen(net(of), "first", "last"))
    compile_both(ours, theirs, optimizer=CLIPS[name], loss="mse")
    same_fit(ours, theirs, X, TARGET, batch_size=2)
    same(weights_of(ours), weights_of(theirs), TRAINED)


def test_everything_frozen() -> None:
    """As layer by layer, so by the model; and what a model says goes for its layers."""
    for model in twins(net):
        model.trainable = False
        assert not any(layer.trainable for layer in model.layers if layer.weights)
        assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (0, 10)
        model.trainable = True
        assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (10, 0)


def test_a_frozen_model_inside() -> None:
    """Transfer: a body whose weights are kept, a head that learns; then all of it."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        body = of.models.Model(x, of.layers.Dense(3)(lstm(of, 3)(x)), name="body")
        body.trainable = False
        x = of.layers.Input((T, 3))
        return of.models.Model(x, of.layers.Dense(2, name="head")(body(x)))

    ours, theirs = twins(build)
    same_training(ours, theirs, X, TARGET, frozen=5)
    for model in (ours, theirs):
        model.get_layer("body").trainable = True
    same_training(ours, theirs, X, TARGET)


def test_shared_and_frozen() -> None:
    def build(of: Any) -> Any:
        a, b = of.layers.Input((T, 3)), of.layers.Input((T, 3))
        layer = lstm(of, 3, name="layer", trainable=False)
        h = of.layers.concatenate([layer(a), layer(b)])
        return of.models.Model([a, b], of.layers.Dense(2)(h))

    ours, theirs = twins(build)
    same_training(ours, theirs, [X, X[::-1]], TARGET, frozen=3)


def test_frozen_words() -> None:
    def build(of: Any) -> Any:
        ids = of.layers.Input((T,))
        h = of.layers.Embedding(9, 3, mask_zero=True, trainable=False)(ids)
        return of.models.Model(ids, of.layers.Dense(2)(lstm(of, 3)(h)))

    ids = np.random.default_rng(0).integers(0, 9, (B, T))
    ours, theirs = twins(build)
    same_training(ours, theirs, ids, TARGET, frozen=1)


def test_frozen_in_a_sequential() -> None:
    def build(of: Any) -> Any:
        rows = [of.layers.Input((T, 3)), of.layers.Bidirectional(lstm(of, 2)), of.layers.Dense(2)]
        model = of.models.Sequential(rows)
        model.layers[0].trainable = False
        return model

    ours, theirs = twins(build)
    assert trainable(ours) == trainable(theirs)
    same_training(ours, theirs, X, TARGET, frozen=6)


def test_penalties_of_frozen_weights_count() -> None:
    """They add to the loss as before, and move nothing."""

    def build(of: Any) -> Any:
        x = of.layers.Input((T, 3))
        h = lstm(of, 3, kernel_regularizer="l2", activity_regularizer="l2", name="first")(x)
        return frozen(of.models.Model(x, of.layers.Dense(2, kernel_regularizer="l2")(h)), "first")

    ours, theirs = twins(build)
    same_training(ours, theirs, X, TARGET, frozen=3)


def test_freezing_takes_effect_at_the_next_step() -> None:
    """Without compile, as in Keras's torch backend, which asks each step what is trainable.

    (With TensorFlow, Keras traces the step once and goes on training what is frozen later.)
    """
    ours, theirs = twins(net)
    sgd = lambda of: of.optimizers.SGD(0.2)  # noqa: E731
    compile_both(ours, theirs, optimizer=sgd, loss="mse")
    same_fit(ours, theirs, X, TARGET)
    for model in (ours, theirs):
        frozen(model, "first", "last")
    before = weights_of(ours)
    same_fit(ours, theirs, X, TARGET)
    same(weights_of(ours), weights_of(theirs), TRAINED)
    kept = [np.array_equal(w, v) for w, v in zip(before, weights_of(ours), strict=True)]
    assert kept == [True] * 3 + [False] * 5 + [True] * 2


def test_freezing_in_a_callback() -> None:
    """From the next epoch on; and slots of momentum stay as they are."""
    ours, theirs = twins(net)
    compile_both(ours, theirs, optimizer=CLIPS["momentum"], loss="mse")
    for model, of in ((ours, OURS), (theirs, KERAS)):
        freeze = of.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs, model=model: frozen(model, "second") if epoch else None
        )
        model.fit(X, TARGET, epochs=4, batch_size=B, shuffle=False, verbose=0, callbacks=[freeze])
    same(weights_of(ours), weights_of(theirs), TRAINED)


def test_unfreezing_asks_for_compile() -> None:
    """Ours: an optimizer that was compiled without a layer has no slots for it."""
    model = frozen(net(OURS), "first")
    model.compile("sgd", "mse")
    model.fit(X, TARGET, verbose=0)
    model.get_layer("first").trainable = True
    with pytest.raises(ValueError, match="compile"):
        model.fit(X, TARGET, verbose=0)
    before = weights_of(model)
    model.compile("sgd", "mse")
    model.fit(X, TARGET, verbose=0)
    moved = [not np.array_equal(w, v) for w, v in zip(before, weights_of(model), strict=True)]
    assert all(moved)


def test_frozen_for_a_while() -> None:
    """What was frozen after compile trains again after the next."""
    model = net(OURS)
    model.compile("adam", "mse")
    model.fit(X, TARGET, verbose=0)
    frozen(model, "first")
    model.fit(X, TARGET, verbose=0)
    model.get_layer("first").trainable = True
    model.compile("adam", "mse")
    before = weights_of(model)
    model.fit(X, TARGET, verbose=0)
    moved = [not np.array_equal(w, v) for w, v in zip(before, weights_of(model), strict=True)]
    assert all(moved)

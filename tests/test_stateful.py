"""Stateful layers: what goes on from call to call, and what a batch must be."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import pytest

from lstmfast import callbacks
from lstmfast.layers import LSTM, Bidirectional, Dense, Input, Masking
from lstmfast.models import Sequential
from nets import MASK

B, T, I = 5, 6, 3
X = np.random.default_rng(0).standard_normal((3 * B, T, I), dtype=np.float32)
Y = np.random.default_rng(1).standard_normal((3 * B, 2), dtype=np.float32)
HOW: dict[str, Any] = {"batch_size": B, "verbose": 0}


def make(masked: bool = False, batch: int | None = B, **options: Any) -> Sequential:
    model = Sequential(
        [
            Input((None, I), batch_size=batch),
            *[Masking()] * masked,
            LSTM(4, stateful=True, return_sequences=True, **options),
            LSTM(3, stateful=True),
            Dense(2),
        ],
        seed=0,
    )
    model.compile("sgd", "mse")
    return model


def test_a_long_sequence_in_chunks() -> None:
    """Chunks of a sequence, one batch after the other, give what the whole gives."""
    model = make()
    whole = model.predict(X[:B])
    model.reset_states()
    model.predict(X[:B, :2])
    np.testing.assert_array_equal(model.predict(X[:B, 2:]), whole)


def test_every_call_goes_on() -> None:
    """predict, evaluate, calls by batch and fit, its validation too, move the state alike."""
    plain = make()
    states = [plain.predict(X[:B], batch_size=B) for _ in range(12)]
    assert len({state.tobytes() for state in states}) == 12
    model = make()
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0  # type: ignore[union-attr]
    x, y = X[:B], Y[:B]
    model.evaluate(x, y, **HOW)
    np.testing.assert_array_equal(model.predict(x), states[1])
    model.train_on_batch(x, y)
    model.test_on_batch(x, y)
    np.testing.assert_array_equal(model(x), states[4])
    model.fit(x, y, **HOW, epochs=2, shuffle=False, validation_data=(x, y))
    np.testing.assert_array_equal(model.predict(x), states[9])
    model.reset_state()
    np.testing.assert_array_equal(model.predict(x), states[0])


def test_weights_do_not_depend_on_threads_of_states() -> None:
    """Gradients see the state as given: what a layer of the same weights with that state has."""
    model = make()
    first, second = model.layers[0], model.layers[1]
    model.predict(X[:B])
    twin = make()
    twin.set_weights(model.get_weights())
    twin.predict(X[:B])
    assert model.train_on_batch(X[B : 2 * B], Y[:B]) == twin.train_on_batch(X[B : 2 * B], Y[:B])
    for mine, other in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert isinstance(first, LSTM)
    assert isinstance(second, LSTM)


def test_one_layer_can_be_reset() -> None:
    model = make()
    model.predict(X[:B])
    both = make()
    both.predict(X[:B])
    for layer in model.layers[:2]:
        layer.reset_states()  # type: ignore[attr-defined]
    both.reset_states()
    np.testing.assert_array_equal(model.predict(X[:B]), both.predict(X[:B]))


def test_rows_without_a_real_step_keep_their_state() -> None:
    masked = X[:B].copy()
    masked[~MASK] = 0.0
    model = Sequential(
        [Input((T, I), B), Masking(), LSTM(4, stateful=True, return_sequences=False)], seed=0
    )
    model.predict(X[:B])
    layer = model.layers[1]
    y = model.predict(masked)
    np.testing.assert_array_equal(y[3], 0.0)  # Keras's output of a row without steps
    layer.reset_states()  # type: ignore[attr-defined]
    model.predict(X[:B])
    kept = LSTM(4, return_state=True)
    kept(X[:B])
    kept.set_weights(layer.get_weights())
    _, h, c = kept(X[:B])
    _, h2, c2 = kept(masked, initial_state=[h, c], mask=MASK)
    np.testing.assert_array_equal(h2[3], h[3])
    np.testing.assert_array_equal(c2[3], c[3])
    np.testing.assert_array_equal(
        np.delete(y, 3, 0), np.delete(kept(masked, initial_state=[h, c], mask=MASK)[0], 3, 0)
    )


@pytest.mark.parametrize("both", [False, True])
def test_a_layer_on_its_own_goes_on(both: bool) -> None:
    options: dict[str, Any] = {"return_state": True, "return_sequences": True}
    layer: Any = LSTM(4, stateful=True, **options)
    plain: Any = LSTM(4, **options)
    if both:
        layer, plain = Bidirectional(layer), Bidirectional(plain)
    y, *states = layer(X[:B])
    plain(X[:B])
    plain.set_weights(layer.get_weights())
    for begin in (states, [state + 1 for state in states]):
        given = None if begin is states else begin  # a given state takes the place of its own
        y, *after = layer(X[B : 2 * B], initial_state=given)
        expected = plain(X[B : 2 * B], initial_state=begin)
        for found, one in zip([y, *after], expected, strict=True):
            np.testing.assert_array_equal(found, one)
    y, *_ = layer(X[:B])
    np.testing.assert_array_equal(y, plain(X[:B], initial_state=after)[0])
    layer.reset_state()
    np.testing.assert_array_equal(layer(X[:B])[0], plain(X[:B])[0])


@pytest.mark.parametrize("batch", [None, B])
def test_every_batch_has_the_rows_of_the_first(batch: int | None) -> None:
    model = make(batch=batch)
    model.predict(X, batch_size=B)
    with pytest.raises(
        ValueError, match=r"\[model.predict\] x makes a batch of 4 samples; expected"
    ):
        model.predict(X[:4])
    with pytest.raises(ValueError, match=r"batch of 2 samples; expected 5 in every batch"):
        model.predict(X[:7], batch_size=B)
    with pytest.raises(ValueError, match=r"\[model.fit\] x makes a batch of 3 samples"):
        model.fit(X, Y, batch_size=3, verbose=0)
    with pytest.raises(
        ValueError,
        match=r"\[model.fit\] the validation part makes a batch of 4 samples; expected 5 in every "
        "batch, for the model is stateful and carries the state of each row: pass a multiple of 5 "
        "samples, 5 at a time",
    ):
        model.fit(X, Y, **HOW, validation_data=(X[:4], Y[:4]))
    with pytest.raises(ValueError, match=r"\[model.evaluate\]"):
        model.evaluate(X[:4], Y[:4], verbose=0)
    with pytest.raises(ValueError, match=r"\[model.train_on_batch\]"):
        model.train_on_batch(X[:4], Y[:4])
    with pytest.raises(ValueError, match=r"\[layers.LSTM\] x makes a batch of 4 samples"):
        model.layers[0](X[:4])
    model.predict(X)  # the batch size is known
    model.reset_states()
    if batch is None:
        assert model.predict(X[:4]).shape == (4, 2)
    else:
        with pytest.raises(ValueError, match="expected 5 in every batch"):
            model.predict(X[:4])


def test_batch_sizes_are_said_in_every_way() -> None:
    for head in (
        [Input(batch_shape=(B, T, I)), LSTM(2, stateful=True)],
        [LSTM(2, stateful=True, batch_input_shape=(B, T, I))],
        [Bidirectional(LSTM(2, stateful=True), batch_input_shape=(B, None, I))],
    ):
        model = Sequential(head)
        with pytest.raises(ValueError, match="expected 5 in every batch"):
            model.predict(X[:4])
        assert model.predict(X[:B]).shape[0] == B
    model = Sequential([LSTM(2, stateful=True)])
    model.build((B, T, I))
    with pytest.raises(ValueError, match="expected 5 in every batch"):
        model.predict(X[:4])
    model = Sequential([Input(batch_shape=(B, T, I)), LSTM(2)])  # nothing is stateful
    assert model.predict(X[:4]).shape == (4, 2)


def test_calls_in_two_threads_exclude_each_other() -> None:
    model = make()
    seen: list[str] = []

    def elsewhere() -> None:
        try:
            model.predict(X[:B])
        except RuntimeError as error:
            seen.append(str(error))

    def in_the_middle(*_: Any) -> None:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    model.fit(X, Y, **HOW, callbacks=[callbacks.LambdaCallback(on_epoch_end=in_the_middle)])
    assert len(seen) == 1
    assert "a call that changes this object is running" in seen[0]


def test_callbacks_may_reset_and_predict() -> None:
    model = make()
    other = make()
    how = {**HOW, "epochs": 2, "shuffle": False}
    reset = callbacks.LambdaCallback(on_epoch_end=lambda *_: model.reset_states())
    run = model.fit(X, Y, **how, callbacks=[reset])
    losses = []
    for _ in range(2):
        losses += other.fit(X, Y, **(how | {"epochs": 1})).history["loss"]
        other.reset_states()
    assert run.history["loss"] == losses


@pytest.mark.parametrize("batch", [None, B])
def test_a_fit_keeps_its_rows_whatever_its_callbacks_do(batch: int | None) -> None:
    """What a callback resets is zeros at the next batch; other rows are refused until the end."""
    model, other = make(batch=batch), make(batch=batch)
    how = {**HOW, "shuffle": False}
    big = np.zeros((4096, T, I), np.float32)

    def reset(epoch: int, logs: Any) -> None:
        model.reset_states()
        with pytest.raises(ValueError, match=r"batch of 4096 samples; expected 5 in every batch"):
            model.predict(big, batch_size=4096)
        with pytest.raises(ValueError, match=r"batch of 4096 samples; expected 5 in every batch"):
            model.layers[0](big)
        if epoch == 1:
            model.predict(X[:B])

    listener = callbacks.LambdaCallback(on_epoch_begin=reset)
    run = model.fit(X, Y, **how, epochs=3, callbacks=[listener])
    losses = []
    for epoch in range(3):
        other.reset_states()
        if epoch == 1:
            other.predict(X[:B])
        losses += other.fit(X, Y, **how).history["loss"]
    assert run.history["loss"] == losses
    np.testing.assert_array_equal(model.predict(X[:B]), other.predict(X[:B]))
    model.reset_states()
    if batch is None:
        assert model.predict(big, batch_size=4096).shape == (4096, 2)


def test_layers_can_be_reset_within_a_fit() -> None:
    """Also after all of them were: the second batch has begun to carry on again."""
    model, other = make(), make()
    how = {**HOW, "shuffle": False}

    def reset(batch: int, logs: Any) -> None:
        if batch == 0:
            model.reset_states()
        else:
            model.layers[0].reset_states()  # type: ignore[attr-defined]

    model.fit(X, Y, **how, callbacks=[callbacks.LambdaCallback(on_train_batch_end=reset)])
    for b in range(3):
        other.train_on_batch(X[b * B : (b + 1) * B], Y[b * B : (b + 1) * B])
        if b == 0:
            other.reset_states()
        else:
            other.layers[0].reset_states()  # type: ignore[attr-defined]
    np.testing.assert_array_equal(model.predict(X[:B]), other.predict(X[:B]))


def test_rows_may_change_after_a_fit_that_ended_with_a_reset() -> None:
    model = make(batch=None)
    reset = callbacks.LambdaCallback(on_epoch_end=lambda *_: model.reset_states())
    model.fit(X, Y, **HOW, callbacks=[reset])
    assert model.predict(X[:4]).shape == (4, 2)


def test_a_step_that_did_not_happen_leaves_the_state() -> None:
    model, twin = make(), make()
    for each in (model, twin):
        each.predict(X[:B])
    with pytest.raises(FloatingPointError):
        model.train_on_batch(X[:B], Y[:B] * np.inf)
    with pytest.raises(FloatingPointError):
        model.fit(X[:B] * np.float32(np.inf), Y[:B], **HOW)

    def fails(y_true: Any, y_pred: Any) -> Any:
        raise OSError("full")

    model.compile("sgd", fails)
    with pytest.raises(OSError, match="full"):
        model.train_on_batch(X[:B], Y[:B])
    np.testing.assert_array_equal(model.predict(X[:B]), twin.predict(X[:B]))


def test_a_refused_call_says_nothing_of_rows() -> None:
    model = make(batch=None)
    with pytest.raises(ValueError, match="the validation part makes a batch of 4 samples"):
        model.fit(X, Y, **HOW, validation_data=(X[:4], Y[:4]))
    assert model.predict(X[:4]).shape == (4, 2)


def test_copies_begin_anew() -> None:
    model = make()
    first = model.predict(X[:B])
    np.testing.assert_array_equal(copy.deepcopy(model).predict(X[:B]), first)


def test_a_split_must_make_whole_batches() -> None:
    model = Sequential([Input((3, 1), batch_size=4), LSTM(2, stateful=True), Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.zeros((8, 3, 1)), np.zeros((8, 1))
    expected = (
        r"^\[fit\] validation_split=0.3 parts 8 samples into 5 and 3; expected multiples of "
        r"batch_size=4, for the model is stateful$"
    )
    with pytest.raises(ValueError, match=expected):
        model.fit(x, y, batch_size=4, validation_split=0.3, verbose=0)
    run = model.fit(x, y, batch_size=4, validation_split=0.5, shuffle=False, verbose=0)
    assert list(run.history) == ["loss", "val_loss"]

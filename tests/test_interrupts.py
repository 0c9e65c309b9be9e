"""A signal's handler runs in the middle of a long call; what it raises ends the call at once.

Each call would take seconds: that what it ends with is missing afterwards shows that it did not go
on to its end. No time is measured.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from lstmfast.initializers import Orthogonal
from lstmfast.layers import LSTM, Dense, Input, MixtureDensity
from lstmfast.models import EncoderDecoder, Sequential
from lstmfast.regularizers import OrthogonalRegularizer

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")

NOTHING = "there is nothing to go back through"


class Stop(BaseException):
    """What the handler raises, as Ctrl-C raises KeyboardInterrupt."""


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    with runs.threads(2):
        yield


@contextmanager
def alarms(handler: Callable[[], None], seconds: float, interval: float = 0.0) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, lambda *_: handler())
    signal.setitimer(signal.ITIMER_REAL, seconds, interval)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def stop() -> None:
    raise Stop


def interrupt(call: Callable[[], Any]) -> None:
    with pytest.raises(Stop), alarms(stop, 0.1):
        call()


def large(batch: int = 64, steps: int = 1000, features: int = 256) -> np.ndarray:
    return np.zeros((batch, steps, features), np.float32)


def small_gradients(rnn: lf.LSTM) -> dict[str, np.ndarray]:
    x = np.random.default_rng(1).random((2, 3, rnn.input_size), dtype=np.float32)
    y, _ = rnn(x, training=True)
    rnn.backward(np.ones_like(y))
    return rnn.grads()


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("keywords", "batch", "steps"),
    [
        ({}, 64, 1000),
        ({"layer_norm": True}, 64, 1000),
        ({"proj_size": 200}, 64, 1000),
        ({"bidirectional": True, "num_layers": 2}, 64, 500),
        ({}, 2, 20_000),  # threads share units, and wait for each other at every step
        ({"bidirectional": True}, 1, 20_000),  # a thread each
        ({}, 3000, 12),  # a few steps, each of them long
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_forward(keywords: dict[str, Any], batch: int, steps: int, training: bool) -> None:
    rnn = lf.LSTM(256, 512, recompute_every=4 if batch > 64 else 30, seed=0, **keywords)
    weights = rnn.state_dict()
    width = rnn(np.zeros((1, 1, 256), np.float32))[0].shape[2]
    out = np.full((batch, steps, width), np.nan, np.float32)
    x = large(batch, steps)
    interrupt(lambda: rnn(x, training=training, out=out))
    last = out[:, 0, width // 2 :] if rnn.bidirectional else out[:, -1]
    assert np.isnan(last).any()
    assert_same(rnn.state_dict(), weights)
    with pytest.raises(ValueError, match=NOTHING):
        rnn.backward(None)
    fresh = lf.LSTM(256, 512, recompute_every=rnn.recompute_every, seed=0, **keywords)
    assert_same(small_gradients(rnn), small_gradients(fresh))


def test_inference_leaves_the_cache_of_training() -> None:
    rnn, fresh = (lf.LSTM(256, 512, seed=0) for _ in range(2))
    x = np.ones((2, 3, 256), np.float32)
    for each in (rnn, fresh):
        y, _ = each(x, training=True)
        assert not y.flags.writeable
    interrupt(lambda: rnn(large()))
    np.testing.assert_array_equal(rnn.backward(y)[0], fresh.backward(y)[0])


def test_training_frees_the_output_of_the_call_before() -> None:
    rnn = lf.LSTM(256, 512, recompute_every=30, dropout=0.5, num_layers=2, seed=0)
    fresh = lf.LSTM(256, 512, recompute_every=30, dropout=0.5, num_layers=2, seed=0)
    y, _ = rnn(np.ones((2, 3, 256), np.float32), training=True)
    interrupt(lambda: rnn(large(), training=True))
    assert y.flags.writeable
    # a call that did not end is not counted among those that name the masks
    fresh(np.ones((2, 3, 256), np.float32), training=True)
    assert_same(small_gradients(rnn), small_gradients(fresh))


@pytest.mark.parametrize("keywords", [{}, {"layer_norm": True}, {"bidirectional": True}])
@pytest.mark.parametrize("accumulated", [False, True])
def test_backward_adds_nothing(keywords: dict[str, Any], accumulated: bool) -> None:
    rnn = lf.LSTM(256, 512, seed=0, **keywords)
    if accumulated:
        small_gradients(rnn)
    before = rnn.grads()
    y, _ = rnn(np.ones((64, 200, 256), np.float32), training=True)
    dy = np.ones_like(y)
    interrupt(lambda: rnn.backward(dy))
    assert_same(rnn.grads(), before)
    assert y.flags.writeable
    with pytest.raises(ValueError, match=NOTHING):
        rnn.backward(dy)
    rnn.zero_grad()
    expected = small_gradients(lf.LSTM(256, 512, seed=0, **keywords))
    assert_same(small_gradients(rnn), expected)


def test_functional() -> None:
    rng = np.random.default_rng(0)
    w_ih, w_hh = (rng.random((2048, n), dtype=np.float32) for n in (256, 512))
    packed = lf.functional.pack(w_ih, w_hh)
    out = np.full((64, 1000, 512), np.nan, np.float32)
    interrupt(lambda: lf.functional.lstm(large(), packed, out=out))
    assert np.isnan(out[:, -1]).any()


def model() -> Sequential:
    quick = {"recurrent_initializer": "glorot_uniform"}  # large orthogonal matrices take seconds
    long = LSTM(512, stateful=True, return_sequences=True, **quick)
    net = Sequential([long, LSTM(8), Dense(1)], seed=0)
    net.compile("adam", "mse")
    net.build((64, None, 256))
    return net


@pytest.mark.parametrize("call", ["predict", "evaluate", "fit", "train_on_batch"])
def test_models(call: str) -> None:
    """One batch of seconds: weights and carried states are those before it."""
    net = model()
    first = np.ones((64, 2, 256), np.float32)
    after_one = net.predict(first, batch_size=64, verbose=0)
    after_two = net.predict(first, batch_size=64, verbose=0)
    assert (after_one != after_two).any()
    net.reset_states()
    net.predict(first, batch_size=64, verbose=0)
    weights = net.get_weights()
    x, y = large(steps=500), np.ones((64, 1), np.float32)
    arguments = {"predict": (x,)}.get(call, (x, y))
    keywords = {} if call == "train_on_batch" else {"batch_size": 64, "verbose": 0}
    interrupt(lambda: getattr(net, call)(*arguments, **keywords))
    for found, expected in zip(net.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(found, expected)
    found = net.predict(first, batch_size=64, verbose=0)
    np.testing.assert_array_equal(found, after_two)


QUICK = {"recurrent_initializer": "glorot_uniform", "return_sequences": True}


@pytest.mark.parametrize(
    ("beams", "steps", "length"),
    [(1, 2, 3_000_000), (4, 2, 3_000_000), (1, 30_000, 2)],
    ids=["greedy", "beams", "encoder"],
)
def test_decoding(beams: int, steps: int, length: int) -> None:
    """Of minutes; memory of the decoder and states of hypotheses serve the next call."""
    encoder = Sequential([Input((None, 8)), LSTM(512, **QUICK)], seed=0)
    decoder = LSTM(512, **QUICK)
    net = EncoderDecoder(encoder, decoder, tokens=50, length=4, attention="luong", seed=0)
    x = np.random.default_rng(0).random((3, steps, 8), dtype=np.float32)
    options: dict[str, Any] = {"beam_width": beams, "return_scores": True}
    expected = net.predict(x[:, :2], **options)
    interrupt(lambda: net.predict(x, length=length, batch_size=1, **options))
    for found, before in zip(net.predict(x[:, :2], **options), expected, strict=True):
        np.testing.assert_array_equal(found, before)


@pytest.mark.parametrize("steps", [None, 40])
def test_generation(steps: int | None) -> None:
    """Of minutes, step by step or by windows."""
    net = Sequential([Input((steps, 3)), LSTM(512, **QUICK), MixtureDensity(2, 3)], seed=0)
    prompt = np.ones((40, 3), np.float32)
    expected = net.generate(prompt, 5, seed=1)
    interrupt(lambda: net.generate(prompt, 3_000_000, seed=1))
    np.testing.assert_array_equal(net.generate(prompt, 5, seed=1), expected)


def test_a_handler_that_returns_changes_nothing() -> None:
    rnn = lf.LSTM(64, 256, seed=0)
    other = lf.LSTM(4, 8, seed=0)
    x = np.random.default_rng(0).random((64, 600, 64), dtype=np.float32)
    tiny = np.full((1, 2, 4), 1e-39, np.float32)
    expected, state = rnn(x)
    calls: list[None] = []
    refused: list[str] = []
    modes: list[bool] = []

    def handler() -> None:
        calls.append(None)
        modes.append(float(np.float32(1e-39) * np.float32(0.5)) > 0)
        other(tiny)
        np.testing.assert_array_equal(rnn(x[:1, :2])[0], expected[:1, :2])
        try:
            rnn(x[:1], training=True)
        except RuntimeError as error:
            refused.append(str(error))

    while len(calls) < 2 or not refused:
        with alarms(handler, 0.02, 0.02):
            y, (h, c) = rnn(x, training=True)
            np.testing.assert_array_equal(y, expected)
            np.testing.assert_array_equal(h, state[0])
            np.testing.assert_array_equal(c, state[1])
    assert refused[0] == "[lstm.forward] a call that changes this object is running; expected none"
    assert all(modes)  # denormal numbers are flushed in the core alone


def test_making_large_first_weights() -> None:
    interrupt(lambda: Orthogonal()((5000, 20000)))
    assert Orthogonal()((5, 20)).shape == (5, 20)


BUSY = "a call that changes this object is running; expected none"


def refused_inside(call: Callable[[], Any], tries: dict[str, Callable[[], Any]]) -> Any:
    """What `call` returns, where a handler in its middle tries all of `tries`, in vain."""
    errors: dict[str, str] = {}

    def handler() -> None:
        for name, each in tries.items():
            try:
                each()
                errors[name] = "none"
            except RuntimeError as error:
                errors[name] = str(error)

    with alarms(handler, 0.04):
        result = call()
    assert errors == {name: f"[{name}] {BUSY}" for name in tries}
    return result


def test_a_handler_changes_no_gradients() -> None:
    rnn, fresh = (lf.LSTM(256, 512, seed=0) for _ in range(2))
    x = np.random.default_rng(2).random((64, 150, 256), dtype=np.float32)
    for each in (rnn, fresh):
        small_gradients(each)
        y, _ = each(x, training=True)
    tries = {
        "lstm.zero_grad": rnn.zero_grad,
        "lstm.grads": rnn.grads,
        "lstm.set": lambda: rnn.load_state_dict(rnn.state_dict()),
        "lstm.backward": lambda: rnn.backward(y),
    }
    dx, _ = refused_inside(lambda: rnn.backward(y), tries)
    np.testing.assert_array_equal(dx, fresh.backward(y)[0])
    assert_same(rnn.grads(), fresh.grads())


@pytest.mark.parametrize("call", ["predict", "evaluate", "train_on_batch"])
def test_a_handler_changes_no_model_inside_a_pass(call: str, tmp_path: Path) -> None:
    net, fresh = model(), model()
    weights = [np.zeros_like(each) for each in net.get_weights()]
    x = np.random.default_rng(3).random(
        (64, 150 if call == "train_on_batch" else 400, 256), dtype=np.float32
    )
    y = np.ones((64, 1), np.float32)
    tries: dict[str, Callable[[], Any]] = {
        "model.reset_states": net.reset_states,
        "model.predict": lambda: net.predict(x[:, :2], batch_size=64, verbose=0),
        "model.evaluate": lambda: net.evaluate(x[:, :2], y, batch_size=64, verbose=0),
        "layer.set_weights": lambda: net.set_weights(weights),
        "model.save": lambda: net.save(tmp_path / "model.safetensors"),
    }
    arguments = (x,) if call == "predict" else (x, y)
    keywords = {} if call == "train_on_batch" else {"batch_size": 64, "verbose": 0}
    found = refused_inside(lambda: getattr(net, call)(*arguments, **keywords), tries)
    np.testing.assert_array_equal(found, getattr(fresh, call)(*arguments, **keywords))
    for mine, expected in zip(net.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, expected)
    x = x[:, :2]
    after = net.predict(x, batch_size=64, verbose=0)
    np.testing.assert_array_equal(after, fresh.predict(x, batch_size=64, verbose=0))


def test_a_handler_may_train_another_object() -> None:
    rnn, other = lf.LSTM(256, 512, seed=0), lf.LSTM(4, 8, seed=0)
    found: list[dict[str, np.ndarray]] = []
    with alarms(lambda: found.append(small_gradients(other)), 0.04):
        rnn(large(steps=300), training=True)
    assert_same(found[0], small_gradients(lf.LSTM(4, 8, seed=0)))


def test_a_main_thread_of_another_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under gevent: what the first look finds does not end the looking."""
    monkeypatch.setattr(threading, "main_thread", lambda: SimpleNamespace(ident=1))
    rnn = lf.LSTM(256, 512, seed=0)
    x = large()
    out = np.full((64, 1000, 512), np.nan, np.float32)
    with pytest.raises(Stop), alarms(stop, 0.1):
        rnn(x, out=out)
    assert np.isnan(out[:, -1]).any()


def test_a_penalty_of_seconds() -> None:
    net = Sequential([Dense(2000, kernel_regularizer=OrthogonalRegularizer(0.1))], seed=0)
    net.compile("sgd", "mse")
    x = np.ones((2, 2000), np.float32)
    net.build(x.shape)
    weights = net.get_weights()
    interrupt(lambda: net.train_on_batch(x, x))
    for found, expected in zip(net.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(found, expected)

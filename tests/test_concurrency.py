"""Calls on one object from several threads, and in a child forked in the middle of one."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from lstmfast.callbacks import LambdaCallback
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential, load_model

RUNNING = "a call that changes this object is running; expected none"
SECONDS = 0.5  # of calls at the same time, where only chance can meet a fault
LIMIT = 60.0  # seconds; what hangs is ended by it


def model_and_data(units: int = 4) -> tuple[Sequential, np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).random((64, 20, 3), dtype=np.float32)
    model = Sequential([LSTM(units), Dense(3)], seed=0)
    model.compile("adam", "mse")
    model.build((None, 20, 3))
    return model, x, x[:, 0].copy()


def in_thread(work: Callable[[], Any]) -> str:
    """Return the message of the RuntimeError that `work` raises in a thread of its own, or ""."""
    messages = [""]

    def run() -> None:
        try:
            work()
        except RuntimeError as error:
            messages.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(LIMIT)
    return messages[-1]


def fit_with(model: Sequential, x: Any, y: Any, work: Callable[[], None]) -> None:
    """Fit one epoch of several batches; call `work` once, between two of them."""

    def at_second(batch: int, logs: Any) -> None:
        if batch == 1:
            work()

    hook = LambdaCallback(on_train_batch_end=at_second)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[hook])


def together(*calls: Callable[[], Any], accepts: tuple[type[Exception], ...] = ()) -> list[int]:
    """Repeat each call in a thread of its own; return how often each succeeded."""
    end = time.monotonic() + SECONDS

    def repeat(call: Callable[[], Any]) -> int:
        done = 0
        while time.monotonic() < end:
            try:
                call()
                done += 1
            except accepts:
                pass
        return done

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(repeat, calls))


# -- models --------------------------------------------------------------------------------------


def test_during_fit_only_its_own_thread_saves(tmp_path: Path) -> None:
    model, x, y = model_and_data()
    own, other = tmp_path / "own.safetensors", tmp_path / "other.safetensors"
    found = {}

    def work() -> None:
        model.save(own)
        found["save"] = in_thread(lambda: model.save(other))
        found["fit"] = in_thread(lambda: model.train_on_batch(x, y))
        found["weights"] = model.get_weights()

    fit_with(model, x, y, work)
    assert found["save"] == f"[model.save] {RUNNING}"
    assert found["fit"] == f"[model.train_on_batch] {RUNNING}"
    assert not other.exists()
    for saved, expected in zip(load_model(own).get_weights(), found["weights"], strict=True):
        np.testing.assert_array_equal(saved, expected)
    model.save(other)


def test_compile_next_to_readers(tmp_path: Path) -> None:
    model, x, y = model_and_data(32)
    x, y = np.tile(x, (4, 1, 1)), np.tile(y, (4, 1))
    done = together(
        lambda: model.compile("adam", "mse"),
        lambda: model.evaluate(x, y, verbose=0),
        lambda: model.test_on_batch(x, y),
        lambda: model.save(tmp_path / "model.safetensors"),
    )
    assert all(done)


def test_save_next_to_training(tmp_path: Path) -> None:
    model, x, y = model_and_data(32)
    path = tmp_path / "model.safetensors"
    done = together(
        lambda: model.fit(x, y, verbose=0),
        lambda: model.save(path),
        accepts=(RuntimeError,),
    )
    assert done[0] > 0
    model.save(path)
    before = model.evaluate(x, y, verbose=0)
    assert load_model(path).evaluate(x, y, verbose=0) == before


def train_in_child(model: Sequential, x: np.ndarray, y: np.ndarray) -> int:
    """Return the exit code of a child that takes one training step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while threads run
        child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(int(LIMIT))
            model.train_on_batch(x, y)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_fork_during_fit() -> None:
    # the thread that fits stays behind, and with it the claim that the model is being trained
    model, x, y = model_and_data()
    at_batch, go_on = threading.Event(), threading.Event()

    def work() -> None:
        at_batch.set()
        go_on.wait(LIMIT)

    fitting = threading.Thread(target=fit_with, args=(model, x, y, work))
    fitting.start()
    try:
        assert at_batch.wait(LIMIT)
        assert train_in_child(model, x, y) == 0
    finally:
        go_on.set()
        fitting.join(LIMIT)


def test_a_fit_that_does_not_begin_leaves_no_trace() -> None:
    """Refused in a callback, from another thread or for its data: nothing has changed or run."""
    model, x, y = model_and_data()
    calls: list[str] = []
    other = LambdaCallback(on_train_begin=lambda logs: calls.append("begin"))
    found: list[str] = []

    def refused(error: type[Exception], **how: Any) -> None:
        before = model.history, model.stop_training, model._run, model._states
        core_history = model._core_model.history  # type: ignore[union-attr]
        given = {"x": x, "y": y, "batch_size": 16, "verbose": 0, "callbacks": [other]} | how
        with pytest.raises(error) as caught:
            model.fit(**given)
        found.append(str(caught.value))
        assert (model.history, model.stop_training, model._run, model._states) == before
        assert model._core_model.history == core_history  # type: ignore[union-attr]

    def work() -> None:
        model.stop_training = True
        refused(RuntimeError)
        in_thread(lambda: refused(RuntimeError))

    run = model.fit(x, y, epochs=2, verbose=0)
    assert not hasattr(other, "model")
    fit_with(model, x, y, work)
    assert found == [f"[model.fit] {RUNNING}"] * 2
    assert model.stop_training
    refused(ValueError, y=y[:, None])
    refused(ValueError, validation_data=(x, y[:, None]))
    refused(ValueError, validation_data=(x, y[:, None]), validation_freq=3)
    assert calls == []
    assert not hasattr(other, "model")
    assert len(run.history["loss"]) == 2


# Forks for every argument, so that all share one start; prints what each ended with and wrote.
EACH_FORKED = """
import json, os, signal, sys, tempfile
import test_concurrency

ended = []
for what in sys.argv[1:]:
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            signal.alarm(int(test_concurrency.LIMIT))
            os.dup2(errors.fileno(), 2)
            break
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        errors.seek(0)
        ended.append((status, errors.read().decode()))
else:
    print(json.dumps(ended))
    sys.exit()
"""

BESIDE_EXIT = (
    EACH_FORKED
    + """
import threading
import lstmfast as lf
from lstmfast.callbacks import LambdaCallback
from lstmfast.metrics import Metric

what, threads = what.split()
lf.set_num_threads(int(threads))
model, x, y = test_concurrency.model_and_data(50)
running = threading.Event()

def long(*_):
    if not threading.current_thread().daemon:
        return
    running.set()
    for _ in range(10**8):  # each round may give the GIL away, and want it back
        pass

class Long(Metric):
    reset_state = result = lambda self: 0.0
    update_state = long if what == "metric" else reset_state
    __del__ = long if what == "copy" else reset_state

class Value:
    __float__ = __array__ = long

def forever():
    while what == "predict":
        model.predict(x, verbose=0)
        running.set()
    hook = {"fit": lambda *_: running.set(), "callback": long}.get(what, lambda *_: None)
    epochs = 1 if what == "copy" else 10**6
    while True:
        model.fit(x, y, epochs=epochs, verbose=0, callbacks=[LambdaCallback(hook)])

losses = {
    "loss": long,
    "value": lambda y_true, y_pred: (Value(), y_pred),
    "gradient": lambda y_true, y_pred: (0.0, Value()),
}
metrics = [Long()] if what in ("metric", "copy") else []
model.compile("adam", losses.get(what, "mse"), metrics=metrics)
threading.Thread(target=forever, daemon=True).start()
assert running.wait(60)
"""
)


CALLS_AT_EXIT = ("fit", "predict", "callback", "loss", "value", "gradient", "metric", "copy")


@pytest.fixture(scope="module")
def exits() -> dict[str, list[list[Any]]]:
    """Exit code and errors of each process, by what it does at its end."""
    each = [f"{what} {threads}" for what in CALLS_AT_EXIT for threads in (1, 2, 2)]
    done = runs.python(BESIDE_EXIT, *each, timeout=len(each) * LIMIT)
    assert (done.returncode, done.stderr) == (0, "")
    ended = iter(json.loads(done.stdout))
    return {what: [next(ended) for _ in range(3)] for what in CALLS_AT_EXIT}


@pytest.mark.parametrize("what", CALLS_AT_EXIT)
def test_the_interpreter_exits_next_to_a_daemon_thread(what: str, exits: Any) -> None:
    assert exits[what] == [[0, ""]] * 3


AT_EXIT = """
import test_concurrency
from lstmfast.metrics import Metric

class Mean(Metric):
    reset_state = result = lambda self: 0.0
    update_state = lambda self, y_true, y_pred: None

model, x, y = test_concurrency.model_and_data(50)

class AtExit:
    def __del__(self, model=model, x=x, print=print):
        print(model.predict(x, verbose=0).shape)

model.compile("adam", lambda y_true, y_pred: (0.0, y_pred - y_true), metrics=[Mean()])
model.fit(x, y, verbose=0)
at_exit = AtExit()
"""


def test_the_interpreter_takes_models_along() -> None:
    """The thread that ends it needs the GIL to let go of a loss, and gives it away in a call."""
    done = runs.python(AT_EXIT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "(64, 3)\n", "")


# -- lf.LSTM -------------------------------------------------------------------------------------


def test_training_calls_next_to_backward() -> None:
    rnn = lf.LSTM(16, 64, seed=0)
    rng = np.random.default_rng(0)
    problems = [rng.random(shape, dtype=np.float32) for shape in ((32, 30, 16), (4, 7, 16))]

    def forward(x: np.ndarray) -> None:
        y, _ = rnn(x, training=True)
        assert y.shape == (*x.shape[:2], 64)

    def backward() -> None:
        dx, (dh, _) = rnn.backward(None)
        assert dx.shape in [x.shape for x in problems]
        assert dh.shape == (1, dx.shape[0], 64)
        assert not dx.any()

    done = together(
        lambda: forward(problems[0]),
        lambda: forward(problems[1]),
        backward,
        backward,
        accepts=(RuntimeError, ValueError),
    )
    assert sum(done) > 0


def test_y_of_a_training_call_is_writable_when_nothing_reads_it() -> None:
    rnn = lf.LSTM(3, 4, seed=0)
    x = np.ones((2, 5, 3), np.float32)
    first, _ = rnn(x, training=True)
    assert not first.flags.writeable
    second, _ = rnn(x, training=True)
    assert first.flags.writeable
    assert not second.flags.writeable
    rnn.backward(np.ones_like(second))
    assert second.flags.writeable
    own = np.zeros_like(second)
    rnn(x, training=True, out=own)
    assert own.flags.writeable


def test_weights_set_next_to_a_save(tmp_path: Path) -> None:
    """Both take the flags of all layers, which were made in another order than they stand in."""
    layers = [Dense(8) for _ in range(100)]
    for layer in layers:
        layer(Input((8,)))
    model = Sequential([Input((8,)), *reversed(layers)])
    weights = model.get_weights()
    done = together(
        lambda: model.save(tmp_path / "model.lstmfast"),
        lambda: model.set_weights(weights),
        lambda: model.set_weights(weights),
    )
    assert min(done) > 0

"""Memory of calls: what is given back and when, what is said where there is not enough."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
import runs
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential

RESIDENT = """
import numpy as np, lstmfast as lf

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6
"""


def megabytes(code: str) -> list[float]:
    """What the code prints, in a process of its own where `resident()` says what it uses."""
    done = runs.python(RESIDENT + code, LSTMFAST_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    return [float(word) for word in done.stdout.split()]


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")


@needs_proc
def test_sixteen_small_calls_give_the_memory_of_a_large_one_back() -> None:
    before, large, after = megabytes(
        """
rnn = lf.LSTM(8, 64, seed=0)
x = np.zeros((16, 3000, 8), np.float32)
def step(x):
    y, _ = rnn(x, training=True)
    rnn.backward(y)
step(x[:, :10].copy())
print(resident())
step(x)
print(resident())
small = x[:, :10].copy()
for _ in range(17):
    step(small)
print(resident())
"""
    )
    assert large - before > 50
    assert after - before < (large - before) / 2


@needs_proc
@pytest.mark.parametrize("of", ["rnn", "model", "training"])
def test_release_memory(of: str) -> None:
    before, large, after = megabytes(
        f"""
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential
x = np.zeros((16, 3000, 8), np.float32)
rnn = lf.LSTM(8, 64, seed=0)
net = Sequential([LSTM(64, return_sequences=True), LSTM(2), Dense(1)], seed=0)
net.compile("sgd", "mse")
def call(x):
    if "{of}" == "rnn":
        rnn(x)
        rnn(x, training=True)
        return rnn
    if "{of}" == "model":
        net.predict(x, batch_size=16, verbose=0)
    else:
        net.train_on_batch(x, x[:, 0, :1])
    return net
used = call(x[:, :10].copy())
print(resident())
call(x)
print(resident())
used.release_memory()
print(resident())
"""
    )
    assert large - before > (10 if of == "model" else 50)
    assert after - before < (large - before) / 2


def test_what_follows_release_memory_is_the_same() -> None:
    x = np.random.default_rng(0).random((4, 6, 3), dtype=np.float32)
    net, fresh = (Sequential([LSTM(5), Dense(2)], seed=0) for _ in range(2))
    for each in (net, fresh):
        each.compile("adam", "mse")
        each.train_on_batch(x, x[:, 0, :2])
    net.release_memory()
    assert net.train_on_batch(x, x[:, 0, :2]) == fresh.train_on_batch(x, x[:, 0, :2])
    net.release_memory()
    np.testing.assert_array_equal(net.predict(x), fresh.predict(x))
    Sequential([LSTM(5)]).release_memory()  # not built: there is none


def test_release_memory_ends_the_cache_of_training() -> None:
    rnn = lf.LSTM(3, 4, seed=0)
    y, _ = rnn(np.ones((2, 5, 3), np.float32), training=True)
    rnn.release_memory()
    assert y.flags.writeable
    with pytest.raises(ValueError, match="there is nothing to go back through"):
        rnn.backward(y)


# -- not enough ----------------------------------------------------------------------------------


LIMITED = """
import resource, numpy as np, lstmfast as lf
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential

def limited(call, megabytes):
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 10**6, -1))
    try:
        call()
    except MemoryError as error:
        print(error)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))

x = np.zeros((64, 500, 1), np.float32)
"""


def said(code: str) -> list[str]:
    # without a second arena, which glibc makes where the first cannot grow, with 64 MB to spare
    done = runs.python(LIMITED + code, LSTMFAST_NUM_THREADS="1", MALLOC_ARENA_MAX="1")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_proc
def test_what_is_said_of_a_call() -> None:
    lines = said(
        """
rnn = lf.LSTM(1, 256, seed=0)
before, _ = rnn(x[:2], training=True)
limited(lambda: rnn(x, training=True), 100)
print(before.flags.writeable)
y, _ = rnn(x, training=True)
limited(lambda: rnn.backward(y), 0)
print(any(gradient.any() for gradient in rnn.grads().values()))
"""
    )
    of_x = r"of x \(B=64, T=500, I=1\), hidden_size=256, needs 1\d\d MB"
    assert re.fullmatch(rf"\[lstm.forward\] out of memory: the training cache {of_x}", lines[0])
    assert lines[1] == "True"
    assert len(lines) == 4
    assert lines[3] == "False"


@needs_proc
def test_what_is_said_of_a_batch() -> None:
    lines = said(
        """
net = Sequential([LSTM(256), Dense(1)], seed=0)
net.compile("sgd", "mse")
net.build((None, 500, 1))
limited(lambda: net.train_on_batch(x, x[:, 0]), 30)
print(net.train_on_batch(x[:2], x[:2, 0]) == 0.0)
"""
    )
    assert re.fullmatch(
        r"out of memory: a batch of 64 samples of shape \(500, 1\) needs [\d.]+ MB", lines[0]
    )
    assert lines[1] == "True"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: lf.LSTM(10**6, 10**6),
            (
                r"\[LSTM\] out of memory: a block of weights for input_size=1000000, "
                r"hidden_size=1000000, num_layers=1 needs 32 TB"
            ),
        ),
        (
            lambda: Sequential([Input((5, 10**6)), LSTM(10**6, name="wide"), Dense(1)]),
            (
                r"\[model.weights\] out of memory: a block of weights, with wide.kernel "
                r"\(1000000, 4000000\), the largest array, needs 32 TB"
            ),
        ),
    ],
)
def test_what_is_said_of_weights(make: Any, text: str) -> None:
    with pytest.raises(MemoryError, match=f"^{text}$"):
        make()

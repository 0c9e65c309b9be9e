"""Forks of a process whose other threads compute: what each child came to."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import lstmfast as lf
from lstmfast.layers import LSTM, Dense
from lstmfast.models import Sequential


class Work:
    """Objects that threads of the parent use without end, and that the child uses then."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.x = rng.random((1, 222, 16), dtype=np.float32)
        self.batch = rng.random((8, 20, 16), dtype=np.float32)
        self.inferring = lf.LSTM(16, 64, seed=0)
        self.trained = lf.LSTM(16, 24, num_layers=2, seed=0)
        self.predicting, self.fitted = self._model(), self._model()

    def _model(self) -> Sequential:
        model = Sequential([LSTM(12), Dense(3)], seed=0)
        model.compile("adam", "mse")
        model.build((None, 20, 16))
        return model

    def infer(self) -> None:
        self.inferring(self.x)

    def train(self) -> None:
        y, _ = self.trained(self.batch, training=True)
        self.trained.backward(np.ones_like(y))

    def predict(self) -> None:
        self.predicting.predict(self.batch, batch_size=3, verbose=0)

    def fit(self) -> None:
        self.fitted.fit(self.batch, self.batch[:, 0, :3], batch_size=4, verbose=0)

    def in_child(self) -> None:
        """Infer and take a training step with each of them."""
        assert np.isfinite(self.inferring(self.x[:, :2])[0]).all()
        self.train()
        self.predict()
        self.predicting.train_on_batch(self.batch, self.batch[:, 0, :3])
        self.fitted.train_on_batch(self.batch, self.batch[:, 0, :3])
        self.fitted.predict(self.batch, verbose=0)


def _child(work: Callable[[], Any], limit: int) -> None:
    status = 1
    try:
        signal.alarm(limit)  # what hangs is ended by the signal
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def beside_threads(forks: int, limit: int = 60) -> Counter[str]:
    """Fork so often; count "done", "hung" and "failed" children."""
    work, stop = Work(), threading.Event()

    def repeat(call: Callable[[], Any]) -> None:
        while not stop.is_set():
            call()

    calls = [work.infer] * 8 + [work.train, work.predict, work.predict, work.fit]
    threads = [threading.Thread(target=repeat, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    found: Counter[str] = Counter()
    try:
        for _ in range(forks):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while threads run
                child = os.fork()
            if child == 0:
                _child(work.in_child, limit)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            found["done" if code == 0 else "hung" if code == -signal.SIGALRM else "failed"] += 1
    finally:
        stop.set()
        for thread in threads:
            thread.join(limit)
    return found

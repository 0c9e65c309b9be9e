"""Random calls on a model in the middle of its fit: in callbacks, losses, metrics and a thread.

`run(seed)` is one fit. A calm one makes only calls that read, and must end with the history and
the weights, bit for bit, of a fit without them. A wild one also resets, sets and raises, and lets a
thread write to the targets; it must end with an error of a documented kind or none, and leave a
model that trains.
"""

from __future__ import annotations

import copy
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lstmfast.callbacks import Callback
from lstmfast.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Dense,
    Dropout,
    Input,
    Masking,
    SimpleRNN,
)
from lstmfast.metrics import Metric
from lstmfast.models import Sequential, load_model

Array = np.ndarray[Any, Any]

N, B, T, I = 12, 4, 5, 2
EPOCHS = 3
DEPTH = 2  # of calls within calls: a loss may evaluate its own model
# on_train_end is not among them: the model may be changed again there
HOOKS = (
    "on_train_begin",
    "on_epoch_begin",
    "on_epoch_end",
    "on_epoch_done",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
)


class ThrownError(Exception):
    """What a callback of the user's own raises."""


class Chaos:
    """One fit's random calls, and where they may be made from."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = np.random.default_rng(seed)
        self.folder = folder
        self.wild = bool(self.rng.random() < 0.5)
        self.stateful = bool(self.rng.random() < 0.4)
        self.own = bool(self.rng.random() < 0.5)  # loss and metric in Python
        self.labels = not self.own and bool(self.rng.random() < 0.5)
        self.masked = not self.own and bool(self.rng.random() < 0.3)
        self.kinds = self.rng.integers(0, 2, 2)
        self.unit: Any = (LSTM, GRU, SimpleRNN)[int(self.rng.integers(3))]
        self.norm = bool(self.rng.random() < 0.3)
        self.x = self.rng.standard_normal((N, T, I)).astype(np.float32)
        self.x[::3, 2:] = 0.0
        of = self.rng.integers(0, 3, N) if self.labels else self.rng.random((N, 3))
        self.y: Array = of.astype(np.float32)
        self.depth = 0
        self.active = False
        self.problems: list[str] = []
        self.done: Counter[str] = Counter()
        self.model = self.make()
        self.weights = self.model.get_weights()
        self.model.save(folder / "first.safetensors")

    # -- what is trained ---------------------------------------------------------------------

    def make(self) -> Sequential:
        chaos = self

        def loss(y_true: Array, y_pred: Array) -> tuple[float, Array]:
            chaos.strike("loss")
            error = y_pred - y_true
            return float(np.mean(error**2)), 2 * error / error.size

        class Worst(Metric):
            def reset_state(self) -> None:
                chaos.strike("metric")
                self.worst = 0.0

            def update_state(self, y_true: Array, y_pred: Array) -> None:
                chaos.strike("metric")
                self.worst = max(self.worst, float(abs(y_true - y_pred).max()))

            def result(self) -> float:
                chaos.strike("metric")
                return self.worst

            def for_call(self) -> Metric:
                return type(self)("worst")

        first: Any = self.unit(5, return_sequences=True, stateful=self.stateful)
        if self.kinds[0]:
            first = Bidirectional(first)
        layers = [
            Input((None, I), B if self.stateful and self.kinds[1] else None),
            *[Masking()] * self.masked,
            first,
            *[Dropout(0.2)] * int(self.kinds[1]),
            *[BatchNormalization()] * self.norm,
            self.unit(4, stateful=self.stateful),
            Dense(3, activation="softmax" if self.labels else None),
        ]
        model = Sequential(layers, seed=1)
        known = "sparse_categorical_crossentropy" if self.labels else "mse"
        metrics = ["accuracy"] if self.labels else ["mae"]
        if self.own:
            model.compile("adam", loss, metrics=[Worst("worst"), "mae"])
        else:
            model.compile("adam", known, metrics=metrics)
        return model

    def fit(self, model: Sequential, callbacks: list[Callback]) -> dict[str, list[float]]:
        rng = np.random.default_rng(int(self.kinds.sum()))
        more: dict[str, Any] = {}
        if rng.random() < 0.7:
            more["validation_data"] = (self.x[:8], self.y[:8])
        if not self.own and not self.masked:
            more["sample_weight"] = np.linspace(0, 2, N)
        return model.fit(
            self.x,
            self.y,
            batch_size=B,
            epochs=EPOCHS,
            verbose=0,
            shuffle=not self.stateful,
            callbacks=callbacks,
            **more,
        ).history

    # -- calls -------------------------------------------------------------------------------

    def reads(self) -> dict[str, Callable[[Sequential], Any]]:
        """What changes nothing, or is refused."""
        some = self.x[: int(self.rng.integers(1, N + 1))]
        size = int(self.rng.integers(1, 20))
        calls: dict[str, Callable[[Sequential], Any]] = {
            "get_weights": lambda m: m.get_weights(),
            "set the same weights": lambda m: m.set_weights(m.get_weights()),
            "set wrong weights": lambda m: m.set_weights(m.get_weights()[1:]),
            "same learning rate": lambda m: setattr(
                m.optimizer,
                "learning_rate",
                m.optimizer.learning_rate,  # type: ignore[union-attr]
            ),
            "save": lambda m: m.save(self.folder / "saved.safetensors"),
            "load another": lambda m: load_model(self.folder / "first.safetensors", compile=False),
            "load no file": lambda m: m.load_weights(self.folder / "none"),
            "copy": copy.deepcopy,
            "summary": lambda m: m.summary(print_fn=lambda text: None),
            "add": lambda m: m.add(Dense(2)),
            "pop": lambda m: m.pop(),
            "compile": lambda m: m.compile("sgd", "mae", metrics=["mse"]),
            "fit": lambda m: m.fit(self.x, self.y, verbose=0),
            "train_on_batch": lambda m: m.train_on_batch(self.x, self.y),
            "predict wrong": lambda m: m.predict(some[..., :1]),
            "train another": lambda m: self.another().train_on_batch(self.x, self.x[:, 0]),
        }
        if not self.stateful or self.wild:
            calls |= {
                "predict": lambda m: m.predict(some, batch_size=size),
                "call": lambda m: m(some),
                "evaluate": lambda m: m.evaluate(self.x, self.y, batch_size=size, verbose=0),
                "test_on_batch": lambda m: m.test_on_batch(self.x, self.y),
                "layer": lambda m: m.layers[-1](np.ones((size, 4), np.float32), training=True),
                "recurrent layer": lambda m: m.layers[int(self.masked)](some),
            }
        return calls

    def writes(self) -> dict[str, Callable[[Sequential], Any]]:
        def thrown(error: BaseException) -> Callable[[Sequential], None]:
            def throw(m: Sequential) -> None:
                raise error

            return throw

        return {
            "reset_states": lambda m: m.reset_states(),
            "reset a layer": lambda m: m.layers[int(self.masked)].reset_states(),  # type: ignore[attr-defined]
            "set weights": lambda m: m.set_weights(self.weights),
            "load_weights": lambda m: m.load_weights(self.folder / "first.safetensors"),
            "learning rate": lambda m: setattr(m.optimizer, "learning_rate", 1e-3),
            "stop": lambda m: setattr(m, "stop_training", True),
            "throw": thrown(ThrownError("chaos")),
            "interrupt": thrown(KeyboardInterrupt()),
        }

    def another(self) -> Sequential:
        model = Sequential([LSTM(3, input_shape=(T, I)), Dense(I)], seed=2)
        model.compile("sgd", "mse")
        return model

    def strike(self, where: str, chance: float = 0.35) -> None:
        """Make some random calls; what they raise, raise only where it is meant to be."""
        if not self.active or self.depth >= DEPTH:
            return
        self.depth += 1
        try:
            while self.rng.random() < chance:
                calls = self.reads() | (self.writes() if self.wild else {})
                name = str(self.rng.choice(list(calls)))
                if name in ("throw", "interrupt") and self.rng.random() < 0.7:
                    continue
                self.done[name] += 1
                self.judge(
                    lambda name=name, calls=calls: calls[name](self.model), f"{where}: {name}"
                )
        finally:
            self.depth -= 1

    def judge(self, call: Callable[[], Any], what: str) -> None:
        try:
            call()
        except (ThrownError, KeyboardInterrupt):
            raise
        except Exception as error:
            if not documented(error):
                self.problems.append(f"{what}: {type(error).__name__}: {error}")


def documented(error: Exception) -> bool:
    """Whether it is an error that our functions may raise, with the form that they have."""
    text = str(error)
    if isinstance(error, RuntimeError):
        return "a call that changes this object is running; expected none" in text
    if isinstance(error, FloatingPointError):
        return "is not finite" in text
    if isinstance(error, OSError):
        return "none" in text
    if isinstance(error, RuntimeWarning):  # which the tests make an error
        return "loss is nan; " in text
    return isinstance(error, ValueError) and text.startswith("[")


class Striking(Callback):
    """Strikes at every hook; the other thread runs from the first one to the last epoch's end."""

    def __init__(self, chaos: Chaos, begun: threading.Event, ended: threading.Event) -> None:
        super().__init__()

        def hook(name: str) -> Callable[..., None]:
            def strike(number: Any = None, logs: Any = None) -> None:
                begun.set()
                if name == "on_epoch_done" and number == EPOCHS - 1:
                    ended.set()
                chaos.strike(name)

            return strike

        for name in HOOKS:
            setattr(self, name, hook(name))


def run(seed: int, folder: Path) -> tuple[list[str], Counter[str]]:
    """One fit with random calls: what was wrong, and how often each call was made."""
    chaos = Chaos(seed, folder)
    model = chaos.model
    expected = chaos.make()
    expected.set_weights(chaos.weights)
    history = chaos.fit(expected, [])
    begun, ended = threading.Event(), threading.Event()
    other = threading.Thread(target=_other_calls, args=(chaos, seed, begun, ended))
    with_thread = seed % 4 == 0
    chaos.active = True
    if with_thread:
        other.start()
    try:
        found = chaos.fit(model, [Striking(chaos, begun, ended)])
    except (ThrownError, KeyboardInterrupt):
        found = {}
        if not chaos.wild:
            chaos.problems.append("a fit of calls that read was ended")
    except Exception as error:
        found = {}
        if not (chaos.wild and documented(error)):
            chaos.problems.append(f"fit: {type(error).__name__}: {error}")
    finally:
        chaos.active = False
        ended.set()
        begun.set()
        if with_thread:
            other.join()
    if not chaos.wild:
        if found != history:
            chaos.problems.append(f"another history: {found}, expected {history}")
        pairs = zip(model.get_weights(), expected.get_weights(), strict=True)
        if not all(np.array_equal(a, b) for a, b in pairs):
            chaos.problems.append("other weights")
    # whatever happened, it can be trained, scored and saved
    model.reset_states()
    chaos.y[...] = 0.0
    model.set_weights(chaos.weights)
    values = chaos.fit(model, [])
    if not all(np.isfinite(v).all() for v in values.values()):
        chaos.problems.append(f"not finite afterwards: {values}")
    model.evaluate(chaos.x, chaos.y, batch_size=B, verbose=0)
    model.save(folder / "after.safetensors")
    return chaos.problems, chaos.done


def _other_calls(chaos: Chaos, seed: int, begun: threading.Event, ended: threading.Event) -> None:
    """Read, and in a wild fit write to targets, from another thread, until the fit has ended."""
    rng = np.random.default_rng(seed)
    model, x = chaos.model, chaos.x
    y = chaos.y.copy()
    calls: list[Callable[[], Any]] = [
        lambda: model.predict(x, batch_size=B),
        model.get_weights,
        lambda: model.save(chaos.folder / "other.safetensors"),
        lambda: model.set_weights(chaos.weights[1:]),
        lambda: model.layers[-1](np.ones((3, 4), np.float32)),
    ]
    if not chaos.own:
        calls.append(lambda: model.evaluate(x, y, batch_size=B, verbose=0))
    begun.wait()
    while not ended.is_set():
        if chaos.wild:
            chaos.y[rng.integers(0, N)] = rng.choice([0.0, 1.0, 2.0, 1e9, -7.0, np.nan])
        chaos.judge(calls[rng.integers(0, len(calls))], "from the other thread")
        ended.wait(1e-4)


def run_many(count: int, first: int = 0, report: Callable[[str], None] = print) -> Counter[str]:
    """`count` fits: what is wrong goes to `report` with its seed, and is counted as "wrong"."""
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            problems, done = run(seed, Path(folder))
            total += done
            total["fits"] += 1
            for problem in problems:
                total["wrong"] += 1
                report(f"seed {seed}: {problem}")
    return total

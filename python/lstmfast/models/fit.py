"""One call of fit: the core trains; this connects its hooks with callbacks, progress and history.

The core is handed a hook only where somebody listens to it.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from lstmfast._checks import count, items
from lstmfast._core import Model as Engine
from lstmfast.callbacks.base import CallbackList, History
from lstmfast.callbacks.states import States
from lstmfast.callbacks.terminate import TerminateOnNaN
from lstmfast.models.adapters import NAMES, ArrayNames, Samples
from lstmfast.models.compiled import Compiled
from lstmfast.models.non_finite import warn_of_non_finite
from lstmfast.models.progress import Bar, Lines


class Trained(Protocol):
    """What a run needs of the model."""

    history: History | None
    stop_training: bool
    _compiled: Compiled
    _run: FitRun | None
    _states: States | None


@dataclass
class Validation:
    """The validation data, and when to look at them."""

    data: Samples
    batch_size: int
    frequency: int | Container[int]
    names: ArrayNames = NAMES

    def __post_init__(self) -> None:
        if not isinstance(self.frequency, Container):
            self.frequency = count(self.frequency, "validation_freq", "fit")
        elif not isinstance(self.frequency, range | set | frozenset):
            epochs = items(self.frequency, "validation_freq", "fit", "epochs or their distance")
            self.frequency = {count(epoch, "validation_freq", "fit") for epoch in epochs}

    def due(self, epoch: int) -> bool:
        """Tell whether an epoch, counted from 0, is one to validate after."""
        if isinstance(self.frequency, int):
            return (epoch + 1) % self.frequency == 0
        return epoch + 1 in self.frequency


@dataclass
class Schedule:
    """How long to train, in the words of fit's arguments."""

    batch_size: int
    epochs: int
    initial_epoch: int
    shuffle: bool
    on_nonfinite: str | None


class FitRun:
    """One call of fit."""

    def __init__(
        self,
        model: Trained,
        engine: Engine,
        schedule: Schedule,
        validation: Validation | None,
        callbacks: Any,
        verbose: int,
        steps: int,
    ) -> None:
        self.model = model
        self.engine = engine
        self.schedule = schedule
        self.validation = validation
        params = {"verbose": verbose, "epochs": schedule.epochs, "steps": steps}
        self.callbacks = CallbackList(callbacks, "fit")
        self.history = self._find_history()
        self.params = params
        self.warned = False  # that the loss of the validation is not finite
        self.began = False  # the core found nothing to refuse
        self.on_epoch_begin = self.callbacks.listeners("on_epoch_begin")
        self.on_epoch_end = self.callbacks.listeners("on_epoch_end")
        self.on_epoch_done = self.callbacks.listeners("on_epoch_done")
        self.on_batch_begin = self.callbacks.listeners("on_train_batch_begin")
        self.on_batch_end = self.callbacks.listeners("on_train_batch_end")
        self.progress: Lines | Bar | None = None
        if verbose:
            self.progress = (Bar if verbose == 1 else Lines)(schedule.epochs, steps)
        # the core validates after every epoch; anything else is done from here
        self.validates_here = validation is not None and (
            validation.frequency != 1
            or bool(self.callbacks.listeners("on_test_begin"))
            or bool(self.callbacks.listeners("on_test_end"))
        )

    def _find_history(self) -> History:
        for callback in self.callbacks.callbacks:
            if isinstance(callback, History):
                return callback
        return History()

    def log_names(self, *, at_epochs: bool) -> list[str]:
        """Return the names in all logs of epochs, or of batches, before callbacks add any."""
        names = self.model._compiled.log_names
        held_out, epochs = self.validation, range(self.schedule.initial_epoch, self.schedule.epochs)
        if held_out is None or not at_epochs:
            return names
        if held_out.frequency != 1 and not all(map(held_out.due, epochs)):
            return names
        return names + [f"val_{name}" for name in names]

    def states(self) -> States | None:
        """Return what the callbacks remember now."""
        return States.of(self.callbacks.callbacks)

    def run(self, data: Samples) -> History:
        """Train."""
        model, outer = self.model, self.model._run
        try:
            self._train(data)
            self.callbacks.call("on_train_end", self._last_logs())
            model._states = self.states()
        except BaseException:
            if self.began:
                with suppress(Exception):  # the first error is the one to hear of
                    model._states = self.states()
            raise
        finally:
            if self.began:
                model._run = outer
        return self.history

    def _begin(self) -> bool:
        model, earlier = self.model, self.model._states
        self.callbacks.attach(model, self.params)
        if self.history not in self.callbacks.callbacks:
            self.history.set_params(self.params)
            self.history.set_model(model)
        self.began = True
        model.history = self.history
        model.stop_training = False
        model._run = self
        self.callbacks.call("on_train_begin", {})
        self.history.on_train_begin()
        if self.schedule.initial_epoch > 0 and earlier is not None:
            earlier.give(self.callbacks.callbacks)
        return model.stop_training

    def _train(self, data: Samples) -> None:
        hooks = self._hooks()
        schedule = self.schedule
        try:
            values = self.engine.fit(
                data.x,
                data.y,
                batch_size=schedule.batch_size,
                epochs=schedule.epochs,
                initial_epoch=schedule.initial_epoch,
                shuffle=schedule.shuffle,
                weights=data.weights,
                on_nonfinite=self._on_nonfinite(),
                **self._core_validation(),
                **hooks,
            )
        except BaseException:  # Ctrl-C and errors leave what was reached
            if self.began and "on_epoch" not in hooks:
                self._record_all(self.engine.history)
            raise
        finally:
            if self.progress:
                self.progress.close()
        if "on_epoch" not in hooks:
            self._record_all(values)
        last_loss = self._last_logs().get("loss", 0.0)
        if self._on_nonfinite() == "stop" and not math.isfinite(last_loss):
            self.model.stop_training = True

    def _record_all(self, values: Mapping[str, list[float]]) -> None:
        self.history.record_all(self.schedule.initial_epoch, self.model._compiled.renamed(values))
        for loss in values.get("val_loss", []):
            self._judge(loss)

    def _hooks(self) -> dict[str, Any]:
        hooks: dict[str, Any] = {"on_train_begin": self._begin}
        if self.on_epoch_begin or self.progress:
            hooks["on_epoch_begin"] = self._begin_epoch
        if self.on_epoch_end or self.on_epoch_done or self.progress or self.validates_here:
            hooks["on_epoch"] = self._end_epoch
        if self.on_batch_begin:
            hooks["on_batch_begin"] = self._begin_batch
        if self.on_batch_end:
            hooks["on_batch"] = self._end_batch
        if isinstance(self.progress, Bar):
            hooks["on_tick"] = self._tick
        return hooks

    def _core_validation(self) -> dict[str, Any]:
        if self.validation is None:
            return {}
        return {
            "validate": not self.validates_here,
            "x_val": self.validation.data.x,
            "y_val": self.validation.data.y,
            "validation_batch_size": self.validation.batch_size,
            "weights_val": self.validation.data.weights,
        }

    def _on_nonfinite(self) -> str:
        if self.schedule.on_nonfinite is not None:
            return self.schedule.on_nonfinite
        for callback in self.callbacks.callbacks:
            if isinstance(callback, TerminateOnNaN) and not callback.raise_error:
                return "stop"
        return "raise"

    def _begin_epoch(self, epoch: int, *_: Any) -> bool:
        if self.progress:
            self.progress.begin_epoch(epoch)
        for listener in self.on_epoch_begin:
            listener(epoch, {})
        return self.model.stop_training

    def _begin_batch(self, batch: int, *_: Any) -> bool:
        for listener in self.on_batch_begin:
            listener(batch, {})
        return self.model.stop_training

    def _end_batch(self, batch: int, values: Mapping[str, float]) -> bool:
        logs = self.model._compiled.renamed(values)
        for listener in self.on_batch_end:
            listener(batch, logs)
        return self.model.stop_training

    def _tick(self, epoch: int, batch: int, batches: int, values: Mapping[str, float]) -> bool:
        if isinstance(self.progress, Bar):
            self.progress.on_tick(epoch, batch, batches, self.model._compiled.renamed(values))
        return self.model.stop_training

    def _end_epoch(self, epoch: int, values: Mapping[str, float]) -> bool:
        logs = self.model._compiled.renamed(values)
        if self.validates_here and self.validation is not None and self.validation.due(epoch):
            logs |= self._validate(self.validation)
        if "val_loss" in logs:
            self._judge(logs["val_loss"])
        if self.progress:
            self.progress.end_epoch(epoch, logs)
        for listener in self.on_epoch_end:
            listener(epoch, logs)
        self.history.record(epoch, logs)
        for listener in self.on_epoch_done:
            listener(epoch, logs)
        return self.model.stop_training

    def _judge(self, val_loss: float) -> None:
        held_out = self.validation
        if held_out is None or self.warned or self.schedule.on_nonfinite == "ignore":
            return
        self.warned = warn_of_non_finite(
            val_loss, self.engine, held_out.data, "fit", "val_loss", held_out.names
        )

    def _validate(self, held_out: Validation) -> dict[str, float]:
        self.callbacks.call("on_test_begin", {})
        data = held_out.data
        values = self.engine.evaluate(data.x, data.y, held_out.batch_size, data.weights)
        logs = self.model._compiled.renamed(values)
        self.callbacks.call("on_test_end", logs)
        return {f"val_{key}": value for key, value in logs.items()}

    def _last_logs(self) -> dict[str, Any]:
        return {key: values[-1] for key, values in self.history.history.items() if values}

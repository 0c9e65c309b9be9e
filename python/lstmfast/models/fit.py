"""One call of fit: the core trains; this connects its hooks with callbacks, progress and history.

The core is handed a hook only where somebody listens to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lstmfast._checks import LARGEST_COUNT, count, items
from lstmfast._core import Model as CoreModel
from lstmfast.callbacks.base import CallbackList, History
from lstmfast.callbacks.states import States
from lstmfast.callbacks.stopping import TerminateOnNaN
from lstmfast.models.data import NAMES, ArrayNames, Samples
from lstmfast.models.progress import Bar, Lines, warn_of_non_finite
from lstmfast.models.sources import Source, evaluated, test_hooks

_AT_TESTS = "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end"
EVERY_EPOCH = range(1, LARGEST_COUNT + 1)


@dataclass
class Validation:
    """The validation data, and when to look at them."""

    data: Samples | Source
    batch_size: int
    frequency: Any  # a number of epochs, or the epochs, which count from 1 here
    names: ArrayNames = NAMES

    def __post_init__(self) -> None:
        if not isinstance(self.frequency, Container):
            step = count(self.frequency, "validation_freq", "fit")
            self.frequency = range(step, LARGEST_COUNT + 1, step)
        elif not isinstance(self.frequency, range | set | frozenset):
            epochs = items(self.frequency, "validation_freq", "fit", "epochs or their distance")
            self.frequency = {count(epoch, "validation_freq", "fit") for epoch in epochs}

    def due(self, epoch: int) -> bool:
        """Tell whether an epoch, counted from 0, is one to validate after."""
        return epoch + 1 in self.frequency


class FitRun:
    """One call of fit.

    options: batch_size, epochs, initial_epoch, shuffle and on_nonfinite.
    """

    def __init__(
        self,
        model: Any,
        core_model: CoreModel,
        data: Samples | Source,
        options: tuple[int, int, int, bool, str | None],
        validation: Validation | None,
        given_callbacks: Any,
        verbose: int,
    ) -> None:
        self.model, self.core_model = model, core_model
        self.data, self.validation = data, validation
        self.batch_size, last_epoch, first_epoch, self.shuffle, on_nonfinite = options
        self.source = data if isinstance(data, Source) else None
        steps: int | None
        if isinstance(data, Samples):
            steps = math.ceil(len(data) / self.batch_size)
        else:
            given = data.given
            steps = given.batches
            if self.shuffle and given.uses_order:
                given.order = core_model.sample_order
        self.callbacks = CallbackList(given_callbacks, "fit")
        each = self.callbacks.callbacks
        histories: list[History] = []
        if each:  # the rest of the calls is nearly as short as this would be
            for callback in each:
                epoch = callback.resumed_epoch(model)
                first_epoch = first_epoch if epoch is None else epoch
            histories = [one for one in each if isinstance(one, History)]
            if on_nonfinite is None and any(
                isinstance(one, TerminateOnNaN) and not one.raise_error for one in each
            ):
                on_nonfinite = "stop"
        self.epochs = range(first_epoch, last_epoch)
        self.params = {"verbose": verbose, "epochs": last_epoch, "steps": steps}
        self.history = histories[0] if histories else History()
        self.on_nonfinite = on_nonfinite or "raise"
        # that the loss of the validation is not finite
        self.warned = on_nonfinite == "ignore"
        self.began = False  # the core found nothing to refuse
        self.progress: Lines | None = None
        if verbose:
            self.progress = (Bar if verbose == 1 else Lines)(self.epochs.stop, steps)
        self.heard = CallbackList([self.progress, *each], "fit") if verbose else self.callbacks
        self.at_epochs = self.heard.listeners("on_epoch_end")
        self.after_epochs = self.heard.listeners("on_epoch_done")
        # the core validates after every epoch; anything else is done from here
        self.validates_here = self.validation is not None and (
            self.validation.frequency != EVERY_EPOCH
            or isinstance(self.validation.data, Source)
            or any(map(self.callbacks.listeners, _AT_TESTS))
        )
        self.records_epochs = bool(
            self.at_epochs or self.after_epochs or self.validates_here or self.source
        )

    def log_names(self, *, at_epochs: bool) -> list[str]:
        """Return the names in all logs of epochs, or of batches, before callbacks add any."""
        names: list[str] = self.model._compiled.log_names
        held_out = self.validation if at_epochs else None
        if at_epochs:
            added = [name for each in self.callbacks.callbacks for name in each.adds]
            names = [*names, *dict.fromkeys(added)]
        if held_out is None:
            return names
        always = held_out.frequency == EVERY_EPOCH or all(map(held_out.due, self.epochs))
        own = self.model._compiled.log_names
        return names + [f"val_{name}" for name in own if always]

    def states(self) -> States | None:
        """Return what the callbacks remember now."""
        return States.of(self.callbacks.callbacks)

    def run(self) -> History:
        """Train."""
        model, outer = self.model, self.model._run
        try:
            self._train()
            if self.callbacks.callbacks:
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
            self.history.on_train_begin()
        self.began = True
        model.history = self.history
        model.stop_training = False
        model._run = self
        self.callbacks.call("on_train_begin", {})
        if self.epochs.start > 0 and earlier is not None:
            earlier.give(self.callbacks.callbacks)
        return bool(model.stop_training)

    def _train(self) -> None:
        epochs, data = self.epochs, self.data
        options = self.batch_size, epochs.stop, epochs.start, self.shuffle, self.on_nonfinite
        x, y, weights = (
            (data, None, ()) if isinstance(data, Source) else (data.x, data.y, data.weights)
        )
        hooks = self._hooks()
        values: dict[str, list[float]] = {}
        try:
            values = self.core_model.fit(x, y, weights, options, self._core_validation(), hooks)
        finally:  # Ctrl-C and errors leave what was reached
            if self.progress:
                self.progress.close()
            if self.began and not self.records_epochs:
                self._record_all(values or self.core_model.history)
        if self.on_nonfinite == "stop":
            last_loss = self._last_logs().get("loss", 0.0)
            if not math.isfinite(last_loss):
                self.model.stop_training = True

    def _record_all(self, values: Mapping[str, list[float]]) -> None:
        if not any(values.values()):  # as Keras: no epoch, no names
            return
        self.history.record_all(self.epochs.start, self.model._compiled.renamed(values))
        for loss in values.get("val_loss", []):
            self._judge(loss)

    def _hooks(self) -> tuple[Callable[..., object] | None, ...]:
        """Return what the core calls, in its order; None where nobody listens."""
        begin, at_batch, end = None, None, None
        if self.heard.callbacks:
            begin = self._hook("on_epoch_begin")
            at_batch = self._hook("on_train_batch_begin")
            end = self._hook("on_train_batch_end")
        at_epoch = self._end_epoch if self.records_epochs else None
        tick = self._tick if isinstance(self.progress, Bar) else None
        return self._begin, begin, at_epoch, at_batch, end, tick

    def _hook(self, name: str) -> Callable[..., bool] | None:
        return self.heard.at_batches(name, self.model, "stop_training")

    def _core_validation(self) -> Any:
        if self.validation is None or isinstance(self.validation.data, Source):
            return None
        data = self.validation.data
        return data.x, data.y, data.weights, self.validation.batch_size, not self.validates_here

    def _tick(self, epoch: int, batch: int, batches: int, values: Mapping[str, float]) -> bool:
        if isinstance(self.progress, Bar):
            self.progress.on_tick(epoch, batch, batches, self.model._compiled.renamed(values))
        return bool(self.model.stop_training)

    def _end_epoch(self, epoch: int, values: Mapping[str, float]) -> bool:
        logs = self.model._compiled.renamed(values)
        if self.source and self.progress:
            self.progress.steps = self.source.given.number
        if self.validates_here and self.validation is not None and self.validation.due(epoch):
            logs = dict(sorted((logs | self._validate(self.validation)).items()))
        if "val_loss" in logs:
            self._judge(logs["val_loss"])
        for listener in self.at_epochs:
            listener(epoch, logs)
        self.history.record(epoch, logs)
        for listener in self.after_epochs:
            listener(epoch, logs)
        return bool(self.model.stop_training) or self._runs_out(epoch)

    def _runs_out(self, epoch: int) -> bool:
        """Tell whether there are no data for the next epoch, and warn of it."""
        if self.source is None or epoch + 1 >= self.epochs.stop or self.source.given.lasts():
            return False
        self.source.given.warn_of_end()
        return True

    def _judge(self, val_loss: float) -> None:
        held_out = self.validation
        if held_out is not None and not self.warned:
            self.warned = warn_of_non_finite(
                val_loss, self.core_model, held_out.data, "fit", "val_loss", held_out.names
            )

    def _validate(self, held_out: Validation) -> dict[str, float]:
        data = held_out.data
        if isinstance(data, Source) and not data.given.lasts():
            data.given.warn_of_end()
            return {}
        self.callbacks.call("on_test_begin", {})
        self.model.stop_evaluating = False
        hooks = test_hooks(self.callbacks, self.model)
        values = evaluated(self.core_model, data, held_out.batch_size, hooks)
        logs = self.model._compiled.renamed(values)
        self.callbacks.call("on_test_end", logs)
        return {f"val_{key}": value for key, value in logs.items()}

    def _last_logs(self) -> dict[str, Any]:
        return {key: values[-1] for key, values in self.history.history.items() if values}

"""The hooks that training calls, and the two callbacks that only fill them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

from lstmfast._checks import items, wrong_kind

Logs: TypeAlias = "dict[str, Any]"
State: TypeAlias = "dict[str, Any]"
Model: TypeAlias = Any  # of `lstmfast.models`, which imports this module


class Callback:
    """A base for objects that take part in training; override the hooks you need.

    Epochs and batches count from 0. `logs` holds the loss and the metrics; at the end of an epoch
    also those of the validation data, as ``val_...``; what a callback adds to it there appears in
    the history. Setting ``self.model.stop_training = True`` ends training.

    A callback that defines `get_state` and `set_state` continues from its state when a training is
    continued: the model keeps the state, and ``model.save`` writes it.

    Attributes
    ----------
    model : Model
        The model in training.
    params : dict
        ``epochs``, ``steps`` (batches in an epoch) and ``verbose``.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.callbacks import Callback
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> class StopAfter(Callback):
    ...     def __init__(self, epochs):
    ...         super().__init__()
    ...         self.epochs = epochs
    ...
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         if epoch + 1 == self.epochs:
    ...             self.model.stop_training = True
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.zeros((4, 2)), np.zeros((4, 1))
    >>> model.fit(x, y, epochs=10, verbose=0, callbacks=[StopAfter(3)]).epoch
    [0, 1, 2]
    """

    model: Model
    adds: tuple[str, ...] = ()
    """The names that the callback adds to the logs of each epoch, as far as they are known."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}

    def resumed_epoch(self, model: Model) -> int | None:
        """Called before a fit; return the epoch that it begins with, or None: that of fit.

        (Keras has no such hook.)
        """

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the parameters of this training."""
        self.params = params

    def set_model(self, model: Model) -> None:
        """Take the model."""
        self.model = model

    def get_state(self) -> State:
        """Return what a later fit needs to continue: nothing, unless a class overrides this.

        Returns
        -------
        dict of str to object
            Numbers, texts, None, arrays, and lists and dictionaries of these.
        """
        return {}

    def set_state(self, state: State) -> None:
        """Take what `get_state` returned, with lists for tuples; called after `on_train_begin`.

        Only `fit` with an ``initial_epoch`` above 0 calls this. A ValueError becomes a warning, and
        the callback starts without a state: a file may hold any state.
        """

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch; not after an error."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation."""

    def on_epoch_done(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after `on_epoch_end` of all callbacks, where a model should be saved.

        The file then holds the state of each of them after the epoch. (Keras has no such hook.)
        """

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch; `logs` holds means over the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Do as `on_train_batch_begin` does; Keras's older name."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Do as `on_train_batch_end` does; Keras's older name."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before `evaluate`, and before validation in `fit`."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After `evaluate`, and after validation in `fit`."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of `evaluate`, or of validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After such a batch; `logs` holds means over the batches so far.

        Setting ``self.model.stop_evaluating = True`` ends the evaluation after a batch.
        """

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of `predict`; ``logs["outputs"]`` holds what was computed.

        Setting ``self.model.stop_predicting = True`` ends the call after a batch.
        """

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After `predict`."""


_EXPECTED = "an object of a class derived from lstmfast.callbacks.Callback"


class CallbackList:
    """The callbacks of one call, and which of them override which hook."""

    def __init__(self, callbacks: Any, where: str) -> None:
        given = [callbacks] if isinstance(callbacks, Callback) else callbacks
        self.callbacks: list[Callback] = []
        if given is not None:
            self.callbacks = items(given, "callbacks", where, "a list of callbacks")
        for place, callback in enumerate(self.callbacks):
            if not isinstance(callback, Callback):
                raise wrong_kind(where, f"callbacks[{place}]", callback, _EXPECTED)

    def attach(self, model: Model, params: dict[str, Any]) -> None:
        """Tell all of them the model and the parameters of the call that begins."""
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)

    def listeners(self, hook: str) -> list[Callable[..., None]]:
        """Return the bound methods of the callbacks that override `hook`."""
        if not self.callbacks:
            return []
        # a hook's default calls its older name, so a callback that overrides that listens too
        names = [hook, hook.replace("_train_batch_", "_batch_")]
        return [
            getattr(callback, hook)
            for callback in self.callbacks
            if any(_overrides(callback, name) for name in names)
        ]

    def at_batches(self, hook: str, model: Model, stop: str) -> Callable[..., bool] | None:
        """Return what the core calls at batches: None where nobody listens to the hook.

        stop: the attribute of the model that ends the call.
        """
        listeners = self.listeners(hook)
        if not listeners:
            return None

        def call(number: int, values: Logs | None = None) -> bool:
            logs = model._compiled.renamed(values or {})
            for listener in listeners:
                listener(number, logs)
            return bool(getattr(model, stop))

        return call

    def call(self, hook: str, *arguments: Any) -> None:
        """Call `hook` of all callbacks that override it."""
        for listener in self.listeners(hook):
            listener(*arguments)


def _overrides(callback: Callback, hook: str) -> bool:
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


class History(Callback):
    """What `fit` returns: the values of every epoch.

    Attributes
    ----------
    history : dict of str to list of float
        ``loss``, the metrics, and the same of the validation data as ``val_...``; arrays for a
        metric of several values.
    epoch : list of int
        The epochs they belong to.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    >>> run = model.fit(np.zeros((4, 2)), np.zeros((4, 1)), epochs=2, verbose=0)
    >>> run.history
    {'loss': [0.0, 0.0], 'mae': [0.0, 0.0]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []
        self._model: weakref.ref[Any] | None = None

    # The model keeps its history: a strong reference back would keep the model's memory until the
    # garbage collector runs.
    def set_model(self, model: Model) -> None:
        """Take the model, without keeping it alive."""
        self._model = weakref.ref(model)

    @property
    def model(self) -> Model:
        """The model, while it lives."""
        return None if self._model is None else self._model()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset."""
        self.epoch = []
        self.history = {}

    def record(self, epoch: int, logs: Logs) -> None:
        """Append the values of an epoch."""
        self.epoch.append(epoch)
        for key, value in logs.items():
            self.history.setdefault(key, []).append(value)

    def record_all(self, first_epoch: int, values: dict[str, list[float]]) -> None:
        """Take the values of all epochs at once."""
        epochs = len(next(iter(values.values()), []))
        self.epoch = list(range(first_epoch, first_epoch + epochs))
        self.history = dict(values)


class LambdaCallback(Callback):
    """A callback made of functions, one for each hook that is given.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable(epoch, logs), optional
        Called around an epoch.
    on_train_begin, on_train_end : callable(logs), optional
        Called around training.
    on_train_batch_begin, on_train_batch_end : callable(batch, logs), optional
        Called around a batch.
    **hooks
        Any other hook of `Callback`, and attributes of one's own.

    Examples
    --------
    >>> from lstmfast.callbacks import LambdaCallback
    >>> log = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Logs], Any] | None = None,
        on_epoch_end: Callable[[int, Logs], Any] | None = None,
        on_train_begin: Callable[[Logs], Any] | None = None,
        on_train_end: Callable[[Logs], Any] | None = None,
        on_train_batch_begin: Callable[[int, Logs], Any] | None = None,
        on_train_batch_end: Callable[[int, Logs], Any] | None = None,
        **hooks: Any,
    ) -> None:
        given = {name: hook for name, hook in locals().items() if name.startswith("on_")} | hooks
        super().__init__()
        for name, hook in given.items():
            if hook is None:
                continue
            if name.startswith("on_"):
                if not hasattr(Callback, name):
                    raise TypeError(f"[LambdaCallback] there is no hook {name}")
                if not callable(hook):
                    raise wrong_kind("LambdaCallback", name, hook, "a function")
            self.__dict__[name] = hook

"""What a model was told by compile: optimizer, loss and metrics, and their way to the core."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast import losses, optimizers
from lstmfast._arrays import Array, ArrayLike, as_float
from lstmfast._checks import check_unavailable
from lstmfast._names import naming
from lstmfast._options import Options
from lstmfast.callbacks.states import States
from lstmfast.metrics import Metric, get_all
from lstmfast.models.data import Names, checked_input, checked_target, only
from lstmfast.models.weighted import Weighted
from lstmfast.utils import draw_seed

if TYPE_CHECKING:
    from lstmfast import _core


class Compiled(Weighted):
    """A stack that knows how to train."""

    # at class level, for the constructor of a stack may build, and so compile, already
    _optimizer: optimizers.Optimizer | None = None
    _loss: losses.Loss | None = None
    _metrics: tuple[Metric, ...] = ()
    _renames: list[tuple[str, str]] | None = None
    _states: States | None = None  # of the callbacks of the latest fit

    @property
    def optimizer(self) -> optimizers.Optimizer | None:
        """The optimizer that `compile` was told; None before."""
        return self._optimizer

    @property
    def loss(self) -> losses.Loss | None:
        """The loss that `compile` was told; None before."""
        return self._loss

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `compile` was told."""
        return self._metrics

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        Parameters
        ----------
        optimizer : str or Optimizer
            ``"adam"``, ``"sgd"`` or an object of `lstmfast.optimizers`. (Keras's default,
            RMSprop, is not available in this version.)
        loss : str, Loss or callable, or a list of one
            A name such as ``"mse"`` or an object of `lstmfast.losses`, one of your own too; or a
            function of y_true and y_pred that returns the value and its gradient, as `Loss.call`
            does. Losses and metrics of your own know nothing of masks: where the output has one,
            they are refused.
        metrics : list of str, Metric or callable, or a list of one such list, optional
            What else to report: names, objects of `lstmfast.metrics`, or functions of y_true and
            y_pred, whose mean is reported as `metrics.MeanMetricWrapper` says.
        loss_weights, weighted_metrics
            Not available in this version: must be None, the latter or empty.
        run_eagerly, steps_per_execution, jit_compile, auto_scale_loss
            Accepted for Keras's sake: they have no meaning here.

        Raises
        ------
        TypeError, ValueError
            For what is not an optimizer, a loss or a metric; the message lists the known names.

        Examples
        --------
        >>> from lstmfast.layers import LSTM, Dense
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([LSTM(4, input_shape=(None, 1)), Dense(1)])
        >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        >>> model.optimizer.learning_rate = 0.01

        With a loss of one's own:

        >>> import numpy as np
        >>> def log_cosh(y_true, y_pred):
        ...     error = y_pred - y_true
        ...     return np.mean(np.log(np.cosh(error))), np.tanh(error) / error.size
        >>> model.compile(optimizer="adam", loss=log_cosh)
        """
        if isinstance(weighted_metrics, list | tuple) and not weighted_metrics:
            weighted_metrics = None
        given = {"loss_weights": loss_weights, "weighted_metrics": weighted_metrics}
        check_unavailable("compile", given, dict.fromkeys(given))
        with naming("compile", "optimizer"):
            chosen_optimizer = optimizers.get(optimizer)
        with naming("compile", "loss"):
            loss = only_output(loss)
            chosen_loss = None if loss is None else losses.get(loss)
        with naming("compile", "metrics"):
            chosen_metrics = get_all(only_output(metrics, nested=True))
        if self._engine is not None:
            self._tell(self._engine, chosen_optimizer, chosen_loss, chosen_metrics)
        self._set_metrics(chosen_metrics)
        self._optimizer, self._loss = chosen_optimizer, chosen_loss
        self._states = None
        self._bind_optimizer()

    def callback_states(self) -> States | None:
        """Return what the callbacks of the running or latest fit remember."""
        return self._states

    def _compile_engine(self, engine: _core.Model) -> None:
        self._tell(engine, self.optimizer, self.loss, self.metrics)

    def _tell(
        self,
        engine: _core.Model,
        optimizer: optimizers.Optimizer | None,
        loss: losses.Loss | None,
        metrics: Sequence[Metric],
    ) -> None:
        if optimizer is None or loss is None:
            return
        owner = optimizer._model() if optimizer._model else None
        if owner not in (None, self):
            raise ValueError(
                "[compile] this optimizer object belongs to another model; give each model its own"
            )
        drawn = self._rng.bit_generator.state
        config: Options = {"seed": draw_seed(self._rng), **loss.config(), **optimizer.config()}
        if metrics:
            config["metrics"] = ",".join(dict.fromkeys(core_kinds(metrics)))
        try:
            engine.compile(config, *own_functions(loss, metrics))
        except Exception as error:
            self._rng.bit_generator.state = drawn  # a compile that is refused leaves no trace
            if not isinstance(error, ValueError) or "custom" not in str(error):
                raise
            names = ",".join(metric.name for metric in metrics)
            text = str(error).replace('loss is "custom"', f'loss is "{config.get("loss.name")}"')
            text = text.replace(f'metrics is "{config.get("metrics")}"', f'metrics is "{names}"')
            raise ValueError(text) from None

    def _bind_optimizer(self) -> None:
        if self.optimizer and self.loss and self._engine:
            self.optimizer._bind(self._engine, weakref.ref(self))

    def _set_metrics(self, metrics: Sequence[Metric]) -> None:
        self._metrics = tuple(metrics)
        self._renames = _renames(self.metrics)

    def _compiled_engine(self, x: ArrayLike, where: str) -> tuple[_core.Model, Array]:
        if self.optimizer is None or self.loss is None:
            missing = "compiled" if self.optimizer is None else "compiled with a loss"
            raise ValueError(f"[{where}] the model is not {missing}; call compile(loss=...) first")
        return self._engine_for(x, where)

    def _targets(self, y: ArrayLike, samples: int, where: str, names: Names = ("x", "y")) -> Array:
        if not isinstance(y, np.ndarray):
            y = only(y, len(self.output_shape), samples)
        return checked_target(y, self._dtype, samples, where, names)

    def _check_weighable(self, name: str, where: str) -> None:
        if self.loss is not None and self.loss.is_custom:
            raise ValueError(f"[{where}] {name} is given; expected None with a loss of one's own")

    def _engine_for(self, x: ArrayLike, where: str) -> tuple[_core.Model, Array]:
        engine = self._engine
        if engine is None:
            x = only(x, self._input_axes(x))
            self._build_for(as_float(x, self._dtype, where, "x"), where)
            engine = self._built_engine()
        return engine, checked_input(x, self._dtype, self._sample_shape or (), where)

    def renamed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the core's values under the names that the user gave the metrics."""
        if self._renames is None:
            return dict(values)
        return {name: values[kind] for name, kind in self._renames if kind in values}


def only_output(given: Any, nested: bool = False) -> Any:
    """Return what is meant for the one output, where Keras takes a list with an item for each.

    With `nested` the items are lists themselves, as for metrics.
    """
    if not isinstance(given, list | tuple):
        return given
    if nested and not any(isinstance(each, list | tuple) for each in given):
        return given
    if len(given) != 1:
        raise ValueError(f"got {len(given)} items; expected one, for the model has one output")
    return given[0]


def core_kinds(metrics: Sequence[Metric]) -> list[str]:
    """Return what the core calls each metric; those of the user's own are numbered."""
    number = itertools.count()
    return [f"custom:{next(number)}" if m.is_custom else m.kind for m in metrics]


def own_functions(
    loss: losses.Loss | None, metrics: Sequence[Metric]
) -> tuple[Callable[..., Any] | None, list[Metric]]:
    """Return what the core calls back: the loss's function and the metrics of the user's own."""
    return (
        loss.call if loss is not None and loss.is_custom else None,
        [metric for metric in metrics if metric.is_custom],
    )


def _renames(metrics: tuple[Metric, ...]) -> list[tuple[str, str]] | None:
    """Pairs (name in logs, name in the core), or None where they are all alike."""
    kinds = core_kinds(metrics)
    if all(metric.name == kind for metric, kind in zip(metrics, kinds, strict=True)):
        return None
    pairs = [("loss", "loss"), *((m.name, kind) for m, kind in zip(metrics, kinds, strict=True))]
    return pairs + [(f"val_{name}", f"val_{kind}") for name, kind in pairs]

"""How a model is compiled, in Keras's files: settings, and the state of its optimizer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._names import function_name, own_config, registered_name
from lstmfast._warnings import warn
from lstmfast.losses import LOSSES
from lstmfast.losses.base import FunctionLoss, Loss
from lstmfast.metrics import METRICS, MeanMetricWrapper, MeanOfLoss, Metric
from lstmfast.models import keras_weights
from lstmfast.models.compiled import Compiled
from lstmfast.models.keras_weights import Orders
from lstmfast.optimizers import OPTIMIZERS, Optimizer, schedules
from lstmfast.optimizers.schedules.base import LearningRateSchedule

# what Keras lacks of our losses and schedules
_LACKING = {"ESR", "GaussianNegativeLogLikelihood", "MixtureNegativeLogLikelihood", "Quantile"}
_LACKING |= {"WarmUp"}
_FIRST = ("average", "gradient_sum")  # what Keras keeps before the slots of an optimizer's own
# those whose first two slots Keras has in turn, weight by weight
_IN_TURN = {"adadelta", "adam", "adamax", "adamw", "nadam"}


def entry(module: str, class_name: str, config: Any, own: str | None = None) -> dict[str, Any]:
    """Return Keras's description of an object; own: the name of a class of the user's."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": own,
    }


def settings(model: Any, path: str) -> dict[str, Any] | None:
    """Return the arguments of `compile` as Keras describes them; None if it was not called."""
    compiled: Compiled = model._compiled
    if compiled.optimizer is None:
        return None
    outputs = compiled.outputs

    def of_each(values: Sequence[Any], weights: bool = False) -> Any:
        if not any(values):
            return None
        if len(outputs) == 1 and not weights:
            return values[0]
        keys = model._output_keys
        return values if keys is None else dict(zip(keys, values, strict=True))

    weights = [output.weight for output in outputs]
    numbers = [1.0 if weight is None else weight for weight in weights]
    found = {
        "optimizer": _optimizer(compiled.optimizer),
        "loss": of_each([_loss(output.loss) for output in outputs]),
        "loss_weights": None if weights == [None] * len(outputs) else of_each(numbers, True),
        "metrics": of_each(
            [[_metric(m) for k, m in enumerate(o.metrics) if k not in o.weighted] for o in outputs]
        ),
        "weighted_metrics": of_each(
            [[_metric(o.metrics[k]) for k in sorted(o.weighted)] for o in outputs]
        ),
    }
    lacking = sorted(_LACKING & set(_class_names(found)))
    if lacking:
        warn(
            f"[save] {path}: the model was compiled with {' and '.join(lacking)}, which Keras "
            "lacks; there load_model needs compile=False"
        )
    if compiled.optimizer._undecayed:
        warn(
            f"[save] {path}: Keras's files do not hold exclude_from_weight_decay; call it again, "
            "and compile, before the loaded model trains"
        )
    return found


def _class_names(described: Any) -> Iterator[str]:
    if isinstance(described, Mapping):
        if described.get("module") == "keras.losses" and described["class_name"] == "function":
            yield LOSSES.classes[described["config"]].__name__
        elif "class_name" in described:
            yield described["class_name"]
        described = list(described.values())
    if isinstance(described, list):
        for each in described:
            yield from _class_names(each)


def of_object(thing: Any, module: str, config: Any) -> dict[str, Any]:
    """Return the description of an object of Keras's class of that name, or of a user's class."""
    cls = type(thing)
    if module and not getattr(thing, "is_custom", False):
        return entry(f"keras.{module}", cls.__name__, config)
    return entry(cls.__module__, cls.__name__, config, registered_name(cls))


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    config = optimizer.get_config()
    config["learning_rate"] = _rate(optimizer._schedule or config["learning_rate"])
    return of_object(optimizer, "optimizers", config)


def _rate(given: Any) -> Any:
    if not isinstance(given, LearningRateSchedule):
        return function(given) if callable(given) else float(given)
    config = given.get_config()
    if isinstance(given, schedules.WarmUp):
        config["decay_schedule_fn"] = _rate(given.decay_schedule_fn)
    return of_object(given, "optimizers.schedules", config)


def function(given: Any) -> dict[str, Any]:
    """Return how files name a function, a user's own too."""
    name = given if isinstance(given, str) else function_name(given)
    return entry("builtins", "function", name, name)


def taken(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration without what all layers have where a constructor does not take it."""
    own = inspect.signature(cls).parameters
    if any(each.kind == each.VAR_KEYWORD for each in own.values()):
        return dict(config)
    shared = {"name", "trainable", "dtype"} - set(own)
    return {name: value for name, value in config.items() if name not in shared}


def _loss(loss: Any) -> Any:
    if loss is None or isinstance(loss, FunctionLoss):
        return loss and function(loss.function)
    if loss.is_custom:
        return of_object(loss, "", own_config(loss, Loss) or {})
    return of_object(loss, "losses", {"name": loss.name or loss.kind, **loss.options()})


def _metric(metric: Metric) -> Any:
    if metric.kind == "accuracy":  # shapes choose its form
        return metric.name
    config: dict[str, Any] = {"name": metric.name, "dtype": "float32"}
    if isinstance(metric, MeanMetricWrapper):
        return entry("keras.metrics", "MeanMetricWrapper", config | {"fn": function(metric.fn)})
    if isinstance(metric, MeanOfLoss):
        of_loss = {"fn": function(metric.kind) | {"module": "keras.losses"}, **metric.options()}
        return entry("keras.metrics", "MeanMetricWrapper", config | of_loss)
    own = metric.is_custom and (own_config(metric, Metric) or {"name": metric.name})
    return of_object(metric, "metrics", own or config | metric.options())


def state(model: Any) -> list[Any] | None:
    """Return the arrays of an optimizer in Keras's order; None of a model that cannot train."""
    core, optimizer = model._core_model, model._compiled.optimizer
    if core.compile_config is None:
        return None
    batches, slots = core.optimizer_state()
    rate = [] if optimizer._schedule else [np.float32(optimizer.learning_rate)]
    found = [np.int64(batches), *rate, *(slots[name][k] for name, k in _order(optimizer, slots))]
    return [*found, _nadam_product(optimizer, model.dtype)] if optimizer.kind == "nadam" else found


def _order(
    optimizer: Optimizer, slots: Mapping[str, Sequence[Array]], in_turn: bool = True
) -> list[tuple[str, int]]:
    """Return slots and numbers of weights as Keras has them one after the other."""
    own = [name for name in slots if name not in _FIRST]
    together = 2 if in_turn and optimizer.kind in _IN_TURN else 0
    groups = [[name] for name in _FIRST if name in slots]
    groups += [own[:together], *([name] for name in own[together:])]
    return [(name, k) for g in groups for k in range(len(slots[g[0]]) if g else 0) for name in g]


def _nadam_product(optimizer: Any, dtype: str) -> Any:
    """Return what Keras keeps of Nadam: the product of the momenta of all steps."""
    steps = int(optimizer.iterations)
    factors = 1 - 0.5 * 0.96 ** np.arange(1.0, min(steps, 1000) + 1)  # 1 beyond
    return np.dtype(dtype).type(optimizer.beta_1**steps * factors.prod())


def take_state(
    model: Any, arrays: Sequence[Any], path: str, orders: Orders, in_turn: bool = True
) -> None:
    """Give a compiled model its optimizer's state; in_turn: unless written before Keras 2.11.

    Where another number of arrays came, as Keras does, warn and begin anew.
    """
    core, optimizer = model._core_model, model._compiled.optimizer
    if core.compile_config is None or not arrays:
        return
    _, slots = core.optimizer_state()
    order = _order(optimizer, slots, in_turn)
    # before the slots steps and, of Keras 3, the learning rate; after them Nadam's product
    more = len(arrays) - len(order)
    after = int(optimizer.kind == "nadam" and more > 1)
    numbers, given = arrays[: more - after], arrays[more - after : len(arrays) - after]
    if len(arrays) <= 2 and all(each.ndim == 0 for each in arrays):  # no step was taken
        numbers = arrays
    elif not 1 <= len(numbers) <= 2:
        warn(
            f"[load_model] {path}: the optimizer has {len(arrays)} arrays; expected "
            f"{len(order)} and its counters, so that it begins anew"
        )
        return
    else:
        # from the file's order of layers to that of the core
        trained = set(model.trainable_weights)
        in_turn_here = dict.fromkeys(keras_weights.in_order(model, orders))
        theirs = {w: k for k, w in enumerate(w for w in in_turn_here if w in trained)}
        held = dict(zip(order, given, strict=True))
        slots = {n: [held[n, theirs[w]] for w in model.trainable_weights] for n in slots}
    core.set_optimizer_state(int(numbers[0]), slots)
    if len(numbers) > 1 and np.float32(optimizer.learning_rate) != np.float32(numbers[1]):
        optimizer.learning_rate = float(numbers[1])


def _of_now(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return an optimizer's settings of any version as Keras 3 has them."""
    found = dict(config)
    if "lr" in found:
        found["learning_rate"] = found.pop("lr")
    decay = found.pop("decay", None)
    if decay:
        first = {"initial_learning_rate": found["learning_rate"], "decay_steps": 1}
        found["learning_rate"] = entry("", "InverseTimeDecay", first | {"decay_rate": decay})
    return found


def compile_as(model: Any, config: Mapping[str, Any], reader: Any) -> None:
    """Compile a model as Keras's settings say."""

    def among(*registries: Any) -> Any:
        def find(name: str) -> Any:
            found = next(filter(None, (each.find(name) for each in registries)), None)
            if found is None:
                raise ValueError(
                    f"the model was compiled with {name}, which is not here; pass custom_objects="
                    f"{{{name!r}: ...}}, or compile=False to load it without"
                )
            return found

        return find

    given = config.get("optimizer", config.get("optimizer_config"))
    if isinstance(given, Mapping):
        given = {**given, "config": _of_now(given["config"])}
    optimizer = reader.value(given, among(OPTIMIZERS, schedules.SCHEDULES))
    model.compile(
        optimizer=optimizer,
        loss=reader.value(config.get("loss"), among(LOSSES)),
        metrics=reader.value(config.get("metrics"), among(METRICS, LOSSES)),
        loss_weights=config.get("loss_weights"),
        weighted_metrics=reader.value(config.get("weighted_metrics"), among(METRICS, LOSSES)),
    )


def wrapped(name: str | None, function: Any, options: Mapping[str, Any], find: Any) -> Any:
    """Return the metric, or the loss as one, that Keras describes as the mean of a function."""
    if callable(function):
        return MeanMetricWrapper(function, name)
    return find(function)(name=name, **options)

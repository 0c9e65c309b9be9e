"""Optimizers for ``Sequential.compile``: Keras's names, defaults and formulas.

The core takes the steps; these objects hold the options and, once a model trains with them, read
and set its learning rate. `schedules` has learning rates that follow from the number of steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstmfast._keras_names import explain_missing
from lstmfast._names import Registry, listed
from lstmfast.optimizers import schedules
from lstmfast.optimizers._adam import Adam, Adamax, AdamW, Nadam
from lstmfast.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from lstmfast.optimizers.base import Optimizer
from lstmfast.optimizers.descent import SGD, Lion

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

explain_missing(__name__)

OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", Optimizer, listed(globals()), key=str.lower)


def get(identifier: Any) -> Optimizer:
    """Return the optimizer for a name, a class, an object or a configuration.

    Examples
    --------
    >>> from lstmfast import optimizers
    >>> optimizers.get("sgd")
    SGD(learning_rate=0.01, momentum=0.0, nesterov=False)
    """
    return OPTIMIZERS.get(identifier)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return the name and the arguments of an optimizer, for `deserialize` and `get`."""
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Optimizer:
    """Return the optimizer that `serialize` described.

    custom_objects: classes of schedules of your own, by their names.
    """
    given = dict(config.get("config", {}))
    rate = given.get("learning_rate")
    if isinstance(rate, Mapping):
        given["learning_rate"] = schedules.deserialize(rate, custom_objects)
    return get({**config, "config": given})

"""Metrics for ``Sequential.compile``: Keras's names and formulas; the core gathers them.

Strings name metrics too, and are then their key in the history: ``"mae"``, ``"mse"``, ``"rmse"``,
``"accuracy"``. Accuracy chooses its form as in Keras: binary for one output, sparse where a target
is one label for several outputs, else categorical. A metric of your own is a function, or a class
derived from `Metric`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmfast._keras_names import explain_missing
from lstmfast._names import Registry, listed, snake_case
from lstmfast.metrics.base import MeanMetricWrapper, Metric
from lstmfast.metrics.core import CoreMetric

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "get",
]

explain_missing(__name__)


MAX_METRICS = 1000  # of a model, as in the core


class MeanSquaredError(CoreMetric):
    """mean((y - ŷ)²).

    Examples
    --------
    >>> from lstmfast.metrics import MeanSquaredError
    >>> MeanSquaredError(name="mse")
    MeanSquaredError(name='mse')
    """


class RootMeanSquaredError(CoreMetric):
    """sqrt(mean((y - ŷ)²)) over the whole epoch.

    Masked steps have no part in it, as in all metrics here; Keras's counts them.

    Examples
    --------
    >>> from lstmfast.metrics import RootMeanSquaredError
    >>> RootMeanSquaredError().name
    'root_mean_squared_error'
    """


class MeanAbsoluteError(CoreMetric):
    """mean(|y - ŷ|).

    Examples
    --------
    >>> from lstmfast.metrics import MeanAbsoluteError
    >>> MeanAbsoluteError().name
    'mean_absolute_error'
    """


class Accuracy(CoreMetric):
    """How often the prediction is right, between 0 and 1; binary, categorical or sparse.

    Examples
    --------
    >>> from lstmfast.metrics import Accuracy
    >>> Accuracy().name
    'accuracy'
    """

    direction = "max"


class BinaryAccuracy(Accuracy):
    """How often prediction and target are on the same side of a threshold.

    Parameters
    ----------
    threshold : float
        Predictions above it stand for 1, others for 0.

    Examples
    --------
    >>> from lstmfast.metrics import BinaryAccuracy
    >>> BinaryAccuracy().name
    'binary_accuracy'
    """

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: None = None, threshold: float = 0.5
    ) -> None:
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(Accuracy):
    """How often the largest output is that of the one-hot target.

    Examples
    --------
    >>> from lstmfast.metrics import CategoricalAccuracy
    >>> CategoricalAccuracy().name
    'categorical_accuracy'
    """


class SparseCategoricalAccuracy(Accuracy):
    """How often the largest output is the target, an integer label.

    Examples
    --------
    >>> from lstmfast.metrics import SparseCategoricalAccuracy
    >>> SparseCategoricalAccuracy().name
    'sparse_categorical_accuracy'
    """


METRICS: Registry[Metric] = Registry(
    "metric",
    Metric,
    [each for each in listed(globals()) if each is not MeanMetricWrapper],
    aliases={
        "mse": "mean_squared_error",
        "rmse": "root_mean_squared_error",
        "mae": "mean_absolute_error",
        "acc": "accuracy",
    },
)


def get(identifier: Any) -> Metric:
    """Return the metric for a name, a class, an object, a configuration or a function.

    A metric got by a string bears that string as its name.

    Examples
    --------
    >>> from lstmfast import metrics
    >>> metrics.get("mae")
    MeanAbsoluteError(name='mae')
    """
    methods = "update_state, result and reset_state"
    metric = METRICS.get_own(identifier, MeanMetricWrapper, methods).checked()
    if isinstance(identifier, str):
        metric.name = identifier
        metric.kind = snake_case(identifier)  # the core knows the short names too
    return metric


def get_all(identifiers: Any) -> list[Metric]:
    """Return the metrics of ``compile(metrics=...)``: one, a list, or None."""
    if identifiers is None:
        return []
    several = isinstance(identifiers, Sequence) and not isinstance(identifiers, str)
    metrics = [get(each) for each in identifiers] if several else [get(identifiers)]
    lambdas = [m for m in metrics if isinstance(m, MeanMetricWrapper) and m.name == "lambda"]
    for number, function in enumerate(lambdas[1:], start=1):
        function.name = f"lambda_{number}"
    taken = {"loss"}
    for metric in metrics:
        if metric.name in taken:
            raise ValueError(
                f"[compile] two values would be called {metric.name!r}; give one a name="
            )
        taken.add(metric.name)
    return metrics

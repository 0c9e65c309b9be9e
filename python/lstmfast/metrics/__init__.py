"""Metrics for ``Sequential.compile``: Keras's names and formulas; the core gathers them.

Strings name metrics too, and are then their key in the history: ``"mae"``, ``"mse"``, ``"rmse"``,
``"accuracy"``. The latter chooses its form as in Keras: binary for one output, sparse where a
target is one label for several outputs, else categorical. A metric of your own is a function, or a
class derived from `Metric`. Metrics gather without a model, too: ``metric.update_state(y_true,
y_pred, sample_weight)``, ``metric.result()``, ``metric.reset_state()``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lstmfast._keras_names import explain_missing
from lstmfast._names import Registry, listed, snake_case
from lstmfast.metrics.accuracies import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    Mean,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from lstmfast.metrics.base import MeanMetricWrapper, Metric
from lstmfast.metrics.confusion import (
    AUC,
    F1Score,
    FalseNegatives,
    FalsePositives,
    FBetaScore,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from lstmfast.metrics.in_core import CoreMetric

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
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


METRICS: Registry[Metric] = Registry(
    "metric",
    Metric,
    [each for each in listed(globals()) if each is not MeanMetricWrapper],
    aliases={
        "mse": "mean_squared_error",
        "rmse": "root_mean_squared_error",
        "mae": "mean_absolute_error",
        "acc": "accuracy",
        "equality": "accuracy",  # what files call an Accuracy that did not come as a string
        "fbeta_score": "f_beta_score",
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
    """Return the metrics of ``compile(metrics=...)``: one, a list, however nested, or None."""
    if identifiers is None:
        return []
    metrics = [get(each) for each in _flat(identifiers)]
    lambdas = [m for m in metrics if isinstance(m, MeanMetricWrapper) and m.name == "lambda"]
    for number, function in enumerate(lambdas[1:], start=1):
        function.name = f"lambda_{number}"
    if any(metric.name == "loss" for metric in metrics):
        raise ValueError("[compile] two values would be called 'loss'; give one a name=")
    return metrics


def _flat(given: Any) -> Iterator[Any]:
    if isinstance(given, list | tuple):
        for each in given:
            yield from _flat(each)
    else:
        yield given

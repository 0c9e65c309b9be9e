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
from lstmfast._names import Registry, listed
from lstmfast._options import Options
from lstmfast.losses import (
    LOSSES,
    LossFunction,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from lstmfast.losses.base import CoreLoss
from lstmfast.metrics.accuracies import *
from lstmfast.metrics.base import MeanMetricWrapper, Metric
from lstmfast.metrics.confusion import *
from lstmfast.metrics.functions import *
from lstmfast.metrics.regression import *

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanOfLoss",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_hinge",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

explain_missing(__name__)


MAX_METRICS = 1000  # of a model, as in the core


METRICS: Registry[Metric] = Registry(
    "metric",
    Metric,
    [each for each in listed(globals()) if each not in (MeanMetricWrapper, MeanOfLoss)],
    aliases={
        "mse": "mean_squared_error",
        "rmse": "root_mean_squared_error",
        "mae": "mean_absolute_error",
        "mape": "mean_absolute_percentage_error",
        "msle": "mean_squared_logarithmic_error",
        "bce": "binary_crossentropy",
        "kld": "kl_divergence",
        "log_cosh": "log_cosh_error",
        "logcosh": "log_cosh_error",
        "cosine_proximity": "cosine_similarity",
        "r2": "r2_score",
        "acc": "accuracy",
        "equality": "accuracy",  # what files call an Accuracy that did not come as a string
        "fbeta_score": "f_beta_score",
    },
)


def get(identifier: Any) -> Metric:
    """Return the metric for a name, a class, an object, a configuration or a function.

    A metric got by a string bears that string as its name. Losses are metrics, too.

    Examples
    --------
    >>> from lstmfast import losses, metrics
    >>> metrics.get("mae")
    MeanAbsoluteError(name='mae')
    >>> metrics.get(losses.Huber(0.5))
    MeanOfLoss(name='huber')
    """
    if getattr(identifier, "__module__", None) == "lstmfast.metrics.functions":
        identifier = identifier.__name__  # the core gathers it
    if isinstance(identifier, LossFunction):
        return MeanOfLoss(identifier.of(), identifier.__name__)
    if isinstance(identifier, CoreLoss) and not identifier.is_custom:
        return MeanOfLoss(identifier)
    if isinstance(identifier, str) and METRICS.find(identifier) is None:
        of_loss = LOSSES.find(identifier)
        if of_loss is not None and issubclass(of_loss, CoreLoss):
            return MeanOfLoss(of_loss(), identifier)
    methods = "update_state, result and reset_state"
    metric = METRICS.get_own(identifier, MeanMetricWrapper, methods).checked()
    if isinstance(identifier, str):
        metric.name = identifier
        if type(metric) is Accuracy:
            metric.kind = "accuracy"  # the form of the string, which shapes choose
    return metric


def made(kind: str, name: str, options: Options) -> Metric:
    """Return the metric that a file describes: what the core calls it, and its options."""
    cls: Any = METRICS.find(kind)
    if cls is not None:
        metric: Metric = cls(name=name, **options)
        metric.kind = kind
        return metric
    of_loss: Any = LOSSES.find(kind)
    return Metric(name) if of_loss is None else MeanOfLoss(of_loss(**options), name)


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

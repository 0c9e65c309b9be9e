"""Losses for ``Sequential.compile``: Keras's names and formulas; the core computes them.

A loss is the mean over samples (and over steps and outputs, where it has them). Strings name
losses too: ``"mse"``, ``"mae"``, ``"huber"``, ``"categorical_crossentropy"`` and so on. A loss of
your own is a function or a class derived from `Loss`, made of operators and `lstmfast.ops`; or it
returns the gradient with the value.

All classes take Keras's ``name``, which only names the object, ``reduction``, and ``dtype`` at its
default. Their objects can be called, as can functions of their names in lower case, which return
the values of samples.
"""

from __future__ import annotations

from typing import Any

from lstmfast._keras_names import explain_missing
from lstmfast._names import Registry, listed
from lstmfast.losses._classes import *
from lstmfast.losses._errors import *
from lstmfast.losses._likelihoods import *
from lstmfast.losses.base import FunctionLoss, Loss
from lstmfast.losses.functions import *

__all__ = [
    "BCE",
    "ESR",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "GaussianNegativeLogLikelihood",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossFunction",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "MixtureNegativeLogLikelihood",
    "Poisson",
    "Quantile",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "bce",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

explain_missing(__name__)

LOSSES: Registry[Loss] = Registry(
    "loss",
    Loss,
    listed(globals()),
    aliases={
        "mse": "mean_squared_error",
        "mae": "mean_absolute_error",
        "mape": "mean_absolute_percentage_error",
        "msle": "mean_squared_logarithmic_error",
        "bce": "binary_crossentropy",
        "kld": "kl_divergence",
        "kullback_leibler_divergence": "kl_divergence",
        "logcosh": "log_cosh",
        "cosine_proximity": "cosine_similarity",
        "pinball": "quantile",
    },
)


def get(identifier: Any) -> Loss:
    """Return the loss for a name, a class, an object, a configuration or a function.

    Examples
    --------
    >>> from lstmfast import losses
    >>> losses.get("MSE")
    MeanSquaredError()
    """
    if isinstance(identifier, LossFunction):
        return identifier.of()
    methods = "call(y_true, y_pred)"
    return LOSSES.get_own(identifier, FunctionLoss, methods)

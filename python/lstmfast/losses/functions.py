"""Losses as functions, with Keras's names: the values of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, ResultArray
from lstmfast._names import snake_case
from lstmfast.losses import _classes, _errors
from lstmfast.losses.base import CoreLoss


class LossFunction:
    """A loss as a function: the values of samples, or of their steps.

    ``losses.huber(y_true, y_pred, delta=0.5)`` returns what ``losses.Huber(0.5)`` takes the mean
    of; ``compile(loss=losses.huber)`` is the loss itself. The core computes both.

    Parameters
    ----------
    of : type
        The class of the loss.

    Examples
    --------
    >>> from lstmfast.losses import mean_squared_error
    >>> mean_squared_error([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [2.0, 0.0]]).tolist()
    [0.5, 2.0]
    """

    def __init__(self, of: type[CoreLoss]) -> None:
        self.of = of
        self.__name__ = self.__qualname__ = snake_case(of.__name__)
        self.__doc__ = f"The values of `{of.__name__}` for samples; see `LossFunction`."

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, *args: Any, **options: Any) -> Array:
        """Return the values for targets and predictions, by the options of the loss."""
        values = self.of(*args, **options, reduction="none")(y_true, y_pred)
        return values.view(ResultArray) if isinstance(values, np.ndarray) else values

    def __repr__(self) -> str:
        return f"<loss function {self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__


mean_squared_error = mse = MSE = LossFunction(_errors.MeanSquaredError)
mean_absolute_error = mae = MAE = LossFunction(_errors.MeanAbsoluteError)
mean_absolute_percentage_error = mape = MAPE = LossFunction(_errors.MeanAbsolutePercentageError)
mean_squared_logarithmic_error = msle = MSLE = LossFunction(_errors.MeanSquaredLogarithmicError)
huber = LossFunction(_errors.Huber)
log_cosh = logcosh = LossFunction(_errors.LogCosh)
cosine_similarity = LossFunction(_errors.CosineSimilarity)
categorical_crossentropy = LossFunction(_classes.CategoricalCrossentropy)
sparse_categorical_crossentropy = LossFunction(_classes.SparseCategoricalCrossentropy)
binary_crossentropy = bce = BCE = LossFunction(_classes.BinaryCrossentropy)
hinge = LossFunction(_classes.Hinge)
squared_hinge = LossFunction(_classes.SquaredHinge)
categorical_hinge = LossFunction(_classes.CategoricalHinge)
kl_divergence = kld = KLD = LossFunction(_classes.KLDivergence)
kullback_leibler_divergence = kl_divergence
poisson = LossFunction(_classes.Poisson)

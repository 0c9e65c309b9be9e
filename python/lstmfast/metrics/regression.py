"""Metrics that are means of losses, and what else measures how far predictions are off."""

from __future__ import annotations

from lstmfast._checks import check_unavailable
from lstmfast.losses.base import CoreLoss
from lstmfast.metrics.base import Metric
from lstmfast.metrics.in_core import CoreMetric


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


class MeanAbsolutePercentageError(CoreMetric):
    """100·mean(|y - ŷ| / max(|y|, 1e-7)).

    Examples
    --------
    >>> from lstmfast.metrics import MeanAbsolutePercentageError
    >>> MeanAbsolutePercentageError()([[2.0], [4.0]], [[3.0], [4.0]])
    25.0
    """


class MeanSquaredLogarithmicError(CoreMetric):
    """mean((log(1 + y) - log(1 + ŷ))²), y and ŷ limited to at least 1e-7.

    Examples
    --------
    >>> from lstmfast.metrics import MeanSquaredLogarithmicError
    >>> MeanSquaredLogarithmicError().name
    'mean_squared_logarithmic_error'
    """


class LogCoshError(CoreMetric):
    """mean(log(cosh(ŷ - y))).

    Examples
    --------
    >>> from lstmfast.metrics import LogCoshError
    >>> LogCoshError().name
    'logcosh'
    """

    _KIND = "log_cosh"

    def __init__(self, name: str | None = "logcosh", dtype: None = None) -> None:
        super().__init__(name, dtype)


class CosineSimilarity(CoreMetric):
    """Mean of Σ (y / |y|)·(ŷ / |ŷ|) over the last axis: 1 where directions are the same.

    Parameters
    ----------
    axis : int
        For Keras's sake: must be -1.

    Examples
    --------
    >>> from lstmfast.metrics import CosineSimilarity
    >>> print(f"{CosineSimilarity()([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [2.0, 2.0]]):.4f}")
    0.5000
    """

    direction = "max"

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: None = None, axis: int = -1
    ) -> None:
        check_unavailable(type(self).__name__, {"axis": axis}, {"axis": -1})
        super().__init__(name, dtype)


class R2Score(CoreMetric):
    """1 - Σ (y - ŷ)² / Σ (y - mean(y))² of each column: 1 at best, 0 for the mean as prediction.

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average"} or None
        What is made of columns: their mean, their mean by Σ (y - mean(y))², or nothing.
    num_regressors : int
        P > 0: the adjusted score, 1 - (1 - score)·(n - 1)/(n - P - 1) of n values, if that is
        positive.

    Examples
    --------
    >>> from lstmfast.metrics import R2Score
    >>> print(f"{R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]):.4f}")
    0.5714
    """

    direction = "max"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: None = None,
    ) -> None:
        how = "none" if class_aggregation is None else class_aggregation
        super().__init__(name, dtype, class_aggregation=how, num_regressors=num_regressors)


class Hinge(CoreMetric):
    """mean(max(1 - y·ŷ, 0)) for targets of -1 and 1; 0 counts as -1.

    Examples
    --------
    >>> from lstmfast.metrics import Hinge
    >>> Hinge()([[1.0], [0.0]], [[0.5], [0.5]])
    1.0
    """


class SquaredHinge(CoreMetric):
    """mean(max(1 - y·ŷ, 0)²) for targets of -1 and 1; 0 counts as -1.

    Examples
    --------
    >>> from lstmfast.metrics import SquaredHinge
    >>> SquaredHinge()([[1.0], [0.0]], [[0.5], [0.5]])
    1.25
    """


class CategoricalHinge(CoreMetric):
    """Mean of max(0, 1 + max((1 - y)·ŷ) - Σ y·ŷ) for one-hot targets.

    Examples
    --------
    >>> from lstmfast.metrics import CategoricalHinge
    >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]])
    0.5
    """


class KLDivergence(CoreMetric):
    """Mean of Σ y·log(y / ŷ) over the last axis, y and ŷ limited to 1e-7 .. 1.

    Examples
    --------
    >>> from lstmfast.metrics import KLDivergence
    >>> KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])
    0.0
    """


class Poisson(CoreMetric):
    """mean(ŷ - y·log(ŷ + 1e-7)), for counts y and rates ŷ.

    Examples
    --------
    >>> from lstmfast.metrics import Poisson
    >>> Poisson()([[0.0], [0.0]], [[1.0], [2.0]])
    1.5
    """


class BinaryCrossentropy(CoreMetric):
    """Mean of -(y·log(ŷ) + (1 - y)·log(1 - ŷ)).

    Parameters
    ----------
    from_logits : bool
        Whether predictions lack the sigmoid.
    label_smoothing : float
        s, from 0 to 1: targets become y·(1 - s) + s/2.

    Examples
    --------
    >>> from lstmfast.metrics import BinaryCrossentropy
    >>> print(f"{BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.0]]):.4f}")
    0.3466
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(CoreMetric):
    """Mean of -Σ y·log(ŷ) for one-hot targets.

    Parameters
    ----------
    from_logits : bool
        Whether predictions lack the softmax.
    label_smoothing : float
        s, from 0 to 1: targets become y·(1 - s) + s/classes.
    axis : int
        For Keras's sake: must be -1.

    Examples
    --------
    >>> from lstmfast.metrics import CategoricalCrossentropy
    >>> print(f"{CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]):.4f}")
    0.6931
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        check_unavailable(type(self).__name__, {"axis": axis}, {"axis": -1})
        super().__init__(name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class SparseCategoricalCrossentropy(CoreMetric):
    """Mean of -log(ŷ[label]) for integer labels.

    Parameters
    ----------
    from_logits : bool
        Whether predictions lack the softmax.
    axis : int
        For Keras's sake: must be -1.

    Examples
    --------
    >>> from lstmfast.metrics import SparseCategoricalCrossentropy
    >>> print(f"{SparseCategoricalCrossentropy()([1, 0], [[0.5, 0.5], [1.0, 0.0]]):.4f}")
    0.3466
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: None = None,
        from_logits: bool = False,
        axis: int = -1,
    ) -> None:
        check_unavailable(type(self).__name__, {"axis": axis}, {"axis": -1})
        super().__init__(name, dtype, from_logits=from_logits)


class MeanOfLoss(CoreMetric):
    """A loss as a metric: ``compile(metrics=[losses.Quantile(0.9)])`` makes one of these.

    Parameters
    ----------
    loss : Loss
        One that the core computes; its reduction has no part in it.
    name : str, optional
        The key; by default the loss's name.
    """

    def __init__(self, loss: CoreLoss, name: str | None = None, dtype: None = None) -> None:
        Metric.__init__(self, name or loss.name or loss.kind, dtype)
        self.kind = loss.kind
        self._options = {key: v for key, v in loss.options().items() if key != "reduction"}

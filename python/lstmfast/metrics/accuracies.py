"""Metrics that count how often predictions are right, and the mean of values."""

from __future__ import annotations

from lstmfast._arrays import ArrayLike
from lstmfast.metrics.in_core import CoreMetric, spread_weights


class Accuracy(CoreMetric):
    """The share of predictions that equal their targets.

    The string ``"accuracy"`` (``"acc"``) means something else, as in Keras: `BinaryAccuracy` for an
    output of one value, `SparseCategoricalAccuracy` where targets are labels of several, else
    `CategoricalAccuracy`.

    Examples
    --------
    >>> from lstmfast.metrics import Accuracy
    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    direction = "max"
    _KIND = "equality"


class BinaryAccuracy(CoreMetric):
    """The share of elements with target 1 and a prediction above the threshold, or 0 and not above.

    Parameters
    ----------
    threshold : float
        Predictions above it stand for 1, others for 0.

    Examples
    --------
    >>> from lstmfast.metrics import BinaryAccuracy
    >>> BinaryAccuracy(threshold=0.6)([[1], [1], [0], [0]], [[0.98], [0.7], [0], [0.61]])
    0.75
    """

    direction = "max"

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: None = None, threshold: float = 0.5
    ) -> None:
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(CoreMetric):
    """The share of rows whose largest prediction is at the place of the largest target.

    Targets are one-hot rows or probabilities (N, ..., C), as predictions; of equals the first
    counts.

    Examples
    --------
    >>> from lstmfast.metrics import CategoricalAccuracy
    >>> CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    direction = "max"


class SparseCategoricalAccuracy(CoreMetric):
    """The share of rows whose largest prediction is at the place that the target, a label, names.

    Targets are (N, ...) or (N, ..., 1) for predictions (N, ..., C).

    Examples
    --------
    >>> from lstmfast.metrics import SparseCategoricalAccuracy
    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
    0.5
    """

    direction = "max"


class TopKCategoricalAccuracy(CoreMetric):
    """The share of rows whose class, the largest target, is among the k largest predictions.

    A prediction that equals the k-th largest is among them.

    Parameters
    ----------
    k : int
        How many predictions count.

    Examples
    --------
    >>> from lstmfast.metrics import TopKCategoricalAccuracy
    >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1], [1, 0, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.1]])
    0.5
    """

    direction = "max"

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: None = None
    ) -> None:
        super().__init__(name, dtype, k=k)


class SparseTopKCategoricalAccuracy(CoreMetric):
    """The share of rows whose class, a label, is among the k largest predictions.

    Parameters
    ----------
    k : int
        How many predictions count.
    from_sorted_ids : bool
        Predictions are not scores but classes, the likeliest first; k of them count.

    Examples
    --------
    >>> from lstmfast.metrics import SparseTopKCategoricalAccuracy
    >>> SparseTopKCategoricalAccuracy(k=2)([2, 0], [[0.1, 0.9, 0.8], [0.05, 0.95, 0.1]])
    0.5
    >>> SparseTopKCategoricalAccuracy(k=1, from_sorted_ids=True)([2, 0], [[1, 2], [0, 1]])
    0.5
    """

    direction = "max"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(name, dtype, k=k, from_sorted_ids=from_sorted_ids)


class Mean(CoreMetric):
    """The mean of values, for loops of one's own; no metric of a model.

    Examples
    --------
    >>> from lstmfast.metrics import Mean
    >>> mean = Mean(name="loss")
    >>> mean.update_state([1, 3, 5])
    >>> mean.update_state(7, sample_weight=3)
    >>> mean.result()
    5.0
    """

    direction = None
    _IN_CORE = True

    def update_state(  # type: ignore[override]
        self, values: ArrayLike, sample_weight: ArrayLike = None
    ) -> None:
        """Take in values: a number, or one or several for each sample, (N, ...).

        A sample counts once, however many values it has; with weights (N,) as often as its weight
        says. Weights may have more of the values' axes, too.
        """
        where = type(self).__name__
        each = self._floats(values, where, "values")
        if each.ndim < 2:
            each = each.reshape(-1, 1)
        if each.size:
            weights = spread_weights(sample_weight, each, 1, where)
            self._gather(each.reshape(len(each), -1), None, weights)

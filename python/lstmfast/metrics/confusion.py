"""Metrics of decisions for and against classes, at one threshold or many."""

from __future__ import annotations

from collections.abc import Sequence

from lstmfast._options import arguments
from lstmfast.metrics.in_core import CoreMetric


class _Count(CoreMetric):
    """The weight of all elements with one decision and one target."""

    _NUMBERED = True

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: None = None,
    ) -> None:
        super().__init__(name, dtype, thresholds=thresholds)


class TruePositives(_Count):
    """How many elements with a target other than 0 have a prediction above the threshold.

    With weights, the sum of theirs.

    Parameters
    ----------
    thresholds : float or list of float, optional
        From 0 to 1; 0.5 by default. With several the result is an array.

    Examples
    --------
    >>> from lstmfast.metrics import TruePositives
    >>> TruePositives()([0, 1, 1, 1], [1, 0, 1, 1])
    2.0
    >>> TruePositives([0.3, 0.6])([0, 1, 1, 1], [0.7, 0.2, 0.5, 0.9])
    array([2., 1.])
    """

    direction = "max"


class FalsePositives(_Count):
    """How many elements with target 0 have a prediction above the threshold.

    With weights, the sum of theirs.

    Parameters
    ----------
    thresholds : float or list of float, optional
        From 0 to 1; 0.5 by default. With several the result is an array.

    Examples
    --------
    >>> from lstmfast.metrics import FalsePositives
    >>> FalsePositives()([0, 1, 0, 0], [0, 0, 1, 1])
    2.0
    """


class TrueNegatives(_Count):
    """How many elements with target 0 have a prediction not above the threshold.

    With weights, the sum of theirs.

    Parameters
    ----------
    thresholds : float or list of float, optional
        From 0 to 1; 0.5 by default. With several the result is an array.

    Examples
    --------
    >>> from lstmfast.metrics import TrueNegatives
    >>> TrueNegatives()([0, 1, 0, 0], [1, 1, 0, 0])
    2.0
    """

    direction = "max"


class FalseNegatives(_Count):
    """How many elements with a target other than 0 have a prediction not above the threshold.

    With weights, the sum of theirs.

    Parameters
    ----------
    thresholds : float or list of float, optional
        From 0 to 1; 0.5 by default. With several the result is an array.

    Examples
    --------
    >>> from lstmfast.metrics import FalseNegatives
    >>> FalseNegatives()([0, 1, 1, 1], [0, 1, 0, 0])
    2.0
    """


class _Score(CoreMetric):
    """A share of decisions."""

    direction = "max"
    _NUMBERED = True

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: None = None,
    ) -> None:
        super().__init__(name, dtype, thresholds=thresholds, top_k=top_k, class_id=class_id)


class Precision(_Score):
    """TP / (TP + FP): of the elements decided for, the share with a target other than 0.

    Without decisions it is 0.

    Parameters
    ----------
    thresholds : float or list of float, optional
        From 0 to 1: an element is decided for where its prediction is above. By default 0.5, with
        `top_k` none. With several the result is an array.
    top_k : int, optional
        Only the so many largest predictions of a row can be decided for, the first among equals.
    class_id : int, optional
        Count this column alone.

    Examples
    --------
    >>> from lstmfast.metrics import Precision
    >>> precision = Precision()
    >>> precision.update_state([0, 1, 1, 1], [1, 0, 1, 1])
    >>> f"{precision.result():.4f}"
    '0.6667'
    >>> Precision(top_k=2)([[0, 0, 1]], [[0.2, 0.3, 0.9]])
    0.5
    """


class Recall(_Score):
    """TP / (TP + FN): of the elements with a target other than 0, the share decided for.

    Without such targets it is 0.

    Parameters
    ----------
    thresholds : float or list of float, optional
        From 0 to 1: an element is decided for where its prediction is above. By default 0.5, with
        `top_k` none. With several the result is an array.
    top_k : int, optional
        Only the so many largest predictions of a row can be decided for, the first among equals.
    class_id : int, optional
        Count this column alone.

    Examples
    --------
    >>> from lstmfast.metrics import Recall
    >>> recall = Recall(class_id=1)
    >>> recall.update_state([[0, 1], [1, 0], [0, 1]], [[0.1, 0.9], [0.4, 0.6], [0.8, 0.2]])
    >>> recall.result()
    0.5
    """


class AUC(CoreMetric):
    """The area below a curve through the points that all thresholds give.

    The points are those of `num_thresholds` thresholds at even distances from just below 0 to just
    above 1, so that the area is an approximation.

    Parameters
    ----------
    num_thresholds : int
        How many thresholds, at least 2.
    curve : {"ROC", "PR", "PRGAIN"}
        Recall over FP / (FP + TN); precision over recall; or these two as gains over deciding for
        all elements (Flach and Kull, "Precision-Recall-Gain Curves", 2015).
    summation_method : {"interpolation", "minoring", "majoring"}
        Between two points: their mean height (for "PR" true positives are linear, which precision
        is not: Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves",
        2006), the lesser, or the greater one.
    thresholds : list of float, optional
        From 0 to 1: these in place of even ones, with two more just below 0 and above 1.
    multi_label : bool
        Each column has an area of its own; the result is their mean. Otherwise all elements count
        as of one column.
    num_labels : int, optional
        With `multi_label`: the number of columns, which is checked.
    label_weights : list of float, optional
        Weights of columns: with `multi_label` in the mean, else of their elements.
    from_logits : bool
        Predictions are logits; their sigmoid is compared with thresholds.

    Examples
    --------
    >>> from lstmfast.metrics import AUC
    >>> auc = AUC(num_thresholds=3)
    >>> auc.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
    >>> auc.result()
    0.75
    """

    direction = "max"
    _NUMBERED = True

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(**arguments(locals()))


class FBetaScore(CoreMetric):
    """(1 + β²)·P·R / (β²·P + R) of precision P and recall R of each column.

    Each division has 1e-7 added to its divisor, as in Keras.

    Parameters
    ----------
    average : {None, "micro", "macro", "weighted"}
        None: an array with the score of each column; "micro": the score of all elements; "macro":
        the mean of the columns; "weighted": their mean by the number of positive targets.
    beta : float
        How many times recall counts what precision does.
    threshold : float, optional
        Above 0, at most 1: an element is decided for where its prediction is above. None: where it
        is the largest of its row and not 0.

    Examples
    --------
    >>> from lstmfast.metrics import FBetaScore
    >>> score = FBetaScore(beta=2.0, threshold=0.5)
    >>> score.update_state(
    ...     [[1, 1, 1], [1, 0, 0], [1, 1, 0]],
    ...     [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]],
    ... )
    >>> score.result().round(4)
    array([0.3846, 0.9091, 0.8333])
    """

    direction = "max"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: None = None,
    ) -> None:
        super().__init__(name, dtype, average=average, beta=beta, threshold=threshold)


class F1Score(CoreMetric):
    """2·P·R / (P + R) of precision P and recall R of each column: `FBetaScore` with β = 1.

    Parameters
    ----------
    average : {None, "micro", "macro", "weighted"}
        As in `FBetaScore`.
    threshold : float, optional
        As in `FBetaScore`; give it for targets that are not one-hot.

    Examples
    --------
    >>> from lstmfast.metrics import F1Score
    >>> score = F1Score(average="macro", threshold=0.5)
    >>> score.update_state([[1, 1], [1, 0], [0, 1]], [[0.2, 0.6], [0.7, 0.1], [0.3, 0.9]])
    >>> f"{score.result():.4f}"
    '0.8333'
    """

    direction = "max"

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: None = None,
    ) -> None:
        super().__init__(name, dtype, average=average, threshold=threshold)

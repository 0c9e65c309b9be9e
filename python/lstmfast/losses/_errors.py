"""Losses of numbers: functions of the error between prediction and target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lstmfast.losses.base import CoreLoss, LossOnLastAxis


@dataclass(frozen=True)
class MeanSquaredError(CoreLoss):
    """mean((y - ŷ)²).

    Examples
    --------
    >>> from lstmfast.losses import MeanSquaredError
    >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]])
    0.5
    """


@dataclass(frozen=True)
class MeanAbsoluteError(CoreLoss):
    """mean(|y - ŷ|).

    Examples
    --------
    >>> from lstmfast.losses import MeanAbsoluteError
    >>> MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 1.0]])
    0.5
    """


@dataclass(frozen=True)
class MeanAbsolutePercentageError(CoreLoss):
    """100·mean(|y - ŷ| / max(|y|, 1e-7)).

    Examples
    --------
    >>> from lstmfast.losses import MeanAbsolutePercentageError
    >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[3.0, 4.0]])
    25.0
    """


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(CoreLoss):
    """mean((log(1 + y) - log(1 + ŷ))²), y and ŷ limited to at least 1e-7.

    Examples
    --------
    >>> from lstmfast.losses import MeanSquaredLogarithmicError
    >>> loss = MeanSquaredLogarithmicError()([[0.0, 1.0]], [[1.0, 1.0]])
    >>> print(f"{loss:.4f}")
    0.2402
    """


@dataclass(frozen=True)
class Huber(CoreLoss):
    """Mean of e²/2 where |e| = |y - ŷ| is at most δ, of δ·(|e| - δ/2) elsewhere.

    Parameters
    ----------
    delta : float
        δ > 0: where the parabola becomes a line.

    Examples
    --------
    >>> from lstmfast.losses import Huber
    >>> Huber(delta=0.5)([[0.0, 1.0]], [[1.0, 1.0]])
    0.1875
    """

    delta: float = 1.0


@dataclass(frozen=True)
class LogCosh(CoreLoss):
    """mean(log(cosh(ŷ - y))): e²/2 where the error e is small, |e| - log(2) where it is large.

    Examples
    --------
    >>> from lstmfast.losses import LogCosh
    >>> LogCosh()([[0.0, 1.0]], [[0.0, 1.0]])
    0.0
    """


@dataclass(frozen=True)
class CosineSimilarity(LossOnLastAxis):
    """Mean of -Σ (y / |y|)·(ŷ / |ŷ|) over the last axis, the lengths limited to at least 1e-7.

    -1 where the vectors have the same direction, 1 where they have opposite ones. The metric of
    that name has the other sign.

    Examples
    --------
    >>> from lstmfast.losses import CosineSimilarity
    >>> loss = CosineSimilarity()([[0.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [2.0, 2.0]])
    >>> print(f"{loss:.4f}")
    -0.5000
    """


@dataclass(frozen=True)
class Quantile(CoreLoss):
    """Pinball loss, whose minimum is a quantile: mean of q·e where e = y - ŷ ≥ 0, else (q - 1)·e.

    With n quantiles, a prediction has n values for each value of a target, next to each other:
    a model of D targets ends with D·n outputs, ``prediction.reshape(..., D, n)`` holds those of
    each target in a row, and targets are (..., D), or (...) for D = 1. The mean is over all
    outputs.

    Parameters
    ----------
    quantiles : float or sequence of float
        q, one or several, each between 0 and 1; 0.5 is half of the mean absolute error.

    Notes
    -----
    R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46 (1978).

    Examples
    --------
    The bounds between which 80 % of the targets lie, and the median:

    >>> import numpy as np
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.losses import Quantile
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([Dense(3, input_shape=(1,))], seed=0)
    >>> model.compile("adam", Quantile((0.1, 0.5, 0.9)))
    >>> x, y = np.zeros((100, 1)), np.linspace(0.0, 1.0, 100)
    >>> run = model.fit(x, y, epochs=500, verbose=0)
    >>> np.round(model.predict(x[:1]), 1).tolist()
    [[0.10000000149011612, 0.5, 0.8999999761581421]]
    """

    quantiles: float | Sequence[float] = 0.5


@dataclass(frozen=True)
class ESR(CoreLoss):
    """Error-to-signal ratio of whole signals, as for models of audio effects.

    Predictions and targets are (B, steps, channels). For each sample and channel, with E the error
    ŷ - y and F the filter x[n] - a·x[n - 1]::

        Σ F(E)² / (Σ F(y)² + ε·steps) + w·mean(E)² / (mean(y²) + ε)

    and the loss is the mean of these. A step that is masked, or of weight 0, is in none of the
    sums, and is 0 in the filter of the next step; other weights are factors of F(E)², and their
    mean is one of mean(E)².

    Parameters
    ----------
    pre_emphasis : float
        a, from -1 to 1: 0.95 stresses high frequencies, to which ears are sensitive; 0 is no
        filter.
    dc_weight : float
        w: 1 adds the error of the mean, which the filter nearly removes.
    epsilon : float
        ε > 0, which bounds the ratio of silent samples.

    Notes
    -----
    A. Wright, E.-P. Damskägg and V. Välimäki, "Real-time black-box modelling with recurrent neural
    networks", Proc. DAFx (2019): a = 0.95, w = 1.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.losses import ESR
    >>> y = np.sin(np.arange(100.0)).reshape(1, 100, 1)
    >>> print(f"{ESR(pre_emphasis=0.95, dc_weight=1.0)(y, 0.9 * y):.4f}")
    0.0100
    """

    pre_emphasis: float = 0.0
    dc_weight: float = 0.0
    epsilon: float = 1e-5

"""Optimizers that step along the gradient or its sign: SGD and Lion."""

from __future__ import annotations

from typing import Any

from lstmfast.optimizers.base import Optimizer


class SGD(Optimizer):
    """Gradient descent, w -= r·g; with momentum m: v = m·v - r·g, w += v.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    momentum : float
        m, from 0 to 1.
    nesterov : bool
        Step by m·v - r·g instead of v.
    **common
        ``weight_decay``, ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import SGD
    >>> SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False)
    """

    kind = "sgd"

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, momentum=momentum, nesterov=nesterov, **common)


class Lion(Optimizer):
    """Lion: steps of one size, along the sign of a mean of gradients.

    w -= r·sign(β₁·m + (1 - β₁)·g), then m = β₂·m + (1 - β₂)·g. (Chen et al., Symbolic discovery of
    optimization algorithms, https://arxiv.org/abs/2302.06675) Its learning rates are 3 to 10 times
    less than Adam's.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    beta_1 : float
        β₁, above 0 to 1.
    beta_2 : float
        β₂, from 0 to 1.
    **common
        ``weight_decay``, ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import Lion
    >>> Lion(1e-4, weight_decay=0.1)
    Lion(learning_rate=0.0001, beta_1=0.9, beta_2=0.99, weight_decay=0.1)
    """

    kind = "lion"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, **common)

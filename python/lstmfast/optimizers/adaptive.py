"""Optimizers that divide by the root of squared gradients: RMSprop, Adagrad, Adadelta."""

from __future__ import annotations

from typing import Any

from lstmfast._options import arguments
from lstmfast.optimizers.base import Optimizer


class RMSprop(Optimizer):
    """RMSprop: steps by the gradient over the root of the running mean of its squares.

    v = ρ·v + (1 - ρ)·g², w -= r·g/sqrt(v + ε). With momentum μ the steps s = r·g/sqrt(v + ε) are
    gathered, u = μ·u + s, w -= u. With ``centered=True`` the variance v - a² takes the place of v,
    where a = ρ·a + (1 - ρ)·g.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    rho : float
        ρ, from 0 to 1.
    momentum : float
        μ, from 0 to 1.
    epsilon : float
        ε, within the root as in Keras; torch adds it to the root.
    centered : bool
        Divide by the root of the variance.
    **common
        ``weight_decay``, ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import RMSprop
    >>> RMSprop(0.01)  # doctest: +NORMALIZE_WHITESPACE
    RMSprop(learning_rate=0.01, rho=0.9, momentum=0.0, epsilon=1e-07, centered=False)
    """

    kind = "rmsprop"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(**arguments(locals()))


class Adagrad(Optimizer):
    """Adagrad: steps by the gradient over the root of the sum of all its squares.

    a += g², w -= r·g/sqrt(a + ε). Weights whose gradients are rare take larger steps.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    initial_accumulator_value : float
        a before the first step.
    epsilon : float
        ε; Keras's default, not torch's.
    **common
        ``weight_decay``, ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import Adagrad
    >>> Adagrad(0.1)
    Adagrad(learning_rate=0.1, initial_accumulator_value=0.1, epsilon=1e-07)
    """

    kind = "adagrad"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(**arguments(locals()))


class Adadelta(Optimizer):
    """Adadelta: the sizes of its steps follow those of the steps before.

    v = ρ·v + (1 - ρ)·g², s = g·sqrt(u + ε)/sqrt(v + ε), u = ρ·u + (1 - ρ)·s², w -= r·s.
    (Zeiler, https://arxiv.org/abs/1212.5701, where r is 1)

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    rho : float
        ρ, from 0 to 1.
    epsilon : float
        ε.
    **common
        ``weight_decay``, ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import Adadelta
    >>> Adadelta(1.0)
    Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-07)
    """

    kind = "adadelta"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, rho=rho, epsilon=epsilon, **common)

"""Adam and its relatives."""

from __future__ import annotations

from typing import Any

from lstmfast._options import arguments
from lstmfast.optimizers.base import Optimizer


class Adam(Optimizer):
    """Adam: steps by the running mean of gradients over the root of that of their squares.

    m = β₁·m + (1 - β₁)·g, v = β₂·v + (1 - β₂)·g²,
    w -= r·sqrt(1 - β₂ᵗ)/(1 - β₁ᵗ)·m/(sqrt(v) + ε) at step t.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    beta_1, beta_2 : float
        β₁ and β₂, from 0 to below 1.
    epsilon : float
        ε; Keras's default, not torch's.
    amsgrad : bool
        Divide by the root of the largest v so far. (Reddi et al., On the convergence of Adam and
        beyond, https://arxiv.org/abs/1904.09237)
    **common
        ``weight_decay``, ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import Adam
    >>> Adam(beta_1=0.8, epsilon=1e-8, global_clipnorm=1.0)  # doctest: +NORMALIZE_WHITESPACE
    Adam(learning_rate=0.001, beta_1=0.8, beta_2=0.999, epsilon=1e-08, amsgrad=False,
    global_clipnorm=1.0)
    """

    kind = "adam"

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(**arguments(locals()))


class AdamW(Adam):
    """Adam with weight decay: before each step w -= r·weight_decay·w.

    (Loshchilov and Hutter, Decoupled weight decay regularization, https://arxiv.org/abs/1711.05101)

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    weight_decay : float
        Keras's default, not torch's.
    beta_1, beta_2, epsilon, amsgrad
        As in `Adam`.
    **common
        ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import AdamW
    >>> AdamW(1e-3, 0.01).weight_decay
    0.01
    """

    kind = "adamw"
    weight_decay: float

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        common["weight_decay"] = weight_decay
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **common)


class TwoMoments(Optimizer):
    """An optimizer with a mean of gradients and another of their sizes."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, **common)


class Adamax(TwoMoments):
    """Adamax: Adam with the largest gradient in place of the root of a mean.

    m = β₁·m + (1 - β₁)·g, u = max(β₂·u, |g|), w -= r/(1 - β₁ᵗ)·m/(u + ε) at step t.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    beta_1, beta_2 : float
        β₁ and β₂, from 0 to below 1.
    epsilon : float
        ε.
    **common
        ``weight_decay``, ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import Adamax
    >>> Adamax(0.002)
    Adamax(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-07)
    """

    kind = "adamax"


class Nadam(TwoMoments):
    """Nadam: Adam with Nesterov's momentum, which rises from step to step.

    m and v as in `Adam`; with uₜ = β₁·(1 - 0.96ᵗ/2) and the product Pₜ = u₁·u₂·…·uₜ,
    w -= r·(uₜ₊₁·m/(1 - Pₜ₊₁) + (1 - uₜ)·g/(1 - Pₜ))/(sqrt(v/(1 - β₂ᵗ)) + ε) at step t.
    (Dozat, Incorporating Nesterov momentum into Adam, 2015)

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        r.
    beta_1, beta_2 : float
        β₁ and β₂, from 0 to below 1.
    epsilon : float
        ε.
    **common
        ``weight_decay``, ``clipnorm`` and the others that all have, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import Nadam
    >>> Nadam(0.002)
    Nadam(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-07)
    """

    kind = "nadam"

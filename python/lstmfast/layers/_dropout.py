"""The dropout layer of a model."""

from __future__ import annotations

from typing import Any, ClassVar

from lstmfast.layers.base import Layer


class Dropout(Layer):
    """In training, set a share `rate` of the values to 0 and scale the rest by 1/(1 - rate).

    Parameters
    ----------
    rate : float
        From 0 to 1.
    seed : int, optional
        Of the layer's masks; by default they follow the model's seed.
    **options
        As in `Layer`.

    Examples
    --------
    >>> from lstmfast.layers import Dropout
    >>> Dropout(0.2).rate
    0.2
    """

    kind = "dropout"
    rate: float
    seed: int | None
    unavailable: ClassVar = {"noise_shape": None}

    def __init__(self, rate: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._set(rate=rate, seed=seed)

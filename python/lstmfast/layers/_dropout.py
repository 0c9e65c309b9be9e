"""The dropout layer of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lstmfast.layers.base import UNAVAILABLE, Layer


class Dropout(Layer):
    """In training, set a share `rate` of the values to 0 and scale the rest by 1/(1 - rate).

    Parameters
    ----------
    rate : float
        From 0 to 1.
    seed : int, optional
        Of the layer's masks; by default they follow the model's seed.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    name, input_shape, dtype
        As in `Layer`.
    **unavailable
        Keras's other arguments, at their defaults.

    Examples
    --------
    >>> from lstmfast.layers import Dropout
    >>> Dropout(0.2).rate
    0.2
    """

    kind = "dropout"
    rate: float
    seed: int | None
    unavailable: ClassVar[dict[str, Any]] = UNAVAILABLE | {"noise_shape": None}

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        *,
        activity_regularizer: Any = None,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        **unavailable: Any,
    ) -> None:
        super().__init__(name, input_shape, **unavailable)
        self.activity_regularizer = activity_regularizer
        self._set(rate=rate, seed=seed)

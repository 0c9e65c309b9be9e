"""The dropout layer of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lstmfast._checks import check_unavailable, number
from lstmfast.layers.base import UNAVAILABLE, Layer


class Dropout(Layer):
    """In training, set a share `rate` of the values to 0 and scale the rest by 1/(1 - rate).

    Parameters
    ----------
    rate : float
        From 0 to 1.
    activity_regularizer : str or Regularizer, optional
        What the outputs cost.
    name, input_shape
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
    unavailable: ClassVar[dict[str, Any]] = UNAVAILABLE | {"noise_shape": None, "seed": None}

    def __init__(
        self,
        rate: float,
        *,
        activity_regularizer: Any = None,
        name: str | None = None,
        input_shape: Sequence[int | None] | None = None,
        **unavailable: Any,
    ) -> None:
        super().__init__(name, input_shape)
        check_unavailable(self.where, unavailable, self.unavailable)
        self.activity_regularizer = activity_regularizer
        self.rate = number(rate, "rate", self.where)
        if not 0.0 <= self.rate <= 1.0:
            raise ValueError(f"[{self.where}] rate is {self.rate}; expected 0 to 1")

    def options(self) -> dict[str, bool | float | str]:
        """Return what the core must know of this layer."""
        return {"rate": self.rate}

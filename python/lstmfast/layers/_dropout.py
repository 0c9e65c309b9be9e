"""The dropout layer of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lstmfast._checks import count, number
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
        super().__init__(name, input_shape)
        self._check_rest(unavailable)
        self.activity_regularizer = activity_regularizer
        self.rate = number(rate, "rate", self.where)
        if not 0.0 <= self.rate <= 1.0:
            raise ValueError(f"[{self.where}] rate is {self.rate}; expected 0 to 1")
        self.seed = None if seed is None else count(seed, "seed", self.where, least=0)

    def options(self) -> dict[str, bool | float | str]:
        """Return what the core must know of this layer."""
        told: dict[str, bool | float | str] = {"rate": self.rate}
        return told if self.seed is None else told | {"seed": self.seed}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"seed": self.seed}

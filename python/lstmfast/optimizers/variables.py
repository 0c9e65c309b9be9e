"""Numbers that, as variables of Keras's, have methods such as `numpy`."""

from __future__ import annotations

from typing import Any


class Rate(float):
    """A learning rate that, as a tensor of Keras's, has `numpy`."""

    def numpy(self) -> float:
        """Return the number."""
        return float(self)

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)


class LearningRate(Rate):
    """The learning rate of an optimizer, which can be assigned to as a variable of Keras's."""

    _optimizer: Any

    def __new__(cls, value: float, optimizer: Any) -> LearningRate:
        """Make the number, and keep whose it is."""
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def assign(self, value: float) -> None:
        """Set the optimizer's learning rate."""
        self._optimizer.learning_rate = value


class Iterations(int):
    """A count that, as a variable of Keras's, has `numpy`."""

    def numpy(self) -> int:
        """Return the number."""
        return int(self)

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        return int, (int(self),)

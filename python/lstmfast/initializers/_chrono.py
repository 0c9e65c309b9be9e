"""First biases of the forget gate: how long a cell remembers before training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import count, number
from lstmfast._layouts import gate_part, gates
from lstmfast.initializers.base import Initializer
from lstmfast.utils import Seed


@dataclass(frozen=True)
class Chrono(Initializer):
    """log(u) with u uniform from 1 to T - 1: memories as long as the dependencies in the data.

    For ``forget_bias=`` of the LSTM classes: a forget gate with bias log(u) keeps its cell's
    content for about u steps, and the input gate gets -log(u), so that the cell fills at the same
    rate (Tallec and Ollivier, *Can recurrent neural networks warp time?*, 2018).

    Parameters
    ----------
    max_steps : int, optional
        T, at least 2: the number of steps over which data may depend on each other. None takes the
        number of steps of the layer's input.
    seed : int or numpy.random.Generator, optional
        For the values; by default they follow the model's seed.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.initializers import Chrono
    >>> memories = np.exp(Chrono(100, seed=0)((1000,)))
    >>> bool((memories >= 1).all() and (memories <= 99.001).all())
    True
    """

    max_steps: int | None = None
    seed: Seed = None

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        if self.max_steps is not None:
            object.__setattr__(self, "max_steps", count(self.max_steps, "max_steps", "Chrono", 2))

    def draw(self, shape: tuple[int, ...], dtype: np.dtype[Any], rng: np.random.Generator) -> Array:
        """Draw the values."""
        if self.max_steps is None:
            raise ValueError("[Chrono] max_steps is None; expected Chrono(max_steps) here")
        return np.log(rng.uniform(1.0, self.max_steps - 1.0, shape)).astype(dtype)


ForgetBias: TypeAlias = "float | Chrono | None"


def forget_bias_of(value: Any, where: str, *, has_bias: bool) -> ForgetBias:
    """Return the number, the `Chrono` or None that a ``forget_bias`` argument means."""
    if value is not None and not has_bias:
        raise ValueError(f"[{where}] forget_bias is {value!r}, but there is no bias; expected None")
    if value is None or isinstance(value, Chrono):
        return value
    if isinstance(value, str):
        if value != "chrono":
            raise ValueError(
                f"[{where}] forget_bias is {value!r}; expected a number, 'chrono' or None"
            )
        return Chrono()
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "chrono":
        return Chrono(value[1])
    if isinstance(value, Mapping) and value.get("class_name") == "Chrono":
        return Chrono(**value.get("config", {}))
    expected = "a number, 'chrono', ('chrono', steps), a Chrono or None"
    bias = number(value, "forget_bias", where, expected)
    if not np.isfinite(bias):
        raise ValueError(f"[{where}] forget_bias is {bias}; expected a finite number")
    return bias


def set_forget_bias(
    bias: Array,
    value: float | Chrono,
    coupled: bool,
    rng: np.random.Generator,
    where: str,
    steps: int | None = None,
) -> list[slice]:
    """Write the forget gate's part of a bias (G·H), and return the parts written.

    A `Chrono` also sets the input gate's part to the negative, where the cell has an input gate.
    """
    units = len(bias) // len(gates(coupled))
    forget = gate_part("f", units, coupled)
    if not isinstance(value, Chrono):
        bias[forget] = value
        return [forget]
    if value.max_steps is None:
        if steps is None:
            raise ValueError(
                f"[{where}] forget_bias='chrono' needs the number of steps, which is not known "
                "here; expected ('chrono', steps)"
            )
        if steps < 2:
            raise ValueError(
                f"[{where}] forget_bias='chrono' needs at least 2 steps; the input has {steps}"
            )
        value = Chrono(steps, value.seed)
    bias[forget] = value((units,), bias.dtype, rng)
    if coupled:
        return [forget]
    into = gate_part("i", units)
    bias[into] = -bias[forget]
    return [into, forget]

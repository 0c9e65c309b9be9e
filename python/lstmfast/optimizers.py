"""Optimizers for ``Sequential.compile``: Keras's names, defaults and formulas.

The core takes the steps; these objects hold the options and, once a model trains with them, read
and set its learning rate.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, ClassVar

from lstmfast._checks import check_unavailable, string
from lstmfast._core import Model, check
from lstmfast._keras_names import explain_attributes, explain_missing
from lstmfast._names import Registry
from lstmfast._options import Options, defaults

__all__ = ["SGD", "Adam", "Optimizer", "get"]

explain_missing(__name__)

# Keras's arguments that are not offered yet, with the values at which they change nothing
_UNAVAILABLE: dict[str, Any] = {
    "weight_decay": None,
    "amsgrad": False,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
# the limits on gradients, and what the core calls them
CLIPS = {
    "clipnorm": "clip.norm",
    "clipvalue": "clip.value",
    "global_clipnorm": "clip.global_norm",
}


class Optimizer:
    """What all optimizers share: the learning rate and the limits on gradients.

    Parameters
    ----------
    learning_rate : float
        The step size; may be changed at any time, also while training.
    clipnorm : float, optional
        Scale each weight array's gradient down to this L2 norm.
    clipvalue : float, optional
        Limit each gradient value to ±clipvalue.
    global_clipnorm : float, optional
        Scale all gradients together down to this L2 norm. At most one of the three may be given.
    name : str, optional
        A name of one's own.
    """

    kind: ClassVar[str]
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None

    def __init__(
        self,
        learning_rate: float,
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **unavailable: Any,
    ) -> None:
        where = type(self).__name__
        if "lr" in unavailable:
            raise TypeError(
                f"[{where}] got lr, the name in older versions of Keras; expected learning_rate"
            )
        if not hasattr(type(self), "kind"):
            raise TypeError(
                f"[{where}] optimizers of one's own are not available in this version; expected "
                "one of lstmfast.optimizers"
            )
        check_unavailable(where, unavailable, _UNAVAILABLE, type(self).__init__)
        self.name = self.kind if name is None else string(name, "name", where)
        self._core_model: Model | None = None
        self._model: weakref.ref[object] | None = None
        given = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        self._set(learning_rate=learning_rate, **given)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would have no effect: Keras's other options, and changes after compile."""
        where = type(self).__name__
        if name == "lr":
            raise AttributeError(f"[{where}] there is no lr; set learning_rate")
        if name in _UNAVAILABLE:
            check_unavailable(where, {name: value}, _UNAVAILABLE)
        if name in self._names() and self.__dict__.get("_core_model") is not None:
            raise AttributeError(
                f"[{where}] {name} cannot change once a model is compiled with it; compile the "
                "model with a new optimizer"
            )
        if name in CLIPS:
            value = self._checked(**{name: value})[name]
        super().__setattr__(name, value)

    def _checked(self, **options: Any) -> dict[str, Any]:
        return check("optimizer", self.kind, options, type(self).__name__)

    def _set(self, **options: Any) -> None:
        """Set options that are checked together."""
        checked = self._checked(**options)
        for name in options:
            setattr(self, name, checked[name])

    def _names(self) -> list[str]:
        """Return the options of this kind of optimizer, but for the learning rate."""
        return [name for name in defaults("optimizer", self.kind) if name != "learning_rate"]

    def _rate(self) -> float:
        return self._learning_rate if self._core_model is None else self._core_model.learning_rate

    @property
    def learning_rate(self) -> float:
        """The learning rate; set it to change it, from the next step on.

        Examples
        --------
        >>> from lstmfast.optimizers import SGD
        >>> optimizer = SGD(0.1)
        >>> optimizer.learning_rate = 0.05
        >>> optimizer.learning_rate.assign(0.025)  # as Keras has it
        >>> optimizer.learning_rate
        0.025
        """
        return LearningRate(self._rate(), self)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = self._checked(learning_rate=value)["learning_rate"]
        if self._core_model is not None:
            self._core_model.learning_rate = self._learning_rate

    @property
    def iterations(self) -> int:
        """How many steps the model has taken with this optimizer."""
        return 0 if self._core_model is None else self._core_model.iterations

    def config(self) -> Options:
        """Return the part of the configuration that the core reads."""
        config = {CLIPS.get(k, f"optimizer.{k}"): value for k, value in self._given().items()}
        return {"optimizer.kind": self.kind, **config}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        options = {name: getattr(self, name) for name in self._names()}
        return {"name": self.name, "learning_rate": self._rate(), **options}

    def _given(self) -> dict[str, Any]:
        """Return the options that are in force."""
        config = self.get_config() | {"name": None}
        return {name: value for name, value in config.items() if value is not None}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Optimizer:
        """Make an optimizer from what `get_config` returned."""
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        # a copy belongs to no model
        unbound = {"_core_model": None, "_model": None, "_learning_rate": self._rate()}
        return {**self.__dict__, **unbound}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._given().items())
        return f"{type(self).__name__}({shown})"


explain_attributes(Optimizer, "optimizer")


class LearningRate(float):
    """A number that, as a variable of Keras's, can also be assigned to."""

    _optimizer: Optimizer

    def __new__(cls, value: float, optimizer: Optimizer) -> LearningRate:
        """Make the number, and keep whose it is."""
        rate = super().__new__(cls, value)
        rate._optimizer = optimizer
        return rate

    def assign(self, value: float) -> None:
        """Set the optimizer's learning rate."""
        self._optimizer.learning_rate = value

    def numpy(self) -> float:
        """Return the number."""
        return float(self)

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)


class SGD(Optimizer):
    """Gradient descent, w -= r·g; with momentum m: v = m·v - r·g, w += v.

    Parameters
    ----------
    learning_rate : float
        r.
    momentum : float
        m, from 0 to 1.
    nesterov : bool
        Step by m·v - r·g instead of v.
    **limits
        ``clipnorm``, ``clipvalue``, ``global_clipnorm`` and ``name``, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import SGD
    >>> SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=False)
    """

    kind = "sgd"

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **limits: Any,
    ) -> None:
        super().__init__(learning_rate, **limits)
        self._set(momentum=momentum, nesterov=nesterov)


class Adam(Optimizer):
    """Adam: steps by the running mean of gradients over the root of that of their squares.

    m = β₁·m + (1 - β₁)·g, v = β₂·v + (1 - β₂)·g²,
    w -= r·sqrt(1 - β₂ᵗ)/(1 - β₁ᵗ)·m/(sqrt(v) + ε) at step t.

    Parameters
    ----------
    learning_rate : float
        r.
    beta_1, beta_2 : float
        β₁ and β₂, from 0 to below 1.
    epsilon : float
        ε; Keras's default, not torch's.
    **limits
        ``clipnorm``, ``clipvalue``, ``global_clipnorm`` and ``name``, as in `Optimizer`.

    Examples
    --------
    >>> from lstmfast.optimizers import Adam
    >>> Adam(global_clipnorm=1.0)
    Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, global_clipnorm=1.0)
    """

    kind = "adam"

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **limits: Any,
    ) -> None:
        super().__init__(learning_rate, **limits)
        self._set(beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer", Optimizer, [SGD, Adam])


def get(identifier: Any) -> Optimizer:
    """Return the optimizer for a name, a class, an object or a configuration.

    Examples
    --------
    >>> from lstmfast import optimizers
    >>> optimizers.get("sgd")
    SGD(learning_rate=0.01, momentum=0.0, nesterov=False)
    """
    return OPTIMIZERS.get(identifier)

"""What all optimizers share: options, learning rate, and their way to the core."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature
from typing import Any, ClassVar

from lstmfast._checks import check_unavailable, items, string, wrong_kind
from lstmfast._core import Model, check
from lstmfast._keras_names import explain_attributes
from lstmfast._names import naming
from lstmfast._options import Options, defaults
from lstmfast.layers.weights import Weight
from lstmfast.optimizers import schedules
from lstmfast.optimizers.schedules.base import core_config, first_rate, python_part
from lstmfast.optimizers.variables import Iterations, LearningRate

# Keras's arguments that are not offered yet, with the values at which they change nothing
_UNAVAILABLE: dict[str, Any] = {"loss_scale_factor": None}
# those of older versions, and what to use in their place
_OLD = {
    "lr": "learning_rate",
    "decay": "learning_rate=schedules.InverseTimeDecay(...), or weight_decay",
}
# the limits on gradients, and what the core calls them
CLIPS = {
    "clipnorm": "clip.norm",
    "clipvalue": "clip.value",
    "global_clipnorm": "clip.global_norm",
}
UNDECAYED = "exclude_from_weight_decay"  # the core's key


class Optimizer:
    """What all optimizers share.

    Parameters
    ----------
    learning_rate : float, LearningRateSchedule or callable
        The step size; a number may be changed at any time, also while training. A schedule of
        `optimizers.schedules` gives one for each step, and so does a function without arguments,
        which is called before every step.
    weight_decay : float, optional
        Before each step w -= r·weight_decay·w, with the learning rate r.
    clipnorm : float, optional
        Scale each weight array's gradient down to this L2 norm.
    clipvalue : float, optional
        Limit each gradient value to ±clipvalue.
    global_clipnorm : float, optional
        Scale all gradients together down to this L2 norm. At most one of the three may be given.
    use_ema : bool
        Keep an exponential moving average of the weights, a = m·a + (1 - m)·w after each step
        (a = w after the first). At the end of `fit` it takes the place of the weights.
    ema_momentum : float
        m, from 0 to 1.
    ema_overwrite_frequency : int, optional
        Replace the weights by their average also after every so many steps.
    gradient_accumulation_steps : int, optional
        At least 2: step by the mean gradient of so many batches, after the last of them.
    name : str, optional
        A name of one's own.
    """

    kind: ClassVar[str]
    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    gradient_accumulation_steps: int | None

    def __init__(
        self,
        learning_rate: Any,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **own: Any,
    ) -> None:
        where = type(self).__name__
        for old, instead in _OLD.items():
            if own.pop(old, None) is not None:
                raise TypeError(
                    f"[{where}] got {old}, the name in older versions of Keras; expected {instead}"
                )
        if not hasattr(type(self), "kind"):
            raise TypeError(
                f"[{where}] optimizers of one's own are not available in this version; expected "
                "one of lstmfast.optimizers"
            )
        known = defaults("optimizer", self.kind)
        unknown = {option: own.pop(option) for option in [*own] if option not in known}
        check_unavailable(where, unknown, _UNAVAILABLE, type(self).__init__, Optimizer.__init__)
        self.name = self.kind if name is None else string(name, "name", where)
        self._core_model: Model | None = None
        self._model: weakref.ref[object] | None = None
        self._schedule: Callable[..., float] | None = None
        self._undecayed: tuple[int, ...] = ()  # places in the model's list of weights
        self._names_undecayed: list[str] = []
        self._weights_undecayed: list[Weight] = []
        given = {name: value for name, value in locals().items() if name in common_options()}
        for option, value in self._checked(**given, **own).items():
            if option != "learning_rate":
                object.__setattr__(self, option, value)
        self.learning_rate = learning_rate

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would have no effect: Keras's other options, and changes after compile."""
        where = type(self).__name__
        if name in _OLD:
            raise AttributeError(f"[{where}] there is no {name}; set {_OLD[name]}")
        if name in _UNAVAILABLE:
            check_unavailable(where, {name: value}, _UNAVAILABLE)
        if name in self._names():
            if self._is_bound():
                raise AttributeError(
                    f"[{where}] {name} cannot change once a model is compiled with it; compile the "
                    "model with a new optimizer"
                )
            value = self._checked(**{name: value})[name]
        super().__setattr__(name, value)

    def _is_bound(self) -> bool:
        return self.__dict__.get("_core_model") is not None

    def _checked(self, **options: Any) -> dict[str, Any]:
        return check("optimizer", self.kind, options, type(self).__name__)

    def _names(self) -> list[str]:
        """Return the options of this kind of optimizer, but for the learning rate."""
        return [name for name in defaults("optimizer", self.kind) if name != "learning_rate"]

    def _rate(self) -> float:
        if self._core_model is not None:
            return self._core_model.learning_rate
        return self._learning_rate if self._schedule is None else first_rate(self._schedule)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step; set a number to change it, from that step on.

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
    def learning_rate(self, value: Any) -> None:
        where = type(self).__name__
        is_function = callable(value) and not isinstance(value, type)
        if is_function or isinstance(value, Mapping):
            if self._is_bound():
                raise AttributeError(
                    f"[{where}] learning_rate cannot become a schedule once a model is compiled "
                    "with it; compile the model with a new optimizer"
                )
            with naming(where, "learning_rate"):
                self._schedule = schedules.get(value)
            self._learning_rate = float(defaults("optimizer", self.kind)["learning_rate"])
            return
        if self._schedule is not None:
            raise TypeError(
                f"[{where}] learning_rate is a schedule, so that no number can take its place; "
                "make the optimizer with a number"
            )
        self._learning_rate = self._checked(learning_rate=value)["learning_rate"]
        if self._core_model is not None:
            self._core_model.learning_rate = self._learning_rate

    @property
    def iterations(self) -> int:
        """How many steps the model has taken with this optimizer."""
        return Iterations(0 if self._core_model is None else self._core_model.iterations)

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Let weight decay leave some weights alone; call it before `compile`.

        Parameters
        ----------
        var_list : list of Weight, optional
            Weights of layers, such as ``dense.bias``.
        var_names : list of str, optional
            Regular expressions: a weight is excluded where its name, such as ``"bias"``, has a
            match of one of them in it.

        Examples
        --------
        >>> from lstmfast.layers import Dense
        >>> from lstmfast.models import Sequential
        >>> from lstmfast.optimizers import AdamW
        >>> optimizer = AdamW(weight_decay=0.01)
        >>> optimizer.exclude_from_weight_decay(var_names=["bias"])
        >>> model = Sequential([Dense(1, input_shape=(3,))])
        >>> model.compile(optimizer=optimizer, loss="mse")
        """
        where = f"{type(self).__name__}.exclude_from_weight_decay"
        if self._is_bound():
            raise ValueError(f"[{where}] a model is compiled with it; expected the call before")
        weights = items(var_list or [], "var_list", where, "a list of weights")
        for weight in weights:
            if not isinstance(weight, Weight):
                raise wrong_kind(where, "var_list", weight, "weights of layers")
        names = items(var_names or [], "var_names", where, "a list of strings")
        self._names_undecayed = [string(name, "var_names", where) for name in names]
        self._weights_undecayed, self._undecayed = weights, ()

    @property
    def excludes_weights(self) -> bool:
        """Whether `find_undecayed` has anything to find."""
        return bool(self._names_undecayed or self._weights_undecayed)

    def find_undecayed(self, weights: list[Weight]) -> None:
        """Find the places of excluded weights in a model's list."""
        places = {weight: place for place, weight in enumerate(weights)}
        for weight in self._weights_undecayed:
            if weight not in places:
                raise ValueError(
                    f"[compile] {weight.path}, excluded from weight decay, is none of the model's"
                )
        found = {*self._undecayed, *(places[weight] for weight in self._weights_undecayed)}
        for weight, place in places.items():
            if any(re.search(name, weight.name) for name in self._names_undecayed):
                found.add(place)
        self._undecayed = tuple(sorted(found))

    def finalize_variable_values(self, var_list: Any = None) -> None:
        """Replace the model's weights by their average, where ``use_ema=True``; `fit` does it.

        var_list: accepted for Keras's sake; all weights that are trained are replaced.
        """
        if self._core_model is not None:
            self._core_model.take_average()

    def config(self) -> Options:
        """Return the part of the configuration that the core reads."""
        given = self._given()
        config = {CLIPS.get(k, f"optimizer.{k}"): value for k, value in given.items()}
        if self._schedule is not None:
            del config["optimizer.learning_rate"]
            options = core_config(self._schedule)
            config |= {f"optimizer.schedule.{name}": value for name, value in options.items()}
        if self._undecayed:
            config[f"optimizer.{UNDECAYED}"] = self._undecayed
        return {"optimizer.kind": self.kind, **config}

    def own_schedule(self) -> Callable[[int], float] | None:
        """Return the schedule that Python computes, as the core calls it."""
        return None if self._schedule is None else python_part(self._schedule)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        options = {name: getattr(self, name) for name in self._names()}
        scheduled = self._schedule is not None
        rate = schedules.serialize(self._schedule) if scheduled else self._rate()
        return {"name": self.name, "learning_rate": rate, **options}

    def _given(self) -> dict[str, Any]:
        """Return the options that are in force: its own, and those of all that are not usual."""
        usual = defaults("optimizer", self.kind)
        common = common_options() - set(signature(type(self)).parameters)
        config: dict[str, Any] = {"learning_rate": self._schedule or self._rate()}
        config |= {name: getattr(self, name) for name in self._names()}
        return {
            name: value
            for name, value in config.items()
            if value is not None and not (name in common and value == usual[name])
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Optimizer:
        """Make an optimizer from what `get_config` returned."""
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        # a copy belongs to no model
        unbound: dict[str, Any] = {"_core_model": None, "_model": None}
        if self._schedule is None:
            unbound["_learning_rate"] = self._rate()
        if self._core_model is not None:
            unbound["_weights_undecayed"] = []  # whose places are known
        return {**self.__dict__, **unbound}

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._given().items())
        return f"{type(self).__name__}({shown})"


explain_attributes(Optimizer, "optimizer")


@cache
def common_options() -> frozenset[str]:
    """Return the names of the options that all optimizers have, but for the learning rate."""
    shared = set(signature(Optimizer).parameters) & set(defaults("optimizer", "sgd"))
    return frozenset(shared - {"learning_rate"})

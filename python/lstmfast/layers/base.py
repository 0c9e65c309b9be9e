"""What all layers share: their options for the core, and their part of a model's weights."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from lstmfast import constraints, regularizers
from lstmfast._arrays import Array, as_float, shape_text
from lstmfast._checks import check_unavailable, count, flag, items
from lstmfast._names import config_text
from lstmfast._rules import Rule, Rules
from lstmfast.constraints import CONSTRAINTS
from lstmfast.regularizers import REGULARIZERS

if TYPE_CHECKING:
    from lstmfast import _core

Parts: TypeAlias = "Sequence[tuple[str, tuple[int, ...]]]"
"""Name and shape of each weight array of a layer."""
Sample: TypeAlias = "tuple[int | None, ...]"
"""The shape of a layer's input without the batch."""

# Keras's arguments that are not offered yet, with the values at which they change nothing
UNAVAILABLE: dict[str, Any] = {
    "dtype": None,
    "trainable": True,
}


class Layer:
    """What all layers share.

    Parameters
    ----------
    name : str, optional
        The layer's name; by default its kind, numbered where a model has several.
    input_shape : tuple of int or None, optional
        On a model's first layer, the shape of one sample, in place of an `Input`; None stands for
        any number of steps.
    """

    kind: ClassVar[str]
    unavailable: ClassVar[dict[str, Any]] = UNAVAILABLE
    # attributes that are regularizers or constraints, or None
    rules: ClassVar[tuple[str, ...]] = ("activity_regularizer",)
    activity_regularizer: Any = None

    def __init__(
        self, name: str | None = None, input_shape: Sequence[int | None] | None = None
    ) -> None:
        self.name = name
        self.input_shape = None if input_shape is None else sample_shape(input_shape, self.where)
        self._engine: _core.Model | None = None
        self._index = 0
        self._model: weakref.ref[object] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would have no effect: Keras's other options, and changes once built."""
        if name in self.unavailable and name != "trainable":
            check_unavailable(self.where, {name: value}, self.unavailable)
        if self.__dict__.get("_engine") is not None and (
            name in self.options() or name in self.rules or name in ("name", "input_shape")
        ):
            raise AttributeError(
                f"[{self.where}] {name} cannot change once the layer has weights; make a new layer"
            )
        if name in self.rules:
            value = (constraints if name.endswith("constraint") else regularizers).get(value)
        super().__setattr__(name, value)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights: always, in this version."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not flag(value, "trainable", self.where):
            check_unavailable(self.where, {"trainable": False}, {"trainable": True})

    @property
    def where(self) -> str:
        """How error messages call this layer."""
        return f"layers.{type(self).__name__}"

    @property
    def built(self) -> bool:
        """Whether the layer has weights: it is in a model whose input shape is known."""
        return self._engine is not None

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of the output, the batch first, as None."""
        return (None, *self._built_engine().layers()[self._index]["output_shape"])

    def output_of(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output for a sample of that shape."""
        return shape

    def options(self) -> dict[str, bool | float | str]:
        """Return what the core must know of this layer."""
        raise NotImplementedError

    def config(self) -> dict[str, str]:
        """Return this layer's part of the flat configuration that the core reads."""
        texts = {name: config_text(value) for name, value in self.options().items()}
        for name in self.rules:
            rule: Rule | None = getattr(self, name)
            if rule is None or (name.startswith("bias") and not self.options()["use_bias"]):
                continue
            told = {"kind": rule.kind, **rule.options()}
            texts |= {f"{name}.{key}": config_text(value) for key, value in told.items()}
        return {"kind": self.kind, "name": self.name or self.kind, **texts}

    @classmethod
    def from_core(cls, config: Mapping[str, str]) -> Layer:
        """Make the layer that a flat configuration describes."""
        values: dict[str, Any] = {}
        for key, text in config.items():
            name, dot, option = key.partition(".")
            if dot:
                values.setdefault(name, {})[option] = option_value(text)
            elif key not in ("kind", "name"):
                values[key] = option_value(text)
        for name in values.keys() & set(cls.rules):
            values[name] = _registry(name).from_core(values[name])
        return cls(name=config.get("name"), **values)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        rules = {name: _registry(name).serialize(getattr(self, name)) for name in self.rules}
        return {"name": self.name, **self.options(), **rules}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """Make a layer, with new weights, from what `get_config` returned."""
        return cls(**config)

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights, for parts given as name and shape, and samples of that shape."""
        return []

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return name and shape of each weight array, in the order of `get_weights`."""
        names = self._built_engine().weight_names()
        return [(name, tuple(shape)) for index, name, shape in names if index == self._index]

    def count_params(self) -> int:
        """Return how many numbers the weights hold."""
        return sum(int(np.prod(shape)) for _, shape in self.weight_parts())

    def get_weights(self) -> list[Array]:
        """Return copies of the weights, in Keras's order and layout; none before it is built."""
        if self._engine is None:
            return []
        names = self._built_engine().weight_names()
        values = self._built_engine().get_weights()
        return [value for (i, *_), value in zip(names, values, strict=True) if i == self._index]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights: as many arrays as `get_weights` returns, of the same shapes."""
        engine = self._built_engine()
        weights = items(weights, "weights", f"{self.where}.set_weights", "a list of arrays")
        names = engine.weight_names()
        values = engine.get_weights()
        slots = [slot for slot, (index, *_) in enumerate(names) if index == self._index]
        if len(weights) != len(slots):
            raise ValueError(
                f"[{self.where}.set_weights] weights has {len(weights)} arrays; expected "
                f"{len(slots)}"
            )
        for slot, weight in zip(slots, weights, strict=True):
            _, name, shape = names[slot]
            array = as_float(weight, values[slot].dtype, f"{self.where}.set_weights", name)
            if array.shape != tuple(shape):
                raise ValueError(
                    f"[{self.where}.set_weights] {name} has shape {shape_text(array.shape)}; "
                    f"expected {shape_text(tuple(shape))}"
                )
            values[slot] = array
        engine.set_weights(values)

    def _built_engine(self) -> _core.Model:
        if self._engine is None:
            raise ValueError(
                f"[{self.where}] {self.name or type(self).__name__} has no weights yet: add it to "
                "a model whose input shape is known"
            )
        return self._engine

    def _bind(self, engine: _core.Model, index: int) -> None:
        self._engine, self._index = engine, index

    def __getstate__(self) -> dict[str, Any]:
        # a copy is a description: it belongs to no model
        return {**self.__dict__, "_engine": None, "_index": 0, "_model": None}

    def __repr__(self) -> str:
        name, value = next(iter(self.options().items()))
        return f"<{type(self).__name__} {name}={value}, name={self.name}, built={self.built}>"


class Input:
    """The shape of one sample, as the first item of a `lstmfast.models.Sequential`.

    Parameters
    ----------
    shape : tuple of int or None
        ``(steps, features)`` for sequences, with None for any number of steps; ``(features,)``.
    batch_size : int, optional
        Accepted and not used: any batch size will do.
    dtype : str, optional
        ``"float32"`` or ``"float64"``: the dtype of the model, where it was given none itself.
    name : str, optional
        A name of one's own.

    Examples
    --------
    >>> from lstmfast.layers import Input
    >>> Input((None, 8)).shape
    (None, 8)
    """

    def __init__(
        self,
        shape: Sequence[int | None],
        batch_size: int | None = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        self.shape = sample_shape(shape, "layers.Input")
        self.batch_size = batch_size
        self.dtype = dtype
        self.name = "input_layer" if name is None else name

    def __repr__(self) -> str:
        return f"<Input shape={shape_text((None, *self.shape))}, name={self.name}>"


def sample_shape(shape: Any, where: str) -> tuple[int | None, ...]:
    """Return the shape of one sample: sizes of at least 1, None for any number of steps."""
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise TypeError(f"[{where}] shape is {shape!r}; expected a tuple such as (steps, features)")
    sizes = tuple(None if size is None else count(size, "shape", where) for size in shape)
    if not sizes or sizes[-1] is None:
        raise ValueError(
            f"[{where}] shape is {shape_text(sizes)}; expected "
            "(steps, features) or (features,), where only steps may be None"
        )
    return sizes


def _registry(name: str) -> Rules[Any]:
    return CONSTRAINTS if name.endswith("constraint") else REGULARIZERS


def option_value(text: str) -> bool | int | float | str:
    """Return the value that the core's flat configuration writes as `text`."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text

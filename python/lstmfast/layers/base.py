"""What all layers share: their options for the core, and their part of a model's weights."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from lstmfast._arrays import Array, as_float, shape_text
from lstmfast._names import config_text

if TYPE_CHECKING:
    from lstmfast import _core

Parts: TypeAlias = "Sequence[tuple[str, tuple[int, ...]]]"
"""Name and shape of each weight array of a layer."""

# Keras's arguments that are not offered yet, with the values at which they change nothing
UNAVAILABLE: dict[str, Any] = {
    "activity_regularizer": None,
    "bias_constraint": None,
    "bias_regularizer": None,
    "dtype": None,
    "kernel_constraint": None,
    "kernel_regularizer": None,
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

    def __init__(
        self, name: str | None = None, input_shape: Sequence[int | None] | None = None
    ) -> None:
        self.name = name
        self.input_shape = None if input_shape is None else sample_shape(input_shape, self.where)
        self._engine: _core.Model | None = None
        self._index = 0
        self._model: weakref.ref[object] | None = None

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

    def options(self) -> dict[str, bool | float | str]:
        """Return what the core must know of this layer."""
        raise NotImplementedError

    def config(self) -> dict[str, str]:
        """Return this layer's part of the flat configuration that the core reads."""
        texts = {name: config_text(value) for name, value in self.options().items()}
        return {"kind": self.kind, "name": self.name or self.kind, **texts}

    @classmethod
    def from_core(cls, config: Mapping[str, str]) -> Layer:
        """Make the layer that a flat configuration describes."""
        values: dict[str, Any] = {
            key: option_value(text) for key, text in config.items() if key not in ("kind", "name")
        }
        return cls(name=config["name"], **values)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, **self.options()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """Make a layer, with new weights, from what `get_config` returned."""
        return cls(**config)

    def initial_weights(self, parts: Parts, dtype: Any, rng: np.random.Generator) -> list[Array]:
        """Make the first weights, for parts given as name and shape."""
        return []

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return name and shape of each weight array, in the order of `get_weights`."""
        names = self._built_engine().weight_names()
        return [(name, tuple(shape)) for index, name, shape in names if index == self._index]

    def count_params(self) -> int:
        """Return how many numbers the weights hold."""
        return sum(int(np.prod(shape)) for _, shape in self.weight_parts())

    def get_weights(self) -> list[Array]:
        """Return copies of the weights, in Keras's order and layout."""
        names = self._built_engine().weight_names()
        values = self._built_engine().get_weights()
        return [value for (i, *_), value in zip(names, values, strict=True) if i == self._index]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights: as many arrays as `get_weights` returns, of the same shapes."""
        engine = self._built_engine()
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
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


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


def positive(value: int, name: str, where: str) -> int:
    """Return a size given as any integer type; it must be at least 1."""
    try:
        size = operator.index(value)
    except TypeError:
        raise TypeError(
            f"[{where}] {name} is a {type(value).__name__}; expected an integer"
        ) from None
    if size < 1:
        raise ValueError(f"[{where}] {name} is {size}; expected at least 1")
    return size


def sample_shape(shape: Any, where: str) -> tuple[int | None, ...]:
    """Return the shape of one sample: sizes of at least 1, None for any number of steps."""
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise TypeError(f"[{where}] shape is {shape!r}; expected a tuple such as (steps, features)")
    sizes = tuple(None if size is None else positive(size, "shape", where) for size in shape)
    if not sizes or sizes[-1] is None:
        raise ValueError(
            f"[{where}] shape is {shape_text(sizes)}; expected "
            "(steps, features) or (features,), where only steps may be None"
        )
    return sizes


def activation_name(activation: str | None, where: str) -> str:
    """Return an activation's name; None is linear. The core knows which names there are."""
    if activation is None:
        return "linear"
    if not isinstance(activation, str):
        raise TypeError(
            f"[{where}] activation is a {type(activation).__name__}; expected a name such as 'relu'"
        )
    return activation


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

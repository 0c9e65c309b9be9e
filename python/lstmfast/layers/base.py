"""What all layers share: their options for the core, their part of a model's weights, calls."""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

from lstmfast import _core, constraints, initializers, regularizers
from lstmfast._arrays import Array, ArrayLike, as_dtype, as_flags, as_float, shape_text
from lstmfast._checks import check_unavailable, count, flag, string, wrong_kind
from lstmfast._keras_names import explain_attributes
from lstmfast._names import naming
from lstmfast._options import Options
from lstmfast._pickles import marked, restoring
from lstmfast._rules import Rule, Rules
from lstmfast.constraints import CONSTRAINTS
from lstmfast.layers._input import Input, sample_shape
from lstmfast.layers.weights import Weights
from lstmfast.regularizers import REGULARIZERS
from lstmfast.utils import as_generator, draw_seed

Parts: TypeAlias = "Sequence[tuple[str, tuple[int, ...]]]"
"""Name and shape of each weight array of a layer."""
Sample: TypeAlias = "tuple[int | None, ...]"
"""The shape of a layer's input without the batch."""

# the last word of such an attribute's name: the module whose objects it takes
_KINDS: dict[str, Any] = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}
# Keras's arguments that are not offered yet, with the values at which they change nothing
UNAVAILABLE: dict[str, Any] = {
    "trainable": True,
}


class Layer(Weights, ABC):
    """What all layers share.

    Parameters
    ----------
    name : str, optional
        The layer's name; by default its kind, numbered where a model has several.
    input_shape : tuple of int or None, optional
        On a model's first layer, the shape of one sample, in place of an `Input`; None stands for
        any number of steps. Keras's older ``input_dim``, the number of features, will do too.
    dtype : {"float32", "float64"}, optional
        That of the model, which it must be equal to. A layer in no model computes in it; float32
        by default.

    Notes
    -----
    A copy of a layer (by `copy`, `pickle` or `from_config`) is a description without weights; that
    of a model has them.

    Masks travel with the arrays inside a `Sequential` only. In calls of single layers pass them:
    ``layer(x, mask=layer_before.compute_mask(x_before))``.
    """

    kind: ClassVar[str]
    unavailable: ClassVar[dict[str, Any]] = UNAVAILABLE
    # attributes that are regularizers or constraints, or None
    rules: ClassVar[tuple[str, ...]] = ("activity_regularizer",)
    activity_regularizer: Any = None
    steps_of_dim: ClassVar[tuple[None, ...]] = ()  # what stands before input_dim in input_shape
    _dtype: str | None = None  # as it was given

    def __init__(
        self, name: str | None = None, input_shape: Sequence[int | None] | None = None
    ) -> None:
        self.name = name
        self.input_shape: Sample | None = None
        if input_shape is not None:
            self.input_shape = sample_shape(input_shape, self.where, "input_shape")
        self._calls = 0  # training calls of the layer on its own: they name its masks
        self._call_seed: int | None = None
        self._model: weakref.ref[object] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would have no effect: Keras's other options, and changes once built."""
        if name in self.unavailable and name != "trainable":
            check_unavailable(self.where, {name: value}, self.unavailable)
        if (
            name != "dtype"
            and self.__dict__.get("_engine") is not None
            and (name == "input_shape" or name in self.get_config())
        ):
            if value is getattr(self, name):  # True, False or None as before
                return
            raise AttributeError(
                f"[{self.where}] {name} cannot change once the layer has weights; make a new layer"
            )
        if name == "name" and value is not None:
            value = string(value, "name", self.where)
        if name in self.rules or name.endswith("_initializer"):
            with naming(self.where, name):
                value = _KINDS[name.rpartition("_")[2]].get(value)
        super().__setattr__(name, value)

    def _check_rest(self, rest: Mapping[str, Any]) -> None:
        """Refuse the constructor's other arguments, unless they change nothing."""
        rest = dict(rest)
        self.dtype = rest.pop("dtype", None)
        features = rest.pop("input_dim", None)
        if features is not None:
            if self.input_shape is not None:
                raise ValueError(
                    f"[{self.where}] input_dim is given; expected no input_shape with it"
                )
            self.input_shape = (*self.steps_of_dim, count(features, "input_dim", self.where))
        check_unavailable(self.where, rest, self.unavailable, type(self).__init__)

    def _set(self, **options: Any) -> None:
        """Set options, as the core's table has them."""
        for name, value in _core.check("layer", self.kind, options, self.where).items():
            setattr(self, name, value)

    @property
    def dtype(self) -> str | None:
        """The type of weights and computation; None where neither model nor user has said it."""
        return self._dtype if self._engine is None else str(self._engine.config["dtype"])

    @dtype.setter
    def dtype(self, value: Any) -> None:
        try:
            name = None if value is None else as_dtype(value, self.where).name
        except ValueError:
            if isinstance(value, str):
                check_unavailable(self.where, {"dtype": value}, {"dtype": None})
            raise
        if self._engine is not None and name not in (None, self.dtype):
            raise AttributeError(
                f"[{self.where}] dtype cannot change once the layer has weights; make a new layer"
            )
        self._dtype = name

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights: always, in this version."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not flag(value, "trainable", self.where):
            check_unavailable(self.where, {"trainable": False}, {"trainable": True})

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of the output, the batch first, as None."""
        shape = self._built_engine().layers()[self._index]["output_shape"]
        return (None, *(self.output_of((shape[0], None)) if self._prefix else shape))

    def output_of(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output for a sample of that shape."""
        return shape

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer."""

    def config(self) -> Options:
        """Return this layer's part of the configuration that the core reads."""
        told = {name: value for name, value in self.options().items() if value is not None}
        for name in self.rules:
            rule: Rule | None = getattr(self, name)
            if rule is None or (name.startswith("bias") and not self.options()["use_bias"]):
                continue
            part = {"kind": rule.kind, **rule.options()}
            told |= {f"{name}.{key}": value for key, value in part.items()}
        return {"kind": self.kind, "name": self.name or self.kind, **told}

    @classmethod
    def from_core(cls, config: Mapping[str, Any]) -> Layer:
        """Make the layer that a configuration of the core describes."""
        return cls(**cls.core_arguments(config))

    @classmethod
    def core_arguments(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the constructor's arguments that a configuration of the core holds."""
        values: dict[str, Any] = {}
        for key, value in config.items():
            name, dot, option = key.partition(".")
            if dot:
                values.setdefault(name, {})[option] = value
            elif key not in ("kind", "name"):
                values[key] = value
        for name in values.keys() & set(cls.rules):
            values[name] = _registry(name).from_core(values[name])
        return {"name": config.get("name"), **values}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        rules = {name: _registry(name).serialize(getattr(self, name)) for name in self.rules}
        dtype = {} if self._dtype is None else {"dtype": self._dtype}
        return {"name": self.name, **dtype, **self.options(), **rules}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """Make a layer, with new weights, from what `get_config` returned."""
        return cls(**config)

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights, for parts given as name and shape, and samples of that shape."""
        return []

    def _rename(self, name: str) -> None:
        object.__setattr__(self, "name", name)  # a layer that was called may have weights already

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the layer out of a `Sequential`, whose layers give out one array; or None."""
        return None

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> Any:
        """Return the mask of the output for an input with that mask, None where there is none."""
        return None if mask is None else as_flags(mask, self.where, "mask")

    def __call__(self, x: ArrayLike, mask: ArrayLike = None, training: bool | None = False) -> Any:
        """Return the layer's output for a batch of inputs.

        A layer that is in no model gets its weights at the first call.

        Parameters
        ----------
        x : array_like
            (B, ...): the inputs.
        mask : array_like of bool, optional
            (B, ...) without the last axis: False where an input does not count.
        training : bool, optional
            Do what is random; None is False.

        Returns
        -------
        numpy.ndarray
        """
        return self._call(x, mask, training)[0]

    def _call(
        self, x: ArrayLike, mask: ArrayLike, training: bool | None, **more: Any
    ) -> list[Array]:
        array = self._ready(x)
        if mask is not None:
            mask = as_flags(mask, self.where, "mask")
        if training is not None and flag(training, "training", self.where):
            if self._call_seed is None:
                self._call_seed = draw_seed(as_generator())
            self._calls += 1
            more |= {"training": True, "seed": self._call_seed, "step": self._calls}
        try:
            engine, index = self._engine_of_call()
            return engine.call_layer(index, array, mask=mask, **more)
        except ValueError as error:
            raise ValueError(str(error).replace("[layer.call]", f"[{self.where}]")) from None

    def _engine_of_call(self) -> tuple[_core.Model, int]:
        return self._built_engine(), self._index

    def _ready(self, x: ArrayLike) -> Array:
        """Return x as the core takes it; now there are weights."""
        if isinstance(x, Input | Layer):
            expected = "an array (only Sequential joins layers in this version)"
            raise wrong_kind(self.where, "x", x, expected)
        array = as_float(x, np.dtype(self.dtype or np.float32), self.where, "x")
        self._check_axes(array)
        if self._engine is None:
            self._build_alone(array)
        return array

    def _check_axes(self, x: Array) -> None:
        if x.ndim < 2:
            raise ValueError(
                f"[{self.where}] x has shape {shape_text(x.shape)}; expected (batch, ...)"
            )

    def _build_alone(self, x: Array) -> None:
        """Make weights, for inputs like x, of a layer that is in no model."""
        engine = self._engine_alone(x.ndim - 2, x.shape[-1], x.dtype.name)
        parts = [(name, tuple(shape)) for _, name, shape in engine.weight_names()]
        weights = self.initial_weights(parts, x.dtype, as_generator(), x.shape[1:])
        engine.set_weights([as_float(weight, x.dtype, self.where, "weight") for weight in weights])
        self._bind(engine, 0)

    def _engine_alone(self, steps: int, features: int, dtype: str) -> _core.Model:
        """Return a core's model of this layer alone; steps: how many axes of any size."""
        shape = (None,) * steps + (features,)
        config: Options = {"dtype": dtype, "input_shape": shape, "layers": 1}
        return _core.Model(config | {f"layers.0.{k}": v for k, v in self.config().items()})

    def __getstate__(self) -> dict[str, Any]:
        # a copy is a description: it belongs to no model
        alone = {"_engine": None, "_index": 0, "_prefix": "", "_model": None, "_calls": 0}
        return marked(self.__dict__ | alone)

    def __setstate__(self, state: dict[str, Any]) -> None:
        with restoring(state, type(self).__name__) as known:
            self.__dict__.update(known)

    def __repr__(self) -> str:
        name = next(iter(self.options()))
        what = f"{type(self).__name__} {name}={getattr(self, name)}"
        return f"<{what}, name={self.name}, built={self.built}>"


explain_attributes(Layer, "layer")


def _registry(name: str) -> Rules[Any]:
    return CONSTRAINTS if name.endswith("constraint") else REGULARIZERS


def part_of(config: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return what a configuration says below a prefix, which ends in a dot."""
    return {
        key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)
    }

"""Models of a user's own: their ``call`` runs once, on tensors, and makes the model's graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from lstmfast._arrays import shape_text
from lstmfast._checks import wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast._core import Model as CoreModel
from lstmfast.layers import Input, Layer
from lstmfast.layers._graph import graph_between, name_freely
from lstmfast.layers._symbolic import Sample, Tensor, holds_tensors, split_batch
from lstmfast.layers._tracing import Place, filled, layers_among, taken_out, traced
from lstmfast.models._model import Model
from lstmfast.models.data import only
from lstmfast.utils import Seed


class OwnModel(Model):
    """A model of a user's own, with layers as attributes and ``call``; see `Model`.

    It is built for the first data that it sees, or by ``build``; its graph is fixed from then on.
    A call with further arguments makes another graph of the same layers.
    """

    kind = "own_model"
    _pattern: Any = None  # of what call() takes

    def __init__(
        self,
        *given: Any,
        name: str | None = None,
        trainable: bool = True,
        seed: Seed = None,
        **more: Any,
    ) -> None:
        if given or more:
            raise TypeError(
                f"[{type(self).__name__}] has call(); expected super().__init__(name=...) without "
                "inputs and outputs"
            )
        self._begin(name, trainable, seed)
        self._branches: dict[str, Callable[..., Any]] = {}  # by the arguments of calls

    def call(self, inputs: Any) -> Any:
        """Return what the model computes; classes override it."""
        raise NotImplementedError(f"[{type(self).__name__}] lacks call(self, inputs)")

    @property
    def layers(self) -> list[Layer]:
        """The layers among the attributes, in their order, then those of operations."""
        named = list(dict.fromkeys(layers_among(vars(self).values())))
        name_freely(named, all_of_them=False)
        return [*named, *(layer for layer in self._order if layer not in named)]

    def layers_inside(self) -> Mapping[str, Layer]:
        """Return the layers that compute, in the order of the core."""
        return {str(place): layer for place, layer in enumerate(self._order)}

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError(
            f"[{self.where}] a model with call() is not copied; expected save() and load_model(), "
            "or a new object and set_weights(model.get_weights())"
        )

    # -- building ----------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of that shape, the batch first; lists have several."""
        found: list[Any] = []

        def is_shape(value: Any) -> bool:
            return isinstance(value, tuple | list) and not any(
                isinstance(size, tuple | list | dict) for size in value
            )

        pattern = taken_out(input_shape, found, is_shape)
        samples = [split_batch(shape, f"{self.where}.build", "input_shape")[1] for shape in found]
        self._trace(pattern, [Input(sample) for sample in samples])

    def _build_for(self, x: Any, where: str) -> None:
        found: list[Any] = []
        is_many = isinstance(x, dict | tuple) or (
            isinstance(x, list) and all(getattr(each, "ndim", 0) > 1 for each in x)
        )
        if is_many and not isinstance(only(x, 3), list | tuple | dict):
            x, is_many = only(x, 3), False
        pattern = taken_out(x, found, lambda value: not is_many or hasattr(value, "shape"))
        arrays = [self._first(value, where) for value in found]
        try:  # any number of steps from then on, where the shapes of weights do not depend on it
            self._trace(pattern, [_start(array, True) for array in arrays])
        except ValueError:
            self._trace(pattern, [_start(array, False) for array in arrays])

    def _first(self, value: Any, where: str) -> Any:
        array = np.asarray(value)
        if array.ndim < 2 or array.dtype == object:
            raise ValueError(
                f"[{where}] x has shape {shape_text(array.shape)}; expected (samples, ..., "
                "features)"
            )
        return array

    def _trace(self, pattern: Any, starts: Sequence[Tensor], several: bool = False) -> None:
        if self.built:
            return
        given = pattern if several else ((pattern,), {})  # several: of all arguments
        outputs, ends, _ = traced(self.call, given, starts, False)
        if isinstance(outputs, Mapping):
            self._output_keys = sorted(outputs)
            ends = [ends[outputs[key].number] for key in self._output_keys]
        elif not isinstance(outputs, Place | list | tuple):
            raise wrong_kind("call", "what it returned", outputs, "tensors")
        if isinstance(pattern, Mapping):
            self._input_keys = sorted(pattern)
            starts = [starts[pattern[key].number] for key in self._input_keys]
        graph = graph_between(starts, ends)
        named = dict.fromkeys(layers_among(vars(self).values()))
        used = graph.computing
        order = [*(layer for layer in named if layer in used),
                 *(layer for layer in used if layer not in named)]  # fmt: skip
        name_freely(order, all_of_them=False)
        dtype = next((n.dtype for n in graph.nodes if n.dtype.startswith("float")), "float32")
        core_model = CoreModel(graph.core(dtype, order=order))
        self._compile_core(core_model, self._compiled)
        self._order, self._pattern = order, pattern
        self._take(graph, core_model)
        if not self._trainable:
            self.trainable = False

    def _built_core(self) -> CoreLayer:
        if self._core is None:
            raise ValueError(
                f"[{self.where}] the model has no weights yet, for its input shape is not known: "
                "call build or fit, or the model with data"
            )
        return self._core

    def _new_core(self, dtype: str, shapes: Sequence[Sample]) -> CoreLayer:
        if not self.built:
            starts = [Input(shape, dtype=dtype) for shape in shapes]
            pattern = [Place(k) for k in range(len(starts))]
            self._trace(pattern if len(starts) > 1 else pattern[0], starts)
        return self._built_core()

    def _names_of_outputs(self) -> list[str]:
        if self._core is None:
            return self._output_keys or ["output"]
        return super()._names_of_outputs()

    def __call__(  # type: ignore[override]
        self, x: Any, *args: Any, training: Any = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        """Return the outputs for all samples, or tensors for tensors.

        Where ``call`` has several arguments, they are given as it has them.
        """
        if len(args) == 1 and list(inspect.signature(self.call).parameters)[1:2] == ["training"]:
            training, args = args[0], ()
        if args or kwargs:
            each: list[Any] = []
            given = taken_out(((x, *args), kwargs), each, lambda one: hasattr(one, "shape"))
            if not self.built:
                of_x: list[Any] = []
                alone = taken_out(x, of_x, lambda one: hasattr(one, "shape"))
                try:  # fit and predict give x alone, where call can do with that
                    self._trace(alone, self._starts(of_x))
                except TypeError:
                    self._trace(given, self._starts(each), True)
            if given != self._pattern:
                return self._branch(given, each)(each, training, mask)
            return super().__call__(each if len(each) > 1 else each[0], training, mask)
        if holds_tensors(x) and not self.built:
            found: list[Any] = []
            pattern = taken_out(x, found, lambda value: isinstance(value, Tensor))
            self._trace(pattern, [Input(each.sample, dtype=each.dtype) for each in found])
        return super().__call__(x, training, mask)

    def _starts(self, each: Sequence[Any]) -> list[Tensor]:
        return [
            Input(one.sample, dtype=one.dtype)
            if isinstance(one, Tensor)
            else _start(self._first(one, "call"), True)
            for one in each
        ]

    def _branch(self, given: Any, each: Sequence[Any]) -> Callable[..., Any]:
        """Return what computes calls with these other arguments, by the same layers."""
        key = repr(given)
        if key not in self._branches:
            starts = self._starts(each)
            outputs, ends, _ = traced(self.call, given, starts, False)
            self._branches[key] = partial(_run, Model(starts, ends), outputs)
        return self._branches[key]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments that all models have; classes add their own."""
        return {"name": self.name, "trainable": self._trainable}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, seed: Seed = None) -> OwnModel:
        """Make a model, without weights, from what `get_config` returned."""
        return cls(**config)


def _run(model: Model, outputs: Any, each: Sequence[Any], training: Any, mask: Any) -> Any:
    made = model(each if len(each) > 1 else each[0], training, mask)
    return filled(outputs, made if isinstance(made, list) else [made])


def _start(array: Any, any_steps: bool) -> Input:
    """Return an input for an array: whole numbers in rows may be ids."""
    ids = array.dtype.kind in "iu" and array.ndim == 2
    shape = list(array.shape[1:])
    if any_steps and (array.ndim > 2 or ids):
        shape[0] = None
    return Input(shape, dtype="int32" if ids else None)


Model.own_class = OwnModel

"""Layers of a user's own: weights and layers inside, and ``call``, which becomes a graph."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array
from lstmfast._checks import string, wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast._core import Model as CoreModel
from lstmfast._names import REGISTERED, registered_name
from lstmfast._pickles import marked
from lstmfast.layers._graph import name_freely
from lstmfast.layers._input import Input
from lstmfast.layers._symbolic import RUNNING, Node, Sample, Tensor, Training, one_or_all
from lstmfast.layers._tracing import (
    Place,
    Source,
    Variable,
    filled,
    layers_among,
    settled,
    taken_out,
    traced,
)
from lstmfast.layers.base import Layer


class OwnLayer(Layer):
    """A layer of a user's own, of ``build``, ``add_weight`` and ``call``; see `Layer`."""

    name: str | None = None
    input_shape = None
    takes_list = True
    supports_masking = False
    _pattern: Any = ((Place(0),), {})  # of the arguments of call
    _outputs: Any = Place(0)  # the pattern of what it returned
    _sources: Sequence[Source] = ()
    _inside: Sequence[Layer] = ()  # once it was called, in the order of the core
    _is_made = False  # build() has run
    _is_own = True

    __setattr__ = object.__setattr__  # type: ignore[assignment]

    # -- what users' classes define or call ----------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights, for inputs of that shape, the batch first; classes override it."""

    def call(self, inputs: Any) -> Any:
        """Return what the layer computes; classes override it."""
        raise NotImplementedError(f"[{type(self).__name__}] lacks call(self, inputs)")

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a weight, as Keras's `add_weight`: trained, saved, and a tensor in ``call``.

        Parameters
        ----------
        shape : tuple of int, optional
            The shape; () by default, which is kept as (1,). Also the name, as in Keras 2.
        initializer : str or Initializer, optional
            What makes the first values: ``"glorot_uniform"`` by default.
        trainable : bool
            Whether training changes the values.
        regularizer, constraint : str or object, optional
            What the weight costs, and what values it may have.
        name : str, optional
            The weight's name; ``"variable"``, numbered, by default.
        dtype, autocast, aggregation, overwrite_with_gradient
            Accepted for Keras's sake: weights have the layer's dtype.

        Returns
        -------
        Weight
        """
        where = f"{self.where}.add_weight"
        if isinstance(shape, str):
            name, shape = shape, initializer if isinstance(initializer, tuple | list) else name
            initializer = None if shape is initializer else initializer
        sizes = () if shape is None else (shape if isinstance(shape, tuple | list) else (shape,))
        for size in sizes:
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
                raise ValueError(
                    f"[{where}] shape is {tuple(sizes)}; expected known sizes of at least 1"
                )
        if self._core is not None:
            raise ValueError(f"[{where}] the layer is built; expected add_weight in build()")
        name = f"variable_{len(self._sources)}" if name is None else string(name, "name", where)
        source = Source(
            self,
            tuple(map(int, sizes)),
            name,
            bool(trainable),
            kernel_initializer="glorot_uniform" if initializer is None else initializer,
            kernel_regularizer=regularizer,
            kernel_constraint=constraint,
        )
        self._sources = [*self._sources, source]
        return source.variable

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer: nothing."""
        return {}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments that all layers have; classes add their own."""
        shared: dict[str, Any] = {} if self._dtype is None else {"dtype": self._dtype}
        if not self._trainable:
            shared["trainable"] = False
        return {"name": self.name, **shared}

    # -- building ------------------------------------------------------------------------------

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the layer out of a `Sequential`: nothing."""
        return None

    def layers_inside(self) -> Mapping[str, Any]:
        """Return the layers inside, its weights first, by the names that the core has for them."""
        return {f"layers.{place}": layer for place, layer in enumerate(self._inside)}

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return name and shape of each weight array, in the order of `get_weights`."""
        self._built_core()
        return [(weight.path.replace("/", "."), weight.shape) for weight in self.weights]

    def _new_core(self, dtype: str, shapes: Sequence[Sample]) -> CoreLayer:
        if self.activity_regularizer is not None:
            raise ValueError(f"[{self.where}] activity_regularizer is given; expected None")
        starts = [Input(shape, dtype=dtype) for shape in shapes]
        pattern = self._pattern
        if len(starts) > 1 and pattern is OwnLayer._pattern:
            self._pattern = pattern = (([Place(k) for k in range(len(starts))],), {})
        if not self._is_made:
            first = pattern[0][0] if pattern[0] else next(iter(pattern[1].values()))
            self.build(filled(first, [start.shape for start in starts]))
            self._is_made = True
        for source in self._sources:
            source.__dict__.pop("kind", None)
        outputs, ends, trace = traced(self.call, pattern, starts, self.supports_masking)
        for source in self._sources:
            trace.value(source)
        graph = settled(trace, starts, ends)
        cores: dict[Layer, CoreLayer] = {}
        for node in graph.nodes:
            if isinstance(node.layer, Source) and node.layer not in cores:
                core, _ = node.layer._connected([node.inputs[0].sample], dtype)
                cores[node.layer] = core
        own = sorted(self._sources, key=lambda source: not source.trained)
        used = graph.computing
        named = [layer for layer in layers_among(vars(self).values()) if layer in used]
        order = list(dict.fromkeys([*own, *named, *used]))
        name_freely(order, all_of_them=False)
        core = graph.core(dtype, cores=cores, order=order)
        self._inside, self._outputs = order, outputs
        core.name = self.name or self.kind
        note = self._note()
        if note is not None:
            core.set_note(note)
        return core

    def _note(self) -> str | None:
        """Return what files say of the class; None where it cannot be made again."""
        entry = {
            "class_name": type(self).__name__,
            "registered_name": registered_name(type(self)),
            "config": self.get_config(),
            "pattern": _coded(self._pattern),
        }
        try:
            return json.dumps(entry)
        except (TypeError, ValueError):
            return None

    def _adopt(self, core: CoreLayer, shapes: Sequence[Sample]) -> None:
        if not self._inside:  # a handle from a file or a copy
            inputs = CoreModel(core).structure["inputs"]
            shapes = [shape for _, shape in inputs]
            made = self._new_core(core.dtype, shapes)
            if _kinds(made) != _kinds(core):
                self._inside = ()
                raise ValueError(
                    f"[{self.where}] call() makes {_kinds(made)}; expected {_kinds(core)}, as "
                    "when the model was saved"
                )
        self._core, self._shapes = core, tuple(shapes)
        for name, layer in self.layers_inside().items():
            layer._adopt(core.child(name), layer._shapes or shapes)
        if not self._trainable:
            self.trainable = False

    # -- calls ---------------------------------------------------------------------------------

    def _ports(self, count: int) -> Sequence[int]:
        return range(count)

    def _packed(self, values: Sequence[Any]) -> Any:
        return filled(self._outputs, values)

    def _results(self, node: Node) -> Any:
        return self._packed([Tensor(node, port) for port in self._ports(len(node.shapes))])

    @property
    def output(self) -> Any:
        """What the layer returned, once."""
        return self._results(self._node("output"))

    def __call__(self, *args: Any, training: Any = None, mask: Any = None, **kwargs: Any) -> Any:
        """Return what ``call`` returns, for tensors or arrays; it runs at the first time alone.

        Parameters
        ----------
        *args, **kwargs
            The arguments of ``call``: tensors or arrays, lists of them, and other values, which
            must be those of the first call.
        training : bool, optional
            With arrays: do as in training. ``call`` may have an argument of this name, which it
            passes on to layers inside.
        mask : array_like of bool, optional
            With arrays: False where a step of the first input does not count.

        Returns
        -------
        numpy.ndarray or tensor
        """
        found: list[Any] = []
        taken_out((args, kwargs), found, lambda x: isinstance(x, Tensor))
        kind = Tensor if found else np.ndarray
        found.clear()
        arrays = taken_out((args, kwargs), found, lambda x: isinstance(x, kind))
        if not found:
            raise wrong_kind(self.where, "x", one_or_all(list(args)), "an array or a tensor")
        self._take_pattern(arrays)
        trace = RUNNING.get()
        if kind is Tensor or trace is not None:
            tensors = found if kind is Tensor else [*map(trace.constant, found)]
            return self._joined(tensors, mask, training)
        data: list[Array] = [self._array(each, f"x[{k}]") for k, each in enumerate(found)]
        core = self._ready(data)
        count = len(core.connect([each.shape[1:] for each in data]))
        is_training = None if isinstance(training, Training) else training
        return self._packed(self._compute(core, data, [mask], is_training, range(count))[0])

    def _take_pattern(self, pattern: Any) -> None:
        args, kwargs = pattern
        pattern = (tuple(args), {key: each for key, each in kwargs.items() if each is not None})
        if self._core is not None and pattern != self._pattern:
            raise ValueError(
                f"[{self.where}] {self.name or self.kind} was called with other arguments before; "
                "expected the same ones: its call is part of a graph"
            )
        self._pattern = pattern

    def __getstate__(self) -> dict[str, Any]:
        alone = {"_core": None, "_nodes": (), "_shapes": (), "_calls": 0}
        fresh = {"_inside": (), "_sources": (), "_is_made": False}
        kept = {k: v for k, v in vars(self).items() if not isinstance(v, Variable)}
        return marked(kept | alone | fresh)


def _kinds(core: CoreLayer) -> str:
    return ", ".join(core.child(name).kind for name in core.child_names)


def _coded(pattern: Any) -> Any:
    """Return a pattern as JSON holds it."""
    if isinstance(pattern, Place):
        return {"place": pattern.number}
    if isinstance(pattern, Mapping):
        return {"items": {key: _coded(each) for key, each in pattern.items()}}
    if isinstance(pattern, list | tuple):
        return [_coded(each) for each in pattern]
    return pattern


def _decoded(coded: Any) -> Any:
    if isinstance(coded, Mapping):
        if "place" in coded:
            return Place(int(coded["place"]))
        return {key: _decoded(each) for key, each in coded["items"].items()}
    return [_decoded(each) for each in coded] if isinstance(coded, list) else coded


def from_note(note: str, custom_objects: Mapping[str, Any]) -> OwnLayer | None:
    """Return the layer that a file notes, without its handle; None where the class is not there."""
    entry = json.loads(note)
    names = str(entry["registered_name"]), str(entry["class_name"])
    found = [custom_objects.get(name) or REGISTERED.get(name) for name in names]
    cls = next((each for each in found if each is not None), None)
    if cls is None:
        return None
    if not isinstance(cls, type) or not issubclass(cls, OwnLayer):
        raise TypeError(
            f"[load_model] custom_objects[{names[1]!r}] is {cls!r}; expected a class derived from "
            "lstmfast.layers.Layer"
        )
    made = cls.from_config(entry["config"])
    args, kwargs = _decoded(entry["pattern"])
    made._pattern = tuple(args), kwargs
    return made  # type: ignore[return-value]


Layer.own_class = OwnLayer

"""How layers are built, and called with arrays or with tensors.

Long, because each way in which a layer is called is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np

from lstmfast._arrays import (
    Array,
    ArrayLike,
    Data,
    as_dtype,
    as_flags,
    as_float,
    as_ids,
    shape_text,
    wrong_shape,
)
from lstmfast._checks import flag, items, wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast._options import Value
from lstmfast.layers._symbolic import (
    RUNNING,
    TRAINING,
    Node,
    Sample,
    Tensor,
    holds_tensors,
    one_or_all,
)
from lstmfast.layers.weights import Parts, Weights, fitting
from lstmfast.utils import as_generator, draw_seed


class Called(Weights):
    """What builds a layer and calls it."""

    kind: ClassVar[str]
    takes_list: ClassVar[bool] = False
    takes_ids: bool = False
    moves_elements: bool = False
    ids_below: int = 0  # 0: any
    _dtype: str | None = None  # as it was given
    _shapes: tuple[Sample, ...] = ()  # of the inputs, when it was last called in a new way
    _nodes: Iterable[Node] = ()  # a WeakSet, once there are any
    _has_warned = False  # that it drops a mask
    _calls = 0  # training calls of the layer on its own: they name its masks
    _call_seed: int | None = None
    _first_weights: list[Any] | None = None  # those that were given

    @property
    def dtype(self) -> str | None:
        """The type of weights and computation; None where neither model nor user has said it."""
        return self._dtype if self._core is None else self._core.dtype

    @dtype.setter
    def dtype(self, value: Any) -> None:
        name = None if value is None else as_dtype(value, self.where).name
        if self.built and name not in (None, self.dtype):
            raise AttributeError(
                f"[{self.where}] dtype cannot change once the layer has weights; make a new layer"
            )
        self._dtype = name

    def config(self) -> dict[str, Value]:
        """Return what the core makes this layer from, without the layers inside it."""
        raise NotImplementedError

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights; called once, when the layer is built. Layers override it.

        Parameters
        ----------
        parts : list of (str, tuple of int)
            Name and shape of each weight.
        dtype : numpy.dtype
            The model's dtype.
        rng : numpy.random.Generator
            The source of random numbers.
        sample : tuple of int or None
            The shape of a sample of the input, without the batch.

        Returns
        -------
        list of ndarray
            One array for each part.
        """
        return [getattr(self, f"{name}_initializer")(shape, dtype, rng) for name, shape in parts]

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the layer out of a `Sequential`, where each takes and returns one array."""
        return "it takes a list of inputs; call it with them" if self.takes_list else None

    # -- building ----------------------------------------------------------------------------

    def _shapes_inside(self, shapes: Sequence[Sample]) -> Sequence[Sample]:
        """Return the shapes of the inputs of the layers inside."""
        return shapes

    def _new_core(self, dtype: str, shapes: Sequence[Sample]) -> CoreLayer:
        """Return a handle without weights yet; nothing changes."""
        shapes = self._shapes_inside(shapes)
        inside = self.layers_inside().items()
        children = {name: layer._core or layer._new_core(dtype, shapes) for name, layer in inside}
        return CoreLayer(self.config(), dtype, children)

    def _draw(self, core: CoreLayer, rng: np.random.Generator, sample: Sample) -> None:
        """Make the first weights of a new handle, and of those of the layers inside that are."""
        inside, given, parts = self.layers_inside(), self._first_weights, core.weight_names()
        if given is not None:
            return core.set_weights(fitting(given, parts, core.dtype, self.where))
        for name, layer in inside.items():
            if not layer.built:
                layer._draw(core.child(name), rng, self._shapes_inside([sample])[0])
        if inside:
            return None
        dtype = np.dtype(core.dtype)
        weights = self.initial_weights(parts, dtype, rng, sample)
        return core.set_weights([as_float(one, dtype, self.where, "weight") for one in weights])

    def _adopt(self, core: CoreLayer, shapes: Sequence[Sample]) -> None:
        """Take a handle, built for inputs of these shapes, or the same one for other shapes."""
        self._core, self._shapes = core, tuple(shapes)
        for name, layer in self.layers_inside().items():
            layer._adopt(core.child(name), self._shapes_inside(shapes))
        if not self._trainable:
            self.trainable = False

    def _plan(self, inputs: Sequence[Tensor], dtype: str | None = None) -> tuple[CoreLayer, Node]:
        """Return a handle, new ones without weights, and a node; nothing of the layer changes."""
        self._check_inputs(inputs)
        if any(tensor.dtype == "string" for tensor in inputs):
            raise ValueError(
                f"[{self.where}] {self.name or self.kind} is called with texts; expected "
                "TextVectorization before it, as the first layer of a Sequential"
            )
        floats = [tensor.dtype for tensor in inputs if tensor.dtype.startswith("float")]
        dtype = self.dtype or dtype or next(iter(floats), "float32")
        if set(floats) - {dtype} and not self.takes_ids:
            raise ValueError(
                f"[{self.where}] {self.name or self.kind} has dtype {dtype}; expected "
                f"{floats[0]}, that of its input, or none"
            )
        core, outputs = self._connected([tensor.sample for tensor in inputs], dtype)
        made = inputs[0].dtype if self.moves_elements else dtype
        batched = any(tensor.node.batched for tensor in inputs)
        return core, Node(self, inputs, outputs, made, inputs[0].node.batch, batched=batched)

    def _connected(self, shapes: Sequence[Sample], dtype: str) -> tuple[CoreLayer, list[Sample]]:
        """Return a handle and the shapes of the outputs."""
        try:
            core = self._core or self._new_core(dtype, shapes)
            return core, core.connect(shapes)
        except ValueError as error:
            text = f"{self.name or self.kind}: {without_place(error)}"
            raise ValueError(f"[{self.where}] {text}") from None

    def _check_inputs(self, inputs: Sequence[Tensor]) -> None:
        """Refuse inputs, in words that the core lacks."""
        source = inputs[0].node
        while source.inputs and source.layer.moves_elements:
            source = source.inputs[0].node
        if self.takes_ids and source.inputs and source.layer.kind != "constant":
            raise ValueError(
                f"[{self.where}] {self.name or self.kind} is called with what "
                f"{source.layer.name or source.layer.kind} returned; expected an Input "
                "of ids, directly or through Reshape, Flatten, Permute or RepeatVector"
            )

    # -- calls -------------------------------------------------------------------------------

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> Any:
        """Return the mask of the output for an input with that mask, None where there is none."""
        return None if mask is None else as_flags(mask, self.where, "mask")

    def __call__(self, x: Any, mask: Any = None, training: bool | None = None) -> Any:
        """Return the layer's output for a batch of inputs.

        A layer that has no weights yet gets them at the first call.

        Parameters
        ----------
        x : array_like or tensor
            (B, ...): the inputs; a list of them where the layer takes several.
        mask : array_like of bool, optional
            (B, ...) without the last axis: False where an input does not count. In models masks
            travel along by themselves; a tensor, 0 where a step does not count, replaces that of x.
        training : bool, optional
            Do as in training: what is random, and averages that move; None is False. Given with
            tensors it holds in all passes of the model: False leaves dropout out and the averages
            of `BatchNormalization` as they are in `fit` too; True draws in `predict` too, by the
            model's seed and anew at each call, but moves averages in `fit` alone. None does as the
            model does. Keras 3.15 forgets what calls in functional models were given.

        Returns
        -------
        numpy.ndarray or tensor
        """
        trace = RUNNING.get()
        if trace is not None and not holds_tensors(x):
            x = [*map(trace.constant, x)] if self.takes_list else trace.constant(x)
        if holds_tensors(x):
            return self._joined(self._tensors(x), mask, training)
        arrays = self._arrays(x)
        return self._compute(self._ready(arrays), arrays, self._masks(mask), training)[0][0]

    def _tensors(self, x: Any) -> list[Tensor]:
        """Return the inputs that a call with tensors has."""
        tensors = self._all_tensors(x if isinstance(x, list | tuple) else [x], "x")
        if len(tensors) > 1 and not self.takes_list:
            shapes = ", ".join(shape_text(tensor.shape) for tensor in tensors)
            raise ValueError(
                f"[{self.where}] {self.name or self.kind} got inputs of shapes {shapes}; expected "
                "one input"
            )
        return tensors

    def _all_tensors(self, given: Any, name: str) -> list[Tensor]:
        tensors = items(given, name, self.where, "a list of tensors")
        for place, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                expected = "a tensor, as the others are"
                raise wrong_kind(self.where, f"{name}[{place}]", tensor, expected)
        return tensors

    def _joined(self, tensors: list[Tensor], mask: Any, training: Any) -> Any:
        """Return what a call with tensors does: the tensors of a new node."""
        if isinstance(mask, Tensor) and self.takes_list:
            raise ValueError(
                f"[{self.where}] mask is a tensor; expected none, for masks travel along by "
                "themselves; several inputs come in a list, ([a, b])"
            )
        if isinstance(mask, Tensor):
            if mask.sample != tensors[0].sample[:-1]:
                shape, expected = shape_text(mask.sample), shape_text(tensors[0].sample[:-1])
                text = f"mask has samples of shape {shape}; expected {expected}"
                raise ValueError(f"[{self.where}] {text}")
            tensors = [_masked(tensors[0], mask), *tensors[1:]]
        elif mask is not None:
            raise ValueError(
                f"[{self.where}] mask is given with a tensor; expected None: in models masks "
                "travel along by themselves"
            )
        always = None if training is TRAINING or training is None else training
        if always is not None:
            always = flag(always, "training", self.where)
        return self._results(self._use(tensors, always))

    def _results(self, node: Node) -> Any:
        """Return the tensors that the call which made a node returned."""
        return one_or_all([Tensor(node, port) for port in self._ports(len(node.shapes))])

    def _use(self, tensors: Sequence[Tensor], training: bool | None = None) -> Node:
        """Return a new node that takes these tensors; now there are weights."""
        core, node = self._plan(tensors)
        node.training = training
        if not self.built:
            self._draw(core, as_generator(), tensors[0].sample)
        self._adopt(core, [tensor.sample for tensor in tensors])
        self._add_node(node)
        return node

    def _ports(self, count: int) -> Sequence[int]:
        """Return which of the core's outputs a call returns."""
        return (0,)

    def _add_node(self, node: Node) -> None:
        self._nodes = WeakSet([*self._nodes, node])

    def _uses(self) -> list[Node]:
        """Return the nodes in the order of the calls, without those of graphs that are gone."""
        return sorted(self._nodes, key=lambda node: node.number)

    def _node(self, what: str) -> Node:
        nodes = list(self._nodes)
        if len(nodes) != 1:
            times = "in no model yet" if not nodes else f"used {len(nodes)} times"
            raise AttributeError(
                f"[{self.where}] {self.name or self.kind} is {times}; expected one use, for {what}"
            )
        return nodes[0]

    @property
    def input(self) -> Any:
        """The tensor, or list of tensors, that the layer was called with, once."""
        return one_or_all(list(self._node("input").inputs))

    @property
    def output(self) -> Any:
        """The tensor, or list of tensors, that the layer returned, once."""
        return self._results(self._node("output"))

    @property
    def output_shape(self) -> Any:
        """The shape of the output, the batch first, as None; a list of those of several."""
        shapes = self._built_core().connect(self._shapes)
        return one_or_all([(None, *shapes[port]) for port in self._ports(len(shapes))])

    def _arrays(self, x: Any) -> list[Array]:
        """Return the inputs that a call with arrays has."""
        if not self.takes_list:
            return [self._array(x, "x")]
        each = items(x, "x", self.where, "a list of arrays")
        return [self._array(one, f"x[{place}]") for place, one in enumerate(each)]

    def _array(self, x: ArrayLike, name: str) -> Array:
        """Return an input as the core takes it."""
        if isinstance(x, Weights):
            raise wrong_kind(self.where, name, x, "an array or a tensor")
        if self.takes_ids:
            return as_ids(x, self.ids_below, self.where, name)
        array = as_float(x, np.dtype(self.dtype or np.float32), self.where, name)
        if array.ndim < 2:
            raise wrong_shape(self.where, "x", array.shape, "(batch, ...)")
        return array

    def _masks(self, mask: Any) -> list[Any]:
        """Return the masks of the inputs of a call with arrays, or fewer."""
        if not self.takes_list:
            return [mask]
        return items([] if mask is None else mask, "mask", self.where, "a list of masks")

    def _declared(self, shape: Sample) -> Sample:
        """Return what a layer that is called with an array is built for."""
        return shape

    def _ready(self, arrays: Sequence[Array]) -> CoreLayer:
        """Return the handle; a new one of a layer that has no weights yet."""
        if self._core is None:
            shapes = [self._declared(array.shape[1:]) for array in arrays]
            core, _ = self._connected(shapes, self.dtype or "float32")
            self._draw(core, as_generator(), arrays[0].shape[1:])
            self._adopt(core, shapes)
        return self._built_core()

    def _compute(
        self,
        core: CoreLayer,
        arrays: Sequence[Data],
        masks: Sequence[ArrayLike],
        training: bool | None,
        outputs: Sequence[int] = (0,),
    ) -> tuple[list[Array], Array | None]:
        """Return outputs of the core for arrays, and the mask of the first; masks may be fewer."""
        flags = [None if mask is None else as_flags(mask, self.where, "mask") for mask in masks]
        flags += [None] * (len(arrays) - len(flags))
        more: dict[str, Any] = {"masks": flags} if any(f is not None for f in flags) else {}
        if training is not None and flag(training, "training", self.where):
            if self._call_seed is None:
                self._call_seed = draw_seed(as_generator())
            self._calls += 1
            more |= {"training": True, "seed": self._call_seed, "step": self._calls}
        try:
            return core.call(arrays, outputs=outputs, **more)
        except ValueError as error:
            raise ValueError(f"[{self.where}] {without_place(error)}") from None


def _masked(x: Tensor, mask: Tensor) -> Tensor:
    """Return x with a mask of steps that a tensor has as values, 0 where a step does not count."""
    made = import_module("lstmfast.layers._operations")  # which knows layers
    marks = import_module("lstmfast.layers").Masking()(made.with_axis(mask, -1))
    return made.apply(made.Operation("with_mask"), x, marks)  # type: ignore[no-any-return]


def without_place(error: Exception) -> str:
    """Return what an error of the core says, without the brackets before it."""
    text = str(error)
    return text.partition("] ")[2] if text.startswith("[") else text

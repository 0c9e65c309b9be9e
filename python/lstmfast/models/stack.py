"""The layers of a model: adding them, building the core's model, reading and writing weights."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from lstmfast import _core
from lstmfast._arrays import Array, ArrayLike, as_dtype, as_float, shape_text
from lstmfast._checks import check_unavailable, count, flag, items, string, wrong_kind
from lstmfast._options import Options
from lstmfast.layers import Input, Layer
from lstmfast.layers._input import sample_shape
from lstmfast.layers._recurrent import Recurrent
from lstmfast.models.chain import check_chain
from lstmfast.utils import Seed, as_generator

_Result = TypeVar("_Result")


class Stack:
    """Layers in a row, and the core's model of them once the input shape is known."""

    def __init__(
        self,
        layers: Sequence[Layer | Input] | None = None,
        trainable: bool = True,
        name: str | None = None,
        *,
        dtype: Any = None,
        seed: Seed = None,
    ) -> None:
        wanted = "a list of layers: Sequential([LSTM(...), Dense(...)])"
        given = [] if layers is None else items(layers, "layers", "Sequential", wanted)
        self.trainable = trainable
        self.name = "sequential" if name is None else string(name, "name", "Sequential")
        self._layers: list[Layer] = []
        self._dtype_given = dtype is not None
        self._dtype = as_dtype("float32" if dtype is None else dtype, "Sequential")
        self._rng = as_generator(seed, "Sequential")
        self._sample_shape: tuple[int | None, ...] | None = None
        self._batch_size: int | None = None  # of every batch, for stateful layers
        self._engine: _core.Model | None = None
        for layer in given:
            self._append(layer)
        self._build_if_known()

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights: always, in this version."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not flag(value, "trainable", "Sequential"):
            check_unavailable("Sequential", {"trainable": False}, {"trainable": True})

    # -- layers ------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, in a list of your own: `add` and `pop` change the model's."""
        return list(self._layers)

    def add(self, layer: Layer | Input) -> None:
        """Append a layer; the layers before it keep their weights.

        Examples
        --------
        >>> from lstmfast.layers import LSTM, Input
        >>> from lstmfast.models import Sequential
        >>> model = Sequential()
        >>> model.add(Input((None, 2)))
        >>> model.add(LSTM(3))
        >>> model.output_shape
        (None, 3)
        """
        self._alone("Sequential.add", lambda: self._add(layer))

    def _add(self, layer: Layer | Input) -> None:
        before = len(self._layers), self._sample_shape
        self._append(layer)
        try:
            self._build_if_known()
        except Exception:
            for added in self._layers[before[0] :]:
                added._model = None
            del self._layers[before[0] :]
            self._sample_shape = before[1]
            raise

    def pop(self) -> Layer | None:
        """Remove the last layer and return it; None where there is none."""
        return self._alone("Sequential.pop", self._pop)

    def _alone(self, where: str, change: Callable[[], _Result]) -> _Result:
        """Make a change after which there is another engine: a fit would go on with this one."""
        return change() if self._engine is None else self._engine.alone(where, change)

    def _pop(self) -> Layer | None:
        if not self._layers:
            return None
        layer = self._layers.pop()
        try:
            if self._layers:
                self._build_if_known()
            else:
                self._engine = None
        except Exception:
            self._layers.append(layer)
            raise
        layer._model = None
        return layer

    def _append(self, layer: Layer | Input) -> None:
        if isinstance(layer, Input):
            if self._layers or self._sample_shape is not None:
                raise ValueError("[Sequential.add] an Input must come first, and only once")
            if layer.dtype is not None and not self._dtype_given:
                self._dtype = as_dtype(layer.dtype, "layers.Input")
            self._sample_shape = layer.shape
            self._batch_size = layer.batch_size
            return
        if not isinstance(layer, Layer):
            raise wrong_kind("Sequential.add", "layer", layer, "a layer of lstmfast.layers")
        if layer.problem_in_row is not None:
            raise ValueError(f"[Sequential.add] {layer!r}: {layer.problem_in_row}")
        owner = layer._model() if layer._model else None
        if owner is not None:
            whose = "this" if owner is self else "another"
            raise ValueError(f"[Sequential.add] {layer!r} is in {whose} model already")
        taken = {each.name for each in self._layers}
        if layer.name is None:
            name = layer.kind
            number = 0
            while name in taken:
                number += 1
                name = f"{layer.kind}_{number}"
            layer._rename(name)
        elif layer.name in taken:
            raise ValueError(f"[Sequential.add] two layers would be called {layer.name!r}")
        if not self._layers and self._sample_shape is None:
            self._sample_shape = layer.input_shape
            if isinstance(layer, Recurrent):
                self._batch_size = layer.batch_size
        layer._model = weakref.ref(self)
        self._layers.append(layer)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its place."""
        if (name is None) == (index is None):
            raise ValueError("[Sequential.get_layer] expected either a name or an index")
        if index is not None:
            try:
                return self._layers[operator.index(index)]
            except TypeError:
                raise wrong_kind("Sequential.get_layer", "index", index, "an integer") from None
            except IndexError:
                raise ValueError(
                    f"[Sequential.get_layer] index is {index}; there are {len(self._layers)} layers"
                ) from None
        name = string(name, "name", "Sequential.get_layer")
        for layer in self._layers:
            if layer.name == name:
                return layer
        known = ", ".join(str(layer.name) for layer in self._layers)
        raise ValueError(f"[Sequential.get_layer] no layer is called {name!r}; there are: {known}")

    # -- building ----------------------------------------------------------------------------

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights.

        Parameters
        ----------
        input_shape : tuple of int or None, optional
            The shape of the input with the batch first, as None; needed where no layer says it.
        """
        if input_shape is not None:
            sizes = items(input_shape, "input_shape", "Sequential.build", "a tuple")
            shape = sample_shape(sizes[1:], "Sequential.build")
            if self._sample_shape not in (None, shape):
                raise ValueError(
                    f"[Sequential.build] input_shape is {shape_text((None, *shape))}; the model "
                    f"has {shape_text((None, *(self._sample_shape or ())))}"
                )
            self._sample_shape = shape
            if sizes[0] is not None and self._engine is None:
                self._batch_size = count(sizes[0], "input_shape", "Sequential.build")
        if self._sample_shape is None:
            raise ValueError("[Sequential.build] the input shape is not known")
        if not self._layers:
            raise ValueError("[Sequential.build] the model has no layers")
        if self._engine is None:
            self._build()

    def _build_if_known(self) -> None:
        if self._layers and self._sample_shape is not None:
            self._build()

    def _input_axes(self, x: ArrayLike) -> int:
        """Return how many axes the input has at most, of which x is an array or a list of one."""
        sequences = any(isinstance(layer, Recurrent) for layer in self._layers)
        is_array = isinstance(x, list | tuple) and hasattr(next(iter(x), None), "ndim")
        return 2 if is_array and not sequences else 3

    def _build_for(self, x: Array, where: str) -> None:
        if not self._layers:
            raise ValueError(f"[{where}] the model has no layers")
        if x.ndim not in (2, 3):
            raise ValueError(
                f"[{where}] x has shape {shape_text(x.shape)}; expected (samples, steps, features) "
                "or (samples, features)"
            )
        before = self._sample_shape
        # any number of steps from then on, as the shapes of weights do not depend on it
        self._sample_shape = (None, x.shape[2]) if x.ndim == 3 else (x.shape[1],)
        try:
            self._build(x.shape[1:])
        except Exception:
            self._sample_shape = before
            raise

    def _build(self, first_sample: tuple[int, ...] | None = None) -> None:
        check_chain(self._layers, self._sample_shape or ())
        for layer in self._layers:
            if layer._dtype not in (None, self._dtype.name):
                raise ValueError(
                    f"[Sequential] {layer.name} has dtype {layer._dtype}; expected "
                    f"{self._dtype.name}, the model's, or none"
                )
        drawn = self._rng.bit_generator.state
        try:
            self._adopt(self._new_engine(first_sample))
        except BaseException:
            self._rng.bit_generator.state = drawn  # the next build draws the same weights
            raise

    def _new_engine(self, first_sample: tuple[int, ...] | None) -> _core.Model:
        engine = _core.Model(self.core_config(), self._dtype.name)
        parts: list[list[tuple[str, tuple[int, ...]]]] = [[] for _ in self._layers]
        for index, name, shape in engine.weight_names():
            parts[index].append((name, tuple(shape)))
        weights: list[Array] = []
        sample = first_sample or self._sample_shape or ()
        for layer, mine in zip(self._layers, parts, strict=True):
            kept = layer.get_weights() if layer.built else None
            if kept is None or [w.shape for w in kept] != [shape for _, shape in mine]:
                kept = layer.initial_weights(mine, self._dtype, self._rng, sample)
            sample = layer.output_of(sample)
            weights += [
                as_float(weight, self._dtype, "Sequential.build", "weight") for weight in kept
            ]
        engine.set_weights(weights)
        return engine

    def _adopt(self, engine: _core.Model) -> None:
        """Make this the model's engine; all that can fail comes before anything changes."""
        self._compile_engine(engine)
        self._engine = engine
        for index, layer in enumerate(self._layers):
            layer._bind(engine, index)
        self._bind_optimizer()

    def _rebind_layers(self) -> None:
        for layer in self._layers:
            layer._model = weakref.ref(self)

    def _compile_engine(self, engine: _core.Model) -> None:
        """Hand the core what `compile` was told; a model that does not train has nothing."""

    def _bind_optimizer(self) -> None:
        """Tie the optimizer to the engine, where there is one."""

    @property
    def built(self) -> bool:
        """Whether the model has weights."""
        return self._engine is not None

    @property
    def dtype(self) -> str:
        """The type of weights and computation."""
        return self._dtype.name

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of the input, the batch first, as None."""
        return (None, *self._built_engine().input_shape)

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of the output, the batch first, as None."""
        return (None, *self._built_engine().output_shape)

    @property
    def stateful(self) -> bool:
        """Whether a layer carries its state from batch to batch."""
        return any(isinstance(layer, Recurrent) and layer.stateful for layer in self._layers)

    def _built_engine(self) -> _core.Model:
        if self._engine is None:
            raise ValueError(
                "[Sequential] the model has no weights yet, for its input shape is not known: "
                "begin the layers with an Input, pass input_shape= to the first layer, or call "
                "build or fit"
            )
        return self._engine

    def core_config(self) -> Options:
        """Return the configuration from which the core makes this model."""
        config: Options = {
            "dtype": self._dtype.name,
            "input_shape": self._sample_shape or (),
            "layers": len(self._layers),
        }
        if self._batch_size is not None and self.stateful:
            config["batch_size"] = self._batch_size
        for index, layer in enumerate(self._layers):
            config |= {f"layers.{index}.{key}": value for key, value in layer.config().items()}
        return config

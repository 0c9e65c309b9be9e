"""The model of layers in a row, which may learn its input shape late.

Long, because it may be built in many ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from lstmfast import layers
from lstmfast._arrays import Array, as_dtype, as_float, shape_text
from lstmfast._checks import count, items, wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast._core import Model as Engine
from lstmfast._elsewhere import explain_setting
from lstmfast.layers import Input, InputLayer, Layer
from lstmfast.layers._symbolic import Node, Sample, Tensor, sample_shape
from lstmfast.layers.weights import WEIGHTS
from lstmfast.models._model import Model
from lstmfast.models.data import only, parts
from lstmfast.models.graph import Graph, free_name, row
from lstmfast.utils import Seed

_Result = TypeVar("_Result")


class Sequential(Model):
    """Layers in a row, as `keras.Sequential`.

    The input shape is given by an `Input` as the first item, by ``input_shape=`` on the first
    layer, or by the first data that the model sees.

    Parameters
    ----------
    layers : sequence of Layer, optional
        The layers, an `Input` first or not.
    trainable : bool
        Whether training changes the weights.
    name : str, optional
        The model's name.
    dtype : {"float32", "float64"}, optional
        The type of weights and computation; float32 unless the `Input` says otherwise.
    seed : int or numpy.random.Generator, optional
        For initial weights, shuffling and dropout; by default from
        `lstmfast.utils.set_random_seed`.

    Attributes
    ----------
    history : History
        What the latest `fit` returned, or was gathering when it was interrupted.
    stop_training : bool
        Set it to end training after the running batch or epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LSTM, Dense
    >>> from lstmfast.models import Sequential
    >>> x = np.linspace(0, 1, 15).reshape(15, 1, 1).repeat(3, axis=1)
    >>> y = x[:, 0]
    >>> model = Sequential([LSTM(50, activation="relu", input_shape=(3, 1)), Dense(1)], seed=0)
    >>> model.compile(optimizer="adam", loss="mse")
    >>> run = model.fit(x, y, epochs=200, batch_size=3, verbose=0)
    >>> run.history["loss"][-1] < 1e-3
    True
    >>> model.predict(x).shape
    (15, 1)
    """

    kind = "sequential"
    takes_list = False

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
        self._begin(name, trainable, seed)
        self._layers: list[Layer] = []
        self._dtype_given = dtype is not None
        self._dtype = as_dtype("float32" if dtype is None else dtype, "Sequential").name
        self._start: InputLayer | None = None  # the input, once its shape is known
        for layer in given:
            self._append(layer)
        self._build_if_known()

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
        before = len(self._layers), self._start
        self._append(layer)
        try:
            self._build_if_known()
        except Exception:
            del self._layers[before[0] :]
            self._start = before[1]
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
                self._engine = self._core = None
        except Exception:
            self._layers.append(layer)
            raise
        return layer

    def _append(self, layer: Layer | Input | InputLayer) -> None:
        if isinstance(layer, Input):
            layer = layer.layer
        if isinstance(layer, InputLayer):
            if self._layers or self._start is not None:
                raise ValueError("[Sequential.add] an Input must come first, and only once")
            if layer._dtype in ("float32", "float64") and not self._dtype_given:
                self._dtype = layer._dtype
            self._start = layer
            return
        if not isinstance(layer, Layer):
            raise wrong_kind("Sequential.add", "layer", layer, "a layer of lstmfast.layers")
        if layer.problem_in_row is not None:
            raise ValueError(f"[Sequential.add] {layer!r}: {layer.problem_in_row}")
        if any(each is layer for each in self._layers):
            raise ValueError(f"[Sequential.add] {layer!r} is in this model already")
        taken = {each.name for each in self._layers}
        if layer.name is None or (layer._numbered and layer.name in taken):
            layer._rename(free_name(layer.kind, taken))
        elif layer.name in taken:
            raise ValueError(f"[Sequential.add] two layers would be called {layer.name!r}")
        if not self._layers and self._start is None:
            shape = None if isinstance(layer, Model) else layer.input_shape
            if isinstance(layer, Model) and layer.built:
                shape = layer.inputs[0].sample
            if shape is not None:
                self._start = InputLayer(shape, layer.batch_size)
        self._layers.append(layer)

    # -- building ----------------------------------------------------------------------------

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights.

        Parameters
        ----------
        input_shape : tuple of int or None, optional
            The shape of the input with the batch first, as None; needed where no layer says it.
        """
        where = "Sequential.build"
        if input_shape is not None:
            sizes = items(input_shape, "input_shape", where, "a tuple")
            shape = sample_shape(sizes[1:], where)
            if self._start is not None and self._start.sample != shape:
                raise ValueError(
                    f"[{where}] input_shape is {shape_text((None, *shape))}; the model has "
                    f"{shape_text((None, *self._start.sample))}"
                )
            if self._engine is None:
                batch = None if sizes[0] is None else count(sizes[0], "input_shape", where)
                if self._start is None or batch is not None:
                    self._start = InputLayer(shape, batch)
        if self._start is None:
            raise ValueError("[Sequential.build] the input shape is not known")
        if not self._layers:
            raise ValueError("[Sequential.build] the model has no layers")
        if self._engine is None:
            self._build()

    def _build_if_known(self) -> None:
        if self._layers and self._start is not None:
            self._build()

    def _build_for(self, x: Any, where: str) -> None:
        if not self._layers:
            raise ValueError(f"[{where}] the model has no layers")
        ((name, value),) = parts(x, ["input_layer"], where, "x")
        array = self._first_array(value, where, name)
        shape = array.shape[1:]
        # any number of steps from then on, where the shapes of weights do not depend on it
        steps = len(shape) if self._layers[0].takes_ids else len(shape) - 1
        open_shape = (*[None] * steps, *shape[steps:]) if len(shape) > 1 or steps else shape
        try:
            self._build_late(open_shape, shape)
        except ValueError:
            if open_shape == shape:
                raise
            self._build_late(shape, shape)

    def _first_array(self, x: Any, where: str, name: str) -> Array:
        sequences = any(layer.steps_of_dim for layer in self._layers)
        is_array = isinstance(x, list | tuple) and hasattr(next(iter(x), None), "ndim")
        array = only(x, 2 if is_array and not sequences else 3)
        array = as_float(array, np.dtype(self._dtype), where, name)
        if array.ndim < 2:
            raise ValueError(
                f"[{where}] x has shape {shape_text(array.shape)}; expected (samples, steps, "
                "features) or (samples, features)"
            )
        return array

    def _build_late(self, shape: Sample, first_sample: Sample | None = None) -> None:
        before, self._start = self._start, InputLayer(shape)
        try:
            self._build(first_sample)
        except BaseException:
            self._start = before
            raise

    def _build(self, first_sample: Sample | None = None) -> None:
        for layer in self._layers:
            if layer.dtype not in (None, self._dtype) and not isinstance(layer, Sequential):
                raise ValueError(
                    f"[Sequential] {layer.name} has dtype {layer.dtype}; expected {self._dtype}, "
                    "the model's, or none"
                )
        start: Tensor = self._start_tensor()
        dtype = str(self._dtype)
        drawn = self._rng.bit_generator.state
        cores: dict[Layer, CoreLayer] = {}
        nodes: list[Node] = []
        sample: Sample = first_sample or start.sample
        samples: list[Sample] = []
        tensor = start
        try:
            for layer in self._layers:
                cores[layer], node = layer._plan([tensor], dtype)
                nodes.append(node)
                samples.append(sample)
                sample = tuple(cores[layer].connect([sample])[0])
                tensor = Tensor(node)
            graph = row(start, nodes)
            # one memory for all weights, before they are drawn
            engine = Engine(graph.core(dtype, in_a_row=True, cores=cores))
            for layer, sample in zip(self._layers, samples, strict=True):
                if not layer.built:
                    layer._draw(cores[layer], self._rng, sample)
            self._tell(engine, self._compiled)
        except BaseException:
            self._rng.bit_generator.state = drawn  # the next build draws the same weights
            raise
        for layer, node in zip(self._layers, nodes, strict=True):
            layer._adopt(cores[layer], [node.inputs[0].sample])
            layer._add_node(node)
            if not self._trainable:
                layer.trainable = False
        self._take(graph, engine)

    def _start_tensor(self) -> Input:
        """Return the input as a tensor, in the model's dtype."""
        assert self._start is not None
        if self._start._dtype in (None, "float32", "float64"):
            self._start._dtype = self._dtype
        if self._start.name is None:
            self._start._rename("input_layer")
        return Input.of(self._start)

    def _built_core(self) -> CoreLayer:
        if self._core is None:
            raise ValueError(
                "[Sequential] the model has no weights yet, for its input shape is not known: "
                "begin the layers with an Input, pass input_shape= to the first layer, or call "
                "build or fit"
            )
        return self._core

    def _shown_graph(self) -> Graph | None:
        return None

    def _names_of_outputs(self) -> list[str]:
        return [str(self._layers[-1].name) if self._layers else "output"]

    # -- as a layer --------------------------------------------------------------------------

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the model out of another `Sequential`: nothing."""
        return None

    def _plan(self, inputs: Sequence[Tensor], dtype: str | None = None) -> tuple[CoreLayer, Node]:
        if not self.built:
            floats = [tensor.dtype for tensor in inputs if tensor.dtype.startswith("float")]
            if not self._dtype_given:
                self._dtype = dtype or next(iter(floats), self._dtype)
            self._build_late(inputs[0].sample)
        return super()._plan(inputs, dtype)

    def _new_core(self, dtype: str, shapes: Sequence[Sample]) -> CoreLayer:
        if not self.built:
            self._dtype = self._dtype if self._dtype_given else dtype
            self._build_late(shapes[0])
        return self._built_core()

    # -- descriptions ------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes a like model from, with new weights."""
        start = self._start
        return {
            "name": self.name,
            "dtype": self._dtype,
            "input_shape": None if start is None else start.sample,
            "batch_size": None if start is None else start.batch_size,
            "layers": [
                {"class_name": type(layer).__name__, "config": layer.get_config()}
                for layer in self._layers
            ],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, seed: Seed = None) -> Sequential:
        """Make a model, with new weights, from what `get_config` returned."""
        if not isinstance(config, Mapping):
            raise wrong_kind("Sequential.from_config", "config", config, "a dictionary")
        if "layers" not in config:
            raise ValueError("[Sequential.from_config] config lacks layers; expected get_config()")
        shape = config.get("input_shape")
        made: list[Layer | Input] = (
            [] if shape is None else [Input(shape, config.get("batch_size"))]
        )
        each = items(config["layers"], "layers", "Sequential.from_config", "a list")
        made += [layers.from_config(one) for one in each]
        return cls(made, name=config.get("name"), dtype=config.get("dtype"), seed=seed)


explain_setting(
    Sequential,
    {
        "layers": "call add() and pop()",
        **{name: f"call compile({name}=...)" for name in ("optimizer", "loss", "metrics")},
        **dict.fromkeys(WEIGHTS, "call set_weights()"),
    },
)

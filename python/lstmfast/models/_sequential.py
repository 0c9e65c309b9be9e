"""The model of layers in a row, which may learn its input shape late.

Long, because it may be built in many ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array, as_dtype, as_float, shape_text, wrong_shape
from lstmfast._checks import items, wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast._core import Model as CoreModel
from lstmfast._elsewhere import explain_setting
from lstmfast.layers import Input, InputLayer, Layer, TextVectorization
from lstmfast.layers._graph import free_name, graph_between, layers_of
from lstmfast.layers._symbolic import Node, Sample, Tensor, sample_shape, split_batch
from lstmfast.layers.base import serialize
from lstmfast.models._model import Model
from lstmfast.models.data import only, parts
from lstmfast.models.ragged import Padded, padded, ragged_lengths
from lstmfast.models.saving import all_layers
from lstmfast.utils import Seed


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
    _text: TextVectorization | None = None  # the first layer, which the core does not know

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
        self._dtype = None if dtype is None else as_dtype(dtype, "Sequential").name
        self._layers: list[Layer] = []
        self._start: InputLayer | None = None  # the input, once its shape is known
        added: list[Layer] = []
        start = None
        for layer in given:
            start = self._append(layer, added, start)
        self._become(added, start)

    # -- layers ------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, in a list of your own: `add` and `pop` change the model's."""
        return [*([] if self._text is None else [self._text]), *self._layers]

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
        self._check_trains("Sequential.add")

        def add() -> None:
            layers = list(self._layers)
            self._become(layers, self._append(layer, layers, self._start))

        self._alone("Sequential.add", add)

    def pop(self) -> Layer | None:
        """Remove the last layer and return it; None where there is none."""
        layers = list(self._layers)
        last: Layer | None = layers.pop() if layers else self._text
        start = self._start
        if last is self._text:
            self._text = start = None
        self._alone("Sequential.pop", lambda: self._become(layers, start))
        return last

    def _alone(self, where: str, change: Callable[[], None]) -> None:
        """Make a change after which there is another core model: a fit would go on with this."""
        if self._core_model is None:
            change()
        else:
            self._core_model.alone(where, change)

    def _append(
        self, layer: Layer | Input, layers: list[Layer], start: InputLayer | None
    ) -> InputLayer | None:
        """Append to the layers, and return the input: this one, or what the first layer says."""
        if isinstance(layer, Input):
            layer = layer.layer
        if isinstance(layer, InputLayer):
            if layers or start is not None:
                raise ValueError("[Sequential.add] an Input must come first, and only once")
            if layer._dtype in ("float32", "float64"):
                self._dtype = self._dtype or layer._dtype
            return layer
        if not isinstance(layer, Layer):
            raise wrong_kind("Sequential.add", "layer", layer, "a layer of lstmfast.layers")
        if layer.problem_in_row is not None:
            raise ValueError(f"[Sequential.add] {layer!r}: {layer.problem_in_row}")
        if any(each is layer for each in layers):
            raise ValueError(f"[Sequential.add] {layer!r} is in this model already")
        taken = {each.name for each in [*layers, *([] if self._text is None else [self._text])]}
        if layer.name is None or (layer._numbered and layer.name in taken):
            layer._rename(free_name(layer.kind, taken))
        elif layer.name in taken:
            raise ValueError(f"[Sequential.add] two layers would be called {layer.name!r}")
        if isinstance(layer, TextVectorization):
            if layers or self._text or (start is not None and start._dtype != "string"):
                raise ValueError(
                    "[Sequential.add] TextVectorization must come first, but for an Input of "
                    "dtype='string'"
                )
            self._text = layer
            return self._text_start()
        layers.append(layer)
        if len(layers) == 1 and start is None and self._text is None:
            if not isinstance(layer, Model):
                shape = layer.input_shape
            else:
                shape = layer.inputs[0].sample if layer.built else None
            return None if shape is None else InputLayer(shape, layer.batch_size)
        return start

    # -- building ----------------------------------------------------------------------------

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Make the weights.

        Parameters
        ----------
        input_shape : tuple of int or None, optional
            The shape of the input with the batch first, as None; needed where no layer says it.
        """
        where, start = "Sequential.build", self._start
        if self._text is not None:
            start, input_shape = self._text_start(), None
        if input_shape is not None:
            batch, sample = split_batch(input_shape, where, "input_shape")
            shape = sample_shape(sample, where)
            if start is not None and start.sample != shape:
                raise ValueError(
                    f"[{where}] input_shape is {shape_text((None, *shape))}; the model has "
                    f"{shape_text((None, *start.sample))}"
                )
            if start is None or batch is not None:
                start = InputLayer(shape, batch)
        if start is None:
            raise ValueError("[Sequential.build] the input shape is not known")
        if not self._layers:
            raise ValueError("[Sequential.build] the model has no layers")
        if self._core_model is None:
            self._become(self._layers, start)

    def _text_start(self) -> InputLayer | None:
        """Return what the layers after a TextVectorization take, once that is known."""
        assert self._text is not None
        dtype, sample = "int32" if self._text.output_mode == "int" else None, self._text.sample
        return None if sample is None else InputLayer(sample, dtype=dtype)

    def _build_for(self, x: Any, where: str) -> None:
        if not self._layers:
            after = " after TextVectorization; call that layer itself" if self._text else ""
            raise ValueError(f"[{where}] the model has no layers{after}")
        if self._text is not None:
            start = self._text_start()
            if start is None:
                raise ValueError(
                    f"[{where}] {self._text.name} has no vocabulary; call its adapt or "
                    "set_vocabulary first"
                )
            return self._become(self._layers, start)
        given = x.x if isinstance(x, Padded) else x
        ((name, value),) = parts(given, ["input_layer"], where, "x")
        array = self._first_array(value, where, name)
        shape = array.shape[1:]
        # any number of steps from then on, where the shapes of weights do not depend on it
        steps = len(shape) if self._layers[0].takes_ids else len(shape) - 1
        open_shape = (*[None] * steps, *shape[steps:]) if len(shape) > 1 or steps else shape
        try:
            self._become(self._layers, InputLayer(open_shape), shape)
        except ValueError:
            if open_shape == shape:
                raise
            self._become(self._layers, InputLayer(shape), shape)

    def _first_array(self, x: Any, where: str, name: str) -> Array:
        sequences = any(layer.steps_of_dim for layer in self._layers)
        is_array = isinstance(x, list | tuple) and hasattr(next(iter(x), None), "ndim")
        array = only(x, 2 if is_array and not sequences else 3)
        lengths = ragged_lengths(array)
        if lengths is not None:
            array = padded(array, lengths, None, where, name)
        array = as_float(array, np.dtype(self._dtype or "float32"), where, name)
        if array.ndim < 2:
            expected = "(samples, steps, features) or (samples, features)"
            raise wrong_shape(where, "x", array.shape, expected)
        return array

    def _become(
        self, layers: list[Layer], start: InputLayer | None, first_sample: Sample | None = None
    ) -> None:
        """Have these layers and this input, with weights as soon as its shape is known.

        Nothing changes where they do not go together. first_sample: the shape of the first data.
        """
        before = self._layers, self._start
        self._layers, self._start = layers, start
        try:
            if layers and start is not None:
                self._build(start, first_sample or start.sample)
            else:
                self._core_model = self._core = None
        except BaseException:
            self._layers, self._start = before
            raise

    def _build(self, start: InputLayer, sample: Sample) -> None:
        dtype = self._dtype or "float32"
        given = start._dtype or dtype
        kind = dtype if given.startswith("float") else given
        x = Input(start.sample, start.batch_size, kind, start.name or "input_layer")
        before: list[tuple[Layer, CoreLayer | None]] = []
        plan: list[tuple[Layer, CoreLayer, Node, Sample]] = []
        tensor: Tensor = x
        drawn = self._rng.bit_generator.state
        try:
            for layer in self._layers:
                core, node = layer._plan([tensor], dtype)
                plan.append((layer, core, node, sample))
                sample = core.connect([sample])[0]
                tensor = Tensor(node)
            graph = graph_between([x], [tensor])
            cores = {layer: core for layer, core, *_ in plan}
            # one memory for all weights, before they are drawn
            core_model = CoreModel(graph.core(dtype, in_a_row=True, cores=cores))
            for layer, core, _, sample in plan:
                if not layer.built:
                    layer._draw(core, self._rng, sample)
            before = [(layer, layer._core) for layer in all_layers(self)]
            for layer, core, node, _ in plan:
                layer._adopt(core, [node.inputs[0].sample])
            self._compile_core(core_model, self._compiled)
            for layer, _, node, _ in plan:
                layer._add_node(node)
                if not self._trainable:
                    layer.trainable = False
            self._take(graph, core_model)
        except BaseException:
            for layer, earlier in before:
                layer._core = earlier
            self._rng.bit_generator.state = drawn  # the next build draws the same weights
            raise

    def _built_core(self) -> CoreLayer:
        if self._core is None:
            raise ValueError(
                "[Sequential] the model has no weights yet, for its input shape is not known: "
                "begin the layers with an Input, pass input_shape= to the first layer, or call "
                "build or fit"
            )
        return self._core

    def _names_of_outputs(self) -> list[str]:
        return [str(self._layers[-1].name) if self._layers else "output"]

    # -- as a layer --------------------------------------------------------------------------

    def _new_core(self, dtype: str, shapes: Sequence[Sample]) -> CoreLayer:
        if not self.built:
            self._dtype = self._dtype or dtype
            self._become(self._layers, InputLayer(shapes[0]))
        return self._built_core()

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the model out of a `Sequential`: that it takes texts."""
        return "it takes texts; expected its layers" if self._text else super().problem_in_row

    def _check_inputs(self, inputs: Sequence[Tensor]) -> None:
        if self._text is not None:
            raise ValueError(
                "[Sequential] the model takes texts and is called with a tensor; expected arrays"
            )

    # -- descriptions ------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes a like model from, with new weights."""
        start = self._start
        return {
            "name": self.name,
            "dtype": self.dtype,
            "input_shape": None if start is None or self._text else start.sample,
            "batch_size": None if start is None else start.batch_size,
            "layers": [serialize(layer) for layer in self.layers],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, seed: Seed = None) -> Sequential:
        """Make a model, with new weights, from what `get_config` returned.

        Parameters
        ----------
        config : dict
            What `get_config` returned.
        seed : int or numpy.random.Generator, optional
            As in `Sequential`.

        Returns
        -------
        Sequential
            A model that is not compiled.
        """
        made: list[Layer | Input] = layers_of(config, f"{cls.__name__}.from_config")
        if config.get("input_shape") is not None:
            made.insert(0, Input(config["input_shape"], config.get("batch_size")))
        return cls(made, name=config.get("name"), dtype=config.get("dtype"), seed=seed)


explain_setting(Sequential, {"layers": "call add() and pop()"})

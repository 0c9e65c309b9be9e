"""The model: a graph of layers that trains, and is a layer itself.

Long, because each of Keras's methods is here; what they do lies in the other modules.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakMethod

from lstmfast._arrays import ArrayLike, ResultArray
from lstmfast._checks import flag, integer, string, wrong_kind
from lstmfast._core import Layer as CoreLayer
from lstmfast._core import Model as CoreModel
from lstmfast._elsewhere import explain_setting
from lstmfast._files import is_of_keras, path_text
from lstmfast._keras_names import explain_attributes
from lstmfast._pickles import marked, restoring
from lstmfast._warnings import warn
from lstmfast.layers import Input, Layer
from lstmfast.layers._calls import without_place
from lstmfast.layers._graph import (
    Graph,
    graph_between,
    layers_of,
    name_layers,
    replayed,
    tensors_of,
)
from lstmfast.layers._symbolic import Sample, Tensor, holds_tensors, one_or_all
from lstmfast.models import json_files, keras_weights, keras_writing, saving
from lstmfast.models.data import Adapter, parts, samples_of
from lstmfast.models.ragged import lengths_of, with_lengths
from lstmfast.models.summary import summary_text
from lstmfast.models.training import Training
from lstmfast.utils import Seed, as_generator, draw_seed

# what Keras lets a model's class do for itself at each batch
_IN_PYTHON = (
    "train_step", "test_step", "predict_step", "compute_loss", "compute_metrics", "metrics",
    "make_train_function", "make_test_function", "make_predict_function",
)  # fmt: skip


class Model(Training, Layer):
    """What lies between inputs and outputs: a graph of layers, as `keras.Model`.

    A model is a layer too: called with tensors it is part of other models, which share its weights.

    Parameters
    ----------
    inputs, outputs : tensor, or list or dictionary of tensors
        What the graph takes, and what it returns: an `Input`, and what layers returned that were
        called with it. By a dictionary's names, else by those of inputs and layers, data and losses
        may be given in dictionaries; of several outputs `predict` returns a list, or a dictionary.
        In lists the values of a dictionary stand in the order of its sorted names, as in Keras.
    name : str, optional
        The model's name.
    trainable : bool
        Whether training changes the weights.
    seed : int or numpy.random.Generator, optional
        For shuffling and dropout; by default from `lstmfast.utils.set_random_seed`.

    Attributes
    ----------
    history : History
        What the latest `fit` returned, or was gathering when it was interrupted.
    stop_training : bool
        Set it to end training after the running batch or epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LSTM, Dense, Input
    >>> from lstmfast.models import Model
    >>> x = Input((None, 1), name="x")
    >>> state = LSTM(8)(x)
    >>> model = Model(x, [Dense(1, name="mean")(state), Dense(1, name="spread")(state)])
    >>> model.compile("adam", "mse")
    >>> run = model.fit(np.ones((4, 3, 1)), [np.ones((4, 1)), np.zeros((4, 1))], verbose=0)
    >>> list(run.history)
    ['loss', 'mean_loss', 'spread_loss']
    """

    kind = "functional"
    takes_list = True
    name: str
    _graph: Graph
    _input_keys: list[str] | None = None  # of a dictionary
    _decodes = False  # an EncoderDecoder
    _order: Sequence[Layer] = ()  # of the layers in the core, where it is another than `layers` has

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
        *,
        seed: Seed = None,
    ) -> None:
        if inputs is None or outputs is None:
            raise TypeError(
                "[Model] expected inputs and outputs: Model(x, Dense(1)(x)) with x = Input(...); "
                "a class derived from Model gives them to super().__init__()"
            )
        self._begin(name, trainable, seed)
        starts, self._input_keys = tensors_of(inputs, "inputs")
        ends, self._output_keys = tensors_of(outputs, "outputs")
        if len(set(starts)) < len(starts):
            raise ValueError("[Model] an input is given twice; expected each once")
        graph = graph_between(starts, ends)
        name_layers(graph.layers)
        floats = [node.dtype for node in graph.nodes] + [tensor.dtype for tensor in starts]
        dtype = next((each for each in floats if each.startswith("float")), "float32")
        self._take(graph, CoreModel(graph.core(dtype)))
        if not trainable:
            self.trainable = False

    def __init_subclass__(cls) -> None:
        """Refuse what would have to run in Python for every batch."""
        super().__init_subclass__()
        if cls.__module__.partition(".")[0] == "lstmfast":
            return
        for name in _IN_PYTHON:
            if name in vars(cls):
                raise TypeError(
                    f"[{cls.__name__}] has {name}, which is not available in this version: the "
                    "core trains and predicts; use losses, metrics and callbacks of your own"
                )

    def _begin(self, name: str | None, trainable: bool, seed: Seed) -> None:
        where = self.where
        self._numbered = name is None
        self.name = self.kind if name is None else string(name, "name", where)
        self._trainable = flag(trainable, "trainable", where)
        self._rng = as_generator(seed, where)

    # a layer's refuses changes of what is built
    __setattr__ = object.__setattr__  # type: ignore[assignment]

    def _take(self, graph: Graph, core_model: CoreModel) -> None:
        """Make this the model's graph; all that can fail comes before anything changes."""
        core = core_model.graph
        core.name = self.name
        names = self._input_keys or graph.input_names
        hear = WeakMethod(self._hear_of_masks)
        adapter = Adapter(names, core_model, core.dtype, hear, self._text)
        self._warn_of_ends(graph, core_model, [])
        self._bind_optimizer(core_model)
        if core_model.draws:
            core_model.set_seed(draw_seed(self._rng))
        self._graph, self._core_model, self._core, self._adapter = graph, core_model, core, adapter

    def _hear_of_masks(self, masked: list[bool]) -> None:
        assert self._core_model is not None
        self._warn_of_ends(self._graph, self._core_model, masked)

    def _warn_of_ends(self, graph: Graph, core_model: CoreModel, masked: list[bool]) -> None:
        """Warn of layers that drop a mask, given which inputs have one."""
        for place in core_model.mask_ends(masked):
            layer = graph.nodes[place - len(graph.inputs)].layer
            if not layer._has_warned:
                layer._has_warned = True
                warn(
                    f"[{self.where}] the mask ends at {layer.name}: layers after it, and the loss, "
                    "take masked steps for real ones"
                )

    @property
    def where(self) -> str:
        """How error messages call this model."""
        return type(self).__name__

    # -- the graph ---------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, in a list of your own, as Keras orders them: inputs first."""
        return list(self._graph.layers)

    def layers_inside(self) -> Mapping[str, Layer]:
        """Return the layers by their places."""
        return {str(place): layer for place, layer in enumerate(self._order or self.layers)}

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its place.

        Parameters
        ----------
        name : str, optional
            The layer's name. Either this or `index` must be given.
        index : int, optional
            The layer's place in `layers`.

        Returns
        -------
        Layer
            The layer itself, not a copy.

        Raises
        ------
        ValueError
            Where there is no such layer; the message lists the names.
        """
        layers, where = self.layers, f"{self.where}.get_layer"
        if (name is None) == (index is None):
            raise ValueError(f"[{where}] expected either a name or an index")
        if index is not None:
            try:
                return layers[integer(index, "index", where)]
            except IndexError:
                raise ValueError(
                    f"[{where}] index is {index}; there are {len(layers)} layers"
                ) from None
        for layer in layers:
            if layer.name == string(name, "name", where):
                return layer
        names = ", ".join(str(layer.name) for layer in layers)
        raise ValueError(f"[{where}] no layer is called {name!r}; there are: {names}")

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors that the model takes."""
        self._built_core()
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that the model returns."""
        self._built_core()
        return list(self._graph.outputs)

    @property
    def input(self) -> Any:
        """The tensor that the model takes, or the list of several."""
        return one_or_all(self.inputs)

    @property
    def output(self) -> Any:
        """The tensor that the model returns, or the list of several."""
        return one_or_all(self.outputs)

    @property
    def input_shape(self) -> Any:  # type: ignore[override]
        """The shape of the input, the batch first, as None; a list of those of several."""
        return one_or_all([(None, *tensor.sample) for tensor in self.inputs])

    @property
    def output_shape(self) -> Any:
        """The shape of the output, the batch first, as None; a list of those of several."""
        return one_or_all([(None, *tensor.sample) for tensor in self.outputs])

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that compute the outputs."""
        return [str(tensor.node.layer.name) for tensor in self.outputs]

    @property
    def metadata(self) -> dict[str, Any]:
        """What else is known of the model, of your choice: names of classes, a vocabulary, a unit.

        Files, copies and pickles hold it; it changes nothing that the model computes. Values are
        what JSON can hold: texts, numbers, None, lists, and dictionaries with texts as keys.
        ``lstmfast predict`` and ``generate`` use these: "labels", names of the classes that the
        model tells apart; "vocabulary", names of the tokens that it takes, in the order of their
        ids, with "steps", to which shorter texts are filled up with the id 0, "blanks", "before" or
        "after" them; of tables "columns", their names, "mean" and "deviation", by which they are
        scaled, "padding" for a step without any number, and "rows", "sequences" where a row is no
        step but a sequence; "answers", a dictionary with the "deviation" by which predictions are
        multiplied.

        Examples
        --------
        >>> from lstmfast.layers import LSTM, Dense
        >>> from lstmfast.models import Sequential
        >>> layers = [LSTM(4, input_shape=(None, 1)), Dense(2, activation="softmax")]
        >>> model = Sequential(layers)
        >>> model.metadata["labels"] = ["up", "down"]
        """
        found: dict[str, Any] = self.__dict__.setdefault("_metadata", {})
        return found

    @metadata.setter
    def metadata(self, value: Mapping[str, Any]) -> None:
        if not isinstance(value, Mapping):
            raise wrong_kind(self.where, "metadata", value, "a dictionary")
        self.__dict__["_metadata"] = dict(value)

    def _names_of_outputs(self) -> list[str]:
        return self._output_keys or self.output_names

    # -- as a layer --------------------------------------------------------------------------

    @property
    def problem_in_row(self) -> str | None:
        """What keeps the model out of a `Sequential`, where each takes and returns one array."""
        if not self.takes_list or len(self.inputs) == len(self.outputs) == 1:
            return None
        counts = f"{len(self.inputs)} inputs and {len(self.outputs)} outputs"
        return f"it has {counts}; call it with tensors"

    def _new_core(self, dtype: str, shapes: Sequence[Sample]) -> CoreLayer:
        return self._built_core()

    def _adopt(self, core: CoreLayer, shapes: Sequence[Sample]) -> None:
        if core is self._core:
            return
        core_model = CoreModel(core)
        for layer, handle in zip(
            self._graph.computing, core_model.structure["layers"], strict=True
        ):
            layer._adopt(handle, layer._shapes)
        self._take(self._graph, core_model)

    def _tensors(self, x: Any) -> list[Tensor]:
        names = self._adapter.names if self.built else ["x"]
        each = [value for _, value in parts(x, names, self.where, "x")]
        return super()._tensors(each if len(each) > 1 else each[0])

    def _ports(self, count: int) -> Sequence[int]:
        return range(count)

    def _joined(self, tensors: list[Tensor], mask: Any, training: Any) -> Any:
        found = super()._joined(tensors, mask, training)
        return self._packed(found if isinstance(found, list) else [found])

    def __call__(  # type: ignore[override]
        self,
        x: Any = None,
        training: bool | None = None,
        mask: ArrayLike = None,
        *,
        inputs: Any = None,
        lengths: ArrayLike = None,
    ) -> Any:
        """Return the outputs for all samples, computed as one batch; for tensors, tensors.

        Parameters
        ----------
        x : array_like or tensor
            The samples, as in `fit`; or tensors in the same form.
        training : bool, optional
            Do what is random, as dropout is, and move the averages of `BatchNormalization`; None is
            False. Nothing else is learnt.
        mask : array_like of bool, optional
            (N, T): False where a step does not count; a list of those of several inputs.
        inputs : optional
            Keras's name of x.
        lengths : array_like of int, optional
            As in `predict`.

        Returns
        -------
        numpy.ndarray or tensor
            (N, *output_shape), steps after the end of a sample being masked; a list of these, or a
            dictionary, of several outputs. Arrays have TensorFlow's method ``numpy()``.
        """
        x = inputs if x is None else x
        if holds_tensors(x):
            if lengths is not None:
                raise ValueError("[call] lengths is given with a tensor; expected None")
            return self._joined(self._tensors(x), mask, training)
        random = training is not None and flag(training, "training", "call")
        x = with_lengths(x, lengths)
        core_model = self._core_model_for(x, "call")
        data = self._adapter.checked(x, "call")
        if not random and mask is None:
            return self._shown(core_model.predict(data, max(1, samples_of(data))))
        if mask is not None and any(lengths_of(each) is not None for each in data):
            raise ValueError(
                "[call] mask is given; expected None next to samples that differ in length"
            )
        masks = mask if len(data) > 1 and mask is not None else [mask]
        outputs = range(len(self.outputs))
        return self._shown(self._compute(self._built_core(), data, masks, random, outputs)[0])

    def _shown(self, outputs: list[Any]) -> Any:
        return self._packed([array.view(ResultArray) for array in outputs])

    # -- weights -----------------------------------------------------------------------------

    def weight_parts(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return name and shape of each weight array, in the order of `get_weights`."""
        self._built_core()
        return [(weight.path.replace("/", "."), weight.shape) for weight in self.weights]

    # -- reduced precision -------------------------------------------------------------------

    def astype(self, dtype: str) -> Model:
        """Return a model for inference with kernels in half the bytes; this one stays as it is.

        Kernels of LSTM, GRU, SimpleRNN and Dense become bfloat16, each number rounded to the
        nearest with 8 significant bits. All sums are float32, and so are biases, norms, embedding
        tables and the weights of other layers: outputs are those of a model in float32 with such
        numbers as its weights, bit for bit. It is worth it where the weights exceed the cache:
        see ``docs/reduced_precision.md``.

        Parameters
        ----------
        dtype : {"bfloat16"}
            What kernels become.

        Returns
        -------
        Model
            A model with the weights as they are now, which predicts, generates, is saved and
            copied, but neither compiled nor trained. `get_weights` returns the rounded numbers.

        Raises
        ------
        ValueError
            For another dtype, a model in float64 or in reduced precision, or without such layers.

        Examples
        --------
        >>> from lstmfast.layers import LSTM, Dense
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([LSTM(64, input_shape=(None, 8)), Dense(1)])
        >>> half = model.astype("bfloat16")
        >>> half.precision, half.layers[0].kernel.dtype, half.layers[0].bias.dtype
        ('bfloat16', 'bfloat16', 'float32')
        """
        if dtype != "bfloat16":
            raise ValueError(f"[astype] dtype is {dtype!r}; expected 'bfloat16'")
        made: Model = saving.reduced(self, dtype, "astype")
        return made

    def quantize(self, dtype: str) -> Model:
        """Return a model for inference with kernels in a quarter of the bytes; this one stays.

        Kernels of LSTM, GRU, SimpleRNN and Dense become whole numbers from -127 to 127 and a scale
        for each column, of W and R together. What they are multiplied with, x and h of a step,
        becomes such a row of whole numbers too, with one scale; sums of their products are exact.
        All else is float32, as in `astype`.

        Parameters
        ----------
        dtype : {"int8"}
            What kernels become.

        Returns
        -------
        Model
            As `astype` returns it. An input or state that is not finite makes NaN.

        Raises
        ------
        ValueError
            As `astype`, and for weights that are not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from lstmfast.layers import LSTM, Dense
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([LSTM(64, input_shape=(None, 8)), Dense(1)], seed=0)
        >>> x = np.random.default_rng(0).normal(size=(4, 20, 8))
        >>> bool(abs(model.quantize("int8").predict(x) - model.predict(x)).max() < 0.02)
        True
        """
        if dtype != "int8":
            raise ValueError(f"[quantize] dtype is {dtype!r}; expected 'int8'")
        made: Model = saving.reduced(self, dtype, "quantize")
        return made

    # -- descriptions, files, copies ---------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes a like model from, with new weights."""
        keys = {"input_keys": self._input_keys, "output_keys": self._output_keys}
        return {
            "name": self.name,
            "trainable": self._trainable,
            **self._graph.described(self._core_model_for(None, "get_config").structure),
            **{key: value for key, value in keys.items() if value is not None},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], *, seed: Seed = None) -> Model:
        """Make a model, with new weights, from what `get_config` returned.

        Parameters
        ----------
        config : dict
            What `get_config` returned.
        seed : int or numpy.random.Generator, optional
            As in `Model`.

        Returns
        -------
        Model
            A model that is not compiled.
        """
        where = f"{cls.__name__}.from_config"
        each = layers_of(config, where, "input_layers", "nodes", "outputs")
        names = [one["name"] for one in config["layers"]]
        made: dict[str, Any] = dict(zip(names, each, strict=True))
        starts: list[Any] = [Input.of(made[name]) for name in config["input_layers"]]
        ends: list[Any] = replayed(config, starts, made)[0]
        keys = config.get("input_keys"), config.get("output_keys")
        name, trainable = config.get("name"), config.get("trainable", True)
        return cls._over(starts, ends, *keys, name, trainable, seed=seed)

    @classmethod
    def _over(
        cls,
        starts: list[Any],
        ends: list[Any],
        input_keys: Sequence[str] | None,
        output_keys: Sequence[str] | None,
        *options: Any,
        seed: Seed = None,
    ) -> Model:
        given = [
            one_or_all(each) if keys is None else dict(zip(keys, each, strict=True))
            for each, keys in ((starts, input_keys), (ends, output_keys))
        ]
        return cls._between(*given, *options, seed=seed)

    @classmethod
    def _between(cls, inputs: Any, outputs: Any, *options: Any, seed: Seed) -> Model:
        return cls(inputs, outputs, *options, seed=seed)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers with their output shapes and sizes, in Keras's table.

        Where layers stand in no row, a column says what each takes: ``lstm[0][1]`` is output 1 of
        the first use of the layer ``lstm``. Other than Keras's, the sums are of weights alone,
        without the optimizer's slots; lines are never cut at the width of the terminal, and have no
        colours.

        Parameters
        ----------
        line_length : int, optional
            How wide the table is; by default as wide as Keras's, 76 on a terminal of 80 columns.
        positions : sequence of float, optional
            Where the columns end: shares of the width, or, where the last is above 1, characters.
        print_fn : callable, optional
            What takes the text, in place of `print`.
        expand_nested : bool
            Whether the layers of a model follow it, where it is a layer.
        show_trainable : bool
            Add a column: Y where training changes a layer's weights, N where not.
        layer_range : sequence of str, optional
            The names of the first and last layer shown, or regular expressions which these match.

        Examples
        --------
        >>> from lstmfast.layers import LSTM, Dense, Input
        >>> from lstmfast.models import Sequential
        >>> model = Sequential([Input((3, 1)), LSTM(50), Dense(1)], name="sum")
        >>> model.summary(line_length=60, print_fn=lambda text: print(text.splitlines()[-3]))
         Total params: 10,451 (40.82 KB)
        """
        if print_fn is not None and not callable(print_fn):
            raise wrong_kind("summary", "print_fn", print_fn, "a function of a text")
        text = summary_text(
            self, line_length, positions, expand_nested, show_trainable, layer_range
        )
        if print_fn is None:
            print(text)
        else:
            print_fn(f"{text}\n")

    save = saving.save_model

    def to_json(self, **options: Any) -> str:
        """Return the description of the model as Keras's files hold it, without weights.

        `lstmfast.models.model_from_json`, or Keras's, makes a like model of it.

        Parameters
        ----------
        **options
            Those of `json.dumps`.

        Raises
        ------
        ValueError
            Where the model holds what Keras lacks.
        """
        self._built_core()
        try:
            return json.dumps(keras_writing.described(self), **options)
        except ValueError as error:
            text = without_place(error).replace("a name that ends in .safetensors", "save()")
            raise ValueError(f"[to_json] {text}") from None

    _restore_training = saving.restore_training

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Save the model without the optimizer's state.

        Parameters
        ----------
        filepath : str or path-like
            Where to; usually ``NAME.safetensors``; ``NAME.weights.h5`` makes a file of Keras.
        overwrite : bool
            Whether a file of that name may be replaced.
        """
        path = path_text(filepath, "save_weights")
        if is_of_keras(path):
            replace = flag(overwrite, "overwrite", "save_weights")
            return saving.write(path, keras_writing.weights(self, path), replace)
        return self.save(path, overwrite, include_optimizer=False)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Take the weights from a saved model with the same layers.

        Parameters
        ----------
        filepath : str or path-like
            A file that `save` or `save_weights` wrote, or one of another program that `load_model`
            reads; of Keras ``.weights.h5``, too.

        Raises
        ------
        ValueError
            For a file of something else, and for weights that do not fit; nothing changes then.
        OSError
            Where the file cannot be read.
        """
        path = path_text(filepath, "load_weights")
        if is_of_keras(path):
            weights = keras_weights.load(path, self)
        elif (row_format := saving.row_format_of(path)) is not None:
            weights = json_files.read(path, row_format.read, "load_weights").weights
        else:
            weights = CoreModel.load(path, lambda *_: None)[0].graph.get_weights()
        try:
            self.set_weights(weights)
        except ValueError as error:
            raise ValueError(f"[load_weights] {path}: {without_place(error)}") from None

    def __getstate__(self) -> dict[str, Any]:
        return marked(saving.state_of(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        with restoring(state, type(self).__name__) as known:
            saving.restore(self, known)


explain_attributes(Model, "model")
explain_setting(
    Model,
    {
        "layers": "call the layers with tensors, and Model",
        **{name: f"call compile({name}=...)" for name in ("optimizer", "loss", "metrics")},
    },
)

"""The compiled core of lstmfast.

Arrays are NumPy arrays in C order of the object's own dtype (int64 for lengths, bool for resets);
the Python code above coerces what users pass. A wrong kind is a TypeError, wrong content a
ValueError, a refusal of the file system an OSError, a loss or gradient that is not finite a
FloatingPointError.

Letters: T steps, B batch, I input, H hidden, G gates, L layers.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol, TypeVar, final, overload

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[Any]
_Shape = tuple[int | None, ...]
_Result = TypeVar("_Result")
_Value = None | bool | int | float | str | tuple[int | None, ...]
_Options = dict[str, Any]
"""Flat dotted keys to typed values."""
_Data = _Array | tuple[_Array, ...]
_Validation = tuple[Sequence[_Data], Sequence[_Array | None], Sequence[_Array | None], int, bool]
"""What an input carries: values of the model's dtype, int32 ids, or both; then perhaps a mask."""

__version__: str

# Single kernels, for tests and benchmarks: activate(activation, x, slope=False),
# fma_peak(double_precision, seconds).
testing: ModuleType

def isa() -> str: ...
def available_isas() -> list[str]: ...
def compiled_isas() -> list[str]: ...
def config() -> dict[str, str]: ...
def item_types(sequences: list[Sequence[Any]]) -> set[type]: ...
def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def families() -> list[str]:
    """Return the families of components: "activation", "layer", "loss", ..."""

def kinds(family: str) -> list[str]: ...
def describe(family: str, kind: str) -> list[dict[str, Any]]:
    """Return a dict for each option of a component.

    name, takes (of "flag", "integer", "number", "text", "extents"), required, default, low and high
    (None: no bound), choices (empty: any) and expected, as errors say it.
    """

def check(family: str, kind: str, options: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the values of all options of a component, checked and normal.

    A wrong type is a TypeError and a wrong content a ValueError, which begin with ``[where]``.
    Options that are not given have their defaults. Options of parts are given by dotted keys.
    """

def scheduled_rate(
    options: dict[str, Any], step: float, custom: Callable[[int], float] | None = None
) -> float:
    """Return the learning rate after `step` steps, by a schedule of these options."""

def loss(
    kind: str,
    options: dict[str, Any],
    y_true: _Array,
    y_pred: _Array,
    sample_weight: _Array | None = ...,
    each: bool = ...,
) -> Any:
    """Return a loss by its reduction, as a float, or with `each` that of each row without weights.

    y_true, y_pred and sample_weight have the dtype of y_pred, whole numbers in y_true aside; there
    is a weight for each row.
    """

def write_file(path: str | os.PathLike[str], content: bytes, overwrite: bool = ...) -> None:
    """Write a file as Model.save does: the whole of it or nothing."""

def file_facts(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a model file holds and what the model will need, from the file's header.

    dtype; layers: name, kind, output shape and parameters of each; inputs: name, shape and the
    bound of ids, or 0; outputs: shapes; parameters; weight_bytes; loading_bytes; cannot_stream:
    why, or ""; stream_bytes; multiply_adds.
    """

def makes_dot_products(units: int) -> bool:
    """Return whether a Dense layer of so many units adds up its terms side by side."""

def draw_orthonormal_rows(rows: int, columns: int, seed: int, dtype: str) -> _Array:
    """Return a random matrix (rows, columns) of orthonormal rows, rows <= columns."""

class _Batches(Protocol):
    """Batches (x, y, weights), each as calls with arrays take them, in passes."""

    @property
    def batches(self) -> int | None:
        """Batches of a pass, where that is known."""

    def begin(self) -> object: ...
    def first(self) -> object:
        """Return what `next` returns first, which stays."""

    def next(self) -> object:
        """Return the pass's next batch; None at its end."""

    def end(self) -> object: ...

class Stream:
    """A sequence, or several side by side, computed step by step."""

    @overload
    def __init__(self, model: Model, rows: int, release_gil: bool) -> None:
        """Make one over the weights of now, which all streams of the same weights share."""

    @overload
    def __init__(self, other: Stream) -> None:
        """Make one that continues on its own from the state of another."""

    def step(self, x: Any, out: Any = None) -> Any:
        """Return the outputs of one step."""

    def process(self, block: Any, out: Any = None) -> Any:
        """Return the outputs of several steps."""

    def _compute(self, x: Sequence[Any], out: Sequence[Any], block: bool) -> list[_Array]:
        """Compute with arrays that are ready; anything else is an error."""

    def _take_weights(self, model: Model) -> bool:
        """Take the weights that the model has now; whether these are others."""

    def _get_state(self) -> _Array:
        """Return (rows, sum of _state_sizes)."""

    def _set_state(self, state: _Array) -> None:
        """Continue from there."""

    def _reset_rows(self, rows: Sequence[int] | None) -> None:
        """Begin new sequences; None: in all rows."""

    @property
    def _rows(self) -> int: ...
    @property
    def dtype(self) -> str: ...
    @property
    def _inputs(self) -> list[tuple[tuple[int, ...], int, bool]]:
        """Of each: a row's shape in a step, the bound of its ids or 0, whether it has steps."""

    @property
    def _outputs(self) -> list[tuple[tuple[int, ...], bool]]: ...
    @property
    def _state_sizes(self) -> list[int]: ...

@final
class Rnn:
    """Stacked LSTM layers in one or D = 2 directions, numbered n = layer * D + direction."""

    training_calls: int  # so far; the next call's random masks depend on it

    def __init__(self, options: dict[str, Any], dtype: str, seed: int) -> None:
        """Make layers whose parameters are zero, of the options that "rnn", "lstm" has."""

    def forward(
        self,
        x: object,
        state: object,
        lengths: object,
        resets: object,
        training: object,
        out: object,
        batch_first: bool,
        draw: bool,
        strict: bool,
        /,
    ) -> Any:
        """Return y, (h_n, c_n) and, where cells are an output, the cells of the last layer.

        x, y, cells and resets are (B, T, ...), or (T, B, ...) with batch_first=False; states, a
        tuple of two, are (L D, B, ·), lengths (B,). For one sequence x (T, I) no array has an axis
        B, and lengths is any array with one element. All but x may be None. lengths and resets are
        copied. training=True keeps x, the states and y for backward; the y that it allocates is
        read-only until then. draw=False: nothing is random.

        None is returned unless all are aligned, C-contiguous arrays of the right dtype and of
        NumPy's own class, and training is True or False itself; with strict=True an array that is
        not as it must be is an error.
        """

    def backward(
        self, dy: object, dstate: object, dcells: object, strict: bool, /
    ) -> tuple[_Array, tuple[_Array, _Array]] | Any:
        """Return dx, (dh0, dc0) of the last training call, once; add to the gradients.

        All may be None. None and strict as in `forward`.
        """

    def trace(
        self,
        x: _Array,
        state: tuple[_Array, _Array] | None,
        lengths: NDArray[np.int64] | None,
        resets: NDArray[np.bool_] | None,
        batch_first: bool,
    ) -> list[list[_Array]]:
        """Return i, f, g, o, c and h of every step, by n."""

    def parameter_names(self) -> list[tuple[int, str, tuple[int, ...]]]:
        """Return (n, name, shape) of each parameter."""

    def get(self, layer: int, name: str) -> _Array: ...
    def set(self, values: Sequence[tuple[int, str, _Array]]) -> None:
        """Set parameters by layer and name: all, or none where one does not fit."""

    def grad(self, layer: int, name: str) -> _Array: ...
    def zero_grad(self) -> None: ...
    def release_memory(self) -> None:
        """Free the memory that calls keep for later ones, and the cache of a training call."""

@final
class Layer:
    """One layer, with the parameters that all models share in which it stands."""

    name: str
    trainable: bool
    """Of all parameters in it; takes effect at the next training step."""

    def __init__(
        self, options: _Options, dtype: str, children: Mapping[str, Layer] | None = None
    ) -> None:
        """Make the layer that the key "kind" names.

        `children`: the layers inside it by name ("forward" and "backward" of a bidirectional,
        "layer" of a time_distributed).
        """

    @staticmethod
    def graph(
        inputs: Sequence[tuple[str, _Shape]],
        nodes: Sequence[tuple[Layer, Sequence[tuple[int, int]], bool | None]],
        outputs: Sequence[tuple[int, int]],
        dtype: str,
        batch_size: int = 0,
        in_a_row: bool = False,
        order: Sequence[Layer] = (),
    ) -> Layer:
        """Make a graph, itself a layer of kind "graph".

        Nodes stand in topological order and count from 0, inputs (name, shape of a sample) first;
        a value is (node, output of that node); a node says `training` too, None: as the pass does.
        `in_a_row`: a file describes it as a Sequential.
        """

    @property
    def kind(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def config(self) -> dict[str, _Value]:
        """Options, below "child." those of the layers inside."""

    @property
    def built(self) -> bool:
        """Whether the parameters are declared."""

    @property
    def child_names(self) -> list[str]: ...
    def child(self, name: str) -> Layer: ...
    def set_note(self, note: str) -> None:
        """Keep a text in the configuration of a graph inside another one."""

    def connect(self, shapes: Sequence[_Shape]) -> list[_Shape]:
        """Return the shapes of the outputs, samples without the batch; the first call builds.

        ValueError, and nothing has changed, for inputs that the layer cannot take.
        """

    @property
    def state_sizes(self) -> list[int]:
        """Sizes of inputs and outputs 1, 2, ...: h and c of each direction."""

    @property
    def stateful(self) -> bool: ...
    @property
    def carried_rows(self) -> int: ...
    def reset_states(self) -> None: ...
    def weight_names(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return (name, shape) of each weight; in a layer inside, "forward.kernel"."""

    @property
    def precision(self) -> str:
        """The type of the kernels in it: "float32", "float64", "bfloat16" or "int8"."""

    @property
    def weight_types(self) -> list[str]:
        """The type in which each weight is held."""

    @property
    def trained_weights(self) -> list[bool]:
        """Whether each weight has gradients; a statistic has none."""

    def get_weights(self) -> list[_Array]: ...
    def set_weights(self, weights: Sequence[_Array]) -> None:
        """Set all weights, or none where one does not fit. Excluded while a model trains them."""

    def call(
        self,
        inputs: Sequence[_Data],
        *,
        masks: Sequence[NDArray[np.bool_] | None] | None = None,
        outputs: Sequence[int] = (0,),
        training: bool = False,
        seed: int = 0,
        step: int = 0,
    ) -> tuple[list[_Array], NDArray[np.bool_] | None]:
        """Return these outputs, and the mask of output 0.

        Inputs are of the layer's dtype, or int32 where it takes ids.
        """

@final
class Metric:
    """A metric of the core that gathers without a model; `where` heads its errors."""

    def __init__(self, kind: str, options: _Options, dtype: str, where: str) -> None: ...
    @property
    def dtype(self) -> str: ...
    def update(self, prediction: _Array, target: _Array | None, weights: _Array | None) -> None:
        """Take in rows (R, C) of predictions and of targets, with weights (R,), or (R, C)."""

    def result(self) -> float | _Array: ...

@final
class Model:
    """A graph that predicts and, once compiled, trains."""

    def __init__(self, graph: Layer) -> None: ...
    @property
    def graph(self) -> Layer: ...
    @property
    def compile_config(self) -> dict[str, _Value] | None: ...
    @property
    def inputs(self) -> list[tuple[_Shape, bool, bool, int]]:
        """Shape, whether it carries values, whether it carries ids, and below what they are."""

    @property
    def output_shapes(self) -> list[_Shape]: ...
    @property
    def draws(self) -> bool:
        """Whether calls that are no training draw random numbers, by the seed of `set_seed`."""

    def set_seed(self, seed: int) -> None: ...
    def mask_ends(self, masked: Sequence[bool] = ()) -> list[int]:
        """Return the nodes at which a mask ends because the layer drops it.

        masked: which inputs have a mask; empty: none.
        """

    def masked_outputs(self, masked: Sequence[bool]) -> list[bool]:
        """Return which outputs have a mask."""

    def predict_masked(
        self, x: Sequence[_Data], batch_size: int
    ) -> tuple[list[_Array], list[NDArray[np.bool_] | None]]:
        """Return the outputs, and the mask of each that has one."""

    def alone(self, op: str, f: Callable[[], _Result]) -> _Result:
        """Return f(), called while nothing trains or saves the parameters; else RuntimeError."""

    def compile(
        self,
        config: _Options,
        losses: Sequence[Callable[[_Array, _Array], tuple[float, Any]] | None] = (),
        metrics: Sequence[Any] = (),
        schedule: Callable[[int], float] | None = None,
    ) -> None:
        """Choose losses, optimizer, metrics, clipping and seed; forget an earlier compile's state.

        Keys of output k are "loss", "loss.OPTION", "loss_weight" and "metrics" below
        "outputs.K.", or at the top where there is one output; an output without "loss" has none,
        but may have metrics, for which calls then bring its targets.
        losses[k](y_true, y_pred) -> (value, gradient) is that of the loss "custom" of output k, or
        makes a tensor of tensors, once for each shape of batches;
        "metrics.N.OPTION" and "metrics.N.weighted" are about the metric at place N of the list.
        metrics are the objects behind "custom:0", "custom:1" ..., numbered through all outputs,
        with name, update_state(y_true, y_pred), or with weights of rows as a third argument,
        result(), reset_state() and for_call(), the object that gathers for one call. Arrays are
        copies of the batch, as the user shapes it.
        schedule(step) is the schedule "custom" of the learning rate.

        Logs are "loss" and "metrics.N", a number, or an array where the metric has several; with
        several outputs "loss", then "K.loss" and "K.metrics.N" of each output K that has them.
        """

    def fit(
        self,
        x: Sequence[_Data] | _Batches,
        y: Sequence[_Array | None] | None,
        weights: Sequence[_Array | None],
        options: tuple[int, int, int, bool, str],
        validation: _Validation | None,
        callbacks: tuple[Callable[..., object] | None, ...],
        /,
    ) -> dict[str, list[float]]:
        """Train, and return the history by name.

        x has an item for each input, y for each output: None where it has no loss. weights, of
        samples in the loss, are empty or have an item for each output: None, (N,), or (N, rows of
        the prediction).

        y=None: x gives batches instead, each epoch those of one pass; batch_size, shuffle and
        weights are not used.

        options: batch_size, epochs, initial_epoch, shuffle, and for a loss that is not finite
        "raise", "stop" or "ignore".
        validation: x, y, weights, batch_size, and whether the core evaluates them; if not, they
        are only checked, for callbacks to evaluate.
        callbacks: train_begin(), epoch_begin(epoch), epoch_end(epoch, logs), batch_begin(batch),
        batch_end(batch, logs) and tick(epoch, batch, batches, logs), each may be None. One that
        returns something true ends training, one that raises ends it with that error; the weights
        are then those after the last whole step. train_begin comes when all was checked: a fit
        that is refused calls nothing and leaves `history`. tick comes at most 20 times a second.
        """

    @property
    def history(self) -> dict[str, list[float]]:
        """The history of the latest fit, also of one that ended with an error."""

    def sample_order(self, count: int) -> NDArray[np.int64]:
        """Return the order in which the next epoch of a shuffled fit takes so many samples."""

    def evaluate(
        self,
        x: Sequence[_Data] | _Batches,
        y: Sequence[_Array | None] | None,
        batch_size: int,
        weights: Sequence[_Array | None] = (),
        op: str = "model.evaluate",
        on_batch_begin: Callable[[int], object] | None = None,
        on_batch: Callable[[int, dict[str, float]], object] | None = None,
    ) -> dict[str, float]: ...
    def predict(self, x: Sequence[_Data], batch_size: int, /) -> list[_Array]: ...
    def decode(
        self,
        decoder: Model,
        x: Sequence[_Data],
        *,
        batch_size: int,
        length: int,
        beams: int,
        length_penalty: float,
        start: float,
        stop: int | None,
        padding: int | None,
    ) -> tuple[_Array, _Array]:
        """Return the sequences that a decoder writes from what this model returns, and scores.

        `decoder` takes one step, the states, which are this model's first outputs, and its other
        outputs; it returns that step's output, of tokens their probabilities, and the next states.
        """

    def generate(
        self, prompt: _Array, lengths: Sequence[int], options: Mapping[str, Any]
    ) -> _Array:
        """Continue prompts: ids (N, length), or values (N, length, features).

        prompt: the steps of all prompts, one prompt after the other: int32 ids (steps,) or values
        (steps, features); lengths: of each.
        """

    def call(self, x: object, batch_size: int, /) -> _Array | None:
        """Return what `predict` does for one input and one output.

        None where x is not as it must be, or there are more of them. What stateful layers carry on
        goes before `batch_size`.
        """

    def non_finite_text(
        self,
        x: Sequence[_Data],
        y: Sequence[_Array | None],
        weights: Sequence[_Array | None],
        names: Sequence[str],
    ) -> str:
        """Return ``"; x[0] is nan (row 0)"`` for values that are infinite or NaN.

        names: of x, y and weights; of several inputs or outputs with their number, "x[1]".
        """

    def train_on_batch(
        self,
        x: Sequence[_Data],
        y: Sequence[_Array | None],
        weights: Sequence[_Array | None],
        /,
    ) -> dict[str, float]: ...
    @property
    def stateful(self) -> bool: ...
    @property
    def carried_rows(self) -> int:
        """Rows of every batch of a stateful model; 0 where the next batch sets them."""

    def reset_states(self) -> None:
        """Make what layers carry from batch to batch zero."""

    def release_memory(self) -> None:
        """Free the memory that calls keep for later ones."""

    @property
    def learning_rate(self) -> float: ...
    @learning_rate.setter
    def learning_rate(self, value: float, /) -> None: ...
    @property
    def iterations(self) -> int: ...
    def take_average(self) -> None:
        """Replace the trained weights by their average, if the optimizer keeps one."""

    def save(
        self,
        path: str | os.PathLike[str],
        extra: Mapping[str, str],
        include_optimizer: bool,
        tensors: Mapping[str, _Array] = ...,
        overwrite: bool = ...,
    ) -> None:
        """Write one safetensors file, at once and atomically; with additional texts and arrays.

        A FileExistsError without overwrite, also where the file is created meanwhile.
        A RuntimeError while another thread trains the model.
        """

    def restore(self, path: str | os.PathLike[str]) -> tuple[dict[str, str], dict[str, _Array]]:
        """Take weights and the state of training from a file of a model with the same layers.

        Return `extra` and `tensors`. Where they do not fit, nothing changes.
        """

    def optimizer_state(self) -> tuple[int, dict[str, list[_Array]]]:
        """Return the batches done, and the optimizer's slots: an array for each trained weight."""

    def set_optimizer_state(self, batches: int, slots: Mapping[str, Sequence[_Array]]) -> None:
        """Take what `optimizer_state` returned. Where it does not fit, nothing changes."""

    @staticmethod
    def load(
        path: str | os.PathLike[str],
        resolve: Callable[[dict[str, _Value], dict[str, str]], Any] | None = None,
        precision: str = "float32",
    ) -> tuple[Model, dict[str, str], dict[str, _Array]]:
        """Read what save has written: the model, `extra` and `tensors`.

        resolve(compile_config, extra) gives losses, metrics and schedule for compile, or None to
        load the weights alone. precision, if not "float32": that in which to hold the kernels of a
        file in float32. The graph's `config` and `structure` say what Python makes of it.
        """

    @property
    def structure(self) -> dict[str, Any]:
        """The graph: inputs, layers, nodes, outputs, batch_size and in_a_row.

        "inputs" [(name, shape)], "layers" [Layer], "nodes" [(layer, values,
        training)] where layer counts in "layers" and values are (node, output), "outputs" [(node,
        output)].
        """

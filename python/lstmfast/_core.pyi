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
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[Any]
_Shape = tuple[int | None, ...]
_Result = TypeVar("_Result")
_Value = bool | int | float | str | tuple[int | None, ...] | None
_Options = dict[str, _Value]  # by flat dotted keys

__version__: str

# Single kernels, for tests and benchmarks: activate(activation, x, slope=False),
# random_bits(seed, layer, kind, step, row, time, count),
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

def write_file(path: str | os.PathLike[str], content: bytes, overwrite: bool = ...) -> None:
    """Write a file as Model.save does: the whole of it or nothing."""

def draw_orthonormal_rows(rows: int, columns: int, seed: int, double_precision: bool) -> _Array:
    """Return a random matrix (rows, columns) of orthonormal rows, rows <= columns."""

@final
class Rnn:
    """Stacked LSTM layers in one or D = 2 directions, numbered n = layer * D + direction."""

    training_calls: int  # so far; names the random masks of the next

    def __init__(self, options: dict[str, Any], dtype: str, seed: int) -> None:
        """Make layers whose parameters are zero, of the options that "engine", "lstm" has."""

    def forward(
        self,
        x: _Array,
        h0: _Array | None = None,
        c0: _Array | None = None,
        lengths: NDArray[np.int64] | None = None,
        resets: NDArray[np.bool_] | None = None,
        training: bool = False,
        out: _Array | None = None,
        batch_first: bool = True,
        draw: bool = True,
    ) -> tuple[_Array, _Array, _Array, _Array | None]:
        """Return y, h_n, c_n, and the cells of the last layer if they are an output.

        x, y, cells and resets are (B, T, ...), or (T, B, ...) with batch_first=False; states are
        (L D, B, ·), lengths (B,). Of one sequence x (T, I) no array has an axis B, and lengths is
        any array with one element. lengths and resets are copied. training=True keeps x, the states
        and y for backward; the y that it allocates is read-only until then. draw=False: nothing is
        random.
        """

    def backward(
        self,
        dy: _Array | None = None,
        dh_n: _Array | None = None,
        dc_n: _Array | None = None,
        dcells: _Array | None = None,
    ) -> tuple[_Array, tuple[_Array, _Array]]:
        """Return dx, (dh0, dc0) of the last training call, once; add to the gradients."""

    def call(
        self,
        x: object,
        state: object,
        lengths: object,
        resets: object,
        training: object,
        out: object,
        batch_first: bool,
        /,
    ) -> Any:
        """Return y, (h_n, c_n) and, where it is an output, cells, of arguments as they must be.

        None where one of them is not: x, a tuple of two states, lengths, resets and out are
        aligned, C-contiguous arrays of the right dtype and of NumPy's own class, or but for x None;
        out can be written to, and training is True or False itself. batch_first that is no bool is
        a TypeError.
        """

    def call_backward(
        self, dy: object, dstate: object, dcells: object, /
    ) -> tuple[_Array, tuple[_Array, _Array]] | None:
        """Return what `backward` does, or None where an argument is not as it must be."""

    def trace(
        self,
        x: _Array,
        h0: _Array | None = None,
        c0: _Array | None = None,
        lengths: NDArray[np.int64] | None = None,
        resets: NDArray[np.bool_] | None = None,
        batch_first: bool = True,
    ) -> list[tuple[_Array, _Array, _Array, _Array, _Array, _Array]]:
        """Return i, f, g, o, c and h of every step, by n."""

    def parameter_names(self) -> list[tuple[int, str, tuple[int, ...]]]:
        """Return (n, name, shape) of each parameter."""

    def get(self, layer: int, name: str) -> _Array: ...
    def set(self, values: Sequence[tuple[int, str, _Array]]) -> None:
        """Set parameters by layer and name: all, or none where one does not fit."""

    def grad(self, layer: int, name: str) -> _Array: ...
    def zero_grad(self) -> None: ...
    def release_memory(self) -> None:
        """Free what calls keep for those to come, the cache of a training call too."""

@final
class Model:
    """Layers, weights and, once compiled, what trains them."""

    def __init__(self, config: _Options, dtype: str | None = None) -> None:
        """Make the layers that a configuration describes, with weights of zero."""

    @property
    def config(self) -> dict[str, Any]: ...
    @property
    def compile_config(self) -> dict[str, Any] | None: ...
    @property
    def input_shape(self) -> _Shape: ...
    @property
    def output_shape(self) -> _Shape: ...
    def layers(self) -> list[dict[str, Any]]:
        """Return kind, name, output_shape and params (a count) of each layer."""

    def weight_names(self) -> list[tuple[int, str, tuple[int, ...]]]:
        """Return (layer, name, shape) of each weight, in the order of get_weights."""

    def get_weights(self) -> list[_Array]: ...
    def set_weights(self, weights: Sequence[_Array]) -> None:
        """Set all weights, or none where one does not fit.

        In a callback of fit too, but not while another thread trains.
        """

    def alone(self, op: str, f: Callable[[], _Result]) -> _Result:
        """Return f(), called while nothing trains or saves the model; else RuntimeError."""

    def compile(
        self,
        config: _Options,
        loss: Callable[[_Array, _Array], tuple[float, Any]] | None = None,
        metrics: Sequence[Any] = (),
    ) -> None:
        """Choose loss, optimizer, metrics, clipping and seed; forget an earlier compile's state.

        loss(y_true, y_pred) -> (value, gradient) is that of the configuration's loss "custom";
        metrics are the objects behind "custom:0", "custom:1" ..., with name, update_state(y_true,
        y_pred), result(), reset_state() and for_call(), the object that gathers for one call.
        Arrays are copies of the batch, as the user shapes it.
        """

    def fit(
        self,
        x: _Array,
        y: _Array,
        *,
        batch_size: int,
        epochs: int,
        initial_epoch: int = 0,
        shuffle: bool = True,
        x_val: _Array | None = None,
        y_val: _Array | None = None,
        validation_batch_size: int | None = None,
        weights: _Array | None = None,
        weights_val: _Array | None = None,
        validate: bool = True,
        on_nonfinite: str = "raise",
        on_train_begin: Callable[[], object] | None = None,
        on_epoch_begin: Callable[[int], object] | None = None,
        on_epoch: Callable[[int, dict[str, float]], object] | None = None,
        on_batch_begin: Callable[[int], object] | None = None,
        on_batch: Callable[[int, dict[str, float]], object] | None = None,
        on_tick: Callable[[int, int, int, dict[str, float]], object] | None = None,
    ) -> dict[str, list[float]]:
        """Train, and return the history by name.

        A hook that returns something true ends training, one that raises ends it with that error;
        the weights are then those after the last whole step. on_train_begin comes when all was
        checked: a fit that is refused calls nothing and leaves `history`. validate=False: the
        validation data are only checked, for hooks to evaluate. on_tick(epoch, batch, batches,
        logs) comes at most 20 times a second. on_nonfinite: "raise", "stop" or "ignore". weights:
        of samples in the loss, (N,), or (N, rows of the prediction).
        """

    @property
    def history(self) -> dict[str, list[float]]:
        """The history of the latest fit, also of one that ended with an error."""

    def evaluate(
        self, x: _Array, y: _Array, batch_size: int, weights: _Array | None = None
    ) -> dict[str, float]: ...
    def predict(self, x: _Array, batch_size: int, /) -> _Array: ...
    def call(self, x: object, batch_size: int, /) -> _Array | None:
        """Return what `predict` does, or None where x is not as it must be.

        What stateful layers carry on goes before `batch_size`.
        """

    def non_finite_text(
        self, x: _Array, y: _Array, weights: _Array | None, names: Sequence[str]
    ) -> str:
        """Return ``"; x[0] is nan (row 0)"`` for values that are infinite or NaN."""

    def train_on_batch(
        self, x: _Array, y: _Array, weights: _Array | None = None
    ) -> dict[str, float]: ...
    def test_on_batch(
        self, x: _Array, y: _Array, weights: _Array | None = None
    ) -> dict[str, float]: ...
    def call_layer(
        self,
        layer: int,
        x: _Array,
        *,
        mask: NDArray[np.bool_] | None = None,
        initial_state: Sequence[_Array] | None = None,
        states: bool = False,
        cells: bool = False,
        training: bool = False,
        seed: int = 0,
        step: int = 0,
    ) -> list[_Array]:
        """Return y of one layer; then h and c of each LSTM in it, then their cells, if wanted."""

    @property
    def stateful(self) -> bool: ...
    @property
    def carried_rows(self) -> int:
        """Rows of every batch of a stateful model; 0 where the next one says."""

    def reset_states(self, layer: int = -1) -> None:
        """Make what a layer carries from batch to batch zero; -1: of all layers."""

    def release_memory(self) -> None:
        """Free what calls keep for those to come."""

    @property
    def learning_rate(self) -> float: ...
    @learning_rate.setter
    def learning_rate(self, value: float, /) -> None: ...
    @property
    def iterations(self) -> int: ...
    def save(
        self,
        path: str | os.PathLike[str],
        extra: Mapping[str, str],
        include_optimizer: bool,
        tensors: Mapping[str, _Array] = ...,
        overwrite: bool = ...,
    ) -> None:
        """Write one safetensors file, at once and atomically; with texts and arrays of one's own.

        A FileExistsError without overwrite, also where the file comes up meanwhile.
        A RuntimeError while another thread trains the model.
        """

    @staticmethod
    def load(
        path: str | os.PathLike[str],
        resolve: Callable[[dict[str, str], dict[str, str]], Any] | None = None,
    ) -> tuple[Model, dict[str, str], dict[str, _Array]]:
        """Read what save has written: the model, `extra` and `tensors`.

        resolve(compile_config, extra) gives the loss and the metrics for compile, or None to load
        the weights alone.
        """

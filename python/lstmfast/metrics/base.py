"""What all metrics share, and metrics of the user's own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array, ArrayLike, ResultArray, as_array, wrong_shape
from lstmfast._checks import check_unavailable, string, wrong_kind
from lstmfast._names import function_name, snake_case
from lstmfast.initializers import get as initializer_of


class Variable(ResultArray):
    """An array that a metric keeps, with the methods of Keras's variables."""

    def assign(self, value: ArrayLike) -> Variable:
        """Set the values."""
        self[...] = value
        return self

    def assign_add(self, value: ArrayLike) -> Variable:
        """Add to the values."""
        return self.assign(np.add(self, value))

    def assign_sub(self, value: ArrayLike) -> Variable:
        """Subtract from the values."""
        return self.assign(np.subtract(self, value))

    @property
    def value(self) -> Array:
        """The values."""
        return self.numpy()


class Metric:
    """A metric and its key in logs and history.

    Derive from it, and define `update_state` and `result`, for a metric of your own, and
    `reset_state`, unless all that it keeps are variables, which begin anew at 0: what `add_weight`
    makes. They are given arrays, for NumPy and `lstmfast.ops`. Each call of `fit` or `evaluate`
    gathers in a copy of the object (see `for_call`), so that calls may run at the same time. To
    load a saved model, pass the class (or an object) as
    ``custom_objects``; a class with other arguments than ``name`` then also needs ``get_config``,
    which returns them.

    Parameters
    ----------
    name : str, optional
        The key; by default the class's name, as in ``"mean_squared_error"``.
    dtype
        For Keras's sake: must be None.

    Attributes
    ----------
    direction : {"min", "max"} or None
        Whether less or more is better, for callbacks with ``mode="auto"``. A class of your own
        says it where it knows.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.metrics import Metric
    >>> from lstmfast.models import Sequential
    >>> class LargestError(Metric):
    ...     direction = "min"
    ...
    ...     def reset_state(self):
    ...         self.largest = 0.0
    ...
    ...     def update_state(self, y_true, y_pred):
    ...         self.largest = max(self.largest, abs(y_true - y_pred).max())
    ...
    ...     def result(self):
    ...         return self.largest
    >>> model = Sequential([Dense(1, input_shape=(1,), kernel_initializer="ones")])
    >>> model.compile("sgd", "mse", metrics=[LargestError()])
    >>> model.evaluate([[1.0], [2.0]], [[1.0], [5.0]], verbose=0, return_dict=True)
    {'largest_error': 3.0, 'loss': 4.5}
    """

    direction: ClassVar[str | None] = "min"
    _OWN = ("update_state", "result", "reset_state")
    _IN_CORE: ClassVar[bool] = True  # in classes whose methods are not the user's own

    def __init__(self, name: str | None = None, dtype: None = None) -> None:
        check_unavailable(type(self).__name__, {"dtype": dtype}, {"dtype": None})
        self.kind = snake_case(type(self).__name__)
        self.name = self.kind if name is None else string(name, "name", type(self).__name__)

    def _in_core(self) -> NotImplementedError:
        return NotImplementedError(
            f"[{type(self).__name__}] the core computes it; expected it in compile(metrics=...)"
        )

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make an array that the metric keeps, as Keras's `add_weight`; `reset_state` sets it to 0.

        Parameters
        ----------
        shape : tuple of int
            The shape; one number by default. Also the name, as in Keras 2.
        initializer : str or Initializer, optional
            What makes the first values: ``"zeros"`` by default.
        dtype : dtype, optional
            float64 by default.
        name : str, optional
            Accepted for Keras's sake.

        Returns
        -------
        Variable
            An array with `assign`, `assign_add` and `assign_sub`.
        """
        sizes = () if isinstance(shape, str) else tuple(shape)
        make = initializer_of("zeros" if initializer is None else initializer)
        values = make(sizes, "float64" if dtype is None else dtype)
        made = np.array(values).reshape(sizes).view(Variable)
        vars(self).setdefault("_variables", []).append(made)
        return made

    add_variable = add_weight

    @property
    def variables(self) -> list[Variable]:
        """What `add_weight` made."""
        return list(vars(self).get("_variables", ()))

    @property
    def dtype(self) -> str:
        """The type of values, for `lstmfast.ops.cast`."""
        return "float32"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments that all metrics have; classes add their own."""
        return {"name": self.name}

    def update_state(self, y_true: Array, y_pred: Array) -> None:
        """Take in a batch: targets (B, ...) as given to `fit`, outputs (B, *output_shape).

        Among ``weighted_metrics`` there is a third argument, ``sample_weight``, where weights or a
        mask are given: a weight for each row of the outputs, which are all axes but the last. All
        arrays have the model's dtype and are copies, yours to keep.
        """
        raise self._in_core()

    def result(self) -> float:
        """Return the value of all batches since `reset_state`; not called where none came."""
        raise self._in_core()

    def reset_state(self) -> None:
        """Forget all batches: comes before the first one of an epoch."""
        if not self.variables:
            raise self._in_core()
        for each in self.variables:
            each.assign(0)

    def options(self) -> dict[str, Any]:
        """Return the options that the core reads; a metric of the user's own has none."""
        return {}

    def for_call(self) -> Metric:
        """Return the object that gathers for one call of `fit` or `evaluate`: a deep copy."""
        return copy.deepcopy(self)

    @property
    def is_custom(self) -> bool:
        """Whether Python gathers this metric, not the core."""
        classes = type(self).__mro__
        owners = (next(cls for cls in classes if name in vars(cls)) for name in self._OWN)
        return any("_IN_CORE" not in vars(owner) for owner in owners)

    def checked(self) -> Metric:
        """Return the metric; refuse one of the user's own that is not complete."""
        where = type(self).__name__
        kind = type(self)
        missing = [name for name in self._OWN if getattr(kind, name) is getattr(Metric, name)]
        if self.variables and "reset_state" in missing:
            missing.remove("reset_state")
        if missing and self.is_custom:
            raise TypeError(f"[{where}] the metric lacks {' and '.join(missing)}")
        if not hasattr(self, "name"):
            raise TypeError(f"[{where}] the metric has no name; call super().__init__() first")
        return self

    def known_direction(self) -> str | None:
        """Return `direction`, where a class of the user's own says it."""
        own = type(self).__mro__[: type(self).__mro__.index(Metric)]
        said = any("direction" in vars(cls) for cls in own) or "direction" in vars(self)
        return self.direction if said or not self.is_custom else None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


def _mean_from(array: Array, axis: int) -> Array:
    """Return the means over all axes from one on."""
    return np.asarray(array.mean(axis=tuple(range(axis, array.ndim))))


class MeanMetricWrapper(Metric):
    """A function as a metric: the mean of its values over all samples.

    ``compile(metrics=[function])`` makes one of these; make it yourself to give it another name.

    Parameters
    ----------
    fn : callable(y_true, y_pred)
        Takes a batch as `Metric.update_state` does. Returns an array (B, ...) with values for each
        sample; or a number, and then all batches count alike, as in Keras, be they small.
    name : str, optional
        The key in logs and history; by default the function's name, ``"lambda"`` where it has
        none.
    dtype
        For Keras's sake: must be None.

    Examples
    --------
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.metrics import MeanMetricWrapper
    >>> from lstmfast.models import Sequential
    >>> def bias(y_true, y_pred):
    ...     return y_pred - y_true
    >>> model = Sequential([Dense(1, input_shape=(1,), kernel_initializer="ones")])
    >>> model.compile("sgd", "mse", metrics=[bias, MeanMetricWrapper(bias, name="again")])
    >>> model.evaluate([[1.0], [2.0]], [[1.0], [5.0]], verbose=0, return_dict=True)
    {'again': -1.5, 'bias': -1.5, 'loss': 4.5}
    """

    direction = None

    def __init__(
        self,
        fn: Callable[[Array, Array], ArrayLike],
        name: str | None = None,
        dtype: None = None,
    ) -> None:
        if not callable(fn):
            raise wrong_kind("MeanMetricWrapper", "fn", fn, "a function of y_true and y_pred")
        super().__init__(function_name(fn) if name is None else name, dtype)
        self.fn = fn
        self.reset_state()

    def for_call(self) -> Metric:
        """Return a new object with the same function."""
        own = copy.copy(self)
        own.reset_state()
        return own

    def reset_state(self) -> None:
        """Forget all batches."""
        self._total = 0.0
        self._samples = 0.0

    def update_state(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> None:
        """Add the function's values for a batch, where given by the weights of samples or steps."""
        samples = len(y_pred)
        values = as_array(self.fn(y_true, y_pred), self.name, "the returned value")
        if values.ndim and (len(values) != samples or not values.size):
            expected = f"a number or ({samples}, ...), values for each sample"
            raise wrong_shape(self.name, "the returned value", values.shape, expected)
        share = samples if values.ndim else 1  # as in Keras, a number counts once
        weights = np.ones(1) if sample_weight is None else np.asarray(sample_weight, np.float64)
        # means over the axes that only one of them has; then a sample counts by its mean weight
        values = _mean_from(values.astype(np.float64), max(1, weights.ndim))
        weights = _mean_from(weights, max(1, values.ndim))
        self._total += share * float(np.mean(values * weights))
        self._samples += share * float(np.mean(weights))

    def result(self) -> float:
        """Return the mean."""
        return self._total / self._samples if self._samples else 0.0

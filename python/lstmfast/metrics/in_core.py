"""What metrics share that the core gathers: options, names, and their use without a model."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import (
    Array,
    ArrayLike,
    Result,
    as_dtype,
    as_float,
    as_weights,
    dtype_name,
    shape_text,
    wrong_shape,
)
from lstmfast._checks import check_unavailable
from lstmfast._core import Metric as Gatherer
from lstmfast._core import check
from lstmfast._names import snake_case
from lstmfast._options import Options, defaults, is_known
from lstmfast.metrics.base import Metric

_numbers: defaultdict[str, itertools.count[int]] = defaultdict(itertools.count)


def forget_names() -> None:
    """Let the names of new metrics begin without numbers again."""
    _numbers.clear()


class CoreMetric(Metric):
    """A metric that the core gathers.

    Its options are the arguments of its constructor and, checked, attributes of the object.
    """

    _IN_CORE: ClassVar[bool] = True
    _KIND: ClassVar[str | None] = None  # what the core calls it, if not by the name of the class
    _NUMBERED: ClassVar[bool] = False  # whether names that are not given have numbers, as in Keras
    _gathered: Gatherer | None = None  # what update_state took in

    def __init__(self, name: str | None = None, dtype: None = None, **options: Any) -> None:
        super().__init__(name, dtype)
        if name is None and self._NUMBERED:
            number = next(_numbers[self.kind])
            self.name = f"{self.kind}_{number}" if number else self.kind
        self.kind = self._core_kind()
        lists = {
            key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in options.items()
        }
        self._options: Options = lists
        if is_known("metric", self.kind):
            known = defaults("metric", self.kind)
            unknown = {key: value for key, value in options.items() if key not in known}
            check_unavailable(type(self).__name__, unknown, {}, type(self))
            self._options = check("metric", self.kind, lists, type(self).__name__)
        for key, value in self._options.items():
            setattr(self, key, value)

    def options(self) -> Options:
        """Return the options that the core reads."""
        return dict(self._options)

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {"name": self.name, **self._options}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> CoreMetric:
        """Return the metric with these arguments."""
        return cls(**config)

    def update_state(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike = None
    ) -> None:
        """Take in a batch.

        Parameters
        ----------
        y_true : array_like
            (N, ...): targets of the shape of `y_pred`, or labels without its last axis.
        y_pred : array_like
            (N, ..., C): predictions, float32 unless they are float64; one axis alone is one row.
        sample_weight : array_like, optional
            A weight for all, for each sample, or for each row (N, ...); where the metric is one of
            elements also for each of these.
        """
        where = type(self).__name__
        p = self._floats(y_pred, where, "y_pred")
        y = as_float(y_true, p.dtype, where, "y_true")
        if y.ndim == p.ndim + 1 and y.shape[-1] == 1:
            y = y[..., 0]
        *of_rows, columns = p.shape or (1,)
        of_target = y.shape[-1] if y.ndim == max(1, p.ndim) else 1
        if y.size != math.prod(of_rows) * of_target or y.shape[: len(of_rows)] != tuple(of_rows):
            expected = f"{shape_text(p.shape)}, the shape of y_pred, or that of labels"
            raise wrong_shape(where, "y_true", y.shape, expected)
        if p.size == 0:
            return
        weights = spread_weights(sample_weight, p, max(0, p.ndim - 1), where)
        self._gather(p.reshape(-1, columns), y.reshape(-1, of_target), weights)

    def _gather(self, p: Array, y: Array | None, weights: Array | None) -> None:
        """Take in rows of predictions and targets; weights: of rows, or of elements."""
        if self._gathered is None:
            self._gathered = self._new(p.dtype.name)
        self._gathered.update(p, y, weights)

    def _floats(self, value: ArrayLike, where: str, name: str) -> Array:
        """Return an array of the dtype of the first batch: float64 where that had it."""
        if self._gathered is None:
            is_double = dtype_name(getattr(value, "dtype", None)) == "float64"
            dtype = "float64" if is_double else "float32"
        else:
            dtype = self._gathered.dtype
        return as_float(value, as_dtype(dtype, where), where, name)

    def _new(self, dtype: str) -> Gatherer:
        return Gatherer(self._core_kind(), self._options, dtype, type(self).__name__)

    @classmethod
    def _core_kind(cls) -> str:
        """Return what the core calls the class, or the nearest of those it is derived from."""
        kinds = [vars(each).get("_KIND") or snake_case(each.__name__) for each in cls.__mro__]
        return next((kind for kind in kinds if is_known("metric", kind)), kinds[0])

    def result(self) -> Any:
        """Return the value of all batches since `reset_state`: a number, or an array of several."""
        value = (self._gathered or self._new("float32")).result()
        return Result(value) if isinstance(value, float) else value

    def reset_state(self) -> None:
        """Forget all batches."""
        self._gathered = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch as `update_state` does; return the result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_gathered": None}  # copies begin anew


def spread_weights(given: ArrayLike, values: Array, axes: int, where: str) -> Array | None:
    """Return weights of the rows of values (R,), or of what is in them (R, C).

    axes: how many of the values' axes count rows.
    """
    if given is None:
        return None
    weights = as_weights(given, values.dtype, where, "sample_weight")
    if weights.ndim == values.ndim + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    below = (1,) * (values.ndim - axes)
    rows = math.prod(values.shape[:axes])
    spread = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    for shape, result in (values.shape[:axes] + below, (rows,)), (values.shape, (rows, -1)):
        try:
            return np.ascontiguousarray(np.broadcast_to(spread, shape)).reshape(result)
        except ValueError:
            continue
    expected = f"one that fits {shape_text(values.shape)}"
    raise wrong_shape(where, "sample_weight", weights.shape, expected)

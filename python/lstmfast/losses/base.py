"""What all losses share, and losses of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, field, fields
from typing import Any

import numpy as np

from lstmfast._arrays import ArrayLike, Result, as_array
from lstmfast._checks import check_unavailable, wrong_kind
from lstmfast._core import check
from lstmfast._core import loss as core_loss
from lstmfast._names import function_name, snake_case
from lstmfast._options import Options, is_known
from lstmfast.layers._symbolic import holds_tensors
from lstmfast.losses._formulas import FORMULAS, reduced, same_rank
from lstmfast.losses._values import rows_and_targets, weights_of
from lstmfast.ops import convert_to_tensor

MEAN = "sum_over_batch_size"  # Keras's word


class Loss:
    """A loss; derive from it, and define `call`, for one of your own.

    `call` is made of operators, `lstmfast.ops` and losses of this module, as in Keras: it runs once
    for each shape of batches, on tensors, and becomes a graph of the core, with its gradient. A
    function may stand in its place. Or it returns the gradient itself, with the value; training
    then calls it with the arrays of every batch, which costs time in every step.

    To load a saved model, pass the class (or an object) as ``custom_objects``; a class with
    arguments then also needs ``get_config``, which returns them.

    Parameters
    ----------
    name : str, optional
        What error messages call it; by default the class's name.
    reduction, dtype
        For Keras's sake: must be ``"sum_over_batch_size"``, the mean, and None. The losses of this
        module also take ``"sum"``, ``"mean_with_sample_weight"`` and, for calls, None.

    Examples
    --------
    The pinball loss, whose minimum is a quantile:

    >>> import numpy as np
    >>> from lstmfast import ops
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.losses import Loss
    >>> from lstmfast.models import Sequential
    >>> class Pinball(Loss):
    ...     def __init__(self, quantile):
    ...         super().__init__()
    ...         self.quantile = quantile
    ...
    ...     def call(self, y_true, y_pred):
    ...         error = y_true - y_pred
    ...         return ops.mean(ops.maximum(self.quantile * error, (self.quantile - 1) * error), -1)
    ...
    ...     def get_config(self):
    ...         return {"quantile": self.quantile}
    >>> model = Sequential([Dense(1, input_shape=(1,))], seed=0)
    >>> model.compile(optimizer="sgd", loss=Pinball(0.9))
    >>> y = np.random.default_rng(0).random((100, 1))
    >>> run = model.fit(np.zeros_like(y), y, epochs=200, verbose=0)
    >>> print(f"{np.mean(y < model.predict(np.zeros((1, 1)))):.1f}")
    0.9
    """

    name: str | None = None

    def __init__(self, name: str | None = None, reduction: str = MEAN, dtype: None = None) -> None:
        self.name = name
        self._check_way(reduction, dtype)

    def _check_way(self, reduction: str | None, dtype: None) -> None:
        """Refuse Keras's other ways to gather a loss, and to compute it."""
        if self.name is not None and not isinstance(self.name, str):
            raise wrong_kind(type(self).__name__, "name", self.name, "a string")
        given = {"reduction": reduction, "dtype": dtype}
        check_unavailable(type(self).__name__, given, {"reduction": MEAN, "dtype": None})

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return the loss of a batch.

        Parameters
        ----------
        y_true, y_pred : array_like
            Targets and predictions, as `fit` compares them. Of one axis, they are one sample.
        sample_weight : array_like, optional
            Factors of the values of samples, or of their steps; not for losses of your own that
            return a gradient.

        Returns
        -------
        float or numpy.ndarray
            By the reduction: a number, or without one the values of samples, or of their steps.
            Computed in float64 if that is the dtype of y_pred, else in float32.
        """
        where = type(self).__name__
        if holds_tensors([y_true, y_pred]):
            return reduced(self.call(y_true, y_pred), sample_weight, MEAN)
        made = self.call(as_array(y_true, where, "y_true"), as_array(y_pred, where, "y_pred"))
        if not isinstance(made, tuple | list):
            return Result(reduced(made, sample_weight, MEAN))
        if sample_weight is not None:
            raise ValueError(
                f"[{where}] sample_weight is given; expected None with a loss of one's own that "
                "returns a gradient"
            )
        return made[0]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the values for a batch, or one value and its gradient.

        Parameters
        ----------
        y_true : tensor or numpy.ndarray
            (B, ...): the targets, of any shape that begins with the samples, as they were given to
            `fit`, in the model's dtype.
        y_pred : tensor or numpy.ndarray
            (B, *output_shape): the model's outputs. Arrays are copies, yours to keep.

        Returns
        -------
        values : tensor
            (B, ...) or (): of which training takes the mean, as weights and masks of samples or
            steps weigh them. With arrays, an array.
        (value, gradient) : tuple of float and array_like
            Or else, with arrays: the mean over the batch, and (B, *output_shape), d value /
            d y_pred, for which `evaluate` has no use. Weights and masks are then refused.
        """
        raise NotImplementedError(
            f"[{type(self).__name__}] the core computes it; expected it in compile(loss=...)"
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments that all losses have; classes add their own."""
        return {"name": self.name, "reduction": MEAN}

    @property
    def is_custom(self) -> bool:
        """Whether this loss is the user's own."""
        return type(self).call is not Loss.call

    @property
    def kind(self) -> str:
        """The core's name of this loss."""
        return snake_case(type(self).__name__)

    def config(self) -> Options:
        """Return the part of the configuration that the core reads."""
        if self.is_custom:
            return {"loss": "custom", "loss.name": self.name or type(self).__name__}
        return {"loss": self.kind}


@dataclass(frozen=True, kw_only=True)
class CoreLoss(Loss):
    """A loss that the core computes; its options are the fields of the dataclass."""

    name: str | None = field(default=None, repr=False, compare=False)
    reduction: str | None = field(default=MEAN, repr=False)
    dtype: InitVar[None] = None

    def __post_init__(self, dtype: None) -> None:
        own = self.is_custom or not is_known("loss", self.kind)
        self._check_way(self.reduction if own else MEAN, dtype)
        if own:
            return
        for name, value in check("loss", self.kind, self.options(), type(self).__name__).items():
            object.__setattr__(self, name, value)

    def options(self) -> dict[str, Any]:
        """Return the options that the core reads."""
        names = [option.name for option in fields(self) if option.name not in ("name", "reduction")]
        reduction = "none" if self.reduction is None else self.reduction
        return {name: getattr(self, name) for name in names} | {"reduction": reduction}

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return the loss of a batch; see `Loss`."""
        if self.is_custom:
            return super().__call__(y_true, y_pred, sample_weight)
        where = type(self).__name__
        if holds_tensors([y_true, y_pred]):
            formula = FORMULAS.get(self.kind)
            if formula is None:
                raise wrong_kind(where, "y_pred", y_pred, "an array")
            options = self.options()
            reduction = options.pop("reduction")
            values = formula(
                *same_rank(convert_to_tensor(y_true), convert_to_tensor(y_pred)), **options
            )
            return reduced(values, sample_weight, reduction)
        target, prediction, shape = rows_and_targets(y_true, y_pred, where)
        each = self.reduction == "none"
        core = self.kind, self.options(), target, prediction
        if not each:
            weights = weights_of(sample_weight, shape, prediction.dtype, where)
            return Result(core_loss(*core, weights))
        values = core_loss(*core, each=True)
        values = values.reshape(shape[: values.ndim])
        weights = weights_of(sample_weight, values.shape, prediction.dtype, where)
        # a weight of 0 leaves nothing, not even NaN
        return values if weights is None else np.where(weights == 0, 0, values * weights)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, **self.options()}

    def config(self) -> Options:
        """Return the part of the configuration that the core reads."""
        options = {} if self.is_custom else self.options()
        if options.get("reduction") == MEAN:
            del options["reduction"]
        return super().config() | {f"loss.{name}": value for name, value in options.items()}


@dataclass(frozen=True, kw_only=True)
class LossOnLastAxis(CoreLoss):
    """A loss whose formula has an axis in Keras: here it is the last one."""

    axis: InitVar[int] = -1

    def __post_init__(self, dtype: None, axis: int) -> None:
        check_unavailable(type(self).__name__, {"axis": axis}, {"axis": -1})
        super().__post_init__(dtype)


class FunctionLoss(Loss):
    """A function as a loss."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        super().__init__(function_name(function))
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Call the function."""
        if holds_tensors(y_pred):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.function(y_true, y_pred)

    def __repr__(self) -> str:
        return f"FunctionLoss({self.name})"

"""What all losses share, and losses of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, field, fields
from typing import Any

from lstmfast._arrays import Array, ArrayLike
from lstmfast._checks import check_unavailable, wrong_kind
from lstmfast._core import check
from lstmfast._names import function_name, snake_case
from lstmfast._options import Options, is_known

MEAN = "sum_over_batch_size"  # Keras's word


class Loss:
    """A loss; derive from it, and define `call`, for one of your own.

    Training calls it with every batch, so that what it costs is added to every step. To load a
    saved model, pass the class (or an object) as ``custom_objects``; a class with arguments then
    also needs ``get_config``, which returns them.

    Parameters
    ----------
    name : str, optional
        What error messages call it; by default the class's name.
    reduction, dtype
        For Keras's sake: must be ``"sum_over_batch_size"``, the mean, and None.

    Examples
    --------
    The pinball loss, whose minimum is a quantile:

    >>> import numpy as np
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.losses import Loss
    >>> from lstmfast.models import Sequential
    >>> class Pinball(Loss):
    ...     def __init__(self, quantile):
    ...         self.quantile = quantile
    ...
    ...     def call(self, y_true, y_pred):
    ...         error = y_true - y_pred
    ...         slope = np.where(error > 0, self.quantile, self.quantile - 1)
    ...         return np.mean(slope * error), -slope / error.size
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

    def _check_way(self, reduction: str, dtype: None) -> None:
        """Refuse Keras's other ways to gather a loss, and to compute it."""
        if self.name is not None and not isinstance(self.name, str):
            raise wrong_kind(type(self).__name__, "name", self.name, "a string")
        given = {"reduction": reduction, "dtype": dtype}
        check_unavailable(type(self).__name__, given, {"reduction": MEAN, "dtype": None})

    def call(self, y_true: Array, y_pred: Array) -> tuple[float, ArrayLike]:
        """Return the value for a batch and its gradient.

        Parameters
        ----------
        y_true : numpy.ndarray
            (B, ...): the targets, of any shape that begins with the samples, as they were given to
            `fit`, in the model's dtype.
        y_pred : numpy.ndarray
            (B, *output_shape): the model's outputs. Both arrays are copies, yours to keep.

        Returns
        -------
        value : float
            The mean over the batch.
        gradient : array_like
            (B, *output_shape): d value / d y_pred, that of the mean therefore. `evaluate` has no
            use for it, but must be given something.
        """
        raise NotImplementedError(
            f"[{type(self).__name__}] the core computes it; expected it in compile(loss=...)"
        )

    @property
    def is_custom(self) -> bool:
        """Whether Python computes this loss, not the core."""
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
    reduction: InitVar[str] = MEAN
    dtype: InitVar[None] = None

    def __post_init__(self, reduction: str, dtype: None) -> None:
        self._check_way(reduction, dtype)
        if self.is_custom or not is_known("loss", self.kind):
            return
        for name, value in check("loss", self.kind, self._options(), type(self).__name__).items():
            object.__setattr__(self, name, value)

    def _options(self) -> dict[str, Any]:
        names = [option.name for option in fields(self) if option.name != "name"]
        return {name: getattr(self, name) for name in names}

    def config(self) -> Options:
        """Return the part of the configuration that the core reads."""
        options = {} if self.is_custom else self._options()
        return super().config() | {f"loss.{name}": value for name, value in options.items()}


class FunctionLoss(Loss):
    """A function as a loss."""

    def __init__(self, function: Callable[[Array, Array], tuple[float, ArrayLike]]) -> None:
        super().__init__(function_name(function))
        self.function = function

    def call(self, y_true: Array, y_pred: Array) -> tuple[float, ArrayLike]:
        """Call the function."""
        return self.function(y_true, y_pred)

    def __repr__(self) -> str:
        return f"FunctionLoss({self.name})"

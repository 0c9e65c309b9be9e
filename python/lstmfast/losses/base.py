"""What all losses share, and losses of the user's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from lstmfast._checks import flag, number
from lstmfast._names import config_text, function_name, snake_case

if TYPE_CHECKING:
    from lstmfast._arrays import Array, ArrayLike


class Loss:
    """A loss; derive from it, and define `call`, for one of your own.

    Training calls it with every batch, so that what it costs is added to every step. To load a
    saved model, pass the class (or an object) as ``custom_objects``; a class with arguments then
    also needs ``get_config``, which returns them.

    Parameters
    ----------
    name : str, optional
        What error messages call it; by default the class's name.

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

    def __init__(self, name: str | None = None) -> None:
        self.name = name

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
        raise NotImplementedError

    @property
    def is_custom(self) -> bool:
        """Whether Python computes this loss, not the core."""
        return type(self).call is not Loss.call

    def __post_init__(self) -> None:
        if self.is_custom:
            return
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # the core's are
            check = flag if isinstance(field.default, bool) else number
            value = check(getattr(self, field.name), field.name, type(self).__name__)
            object.__setattr__(self, field.name, value)

    @property
    def kind(self) -> str:
        """The core's name of this loss."""
        return snake_case(type(self).__name__)

    def config(self) -> dict[str, str]:
        """Return the part of the flat configuration that the core reads."""
        if self.is_custom:
            return {"loss": "custom", "loss.name": self.name or type(self).__name__}
        options = dataclasses.asdict(self)  # type: ignore[call-overload]
        return {"loss": self.kind} | {f"loss.{k}": config_text(v) for k, v in options.items()}


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

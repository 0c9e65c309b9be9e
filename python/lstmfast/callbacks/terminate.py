"""Stop quietly where the loss is no longer a number."""

from __future__ import annotations

from lstmfast._checks import flag
from lstmfast.callbacks.base import Callback


class TerminateOnNaN(Callback):
    """End training where a loss or gradient is NaN or infinite.

    The weights are those from before that batch.

    Without it `fit` raises an error there. The core does the checking, so this callback costs
    nothing.

    Parameters
    ----------
    raise_error : bool
        Raise, as `fit` does without this callback.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.callbacks import TerminateOnNaN
    >>> from lstmfast.layers import Dense
    >>> from lstmfast.models import Sequential
    >>> model = Sequential([Dense(1, input_shape=(2,))])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.full((4, 2), np.inf), np.zeros((4, 1))
    >>> run = model.fit(x, y, epochs=5, verbose=0, callbacks=[TerminateOnNaN()])
    >>> bool(np.isfinite(model.get_weights()[0]).all())
    True
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = flag(raise_error, "raise_error", "TerminateOnNaN")

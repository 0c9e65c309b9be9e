"""The layer that says which steps count."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, as_float
from lstmfast.layers.base import Layer


class Masking(Layer):
    """Mask the steps whose features all are `mask_value`, as `keras.layers.Masking`.

    Masking's own outputs are zeros at these steps, and layers after it skip them: an LSTM keeps its
    state and repeats its last output there, and losses and metrics of a sequence of outputs are
    means over the other steps. In a model the mask goes on from layer to layer. It ends where steps
    do, at an LSTM that returns one step, and at layers that move or mix steps (`Conv1D`, `Flatten`,
    `Reshape`, `Permute`, `RepeatVector`, `Dot`). An array takes no mask along: where layers are
    called one by one, pass it, ``layer(x, mask=masking.compute_mask(x))``.

    Parameters
    ----------
    mask_value : float
        The value.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Masking
    >>> x = np.array([[[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]]])
    >>> Masking().compute_mask(x)
    array([[ True,  True, False]])
    """

    kind = "masking"
    mask_value: float

    def __init__(self, mask_value: float = 0.0, **options: Any) -> None:
        self._take_arguments(locals())

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> Array:
        """Return where x (..., features) is not masked; a mask that it has is not heeded.

        Values are compared in the layer's dtype once it is in a model or was called, else in that
        of x.
        """
        array = as_array(x, self.where, "x")
        wide = array.dtype == np.float64 and self.dtype is None  # of a layer that has no dtype yet
        dtype = np.dtype(np.float64 if wide else self.dtype or np.float32)
        with np.errstate(over="ignore"):  # a value beyond the dtype's range masks what is infinite
            value = np.asarray(self.mask_value).astype(dtype)
        real: Array = np.any(as_float(array, dtype, self.where, "x") != value, axis=-1)
        return real

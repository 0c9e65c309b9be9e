"""Activations as layers of their own, some with numbers or weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import ArrayLike
from lstmfast._warnings import warn
from lstmfast.layers._forms import OPEN
from lstmfast.layers._normalization import AlongAxes
from lstmfast.layers._symbolic import holds_tensors
from lstmfast.layers.base import Layer
from lstmfast.layers.weights import weight


class LeakyReLU(Layer):
    """x where it is positive, else negative_slope·x, as `keras.layers.LeakyReLU`.

    Parameters
    ----------
    negative_slope : float
        At least 0. Keras's older name of it, alpha, is taken too, with a warning.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LeakyReLU
    >>> LeakyReLU(0.5)(np.array([[-10.0, 5.0]])).tolist()
    [[-5.0, 5.0]]
    """

    kind = "leaky_re_lu"
    negative_slope: float

    def __init__(self, negative_slope: float = 0.3, **options: Any) -> None:
        if "alpha" in options:
            negative_slope = options.pop("alpha")
            warn(f"[{self.where}] alpha is an older name; expected negative_slope")
        self._take_arguments(locals())


class ReLU(Layer):
    """x above the threshold, at most max_value; below it negative_slope·(x - threshold).

    As `keras.layers.ReLU`. The slope at the threshold, and from max_value on, is 0.

    Parameters
    ----------
    max_value : float, optional
        At least 0.
    negative_slope, threshold : float
        At least 0.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import ReLU
    >>> ReLU(max_value=6.0, negative_slope=0.5)(np.array([[-10.0, 5.0, 8.0]])).tolist()
    [[-5.0, 5.0, 6.0]]
    """

    kind = "re_lu"
    max_value: float | None
    negative_slope: float
    threshold: float

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class ELU(Layer):
    """x where it is positive, else alpha·(exp(x) - 1), as `keras.layers.ELU`.

    Parameters
    ----------
    alpha : float
        At least 0.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import ELU
    >>> ELU(dtype="float64")(np.array([[-1.0, 5.0]])).round(2).tolist()
    [[-0.63, 5.0]]
    """

    kind = "elu"
    alpha: float

    def __init__(self, alpha: float = 1.0, **options: Any) -> None:
        self._take_arguments(locals())


class PReLU(Layer):
    """x where it is positive, else alpha·x with a trained alpha, as `keras.layers.PReLU`.

    alpha has the shape of a sample, with the size 1 along shared axes.

    Parameters
    ----------
    alpha_initializer : str or Initializer
        What makes the first alpha.
    alpha_regularizer : str or Regularizer, optional
        What alpha costs.
    alpha_constraint : str or Constraint, optional
        What alpha is made to satisfy after each training step.
    shared_axes : int or list of int, optional
        Counted with that of the batch: axes along which alpha is the same, as steps are.
    **options
        As in `Layer`.

    Notes
    -----
    He, Zhang, Ren and Sun: Delving deep into rectifiers, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import PReLU
    >>> layer = PReLU(shared_axes=[1])
    >>> layer(np.array([[[-4.0, 2.0]]])).tolist(), layer.alpha.shape
    ([[[0.0, 2.0]]], (1, 2))
    """

    kind = "p_re_lu"
    shared_axes: tuple[int, ...] | None
    forms: ClassVar = {"shared_axes": OPEN}
    alpha = weight("alpha")

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())


class Softmax(AlongAxes):
    """exp(x - max(x)) / Σ exp(x - max(x)) along `axis`, as `keras.layers.Softmax`.

    At the end of a model, losses take it together with their own formula, where the axis is -1.

    Parameters
    ----------
    axis : int or list of int
        Counted with that of the batch, which it cannot be.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Softmax
    >>> x = np.array([[1.0, 1.0, 5.0]])
    >>> Softmax()(x, mask=[[True, True, False]]).tolist()
    [[0.5, 0.5, 0.0]]
    """

    kind = "softmax"

    def __init__(self, axis: int | Sequence[int] = -1, **options: Any) -> None:
        self._take_arguments(locals())

    def __call__(self, x: Any, mask: ArrayLike = None, training: bool | None = None) -> Any:
        """Return the softmax; values at which a mask of x's shape is False count for nothing.

        In models, a mask of steps goes on to the output.
        """
        if mask is None or holds_tensors(x):
            return super().__call__(x, mask, training)
        kept = np.asarray(mask, dtype=bool)
        y = super().__call__(np.where(kept, x, -1e9), training=training)
        return np.where(kept, y, np.zeros((), y.dtype))

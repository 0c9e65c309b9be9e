"""Layers that make one value of several, and functions that apply a new one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstmfast._core import check
from lstmfast._options import Value
from lstmfast.layers.base import Layer


class Merge(Layer):
    """A layer of two or more inputs, which it takes as a list.

    Axes of the inputs are aligned at the last one; those of size 1, and those that an input lacks
    after the batch, are stretched. A step is real where it is real in one of the inputs; where an
    input has no mask, the output has none.

    Raises
    ------
    ValueError
        In calls, where shapes do not go together.
    """

    takes_list = True

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """Return the mask of the output for inputs with these masks, None where it has none."""
        arrays = self._arrays(x)
        core, _ = self._connected([each.shape[1:] for each in arrays], self.dtype or "float32")
        return self._compute(core, arrays, self._masks(mask), None)[1]


class Add(Merge):
    """y = x₁ + x₂ + ..., as `keras.layers.Add`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Add
    >>> Add()([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[4.0, 6.0]]
    """

    kind = "add"


class Subtract(Merge):
    """y = x₁ - x₂, as `keras.layers.Subtract`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Subtract
    >>> Subtract()([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[-2.0, -3.0]]
    """

    kind = "subtract"


class Multiply(Merge):
    """y = x₁ ⊙ x₂ ⊙ ..., as `keras.layers.Multiply`.

    Masked steps of an input count as 1; where all inputs are masked, y is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Multiply
    >>> Multiply()([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[3.0, 10.0]]
    """

    kind = "multiply"


class Average(Merge):
    """y = (x₁ + x₂ + ...) / n, as `keras.layers.Average`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Average
    >>> Average()([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[2.0, 3.5]]
    """

    kind = "average"


class Maximum(Merge):
    """y = max(x₁, x₂, ...), element by element, as `keras.layers.Maximum`.

    Inputs are compared in their order; of equal ones each gets half of the gradient. Masked steps
    of an input do not count; where all inputs are masked, y is the first.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Maximum
    >>> Maximum()([np.array([[1.0, 7.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[3.0, 7.0]]
    """

    kind = "maximum"


class Minimum(Merge):
    """y = min(x₁, x₂, ...), element by element, as `keras.layers.Minimum`.

    Ties and masks count as in `Maximum`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Minimum
    >>> Minimum()([np.array([[1.0, 7.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[1.0, 5.0]]
    """

    kind = "minimum"


class Concatenate(Merge):
    """The inputs one after the other along an axis, as `keras.layers.Concatenate`.

    They are of equal sizes but for that axis. Where one of them has a mask, so has the output: that
    of a row says whether any of its values is real, and inputs without a mask are.

    Parameters
    ----------
    axis : int
        The axis along which to join; axis 0 is the batch and not allowed.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Concatenate
    >>> Concatenate()([np.array([[1.0, 2.0]]), np.array([[3.0]])]).tolist()
    [[1.0, 2.0, 3.0]]
    """

    kind = "concatenate"
    axis: int

    def __init__(self, axis: int = -1, **options: Any) -> None:
        self._take_arguments(locals())


class Dot(Merge):
    """Sums of products along an axis of each of two inputs, as `keras.layers.Dot`.

    y[b, p, q] = Σₖ x₁[b, p, k] x₂[b, q, k], where k runs along `axes`, p and q through the other
    axes of a sample, in their order. The output has no mask.

    Parameters
    ----------
    axes : int or (int, int)
        The axis of both inputs, or that of each, counted with that of the batch.
    normalize : bool
        Whether the vectors x₁[b, p] and x₂[b, q] are brought to length 1 first: y is then their
        cosine.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Dot
    >>> Dot(axes=1)([np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])]).tolist()
    [[13.0]]
    >>> Dot(axes=(2, 1))([np.zeros((1, 4, 3)), np.zeros((1, 3, 7))]).shape
    (1, 4, 7)
    """

    kind = "dot"

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(axes, Mapping):  # as the core has it
            axes = tuple(axes.values())
        pair = tuple(axes) if isinstance(axes, tuple | list) else (axes, axes)
        if len(pair) != 2:
            raise ValueError(f"[{self.where}] axes is {axes}; expected an axis or two")
        given = {"axes.0": pair[0], "axes.1": pair[1], "normalize": normalize}
        checked: Any = check("layer", self.kind, given, self.where)
        pair = checked["axes.0"], checked["axes.1"]
        self.axes = pair if isinstance(axes, tuple | list) else pair[0]
        self.normalize = checked["normalize"]

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer, the axes in one."""
        return {"axes": self.axes, "normalize": self.normalize}

    def config(self) -> dict[str, Value]:
        """Return what the core makes this layer from."""
        first, second = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        options = {"axes.0": first, "axes.1": second}
        return {key: value for key, value in super().config().items() if key != "axes"} | options


def add(inputs: Sequence[Any], **options: Any) -> Any:
    """Return ``Add(**options)(inputs)``.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import add
    >>> add([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).tolist()
    [[4.0, 6.0]]
    """
    return Add(**options)(inputs)


def subtract(inputs: Sequence[Any], **options: Any) -> Any:
    """Return ``Subtract(**options)(inputs)``; see `add`."""
    return Subtract(**options)(inputs)


def multiply(inputs: Sequence[Any], **options: Any) -> Any:
    """Return ``Multiply(**options)(inputs)``; see `add`."""
    return Multiply(**options)(inputs)


def average(inputs: Sequence[Any], **options: Any) -> Any:
    """Return ``Average(**options)(inputs)``; see `add`."""
    return Average(**options)(inputs)


def maximum(inputs: Sequence[Any], **options: Any) -> Any:
    """Return ``Maximum(**options)(inputs)``; see `add`."""
    return Maximum(**options)(inputs)


def minimum(inputs: Sequence[Any], **options: Any) -> Any:
    """Return ``Minimum(**options)(inputs)``; see `add`."""
    return Minimum(**options)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **options: Any) -> Any:
    """Return ``Concatenate(axis, **options)(inputs)``; see `add`."""
    return Concatenate(axis, **options)(inputs)


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **options: Any) -> Any:
    """Return ``Dot(axes, **options)(inputs)``; see `add`."""
    return Dot(axes, **options)(inputs)

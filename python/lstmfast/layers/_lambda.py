"""Functions as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lstmfast._checks import wrong_kind
from lstmfast.layers._own import OwnLayer


class Lambda(OwnLayer):
    """A function of tensors as a layer, as `keras.layers.Lambda`.

    The function is called once, on tensors: operators, slices and `lstmfast.ops` (or
    `lstmfast.backend`) become nodes of the core's graph, with gradients; anything else is refused.

    Parameters
    ----------
    function : callable
        What the layer computes, of a tensor or a list of them.
    output_shape, mask
        Accepted for Keras's sake: the shape follows from the function, and the output has no mask.
    arguments : dict, optional
        Further arguments of the function.
    **options
        As in `Layer`.

    Notes
    -----
    Files hold the graph, not the function: `load_model` runs no code of a file and returns a
    `Model` in place of the layer, which computes the same. Those of Keras hold the name of a
    function that has one, for which `custom_objects` must have the function.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast import ops
    >>> from lstmfast.layers import Lambda
    >>> Lambda(lambda x: ops.sum(x[:, 1:] ** 2, axis=1))(np.array([[1.0, 2.0, 3.0]])).tolist()
    [13.0]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not callable(function):
            raise wrong_kind(self.where, "function", function, "a function of a tensor")
        if mask is not None:
            raise ValueError(f"[{self.where}] mask is given; expected None")
        self.function, self.arguments = function, dict(arguments or {})

    def call(self, inputs: Any) -> Any:
        """Return what the function returns."""
        return self.function(inputs, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        kept = {"function": self.function, "arguments": self.arguments}
        return super().get_config() | kept

"""The layer that turns ids into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from lstmfast._arrays import ArrayLike, as_ids
from lstmfast.layers._symbolic import Tensor
from lstmfast.layers.base import QUANTIZATION, Layer, Sample
from lstmfast.layers.weights import fitting, weight


class Embedding(Layer):
    """y = embeddings[id], (B, ...) to (B, ..., output_dim), as `keras.layers.Embedding`.

    Ids are whole numbers, in an array of any type. The gradient of a row of `embeddings` is the sum
    of dy at all places of its id. A training step visits the rows of the batch's ids alone, but for
    what optimizers remember of the others, and penalties and constraints of the weights.

    Parameters
    ----------
    input_dim : int
        Ids are below it.
    output_dim : int
        Size of a vector.
    embeddings_initializer : str or Initializer
        What makes the first weights.
    embeddings_regularizer : str or Regularizer, optional
        What the weights cost.
    embeddings_constraint : str or Constraint, optional
        What the weights are made to satisfy after each training step.
    mask_zero : bool
        Whether id 0 is padding, which layers after this one skip.
    weights : array_like or list of array_like, optional
        The first weights (input_dim, output_dim).
    input_length : int or tuple of int, optional
        Keras 2's name for `input_shape`: the steps of a sample.
    **options
        As in `Layer`.

    Raises
    ------
    ValueError
        In calls, for an id that is negative, a fraction, or not below `input_dim`; the message has
        its place.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import Embedding
    >>> words = Embedding(3, 2, weights=[[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]], mask_zero=True)
    >>> words(np.array([[2, 1, 0]])).tolist()
    [[[3.0, 4.0], [1.0, 2.0], [0.0, 0.0]]]
    >>> words.compute_mask([[2, 1, 0]])
    array([[ True,  True, False]])
    """

    kind = "embedding"
    input_dim: int
    output_dim: int
    mask_zero: bool
    takes_ids = True
    unavailable = QUANTIZATION

    embeddings = weight("embeddings")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        *,
        input_length: int | Sequence[int | None] | None = None,
        **options: Any,
    ) -> None:
        if input_length is not None and options.get("input_shape") is None:
            steps = input_length if isinstance(input_length, Sequence) else (input_length,)
            options["input_shape"] = steps
        self._take_arguments(locals())
        self.ids_below = self.input_dim
        if weights is not None:
            shape = (self.input_dim, self.output_dim)
            given = [weights] if np.shape(weights) == shape else weights
            parts, dtype = [("embeddings", shape)], self.dtype or "float64"
            self._first_weights = fitting(given, parts, dtype, self.where)

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> Any:
        """Return where the ids x count: where their mask says so and, with mask_zero, not at 0."""
        given = super().compute_mask(x, mask)
        if not self.mask_zero:
            return given
        if isinstance(x, Tensor):
            return import_module("lstmfast.ops").not_equal(x, 0)
        real = as_ids(x, self.input_dim, self.where, "x") != 0
        return real if given is None else real & given

    def _declared(self, shape: Sample) -> Sample:
        return (None,) * len(shape)

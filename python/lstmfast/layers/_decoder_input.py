"""The layer through which a decoder takes its targets."""

from __future__ import annotations

from typing import Any

from lstmfast._arrays import ArrayLike
from lstmfast.layers._masking import Masking
from lstmfast.layers.base import Layer


class DecoderInput(Layer):
    """The targets one step late: y_0 = start_token, y_t = x_{t-1}. `EncoderDecoder` has one.

    x (B, T) are tokens, or (B, T, F) values. Where x is padding, the output is masked, so that the
    losses of these steps do not count. The layer also says how its model decodes.

    Parameters
    ----------
    start_token : int or float
        The first token, or what all features of the first step are.
    stop_token : int, optional
        The token that ends a sequence.
    mask_value : int or float, optional
        The token, or what all features of a step are, that is padding; None: there is none.
    length : int, optional
        Steps that `EncoderDecoder.predict` decodes at most.
    sampling_rate : float
        The probability with which training replaces a step by what the model returns for it, with
        the targets before it given.
    sampling_steps : int
        How many steps of the optimizer this probability takes to rise evenly from 0; 0: it does
        not rise.
    **options
        As in `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import DecoderInput
    >>> DecoderInput(start_token=9)(np.array([[[1.0], [2.0], [3.0]]])).tolist()
    [[[9.0], [1.0], [2.0]]]
    """

    kind = "decoder_input"
    moves_elements = True
    start_token: float
    stop_token: int | None
    mask_value: float | None
    length: int | None
    sampling_rate: float
    sampling_steps: int

    def __init__(
        self,
        start_token: float = 0.0,
        stop_token: int | None = None,
        mask_value: float | None = None,
        length: int | None = None,
        sampling_rate: float = 0.0,
        sampling_steps: int = 0,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())

    def compute_mask(self, x: ArrayLike, mask: ArrayLike = None) -> Any:
        """Return where x, of values, is not padding; a mask of its own does not count."""
        return None if self.mask_value is None else Masking(self.mask_value).compute_mask(x)

"""Layers in which each step of one sequence looks at all steps of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array, as_flags
from lstmfast._checks import flag, items
from lstmfast.initializers import GlorotUniform
from lstmfast.layers._symbolic import Sample, Tensor, holds_tensors
from lstmfast.layers.base import Layer, Parts
from lstmfast.layers.weights import weight


class AttentionLayer(Layer):
    """A layer of query, value and key; by default the value is the key, too."""

    takes_list = True
    use_causal_mask: bool
    # where Keras's files have the weights before whose names such a part stands
    keras_parts: ClassVar[Mapping[str, str]] = {}

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        """Return the mask of the output, that of the query."""
        if isinstance(mask, list | tuple):
            mask = mask[0] if mask else None
        return None if mask is None else as_flags(mask, self.where, "mask")

    def _arrays(self, x: Any) -> list[Array]:
        return self._three(super()._arrays(x))

    def _three(self, inputs: list[Any]) -> list[Any]:
        """Return query, value and key of [query, value] or [query, value, key]."""
        if not 2 <= len(inputs) <= 3:
            raise ValueError(
                f"[{self.where}] got {len(inputs)} inputs; expected [query, value] or "
                "[query, value, key]"
            )
        return inputs if len(inputs) == 3 else [*inputs, inputs[1]]

    def _attend(
        self,
        inputs: list[Any],
        masks: Any,
        training: bool | None,
        return_attention_scores: bool,
        use_causal_mask: bool,
    ) -> Any:
        """Return what a call returns: y, or y and the scores."""
        both = flag(return_attention_scores, "return_attention_scores", self.where)
        causal = flag(use_causal_mask, "use_causal_mask", self.where)
        if not self.built:
            self.use_causal_mask = causal
        elif causal != self.use_causal_mask:
            raise ValueError(
                f"[{self.where}] use_causal_mask is {causal}; expected {not causal}, as in the "
                "first call of the layer, or another layer"
            )
        if holds_tensors(inputs):
            given = masks if any(mask is not None for mask in masks or ()) else None
            y = self._joined(self._all_tensors(inputs, "inputs"), given, training)
            return (y, Tensor(y.node, 1)) if both else y
        core = self._ready(inputs)
        found = self._compute(core, inputs, masks or (), training, (0, 1) if both else (0,))[0]
        return tuple(found) if both else found[0]


class Attention(AttentionLayer):
    """Attention by products, as `keras.layers.Attention`.

    The inputs are a list of query (B, Tq, D), value (B, Tv, E) and, if it is not the value, key
    (B, Tv, D); the output is (B, Tq, E)::

        s[i, j] = scale · query[i]·key[j]                                   score_mode="dot"
        s[i, j] = w · Σ tanh(scale · (query[i] + key[j]))                   score_mode="concat"
        y[i] = Σⱼ softmax(s[i])[j] · value[j]

    Masked steps of the value, and with `use_causal_mask` those after step i, have scores that are
    1e9 less; where the query is masked, y is 0, and the mask of the query is that of y.

    Parameters
    ----------
    use_scale : bool
        Whether there is a weight ``scale`` (); else it is 1.
    score_mode : {"dot", "concat"}
        How queries and keys are compared; ``"concat"`` has a weight w, ``concat_score_weight`` ().
    dropout : float
        In training, the share of the weights of values that is set to 0.
    seed : int, optional
        Of the random masks; by default they follow the model's seed.
    use_causal_mask : bool
        What calls have set: files need it.
    **options
        As in `Layer`.

    References
    ----------
    Luong, Pham, Manning: Effective Approaches to Attention-based Neural Machine Translation, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import LSTM, Attention, Dense, Input
    >>> from lstmfast.models import Model
    >>> x, z = Input((None, 3)), Input((None, 2))
    >>> states, h, c = LSTM(4, return_sequences=True, return_state=True)(x)
    >>> y = LSTM(4, return_sequences=True)(z, initial_state=[h, c])
    >>> model = Model([x, z], Dense(1)(Attention()([y, states])))
    >>> model.predict([np.ones((2, 7, 3)), np.ones((2, 5, 2))], verbose=0).shape
    (2, 5, 1)
    """

    kind = "attention"
    use_scale: bool
    score_mode: str
    dropout: float
    seed: int | None
    scale = weight("scale")
    concat_score_weight = weight("concat_score_weight")

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        *,
        use_causal_mask: bool = False,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())

    def __call__(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return what the queries find.

        Parameters
        ----------
        inputs : list of array_like or tensor
            [query, value] or [query, value, key].
        mask : list of array_like, optional
            (B, Tq) and (B, Tv), either may be None. With tensors it must be None:
            in models masks travel along by themselves.
        training : bool, optional
            Whether there is dropout; None is False.
        return_attention_scores : bool
            Return also the weights of the values (B, Tq, Tv).
        use_causal_mask : bool
            Let step i of the query see no later step of the value; the same in all calls.

        Returns
        -------
        ndarray or tensor, or a tuple of two
        """
        given = items(inputs, "inputs", self.where, "[query, value] or [query, value, key]")
        masks = items([] if mask is None else mask, "mask", self.where, "[of query, of value]")
        given = self._three(given) if holds_tensors(given) else self._arrays(given)
        return self._attend(given, masks[:2], training, return_attention_scores, use_causal_mask)

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights: 1."""
        return [np.ones(shape, dtype) for _, shape in parts]


class AdditiveAttention(Attention):
    """Attention by sums, as `keras.layers.AdditiveAttention`.

    As `Attention`, but for the scores::

        s[i, j] = Σ scale ⊙ tanh(query[i] + key[j])

    Parameters
    ----------
    use_scale : bool
        Whether there is a weight ``scale`` (D); else it is 1.
    dropout : float
        In training, the share of the weights of values that is set to 0.
    seed : int, optional
        Of the random masks; by default they follow the model's seed.
    use_causal_mask : bool
        What calls have set: files need it.
    **options
        As in `Layer`.

    References
    ----------
    Bahdanau, Cho, Bengio: Neural Machine Translation by Jointly Learning to Align and Translate,
    2015.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import AdditiveAttention
    >>> x = np.ones((2, 5, 3))
    >>> y, scores = AdditiveAttention()([x[:, :4], x], return_attention_scores=True)
    >>> y.shape, scores.shape
    ((2, 4, 3), (2, 4, 5))
    """

    kind = "additive_attention"

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        seed: int | None = None,
        *,
        use_causal_mask: bool = False,
        **options: Any,
    ) -> None:
        self._take_arguments(locals())

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights."""
        return [GlorotUniform()(shape, dtype, rng) for _, shape in parts]

"""Attention of several heads, which are projections of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lstmfast._arrays import Array, ArrayLike
from lstmfast._options import defaults
from lstmfast.layers._attention import AttentionLayer
from lstmfast.layers._operations import aligned, tensor_of
from lstmfast.layers._symbolic import Sample, holds_tensors, place_of_code
from lstmfast.layers.base import Parts


class MultiHeadAttention(AttentionLayer):
    """Attention of several heads, as `keras.layers.MultiHeadAttention`.

    Query (B, Tq, D), value (B, Tv, E) and key (B, Tv, F), which is the value if none is given, are
    projected into N heads; then each head attends, and all heads are projected together::

        q, k, v = query·W_q + b_q, key·W_k + b_k, value·W_v + b_v
        s[n, i, j] = q[n, i]·k[n, j] / √key_dim
        h[n, i] = Σⱼ softmax(s[n, i])[j] · v[n, j]
        y[i] = Σₙ h[n, i]·W_o[n] + b_o

    Weights, in the order of `get_weights`: for query, key and value kernel (D, N, key_dim) and bias
    (N, key_dim), with value_dim for the value; kernel (N, value_dim, D) and bias (D) of the output.

    Query i sees key j where neither is masked, `attention_mask` allows it and, with
    `use_causal_mask`, j <= i. Where a query sees none, h is 0, as in Keras with dropout or scores;
    without them it is the mean of all values there. The mask of the query is that of y.

    Parameters
    ----------
    num_heads : int
        N.
    key_dim : int
        Size of a head of queries and keys.
    value_dim : int, optional
        Size of a head of values; by default `key_dim`.
    dropout : float
        In training, the share of the weights of values that is set to 0.
    use_bias : bool
        Whether the projections have biases.
    output_shape : int or tuple of int, optional
        What stands in y in the place of D.
    attention_axes : int or tuple of int, optional
        The axis of steps, 1; no other is available.
    sliding_window : int, optional
        Query i sees only keys less than so many steps from i.
    flash_attention : bool, optional
        None or False.
    kernel_initializer, bias_initializer : str or Initializer
        What makes the first weights.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        What these weights cost.
    activity_regularizer : None
        In Keras it is of the projections; not available.
    kernel_constraint, bias_constraint : str or Constraint, optional
        What these weights are made to satisfy after each training step.
    use_gate : bool
        False; gates are not available.
    seed : int, optional
        Of the random masks; by default they follow the model's seed.
    use_causal_mask : bool
        What calls have set: files need it.
    **options
        As in `Layer`.

    References
    ----------
    Vaswani et al.: Attention Is All You Need, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from lstmfast.layers import MultiHeadAttention
    >>> layer, x = MultiHeadAttention(num_heads=2, key_dim=4), np.ones((3, 5, 6))
    >>> y, scores = layer(query=x, value=x, return_attention_scores=True, use_causal_mask=True)
    >>> y.shape, scores.shape, layer.count_params()
    ((3, 5, 6), (3, 2, 5, 5), 222)
    """

    kind = "multi_head_attention"
    num_heads: int
    key_dim: int
    value_dim: int | None
    dropout: float
    use_bias: bool
    sliding_window: int | None
    _output_shape: tuple[int, ...] | None
    seed: int | None
    unavailable: ClassVar = {"activity_regularizer": None, "use_gate": False}
    keras_parts: ClassVar = {
        "query": "query_dense",
        "key": "key_dense",
        "value": "value_dense",
        "attention_output": "output_dense",
    }

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        *,
        use_causal_mask: bool = False,
        **options: Any,
    ) -> None:
        output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape
        self._take_arguments(locals())
        for name, value, good in (
            ("attention_axes", attention_axes, (None, 1, (1,), [1])),
            ("flash_attention", flash_attention, (None, False)),
        ):
            if value not in good:
                raise ValueError(
                    f"[{self.where}] {name}={value!r} is not available in this version; expected "
                    f"{good[0]} or {good[1]}"
                )

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep Keras's argument apart from the shape of what the layer returns."""
        super().__setattr__("_output_shape" if name == "output_shape" else name, value)

    def options(self) -> dict[str, Any]:
        """Return what the core must know of this layer: the options of its table."""
        values = vars(self) | {"output_shape": self._output_shape}
        return {name: values[name] for name in defaults("layer", self.kind)}

    def initial_weights(
        self, parts: Parts, dtype: Any, rng: np.random.Generator, sample: Sample
    ) -> list[Array]:
        """Make the first weights."""
        return super().initial_weights(
            [(name.rpartition(".")[2], shape) for name, shape in parts], dtype, rng, sample
        )

    def __call__(  # type: ignore[override]
        self,
        query: Any,
        value: Any = None,
        key: Any = None,
        query_mask: ArrayLike = None,
        value_mask: ArrayLike = None,
        key_mask: ArrayLike = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """Return what the queries find.

        Parameters
        ----------
        query, value, key : array_like or tensor
            (B, Tq, D), (B, Tv, E), (B, Tv, F); by default the value is the key.
        query_mask, value_mask, key_mask : array_like of bool, optional
            (B, Tq), (B, Tv), (B, Tv). With tensors they must be None: in models
            masks travel along by themselves.
        attention_mask : array_like or tensor, optional
            (B, Tq, Tv): above 0.5, or True, where a query sees a key; (Tq, Tv) or (1, Tq, Tv) for
            an array among tensors.
        return_attention_scores : bool
            Return also the weights of the values (B, N, Tq, Tv), before dropout.
        training : bool, optional
            Whether there is dropout; None is False.
        use_causal_mask : bool
            Let step i of the query see no later step of the value; the same in all calls.

        Returns
        -------
        ndarray or tensor, or a tuple of two
        """
        if value is None:
            raise TypeError(
                f"[{self.where}] value is missing; expected two inputs, which may be the same: "
                f"layer(x, x) (at {place_of_code()})"
            )
        given = [query, value, value if key is None else key]
        if not holds_tensors(given):
            arrays = [
                self._array(x, n) for x, n in zip(given, ("query", "value", "key"), strict=True)
            ]
            if attention_mask is not None:
                pairs = np.asarray(attention_mask, arrays[0].dtype)
                arrays.append(self._array(pairs, "attention_mask"))
            given = arrays
        elif attention_mask is not None:
            given += aligned([query, tensor_of(attention_mask, query, self.where)], self.where)[1:]
        masks = [query_mask, value_mask, key_mask]
        return self._attend(given, masks, training, return_attention_scores, use_causal_mask)

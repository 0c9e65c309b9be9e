"""Attention layers with masks, as the core, the reference and Keras compute them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstmfast import reference

Array = npt.NDArray[Any]
B, TQ, TV, D, E = 3, 4, 5, 3, 6
_rng = np.random.default_rng(11)
MASKS = [_rng.random((B, t)) < 0.6 for t in (TQ, TV)]
for _mask in MASKS:
    _mask[0], _mask[1, 0] = False, True  # of the first sample no step counts
SHAPES = [(TQ, D), (TV, E), (TV, D)]
NAMES = ("query", "value", "key")


class Case(NamedTuple):
    """A layer of libraries, its weights, and what its calls are given."""

    make: Callable[[Any], Any]
    weights: tuple[Array, ...] = ()
    mode: str = "dot"
    order: tuple[str, ...] = ()  # what the reference calls the weights
    causal: bool = False
    masked: bool = False
    window: int | None = None
    pairs: Array | None = None  # which key of each query is seen

    @property
    def heads(self) -> bool:
        return self.order[:1] == ("query_kernel",)

    @property
    def masks(self) -> list[Any]:
        return [*MASKS] if self.masked else [None, None]

    def inputs(self) -> list[Array]:
        rng = np.random.default_rng(4)
        return [rng.standard_normal((B, *shape)) for shape in SHAPES]

    def seen(self) -> Array:
        q, v = self.masks
        masks = [] if self.pairs is None else [self.pairs]
        if v is not None:
            masks.append(v[:, None])
        if self.heads and q is not None:
            masks.append(q[:, :, None])
        return reference.attention_seen(TQ, TV, self.causal, self.window, *masks)

    def named(self) -> dict[str, Array]:
        return dict(zip(self.order, self.weights, strict=True))

    def scores(self) -> tuple[str, Any, Any, Any]:
        """Return the mode of the scores, then outer, inner and gains."""
        named = self.named()
        outer, inner, gains = (named.get(name, 1.0) for name in ("outer", "inner", "gains"))
        return self.mode, outer, inner, gains

    def forward(self, x: list[Array]) -> tuple[Array, Array]:
        if self.heads:
            given = dict(zip(NAMES, x, strict=True))
            return reference.multi_head_attention_forward(given, self.named(), self.seen())
        q, v, k = (each[:, None] for each in x)
        y, scores = reference.attention_forward(q, k, v, self.seen(), *self.scores())
        if self.masked:
            y = np.where(MASKS[0][:, None, :, None], y, 0)
        return y[:, 0], scores[:, 0]

    def backward(self, dy: Array, x: list[Array]) -> tuple[list[Array], list[Array]]:
        """Return the gradients of the inputs and of the weights."""
        if self.heads:
            given = dict(zip(NAMES, x, strict=True))
            found = reference.multi_head_attention_backward(dy, given, self.named(), self.seen())
            return [found[name] for name in NAMES], [found[name] for name in self.order]
        if self.masked:
            dy = np.where(MASKS[0][..., None], dy, 0)
        q, v, k = (each[:, None] for each in x)
        scores = self.forward(x)[1][:, None]
        found = reference.attention_backward(dy[:, None], q, k, v, scores, *self.scores())
        return [found[n][:, 0] for n in "qvk"], [found[name] for name in self.order]

    def call(self, layer: Any, x: list[Any], masks: Any = None, **more: Any) -> Any:
        if self.causal:
            more["use_causal_mask"] = True
        if self.heads:
            names = ("query_mask", "value_mask")
            more |= {n: m for n, m in zip(names, masks or (), strict=False) if m is not None}
            return layer(**dict(zip(NAMES, x, strict=False)), **more)
        if masks is not None and any(mask is not None for mask in masks):
            more["mask"] = masks
        return layer(x, **more)


_A, _B, _GAINS = np.array(0.7), np.array(-1.3), _rng.standard_normal(D)


def _multi_head(ending: tuple[int, ...] = (D,), **more: Any) -> Case:
    options: dict[str, Any] = {"num_heads": 2, "key_dim": 5, "value_dim": 3}
    if ending != (D,):
        options["output_shape"] = ending
    rng = np.random.default_rng(5)
    weights, order = [], []
    for name, features, size in (("query", D, 5), ("key", D, 5), ("value", E, 3)):
        weights += [rng.standard_normal((features, 2, size)), rng.standard_normal((2, size))]
        order += [f"{name}_kernel", f"{name}_bias"]
    weights += [rng.standard_normal((2, 3, *ending)), rng.standard_normal(ending)]
    window = more.get("window")
    return Case(
        lambda of: of.MultiHeadAttention(
            **options | {"sliding_window": window} if window else options
        ),
        tuple(weights),
        order=(*order, "output_kernel", "output_bias"),
        **more,
    )


CASES = {
    "dot": Case(lambda of: of.Attention()),
    "dot_scaled": Case(lambda of: of.Attention(use_scale=True), (_A,), "dot", ("outer",)),
    "concat": Case(lambda of: of.Attention(score_mode="concat"), (_A,), "concat", ("outer",)),
    "concat_scaled": Case(
        lambda of: of.Attention(True, "concat"), (_A, _B), "concat", ("inner", "outer")
    ),
    "additive": Case(lambda of: of.AdditiveAttention(False), (), "additive"),
    "additive_scaled": Case(lambda of: of.AdditiveAttention(), (_GAINS,), "additive", ("gains",)),
    "heads": _multi_head(),
    "heads_wide": _multi_head((20,)),
    "heads_window": _multi_head(window=2),
}
for _name in ("dot_scaled", "concat_scaled", "additive_scaled", "heads"):
    CASES[f"{_name}_causal"] = CASES[_name]._replace(causal=True)
    CASES[f"{_name}_masked"] = CASES[_name]._replace(masked=True)
    CASES[f"{_name}_masked_causal"] = CASES[_name]._replace(masked=True, causal=True)

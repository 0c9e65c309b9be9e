"""What is drawn from a model's outputs, in the order of the computation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

__all__ = ["draw_id", "draw_mixture"]


def draw_id(
    scores: Array,
    uniform: float,
    *,
    logits: bool,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> int:
    """Return the id that `uniform`, from 0 to below 1, draws by the scores (V,) of all ids.

    The weight of an id is p^(1 / temperature). Kept are the `top_k` ids of most weight, then of
    these the first, in the order of their weights, that sum up to `top_p` of all. The id is the
    first, in the order of ids, with which the sum of weights is above uniform times their total.
    """
    scores = np.asarray(scores, np.float64)
    if temperature == 0:
        return int(scores.argmax())
    with np.errstate(divide="ignore"):
        logarithms = scores if logits else np.log(scores)
    weights = np.exp((logarithms - logarithms.max()) / temperature)
    order = np.argsort(-weights, kind="stable")[:top_k]
    if top_p is not None and top_p < 1:
        before = np.cumsum(weights[order]) - weights[order]
        order = order[before < top_p * weights[order].sum()]
    ids = np.sort(order)
    sums = np.cumsum(weights[ids])
    return int(ids[np.searchsorted(sums, uniform * sums[-1], side="right")])


def draw_mixture(
    row: Array, uniform: float, normal: Array, components: int, temperature: float = 1.0
) -> Array:
    """Return D values of a row [K logits | K x D means | K x D deviations], of D normal numbers."""
    row = np.asarray(row, np.float64)
    k = draw_id(row[:components], uniform, logits=True, temperature=temperature)
    means, deviations = row[components:].reshape(2, components, -1)[:, k]
    return np.asarray(means + np.sqrt(temperature) * deviations * np.asarray(normal))

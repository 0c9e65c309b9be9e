"""What is alike for arrays and for batches: to score them, to cut off a part, to count steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lstmfast._core import Model as CoreModel
from lstmfast.callbacks.base import CallbackList
from lstmfast.models.data import Samples
from lstmfast.models.sources.base import Source
from lstmfast.models.sources.rows import Rows


def evaluated(
    core_model: CoreModel, data: Samples | Source, batch_size: int, hooks: Mapping[str, Any]
) -> dict[str, float]:
    """Return loss and metrics under the core's names."""
    if isinstance(data, Source):
        return core_model.evaluate(data, None, batch_size, **hooks)
    return core_model.evaluate(data.x, data.y, batch_size, data.weights, **hooks)


def test_hooks(callbacks: CallbackList, model: Any) -> dict[str, Any]:
    """Return what the core calls at the batches of an evaluation."""
    names = {"on_batch_begin": "on_test_batch_begin", "on_batch": "on_test_batch_end"}
    stop = "stop_evaluating"
    hooks = {key: callbacks.at_batches(name, model, stop) for key, name in names.items()}
    return {key: hook for key, hook in hooks.items() if hook is not None}


def in_rows(data: Samples, batch_size: int, where: str, steps: int) -> Source:
    """Return arrays in the core's form as batches, for epochs of so many steps."""
    rows = Rows((data.x, data.y, data.weights), range(len(data)), where, steps)
    rows.batch_size = batch_size

    def as_they_are(x: Any, y: Any, weights: Any, _: str) -> Samples:
        return Samples(x, y, weights)

    return Source(rows, as_they_are)


def cut(
    data: Samples | Source, share: float
) -> tuple[Samples | Source, Samples | Source, tuple[int, int]]:
    """Return what is for training, what for validation, and how many samples each has.

    The last `share` of the samples is for validation.
    """
    if isinstance(data, Samples):
        train, held_out = split(data, share)
        return train, held_out, (len(train), len(held_out))
    rows = data.given
    if not isinstance(rows, Rows):
        raise ValueError(
            f"[fit] validation_split={share} needs arrays; expected validation_data next to data "
            "that come in batches"
        )
    total = len(rows.samples)
    first, start = split_at(total, share), rows.samples.start
    ranges = range(start, start + first), range(start + first, start + total)
    ours, theirs = (Source(rows.cut(part), data.convert) for part in ranges)
    theirs.given.steps = None
    return ours, theirs, (first, total - first)


def split_at(samples: int, share: float) -> int:
    """Return how many samples are for training where the last `share` is for validation."""
    if not 0.0 < share < 1.0:
        raise ValueError(f"[fit] validation_split is {share}; expected 0 to below 1")
    first = math.floor(samples * (1.0 - share))
    if first in (0, samples):
        raise ValueError(
            f"[fit] validation_split={share} of {samples} samples leaves one part empty"
        )
    return first


def split(data: Samples, share: float) -> tuple[Samples, Samples]:
    """Return what is for training and what for validation: the last `share` of the samples."""
    first = split_at(len(data), share)

    def samples(rows: slice) -> Samples:
        def cut(value: Any) -> Any:
            if isinstance(value, list | tuple):
                return type(value)(map(cut, value))
            return None if value is None else value[rows]

        return Samples(cut(data.x), cut(data.y), cut(data.weights))

    return samples(slice(first)), samples(slice(first, None))

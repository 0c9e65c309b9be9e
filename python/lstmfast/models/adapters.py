"""Data of a call as the core takes them: of all inputs and outputs of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, as_float, as_ids
from lstmfast._core import Model as Engine
from lstmfast.models.compiled import Output
from lstmfast.models.data import (
    check_shape,
    checked_input,
    checked_target,
    checked_weights,
    class_weights,
    only,
    parts,
)

if TYPE_CHECKING:
    from lstmfast._arrays import Data

ArrayNames = tuple[str, str, str]
"""What the user calls x, y and the weights."""
NAMES = "x", "y", "sample_weight"


def samples_of(data: Sequence[Data]) -> int:
    """Return how many samples there are."""
    first = data[0]
    return len(first[0] if isinstance(first, tuple) else first)


@dataclass(slots=True)
class Samples:
    """Samples, targets of each output, and weights of the samples in the loss of each output."""

    x: list[Data]
    y: list[Array | None]  # None where an output needs none
    weights: list[Array | None] = field(default_factory=list)  # empty: all count alike

    def __len__(self) -> int:
        return samples_of(self.x)


class Adapter:
    """What brings data into the form that a model of the core takes."""

    def __init__(self, names: Sequence[str], engine: Engine, dtype: str) -> None:
        self.names = list(names)
        self.inputs = [
            (tuple(shape), values, ids, below) for shape, values, ids, below in engine.inputs
        ]
        self.output_shapes = engine.output_shapes
        self.dtype = np.dtype(dtype)
        # one input of values and one output
        self._is_plain = len(self.inputs) == len(self.output_shapes) == 1 and not self.inputs[0][2]

    def samples(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        outputs: Sequence[Output],
        where: str,
        names: ArrayNames = NAMES,
    ) -> Samples:
        """Return the data of a call that needs a loss."""
        if self._is_plain and sample_weight is None and type(x) is type(y) is np.ndarray:
            # the arrays of a training by hand: what else there may be would double a call's cost
            array = checked_input(x, self.dtype, self.inputs[0][0], where, names[0])
            target = checked_target(y, self.dtype, len(array), where, names[:2])
            return Samples([array], [target])
        inputs = self.checked(x, where, names[0])
        count = samples_of(inputs)
        targets = self._targets(y, count, outputs, where, names)
        return Samples(inputs, targets, self._weights(sample_weight, count, outputs, where, names))

    def checked(self, x: Any, where: str, name: str = "x") -> list[Data]:
        """Return samples as the core takes them."""
        data: list[Data] = []
        for (label, value), of_input in zip(
            parts(x, self.names, where, name), self.inputs, strict=True
        ):
            one = self._checked(value, of_input, where, label)
            if data and samples_of([one]) != samples_of(data):
                raise ValueError(
                    f"[{where}] {label} has {samples_of([one])} samples; expected "
                    f"{samples_of(data)}, as the inputs before it have"
                )
            data.append(one)
        return data

    def _checked(self, x: Any, of_input: Sequence[Any], where: str, name: str) -> Data:
        sample, has_values, has_ids, below = of_input
        if not has_ids:
            return checked_input(x, self.dtype, sample, where, name)
        if not isinstance(x, np.ndarray):
            x = only(x, len(sample) + 1)
        ids = as_ids(x, below, where, name)
        check_shape(ids, sample, where, name, x)
        return (as_float(x, self.dtype, where, name), ids) if has_values else ids

    def _targets(
        self, y: Any, samples: int, outputs: Sequence[Output], where: str, names: ArrayNames
    ) -> list[Array | None]:
        optional = [output.name for output in outputs if not output.needs_targets]
        found: list[Array | None] = []
        each = parts(y, [output.name for output in outputs], where, names[1], optional)
        for (name, value), output, shape in zip(each, outputs, self.output_shapes, strict=True):
            if not output.needs_targets:
                found.append(None)
                continue
            if not isinstance(value, np.ndarray):
                value = only(value, len(shape) + 1, samples)
            dtype = self.dtype
            found.append(checked_target(value, dtype, samples, where, (names[0], name)))
        return found

    def _weights(
        self, given: Any, samples: int, outputs: Sequence[Output], where: str, names: ArrayNames
    ) -> list[Array | None]:
        if given is None:
            return []
        dtype = self.dtype
        each = [(names[2], given)] * len(outputs)
        if isinstance(given, Mapping) or (
            isinstance(given, list | tuple)
            and len(given) == len(outputs) > 1
            and not all(isinstance(one, int | float) for one in given)
        ):
            of_outputs = [output.name for output in outputs]
            each = parts(given, of_outputs, where, names[2], of_outputs)
        return [
            None if output.loss is None else checked_weights(one, samples, dtype, where, name)
            for (name, one), output in zip(each, outputs, strict=True)
        ]

    def with_class_weights(
        self, given: Any, data: Samples, outputs: Sequence[Output], where: str
    ) -> Samples:
        """Return the data with weights of the samples by their classes."""
        check_weighable("class_weight", outputs, where)
        if data.weights:
            raise ValueError(
                f"[{where}] class_weight is given; expected no sample_weight beside it"
            )
        (output, *others), (target, *_) = outputs, data.y
        if others or target is None:
            raise ValueError(f"[{where}] class_weight is given; expected a model with one output")
        labels = self.output_shapes[0][-1] == 1 or (
            output.loss is not None and output.loss.kind == "sparse_categorical_crossentropy"
        )
        weights = class_weights(given, target, not labels, self.dtype, where)
        return Samples(data.x, data.y, [weights])


def check_weighable(name: str, outputs: Sequence[Output], where: str) -> None:
    """Refuse weights where a loss of the user's own would not know them."""
    if any(output.loss is not None and output.loss.is_custom for output in outputs):
        raise ValueError(f"[{where}] {name} is given; expected None with a loss of one's own")


def split(data: Samples, share: float) -> tuple[Samples, Samples]:
    """Return what is for training and what for validation: the last `share` of the samples."""
    if not 0.0 < share < 1.0:
        raise ValueError(f"[fit] validation_split is {share}; expected 0 to below 1")
    first = math.floor(len(data) * (1.0 - share))
    if first in (0, len(data)):
        raise ValueError(
            f"[fit] validation_split={share} of {len(data)} samples leaves one part empty"
        )

    def cut(value: Any, part: slice) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(cut(each, part) for each in value)
        return None if value is None else value[part]

    head, tail = slice(first), slice(first, None)
    return (
        Samples(cut(data.x, head), cut(data.y, head), cut(data.weights, head)),
        Samples(cut(data.x, tail), cut(data.y, tail), cut(data.weights, tail)),
    )

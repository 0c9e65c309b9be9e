"""From what a user calls x and y to what the core takes, with messages in the user's words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from weakref import WeakMethod

import numpy as np

from lstmfast._arrays import Array, Data, as_float, as_ids, as_weights, shape_text, wrong_shape
from lstmfast._checks import count, number, wrong_kind
from lstmfast._core import Model as CoreModel
from lstmfast._foreign import DEEPEST
from lstmfast.layers._symbolic import Sample
from lstmfast.models.compiled import Output
from lstmfast.models.ragged import (
    Padded,
    Padding,
    checked_lengths,
    lengths_of,
    mask_of,
    padded,
    ragged_lengths,
)

Dtype: TypeAlias = "np.dtype[Any]"
ArrayNames: TypeAlias = Sequence[str]
"""What the user calls x, y and the weights."""
NAMES = "x", "y", "sample_weight"


def parts(
    given: Any, names: Sequence[str], where: str, what: str, optional: Sequence[str] = ()
) -> list[tuple[str, Any]]:
    """Return what each input or output is given, with what the user calls it.

    Those of several come in a list, or in a dictionary by name, which may lack the optional ones,
    and may have more names where none is optional.
    """
    if isinstance(given, Mapping):
        lacking = [name for name in names if name not in given and name not in optional]
        unknown = [name for name in given if name not in names] if optional else []
        or_array = "" if len(names) > 1 else "an array, or "
        for problem, keys in (("lacks", lacking), ("has the unknown", unknown)):
            if keys:
                raise ValueError(
                    f"[{where}] {what} {problem} {', '.join(map(repr, keys))}; expected "
                    f"{or_array}a dictionary with {', '.join(map(repr, names))}"
                )
        return [(f"{what}[{name!r}]", given.get(name)) for name in names]
    if len(names) == 1:
        return [(what, given)]
    expected = f"a list of {len(names)}, or a dictionary: {', '.join(map(str, names))}"
    if not isinstance(given, list | tuple):
        raise wrong_kind(where, what, given, expected)
    if len(given) != len(names):
        raise ValueError(f"[{where}] {what} has {len(given)} items; expected {expected}")
    return [(f"{what}[{place}]", each) for place, each in enumerate(given)]


def _is_numeric(value: Any) -> bool:
    return type(value) is np.ndarray and value.dtype.char != "O"


def only(value: Any, axes: int, samples: int = 1) -> Any:
    """Return the array of a list that holds one, as Keras takes inputs; anything else as it is.

    axes: how many the array has, at most; samples: how long it must be, where that is known. They
    tell a list of one array from a list of one sample.
    """
    if not isinstance(value, list | tuple) or len(value) != 1:
        return value
    found = _axes(value)
    return value[0] if found > axes or (found > 1 and samples != 1) else value


def _axes(value: Any) -> int:
    lists = 0
    while isinstance(value, list | tuple) and value and lists < DEEPEST:
        value = value[0]
        lists += 1
    return lists + int(getattr(value, "ndim", 0))


def check_shape(array: Array, sample: Sample, where: str, name: str, x: Any) -> None:
    """Refuse an array, made of x, that holds no samples of that shape."""
    shape = array.shape[1:]
    if array.ndim == 0 or (shape != sample and not _fits(shape, sample)):
        hint = ""
        if _fits(array.shape, sample):
            hint = f"; for one sample pass {name}[None]"
        elif _fits((*shape, 1), sample):
            hint = f"; for one feature pass {name}[..., None]"
        if isinstance(x, list | tuple) and array.ndim == len(sample) + 2:
            hint = f"; {len(x)} inputs came, and the model has one"
        expected = shape_text(("N", *sample))
        raise wrong_shape(where, name, array.shape, expected + hint)


def _fits(shape: tuple[int, ...], sample: Sample) -> bool:
    return len(shape) == len(sample) and all(
        want in (None, have) for have, want in zip(shape, sample, strict=True)
    )


def checked_weights(
    weights: Any, samples: int, dtype: Dtype, where: str, name: str
) -> Array | None:
    """Return the part of each sample, or of each of its steps, in the loss; None: all alike."""
    if weights is None:
        return None
    array = as_weights(only(weights, 2, samples), dtype, where, name)
    if array.ndim == 0 or len(array) != samples:
        raise wrong_shape(where, name, array.shape, f"({samples},), or one weight for each step")
    return array


def class_weights(given: Any, y: Array, one_hot: bool, dtype: Dtype, where: str) -> Array:
    """Return the weights of targets by their classes: labels, or rows with a 1 at the class."""
    if not isinstance(given, Mapping):
        raise wrong_kind(where, "class_weight", given, "a dictionary from class to weight")
    labels = y.argmax(axis=-1) if one_hot else np.round(y)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    weights = np.ones(labels.shape, dtype)
    for label, weight in given.items():
        share = number(weight, f"class_weight[{label!r}]", where)
        if not 0.0 <= share < math.inf:
            raise ValueError(
                f"[{where}] class_weight[{label!r}] is {share}; expected a finite number of at "
                "least 0"
            )
        if isinstance(label, float | np.floating) and label.is_integer():  # of np.unique(y)
            label = int(label)
        weights[labels == count(label, f"class_weight's key {label!r}", where, least=0)] = share
    return weights


def samples_of(data: Sequence[Data]) -> int:
    """Return how many samples there are."""
    first = data[0]
    return len(first[0] if isinstance(first, tuple) else first)


def first_of(data: Sequence[Data], count: int) -> list[Data]:
    """Return the first samples of each input."""
    return [
        tuple(part[:count] for part in each) if isinstance(each, tuple) else each[:count]
        for each in data
    ]


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

    def __init__(
        self,
        names: Sequence[str],
        core_model: CoreModel,
        dtype: str,
        on_masks: WeakMethod[Any],
        text: Callable[[Any], Any] | None = None,
    ) -> None:
        self.names = list(names)
        self.masked_outputs = core_model.masked_outputs
        self.on_masks = on_masks  # hears which inputs have a mask, where any has
        self.inputs = core_model.inputs
        self.output_shapes = core_model.output_shapes
        self.dtype = np.dtype(dtype)
        self.text = text  # makes of texts what the core takes
        # one input of values and one output
        one = len(self.inputs) == len(self.output_shapes) == 1
        self._is_plain = one and not self.inputs[0][2] and text is None

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
        # a training by hand: what else there may be would cost as much again
        array = self._plain(x, where, names[0]) if sample_weight is None else None
        if array is not None and _is_numeric(y):
            target = as_float(y, self.dtype, where, names[1])
            if target.ndim and len(array) == len(target):
                return Samples([array], [target])
        inputs = self._inputs(x, y, where, names)
        padding = Padding(inputs, self.masked_outputs, len(outputs), where)
        y, sample_weight = padding.of(y, names[1]), padding.of(sample_weight, names[2])
        count = samples_of(inputs)
        targets = self._targets(y, count, outputs, where, names)
        return Samples(inputs, targets, self._weights(sample_weight, count, outputs, where, names))

    def _inputs(self, x: Any, y: Any, where: str, names: ArrayNames) -> list[Data]:
        """Return what the model takes of samples and targets."""
        return self.checked(x, where, names[0])

    def _plain(self, x: Any, where: str, name: str) -> Array | None:
        """Return an array of the one input that the model has; None for anything else."""
        if not (self._is_plain and _is_numeric(x)):
            return None
        array = as_float(x, self.dtype, where, name)
        return array if array.ndim and array.shape[1:] == self.inputs[0][0] else None

    def checked(
        self, x: Any, where: str, name: str = "x", more: Sequence[tuple[str, Any]] = ()
    ) -> list[Data]:
        """Return samples as the core takes them; `more`: names and values of the last inputs."""
        array = self._plain(x, where, name)
        if array is not None:
            return [array]
        data: list[Data] = []
        names = self.names[: len(self.names) - len(more)]
        lengths = [("lengths", None)] * len(self.inputs)
        if isinstance(x, Padded):
            lengths[: len(names)] = parts(x.lengths, names, where, "lengths", names)
            x = x.x
        for (label, value), of_input, of_lengths in zip(
            [*parts(x, names, where, name), *more], self.inputs, lengths, strict=True
        ):
            if self.text is not None:
                value = self.text(only(value, 2))
            one = self._checked(value, of_input, where, label, *of_lengths)
            if data and samples_of([one]) != samples_of(data):
                raise ValueError(
                    f"[{where}] {label} has {samples_of([one])} samples; expected "
                    f"{samples_of(data)}, as the inputs before it have"
                )
            data.append(one)
        masks = [lengths_of(each) is not None for each in data]
        if any(masks):
            tell = self.on_masks()
            assert tell is not None
            tell(masks)
        return data

    def _checked(
        self, x: Any, of_input: Sequence[Any], where: str, name: str, of_lengths: str, lengths: Any
    ) -> Data:
        sample, has_values, has_ids, below = of_input
        x = only(x, len(sample) + 1)
        found = ragged_lengths(x)
        if found is not None and _axes(list(x)[found.argmax()]) == len(sample):
            if lengths is not None:
                raise ValueError(
                    f"[{where}] {of_lengths} is given; expected None, for the samples of {name} "
                    "differ in length already"
                )
            x = padded(x, found, sample[0] if sample else None, where, name)
        array = as_ids(x, below, where, name) if has_ids else as_float(x, self.dtype, where, name)
        check_shape(array, sample, where, name, x)
        whole: list[Array] = (
            [as_float(x, self.dtype, where, name)] if has_ids and has_values else []
        )
        whole.append(array)
        if lengths is not None:
            if len(sample) < (1 if has_ids else 2):
                raise ValueError(
                    f"[{where}] {of_lengths} is given; expected None, for the samples of {name} "
                    "have no steps"
                )
            found = checked_lengths(lengths, array.shape, where, of_lengths)
        if found is not None and len(found) and found.min() < array.shape[1]:
            whole.append(mask_of(found, array.shape if has_ids else array.shape[:-1]))
        return tuple(whole) if len(whole) > 1 else array

    def _targets(
        self, y: Any, samples: int, outputs: Sequence[Output], where: str, names: ArrayNames
    ) -> list[Array | None]:
        optional = [output.name for output in outputs if not output.needs_targets]
        each = parts(y, [output.name for output in outputs], where, names[1], optional)
        axes = [len(shape) + 1 for shape in self.output_shapes]
        return [
            self._target(only(value, most, samples), samples, where, names[0], name)
            if output.needs_targets
            else None
            for (name, value), output, most in zip(each, outputs, axes, strict=True)
        ]

    def _target(self, y: Any, samples: int, where: str, x_name: str, name: str) -> Array:
        """Return targets for that many samples. What else they must be is for the loss to say."""
        if y is None:
            raise ValueError(f"[{where}] {name} is missing")
        array = as_float(y, self.dtype, where, name)
        if array.ndim == 0 or len(array) != samples:
            expected = f"({samples}, ...), for {x_name} has {samples} samples"
            raise wrong_shape(where, name, array.shape, expected)
        return array

    def _weights(
        self, given: Any, samples: int, outputs: Sequence[Output], where: str, names: ArrayNames
    ) -> list[Array | None]:
        if given is None:
            return []
        dtype = self.dtype
        each = [(names[2], given)] * len(outputs)
        if isinstance(given, Mapping) or (
            isinstance(given, list | tuple)
            and len(outputs) > 1
            and (len(given) == len(outputs) or len(given) != samples)
            and not all(isinstance(one, int | float) for one in given)
        ):
            of_outputs = [output.name for output in outputs]
            each = parts(given, of_outputs, where, names[2], of_outputs)
        return [
            checked_weights(one, samples, dtype, where, name) if output.takes_weights else None
            for (name, one), output in zip(each, outputs, strict=True)
        ]

    def with_class_weights(
        self, given: Any, data: Samples, outputs: Sequence[Output], where: str
    ) -> Samples:
        """Return the data with weights of the samples by their classes."""
        if data.weights:
            raise ValueError(
                f"[{where}] class_weight is given; expected no sample_weight next to it"
            )
        (output, *others), (target, *_) = outputs, data.y
        if others or target is None:
            raise ValueError(f"[{where}] class_weight is given; expected a model with one output")
        labels = self.output_shapes[0][-1] == 1 or (
            output.loss is not None and output.loss.kind == "sparse_categorical_crossentropy"
        )
        weights = class_weights(given, target, not labels, self.dtype, where)
        return Samples(data.x, data.y, [weights])

"""torch's names and layouts for the core's parameters of one LSTM layer, in one direction.

torch keeps weights as (4H, I) and (4H, H) and two biases; the core keeps (I, 4H) and (H, 4H), gates
in the same order, and one bias, the sum of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, shape_text
from lstmfast._checks import wrong_kind

if TYPE_CHECKING:
    from lstmfast import _core

# torch's name, the core's name, whether it is transposed; the bias stands for itself below
PARAMETERS = (
    ("weight_ih", "kernel", True),
    ("weight_hh", "recurrent_kernel", True),
    ("bias_ih", "bias", False),
    ("bias_hh", "bias", False),
    ("weight_hr", "projection_kernel", True),
    ("weight_peephole", "peephole", False),
    ("norm_z_weight", "norm_z_weight", False),
    ("norm_z_bias", "norm_z_bias", False),
    ("norm_c_weight", "norm_c_weight", False),
    ("norm_c_bias", "norm_c_bias", False),
)


def torch_shapes(core_shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Return torch's names and shapes, in torch's order, for a layer's parameters."""
    return {
        name: core_shapes[core_name][:: -1 if transposed else 1]
        for name, core_name, transposed in PARAMETERS
        if core_name in core_shapes
    }


def to_torch(core_values: Mapping[str, Array]) -> dict[str, Array]:
    """Return a layer's arrays under torch's names and in its layouts, as copies.

    Both biases get the core's bias: right for gradients; values are kept by their owner.
    """
    return {
        name: np.array(
            core_values[core_name].T if transposed else core_values[core_name], order="C"
        )
        for name, core_name, transposed in PARAMETERS
        if core_name in core_values
    }


def from_torch(values: Mapping[str, Array]) -> dict[str, Array]:
    """Return a layer's arrays under the core's names and in its layouts."""
    core: dict[str, Array] = {}
    for name, core_name, transposed in PARAMETERS:
        if name in values:
            array = np.ascontiguousarray(values[name].T) if transposed else values[name]
            core[core_name] = core[core_name] + array if core_name in core else array
    return core


def first_weights(
    shapes: Mapping[str, tuple[int, ...]], hidden_size: int, rng: np.random.Generator, dtype: object
) -> dict[str, Array]:
    """Return torch's first weights of a layer: uniform within ± 1/sqrt(H); norms change nothing."""
    bound = 1.0 / np.sqrt(hidden_size)
    weights: dict[str, Array] = {}
    for name, shape in shapes.items():
        if name.startswith("norm"):
            value = np.ones(shape) if name.endswith("weight") else np.zeros(shape)
        else:
            value = rng.uniform(-bound, bound, shape)
        weights[name] = value.astype(dtype)  # type: ignore[call-overload]
    return weights


def suffixes(num_layers: int, bidirectional: bool) -> tuple[str, ...]:
    """Return how torch marks layers and directions, in the core's order."""
    directions = ("", "_reverse") if bidirectional else ("",)
    return tuple(f"l{layer}{way}" for layer in range(num_layers) for way in directions)


class TorchParameters:
    """All parameters of a core under torch's names, such as ``weight_ih_l0``."""

    def __init__(self, core: _core.Rnn, suffixes: Sequence[str], dtype: np.dtype[Any]) -> None:
        self._core = core
        self._suffixes = suffixes
        self._dtype = dtype
        of_core: list[dict[str, tuple[int, ...]]] = [{} for _ in suffixes]
        for n, name, shape in core.parameter_names():
            of_core[n][name] = tuple(shape)
        self._core_names = [list(shapes) for shapes in of_core]
        # a layer's, in one direction, by torch's names without the suffix
        self.parts = [torch_shapes(shapes) for shapes in of_core]
        self.shapes = {
            f"{name}_{suffix}": shape
            for suffix, part in zip(suffixes, self.parts, strict=True)
            for name, shape in part.items()
        }
        # the core knows their sum alone
        self._biases: dict[str, Array] = {}

    def values(self) -> dict[str, Array]:
        """Return copies of all parameters."""
        values = self._read(self._core.get)
        return values | {name: bias.copy() for name, bias in self._biases.items()}

    def gradients(self) -> dict[str, Array]:
        """Return copies of all gradients."""
        return self._read(self._core.grad)

    def load(self, given: Mapping[str, ArrayLike], where: str) -> None:
        """Replace all parameters, after all of them have been checked."""
        if not isinstance(given, Mapping):
            raise wrong_kind(where, "state_dict", given, "a mapping of names to arrays")
        missing = [name for name in self.shapes if name not in given]
        unknown = [str(name) for name in given if name not in self.shapes]
        if missing or unknown:
            problems = [f"misses {', '.join(missing)}"] if missing else []
            problems += [f"has the unknown {', '.join(unknown)}"] if unknown else []
            raise ValueError(f"[{where}] state_dict {' and '.join(problems)}")
        values: dict[str, Array] = {}
        for name, shape in self.shapes.items():
            value = as_float(given[name], self._dtype, where, name)
            if value.shape != shape:
                raise ValueError(
                    f"[{where}] {name} has shape {shape_text(value.shape)}; expected "
                    f"{shape_text(shape)}"
                )
            values[name] = value
        biases = {n: v.copy() for n, v in values.items() if n.startswith("bias_")}
        of_core = []
        for n, part in enumerate(self.parts):
            of_torch = {name: values[f"{name}_{self._suffixes[n]}"] for name in part}
            of_core += [(n, name, value) for name, value in from_torch(of_torch).items()]
        self._core.set(of_core)
        self._biases = biases

    def _read(self, read: Callable[[int, str], Array]) -> dict[str, Array]:
        return {
            f"{name}_{self._suffixes[n]}": value
            for n, names in enumerate(self._core_names)
            for name, value in to_torch({each: read(n, each) for each in names}).items()
        }

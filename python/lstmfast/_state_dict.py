"""The parameters of a recurrent core under torch's names: reading, writing, first values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, shape_text
from lstmfast._checks import wrong_kind
from lstmfast._layouts import from_torch, to_torch, torch_shapes

if TYPE_CHECKING:
    from lstmfast._core import Rnn


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


class TorchParameters:
    """All parameters of a core under torch's names, such as ``weight_ih_l0``."""

    def __init__(self, core: Rnn, suffixes: Sequence[str], dtype: np.dtype[Any]) -> None:
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
        values = self._read(self._core.get, gradients=False)
        return values | {name: bias.copy() for name, bias in self._biases.items()}

    def gradients(self) -> dict[str, Array]:
        """Return copies of all gradients."""
        return self._read(self._core.grad, gradients=True)

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

    def _read(self, read: Callable[[int, str], Array], *, gradients: bool) -> dict[str, Array]:
        named: dict[str, Array] = {}
        for n, names in enumerate(self._core_names):
            of_torch = to_torch({each: read(n, each) for each in names}, gradients=gradients)
            named |= {f"{name}_{self._suffixes[n]}": value for name, value in of_torch.items()}
        return named

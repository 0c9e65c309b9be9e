"""The parameters of a recurrent core under torch's names: reading, writing, first values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, wrong_shape
from lstmfast._checks import wrong_kind
from lstmfast._layouts import from_torch, to_torch, torch_shapes
from lstmfast.initializers._chrono import ForgetBias, set_forget_bias

if TYPE_CHECKING:
    from lstmfast._core import Rnn


class TorchParameters:
    """All parameters of a core under torch's names, such as ``weight_ih_l0``."""

    def __init__(self, core: Rnn, suffixes: Sequence[str], dtype: np.dtype[Any]) -> None:
        self._core = core
        self.suffixes = suffixes
        self._dtype = dtype
        of_core: list[dict[str, tuple[int, ...]]] = [{} for _ in suffixes]
        for n, name, shape in core.parameter_names():
            of_core[n][name] = tuple(shape)
        self._core_names = [list(shapes) for shapes in of_core]
        # of a layer in one direction, by torch's names without the suffix
        self._parts = [torch_shapes(shapes) for shapes in of_core]
        self.shapes = {
            f"{name}_{suffix}": shape
            for suffix, part in zip(suffixes, self._parts, strict=True)
            for name, shape in part.items()
        }
        # the core has only their sum
        self._biases: dict[str, Array] = {}

    def first_values(
        self, units: int, rng: np.random.Generator, forget_bias: ForgetBias, coupled: bool
    ) -> dict[str, Array]:
        """Return torch's first values: uniform within ± 1/sqrt(H); norms change nothing."""
        bound = 1.0 / np.sqrt(units)
        values: dict[str, Array] = {}
        for name, shape in self.shapes.items():
            if name.startswith("norm"):
                value = np.ones(shape) if "_weight_" in name else np.zeros(shape)
            else:
                value = rng.uniform(-bound, bound, shape)
            values[name] = value.astype(self._dtype)
        if forget_bias is not None:  # last, so that no other value depends on it
            for suffix in self.suffixes:
                shifts = values.get(f"norm_z_bias_{suffix}")
                bias = values[f"bias_ih_{suffix}"] if shifts is None else shifts
                written = set_forget_bias(bias, forget_bias, coupled, rng, "LSTM")
                for part in written if shifts is None else ():
                    values[f"bias_hh_{suffix}"][part] = 0.0  # the two act as their sum
        return values

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
                raise wrong_shape(where, name, value.shape, shape)
            values[name] = value
        biases = {n: v.copy() for n, v in values.items() if n.startswith("bias_")}
        of_core = []
        for n, part in enumerate(self._parts):
            of_torch = {name: values[f"{name}_{self.suffixes[n]}"] for name in part}
            of_core += [(n, name, value) for name, value in from_torch(of_torch).items()]
        self._core.set(of_core)
        self._biases = biases

    def _read(self, read: Callable[[int, str], Array], *, gradients: bool) -> dict[str, Array]:
        named: dict[str, Array] = {}
        for n, names in enumerate(self._core_names):
            of_torch = to_torch({each: read(n, each) for each in names}, gradients=gradients)
            named |= {f"{name}_{self.suffixes[n]}": value for name, value in of_torch.items()}
        return named

"""Parameters of a recurrent core under torch's names: reading, writing, first values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_float, wrong_shape
from lstmfast._checks import check_unavailable, flag, wrong_kind
from lstmfast._core import Rnn
from lstmfast._layouts import from_torch, to_torch, torch_shapes
from lstmfast.initializers._chrono import ForgetBias, set_forget_bias


class StateDict:
    """What has its parameters in a core, and shows them as torch does: ``weight_ih_l0``, ..."""

    _core: Rnn
    _dtype: np.dtype[Any]

    def _take(self, core: Rnn, ends: Sequence[str]) -> None:
        """Take a core; `ends`: how torch marks its layers and directions."""
        self._core = core
        self._core_shapes: dict[str, dict[str, tuple[int, ...]]] = {end: {} for end in ends}
        for n, name, shape in core.parameter_names():
            self._core_shapes[ends[n]][name] = shape
        self._shapes = {
            f"{name}_{end}": shape
            for end, shapes in self._core_shapes.items()
            for name, shape in torch_shapes(shapes).items()
        }
        # the core has only their sum
        self._biases: dict[str, Array] = {}

    def _first_values(
        self, units: int, rng: np.random.Generator, forget_bias: ForgetBias, coupled: bool
    ) -> dict[str, Array]:
        """Return torch's first values: uniform within ± 1/sqrt(H); norms change nothing."""
        bound = 1.0 / np.sqrt(units)
        values: dict[str, Array] = {}
        for name, shape in self._shapes.items():
            if name.startswith("norm"):
                value = np.ones(shape) if "_weight_" in name else np.zeros(shape)
            else:
                value = rng.uniform(-bound, bound, shape)
            values[name] = value.astype(self._dtype)
        if forget_bias is not None:  # last, so that no other value depends on it
            for end in self._core_shapes:
                shifts = values.get(f"norm_z_bias_{end}")
                bias = values[f"bias_ih_{end}"] if shifts is None else shifts
                written = set_forget_bias(bias, forget_bias, coupled, rng, "LSTM")
                for part in written if shifts is None else ():
                    values[f"bias_hh_{end}"][part] = 0.0  # the two act as their sum
        return values

    def state_dict(self) -> dict[str, Array]:
        """Return copies of all parameters under torch's names."""
        values = self._read(self._core.get, gradients=False)
        return values | {name: bias.copy() for name, bias in self._biases.items()}

    def grads(self) -> dict[str, Array]:
        """Return copies of the gradients, summed since `zero_grad`, under torch's names.

        The two biases act as their sum, so their gradients are equal.
        """
        return self._read(self._core.grad, gradients=True)

    def zero_grad(self) -> None:
        """Set all gradients to 0."""
        self._core.zero_grad()

    def load_state_dict(self, state_dict: Mapping[str, ArrayLike], strict: bool = True) -> None:
        """Replace all parameters; nothing changes where one of them does not fit.

        Parameters
        ----------
        state_dict : mapping of str to array_like
            What `state_dict` returns, or that of a `torch.nn.LSTM` of the same sizes.
        strict : bool
            As in torch; must be true.

        Raises
        ------
        ValueError
            Where names are missing or unknown, or a shape does not fit.
        """
        where = "LSTM.load_state_dict"
        check_unavailable(where, {"strict": flag(strict, "strict", where)}, {"strict": True})
        if not isinstance(state_dict, Mapping):
            raise wrong_kind(where, "state_dict", state_dict, "a mapping of names to arrays")
        missing = [name for name in self._shapes if name not in state_dict]
        unknown = [str(name) for name in state_dict if name not in self._shapes]
        if missing or unknown:
            problems = [f"misses {', '.join(missing)}"] if missing else []
            problems += [f"has the unknown {', '.join(unknown)}"] if unknown else []
            raise ValueError(f"[{where}] state_dict {' and '.join(problems)}")
        values: dict[str, Array] = {}
        for name, shape in self._shapes.items():
            value = as_float(state_dict[name], self._dtype, where, name)
            if value.shape != shape:
                raise wrong_shape(where, name, value.shape, shape)
            values[name] = value
        of_core = []
        for n, (end, shapes) in enumerate(self._core_shapes.items()):
            of_torch = {name: values[f"{name}_{end}"] for name in torch_shapes(shapes)}
            of_core += [(n, name, value) for name, value in from_torch(of_torch).items()]
        biases = {n: v.copy() for n, v in values.items() if n.startswith("bias_")}
        self._core.set(of_core)
        self._biases = biases

    def _read(self, read: Callable[[int, str], Array], *, gradients: bool) -> dict[str, Array]:
        named: dict[str, Array] = {}
        for n, (end, names) in enumerate(self._core_shapes.items()):
            of_torch = to_torch({each: read(n, each) for each in names}, gradients=gradients)
            named |= {f"{name}_{end}": value for name, value in of_torch.items()}
        return named

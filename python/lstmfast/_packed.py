"""Packed weights: what `lstmfast.functional` runs on."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast import _core
from lstmfast._activation import activation_text
from lstmfast._arrays import Array, ArrayLike, as_array, as_dtype, as_float, shape_text
from lstmfast._checks import flag
from lstmfast._names import config_text
from lstmfast._torch_layout import from_torch, torch_shapes

# arguments of pack, and torch's names for them
WEIGHTS = {
    "w_ih": "weight_ih",
    "w_hh": "weight_hh",
    "b_ih": "bias_ih",
    "b_hh": "bias_hh",
    "w_peephole": "weight_peephole",
    "norm_z_weight": "norm_z_weight",
    "norm_z_bias": "norm_z_bias",
    "norm_c_weight": "norm_c_weight",
    "norm_c_bias": "norm_c_bias",
}


class Packed:
    """Weights in the order in which the core reads them; made by `pack`, never changed.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> packed = lf.functional.pack(np.ones((8, 3)), np.ones((8, 2)))
    >>> packed
    Packed(input_size=3, hidden_size=2, dtype='float64')
    """

    def __init__(
        self, weights: dict[str, Array], options: dict[str, str], dtype: np.dtype[Any]
    ) -> None:
        gates = 3 if options["coupled"] == "true" else 4
        rows, self.hidden_size = weights["weight_hh"].shape
        self.input_size = weights["weight_ih"].shape[1]
        self._weights = weights
        self._given = frozenset(weights)
        self._options = options
        self._dtype = dtype
        if rows != gates * self.hidden_size:
            raise ValueError(
                f"[functional.pack] w_hh has shape {shape_text((rows, self.hidden_size))}; "
                f"expected ({gates}*H, H)"
            )
        of_input = weights["weight_ih"].shape
        if of_input[0] != rows:
            raise ValueError(
                f"[functional.pack] w_ih has shape {shape_text(of_input)}; expected "
                f"({gates}*H={rows}, I)"
            )
        core = self._new_core()
        of_core = {name: tuple(shape) for _, name, shape in core.parameter_names()}
        self._shapes = torch_shapes(of_core)
        if "bias_ih" in self._shapes:
            for name in ("bias_ih", "bias_hh"):
                weights.setdefault(name, np.zeros(self._shapes[name], dtype))
        self._check()
        for name, value in from_torch(weights).items():
            core.set(0, name, value)
        self._core = core

    def _check(self) -> None:
        for argument, name in WEIGHTS.items():
            value, shape = self._weights.get(name), self._shapes.get(name)
            if value is None and shape is not None:
                raise ValueError(f"[functional.pack] {argument} is missing")
            if value is not None and value.shape != shape:
                expected = "None" if shape is None else shape_text(shape)
                raise ValueError(
                    f"[functional.pack] {argument} has shape {shape_text(value.shape)}; expected "
                    f"{expected}"
                )

    def _new_core(self) -> _core.Rnn:
        return _core.Rnn(
            self.input_size, self.hidden_size, 1, self._options, 0.0, self._dtype.name, 0
        )

    def _copy(self) -> _core.Rnn:
        """Return a core of one's own, for a backward pass."""
        core = self._new_core()
        for name, value in from_torch(self._weights).items():
            core.set(0, name, value)
        return core

    def __repr__(self) -> str:
        return (
            f"Packed(input_size={self.input_size}, hidden_size={self.hidden_size}, "
            f"dtype={self._dtype.name!r})"
        )


def pack(
    w_ih: ArrayLike,
    w_hh: ArrayLike,
    b_ih: ArrayLike = None,
    b_hh: ArrayLike = None,
    *,
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    output_activation: Any = None,
    coupled: bool = False,
    w_peephole: ArrayLike = None,
    norm_z_weight: ArrayLike = None,
    norm_z_bias: ArrayLike = None,
    norm_c_weight: ArrayLike = None,
    norm_c_bias: ArrayLike = None,
    dtype: Any = None,
) -> Packed:
    """Prepare weights for many calls of `lstm` or `lstm_vjp`.

    Parameters
    ----------
    w_ih, w_hh : array_like
        (4H, I) and (4H, H).
    b_ih, b_hh : array_like, optional
        (4H) each; they are added up.
    activation, recurrent_activation, output_activation : str or Activation, optional
        φ of g, σ and φ of c in the equations of `lstmfast.LSTM`; None is ``"linear"``, and for
        the last `activation`.
    coupled : bool
        Take i = 1 - f; then it is 3H in place of 4H.
    w_peephole : array_like, optional
        (3, H) for i, f, o, or (2, H) for f, o with coupled gates.
    norm_z_weight, norm_z_bias, norm_c_weight, norm_c_bias : array_like, optional
        (4H), (4H), (H), (H): gains and shifts of layer normalisation; all or none.
    dtype : {"float32", "float64"}, optional
        The type of the computation; by default float64 where w_hh has it, else float32.

    Returns
    -------
    Packed
        To be passed as `w_ih`, without the other weights.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> packed = lf.functional.pack(np.ones((8, 3)), np.ones((8, 2)))
    >>> y, (h, c) = lf.functional.lstm(np.ones((1, 5, 3)), packed)
    >>> y.shape, h.shape
    ((1, 5, 2), (1, 2))
    """
    if dtype is None:
        is_double = as_array(w_hh, "functional.pack", "w_hh").dtype == np.float64
        dtype = np.float64 if is_double else np.float32
    number = as_dtype(dtype, "functional.pack")
    given = {
        "w_ih": w_ih,
        "w_hh": w_hh,
        "b_ih": b_ih,
        "b_hh": b_hh,
        "w_peephole": w_peephole,
        "norm_z_weight": norm_z_weight,
        "norm_z_bias": norm_z_bias,
        "norm_c_weight": norm_c_weight,
        "norm_c_bias": norm_c_bias,
    }
    # copies: what is packed never changes
    weights = {
        WEIGHTS[argument]: np.array(as_float(value, number, "functional.pack", argument))
        for argument, value in given.items()
        if value is not None or argument in ("w_ih", "w_hh")
    }
    for argument, name in (("w_ih", "weight_ih"), ("w_hh", "weight_hh")):
        if weights[name].ndim != 2:
            raise ValueError(
                f"[functional.pack] {argument} has shape {shape_text(weights[name].shape)}; "
                "expected two axes"
            )
    options = {
        "activation": activation_text(activation, "functional.pack"),
        "recurrent_activation": activation_text(
            recurrent_activation, "functional.pack", "recurrent_activation"
        ),
        "output_activation": activation_text(
            activation if output_activation is None else output_activation,
            "functional.pack",
            "output_activation",
        ),
        "use_bias": config_text(b_ih is not None or b_hh is not None),
        "peephole": config_text(w_peephole is not None),
        "coupled": config_text(flag(coupled, "coupled", "functional.pack")),
        "layer_norm": config_text(any(name.startswith("norm") for name in weights)),
    }
    return Packed(weights, options, number)

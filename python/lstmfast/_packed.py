"""Packed weights: what `lstmfast.functional` runs on."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmfast._arrays import Array, ArrayLike, as_array, as_dtype, as_float, wrong_shape
from lstmfast._core import Rnn
from lstmfast._layouts import PARAMETERS, from_torch, torch_shapes
from lstmfast._options import checked_cell, defaults

# arguments of pack, and torch's names for them
WEIGHTS = {each.argument: each.torch for each in PARAMETERS}

# arguments of `lstmfast.LSTM` and torch that the functions have under other names
_MEANT = {
    "hx": "; expected h0 and c0",
    "state": "; expected h0 and c0",
    "training": "; expected a seed for what is random in training",
    "bidirectional": "; expected a call for each direction",
    "num_layers": "; expected a call for each layer",
    "proj_size": "; expected w_hr",
    "peephole": "; expected w_peephole",
    "layer_norm": "; expected norm_z_weight, norm_z_bias, norm_c_weight and norm_c_bias",
}


class Packed:
    """Weights in the core's layout; made by `pack`, never changed.

    Examples
    --------
    >>> import numpy as np
    >>> import lstmfast as lf
    >>> packed = lf.functional.pack(np.ones((8, 3)), np.ones((8, 2)))
    >>> packed
    Packed(input_size=3, hidden_size=2, dtype='float64')
    """

    def __init__(
        self, weights: dict[str, Array], cell: dict[str, Any], dtype: np.dtype[Any]
    ) -> None:
        where = "functional.pack"
        gates = 3 if cell["coupled"] else 4
        rows, self.output_size = weights["weight_hh"].shape
        self.hidden_size = rows // gates
        self.input_size = weights["weight_ih"].shape[1]
        units = self.hidden_size if cell["proj_size"] else self.output_size
        if not rows or rows != gates * units:
            expected = f"({gates}*H, {'P' if cell['proj_size'] else 'H'})"
            raise wrong_shape(where, "w_hh", (rows, self.output_size), expected)
        of_input = weights["weight_ih"].shape
        if of_input[0] != rows:
            raise wrong_shape(where, "w_ih", of_input, f"({gates}*H={rows}, I)")
        biases = ("bias_ih", "bias_hh")
        sizes = {"input_size": self.input_size, "hidden_size": self.hidden_size}
        self._options = cell | sizes | {"bias": any(name in weights for name in biases)}
        self._dtype = dtype
        self._given = frozenset(weights)
        self._core = Rnn(self._options, dtype.name, 0)
        shapes = torch_shapes({name: s for _, name, s in self._core.parameter_names()})
        for name in biases if self._options["bias"] else ():
            weights.setdefault(name, np.zeros(shapes[name], dtype))
        for argument, name in WEIGHTS.items():
            value, shape = weights.get(name), shapes.get(name)
            if value is None and shape is not None:
                raise ValueError(f"[{where}] {argument} is missing")
            if value is not None and value.shape != shape:
                raise wrong_shape(where, argument, value.shape, shape or "None")
        self._weights = [(0, name, value) for name, value in from_torch(weights).items()]
        self._core.set(self._weights)

    def _copy(self, seed: int = 0) -> Rnn:
        """Return a new core with the weights, for a backward pass or random masks."""
        core = Rnn(self._options, self._dtype.name, seed)
        core.set(self._weights)
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
    w_hr: ArrayLike = None,
    w_peephole: ArrayLike = None,
    norm_z_weight: ArrayLike = None,
    norm_z_bias: ArrayLike = None,
    norm_c_weight: ArrayLike = None,
    norm_c_bias: ArrayLike = None,
    dtype: Any = None,
    **options: Any,
) -> Packed:
    """Prepare weights for many calls of `lstm` or `lstm_vjp`.

    Parameters
    ----------
    w_ih, w_hh : array_like
        (4H, I) and (4H, H); with coupled gates it is 3H throughout.
    b_ih, b_hh : array_like, optional
        (4H) each; they are added up.
    w_hr : array_like, optional
        (P, H): the projection; w_hh then is (4H, P), and h has P values.
    w_peephole : array_like, optional
        (3, H) for i, f, o, or (2, H) for f, o with coupled gates.
    norm_z_weight, norm_z_bias, norm_c_weight, norm_c_bias : array_like, optional
        (4H), (4H), (H), (H): gains and shifts of layer normalisation; all or none.
    dtype : {"float32", "float64"}, optional
        The type of the computation; by default float64 where w_hh has it, else float32.
    **options
        The options of the cell, as `lstmfast.LSTM` takes them; peephole, layer_norm and proj_size
        follow from the weights. The random options act in calls with a seed.

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
    given, where = locals(), "functional.pack"
    if dtype is None:
        is_double = as_array(w_hh, where, "w_hh").dtype == np.float64
        dtype = np.float64 if is_double else np.float32
    number = as_dtype(dtype, where)
    # copies: what is packed never changes
    weights = {
        name: np.array(as_float(given[argument], number, where, argument))
        for argument, name in WEIGHTS.items()
        if given[argument] is not None or argument in ("w_ih", "w_hh")
    }
    for argument in ("w_ih", "w_hh", "w_hr"):
        name = WEIGHTS[argument]
        if name in weights and weights[name].ndim != 2:
            raise wrong_shape(where, argument, weights[name].shape, "two axes")
    of_weights = {
        "peephole": w_peephole is not None,
        "layer_norm": any(name.startswith("norm") for name in weights),
        "proj_size": len(weights["weight_hr"]) if w_hr is not None else 0,
    }
    known = defaults("cell", "lstm").keys() - of_weights.keys()
    unknown = [name for name in options if name not in known]
    if unknown:
        note = _MEANT.get(unknown[0], "")
        raise TypeError(f"[{where}] got an unexpected keyword argument {unknown[0]!r}{note}")
    cell = checked_cell("cell", options | of_weights, where)
    return Packed(weights, cell, number)

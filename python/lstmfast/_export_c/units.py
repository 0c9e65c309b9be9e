"""GRU and SimpleRNN in C: unit by unit, the sums of its gates and then the cell."""

from __future__ import annotations

import numpy as np

from .parts import Field, Layer, Part, Table, Term, activated, by_unit
from .text import filled

_GRU = """\
static void run_$name(const float* x, float* h) {
  float y[${U}_UNITS];
  $prepare
  for (int j = 0; j < ${U}_UNITS; ++j) {
    float z[2]; /* z, r */
    for (int k = 0; k < 2; ++k) {
      $sums
      z[k] = $gate;
    }
    $sum_x
    $sum_h
    const float g = $activated;
    y[j] = z[0] * (h[j] - g) + g;
  }
  memcpy(h, y, sizeof y);
}
"""

_GRU_RESET_BEFORE = """\
static void run_$name(const float* x, float* h) {
  float z[${U}_UNITS], r[${U}_UNITS]; /* r: r h */
  $prepare
  for (int j = 0; j < ${U}_UNITS; ++j) {
    for (int k = 0; k < 2; ++k) {
      $sums
      if (k == 0) {
        z[j] = $gate;
      } else {
        r[j] = $gate * h[j];
      }
    }
  }
  $prepare_r
  for (int j = 0; j < ${U}_UNITS; ++j) {
    $sum
    const float g = $activated;
    h[j] = z[j] * (h[j] - g) + g;
  }
}
"""

_SIMPLE_RNN = """\
static void run_$name(const float* x, float* h) {
  float y[${U}_UNITS];
  $prepare
  for (int j = 0; j < ${U}_UNITS; ++j) {
    $sums
    y[j] = $activated;
  }
  memcpy(h, y, sizeof y);
}
"""


def gru(layer: Layer) -> Part:
    """Return a GRU in either form."""
    options, name, U = layer.options, layer.name, layer.upper
    H, after = options["units"], options["reset_after"]
    kernels = {
        each.removesuffix("_kernel"): by_unit(layer.weights[each], 3)
        for each in ("kernel", "recurrent_kernel")
    }
    tables = layer.products((f"{U}_UNITS", "3"), (f"{U}_IN", f"{U}_UNITS"), kernels)
    given = layer.weights.get("bias")
    of_x, of_h = "0.0f", "0.0f"
    if given is not None:
        rows = by_unit(np.atleast_2d(given), 3)  # [unit][gate][1 or 2]
        of_x, of_h = f"{name}_bias[j][{{k}}]", f"{name}_bias_h[j][{{k}}]"
        for n, label in enumerate(("bias", "bias_h")[: rows.shape[-1]]):
            values = np.ascontiguousarray(rows[..., n])
            tables.append(Table(f"{name}_{label}", (f"{U}_UNITS", "3"), values))
    x, h = layer.terms("[j][k]")
    g_x, g_h = layer.terms("[j][2]")
    scale, g_scale = layer.scale("[j][k]"), layer.scale("[j][2]")
    shared = {
        "name": name,
        "U": U,
        "prepare": "\n".join([*layer.prepare("x", f"{U}_IN"), *layer.prepare("h", f"{U}_UNITS")]),
        "gate": activated(options["recurrent_activation"], "t"),
    }
    bias = of_x.format(k="k")
    if after:
        both = _gru_sums(layer, x, h, bias, of_h.format(k="k"), scale)
        function = filled(
            _GRU,
            **shared,
            sums="\n".join(both),
            sum_x="\n".join(layer.sums("float t", [g_x], of_x.format(k=2), g_scale)),
            sum_h="\n".join(layer.sums("float q", [g_h], of_h.format(k=2), g_scale)),
            activated=activated(options["activation"], "z[1] * q + t"),
        )
    else:
        of_r = g_h._replace(vector="r")
        function = filled(
            _GRU_RESET_BEFORE,
            **shared,
            sums="\n".join(layer.sums("float t", [x, h], bias, scale)),
            prepare_r="\n".join(layer.prepare("r", f"{U}_UNITS")),
            sum="\n".join(layer.sums("float t", [g_x, of_r], of_x.format(k=2), g_scale)),
            activated=activated(options["activation"], "t"),
        )
    return _one_state(layer, "GRU", "; gates z, r, g", H, tables, function, 3)


def _gru_sums(layer: Layer, x: Term, h: Term, of_x: str, of_h: str, scale: str) -> list[str]:
    """Return the statements of t, the sum of gate k of unit j, with a bias for x W and for h R."""
    if layer.int8:
        both = of_x if of_x == of_h else f"({of_x} + {of_h})"
        return layer.sums("float t", [x, h], both, scale)
    product = f"{h.weights}, {h.vector}, {h.length}"
    return [*layer.sums("float t", [x], of_x, scale), f"t = nn_dot(t + {of_h}, {product});"]


def simple_rnn(layer: Layer) -> Part:
    """Return a simple recurrent unit."""
    name, U = layer.name, layer.upper
    H = layer.options["units"]
    kernels = {
        "kernel": np.ascontiguousarray(layer.weights["kernel"].T),
        "recurrent": np.ascontiguousarray(layer.weights["recurrent_kernel"].T),
    }
    tables = layer.products((f"{U}_UNITS",), (f"{U}_IN", f"{U}_UNITS"), kernels)
    bias = "0.0f"
    if "bias" in layer.weights:
        bias = f"{name}_bias[j]"
        tables.append(Table(f"{name}_bias", (f"{U}_UNITS",), layer.weights["bias"]))
    function = filled(
        _SIMPLE_RNN,
        name=name,
        U=U,
        prepare="\n".join([*layer.prepare("x", f"{U}_IN"), *layer.prepare("h", f"{U}_UNITS")]),
        sums="\n".join(layer.sums("float t", layer.terms("[j]"), bias, layer.scale("[j]"))),
        activated=activated(layer.options["activation"], "t"),
    )
    return _one_state(layer, "SimpleRNN", "", H, tables, function, 1)


def _one_state(
    layer: Layer, title: str, more: str, H: int, tables: list[Table], function: str, count: int
) -> Part:
    name, U = layer.name, layer.upper
    return Part(
        f"{title}, x [{layer.inputs}] to h [{H}]{more}",
        outputs=H,
        call=lambda x, y: f"run_{name}({x}, state->{name}_h);",
        result=f"state->{name}_h",
        sizes={f"{U}_IN": layer.inputs, f"{U}_UNITS": H},
        tables=tables,
        state=(Field(f"{name}_h", H, layer.weights.get("initial_h")),),
        function=function,
        products=count * H * (layer.inputs + H),
    )

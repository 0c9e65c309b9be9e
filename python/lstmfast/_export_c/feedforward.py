"""Layers without recurrence in C: Dense, Embedding, causal Conv1D, activations, normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lstmfast._arrays import Array
from lstmfast._core import makes_dot_products

from .parts import Field, Layer, Part, Table, Term, activated
from .text import filled, number

_DENSE = """\
static void run_$name(const float* x, float* y) {
  $prepare
  for (int j = 0; j < ${U}_OUT; ++j) {
    $sums
  }
  $rows
}
"""

_CONV = """\
static void run_$name(const float* x, float* kept, float* y) {
  float taps[${U}_TAPS * ${U}_IN];
  const size_t bytes = ${U}_IN * sizeof *x;
  for (int k = 0; k < ${U}_TAPS - 1; ++k) {
    memcpy(taps + k * ${U}_IN, kept + k * ${U}_DILATION * ${U}_IN, bytes);
  }
  memcpy(taps + (${U}_TAPS - 1) * ${U}_IN, x, bytes);
  memmove(kept, kept + ${U}_IN, (${U}_KEPT - 1) * bytes);
  memcpy(kept + (${U}_KEPT - 1) * ${U}_IN, x, bytes);
  $prepare
  for (int j = 0; j < ${U}_OUT; ++j) {
    $sums
  }
  $rows
}
"""

_EACH = """\
static void run_$name(const float* x, float* y) {
  for (int j = 0; j < ${U}_OUT; ++j) {
    y[j] = $value;
  }
  $rows
}
"""

_NORM = """\
static void run_$name(const float* x, float* y) {
  const float count = (float)${U}_OUT;
  $mean
  for (int j = 0; j < ${U}_OUT; ++j) y[j] = $centered * $centered;
  const float factor = 1.0f / nn_sqrt(nn_sum(y, ${U}_OUT) / count + $epsilon);
  for (int j = 0; j < ${U}_OUT; ++j) {
    y[j] = $shifted * factor$gain + $shift;
  }
}
"""


def dense(layer: Layer) -> Part:
    """Return a Dense layer, also inside of TimeDistributed."""
    kernel = np.ascontiguousarray(layer.weights["kernel"].T)
    dot = "nn_dot_by_halves" if makes_dot_products(len(kernel)) else "nn_dot"
    return _product(layer, "Dense", kernel, dot=dot)


def conv1d(layer: Layer) -> Part:
    """Return a causal convolution: it keeps the inputs that later steps read, the oldest first."""
    layer.expect(padding="causal", strides=(1,))
    name, U, I = layer.name, layer.upper, layer.inputs
    (taps,), (dilation,) = layer.options["kernel_size"], layer.options["dilation_rate"]
    kernel = layer.weights["kernel"]  # (taps, I, O)
    flat = np.ascontiguousarray(kernel.reshape(taps * I, -1).T)
    if taps == 1:
        return _product(layer, "Conv1D of 1 tap", flat)
    part = _product(
        layer,
        f"Conv1D of {taps} taps, {dilation} step{'s' * (dilation > 1)} apart",
        flat,
        template=_CONV,
        vector="taps",
        length=f"{U}_TAPS * {U}_IN",
    )
    kept = (taps - 1) * dilation
    return replace(
        part,
        call=lambda x, y: f"run_{name}({x}, state->{name}_kept, {y});",
        sizes={**part.sizes, f"{U}_TAPS": taps, f"{U}_DILATION": dilation, f"{U}_KEPT": kept},
        state=[Field(f"{name}_kept", kept * I)],
    )


def embedding(layer: Layer) -> Part:
    """Return an Embedding: a row of a table."""
    layer.expect(mask_zero=False)
    name, U = layer.name, layer.upper
    rows = layer.weights["embeddings"]
    return Part(
        f"Embedding, {len(rows)} rows [{rows.shape[1]}]",
        outputs=rows.shape[1],
        result=f"{name}_rows[x]",
        sizes={f"{U}_IDS": len(rows), f"{U}_OUT": rows.shape[1]},
        tables=[Table(f"{name}_rows", (f"{U}_IDS", f"{U}_OUT"), rows)],
    )


def activation(layer: Layer) -> Part:
    """Return an activation by its name, as options have it."""
    return _activation(layer, layer.options["activation"])


def leaky_re_lu(layer: Layer) -> Part:
    """Return a LeakyReLU."""
    return _activation(layer, f"leaky_relu:{layer.options['negative_slope']}")


def elu(layer: Layer) -> Part:
    """Return an ELU."""
    return _activation(layer, f"elu:{layer.options['alpha']}")


def re_lu(layer: Layer) -> Part:
    """Return a ReLU with its options."""
    options = layer.options
    numbers = options["threshold"], options.get("max_value", np.inf), options["negative_slope"]
    if numbers == (0.0, np.inf, 0.0):
        return _activation(layer, "relu")
    return _each(layer, "ReLU", {}, f"nn_rectify(x[j], {', '.join(map(number, numbers))})")


def p_re_lu(layer: Layer) -> Part:
    """Return a PReLU whose slopes are the same at all steps."""
    alpha = layer.weights["alpha"]
    if alpha.size not in (1, layer.inputs):
        raise layer.refuse("has slopes of each step; expected shared_axes=[1] to be exported")
    tables = {"alpha": np.resize(alpha, layer.inputs)}
    value = f"nn_rectify(x[j], 0.0f, {number(np.inf)}, {layer.name}_alpha[j])"
    return _each(layer, "PReLU", tables, value)


def softmax(layer: Layer) -> Part:
    """Return a Softmax over features."""
    layer.expect(axis=-1)
    return _activation(layer, "softmax")


def batch_normalization(layer: Layer) -> Part:
    """Return a BatchNormalization by its moving averages."""
    layer.expect(axis=-1)
    name, weights = layer.name, layer.weights
    variance = weights["moving_variance"].astype(np.float64)
    factor = (1 / np.sqrt(variance + layer.options["epsilon"])).astype(np.float32)
    tables = {"mean": weights["moving_mean"], "factor": factor * weights.get("gamma", 1)}
    shift = "0.0f"
    if "beta" in weights:
        tables["shift"], shift = weights["beta"], f"{name}_shift[j]"
    value = f"(x[j] - {name}_mean[j]) * {name}_factor[j] + {shift}"
    return _each(layer, "BatchNormalization", tables, value)


def layer_normalization(layer: Layer) -> Part:
    """Return a LayerNormalization over features."""
    shifted = "x[j]" if layer.options["rms_scaling"] else "(x[j] - mean)"
    mean = f"const float mean = nn_sum(x, {layer.upper}_OUT) / count;"
    return _norm(layer, "LayerNormalization", "gamma", mean, "(x[j] - mean)", shifted)


def rms_normalization(layer: Layer) -> Part:
    """Return an RMSNormalization over features."""
    return _norm(layer, "RMSNormalization", "scale", "", "x[j]", "x[j]")


def _norm(layer: Layer, title: str, gain: str, mean: str, centered: str, shifted: str) -> Part:
    layer.expect(axis=-1)
    name, weights = layer.name, layer.weights
    function = filled(
        _NORM,
        name=name,
        U=layer.upper,
        mean=mean,
        centered=centered,
        epsilon=number(layer.options["epsilon"]),
        shifted=shifted,
        gain=f" * {name}_{gain}[j]" if gain in weights else "",
        shift=f"{name}_beta[j]" if "beta" in weights else "0.0f",
    )
    return _of_rows(layer, title, weights, function)


def _activation(layer: Layer, text: str) -> Part:
    value, rows = _applied(layer, text, "x[j]")
    return _each(layer, text, {}, value, rows)


def _each(
    layer: Layer, title: str, tables: Mapping[str, Array], value: str, rows: str = ""
) -> Part:
    """Return a part whose output j depends on x[j], and perhaps on a statement after all."""
    function = filled(_EACH, name=layer.name, U=layer.upper, value=value, rows=rows)
    return replace(_of_rows(layer, title, tables, function), in_place=True)


def _applied(layer: Layer, text: str, x: str) -> tuple[str, str]:
    """Return an activation's expression of a number, and its statement for all of them."""
    if text == "softmax":
        return x, f"nn_softmax(y, {layer.upper}_OUT);"
    return activated(text, x), ""


def _of_rows(layer: Layer, title: str, tables: Mapping[str, Array], function: str) -> Part:
    """Return a part with as many outputs as inputs and tables of that length."""
    name, U, count = layer.name, layer.upper, layer.inputs
    return Part(
        f"{title}, x [{count}]",
        outputs=count,
        call=lambda x, y: f"run_{name}({x}, {y});",
        sizes={f"{U}_OUT": count},
        tables=[Table(f"{name}_{each}", (f"{U}_OUT",), v) for each, v in tables.items()],
        function=function,
    )


def _product(
    layer: Layer,
    title: str,
    kernel: Array,
    *,
    template: str = _DENSE,
    vector: str = "x",
    length: str = "",
    dot: str = "nn_dot",
) -> Part:
    """Return y = activation(bias + kernel [O][K] · vector [K])."""
    name, U = layer.name, layer.upper
    length = length or f"{U}_IN"
    outputs = len(kernel)
    tables = layer.products((f"{U}_OUT",), (length,), {"kernel": kernel})
    bias = "0.0f"
    if "bias" in layer.weights:
        bias = f"{name}_bias[j]"
        tables.append(Table(f"{name}_bias", (f"{U}_OUT",), layer.weights["bias"]))
    term = Term(f"{name}_kernel[j]", vector, length)
    value, rows = _applied(layer, layer.options["activation"], "y[j]")
    last = [] if value == "y[j]" else [f"y[j] = {value};"]
    function = filled(
        template,
        name=name,
        U=U,
        prepare="\n".join(layer.prepare(vector, length)),
        sums="\n".join([*layer.sums("y[j]", [term], bias, layer.scale("[j]"), dot), *last]),
        rows=rows,
    )
    return Part(
        f"{title}, x [{layer.inputs}] to y [{outputs}]",
        outputs=outputs,
        call=lambda x, y: f"run_{name}({x}, {y});",
        sizes={f"{U}_IN": layer.inputs, f"{U}_OUT": outputs},
        tables=tables,
        function=function,
        products=kernel.size,
    )

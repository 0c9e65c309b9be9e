"""The LSTM in C: unit by unit, the sums of its gates and then the cell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstmfast._arrays import Array
from lstmfast._layouts import gates, peepholes

from .parts import Field, Layer, Part, Table, Term, activated, by_unit, clamped, mixed
from .text import filled

_WORDS = "input", "forget", "output"  # of gates that may be off

_LSTM = """\
static void run_$name(const float* x, float* h, float* c) {
  float y[${U}_UNITS];
  $prepare
  for (int j = 0; j < ${U}_UNITS; ++j) {
    float z[$G];
    for (int k = 0; k < $G; ++k) {
      $sums
    }
    $state
    $shown
  }
  $prepare_y
  $output
}
"""

_LSTM_NORMED = """\
static void run_$name(const float* x, float* h, float* c) {
  float z[$G][${U}_UNITS], y[${U}_UNITS];
  $prepare
  for (int k = 0; k < $G; ++k) {
    for (int j = 0; j < ${U}_UNITS; ++j) {
      $sums
    }
  }
  $early_peepholes
  for (int k = 0; k < $G - 1; ++k) nn_normalise(z[k], ${name}_norm[k][0], ${U}_UNITS);
  for (int j = 0; j < ${U}_UNITS; ++j) {
    $state
    $late_peephole
    y[j] = c[j];
  }
  nn_normalise(z[$G - 1], ${name}_norm[$G - 1][0], ${U}_UNITS);
  nn_normalise(y, ${name}_norm[$G][0], ${U}_UNITS);
  for (int j = 0; j < ${U}_UNITS; ++j) {
    $shown
  }
  $prepare_y
  $output
}
"""


def lstm(layer: Layer) -> Part:
    """Return an LSTM with any options."""
    options, name, U = layer.options, layer.name, layer.upper
    coupled, H = options["coupled"], options["units"]
    letters = gates(coupled)
    G, O = len(letters), options["proj_size"] or H
    bias = "0.0f" if not options["use_bias"] else f"{name}_bias[j][k]"
    W, R = (layer.weights[each] for each in ("kernel", "recurrent_kernel"))
    kernels = {"kernel": by_unit(W, G), "recurrent": by_unit(R, G)}
    tables = layer.products((f"{U}_UNITS", str(G)), (f"{U}_IN", f"{U}_OUT"), kernels)
    if options["use_bias"]:
        values = by_unit(layer.weights["bias"][None], G)[..., 0]
        tables.append(Table(f"{name}_bias", (f"{U}_UNITS", str(G)), values))
    seen = peepholes(coupled) if options["peephole"] else ""
    if seen:
        values = np.ascontiguousarray(layer.weights["peephole"].T)
        tables.append(Table(f"{name}_peephole", (f"{U}_UNITS", str(len(seen))), values))
    normed = options["layer_norm"]
    if normed:
        axes = (str(G + 1), "2", f"{U}_UNITS")
        tables.append(Table(f"{name}_norm", axes, _norms(layer, G)))
    value, output = "y[j]", list[str]()
    if options["proj_size"]:
        kernel = np.ascontiguousarray(layer.weights["projection_kernel"].T)
        tables += layer.products((f"{U}_OUT",), (f"{U}_UNITS",), {"projection": kernel})
        term = Term(f"{name}_projection[j]", "y", f"{U}_UNITS")
        value, scale = "p", f"{name}_projection_scale[j]"
        output = layer.sums("float p", [term], "0.0f", scale)
    value = clamped(value, options.get("proj_clip"))
    h = mixed(options["zoneout_h"], "h[j]", value)
    output = [*output, f"h[j] = {h};"]
    z = {gate: f"z[{k}][j]" if normed else f"z[{k}]" for k, gate in enumerate(letters)}
    target = "z[k][j]" if normed else "z[k]"
    seeing = {gate: f"{name}_peephole[j][{k}] * c[j] + {z[gate]}" for k, gate in enumerate(seen)}
    state, shown = _lstm_cell(layer, letters, z if normed else z | seeing)
    early = [f"{z[gate]} = {seeing[gate]};" for gate in seen[:-1]]
    function = filled(
        _LSTM_NORMED if normed else _LSTM,
        name=name,
        U=U,
        G=G,
        prepare="\n".join([*layer.prepare("x", f"{U}_IN"), *layer.prepare("h", f"{U}_OUT")]),
        sums="\n".join(layer.sums(target, layer.terms("[j][k]"), bias, layer.scale("[j][k]"))),
        early_peepholes=_loop(f"{U}_UNITS", early) if early else "",
        state="\n".join(state),
        late_peephole=f"{z['o']} = {seeing['o']};" if seen else "",
        shown="\n".join(shown),
        prepare_y="\n".join(layer.prepare("y", f"{U}_UNITS") if options["proj_size"] else []),
        output="memcpy(h, y, sizeof y);" if h == "y[j]" else _loop(f"{U}_OUT", output),
    )
    start = layer.weights.get
    fields = (Field(f"{name}_h", O, start("initial_h")), Field(f"{name}_c", H, start("initial_c")))
    return Part(
        f"LSTM, x [{layer.inputs}] to h [{O}], with c [{H}]; gates {', '.join(letters)}",
        outputs=O,
        call=lambda x, y: f"run_{name}({x}, state->{name}_h, state->{name}_c);",
        result=f"state->{name}_h",
        sizes={f"{U}_IN": layer.inputs, f"{U}_UNITS": H, f"{U}_OUT": O},
        tables=tables,
        state=fields,
        function=function,
        products=G * H * (layer.inputs + O) + len(seen) * H + options["proj_size"] * H,
    )


def _lstm_cell(layer: Layer, letters: str, z: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the statements from what enters the gates of unit j to its c, and from there to y."""
    options = layer.options
    is_on = {gate: options[f"{word}_gate"] for gate, word in zip("ifo", _WORDS, strict=True)}

    def opened(gate: str) -> list[str]:
        if not is_on.get(gate, True):
            return []
        kind = "activation" if gate == "g" else "recurrent_activation"
        value = activated(options[kind], clamped(z[gate], options.get("preact_clip")))
        return [f"const float {gate} = {value};"]

    state = [line for gate in letters[:-1] for line in opened(gate)]
    if "i" not in letters:
        state.append("const float i = 1.0f - f;")
    kept = "f * c[j]" if is_on["f"] else "c[j]"
    now = clamped(f"{kept} + {'i * g' if is_on['i'] else 'g'}", options.get("cell_clip"))
    state.append(f"c[j] = {mixed(options['zoneout_c'], 'c[j]', now)};")
    y = activated(options["output_activation"], "y[j]" if options["layer_norm"] else "c[j]")
    return state, [*opened("o"), f"y[j] = {f'o * {y}' if is_on['o'] else y};"]


def _norms(layer: Layer, count: int) -> Array:
    """Return gains and shifts of the gates' norms and of c's: [gates and c][2][unit]."""
    of_z = [layer.weights[f"norm_z_{part}"].reshape(count, -1) for part in ("weight", "bias")]
    of_c = [layer.weights[f"norm_c_{part}"][None] for part in ("weight", "bias")]
    return np.concatenate([np.stack(of_z, axis=1), np.stack(of_c, axis=1)])


def _loop(count: str, lines: list[str]) -> str:
    """Return a loop of j over so many."""
    body = "\n".join(f"  {line}" for line in lines)
    return f"for (int j = 0; j < {count}; ++j) {{\n{body}\n}}"

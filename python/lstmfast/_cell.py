"""The options of the cell, as `lstmfast.LSTM` and `lstmfast.functional` take them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from lstmfast._activation import activation_text
from lstmfast._checks import count, flag, number
from lstmfast._names import config_text

_FLAGS = ("peephole", "coupled", "input_gate", "forget_gate", "output_gate", "layer_norm")
_CLIPS = ("preact_clip", "cell_clip", "proj_clip")
_DROPPED = ("input_dropout", "recurrent_dropout", "weight_drop")  # shares below 1
_KEPT = ("zoneout_h", "zoneout_c")
_KINDS = ("sequence", "step")


@dataclass(frozen=True)
class Cell:
    """One cell; see `lstmfast.LSTM` for what each option means."""

    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"
    output_activation: str = "tanh"
    peephole: bool = False
    coupled: bool = False
    input_gate: bool = True
    forget_gate: bool = True
    output_gate: bool = True
    preact_clip: float | None = None
    cell_clip: float | None = None
    proj_size: int = 0
    proj_clip: float | None = None
    layer_norm: bool = False
    input_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    recurrent_dropout_kind: str = "sequence"
    zoneout_h: float = 0.0
    zoneout_c: float = 0.0
    weight_drop: float = 0.0
    return_cell_states: bool = False
    bptt_steps: int | None = None
    recompute_every: int | str | None = None

    @property
    def gates(self) -> int:
        """G: 4, or 3 where i is 1 - f."""
        return 3 if self.coupled else 4

    def changed(self) -> dict[str, Any]:
        """Return the options that differ from their defaults."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        defaults = {entry.name: entry.default for entry in fields(self)}
        defaults["output_activation"] = self.activation
        return {name: value for name, value in values.items() if value != defaults[name]}

    def config(self) -> dict[str, str]:
        """Return the options as the core reads them; what changes nothing is left out."""
        names = {"input_dropout": "dropout"}
        return {names.get(name, name): config_text(v) for name, v in self.changed().items()}


CELL_OPTIONS = tuple(entry.name for entry in fields(Cell))


def checked_cell(where: str, given: dict[str, Any]) -> Cell:
    """Return the cell of options by name, each of the right kind, and all of them together."""
    options = dict(given)
    if options["output_activation"] is None:
        options["output_activation"] = options["activation"]
    for name in ("activation", "recurrent_activation", "output_activation"):
        options[name] = activation_text(options[name], where, name)
    for name in (*_FLAGS, "return_cell_states"):
        options[name] = flag(options[name], name, where)
    for name in _CLIPS:
        options[name] = _clip(options[name], name, where)
    for name in (*_DROPPED, *_KEPT):
        options[name] = share(options[name], name, where, whole=name in _KEPT)
    options["proj_size"] = count(options["proj_size"], "proj_size", where, least=0)
    if options["bptt_steps"] is not None:
        options["bptt_steps"] = count(options["bptt_steps"], "bptt_steps", where)
    options["recompute_every"] = _interval(options["recompute_every"], where)
    kind = options["recurrent_dropout_kind"]
    if kind not in _KINDS:
        raise ValueError(
            f"[{where}] recurrent_dropout_kind is {kind!r}; expected 'sequence' or 'step'"
        )
    cell = Cell(**options)
    if cell.coupled and not (cell.input_gate and cell.forget_gate):
        off = "forget_gate" if cell.input_gate else "input_gate"
        raise ValueError(
            f"[{where}] coupled is True and {off} False; expected both gates, as it ties i to 1 - f"
        )
    if cell.proj_clip is not None and cell.proj_size == 0:
        raise ValueError(f"[{where}] proj_clip is given without proj_size; expected a projection")
    return cell


def share(value: Any, name: str, where: str, *, whole: bool = False) -> float:
    """Return a rate from 0 to below 1, or to 1 where the whole may be meant."""
    rate = number(value, name, where)
    if not (0.0 <= rate < 1.0 or (whole and rate == 1.0)):
        raise ValueError(f"[{where}] {name} is {rate}; expected 0 to {'' if whole else 'below '}1")
    return rate


def _clip(value: Any, name: str, where: str) -> float | None:
    if value is None:
        return None
    bound = number(value, name, where)
    if not 0.0 < bound < math.inf:
        raise ValueError(f"[{where}] {name} is {bound}; expected a number above 0, or None")
    return bound


def _interval(value: Any, where: str) -> int | str | None:
    if value is None:
        return None
    if isinstance(value, str):
        if value != "sqrt":
            raise ValueError(
                f"[{where}] recompute_every is {value!r}; expected an integer, 'sqrt' or None"
            )
        return value
    return count(value, "recompute_every", where)

"""What an LSTM can do besides the plain cell, and what each of these may cost: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from lstmfast import reference
from lstmfast._bench.shapes import Shape

_OF_REFERENCE = {entry.name for entry in fields(reference.CellOptions)}
_RATES = ("input_dropout", "recurrent_dropout", "zoneout_h", "zoneout_c", "weight_drop")
# At so small a rate nothing is ever dropped and 1 / (1 - rate) is 1 in float32; yet the way through
# the code is that of any other rate.
_NEXT_TO_NONE = 1e-9


@dataclass(frozen=True)
class Option:
    """One way to run an LSTM.

    `keywords` are those of `lstmfast.LSTM`; half_projection asks for proj_size = H/2, tokens for
    rows of different lengths that hold this share of all steps. `goal`: the most that it may cost
    against the plain cell in the same run, with two or more threads `goal_threads`; per_flop
    divides both by their own products.
    """

    name: str
    keywords: Mapping[str, Any] = field(default_factory=dict)
    goal: float | None = None
    goal_threads: float | None = None
    half_projection: bool = False
    tokens: float | None = None
    per_flop: bool = False

    @property
    def dtype(self) -> str:
        """The type of weights and computation."""
        return str(self.keywords.get("dtype", "float32"))

    @property
    def bidirectional(self) -> bool:
        """Whether there is a second direction."""
        return bool(self.keywords.get("bidirectional", False))

    @property
    def random(self) -> bool:
        """Whether training draws random numbers."""
        return any(name in self.keywords for name in _RATES)

    def lstm_keywords(self, shape: Shape) -> dict[str, Any]:
        """Return the keywords of `lstmfast.LSTM`."""
        return {**self.keywords, **({"proj_size": shape.H // 2} if self.half_projection else {})}

    def cell(self, shape: Shape) -> reference.CellOptions:
        """Return the cell as `lstmfast.reference` knows it; dropout is masks there."""
        keywords = self.lstm_keywords(shape)
        return reference.CellOptions(**{k: v for k, v in keywords.items() if k in _OF_REFERENCE})

    def without_noise(self) -> Option:
        """Return the same road with rates of next to nothing: its training has one right answer."""
        rates = {name: _NEXT_TO_NONE for name in _RATES if name in self.keywords}
        return replace(self, keywords={**self.keywords, **rates})

    def forward_flops(self, shape: Shape) -> float:
        """FLOP of one forward pass: the matrix products; the cell's own math is not counted."""
        outputs = shape.H // 2 if self.half_projection else shape.H
        gates = 3 if self.keywords.get("coupled") else 4
        a_step = 2.0 * gates * shape.H * (shape.I + outputs)
        if self.half_projection:
            a_step += 2.0 * shape.H * outputs
        directions = 2 if self.bidirectional else 1
        return a_step * directions * shape.B * shape.T * (self.tokens or 1.0)


PLAIN = Option("plain")

OPTIONS = (
    Option("peephole", {"peephole": True}, 1.12),
    Option("coupled", {"coupled": True}, 1.12),
    Option("cell_clip", {"cell_clip": 0.5}, 1.12),
    Option("preact_clip", {"preact_clip": 1.0}, 1.12),
    Option("zoneout_h", {"zoneout_h": 0.1}, 1.12),
    Option("zoneout_c", {"zoneout_c": 0.1}, 1.12),
    Option("recurrent_dropout", {"recurrent_dropout": 0.25}, 1.12),
    Option(
        "recurrent_dropout_step",
        {"recurrent_dropout": 0.25, "recurrent_dropout_kind": "step"},
        1.12,
    ),
    Option("input_dropout", {"input_dropout": 0.25}, 1.12),
    Option("weight_drop", {"weight_drop": 0.25}),
    Option("relu", {"activation": "relu"}, 1.12),
    Option("softsign", {"activation": "softsign"}, 1.12),
    Option("hard_sigmoid", {"recurrent_activation": "hard_sigmoid"}, 1.12),
    Option("layer_norm", {"layer_norm": True}, 1.4),
    Option("projection", {}, 1.0, half_projection=True, per_flop=True),
    Option("lengths_full", {}, 1.05, tokens=1.0),
    Option("lengths_half", {}, 0.6, tokens=0.5),
    Option("bidirectional", {"bidirectional": True}, 2.05, 1.15),
    Option("float64", {"dtype": "float64"}, 2.15),
)

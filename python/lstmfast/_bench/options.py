"""The one table of the options of `lstmfast.LSTM`: at which values each is tested and timed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from lstmfast import reference
from lstmfast._bench.shapes import Shape

# At so small a rate nothing is ever dropped and 1 / (1 - rate) is 1 in float32, but the same code
# runs as at any other rate.
_NEXT_TO_NONE = 1e-9


@dataclass(frozen=True)
class Option:
    """One way to run an LSTM.

    `keywords` are those of `lstmfast.LSTM`; half_projection asks for proj_size = H/2, tokens for
    rows of different lengths that hold this share of all steps. `goal`: the most that it may cost
    against the plain cell in the same run, with two or more threads `goal_threads`; with per_flop,
    times are divided by each one's own FLOP.
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
        return any(name in self.keywords for name in RATES)

    def lstm_keywords(self, shape: Shape) -> dict[str, Any]:
        """Return the keywords of `lstmfast.LSTM`."""
        return {**self.keywords, **({"proj_size": shape.H // 2} if self.half_projection else {})}

    def cell(self, shape: Shape) -> reference.CellOptions:
        """Return the cell as `lstmfast.reference` knows it; dropout is masks there."""
        keywords = self.lstm_keywords(shape)
        return reference.CellOptions(**{k: v for k, v in keywords.items() if k in CELL_OPTIONS})

    def without_noise(self) -> Option:
        """Return the option with rates close to 0: the same code, but one right answer."""
        rates = {name: _NEXT_TO_NONE for name in RATES if name in self.keywords}
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


@dataclass(frozen=True)
class LstmOption:
    """One keyword of `lstmfast.LSTM`.

    Attributes
    ----------
    name : str
        The keyword.
    role : str
        "cell" for a field of `reference.CellOptions`, "mask" for what the reference takes as
        random masks, "call" for what it takes otherwise, or what changes memory alone.
    tested : mapping of str to object
        Values that tests take one by one, by the names of the tests; they act on many units.
    drawn : sequence
        Values that random tests choose from.
    timed : tuple of Option
        What the suite ``options`` times.
    needs : mapping of str to object
        Keywords without which the option changes nothing or is refused.
    excludes : tuple of str
        Switches that must be off.
    is_rate : bool
        Whether it is the share of something random.
    has_kinks : bool
        Whether the outputs have kinks as functions of the inputs.
    """

    name: str
    role: str
    tested: Mapping[str, Any] = field(default_factory=dict)
    drawn: Sequence[Any] = (True,)
    timed: tuple[Option, ...] = ()
    needs: Mapping[str, Any] = field(default_factory=dict)
    excludes: tuple[str, ...] = ()
    is_rate: bool = False
    has_kinks: bool = False

    @property
    def value(self) -> Any:
        """A value that makes a difference."""
        return next(iter(self.tested.values()), self.drawn[-1])


_FUNCTIONS = ("tanh", "relu", "softsign", "softplus", "elu", "hard_sigmoid")
_GATE_FUNCTIONS = ("sigmoid", "softsign", "softplus", "elu", "hard_sigmoid")

_cell, _mask, _call = (partial(LstmOption, role=role) for role in ("cell", "mask", "call"))
_bound = partial(_cell, drawn=(0.2, 0.5, 1.0), has_kinks=True)
_rate = partial(LstmOption, drawn=(0.2, 0.5, 0.9), is_rate=True)


def _timed(goal: float | None, **keywords: Any) -> tuple[Option, ...]:
    """Return an option that is timed under the name of its first keyword."""
    return (Option(next(iter(keywords)), keywords, goal),)


# The names of test cases follow this order.
LSTM_OPTIONS = (
    _cell("activation", drawn=_FUNCTIONS, timed=(
        Option("relu", {"activation": "relu"}, 1.12),
        Option("softsign", {"activation": "softsign"}, 1.12),
    )),
    _cell("recurrent_activation", drawn=_GATE_FUNCTIONS, timed=(
        Option("hard_sigmoid", {"recurrent_activation": "hard_sigmoid"}, 1.12),
    )),
    _cell("output_activation", tested={"output_activation": "softsign"}, drawn=_FUNCTIONS),
    _cell("peephole", timed=_timed(1.12, peephole=True)),
    _cell("coupled", timed=_timed(1.12, coupled=True)),
    _cell("layer_norm", timed=_timed(1.4, layer_norm=True)),
    _cell("input_gate", tested={"no_input_gate": False}, drawn=(False,), excludes=("coupled",)),
    _cell("forget_gate", tested={"no_forget_gate": False}, drawn=(False,), excludes=("coupled",)),
    _cell("output_gate", tested={"no_output_gate": False}, drawn=(False,)),
    _bound("preact_clip", tested={"preact_clip": 0.4}, timed=_timed(1.12, preact_clip=1.0)),
    _bound("cell_clip", tested={"cell_clip": 0.3}, timed=_timed(1.12, cell_clip=0.5)),
    _cell("proj_size", tested={f"proj_{P}": P for P in (1, 3, 17, 40)}, drawn=range(1, 41), timed=(
        Option("projection", {}, 1.0, half_projection=True, per_flop=True),
    )),
    _bound("proj_clip", tested={"proj_clip": 0.1}, needs={"proj_size": 5}),
    _rate("zoneout_h", "cell", tested={"zoneout_h": 0.3}, timed=_timed(1.12, zoneout_h=0.1)),
    _rate("zoneout_c", "cell", tested={"zoneout_c": 0.4}, timed=_timed(1.12, zoneout_c=0.1)),
    _rate("dropout", "call", tested={"dropout": 0.5}),  # between layers
    _rate("input_dropout", "mask", tested={"input_dropout": 0.4},
          timed=_timed(1.12, input_dropout=0.25)),
    _rate("recurrent_dropout", "mask", tested={"recurrent_dropout": 0.4},
          timed=_timed(1.12, recurrent_dropout=0.25)),
    _mask("recurrent_dropout_kind", tested={"recurrent_dropout_by_step": "step"}, drawn=("step",),
          needs={"recurrent_dropout": 0.4}, timed=(
        Option("recurrent_dropout_step",
               {"recurrent_dropout": 0.25, "recurrent_dropout_kind": "step"}, 1.12),
    )),
    _rate("weight_drop", "mask", tested={"weight_drop": 0.3}, timed=_timed(None, weight_drop=0.25)),
    _call("bidirectional", tested={"bidirectional": True}, timed=(
        Option("bidirectional", {"bidirectional": True}, 2.05, 1.15),
    )),
    _call("return_cell_states", tested={"cell_states": True}),
    _call("bptt_steps", tested={"bptt": 2}, drawn=(1, 2, 3, 4)),
    _call("recompute_every", tested={"recompute": 2, "recompute_sqrt": "sqrt"},
          drawn=(1, 2, 3, "sqrt")),
)  # fmt: skip

CELL_OPTIONS = frozenset(each.name for each in LSTM_OPTIONS if each.role == "cell")
RATES = tuple(each.name for each in LSTM_OPTIONS if each.is_rate)

OPTIONS = (
    *(option for each in LSTM_OPTIONS for option in each.timed),
    Option("lengths_full", {}, 1.05, tokens=1.0),
    Option("lengths_half", {}, 0.6, tokens=0.5),
    Option("float64", {"dtype": "float64"}, 2.15),
)

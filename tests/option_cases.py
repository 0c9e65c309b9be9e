"""Cases of the options of `lf.LSTM`: each alone, then several together where they interact."""

from __future__ import annotations

from typing import Any

from cases import Case
from lstmfast._bench.options import LSTM_OPTIONS

_ROLES = ("cell", "mask", "call")
# each option alone, with what belongs to it
OPTIONS: dict[str, dict[str, Any]] = {
    name: {**each.needs, each.name: value}
    for each in sorted(LSTM_OPTIONS, key=lambda each: _ROLES.index(each.role))
    for name, value in each.tested.items()
}

_CP: dict[str, Any] = {"coupled": True, "peephole": True}
_LN: dict[str, Any] = {"layer_norm": True}
_ZONES: dict[str, Any] = {"zoneout_h": 0.2, "zoneout_c": 0.3}
_DROPS: dict[str, Any] = {
    "input_dropout": 0.3,
    "recurrent_dropout": 0.25,
    "weight_drop": 0.2,
}
_CLIPS: dict[str, Any] = {"preact_clip": 0.7, "cell_clip": 0.6}
_RAGGED: dict[str, Any] = {"lengths": True, "resets": True, "state": True}

# sizes in turn, so that every option meets several
_SIZES = ((5, 6, 3, 17), (6, 3, 4, 33), (4, 7, 2, 11), (7, 1, 17, 20), (5, 33, 3, 9))


def _layers(i: int, keywords: dict[str, Any]) -> int:
    """One and two in turn; dropout acts between two."""
    return 2 if i % 2 or "dropout" in keywords else 1


ALONE: tuple[Case, ...] = tuple(
    Case(*_SIZES[i % len(_SIZES)], layers=_layers(i, keywords), **keywords)
    for i, keywords in enumerate(OPTIONS.values())
)
CALLED: tuple[Case, ...] = tuple(
    Case(*_SIZES[(i + 2) % len(_SIZES)], layers=_layers(i, keywords), **_RAGGED, **keywords)
    for i, keywords in enumerate(OPTIONS.values())
)

TOGETHER: tuple[Case, ...] = (
    # norms see what else happens to z and c
    Case(5, 6, 3, 17, state=True, **_LN, **_CLIPS),
    Case(5, 3, 4, 33, **_LN, **_ZONES, **_RAGGED),
    Case(5, 7, 4, 11, layers=2, proj_size=17, proj_clip=0.3, state=True, **_LN),
    Case(6, 4, 3, 20, **_LN, **_DROPS, **_RAGGED),
    Case(5, 4, 3, 17, input_gate=False, **_LN, **_RAGGED),
    Case(5, 4, 3, 17, forget_gate=False, peephole=True, **_LN),
    Case(5, 4, 3, 17, output_gate=False, peephole=True, **_LN, **_RAGGED),
    Case(5, 4, 3, 17, bidirectional=True, return_cell_states=True, **_LN, **_RAGGED),
    Case(9, 4, 3, 17, recompute_every=2, **_LN, **_ZONES, **_RAGGED),
    Case(5, 4, 3, 17, output_activation="relu", return_cell_states=True, **_LN, **_CP, **_RAGGED),
    # peepholes and coupled gates
    Case(5, 6, 3, 17, **_CP, **_CLIPS, **_RAGGED),
    Case(5, 6, 3, 17, **_CP, **_ZONES, **_RAGGED),
    Case(5, 6, 3, 33, layers=2, proj_size=40, **_CP, **_RAGGED),
    Case(5, 6, 3, 17, **_CP, **_DROPS, **_RAGGED),
    Case(5, 6, 3, 17, output_gate=False, **_CP, **_RAGGED),
    Case(5, 6, 3, 17, input_gate=False, forget_gate=False, peephole=True, **_RAGGED),
    Case(9, 6, 3, 17, recompute_every="sqrt", bptt_steps=3, **_CP, **_RAGGED),
    Case(5, 6, 3, 17, bidirectional=True, return_cell_states=True, layers=2, **_CP, **_RAGGED),
    # what follows the cell
    Case(6, 5, 3, 20, layers=2, proj_size=3, proj_clip=0.2, **_ZONES, **_RAGGED),
    Case(6, 5, 3, 20, layers=3, proj_size=17, **_ZONES, **_DROPS, **_RAGGED),
    Case(6, 9, 3, 20, proj_size=1, recurrent_dropout=0.3, recurrent_dropout_kind="step", **_ZONES),
    Case(6, 5, 3, 20, layers=2, bidirectional=True, proj_size=7, dropout=0.4, **_ZONES, **_RAGGED),
    Case(6, 5, 3, 20, proj_size=33, return_cell_states=True, cell_clip=0.4, **_RAGGED),
    Case(9, 5, 3, 20, proj_size=7, recompute_every=4, bptt_steps=3, **_ZONES, **_RAGGED),
    Case(9, 5, 3, 20, layers=2, recompute_every=3, dropout=0.3, **_DROPS, **_RAGGED),
    Case(
        9,
        5,
        3,
        20,
        recompute_every=2,
        recurrent_dropout=0.3,
        recurrent_dropout_kind="step",
        return_cell_states=True,
        **_RAGGED,
    ),
    # no gates at all, other functions, no layer alone
    Case(4, 5, 3, 17, input_gate=False, forget_gate=False, output_gate=False, cell_clip=0.9),
    Case(5, 6, 3, 17, activation="softsign", output_activation="elu", preact_clip=0.5, **_ZONES),
    Case(5, 3, 3, 11, layers=3, bidirectional=True, proj_size=5, dropout=0.3, **_DROPS),
    Case(40, 3, 2, 9, bidirectional=True, bptt_steps=7, recompute_every="sqrt", **_RAGGED),
    Case(1, 2, 3, 9, bidirectional=True, proj_size=4, recompute_every=1, state=True, **_ZONES),
    Case(5, 4, 2, 17, dtype="float64", layers=2, bidirectional=True, proj_size=9, **_RAGGED),
)

OPTION_CASES: tuple[Case, ...] = tuple(dict.fromkeys(ALONE + CALLED + TOGETHER))

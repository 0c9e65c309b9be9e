"""The table of the cell's options: each alone, then with each other where they meet."""

from __future__ import annotations

from typing import Any

from cases import Case

# each option alone, and what belongs to it; of rates and bounds, values that act on many units
OPTIONS: dict[str, dict[str, Any]] = {
    "output_activation": {"output_activation": "softsign"},
    "no_input_gate": {"input_gate": False},
    "no_forget_gate": {"forget_gate": False},
    "no_output_gate": {"output_gate": False},
    "preact_clip": {"preact_clip": 0.4},
    "cell_clip": {"cell_clip": 0.3},
    "proj_1": {"proj_size": 1},
    "proj_3": {"proj_size": 3},
    "proj_17": {"proj_size": 17},
    "proj_40": {"proj_size": 40},
    "proj_clip": {"proj_size": 5, "proj_clip": 0.1},
    "zoneout_h": {"zoneout_h": 0.3},
    "zoneout_c": {"zoneout_c": 0.4},
    "input_dropout": {"input_dropout": 0.4},
    "recurrent_dropout": {"recurrent_dropout": 0.4},
    "recurrent_dropout_by_step": {"recurrent_dropout": 0.4, "recurrent_dropout_kind": "step"},
    "weight_drop": {"weight_drop": 0.3},
    "dropout": {"dropout": 0.5},
    "bidirectional": {"bidirectional": True},
    "cell_states": {"return_cell_states": True},
    "bptt": {"bptt_steps": 2},
    "recompute": {"recompute_every": 2},
    "recompute_sqrt": {"recompute_every": "sqrt"},
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

ALONE: tuple[Case, ...] = tuple(
    Case(*_SIZES[i % len(_SIZES)], layers=2 if i % 2 or "dropout" in keywords else 1, **keywords)
    for i, keywords in enumerate(OPTIONS.values())
)
CALLED: tuple[Case, ...] = tuple(
    Case(*_SIZES[(i + 2) % len(_SIZES)], layers=1 + i % 2, **_RAGGED, **keywords)
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

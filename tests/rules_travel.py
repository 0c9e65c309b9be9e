"""Rules of weights and outputs go wherever their model goes."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

from lstmfast.models import Sequential, load_model


def assert_rules_travel(made: Sequential, x: Any, y: Any, folder: Path) -> None:
    """Files, copies and configurations keep them, and train on with the same bits."""
    made.fit(x, y, epochs=1, verbose=0)
    made.save(folder / "model.safetensors")
    twins = [
        load_model(folder / "model.safetensors"),
        copy.deepcopy(made),
        pickle.loads(pickle.dumps(made)),
    ]
    for twin in (*twins, Sequential.from_config(made.get_config())):
        for mine, other in zip(made.layers, twin.layers, strict=True):
            assert {n: getattr(mine, n) for n in mine.rules} == {
                n: getattr(other, n) for n in other.rules
            }
    made.fit(x, y, epochs=1, shuffle=False, verbose=0)
    for twin in twins:
        twin.fit(x, y, epochs=1, shuffle=False, verbose=0)
        for mine, other in zip(made.get_weights(), twin.get_weights(), strict=True):
            assert mine.tobytes() == other.tobytes()

"""The reference says what it got and what it expected, and stands alone."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstmfast import reference
from lstmfast.reference import CellOptions, Masks
from whole_numbers import WHOLE, B, H, I, T, Whole


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"h0": np.zeros((B, H + 1))}, ValueError, r"h0 has shape \(4, 4\); expected \(4, 3\)"),
        ({"lengths": np.array([1, 2, 3, 7])}, ValueError, "lengths are 1 to 7; T is 6"),
        ({"lengths": np.array([1.0, 2.0, 3.0, 4.0])}, TypeError, "expected integers"),
        ({"resets": np.zeros((B, T))}, TypeError, "resets has dtype float64; expected bool"),
        ({"mask": np.ones((B, T))}, TypeError, "mask has dtype float64; expected bool"),
        (
            {"mask": np.ones((T, B), bool)},
            ValueError,
            r"mask has shape \(6, 4\); expected \(4, 6\)",
        ),
        ({"bptt_steps": 0}, ValueError, "bptt_steps is 0; expected at least 1"),
        ({"x": np.zeros((B, T))}, ValueError, "x has 2 axes; expected 3"),
        ({"params": {"kernel": np.zeros((I, 8))}}, ValueError, "recurrent_kernel is missing"),
        ({"options": CellOptions()}, ValueError, r"unknown parameters \['peephole'\]"),
        ({"options": replace(WHOLE, layer_norm=True)}, ValueError, "missing parameters"),
        ({"dtype": np.int32}, TypeError, "dtype is int32; expected a floating dtype"),
        (
            {"dy": np.zeros((T, B, H))},
            ValueError,
            r"dy has shape \(6, 4, 3\); expected \(4, 6, 3\)",
        ),
    ],
)
def test_errors(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Whole().run(**change)


def test_option_errors() -> None:
    with pytest.raises(ValueError, match="'swish2' is unknown; known are "):
        CellOptions(activation="swish2")
    with pytest.raises(ValueError, match="coupled ties i to f"):
        CellOptions(coupled=True, input_gate=False)
    with pytest.raises(ValueError, match=r"cell_clip is -1\.0; expected a positive number"):
        CellOptions(cell_clip=-1.0)
    with pytest.raises(ValueError, match="proj_clip needs proj_size"):
        CellOptions(proj_clip=1.0)
    with pytest.raises(ValueError, match="zoneout_h is 2; expected 0 to 1"):
        CellOptions(zoneout_h=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"merge_mode": "max"}, "merge_mode is 'max'; expected one of"),
        ({"merge_mode": None, "bidirectional": True}, "a layer above reads one array"),
        ({"go_backwards": True, "bidirectional": True}, "go_backwards is for one direction"),
        ({"dropout": []}, "0 dropout masks; expected 3"),
        ({"masks": [Masks()]}, "1 masks; expected 4"),
    ],
)
def test_stack_errors(call: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reference.stack_forward(np.zeros((1, 2, H)), [Whole().params] * 4, **call)


def test_imports_nothing_from_the_rest_of_the_package() -> None:
    for path in Path(reference.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, path
                assert not (node.module or "").startswith("lstmfast"), path
            elif isinstance(node, ast.Import):
                assert not any(name.name.startswith("lstmfast") for name in node.names), path

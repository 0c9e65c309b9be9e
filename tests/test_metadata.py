"""What a user says of a model travels with it: in files, copies and pickles."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

import lstmfast as lf
from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Model, Sequential, load_model

METADATA: dict[str, Any] = {
    "labels": ["up", "down, or the same", "naïve \U0001f600\n"],
    "scale": {"mean": 0.1, "deviations": [1.5, 2]},
    "unit": None,
    "": True,
}


def small() -> Sequential:
    return Sequential([LSTM(2, input_shape=(None, 1)), Dense(3, activation="softmax")], seed=0)


@pytest.mark.parametrize("suffix", ["safetensors", "keras", "h5"])
def test_files_hold_it(suffix: str, tmp_path: Path) -> None:
    if suffix != "safetensors":
        pytest.importorskip("h5py")
    path = tmp_path / f"m.{suffix}"
    model = small()
    model.compile("adam", "mse")
    model.save(path)
    assert load_model(path).metadata == {}
    model.metadata = METADATA
    model.save(path)
    assert load_model(path).metadata == METADATA
    assert load_model(path, compile=False).metadata == METADATA


def test_copies_and_pickles_hold_it() -> None:
    x = Input((None, 1))
    for model in (small(), Sequential([Dense(1)]), Model(x, Dense(1)(LSTM(2)(x)))):
        assert model.metadata == {}
        model.metadata["labels"] = ["a"]
        for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert other.metadata == {"labels": ["a"]}
            other.metadata["labels"].append("b")
            assert model.metadata == {"labels": ["a"]}


def test_models_do_not_share_it() -> None:
    first, second = small(), small()
    given = {"a": 1}
    first.metadata = given
    first.metadata["b"] = 2
    assert (second.metadata, given) == ({}, {"a": 1})


def test_what_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    model = small()
    with pytest.raises(
        TypeError, match=r"\[Sequential\] metadata is of type list; expected a dict"
    ):
        model.metadata = ["a"]  # type: ignore[assignment]
    path = tmp_path / "m.safetensors"
    circle: list[Any] = []
    circle.append(circle)
    for value, reason in (
        ({1, 2}, "Object of type set is not JSON serializable"),
        (circle, "Circular reference detected"),
        (lambda: 0, "Object of type function is not JSON serializable"),
    ):
        model.metadata = {"value": value}
        with pytest.raises(ValueError, match=rf"\[save\] metadata is no JSON: {reason}; expected "):
            model.save(path)
    model.metadata = {"value": "x" * 1_000_000}
    message = "[save] metadata has 1000013 characters as JSON; expected at most 1000000"
    with pytest.raises(ValueError, match=re.escape(message)):
        model.save(path)
    assert not path.exists()


def test_models_of_tasks_name_their_tokens_and_classes(tmp_path: Path) -> None:
    task = lf.tasks.load("addition", samples=10, digits=1)
    path = tmp_path / "m.safetensors"
    task.build(units=2).save(path)
    names = list(" 0123456789+")
    assert load_model(path).metadata == {
        "task": "addition", "labels": names, "vocabulary": names, "steps": 3, "blanks": "before",
    }  # fmt: skip
    assert lf.tasks.load("damped_sine").build().metadata == {"task": "damped_sine"}

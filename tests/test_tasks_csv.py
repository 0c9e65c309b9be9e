"""The task csv: files of a user's in both forms, and what is wrong with others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast.forecasting import DataError


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def of(text: str, **options: Any) -> Any:
        file = tmp_path / "own.csv"
        file.write_text(text, "utf-8")
        return lf.tasks.load("csv", file=str(file), **options)

    return of


def rows(number: int = 20) -> list[str]:
    return [f"{n},{n * n}.5,x{n},{'even' if n % 2 == 0 else 'odd'}" for n in range(number)]


def by_first_number(task: Any) -> dict[float, tuple[Any, str]]:
    """Return steps as they stand in the file, and the class, of each sequence."""
    mean, spread = task.scale
    found = {}
    for part in task.parts:
        for x, y in zip(part.x, part.y, strict=True):
            steps = [step for step in x if (step != -1000).any()]
            values = np.array(steps) * spread + mean
            found[round(float(values[0, 0]), 3)] = values, task.labels[y]
    return found


def test_each_row_is_a_sequence(load: Any) -> None:
    task = load("a,b,name,kind,\n" + ",\n".join(rows()))
    assert [len(part.x) for part in task.parts] == [12, 3, 5]
    assert task.labels == ["even", "odd"]
    found = by_first_number(task)  # the name has no number and is left out
    assert sorted(found) == list(range(20))
    for n, (values, kind) in found.items():
        np.testing.assert_allclose(values, [[n], [n * n + 0.5]], rtol=1e-5, atol=1e-3)
        assert kind == ("even" if n % 2 == 0 else "odd")
    np.testing.assert_allclose(task.train.x.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(task.train.x.std(axis=0), 1.0, rtol=1e-6)
    assert task.target == (1 + task.chance) / 2


def test_groups_of_rows_are_sequences(load: Any) -> None:
    lines = ["kind;id;a;b"]
    for step in range(4):  # rows of the groups stand among each other; group n has 1 to 4
        lines += [
            f"{'even' if n % 2 == 0 else 'odd'};g{n};{n}{step},5;{step}"
            for n in range(20) if n % 4 >= step
        ]  # fmt: skip
    task = load("\n".join(lines), column="kind", group="id")
    found = by_first_number(task)
    assert len(found) == 20
    for first, (values, kind) in found.items():
        n = int(first // 10)
        assert kind == ("even" if n % 2 == 0 else "odd")
        expected = [[10 * n + step + 0.5, step] for step in range(n % 4 + 1)]
        np.testing.assert_allclose(values, expected, atol=1e-3)
    assert all(task.show_x(x) for x in task.test.x)


def test_empty_cells_are_the_mean(load: Any) -> None:
    lines = [f"{n},{n},{'' if n == 3 else n},{n % 2}" for n in range(20)]
    groups = load("id,a,b,kind\n" + "\n".join(lines), group="id")
    x = np.concatenate([part.x for part in groups.parts])
    missing = x[np.abs(x[..., 0] * groups.scale[1][0] + groups.scale[0][0] - 3) < 1e-3]
    assert missing.shape == (1, 2)
    assert missing[0, 1] == 0.0


def test_the_made_charts_go_wrong_as_they_are_called() -> None:
    task: Any = lf.tasks.load("csv")
    values, classes, _ = task.sequences
    names = np.array(classes)
    change = values[:, -10:, 0].mean(axis=1) - values[:, :10, 0].mean(axis=1)
    for kind, (low, high) in {
        "normal": (-6, 6), "rising": (4, 31), "falling": (-31, -4),
        "shifted up": (1, 26), "shifted down": (-26, -1),
    }.items():  # fmt: skip
        assert low < change[names == kind].min() <= change[names == kind].max() < high
    assert np.abs(values[names == "normal"] - 30).max() <= 6
    assert values[names == "cyclic"].std(axis=1).min() > values[names == "normal"].std(axis=1).max()
    assert np.unique(names, return_counts=True)[1].tolist() == [150] * 6


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("", {}, ": the file is empty"),
        ("a,kind\n1,x\n", {}, ": 1 sequence; expected at least 20"),
        ("a,kind\n" + "1,x\n" * 30, {}, ': 1 class in column "kind"; expected 2 to 15'),
        (
            "a,kind\n" + "".join(f"1,{n}\n" for n in range(30)),
            {},
            ': 30 classes in column "kind"; expected 2 to 15',
        ),
        ("a,kind\n1,x\n", {"column": "Kind"}, ': no column "Kind"; the columns are "a", "kind"'),
        ("a,kind\n1,x\n", {"group": "id"}, ': no column "id"; the columns are "a", "kind"'),
        ("a,kind\nb,x\n", {}, ': no column of numbers besides "kind"'),
        ("a,kind\n1,x\nb,x\n", {}, ' line 3: column "a" has text "b"; expected a number'),
        ("a,kind\n1,x\n2,\n", {}, ' line 3: column "kind" is empty; expected a class'),
        (
            "id,a,kind\n1,1,x\n1,2,y\n",
            {"group": "id"},
            ' line 3: column "kind" has "y"; expected "x", the class of "1" above',
        ),
        (
            "id,a,kind\n1,1,x\n,2,y\n",
            {"group": "id"},
            ' line 3: column "id" is empty; expected the name of a sequence',
        ),
        (
            "kind,a\nx,1\n",
            {"column": "kind", "group": "kind"},
            ': column and group are both "kind"; expected two columns',
        ),
    ],
)
def test_mistakes_in_a_file(load: Any, text: str, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=rf"own\.csv{re.escape(problem)}$"):
        load(text, **options).train  # noqa: B018


def test_mistakes_in_options(load: Any) -> None:
    with pytest.raises(ValueError, match=r"\[csv\] column is given without file; expected both"):
        lf.tasks.load("csv", column="kind")
    with pytest.raises(TypeError, match=r"\[csv\] group is of type int; expected a string"):
        lf.tasks.load("csv", group=3)
    with pytest.raises(ValueError, match=r"\[csv\] samples is 13; expected at most 12"):
        load("a,b,name,kind\n" + "\n".join(rows()), samples=13).train  # noqa: B018

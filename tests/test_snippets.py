"""Snippets of `examples/` learn what they are about, and run with Keras; blocks of pages run."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"
SNIPPETS = sorted(FOLDER.glob("keras_port/*.py"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in SNIPPETS}
PAGES = ("README", "docs/embedding", "docs/export_c", "docs/reduced_precision")
BLOCKS = [
    pytest.param(block, id=f"{page}-{place}")
    for page in PAGES
    if (path := FOLDER.parent / f"{page}.md").is_file()
    for place, block in enumerate(
        re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    )
]
# What makes an example short, too short to learn anything: most take epochs.
SHORT: dict[str, dict[str, int]] = {"echo": {"examples": 3}}
# By seeds, the median of their answers is right on every ISA; of those that take longer, one alone.
SEEDS = {
    "echo": 1,
    "cnn_lstm": 1,
    "digits_by_rows": 1,
    "seq2seq": 1,
    "attention": 1,
}
NEEDS = {"digits_by_rows": "sklearn"}

pytestmark = pytest.mark.skipif(not TEXTS, reason="no examples next to the tests")


def example(name: str, root: str = "lstmfast.keras") -> dict[str, Any]:
    """The names of an example, with the root of its import changed."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    line = "import lstmfast.keras as keras"
    assert TEXTS[name].count(line) == TEXTS[name].count("import lstmfast") == 1
    space: dict[str, Any] = {"__name__": name}
    exec(compile(TEXTS[name].replace(line, f"import {root} as keras"), f"{name}.py", "exec"), space)
    return space


def short(name: str) -> dict[str, int]:
    return SHORT.get(name, {"epochs": 1})


@pytest.mark.parametrize("name", TEXTS)
def test_an_example_learns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    space = example(name)
    answers = [space["main"](seed) for seed in range(SEEDS.get(name, 5))]
    assert space["is_right"](np.median(answers, axis=0))
    assert not space["is_right"](space["main"](**short(name)))
    assert capsys.readouterr().out


def test_every_example_is_listed() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(?:amp/)?(\w+)\.py`", table, flags=re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in FOLDER.rglob("*.py"))


def test_a_wrong_answer_ends_with_1() -> None:
    text = TEXTS["next_number"]
    for broken, code in ((text, 0), (text.replace("- 100.0)", "- 10.0)"), 1)):
        with pytest.raises(SystemExit) as end:
            exec(compile(broken, "next_number.py", "exec"), {"__name__": "__main__"})
        assert end.value.code == code


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_the_docs_runs_alone(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # some save a model
    exec(compile(block, "block of a page", "exec"), {})
    assert capsys.readouterr().out or "print(" not in block


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TEXTS)
def test_an_example_runs_with_keras(name: str) -> None:
    """For one epoch: all of them take Keras minutes."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("keras")
    assert np.isfinite(example(name, "keras")["main"](**short(name))).all()

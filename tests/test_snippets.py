"""Snippets of `examples/` learn what they are about, and run with Keras; README's blocks run."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}
README = FOLDER.parent / "README.md"
BLOCKS: list[str] = []
if README.is_file():
    BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
# What each returns, and how good it must be: the error of a prediction, but for echo the share of
# right signs. Each learns far better than that on every ISA, and knows nothing untrained.
SCORES: dict[str, tuple[float, float]] = {
    "one_to_many": (0.0, 0.5),  # of 21 and 22
    "many_to_one": (0.0, 1.5),  # of 153
    "many_to_many": (0.0, 4.0),  # of 115, 120 and 125
    "next_number": (0.0, 3.0),  # of 100
    "echo": (0.99, 1.0),
}

pytestmark = pytest.mark.skipif(not TEXTS, reason="no examples next to the tests")


def run(name: str, root: str, **arguments: Any) -> float:
    """`main` of an example, with the root of its imports changed."""
    text = re.sub(r"^from lstmfast\b", f"from {root}", TEXTS[name], flags=re.MULTILINE)
    assert root == "lstmfast" or "import lstmfast" not in text
    space: dict[str, Any] = {"__name__": name}
    exec(compile(text, f"{name}.py", "exec"), space)
    return float(space["main"](**arguments))


def test_every_example_is_here() -> None:
    assert TEXTS.keys() == SCORES.keys()


@pytest.mark.parametrize("name", SCORES)
def test_an_example_learns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    least, most = SCORES[name]
    untrained = run(name, "lstmfast", epochs=1)
    assert not least <= untrained <= most
    assert least <= run(name, "lstmfast") <= most
    assert capsys.readouterr().out


@pytest.mark.parametrize("place", range(len(BLOCKS)))
def test_a_block_of_the_readme_runs_alone(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # one saves a model
    exec(compile(BLOCKS[place], f"README.md, block {place}", "exec"), {})
    assert capsys.readouterr().out


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SCORES)
def test_an_example_runs_with_keras(name: str) -> None:
    """For one epoch: all of them take Keras minutes."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("keras")
    assert np.isfinite(run(name, "keras", epochs=1))

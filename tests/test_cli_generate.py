"""`lstmfast generate`: what it continues, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lstmfast as lf
from cli_runs import Run, runner
from lstmfast.layers import LSTM, Bidirectional, Dense, Input
from lstmfast.models import Model, Sequential
from saved_models import (
    LETTERS,
    WORDS,
    of_classes,
    of_numbers,
    of_text,
    rows_of,
    saved,
    series,
    table,
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    return runner(capsys)


def test_a_model_of_a_question_does_not_continue(run: Run) -> None:
    name = saved(lf.tasks.load("echo", samples=5).build())
    code, out, err = run("generate", name)
    assert (code, out) == (2, "")
    assert err == (
        f"lstmfast generate: error: {name}: echo answers a question about a sequence; it does not "
        "continue it (use lstmfast predict)\n"
    )


def test_generate_continues_letters_and_words(run: Run) -> None:
    model = of_text()
    ids = model.generate([2, 1], 9, 0.7, 4, 0.9, 3)
    arguments = ["--length", "9", "--temperature", "0.7", "--top-k", "4", "--top-p", "0.9"]
    code, out, err = run("generate", saved(model), *arguments, "--seed", "3", "--prompt", "a ")
    assert (code, err) == (0, "")
    assert out == "a " + "".join(LETTERS[k] for k in ids) + "\n"
    words = of_text(WORDS)
    ids = words.generate([1, 2], 6, 0)
    _, out, _ = run(
        "generate", saved(words), "--length", "6", "--temperature", "0", "--prompt", " a  good"
    )
    assert out.split() == ["a", "good", *filter(None, (WORDS[k] for k in ids))]


def test_generate_begins_by_itself(run: Run) -> None:
    name = saved(of_text())
    _, out, _ = run("generate", name, "--length", "5", "--seed", "0", "--out", "y.txt")
    text = Path("y.txt").read_text()
    assert (out, text[0], len(text)) == ("", "\n", 7)
    _, first, _ = run("generate", name, "--length", "50")
    _, second, _ = run("generate", name, "--length", "50")
    assert first != second


def test_what_standard_output_cannot_hold(tmp_path: Path) -> None:
    model = of_text(["é"])
    model.save(tmp_path / "m.safetensors")
    base = [sys.executable, "-m", "lstmfast.cli", "generate", "m.safetensors", "--length", "1"]
    environment = dict(os.environ, PYTHONIOENCODING="ascii")
    done = subprocess.run(
        base, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    message = "'\\xe9' is not in ascii, of standard output; expected --out F"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"lstmfast generate: error: {message}\n"


def test_generate_continues_numbers(run: Run) -> None:
    layers = [Input((None, 2)), LSTM(3, return_sequences=True), Dense(2)]
    model, x = Sequential(layers, seed=0), series(4)
    expected = model.generate(x, 3)
    arguments = ["--input", table("x.csv", x), "--length", "3"]
    _, out, _ = run("generate", saved(model), *arguments)
    head, *rows = rows_of(out)
    assert head == ["sample", "step", "prediction_1", "prediction_2"]
    assert rows == [["1", str(k + 1), *map(str, expected[k])] for k in range(3)]
    code, _, err = run("generate", "m.safetensors")
    assert code == 2
    assert err == (
        "lstmfast generate: error: m.safetensors: the model continues numbers; expected --input\n"
    )


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        (of_text(), ["--prompt", "axb"], "argument --prompt has 'x'; the model's vocabulary has '"),
        (of_text(), ["--prompt", ""], "m.safetensors: prompt has 0 steps; expected at least 1"),
        (of_text(), ["--length", "0"], "argument --length: '0'; expected a whole number from 1 on"),
        (of_text(), ["--temperature", "-1"], "argument --temperature: '-1'; expected a number fro"),
        (of_text(), ["--top-p", "0"], "argument --top-p: '0'; expected a number above 0, up to 1"),
        (of_text(), ["--input", "x.csv"], "argument --input: expected --prompt alone, or a model"),
        (
            of_text(WORDS, 2), [],
            "m.safetensors: the model returns 2 numbers and has a vocabulary of 5 names; expected ",
        ),
        (
            of_text([*"ab"], 2, named=False), [],
            "m.safetensors: the model returns 2 numbers and has no vocabulary; expected a score",
        ),
        (of_numbers(), ["--prompt", "1"], "m.safetensors: the model continues numbers; expected "),
        (of_classes(), [], "m.safetensors: the model continues numbers; expected --input"),
        (
            Sequential([Input((None, 1)), Bidirectional(LSTM(2, return_sequences=True)), Dense(1)]),
            ["--input", "x.csv"],
            "m.safetensors: ",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_generated(
    model: Model, arguments: list[str], message: str, run: Run
) -> None:
    table("x.csv", series(3, 1), "x")
    code, out, err = run("generate", saved(model), *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"lstmfast generate: error: {message}")
    assert err.count("\n") == 1

"""`lstmfast predict`: what it reads, writes and refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from cli_runs import Run, runner
from lstmfast._cli import data
from lstmfast.layers import LSTM, Dense, Input, Masking
from lstmfast.models import Model, Sequential, load_model
from saved_models import (
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


def test_a_table_is_one_sequence(run: Run) -> None:
    model, x = of_numbers(), series(5)
    code, out, err = run("predict", saved(model), "--input", table("x.csv", x))
    assert (code, err) == (0, "")
    assert rows_of(out) == [["sample", "prediction"], ["1", str(model.predict(x[None])[0, 0])]]


@pytest.mark.parametrize("window", ["given", "of the model"])
def test_a_window_makes_samples_of_a_table(window: str, run: Run) -> None:
    is_given = window == "given"
    model, x = of_numbers(None if is_given else 3), series(5)
    arguments = ["--window", "3"] if is_given else []
    _, out, _ = run("predict", saved(model), "--input", table("x.csv", x), *arguments)
    expected = model.predict(np.stack([x[k : k + 3] for k in range(3)]))
    assert rows_of(out)[1:] == [[str(k + 1), str(expected[k, 0])] for k in range(3)]


def test_chosen_columns_and_steps(run: Run) -> None:
    model, x = of_numbers(return_sequences=True), series(4, 3)
    path = table("x.csv", x, "a,b,c")
    code, out, _ = run("predict", saved(model), "--input", path, "--columns", "c,a")
    assert code == 0
    expected = model.predict(x[None, :, [2, 0]])[0]
    head, *rows = rows_of(out)
    assert head == ["sample", "step", "prediction"]
    assert rows == [["1", str(k + 1), str(expected[k, 0])] for k in range(4)]


def test_arrays_of_samples_or_of_one(run: Run) -> None:
    model, x = of_numbers(), series(6).reshape(2, 3, 2)
    np.save("x.npy", x)
    np.save("one.npy", x[1])
    name = saved(model)
    expected = model.predict(x)
    _, out, _ = run("predict", name, "--input", "x.npy")
    assert rows_of(out)[1:] == [["1", str(expected[0, 0])], ["2", str(expected[1, 0])]]
    _, out, _ = run("predict", name, "--input", "one.npy")
    assert rows_of(out)[1:] == [["1", str(expected[1, 0])]]
    code, out, _ = run("predict", name, "--input", "x.npy", "--out", "y.npy")
    assert (code, out) == (0, "")
    np.testing.assert_array_equal(np.load("y.npy"), expected)


def test_numbers_are_scaled_as_the_model_learnt(run: Run) -> None:
    model, x = of_numbers(features=2), series(3)
    model.metadata = {"columns": ["b", "a"], "mean": [1.0, 2.0], "deviation": [0.5, 4.0]}
    _, out, _ = run("predict", saved(model), "--input", table("x.csv", x, "a,b"))
    expected = model.predict(((x[:, ::-1] - [1.0, 2.0]) / [0.5, 4.0])[None])
    assert rows_of(out)[1:] == [["1", str(expected[0, 0])]]
    model.metadata["mean"] = [1.0, 2.0, 3.0]
    code, _, err = run("predict", saved(model), "--input", "x.csv")
    assert code == 2
    assert err.endswith("error: the model's mean has shape (3,); the data (3, 2)\n")


def test_numbers_of_a_task_are_those_of_the_problem(run: Run) -> None:
    code, _, err = run("run", "many_to_one", "--quiet", "--epochs", "20", "--save", "m.safetensors")
    assert (code in (0, 1), err) == (True, "")
    x = np.array([[50.0], [51.0], [52.0]])
    _, out, _ = run("predict", "m.safetensors", "--input", table("x.csv", x, "number"))
    assert abs(float(rows_of(out)[1][1]) - 153.0) < 15.3  # the sum, not a hundredth of it


def test_any_metadata_is_taken_or_refused_in_one_line(run: Run) -> None:
    """A file may say anything of itself."""
    path, odd = table("x.csv", series(3)), ["x", 5, -1.5, None, {}, [], ["a", 3], [[1.0, 2.0]]]
    keys = ["labels", "vocabulary", "columns", "mean", "deviation", "padding", "rows", "answers"]
    model = of_numbers()
    for key in keys:
        for value in odd:
            model.metadata = {key: value}
            code, out, err = run("predict", saved(model), "--input", path)
            assert code in (0, 2), (key, value)
            assert err.count("\n") == (1 if code else 0), (key, value)
            assert bool(out) == (code == 0)
    text = of_text()
    Path("x.txt").write_text("ab")
    for key in ("steps", "blanks"):
        for value in odd:
            text.metadata[key] = value
            assert run("predict", saved(text), "--input", "x.txt")[0] == 0, (key, value)


def test_a_row_may_be_a_sequence_with_gaps(run: Run) -> None:
    layers = [Input((None, 1)), Masking(-9.0), LSTM(3), Dense(1)]
    model = Sequential(layers, seed=0)
    model.metadata = {"rows": "sequences", "mean": [0.0, 1.0, 2.0], "deviation": [2.0] * 3}
    model.metadata["padding"] = -9.0
    Path("x.csv").write_text("p,q,r\n1,2,4\n5,,\n")
    _, out, _ = run("predict", saved(model), "--input", "x.csv")
    expected = [model.predict(np.array([each]))[0] for each in ([[0.5], [0.5], [1.0]], [[2.5]])]
    assert [row[1] for row in rows_of(out)[1:]] == [str(each[0]) for each in expected]


@pytest.mark.parametrize("group", ["", "id"])
def test_a_model_of_the_task_csv_reads_like_files(group: str, run: Run) -> None:
    """It knows its columns and their scale: a row is a sequence, or with --group a step."""
    values = np.random.default_rng(0).normal(50.0, 9.0, (40, 2)).round(2)
    kinds = np.where(values.sum(axis=1) < 100.0, "low", "high")
    ids = np.arange(40) // (2 if group else 1)
    kinds = kinds[np.unique(ids, return_index=True)[1]][ids]  # of a group its first row's
    table = np.stack([ids.astype(str), kinds, *values.T.astype(str)], axis=1)
    path = Path("x.csv")
    path.write_text("\n".join(map(",".join, [["id", "kind", "p", "q"], *table])))
    options = ["--column", "kind", "--group", "id"] if group else ["--column", "kind"]
    code, _, err = run("run", "csv", "--file", "x.csv", *options, "--save", "m.safetensors")
    assert (code in (0, 1), err) == (True, "")
    model = load_model("m.safetensors")
    about = model.metadata
    names = ["p", "q"] if group else ["id", "p", "q"]
    assert about["columns"] == names
    code, out, err = run("predict", "m.safetensors", "--input", "x.csv")
    assert (code, err) == (0, "")
    given = values if group else np.column_stack([ids, values])
    x = (given - about["mean"]) / about["deviation"]
    expected = model.predict(x[np.newaxis] if group else x[..., np.newaxis])
    assert rows_of(out)[1:] == [
        [str(k), about["labels"][each.argmax()], str(each.max())]
        for k, each in enumerate(expected, 1)
    ]
    task = lf.tasks.load("csv", file="x.csv", column="kind", group=group)
    seen = np.concatenate([part.x for part in task.parts]).reshape(-1, len(names))
    np.testing.assert_allclose(np.sort(seen, axis=0), np.sort(x, axis=0), rtol=1e-6, atol=1e-6)


def test_a_model_without_steps_takes_a_row_as_a_sample(run: Run) -> None:
    model, x = Sequential([Input((2,)), Dense(2)], seed=0), series(3)
    _, out, _ = run("predict", saved(model), "--input", table("x.csv", x), "--out", "y.csv")
    assert out == ""
    head, *rows = rows_of(Path("y.csv").read_text())
    assert head == ["sample", "prediction_1", "prediction_2"]
    np.testing.assert_array_equal(np.array(rows)[:, 1:].astype("f4"), model.predict(x))


def test_labels_and_their_probabilities(run: Run) -> None:
    x = series(4, 1)
    for steps in (False, True):
        model = of_classes(return_sequences=steps)
        _, out, _ = run("predict", saved(model), "--input", table("x.csv", x, "x"))
        head, *rows = rows_of(out)
        assert head == ["sample", *(["step"] if steps else []), "label", "probability"]
        expected = model.predict(x[None]).reshape(-1, 2)
        assert [row[-2:] for row in rows] == [
            [model.metadata["labels"][each.argmax()], str(each.max())] for each in expected
        ]


def test_lines_of_text(run: Run) -> None:
    model = of_text(WORDS, 2)
    model.metadata["labels"] = ["against", "for"]
    Path("x.txt").write_text("a good  film\nbad\r\n")
    _, out, _ = run("predict", saved(model), "--input", "x.txt")
    expected = [model.predict(np.array([ids]))[0] for ids in ([1, 2, 4], [3])]
    assert rows_of(out)[1:] == [
        [str(k), ["against", "for"][each.argmax()], str(each.max())]
        for k, each in enumerate(expected, 1)
    ]


@pytest.mark.parametrize("name", ["translation", "addition"])
def test_answers_in_text(name: str, run: Run) -> None:
    """Shorter texts are filled up as in training: with blanks after them, or before them."""
    task = lf.tasks.load(name, samples=50)
    solution = task.solve(units=4, epochs=1)
    assert solution.model.metadata["blanks"] == ("after" if name == "translation" else "before")
    lines = [task.show_x(x) for x in task.test.x[:3]]
    Path("x.txt").write_text("\n".join(lines))
    _, out, _ = run("predict", saved(solution.model), "--input", "x.txt")
    answers = [each.predicted for each in task.examples(solution.model, 3)]
    assert rows_of(out) == [
        ["sample", "prediction"], *([str(k), each] for k, each in enumerate(answers, 1))
    ]  # fmt: skip


def test_a_token_without_a_name_is_empty() -> None:
    """The start token of an EncoderDecoder is none of the labels."""
    text = data.answers_table(np.array([[0, 2, 1]], np.int32), ["a", "b"])
    assert rows_of(text)[1:] == [["1", "1", "a"], ["1", "2", ""], ["1", "3", "b"]]


def test_ids_in_files(run: Run) -> None:
    model = of_text(classes=2)
    expected = str(model.predict(np.array([[1, 3, 2]]))[0, 0])
    name = saved(model)
    np.save("x.npy", np.array([1, 3, 2]))
    for path in ("x.npy", table("x.csv", np.array([[1], [3], [2]]), "id")):
        _, out, _ = run("predict", name, "--input", path)
        assert rows_of(out)[1][1] == expected


# arguments after the model, what x.csv or x.npy holds, the message
MISTAKES: dict[str, tuple[Model, str, Any, list[str], str]] = {
    "no file": (of_numbers(), "x.csv", None, [], "x.csv: no such file"),
    "other file": (of_numbers(), "x.xls", "", [], "x.xls: expected a name that ends in .csv, .np"),
    "no names": (of_numbers(), "x.csv", "1,2\n3,4\n", [], "x.csv line 1: expected the names of"),
    "text": (of_numbers(), "x.csv", "a,b\n1,x\n", [], 'x.csv line 2: column "b" has text "x"; '),
    "empty cell": (of_numbers(), "x.csv", "a,b\n1,\n2,3", [], 'x.csv line 2: column "b" is e'),
    "too many columns": (
        of_numbers(), "x.csv", "a,b,c\n1,2,3\n", [],
        "x.csv: 3 columns (a, b, c); the model takes 2 (choose with --columns)",
    ),
    "no such column": (
        of_numbers(), "x.csv", "a,b\n1,2\n", ["--columns", "a,d"], 'x.csv: no column "d"; the col',
    ),
    "too short": (
        of_numbers(4), "x.csv", "a,b\n1,2\n", [], "x.csv has a length of 1; expected at least 4",
    ),
    "other window": (
        of_numbers(4), "x.csv", "a,b\n1,2\n", ["--window", "3"],
        "argument --window: 3; the model takes 4 steps",
    ),
    "window of samples": (
        of_numbers(), "x.npy", np.zeros((2, 3, 2)), ["--window", "3"],
        "x.npy has shape (2, 3, 2); expected (T, 2), one sequence",
    ),
    "columns of an array": (
        of_numbers(), "x.npy", np.zeros((3, 2)), ["--columns", "a"],
        "argument --columns: x.npy has none; expected a .csv file",
    ),
    "other shape": (
        of_numbers(5), "x.npy", np.zeros((2, 5, 3)), [],
        "x.npy has shape (2, 5, 3); expected (N, 5, 2), or (5, 2) of one sample",
    ),
    "objects": (
        of_numbers(), "x.npy", np.array([None]), [], "x.npy: expected an array of numbers, ",
    ),
    "texts": (of_numbers(), "x.npy", np.array(["a"]), [], "x.npy has dtype <U1; expected numbers"),
    "no array": (of_numbers(), "x.npy", "abc", [], "x.npy: expected an array of"),
    "no vocabulary": (
        of_numbers(), "x.txt", "abc", [], "x.txt: the model has no vocabulary; expected a .csv or ",
    ),
    "unknown letters": (
        of_text(), "x.txt", "ab\nxay\n", [],
        "x.txt line 2 has 'x', 'y'; the model's vocabulary has '\\n abc'",
    ),
    "unknown words": (
        of_text(WORDS), "x.txt", "the film", [],
        "x.txt line 1 has 'the'; the model's vocabulary has a, good, bad, film",
    ),
    "empty line": (of_text(), "x.txt", "a\n\nb", [], "x.txt line 2 is empty; expected a sample"),
    "empty text": (of_text(), "x.txt", "", [], "x.txt line 1 is empty; expected a sample"),
    "half ids": (
        of_text(), "x.csv", "id\n1\n1.5\n", [],
        'x.csv line 3: column "id" has "1.5"; expected a whole number',
    ),
    "not a number": (
        of_numbers(), "x.npy", np.array([[[1.0, np.nan]]]), [],
        "x.npy[0, 0, 1] is nan; expected finite numbers",
    ),
    "infinite": (
        of_numbers(), "x.npy", np.array([[np.inf, 1.0]]), [],
        "x.npy[0, 0] is inf; expected finite numbers",
    ),
    "output -": (
        of_numbers(), "x.csv", "a,b\n1,2\n", ["--out", "-"],
        "-: is not the name of a file; expected one, as /dev/stdout",
    ),
    "large ids": (of_text(), "x.csv", "id\n9\n", [], "x.csv: "),
    "output": (
        of_numbers(), "x.csv", "a,b\n1,2\n", ["--out", "no/y.csv"],
        "no/y.csv: the folder no does not exist",
    ),
    "input as output": (
        of_numbers(), "x.csv", "a,b\n1,2\n", ["--out", "x.csv"], "x.csv: is used twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_line(name: str, run: Run, tmp_path: Path) -> None:
    model, path, content, arguments, message = MISTAKES[name]
    if isinstance(content, str):
        Path(path).write_text(content)
    elif content is not None:
        np.save(path, content)
    saved(model)
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    code, out, err = run("predict", "m.safetensors", "--input", path, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"lstmfast predict: error: {message}")
    assert err.count("\n") == 1
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_answers_that_are_not_finite_are_refused(run: Run) -> None:
    layers = [Input((None, 1)), LSTM(2, return_sequences=True), Dense(1)]
    model = Sequential(layers, seed=0)
    model.set_weights([np.full_like(each, np.nan) for each in model.get_weights()])
    name, path = saved(model), table("x.csv", series(3, 1), "x")
    for command, file in ((["predict", name], path), (["generate", name], name)):
        code, out, err = run(*command, "--input", path)
        assert (code, out) == (2, "")
        assert err == (
            f"lstmfast {command[0]}: error: {file}: the answer to "
            "sample 1[0, 0] is nan; expected a finite number\n"
        )


@pytest.mark.parametrize("command", [["predict", "--input", "x.csv"], ["generate"]])
def test_files_that_are_no_model(command: list[str], run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"abc" * 100)
    (tmp_path / "folder").mkdir()
    for path in ("no.safetensors", "a.safetensors", "folder", "no.keras"):
        code, out, err = run(command[0], path, *command[1:])
        assert (code, out) == (2, "")
        assert re.match(rf"lstmfast {command[0]}: error: ({path}: |Keras's files need h5py)", err)
        assert err.count("\n") == 1
    (tmp_path / "x.csv").write_bytes(b"abc" * 100)
    code, _, err = run(command[0], "x.csv", *(each.replace("x.", "y.") for each in command[1:]))
    assert (code, err.count("\n")) == (2, 1)
    expected = "x.csv: not a saved model; expected .safetensors or .keras or .h5"
    assert err.startswith(f"lstmfast {command[0]}: error: {expected}")


def test_a_model_with_two_inputs_is_refused(run: Run) -> None:
    x, z = Input((None, 1)), Input((2,))
    Model([x, z], [LSTM(2)(x), Dense(1)(z)]).save("m.safetensors")
    np.save("x.npy", np.zeros((1, 3, 1)))
    code, _, err = run("predict", "m.safetensors", "--input", "x.npy")
    assert code == 2
    message = "m.safetensors: the model has 2 inputs and 2 outputs; expected one of each"
    assert err == f"lstmfast predict: error: {message}\n"


def test_a_saved_task_is_used_alone(run: Run, tmp_path: Path) -> None:
    """Train, save, and generate in another process, which has only the file."""
    arguments = ["--samples", "32", "--epochs", "1", "--units", "4", "--quiet"]
    code, _, err = run("run", "text", *arguments, "--save", "text.safetensors")
    assert code == 1, err
    base = [sys.executable, "-m", "lstmfast.cli", "generate", "text.safetensors", "--length", "20"]
    done = subprocess.run(
        [*base, "--prompt", "The old "], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The old ")
    assert len(done.stdout) == len("The old ") + 20 + 1
    closed = subprocess.run(
        f"'{sys.executable}' -m lstmfast.cli generate text.safetensors >&-",
        shell=True, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert closed.returncode == 2
    assert closed.stderr == (
        "lstmfast generate: error: standard output is closed; expected it open, or --out F.csv\n"
    )

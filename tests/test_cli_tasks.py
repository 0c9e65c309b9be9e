"""`lstmfast tasks` and `lstmfast run`: what they show, write and refuse."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import lstmfast as lf
from cli_runs import Run, runner
from lstmfast._cli import run as command
from lstmfast._cli import shown
from lstmfast.tasks import TASKS

# many_to_one reaches its target in 100 epochs, and cannot in 1 of few samples
QUICK = ["run", "many_to_one", "--epochs", "100"]
MISSED = ["run", "many_to_one", "--epochs", "1", "--samples", "32"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return runner(capsys)


def test_tasks_lists_every_task(run: Run) -> None:
    code, out, err = run("tasks")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    width = max(map(len, TASKS)) + 2
    for name in TASKS:
        task = lf.tasks.find(name)()
        head = out.index(f"\n{name} ")
        rows = out[head:].strip("\n").split("\n\n")[0].splitlines()
        assert [row[:width].strip() for row in rows[:3]] == [name, task.mode, task.settings.variant]
        told = " ".join(row[width:].strip() for row in rows)
        for text in (task.summary, task.measure.name, task.measure.text(task.target), task.source):
            assert " ".join(text.split()) in told
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert "lstmfast run TASK" in words
    assert [line.split() for line in out.splitlines()[:3]] == [
        ["task", "problem"],
        ["kind", "the", "score", "that", "solves", "it"],
        ["model", "where", "it", "comes", "from"],
    ]


def test_tasks_shows_one_with_all_that_it_says(run: Run) -> None:
    code, out, _ = run("tasks", "Damped-Sine")
    assert code == 0
    assert out.endswith("trains it; lstmfast run damped_sine --help shows its options.\n")
    task = lf.tasks.find("anomaly")
    _, out, _ = run("tasks", "anomaly")
    more = " ".join((task.__doc__ or "").split("\n\n")[1].split())
    column = out.index("problem")
    assert more in " ".join(" ".join(line[column:] for line in out.splitlines()).split())
    assert "Parameters" not in out
    code, _, err = run("tasks", "ecco")
    assert code == 2
    assert err.startswith("lstmfast tasks: error: argument TASK: there is no task 'ecco'; did you")


@pytest.mark.parametrize("columns", ["20", "40", "200"])
def test_a_table_fits_the_width(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    rows = [("a", "one two three four five", "x" * 30), ("long name", "", "y z")]
    lines = shown.table(rows).splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert "".join(lines).replace(" ", "").count("x") == 30
    assert {"one", "two", "three", "four", "five"} <= {*" ".join(lines).split()}


@pytest.mark.parametrize("name", [name for name in TASKS if name != "digits"])
def test_help_of_a_task_has_its_options(name: str, run: Run) -> None:
    code, out, _ = run("run", name, "--help")
    assert code == 0
    task = lf.tasks.find(name)()
    assert out.startswith(f"usage: lstmfast run {name} [options]\n")
    assert task.summary in " ".join(out.split())
    assert f"(default {task.settings.epochs})" in out
    fitting = lf.tasks.find(name)(samples=20).variants
    assert f"the model, one of {', '.join(fitting)} (default {task.settings.variant})" in " ".join(
        out.split()
    )
    texts = command.parameter_texts(type(task))
    for option in command.own_options(task):
        assert re.search(rf"^  --{option.name.replace('_', '-')} [A-Z]+", out, re.MULTILINE)
        words = texts[option.name].rstrip(".").split()[1:]  # the first may be in lower case here
        assert " ".join(words) in " ".join(out.split())


def test_help_without_a_task(run: Run) -> None:
    code, out, _ = run("run", "--help")
    assert code == 0
    assert out.startswith("usage: lstmfast run TASK [options]\n")
    assert "lstmfast run TASK --help shows the options of a task." in " ".join(out.split())
    assert "--length" not in out


def test_texts_of_parameters() -> None:
    class Documented:
        """A class.

        Parameters
        ----------
        one, two : int
            Both of them,
            in two lines.
        three : str
            With ``code`` and 5 %.

        Examples
        --------
        four : nothing
        """

    assert command.parameter_texts(Documented) == {
        "one": "Both of them, in two lines.",
        "two": "Both of them, in two lines.",
        "three": "With code and 5 %.",
    }


def test_run_shows_how_well_it_does(run: Run) -> None:
    code, out, err = run(*QUICK, "--seed", "4")
    solution = lf.tasks.load("many_to_one", 4).solve(epochs=100)
    assert solution.solved
    assert (code, err) == (0, "")  # no bar where standard error is no terminal
    assert out.startswith("many_to_one: Add three numbers that follow each other: 50 51 52 makes ")
    assert re.search(rf"^share of right answers  {solution.score:.4g}$", out, re.MULTILINE)
    assert re.search(r"^target +at least 0\.95$", out, re.MULTILINE)
    assert re.search(r"^chance +0(\.\d+)? \(best constant answer\)$", out, re.MULTILINE)
    assert re.search(r"^model +vanilla, 32 units, 4,385 parameters$", out, re.MULTILINE)
    assert re.search(r"^training +100 epochs of 3000 samples, \d+\.\d s$", out, re.MULTILINE)
    assert "\nThe target is reached.\n" in out
    head, *rows = out.splitlines()[-6:]
    assert head.split() == ["input", "expected", "predicted"]
    for row in rows:
        a, b, c, expected, _ = row.split()
        assert int(a) + int(b) + int(c) == int(expected)


def test_long_examples_stand_one_below_another(run: Run) -> None:
    code, out, _ = run("run", "damped_sine", "--samples", "32", "--epochs", "1")
    assert code == 1
    blocks = out.split("\n\n")[2:]
    assert len(blocks) == 3
    for block in blocks:
        names = [line[:9].strip() for line in block.splitlines() if line[:9].strip()]
        assert names == ["input", "expected", "predicted"]
    assert re.search(r"^target +at most 0\.02$", out, re.MULTILINE)


def test_a_missed_target_is_exit_code_1(run: Run) -> None:
    code, out, _ = run(*MISSED)
    assert code == 1
    assert "\nThe target is missed.\n" in out


def test_quiet_and_json(run: Run, tmp_path: Path) -> None:
    arguments = ["--quiet", "--json", "a.json", "--units", "6", "--variant", "stacked"]
    code, out, err = run(
        "run", "echo", "--length", "3", "--epochs", "2", "--lr", "0.05", *arguments
    )
    assert (out, err) == ("", "")
    facts = json.loads((tmp_path / "a.json").read_text())
    task = lf.tasks.load("echo", length=3)
    solution = task.solve("stacked", 6, 2, 0.05)
    assert code == (0 if solution.solved else 1)
    expected = {
        "task": "echo", "options": {"length": 3, "symbols": 10, "place": 2, "extra": 0}, "seed": 0,
        "samples": [2000, 200, 500], "variant": "stacked", "units": 6, "epochs": 2,
        "learning_rate": 0.05,
        "score": solution.score, "target": 0.99, "chance": task.chance, "solved": solution.solved,
        "losses": solution.history.history, "parameters": solution.model.count_params(),
        "examples": [example._asdict() for example in task.examples(solution.model, 5)],
    }  # fmt: skip
    assert {name: facts[name] for name in expected} == expected
    assert facts["seconds"] > 0.0
    assert facts["config"]["lstmfast"] == lf.__version__


def test_pictures_of_answers_and_of_learning(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    small = ["--samples", "40", "--epochs", "1"]
    code, out, _ = run("run", "echo", *small, "--plot", "echo.svg", "--save", "m.safetensors")
    assert code == 1
    assert out.endswith("\nWritten: m.safetensors, echo.svg, echo_learning.svg\n")
    code, out, _ = run("run", "many_to_one", *small, "--plot", "sum.svg")  # without a picture
    assert out.endswith("\nWritten: sum.svg\n")
    for name in ("echo", "echo_learning", "sum"):
        assert (tmp_path / f"{name}.svg").read_text().startswith("<?xml")
    assert len([*tmp_path.iterdir()]) == 4


def test_options_before_the_task_and_hyphens(run: Run) -> None:
    code, out, _ = run("run", "--epochs", "2", "many-to-one", "--largest", "50")
    assert code in (0, 1)
    assert "2 epochs" in out


@pytest.mark.parametrize("before", [["--json", "text"], ["--save=text", "--quiet"]])
def test_a_value_that_is_the_name_of_a_task_is_none(before: list[str], run: Run) -> None:
    code, _, err = run("run", *before, "echo", "--length", "0")
    assert code == 2
    assert err == (
        "lstmfast run: error: argument --length: '0'; expected a whole number from 1 on\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: TASK"),
        (["ecco"], "argument TASK: there is no task 'ecco'; did you mean echo? lstmfast tasks lis"),
        (["x"], "argument TASK: there is no task 'x'; lstmfast tasks lists them"),
        (["echo", "addition"], "unrecognized arguments: addition"),
        (["echo", "--length", "0"], "argument --length: '0'; expected a whole number from 1 on"),
        (["echo", "--length", "five"], "argument --length: 'five'; expected a whole number from 1"),
        (["echo", "--place", "6"], "argument --place: 6; expected at most length=5\n"),
        (
            ["echo", "--length", "1"],
            "argument --place: 2; expected at most length=1 (its default; choose --place)\n",
        ),
        (["echo", "--digits", "6"], "unrecognized arguments: --digits 6"),
        (["echo", "--samples", "1" * 20], f"argument --samples: {'1' * 20}; expected at most 2"),
        (
            ["echo", "--units", "3,"],
            "argument --units: ''; expected whole numbers from 1 on, with ",
        ),
        (["echo", "--lr", "nan"], "argument --lr: 'nan'; expected a number above 0"),
        (["echo", "--epochs", "0"], "argument --epochs: '0'; expected a whole number from 1 on"),
        (["echo", "--seed", "-1"], "argument --seed: '-1'; expected a whole number from 0 on"),
        (["echo", "--variant", "x"], "argument --variant: 'x'; expected 'vanilla', "),
        (
            ["echo", "--variant", "encoder_decoder"],
            "argument --variant: 'encoder_decoder', which needs a sequence out; expected one of ",
        ),
        (["echo", "--save", "no/m.safetensors"], "no/m.safetensors: the folder no does not exist"),
        (["echo", "--save", "."], ".: is a folder; expected the name of a file"),
        (["echo", "--save", "m.onnx"], "filepath is 'm.onnx'; models are saved as safetensors "),
        (["echo", "--json", "no/a.json"], "no/a.json: the folder no does not exist"),
        (["echo", "--json", "a", "--save", "a"], "a: is used twice; expected another file for "),
    ],
)
def test_mistakes_are_one_line_before_training(
    arguments: list[str], message: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstmfast.tasks.Task.fit", None)  # nothing is trained
    code, out, err = run("run", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"lstmfast run: error: {message}")
    assert err.count("\n") == 1
    assert [*tmp_path.iterdir()] == []


def test_names_of_pictures_are_checked_first(run: Run) -> None:
    pytest.importorskip("matplotlib")
    code, _, err = run("run", "echo", "--plot", "p.txt")
    assert code == 2
    assert err == "lstmfast run: error: p.txt: expected a name that ends in .png, .svg or .pdf\n"
    code, _, err = run("run", "echo", "--plot", "p.png", "--save", "p_learning.png")
    assert code == 2
    assert err.startswith("lstmfast run: error: p_learning.png: is used twice")


def test_what_keras_lacks_is_refused_before_training(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("h5py")
    monkeypatch.setattr("lstmfast.tasks.Task.fit", None)
    code, _, err = run("run", "translation", "--save", "m.keras", "--samples", "10")
    assert code == 2
    assert re.match(r"lstmfast run: error: .*EncoderDecoder.*\.safetensors", err)
    assert [*tmp_path.iterdir()] == []


def test_errors_in_training_are_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise FloatingPointError("[fit] loss is nan")

    monkeypatch.setattr("lstmfast.tasks.Task.fit", fail)
    assert run(*QUICK) == (2, "", "lstmfast run: error: loss is nan\n")


def test_an_interrupted_training_writes_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lstmfast.tasks.Task.fit", interrupted)
    code, out, err = run(*QUICK, "--save", "m.safetensors", "--json", "a.json")
    assert (code, out, err) == (130, "", "lstmfast run: interrupted\n")
    assert [*tmp_path.iterdir()] == []


def test_run_in_a_process_with_its_output_cut_off(tmp_path: Path) -> None:
    base = [sys.executable, "-m", "lstmfast.cli"]
    with open("/dev/full", "w") as disk:
        full = subprocess.run(
            [*base, "tasks"], stdout=disk, stderr=subprocess.PIPE, text=True, check=False
        )
    message = "lstmfast tasks: error: standard output: No space left on device\n"
    assert (full.returncode, full.stderr) == (2, message)
    shell = f"'{sys.executable}' -m lstmfast.cli {' '.join(MISSED)} --save m.safetensors"
    for cut in (">&-", "| head -c 1"):
        done = subprocess.run(
            f"{shell} {cut}", shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == (1 if "&" in cut else 0)  # of head
        assert done.stderr == ""
        (tmp_path / "m.safetensors").unlink()


def on_terminal(
    folder: Path, arguments: list[str], ends_at: bytes = b"", rows: int = 24, columns: int = 100
) -> tuple[int, str]:
    """Run a command on a terminal; end it by Ctrl-C once it has shown `ends_at`."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = dict(os.environ, TERM="xterm")
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "lstmfast.cli", *arguments],
        cwd=folder, stdout=theirs, stderr=theirs, env=environment,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 1 << 16)
        except OSError:  # all of it is read
            break
        if ends_at and ends_at in shown:
            process.send_signal(signal.SIGINT)
            ends_at = b""
    os.close(ours)
    return process.wait(), shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_bar_and_colour(tmp_path: Path) -> None:
    code, text = on_terminal(tmp_path, QUICK)
    assert code == 0
    assert re.search(r"many_to_one: 100%.* left, loss \d.*, score \d", text)
    has_rich = importlib.util.find_spec("rich") is not None
    assert ("\x1b[1;32mThe target is reached.\x1b[0m" in text) == has_rich


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("rows", "columns"), [(24, 40), (0, 0)])
def test_a_bar_fits_any_terminal(rows: int, columns: int, tmp_path: Path) -> None:
    code, text = on_terminal(tmp_path, QUICK, rows=rows, columns=columns)
    assert code == 0
    bar = text.partition("many_to_one: Add")[0]
    assert re.search(r"100%.*, loss \d.*, score \d\.?\d*", bar)
    shown = [re.sub(r"\x1b\[\w", "", line).rstrip() for line in re.split(r"[\r\n]+", bar)]
    assert max(map(len, shown)) <= (columns or 80)
    if columns:  # the time left stands at the end
        assert all(re.search(r", (\d\d:\d\d|\?)$", line) for line in shown if "score" in line)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_ends_a_training(tmp_path: Path) -> None:
    arguments = ["run", "echo", "--epochs", "100000", "--save", "m.safetensors"]
    code, text = on_terminal(tmp_path, arguments, b"loss")
    assert code == 130
    assert text.endswith("\r\nlstmfast run: interrupted\r\n")
    assert "Traceback" not in text
    assert [*tmp_path.iterdir()] == []

"""The benchmarks: every suite runs, answers are compared first, who cannot take part is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast._bench import __main__ as bench
from lstmfast._bench import protocol, report
from lstmfast._bench.contest import Settings
from lstmfast._bench.engines import Engine, Runner, UnsupportedError
from lstmfast._bench.engines.vs_lstmfast import LSTMFAST, LstmfastRunner
from lstmfast._bench.engines.vs_numpy import NUMPY, NumpyRunner
from lstmfast._bench.layer_kinds import KINDS
from lstmfast._bench.options import OPTIONS
from lstmfast._bench.problems import Array, Problem, make_problem
from lstmfast._bench.protocol import Goal, Row
from lstmfast._bench.shapes import Shape
from lstmfast._bench.suites import (
    kernels,
    machine,
    memory,
    other_layers,
    scaling,
    steps,
    trainings,
    tutorials,
)
from lstmfast._bench.suites import tasks as tasks_suite
from lstmfast._core import config, testing

Run = Callable[..., tuple[int, str, str]]


class Wrong(NumpyRunner):
    def output(self) -> Array:
        return super().output() + np.float32(0.01)


class WrongShape(NumpyRunner):
    def output(self) -> Array:
        return super().output()[:, :-1]


class ForwardOnly(NumpyRunner):
    def train(self) -> Any:
        raise UnsupportedError("no training")


def failing(problem: Problem, threads: int) -> Runner:
    raise RuntimeError("out of luck")


def unimportable() -> str:
    raise ImportError("libnothing.so:\n no such file")


def rival(
    runner: Callable[[Problem, int], Runner], version: Callable[[], str] = lambda: "1.0"
) -> Engine:
    return Engine("rival", "numpy", version, runner)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the benchmarks in this process, with next to nothing measured."""
    threads = lf.get_num_threads()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "pin", lambda threads: None)
    monkeypatch.setattr(protocol, "LEAST_ROUNDS", 1)
    monkeypatch.setattr(protocol, "SAMPLE_SECONDS", 1e-5)
    monkeypatch.setattr(protocol, "PEAK_SECONDS", 1e-4)
    monkeypatch.setattr(protocol, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(scaling, "LONGER", (1, 3))
    monkeypatch.setattr(scaling, "BATCHES", (1, 33))
    monkeypatch.setattr(scaling, "UNITS", (16, 17))
    monkeypatch.setattr(memory, "ROUNDS", 1)
    monkeypatch.setattr(memory, "CALLS", 10)
    monkeypatch.setattr(kernels, "PEAK_SECONDS", 1e-4)
    monkeypatch.setattr(kernels, "ARITHMETIC", ("small",))
    monkeypatch.setattr(kernels, "BARRIERS", 100)
    monkeypatch.setattr(kernels, "READING", ("b1_256",))
    for suite in (kernels, machine):
        monkeypatch.setattr(suite, "cache_bytes", lambda: {"l1d": 4096, "l2": 16384, "l3": 65536})
    monkeypatch.setattr(machine, "NAPS", 2)

    def with_engines(*arguments: str, rivals: Sequence[Engine] = ()) -> tuple[int, str, str]:
        monkeypatch.setattr(bench, "ENGINES", (LSTMFAST, NUMPY, *rivals))
        code = bench.main([*arguments, "--seconds", "0.0001", "--json", "run.json"])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield with_engines
    lf.set_num_threads(threads)


def written() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    found = json.loads(Path("run.json").read_text(encoding="utf-8"))
    return found["results"], found["left_out"]


SHAPES = ["--shapes", "2x3x4x5"]
PLAIN_CASES = {
    (mode, engine) for mode in ("forward", "training") for engine in ("lstmfast", "numpy")
}


@pytest.mark.parametrize("suite", ["forward", "training"])
def test_plain_suites(run: Run, suite: str) -> None:
    code, out, err = run("--suite", suite, *SHAPES)
    assert (code, err) == (0, "")
    rows, _ = written()
    assert [(row["suite"], row["engine"]) for row in rows] == [
        (suite, "lstmfast"),
        (suite, "numpy"),
    ]
    ours, theirs = rows
    assert ours["shape"] == {"name": "2x3x4x5", "B": 2, "T": 3, "I": 4, "H": 5}
    assert ours["ratio"] == pytest.approx(theirs["value"] / ours["value"])
    assert theirs["ratio"] is None
    assert f"\n{suite}\n" in out
    assert f"{ours['ratio']:.2f}x" in out


def test_step_suite(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """From Python against rivals, from C++ against reading, one by one, and into silence."""
    for name, value in {"LOOP_SECONDS": 1e-5, "SINGLE_STEPS": 100, "TURNS": 2, "CYCLES": 3}.items():
        monkeypatch.setattr(steps, name, value)
    code, out, err = run("--suite", "step", *SHAPES)
    assert (code, err) == (0, "")
    rows = {(row["mode"], row["engine"]): row for row in written()[0]}
    quantiles = ("50 %", "99.99 %", "worst")
    expected = [("step", "lstmfast"), ("step", "numpy"), ("C++", "lstmfast"), ("C++", "reading")]
    expected += [(mode, engine) for mode in quantiles for engine in ("lstmfast", "idle loop")]
    assert [*rows] == [*expected, ("silence", "lstmfast"), ("silence", "loud")]
    of_reading = rows["C++", "reading"]["value"] / rows["C++", "lstmfast"]["value"]
    assert rows["C++", "lstmfast"]["ratio"] == pytest.approx(of_reading)
    values = [rows[mode, "lstmfast"]["value"] for mode in quantiles]
    assert values == sorted(values)
    assert "of 100 one by one" in out


def test_steps_are_timed_on_a_stream() -> None:
    model = steps.make_model(make_problem(Shape("", 2, 4, 3, 5)))
    x = np.random.default_rng(0).standard_normal((4, 2, 3)).astype(np.float32)
    timed, stream = model.stream(2), model.stream(2)
    seconds = testing.time_steps(timed, x, samples=2, each=3)
    assert seconds.shape == (2,)
    assert (seconds > 0.0).all()
    for t in (0, 1, 2, 3, 0, 1):
        stream.step(x[t])
    for got, expected in zip(timed.state, stream.state, strict=True):
        np.testing.assert_array_equal(got, expected)
    with pytest.raises(ValueError, match="x has 7 values; expected 6 a step"):
        testing.time_steps(timed, np.zeros(7, np.float32), samples=1)


def test_options_suite(run: Run) -> None:
    code, out, err = run("--suite", "options", "--shapes", "6x5x4x8")
    assert (code, err) == (0, "")
    rows, _ = written()
    ours = [row for row in rows if row["engine"] == "lstmfast"]
    names = [option.name for option in OPTIONS]
    assert [(row["case"], row["mode"]) for row in ours] == [
        (name, mode) for mode in ("forward", "training") for name in names
    ]
    assert {(r["mode"], r["engine"]) for r in rows} == PLAIN_CASES
    for row, option in zip(ours, [*OPTIONS, *OPTIONS], strict=True):
        assert row["relative"] > 0.0
        assert (row["goal"] is None) == (option.goal is None)
    assert "  cost" in out


def few_batches(monkeypatch: pytest.MonkeyPatch) -> list[trainings.Training]:
    few = [replace(each, batches=trainings.CHECKED, batch_size=2) for each in trainings.TRAININGS]
    monkeypatch.setattr(trainings, "TRAININGS", few)
    return few


def test_fit_suite(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    few = few_batches(monkeypatch)
    code, _, err = run("--suite", "fit")
    assert (code, err) == (0, "")
    rows, left_out = written()
    assert [row["case"] for row in rows[-len(few) :]] == [each.name for each in few]
    ours = {row["case"] for row in rows if row["engine"] == "lstmfast"}
    assert {"one_to_many", "many_to_one", "echo", "verbose=2, an epoch", "LSTM call, toy"} <= ours
    theirs = {row["case"] for row in rows if row["engine"] == "numpy"}
    assert theirs == {"one_to_many", "many_to_one", "echo", "predict, 3 rows"}
    lacks = {(each["engine"], each["reason"]) for each in left_out}
    assert lacks == {("numpy", "no verbose=2"), ("numpy", "no whole models")}
    assert next(row for row in rows if row["case"] == "echo")["note"].endswith(" of 10000")


def test_whole_trainings_on_threads(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against one thread too; of the toy the ratio is what counts."""
    few = few_batches(monkeypatch)
    code, out, err = run("--suite", "fit", "--threads", "2")
    assert (code, err) == (0, "")
    rows = written()[0][-len(few) :]
    assert all(row["relative"] > 0.0 and row["peak_share"] > 0.0 for row in rows)
    assert [row["goal"]["figure"] for row in rows] == ["ratio", *["relative"] * 4]
    assert " speedup" in out


def test_scaling_suite(run: Run) -> None:
    code, _, err = run("--suite", "scaling", *SHAPES, "--threads", "2", "--mode", "forward")
    assert (code, err) == (0, "")
    rows, _ = written()
    lengths, sizes = ["T=3", "T=9"], ["B=1", "B=33", "H=16", "H=17"]
    threads = ["2x3x4x5, 1 thread", "2x3x4x5, 2 threads"]
    assert [row["case"] for row in rows] == [*lengths, *sizes, *threads]
    assert {row["engine"] for row in rows} == {"lstmfast"}
    tail = next(row for row in rows if row["case"] == "B=33")
    assert tail["goal"] == {"figure": "relative", "bound": 1 / 1.1, "at_most": False}


def test_threads_suite(run: Run) -> None:
    code, out, err = run("--suite", "threads", *SHAPES, "--threads", "2")
    assert (code, err) == (0, "")
    rows, _ = written()
    assert [row["case"] for row in rows] == ["2x3x4x5, 1 thread", "2x3x4x5, 2 threads"]
    assert rows[0]["goal"] is None
    assert rows[1]["goal"] == {"figure": "relative", "bound": 1.03, "at_most": True}
    assert "40 steps of fit" in out


def test_memory_suite(run: Run) -> None:
    code, _, err = run("--suite", "memory", "--shapes", "16x2048x8x64", "--mode", "training")
    assert (code, err) == (0, "")
    rows, left_out = written()
    if left_out:
        pytest.skip("no /proc/self/statm here")
    assert rows[-1]["case"] == "many shapes"
    plain = rows[0]
    assert (plain["case"], plain["unit"]) == ("plain", "B")
    # 5 H values a row and step: 4 gates and c. Of the 42 MB some lie in pages that were there.
    assert plain["relative"] == pytest.approx(5.0, abs=0.5)


def test_machine_suite(run: Run) -> None:
    before = config()["plan"].split(",read_gbs")[1].split(",", 1)[1]  # but for what is measured
    code, _, err = run("--suite", "machine", *SHAPES, "--threads", "2", "--mode", "forward")
    assert (code, err) == (0, "")
    rows, _ = written()
    limits = [row["case"] for row in rows if row["mode"] == "limit"]
    assert limits[:2] == ["FMA, float32", "FMA, float64"]
    assert limits[-2:] == ["barrier, 2 threads", "waking 1"]
    assert {"read L2, up and down", "read L2, up", "read memory, up"} <= set(limits)
    beside, *plans = [row for row in rows if row["mode"] == "forward"]
    assert (beside["case"], beside["goal"]["bound"]) == ("2x3x4x5", 0.92)
    assert [row["case"] for row in plans] == list(machine.PLANS)
    assert all(row["relative"] > 0.0 for row in (beside, *plans))
    assert config()["plan"].split(",read_gbs")[1].split(",", 1)[1] == before


def test_kernels_suite(run: Run) -> None:
    code, _, err = run("--suite", "kernels", "--threads", "2")
    assert (code, err) == (0, "")
    rows, _ = written()
    units = {row["case"]: row["unit"] for row in rows}
    assert units["FMA, float32"] == units["small"] == "FLOP/s"
    assert units["read, half of L1D"] == units["read, memory"] == units["b1_256"] == "B/s"
    assert units["tanh"] == units["barrier, 2 threads"] == units["layer norm, small"] == "1/s"
    assert units["back through time, small"] == units["weight gradient, small"] == "FLOP/s"
    assert all(row["value"] > 0.0 for row in rows)


def test_tutorials_suite(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [replace(each, samples=5, count=3) for each in tutorials.TUTORIALS]
    monkeypatch.setattr(tutorials, "TUTORIALS", few)
    code, _, err = run("--suite", "tutorials")
    assert (code, err) == (0, "")
    rows, left_out = written()
    assert [row["case"] for row in rows] == [each.name for each in few]
    assert all(row["value"] > 0.0 for row in rows)
    assert {each["reason"] for each in left_out} == {"no models"}


def test_tasks_suite(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """lstmfast's score and seconds, then the plain baselines', which some tasks do not need."""
    monkeypatch.setattr(tasks_suite, "TASKS", ("echo", "many_to_one"))
    monkeypatch.setattr(tasks_suite, "SEEDS", 2)
    code, out, err = run("--suite", "tasks")
    assert (code, err) == (0, "")
    rows, _ = written()
    solved = [row for row in rows if row["engine"] == "lstmfast"]
    assert [row["case"] for row in solved] == ["echo", "many_to_one"]
    for row in solved:
        task = lf.tasks.load(row["case"])
        assert task.solved(row["relative"])
        assert row["met"]
        assert row["samples"] == 2
        assert (
            row["note"].startswith(
                f"accuracy, chance {task.measure.text(task.chance)}; vanilla; 2 of 2"
            )
            or row["case"] != "echo"
        )
    assert out.count(" s ") >= 2


def test_a_better_baseline_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    task = lf.tasks.load("echo", samples=300)
    scores = {"clever": lambda: 1.0, "dull": lambda: task.chance}
    monkeypatch.setattr(tasks_suite, "baselines", lambda _: scores)
    monkeypatch.setattr(tasks_suite, "SEEDS", 1)
    monkeypatch.setattr(tasks_suite, "load", lambda name, seed: lf.tasks.load(name, seed, 100))
    monkeypatch.setattr(tasks_suite, "find_spec", lambda _: True)
    (own,), (clever,), (dull,) = tasks_suite.rows_of(Settings([]), "echo")
    assert own.note.endswith("; better: clever")
    assert own.met is False
    assert (clever.engine, clever.relative) == ("clever", 1.0)
    assert (dull.engine, dull.relative) == ("dull", task.chance)


def test_a_task_that_needs_another_package_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(self: Any) -> Any:
        raise ImportError("[echo] needs clay: pip install clay")

    monkeypatch.setattr(lf.tasks.find("echo"), "parts", property(lacking))
    monkeypatch.setattr(tasks_suite, "TASKS", ("echo",))
    settings = Settings([])
    assert [*tasks_suite.TASKS_SUITE.run(settings)] == []
    (left,) = settings.left_out
    assert (left.engine, left.case) == ("lstmfast", "echo")
    assert left.reason == "echo: [echo] needs clay: pip install clay"


def test_layers_suite(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [replace(kind, cases=kind.cases[:1]) for kind in KINDS]
    monkeypatch.setattr(other_layers, "KINDS", kinds)
    code, _, err = run("--suite", "layers")
    assert (code, err) == (0, "")
    rows, left_out = written()
    assert [row["mode"] for row in rows] == ["forward", "training"] * len(kinds)
    assert {row["case"].split()[0] for row in rows} == {kind.name for kind in kinds}
    assert {each["reason"] for each in left_out} == {"no layers but the LSTM"}


@pytest.mark.parametrize(
    ("runner", "message"),
    [(Wrong, "y differs by 0.01 from the reference"), (WrongShape, "y shape (2, 2, 5); expected")],
)
def test_a_wrong_answer_ends_the_run(run: Run, runner: type[Runner], message: str) -> None:
    code, out, err = run("--suite", "forward", *SHAPES, rivals=[rival(runner)])
    assert code == 1
    assert err.startswith(f"lstmfast bench: error: rival at plain 2x3x4x5 (2,3,4,5): {message}")
    assert err.count("\n") == 1
    assert "us" not in out.split("\nforward")[1]  # nothing was timed
    assert not Path("run.json").exists()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (rival(NumpyRunner, unimportable), "ImportError: libnothing.so: no such file"),
        (rival(failing), "2x3x4x5: RuntimeError: out of luck"),
    ],
)
def test_a_broken_rival_is_named(run: Run, broken: Engine, reason: str) -> None:
    code, out, err = run(*SHAPES, rivals=[broken])
    assert (code, err) == (0, "")
    assert out.endswith(f"\nleft out: rival: {reason}\n")
    rows, left_out = written()
    assert {(row["mode"], row["engine"]) for row in rows} == PLAIN_CASES
    assert {each["reason"] for each in left_out} == {reason}


def test_a_rival_without_training_is_in_the_other_table(run: Run) -> None:
    code, out, _ = run(*SHAPES, rivals=[rival(ForwardOnly)])
    assert code == 0
    rows, left_out = written()
    assert {(row["mode"], row["engine"]) for row in rows} == PLAIN_CASES | {("forward", "rival")}
    assert [(each["mode"], each["reason"]) for each in left_out] == [("training", "no training")]
    assert out.endswith("\nleft out: rival: no training\n")


def test_our_own_failure_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("own")

    monkeypatch.setattr(LstmfastRunner, "forward", fail)
    with pytest.raises(RuntimeError, match="own"):
        run(*SHAPES)


def test_rows_survive_json() -> None:
    goal = Goal("relative", 1.12, at_most=True)
    row = Row(
        "options", "peephole", None, "forward", "lstmfast", "s", 2e-6, 1e-6, 3e-6, 5,
        relative=1.2, goal=goal,
    )  # fmt: skip
    assert row.met is False
    assert "<=1.12!" in report.table_rows([row])
    facts = {"cpu": "some"}
    assert report.from_json(report.to_json(facts, [row], [])) == (facts, [row])


@pytest.mark.parametrize("suites", ["forward,training", "options,threads,memory"])
def test_plot(run: Run, suites: str) -> None:
    pytest.importorskip("matplotlib")
    arguments = ["--suite", suites, *SHAPES, "--threads", "2", "--plot", "run.png"]
    code, _, err = run(*arguments, rivals=[rival(NumpyRunner)])
    assert (code, err) == (0, "")
    assert Path("run.png").read_bytes().startswith(b"\x89PNG")


def test_all_suites_are_chosen_by_one_word() -> None:
    assert [suite.name for suite in bench.choose_suites(None, "both")] == ["forward", "training"]
    assert [suite.name for suite in bench.choose_suites(None, "training")] == ["training"]
    assert bench.choose_suites("all", "both") == list(bench.SUITES)
    assert [s.name for s in bench.choose_suites("fit,step", "forward")] == ["step", "fit"]

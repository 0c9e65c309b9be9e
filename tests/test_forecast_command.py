"""`lstmfast forecast` on files as people have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cli_runs import SALES, TIMED, Run, monthly, runner
from lstmfast.forecasting import report
from lstmfast.forecasting.scores import Scores
from lstmfast.forecasting.validation import Plan, Validation


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    return runner(capsys)


def test_a_network_is_saved_without_a_folder_that_a_kill_would_leave(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object, **options: object) -> None:
        raise AssertionError("a temporary folder was made")

    monkeypatch.setattr("tempfile.mkdtemp", refused)
    (tmp_path / "sales.csv").write_text(monthly(48))
    base = ["forecast", "sales.csv", *SALES, "--epochs", "1", "--horizon", "2"]
    code, _, err = run(*base, "--save", "model.safetensors")
    assert code == 0, err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors", "sales.csv"]


def test_a_network_that_cannot_be_saved_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstmfast.models import Sequential

    def full(model: Sequential, path: Path) -> None:
        raise OSError(28, f"[save] {path}: cannot write: No space left on device")

    monkeypatch.setattr(Sequential, "save", full)
    (tmp_path / "sales.csv").write_text(monthly(48))
    base = ["forecast", "sales.csv", *SALES, "--epochs", "1", "--horizon", "2"]
    code, out, err = run(*base, "--save", "m.safetensors")
    assert (code, out) == (2, "")
    assert err.endswith("error: m.safetensors: cannot write: No space left on device\n")


def test_future_times_are_written_as_those_of_the_file(run: Run, tmp_path: Path) -> None:
    days = [f"{k}.1.2020;{100 + k % 7},5" for k in range(1, 32)]
    (tmp_path / "d.csv").write_text("\ufeffTag;Umsatz\r\n" + "\r\n".join(days) + "\r\n")
    arguments = ["forecast", "d.csv", "--column", "Umsatz", "--time", "Tag", "--lookback", "3"]
    code, _, err = run(*arguments)
    assert code == 2
    assert err.endswith('(or use --time-format "%d.%m.%Y")\n')
    arguments += ["--time-format", "%d.%m.%Y", "--epochs", "1", "--horizon", "2"]
    code, out, err = run(*arguments)
    assert code == 0, err
    assert [line.split(",")[0] for line in out.splitlines()] == ["Tag", "1.2.2020", "2.2.2020"]


def test_days_in_digits_are_no_numbers(run: Run, tmp_path: Path) -> None:
    days = "".join(f"{20200101 + k},{100 + k % 7}\n" for k in range(31))
    (tmp_path / "d.csv").write_text("Month,Sales\n" + days)
    code, out, err = run(
        *["forecast", "d.csv", *TIMED, "--lookback", "3", "--epochs", "1", "--horizon", "2"]
    )
    assert code == 0, err
    assert [line.split(",")[0] for line in out.splitlines()] == ["Month", "20200201", "20200202"]


def test_names_with_commas(run: Run, tmp_path: Path) -> None:
    rows = "".join(f"{100 + k % 7},{k % 5},{k % 3}\n" for k in range(48))
    (tmp_path / "d.csv").write_text('Sales,"Price, net",Rain\n' + rows)
    base = ["forecast", "d.csv", *SALES, "--epochs", "1", "--horizon", "2"]
    code, _, err = run(*base, "--inputs", '"Price, net", Rain')
    assert code == 0, err
    code, _, err = run(*base, "--inputs", "Price, net")
    assert code == 2
    assert 'no column "Price"; the columns are "Sales", "Price, net", "Rain"' in err


def test_what_is_left_out_at_the_ends_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(monthly(60, L2="1949-01,", L61="1953-12,"))
    base = ["forecast", "sales.csv", *TIMED, "--epochs", "1", "--horizon", "2"]
    code, _, err = run(*base)
    assert code == 2
    assert 'line 2: column "Sales" is empty; expected a number (or use --missing inter' in err
    code, out, err = run(*base, "--missing", "interpolate")
    assert code == 0
    assert err.startswith(
        'sales.csv line 3: the series begins with the first number of "Sales"\n'
        'sales.csv line 61: the forecast begins after the last number of "Sales"\n'
    )
    assert '58 values of "Sales", 1949-02 to 1953-11\n' in err
    assert [line.split(",")[0] for line in out.splitlines()] == ["Month", "1953-12", "1954-01"]


@pytest.mark.parametrize(
    ("mine", "rule", "said"),
    [
        (5.0, 5.01, "  second is persistence, less than 1% worse."),
        (5.01, 5.0, "  the LSTM is less than 1% worse."),
        (5.0, 5.06, "  second is persistence, 1% worse."),
        (6.8, 5.0, "  the LSTM is 36% worse."),
    ],
)
def test_a_small_difference_is_not_told_as_none(mine: float, rule: float, said: str) -> None:
    assert report._verdict("One step ahead", mine, {"persistence": rule})[1] == said


def test_errors_that_look_the_same_are_as_good() -> None:
    for mine, rule in ((16.961, 16.999), (16.999, 16.961), (5.0, 5.0), (0.0, 0.0)):
        same = f"persistence is as good as the LSTM, {report._number(rule)}."
        assert report._verdict("Now", mine, {"persistence": rule}) == [f"Now {same}"]
    plan = Plan(5, 1)
    for mine, rule, nevertheless in ((1.781, 1.779, False), (1.79, 1.779, True), (1, 2, False)):
        scores = {"LSTM": Scores(mine, mine), "persistence": Scores(rule, rule)}
        found = Validation(np.ones((5, 2)), 2, scores, 9, plan)
        assert ("nevertheless" in report._validation_verdict(found)[-1]) == nevertheless

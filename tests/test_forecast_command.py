"""`lstmfast forecast` on files as people have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_runs import SALES, Run, monthly, runner


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

"""The scripts of `examples/`, a variant each: they learn in little time, and draw their picture."""

from __future__ import annotations

import importlib.util
import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "examples"

# By script: training that is far too short to solve the problem, and a score between that of chance
# (in the comment) and what was reached, far from both.
SHORT = {
    "vanilla": ({"epochs": 6, "samples": 500}, 0.28),  # 0.09 to 0.47
    "stacked": ({"epochs": 5, "samples": 500}, 0.17),  # 0.22 to 0.11, an error
    "cnn_lstm": ({"epochs": 4, "samples": 300}, 0.55),  # 0.23 to 0.86
    "encoder_decoder": (
        {"epochs": 10, "samples": 12_000},
        0.04,
    ),  # 0.00 to 0.17, other seeds from 0.10
    "bidirectional": ({"epochs": 6, "samples": 300}, 0.75),  # 0.53 to 0.96
    "generative": ({"epochs": 20, "samples": 1000}, 0.4),  # 0.00 to 0.82
}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no examples next to the tests")


@pytest.mark.parametrize("name", SHORT)
def test_a_variant_learns(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    options, bar = SHORT[name]
    picture = tmp_path / "picture.png"
    score = script.main(**options, plot=picture)
    assert score < bar if name == "stacked" else score > bar
    assert picture.read_bytes().startswith(b"\x89PNG")
    *_, last = capsys.readouterr().out.splitlines()
    assert f": {score:.3f}, target: at " in last


@pytest.mark.parametrize("name", SHORT)
def test_a_picture_without_a_folder_is_refused_before_training(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [name, "--plot", "no/picture.png"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    out, err = capsys.readouterr()
    assert out == ""  # nothing is trained
    assert err.endswith("error: argument --plot: no/picture.png: there is no such folder\n")


def test_every_script_is_short_and_tested() -> None:
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}
    assert scripts.keys() == {*SHORT, "anomaly", "compressor", "voice_activity"}
    assert all(scripts[name].count("\n") < 60 for name in SHORT)

"""The scripts of `examples/` that work on streams: what they compute, and what they print."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
import wave
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lstmfast import layers
from lstmfast.models import Sequential

FOLDER = Path(__file__).resolve().parents[1] / "examples"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no examples next to the tests")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(name).stem, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.peer
def test_voice_activity_is_that_of_onnx_runtime() -> None:
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package)
    if importlib.util.find_spec("silero_vad") is None:
        pytest.skip("silero_vad is not installed")
    voice_activity = script("voice_activity")
    (ours, theirs), _ = voice_activity.compare(20)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    assert 0.2 < np.mean(ours > 0.5) < 0.8
    chunks = voice_activity.chunks_of(voice_activity.speech_like(20))
    whole = voice_activity.build().predict(chunks[None])
    np.testing.assert_array_equal(whole[0, :, 0].astype(ours.dtype), ours)


def test_an_amplifier_is_learned_and_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    training, playing = script("amp/train_amp"), script("amp/process_wav")
    model, _ = training.train(units=8, epochs=25, clips=64, verbose=0)
    names = ["amp.safetensors", "dry.wav", "out.wav", "wet.wav"]
    saved, dry, out, wet = (tmp_path / name for name in names)
    model.save(saved)
    sound = training.guitar(np.random.default_rng(3), training.RATE // 2)
    training.write_wav(dry, sound)
    training.write_wav(wet, training.amplifier(sound, 0.2, 0.5, 0.8))

    knobs = ["--drive", "0.2", "--level", "0.8"]
    files = [str(each) for each in (saved, dry, out)]
    monkeypatch.setattr(
        "sys.argv", ["play", *files, *knobs, "--block", "100", "--target", str(wet)]
    )
    playing.main()
    printed = capsys.readouterr().out
    found = re.search(r"error-to-signal ratio: (.*)%\n0.5 s of sound at 0\.\d+ of real", printed)
    assert found is not None
    assert float(found[1]) < 60  # 100: silence; reached: 31, with other seeds up to 38
    assert re.search(r"a block of 2268 us takes .*\(median\), .*\(99.99 %\), .*\(worst\)", printed)

    played, rate, _ = playing.read_wav(dry)
    assert rate == training.RATE
    made, times = playing.process(model.stream(), played, [0.2, 0.5, 0.8], 64)
    whole = model.predict(training.inputs(played, np.array([[0.2, 0.5, 0.8]])))
    np.testing.assert_array_equal(made, whole[..., 0])
    assert len(times) == -(-len(sound) // 64)
    step = 1 / 32767  # of 16 bits; 1/32768 where it is read
    np.testing.assert_allclose(playing.read_wav(out)[0], np.clip(made, -1, 1), rtol=0, atol=step)


def test_what_the_player_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    playing, saved, dry = script("amp/process_wav"), tmp_path / "m.safetensors", tmp_path / "x.wav"
    playing.write_wav(dry, np.zeros((1, 100)), 8000)

    def play(layer: layers.Layer, *options: str, out: str = "out.wav") -> str:
        model = Sequential([layers.Input((None, 1)), layer])
        model.metadata = {"sample_rate": "unknown"}
        model.save(saved, overwrite=True)
        files = [str(each) for each in (saved, dry, tmp_path / out)]
        monkeypatch.setattr("sys.argv", ["play", *files, *options])
        with suppress(SystemExit):
            playing.main()
        printed = capsys.readouterr()
        return printed.err or printed.out

    both = layers.Bidirectional(layers.LSTM(1, return_sequences=True), merge_mode="sum")
    assert "needs all steps at once" in play(both)
    assert "makes (None, 1) of (None, None, 1); expected one number of each" in play(layers.LSTM(1))
    assert "/none does not exist" in play(layers.Dense(1), out="none/out.wav")
    assert "--drive: nan; expected a number from 0 to 1" in play(layers.Dense(1), "--drive", "nan")
    assert not (tmp_path / "out.wav").exists()
    assert "not the model's 'unknown'" in play(layers.Dense(1))


def test_voice_activity_names_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    voice_activity = script("voice_activity")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("sys.argv", ["voice_activity"])
    with pytest.raises(SystemExit, match=r"^onnx is not installed: pip install onnx .*silero-vad"):
        voice_activity.main()


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_wav_files_of_any_size_of_samples(size: int, tmp_path: Path) -> None:
    values = np.array([[-(2**7), 0, 2**7 - 1, 5], [1, -2, 3, -4]])  # of two channels, for 8 bits
    whole = (values.T << 8 * (size - 1)) + (128 if size == 1 else 0)
    path = tmp_path / "x.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, size, 8000, 0, "NONE", ""))
        file.writeframes(
            b"".join(int(v).to_bytes(size, "little", signed=size > 1) for v in whole.flat)
        )
    playing = script("amp/process_wav")
    samples, rate, width = playing.read_wav(path)
    assert (rate, width) == (8000, size)
    np.testing.assert_array_equal(samples, values / 2**7)
    playing.write_wav(path, samples, rate, width)
    again, _, width = playing.read_wav(path)
    assert width == min(max(size, 2), 3)
    np.testing.assert_allclose(again, samples, rtol=0, atol=2.0 ** (1 - 8 * width))


def test_anomalies_are_told_at_once(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    wave = np.sin(np.arange(700) / 5) + 0.02 * random.normal(size=700)
    past = tmp_path / "past.csv"
    past.write_text("".join(f"{k},{v}\n" for k, v in enumerate(wave[:500])))
    command = [sys.executable, str(FOLDER / "anomaly.py"), "--column", "2", "--train", str(past)]
    lines = [f"{k},{v}" for k, v in enumerate(wave[500:])]
    lines[100] = "100,9"
    lines[50], lines[51] = "50", "51,nan"
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write("\n".join(lines) + "\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith("line 101: 9, expected ")
        process.send_signal(signal.SIGINT)  # the input is still open
        assert process.wait(30) == 130
        assert process.stdout.read() == ""
        places = re.findall(r"line (\d+): no number in column 2", process.stderr.read())
    assert places == ["51", "52"]


def test_anomalies_of_the_lines_after_those_learned() -> None:
    def detected(text: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(FOLDER / "anomaly.py"), "--first", "300", *options]
        return subprocess.run(command, input=text, text=True, capture_output=True, check=False)

    values = [f"{np.sin(k / 5):.4f}" for k in range(400)]
    values[350] = "-7"
    assert detected("\n".join(values)).stdout.startswith("line 351: -7, expected ")
    few = detected("1\n2\n")
    assert few.returncode == 2
    assert "2 numbers to learn from; expected more than 64" in few.stderr
    for option, value in (("--column", "0"), ("--first", "-1"), ("--threshold", "nan")):
        wrong = detected("1\n2\n", option, value)
        assert wrong.returncode == 2
        assert f"argument {option}: {value}; expected" in wrong.stderr

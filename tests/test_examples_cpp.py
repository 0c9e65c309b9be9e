"""The programs of `examples/cpp/` write the files and print the lines of the Python scripts."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from lstmfast.layers import LSTM, Dense, Input
from lstmfast.models import Sequential, load_model
from test_c_library import CMAKE, run
from test_example_streams import FOLDER, script

pytestmark = [
    pytest.mark.embed,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no examples next to the tests"),
]

RATE = 44_100
KNOBS = {"drive": 0.25, "tone": 0.75, "level": 0.875}
MODEL = "amp.safetensors"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model and the programs, and the plugin where LV2 is installed."""
    folder = tmp_path_factory.mktemp("built")
    model, _ = script("amp/train_amp").train(units=8, epochs=4, clips=32, verbose=0)
    model.save(folder / MODEL)
    found = shutil.which("pkg-config") and not subprocess.call(["pkg-config", "--exists", "lv2"])
    plugin = [f"-DAMP_MODEL={folder / MODEL}"] if found else []
    flags = "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror"
    run("cmake", "-S", FOLDER / "cpp", "-B", folder, flags, f"-Dlstmfast_DIR={CMAKE}", *plugin)
    run("cmake", "--build", folder)
    return folder


def sound(channels: int) -> np.ndarray:
    """Samples (channels, samples) from -1 to 1, of another sound each."""
    random = np.random.default_rng(5)
    guitar = script("amp/train_amp").guitar
    return np.stack([guitar(random, RATE // 4) for _ in range(channels)]).astype(np.float32)


def knobs() -> list[str]:
    return [word for name, value in KNOBS.items() for word in (f"--{name}", str(value))]


def write_floats(path: Path, samples: np.ndarray) -> None:
    """Write a WAV file of floats, which the scripts cannot read."""
    channels, data = len(samples), samples.T.astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, channels, RATE, 4 * channels * RATE, 4 * channels, 32)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"LIST\x03\0\0\0odd\0" + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)


def floats(path: Path, channels: int) -> np.ndarray:
    """The samples (channels, samples) of a WAV file of floats."""
    content = path.read_bytes()
    start = content.index(b"data") + 8
    (size,) = struct.unpack_from("<I", content, start - 4)
    return np.frombuffer(content, "<f4", size // 4, start).reshape(-1, channels).T


@pytest.mark.parametrize(("channels", "width"), [(1, 2), (2, 3)])
def test_a_wav_file_has_the_bits_of_python(
    channels: int, width: int, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing = script("amp/process_wav")
    source, theirs, ours = (tmp_path / f"{name}.wav" for name in ("dry", "python", "cpp"))
    playing.write_wav(source, sound(channels), RATE, width)
    words = ["process_wav", *map(str, (built / MODEL, source, theirs)), *knobs(), "--block", "100"]
    monkeypatch.setattr("sys.argv", words)
    playing.main()
    printed = run(built / "process_wav", built / MODEL, source, ours, *knobs(), "--block", 64)
    assert ours.read_bytes() == theirs.read_bytes()
    assert re.fullmatch(
        r"0\.2 s of sound at \d+\.\d{4} of real time\na block of 1451 us takes \d+\.\d us "
        r"\(median\), \d+\.\d us \(99\.99 %\), \d+\.\d us \(worst\)\n",
        printed,
    )
    with wave.open(str(ours)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (channels, width)


def test_floats_and_the_plugin_have_the_bits_of_predict(built: Path, tmp_path: Path) -> None:
    source, ours, plugins = (tmp_path / f"{name}.wav" for name in ("dry", "cpp", "lv2"))
    dry = 1.5 * sound(1)  # beyond 1, too
    write_floats(source, dry)
    x = script("amp/train_amp").inputs(dry, np.array([list(KNOBS.values())]))
    whole = load_model(built / MODEL).predict(x)[..., 0]
    run(built / "process_wav", built / MODEL, source, ours, *knobs())
    np.testing.assert_array_equal(floats(ours, 1), whole)

    if not (built / "lv2").is_dir():
        pytest.skip("needs lv2")
    controls = [word for name, value in KNOBS.items() for word in ("-c", name, value)]
    environment = {**os.environ, "LV2_PATH": str(built / "lv2")}
    command = ("lv2apply", "-i", source, "-o", plugins, *controls, "urn:lstmfast:amp")
    run(*command, env=environment)
    np.testing.assert_array_equal(floats(plugins, 1), whole)


def test_anomalies_are_those_of_python(built: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = np.sin(np.arange(900) / 5) + 0.05 * random.normal(size=900)
    values[[600, 700, 701, 702]] += [5, 4, 4, 4]
    values[800:] += 1  # a new level, which the model follows
    lines = [f"{k}, {v:.5f}" for k, v in enumerate(values)]
    lines[650], lines[651] = "650", "651,nothing"
    past, saved = tmp_path / "past.csv", tmp_path / "usual.safetensors"
    past.write_text("\n".join(lines[:500]))
    text = "\n".join(lines[500:])

    def told(*command: object) -> tuple[str, str]:
        done = subprocess.run([*map(str, command)], input=text, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    column = ("--column", 2, "--threshold", 6)
    learning = (sys.executable, FOLDER / "anomaly.py", "--train", past, *column)
    python = told(*learning, "--save", saved)
    assert told(*learning, "--model", saved) == python
    assert told(built / "anomaly", saved, past, *column) == python
    places = [int(place) for place in re.findall(r"^line (\d+): ", python[0], re.MULTILINE)]
    assert {101, 201, 301} <= set(places)
    assert len(places) < 30
    assert len(python[1].splitlines()) == 2


def test_what_is_no_such_file_is_told(built: Path, tmp_path: Path) -> None:
    def told(*command: object) -> str:
        done = subprocess.run([*map(str, command)], text=True, capture_output=True)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    program, model, out = built / "process_wav", built / MODEL, tmp_path / "out.wav"
    wav, wide, past = tmp_path / "dry.wav", tmp_path / "wide", tmp_path / "past.csv"
    write_floats(wav, sound(1))
    past.write_text("\n".join(map(str, range(100))))
    Sequential([Input((None, 5)), LSTM(3, return_sequences=True), Dense(1)]).save(wide)
    assert "expected a float32 model that takes 1 to 4 numbers a step" in told(
        program, wide, wav, out
    )
    assert "expected a float32 model that makes a number" in told(built / "anomaly", wide, past)
    assert "missing: cannot be read" in told(program, model, tmp_path / "missing", out)
    assert "expected a WAV file" in told(program, model, model, out)
    assert "--drive is loud; expected a number" in told(program, model, wav, out, "--drive", "loud")
    assert told(program, model, wav).startswith("usage: process_wav MODEL")
    past.write_text("1\n2\n")
    assert "2 numbers in" in told(built / "anomaly", model, past)
    for size in (20, 40, 52, 60):  # cut off in a header, after one, and with a sample and a half
        wav.write_bytes(wav.read_bytes()[:size])
        assert "has no samples" in told(program, model, wav, out)
    assert not out.exists()

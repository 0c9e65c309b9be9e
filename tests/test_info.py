"""`lstmfast info MODEL`: what a model will need, from the header of its file."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

import lstmfast as lf
from cli_runs import Run, runner
from lstmfast import _core, layers
from lstmfast.models import Sequential
from test_c_library import LIBRARY, SAVED


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


def lines_of(text: str) -> dict[str, str]:
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in text.splitlines()}


def test_a_model_that_streams(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model"
    last = layers.Dense(1, name="out")
    row = [layers.Input((None, 1)), layers.LSTM(16, return_sequences=True), last]
    model = Sequential(row)
    model.save(path)
    code, text, _ = run("info", str(path))
    assert code == 0
    found = lines_of(text)
    assert found["input"] == "(T, 1), float32"
    assert found["layer"] == "out (dense): (T, 1), 17 parameters"
    assert found["output"] == "(T, 1), float32"
    assert found["parameters"] == f"{model.count_params():,}" == "1,169"
    assert found["streams"] == "yes"
    assert found["step"] == f"{4 * 16 * (1 + 16) + 16:,} multiply-adds"


@pytest.mark.parametrize("name", ["stream_lstm", "stream_options", "stream_float64", "ids"])
def test_memory_is_what_the_loaded_model_takes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    SAVED[name]().save(path)
    facts = _core.file_facts(path)
    library = ctypes.CDLL(str(LIBRARY))
    memory = [library.lstmfast_model_memory, library.lstmfast_stream_memory]
    for each in memory:
        each.restype, each.argtypes = ctypes.c_int64, [ctypes.c_void_p]
    model, stream = ctypes.c_void_p(), ctypes.c_void_p()
    assert library.lstmfast_model_load(str(path).encode(), ctypes.byref(model)) == 0
    assert library.lstmfast_stream_new(model, ctypes.c_int64(1), ctypes.byref(stream)) == 0
    assert facts["weight_bytes"] == memory[0](model)
    inputs = 16  # of a step: two values of float64 at most
    assert 0 <= memory[1](stream) - facts["stream_bytes"] <= inputs
    library.lstmfast_stream_free(stream)
    library.lstmfast_model_free(model)


def test_a_shared_layer_works_at_each_of_its_places(tmp_path: Path) -> None:
    x, dense = layers.Input((None, 8)), layers.Dense(8)
    lf.Model(x, dense(dense(x))).save(tmp_path / "model")
    facts = _core.file_facts(tmp_path / "model")
    assert (facts["parameters"], facts["multiply_adds"]) == (8 * 8 + 8, 2 * 8 * 8)


def test_a_model_that_cannot_stream(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model"
    Sequential([layers.Input((4, 2)), layers.Bidirectional(layers.LSTM(3))]).save(path)
    code, text, _ = run("info", str(path))
    found = lines_of(text)
    assert code == 0
    assert "needs all steps at once" in found["streams"]
    assert "step" not in found


def test_a_model_of_ids_and_a_file_of_another_program(run: Run, tmp_path: Path) -> None:
    SAVED["ids"]().save(tmp_path / "ids.safetensors")
    assert lines_of(run("info", str(tmp_path / "ids.safetensors"))[1])["streams"] == "yes, of ids"
    row = [layers.Input((None, 1)), layers.LSTM(2, return_sequences=True), layers.Dense(1)]
    path = tmp_path / "amp.nam"
    Sequential(row).save(path)
    code, _, error = run("info", str(path))
    assert (code, error.count("\n")) == (2, 1)
    assert "amp.nam: is a .nam file; expected a .safetensors file" in error
    assert error.endswith('amp.nam").save("amp.safetensors") writes\n')


def test_the_header_alone_is_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "model"
    SAVED["stream_lstm"]().save(path)
    content = path.read_bytes()
    assert run("info", str(path))[0] == 0
    path.write_bytes(content[:-40] + bytes(40))  # damaged weights
    assert run("info", str(path))[0] == 0
    path.write_bytes(content[:-40])
    code, _, error = run("info", str(path))
    assert code == 2
    assert error.startswith(f"lstmfast info: error: {path}: ")
    code, _, error = run("info", str(tmp_path / "none"))
    assert (code, error.count("\n")) == (2, 1)

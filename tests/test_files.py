"""Saved models: what comes back, and files that are none."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import metrics, optimizers
from lstmfast.callbacks import Callback, ModelCheckpoint
from lstmfast.layers import LSTM, Dense, Dropout, Input
from lstmfast.models import Sequential, load_model, save_model


def model_and_data(
    samples: int = 15, dropout: float = 0.0, metrics: object = None, optimizer: object = "adam"
) -> tuple[Sequential, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x, y = rng.random((samples, 3, 1)), rng.random((samples, 2))
    model = Sequential([Input((3, 1)), LSTM(5), Dropout(dropout), Dense(2)], seed=0)
    model.compile(optimizer=optimizer, loss="mse", metrics=metrics)
    return model, x, y


def test_a_loaded_model_continues_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    optimizer = optimizers.Adam(0.003, clipnorm=1.0)
    named = [metrics.MeanAbsoluteError(name="off, by"), "mse"]
    model, x, y = model_and_data(metrics=named, dropout=0.2, optimizer=optimizer)
    model.fit(x, y, epochs=3, batch_size=4, verbose=0)
    model.save(path)
    again = load_model(path)
    assert again.get_config() == model.get_config()
    assert again.optimizer is not None
    assert again.optimizer.get_config() == optimizer.get_config()
    assert again.optimizer.iterations == optimizer.iterations == 12
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    runs = [
        m.fit(
            x, y, epochs=6, initial_epoch=3, batch_size=4, verbose=0, validation_split=0.2
        ).history
        for m in (model, again)
    ]
    assert runs[0] == runs[1]
    assert "val_off, by" in runs[0]
    np.testing.assert_equal(model.get_weights(), again.get_weights())


def test_saving_without_what_only_training_needs(tmp_path: Path) -> None:
    model, x, y = model_and_data()
    model.fit(x, y, epochs=3, verbose=0)
    small, whole = tmp_path / "small.safetensors", tmp_path / "whole.safetensors"
    save_model(model, small, include_optimizer=False)
    save_model(model, whole)
    assert small.stat().st_size < whole.stat().st_size
    again = load_model(str(small))
    assert again.optimizer is not None
    assert again.optimizer.iterations == 0
    assert load_model(whole, compile=False).optimizer is None
    other, _, _ = model_and_data()
    other.load_weights(whole)
    np.testing.assert_equal(other.get_weights(), model.get_weights())
    never_compiled = Sequential([Dense(1, input_shape=(2,))])
    never_compiled.save(small)
    assert load_model(small).loss is None


def test_files_that_are_none_of_ours(tmp_path: Path) -> None:
    model, _, _ = model_and_data()
    path = tmp_path / "model.safetensors"
    model.save(path)
    with pytest.raises(FileExistsError, match=r"\[save\] .*overwrite=True"):
        model.save(path, overwrite=False)
    with pytest.raises(ValueError, match=r"end.? in .safetensors"):
        model.save(tmp_path / "model.onnx")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nowhere.safetensors")
    whole = path.read_bytes()
    for damaged in (b"", whole[:7], whole[: len(whole) // 2], whole[:-1], b"\xff" * 100, whole[8:]):
        path.write_bytes(damaged)
        with pytest.raises((ValueError, OSError)):
            load_model(path)


def resaved(path: Path, change: dict[str, str], *, digest: bool = False) -> None:
    """Write a file again as another program may: with texts changed, and maybe no digest."""
    size = int.from_bytes(path.read_bytes()[:8], "little")
    header, data = json.loads(path.read_bytes()[8 : 8 + size]), path.read_bytes()[8 + size :]
    texts = header["__metadata__"] | ({} if digest else {"format_version": "1"}) | change
    if not digest:
        texts.pop("digest")
    header["__metadata__"] = dict(reversed(texts.items()))
    text = json.dumps(header, indent=1).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_a_digest_finds_every_flipped_bit(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = Sequential([Dense(1, input_shape=(2,), name="d")], name="m", seed=0)
    model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    model.save(path)
    whole = path.read_bytes()
    for bit in range(0, 8 * len(whole), 31):  # of each kind some: test_tensor_file.cpp takes all
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.unlink()  # some file systems flush a file that is truncated and refilled
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"^\[load\] "):
            load_model(path)
    path.write_bytes(whole)
    load_model(path)


def test_files_of_other_programs_and_older_ones(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, x, y = model_and_data()
    model.fit(x, y, verbose=0)
    model.save(path)
    resaved(path, {}, digest=True)
    np.testing.assert_array_equal(load_model(path).predict(x), model.predict(x))
    resaved(path, {}, digest=False)
    np.testing.assert_array_equal(load_model(path).predict(x), model.predict(x))
    older = path.read_bytes()
    path.write_bytes(older.replace(b'"format_version": "1"', b'"format_version": "2"'))
    with pytest.raises(ValueError, match="the digest is missing, which files of format"):
        load_model(path)
    path.write_bytes(older.replace(b'"format_version": "1"', b'"format_version": "3"'))
    with pytest.raises(ValueError, match="a newer lstmfast may have written it"):
        load_model(path)


def test_a_file_of_the_safetensors_package(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors")
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "model.safetensors"
    model, x, y = model_and_data()
    model.fit(x, y, verbose=0)
    model.save(path)
    with safetensors.safe_open(path, "np") as file:
        texts = file.metadata()
    save_file(load_file(path), path, texts)
    np.testing.assert_array_equal(load_model(path).predict(x), model.predict(x))
    changed = load_file(path)
    changed["layers.0.bias"][0] += 1
    save_file(changed, path, texts)
    with pytest.raises(ValueError, match=r'"layers.0.bias" is damaged'):
        load_model(path)


@pytest.mark.parametrize("key", ["state.iterations", "state.epochs"])
def test_counters_from_a_file_have_bounds(key: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, x, y = model_and_data(dropout=0.5)
    model.save(path)
    whole = path.read_bytes()
    name = key.removeprefix("state.")
    for text in (2**53 + 1, 2**63 - 1, 2**63, 10**30, -1, "x", 1.5):
        path.write_bytes(whole)
        resaved(path, {key: str(text)})
        with pytest.raises(ValueError, match=rf'{name} is "{text}"; expected an integer from 0'):
            load_model(path)
    # at the bound training goes on, and what it saves can be loaded
    path.write_bytes(whole)
    resaved(path, {key: str(2**53)})
    again = load_model(path)
    again.fit(x, y, epochs=2, verbose=0)
    assert np.isfinite(again.predict(x)).all()
    again.save(path)
    np.testing.assert_array_equal(load_model(path).predict(x), again.predict(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"compile.loss": "none"}, "none"),
        ({"compile.optimizer.learning_rate": "true"}, "learning_rate"),
        ({"compile.optimizer.rho": "1"}, "unknown key optimizer.rho"),
        ({"compile.clip.norm": "1", "compile.clip.value": "1"}, "expected None next to norm"),
        ({"model.layers.0.name": "dense"}, "two layers would be called 'dense'"),
        ({"model.layers.0.kind": "gru"}, "kind"),
        ({"model.layers": "1001"}, r'layers is "1001"; expected an integer from 1 to 1000'),
        ({"compile.metrics": "mse," * 1001}, "expected at most 1000 names, not 1001"),
        ({"extra.metrics": " " * 1_000_001}, "of metrics has 1000001 characters"),
        ({"extra.metrics": json.dumps([["a", "mae"]] * 1001)}, "1001 metrics; expected at most"),
    ],
)
def test_what_a_damaged_file_says(change: dict[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, _, _ = model_and_data(metrics=["mae"])
    model.save(path)
    resaved(path, change)
    with pytest.raises(ValueError, match=rf"^\[load\] {path}: .*{message}"):
        load_model(path)


def test_too_many_tensors_or_texts(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    header: dict[str, Any] = {"__metadata__": {str(n): "" for n in range(100_001)}}
    empty = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    tensors = {str(n): empty for n in range(100_001)}
    for content, what in ((header, "metadata entries"), (tensors, "tensors")):
        text = json.dumps(content).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text)
        with pytest.raises(ValueError, match=f"more than 100000 {what}"):
            load_model(path)


def test_files_of_other_formats_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
    with pytest.raises(ValueError, match=r"\[load\] .*model: is a model of Keras \(.keras\); exp"):
        load_model(path)
    path.write_bytes(pickle.dumps({"a": np.ones(3)}))
    with pytest.raises(ValueError, match=r"is a pickle .*; expected a safetensors file"):
        load_model(path)
    np.savez(path, a=np.ones(3))
    with pytest.raises(ValueError, match=r"is arrays of NumPy \(.npz\)"):
        load_model(f"{path}.npz")


def test_paths_that_no_file_can_have(tmp_path: Path) -> None:
    model, _, _ = model_and_data()
    for path, message in [
        (f"{tmp_path}/a\0b", r"filepath is '.*a\\x00b', which contains a NUL character"),
        (f"{tmp_path}/\ud800", r"filepath is '.*\\ud800', whose character \d+ no file name can"),
    ]:
        for call in (model.save, load_model, model.load_weights, ModelCheckpoint):
            with pytest.raises(ValueError, match=message):
                call(path)
    name = os.fsdecode(bytes(tmp_path) + b"/\xff")  # a name that is no UTF-8 is one all the same
    model.save(name)
    assert load_model(name).built


@pytest.mark.parametrize("text", ["10**400", "-(10**400)", "10**5000"])
def test_numbers_that_are_too_large(text: str) -> None:
    """Python cannot even write some of them."""
    value = eval(text)
    shown = r"is -?10\*\*(400|399|4999) or more; expected"
    for make in (
        lambda: optimizers.Adam(value),
        lambda: optimizers.SGD(momentum=value),
        lambda: optimizers.Adam(clipnorm=value),
        lambda: Dense(value),
        lambda: ModelCheckpoint("x", initial_value_threshold=value),  # type: ignore[arg-type]
        lambda: Dropout(value),
        lambda: setattr(optimizers.Adam(), "learning_rate", value),
    ):
        with pytest.raises(ValueError, match=shown):
            make()


def test_names_that_no_file_can_hold() -> None:
    for make in (
        lambda name: Sequential(name=name),
        lambda name: Dense(1, name=name),
        lambda name: metrics.MeanAbsoluteError(name=name),
    ):
        with pytest.raises(ValueError, match=r"name is 'a\\ud800'; expected no lone surrogates"):
            make("a\ud800")
        make("a\0 \U0001f3b5")
    model, x, y = model_and_data()
    with pytest.raises(
        ValueError, match=r"\[fit\] sample_weight has values beyond float32's range"
    ):
        model.fit(x, y, sample_weight=[10**400] * len(x), verbose=0)


def test_the_name_that_a_link_leads_to(tmp_path: Path) -> None:
    model, _, _ = model_and_data()
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link"
    link.symlink_to("folder/model.safetensors")
    model.save(link, overwrite=False)  # nothing is there yet
    assert link.is_symlink()
    assert load_model(tmp_path / "folder/model.safetensors").built
    with pytest.raises(FileExistsError, match=r"overwrite=True"):
        model.save(link, overwrite=False)
    with pytest.raises(FileExistsError, match=r"overwrite=True"):
        model.save(os.devnull, overwrite=False)


def test_one_of_two_processes_makes_the_file(tmp_path: Path) -> None:
    program = """
import sys
from lstmfast.layers import Dense
from lstmfast.models import Sequential
model = Sequential([Dense(200, input_shape=(200,))], seed=0)
for folder in sys.stdin:
    try:
        model.save(folder.strip() + "/model.safetensors", overwrite=False)
        print("made", flush=True)
    except FileExistsError:
        print("refused", flush=True)
"""
    command = [sys.executable, "-c", program]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        for pair in range(30):
            folder = tmp_path / str(pair)
            folder.mkdir()
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{folder}\n")
                process.stdin.flush()
            ends = [process.stdout.readline() for process in processes if process.stdout]
            assert sorted(ends) == ["made\n", "refused\n"]
            assert [each.name for each in folder.iterdir()] == ["model.safetensors"]
            load_model(folder / "model.safetensors")
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_pickles_say_their_version() -> None:
    model, x, _ = model_and_data()
    objects = (model, lf.LSTM(2, 3), Dense(2))
    for thing in objects:
        state = thing.__reduce_ex__(2)[2]
        assert state["lstmfast_version"] == lf.__version__
        fresh = type(thing).__new__(type(thing))
        with pytest.warns(UserWarning, match=rf"pickle is of lstmfast 0.0.1, .* {lf.__version__}"):
            fresh.__setstate__(state | {"lstmfast_version": "0.0.1"})
    other = {"lstmfast_version": "9.9", "weights": 3}
    for cls in (Sequential, lf.LSTM):
        with pytest.raises(
            ValueError, match=rf"is of lstmfast 9.9, this is lstmfast {lf.__version__}, which can"
        ):
            cls.__new__(cls).__setstate__(other)
    with pytest.raises(ValueError, match="is of lstmfast before pickles had a version"):
        lf.LSTM.__new__(lf.LSTM).__setstate__({})
    with pytest.raises(KeyError):  # of this version: a damaged pickle, not another one
        lf.LSTM.__new__(lf.LSTM).__setstate__({"lstmfast_version": lf.__version__})
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))


def test_copies_leave_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor would they where the process is killed: their file never has a name."""
    monkeypatch.setattr(tempfile, "mkdtemp", lambda *_, **__: pytest.fail("makes a folder"))
    model, x, _ = model_and_data()
    np.testing.assert_array_equal(copy.deepcopy(model).predict(x), model.predict(x))


# Saves to a pipe more than it holds. SIGUSR1's handler only says that it ran.
def test_arrays_of_callbacks_may_change_while_they_are_written(tmp_path: Path) -> None:
    class Remembering(Callback):
        memory = np.zeros(100_000)

        def get_state(self) -> dict[str, Any]:
            return {"memory": self.memory}

    pipe, path = tmp_path / "pipe", tmp_path / "model.safetensors"
    os.mkfifo(pipe)
    model, x, y = model_and_data()
    callback = Remembering()
    model.fit(x, y, verbose=0, callbacks=[callback])
    saving = threading.Thread(target=model.save, args=(pipe,), daemon=True)
    saving.start()
    with open(pipe, "rb") as reader:
        begin = reader.read(1)  # the pipe has the header, and holds not nearly all the rest
        callback.memory[:] = 1
        path.write_bytes(begin + reader.read())
    saving.join(timeout=60)
    again = load_model(path)
    assert again.output_shape == model.output_shape

"""Data sets that are downloaded: addresses, archives, and what files may hold."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import datasets
from lstmfast.datasets import _files
from lstmfast.utils import (
    get_file,
)


def made_up(path: Path, content: bytes = b"numbers") -> str:
    path.write_bytes(content)
    return path.as_uri()


def test_get_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address = made_up(tmp_path / "far.txt")
    cache = tmp_path / "cache"
    md5 = hashlib.md5(b"numbers").hexdigest()
    sha = hashlib.sha256(b"numbers").hexdigest()
    path = get_file("near.txt", address, cache_dir=cache, file_hash=sha)
    assert path == str(cache / "datasets" / "near.txt")
    assert Path(path).read_bytes() == b"numbers"
    assert get_file(origin=address, cache_dir=cache, cache_subdir="x").endswith("x/far.txt")
    assert capsys.readouterr().out.count("Downloading data from file://") == 2
    made_up(tmp_path / "far.txt", b"others")
    assert Path(get_file("near.txt", address, md5_hash=md5, cache_dir=cache)).read_bytes() == (
        b"numbers"
    )
    assert capsys.readouterr().out == ""
    get_file("near.txt", address, cache_dir=cache, force_download=True)
    assert Path(path).read_bytes() == b"others"
    with pytest.raises(ValueError, match="has another hash than"):
        get_file("near.txt", address, file_hash=sha, cache_dir=cache)
    assert Path(path).read_bytes() == b"others"
    with pytest.raises(OSError, match=rf"put the file at {cache / 'datasets' / 'lost.txt'}$"):
        get_file("lost.txt", (tmp_path / "lost.txt").as_uri(), cache_dir=cache)
    assert sorted(os.listdir(cache / "datasets")) == ["near.txt"]


def test_cache_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    path = get_file("a.txt", made_up(tmp_path / "far.txt"))
    assert path == str(tmp_path / "home" / "datasets" / "a.txt")


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_archives(kind: str, tmp_path: Path) -> None:
    packed = tmp_path / f"far.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(packed, "w") as file:
            file.writestr("inner/a.txt", "numbers")
    else:
        with tarfile.open(packed, "w:gz" if kind.endswith("gz") else "w") as tar:
            info = tarfile.TarInfo("inner/a.txt")
            info.size = 7
            tar.addfile(info, io.BytesIO(b"numbers"))
    for name, folder in [("data", "data"), (f"x.{kind}", "x_extracted"), (None, f"far.{kind}")]:
        path = get_file(name, packed.as_uri(), extract=True, cache_dir=tmp_path)
        assert path == str(tmp_path / "datasets" / folder)
        assert (Path(path) / "inner/a.txt").read_text() == "numbers"
    with pytest.raises(ValueError, match="is no archive of a known kind"):
        get_file("b", made_up(tmp_path / "b"), extract=True, cache_dir=tmp_path)


def test_archives_stay_in_their_folder(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("../outside.txt"))
    with pytest.raises((ValueError, tarfile.TarError)):
        get_file("data", (tmp_path / "bad.tar").as_uri(), untar=True, cache_dir=tmp_path)
    assert not (tmp_path / "datasets" / "outside.txt").exists()
    assert sorted(os.listdir(tmp_path / "datasets")) == ["data_archive"]


def ragged(*texts: list[int]) -> np.ndarray:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for Keras's address, whose files have hashes of their own."""
    far = tmp_path / "far"
    far.mkdir()
    monkeypatch.setattr(_files, "_ADDRESS", far.as_uri() + "/")

    def without_hash(fname: str, origin: str, file_hash: str) -> str:
        assert len(file_hash) in (32, 64)
        return get_file(fname, origin, cache_dir=tmp_path / "cache")

    monkeypatch.setattr(_files, "get_file", functools.partial(without_hash))
    return far


def test_imdb(far: Path) -> None:
    texts, labels = ragged([1, 2, 30], [4], [2, 2, 2, 2]), np.array([0, 1, 1])
    np.savez(far / "imdb.npz", x_train=texts, y_train=labels, x_test=texts[:2], y_test=labels[:2])
    (far / "imdb_word_index.json").write_text('{"the": 1}')
    (x, y), (x_test, y_test) = datasets.imdb.load_data(
        num_words=99, index_from=0, start_char=None, seed=1
    )
    for text, label in zip(x, y, strict=True):
        place = [30 in text, text == [4], 2 in text and len(text) == 4].index(True)
        assert labels[place] == label
    assert x.dtype == object
    assert len(x_test) == len(y_test) == 2
    (x, _), _ = datasets.imdb.load_data(num_words=8)
    assert sorted(x) == [[1, 4, 5, 2], [1, 5, 5, 5, 5], [1, 7]]
    (x, _), _ = datasets.imdb.load_data(maxlen=5, oov_char=None, skip_top=6)
    assert sorted(x) == [[], [7]]
    assert datasets.imdb.get_word_index() == {"the": 1}
    with pytest.raises(ValueError, match=r"\[load_data\] maxlen is 1; expected more"):
        datasets.imdb.load_data(maxlen=1)


def test_reuters(far: Path) -> None:
    np.savez(far / "reuters.npz", x=ragged(*[[k] for k in range(10)]), y=np.arange(10))
    (x, y), (x_test, y_test) = datasets.reuters.load_data(start_char=None, oov_char=None)
    assert (len(x), len(x_test)) == (8, 2)
    assert sorted([*y, *y_test]) == list(range(10))
    assert all(text in ([label + 3], []) for text, label in zip(x, y, strict=True))
    assert len(datasets.reuters.get_label_names()) == 46
    with pytest.raises(OSError, match=r"reuters_word_index\.json cannot be downloaded"):
        datasets.reuters.get_word_index()


def test_mnist(far: Path, tmp_path: Path) -> None:
    images, labels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2), np.array([1, 2], np.uint8)
    parts = {"x_train": images, "y_train": labels, "x_test": images[:1], "y_test": labels[:1]}
    np.savez(far / "mnist.npz", **parts)
    np.savez(tmp_path / "own.npz", **parts)
    for path in ("mnist.npz", str(tmp_path / "own.npz")):
        (x, y), (x_test, _) = datasets.mnist.load_data(path)
        np.testing.assert_array_equal(x, images)
        assert y.dtype == np.uint8
        assert len(x_test) == 1


class Harmful:
    def __reduce__(self) -> Any:
        return os.getcwd, ()


def test_files_run_nothing(tmp_path: Path) -> None:
    array = np.array([Harmful()], dtype=object)
    np.savez(tmp_path / "bad.npz", x=array, y=np.ones(1))
    with pytest.raises(Exception, match=r"the file wants to run (posix|nt)\.getcwd"):
        datasets.reuters.load_data(str(tmp_path / "bad.npz"))


def test_backend() -> None:
    lf.backend.clear_session()
    assert (lf.backend.floatx(), lf.backend.epsilon()) == ("float32", 1e-7)

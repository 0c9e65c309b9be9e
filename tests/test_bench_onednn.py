"""Which oneDNN the benchmarks take, and what they say of one that does not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lstmfast._bench import __main__ as bench
from lstmfast._bench.engines import UnsupportedError, libdnnl
from lstmfast._bench.engines.vs_onednn import ONEDNN
from lstmfast._cli.common import UserError

OPENMP, SYCL = 2, 512


@pytest.fixture
def library() -> None:
    """Skip the test where there is none that fits."""
    if not ONEDNN.installed:
        pytest.skip(f"needs {libdnnl.FILE}")
    try:
        ONEDNN.version()
    except ImportError as error:
        pytest.skip(str(error))


def packages(files: dict[str, Path]) -> Callable[[str], Any]:
    """Return what stands in for `importlib.metadata.distribution`, with these files."""

    def distribution(name: str) -> Any:
        if name not in files:
            raise libdnnl.PackageNotFoundError(name)
        path = files[name]
        return SimpleNamespace(files=[SimpleNamespace(name=path.name, locate=lambda: path)])

    return distribution


def test_a_package_comes_before_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libdnnl.ctypes.util, "find_library", lambda name: f"the system's {name}")
    path = tmp_path / "lib" / libdnnl.FILE
    monkeypatch.setattr(libdnnl, "distribution", packages({"onednn-cpu-tbb": path}))
    assert libdnnl.find() == "the system's dnnl"  # the package's file is gone
    path.parent.mkdir()
    path.touch()
    assert libdnnl.find() == str(path.resolve())


def test_without_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libdnnl, "distribution", packages({}))
    monkeypatch.setattr(libdnnl.ctypes.util, "find_library", lambda name: None)
    assert not ONEDNN.installed
    with pytest.raises(UserError, match="onednn is not installed; here are lstmfast, numpy"):
        bench.choose_engines("onednn")
    with pytest.raises(ImportError, match="no libdnnl"):
        libdnnl.load.__wrapped__()


def test_needed_libraries_are_loaded_from_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of needed ones too; what lies nowhere, or cannot be read, is named."""
    paths = [str(tmp_path / name) for name in ("liba", "libb", "libc")]
    for path in paths:
        Path(path).touch()
    loaded: list[str] = []

    def load(path: str) -> Any:
        needed = dict(zip(paths, ["libb", "libc", None], strict=True))[path]
        if needed is not None and str(tmp_path / needed) not in loaded:
            raise OSError(f"{needed}: cannot open shared object file: No such file or directory")
        loaded.append(path)

    monkeypatch.setattr(libdnnl.ctypes, "CDLL", load)
    libdnnl._opened(paths[0])
    assert loaded == paths[::-1]
    loaded.clear()
    Path(paths[2]).unlink()
    with pytest.raises(OSError, match=r"^libc: cannot open"):
        libdnnl._opened(paths[0])

    def refuse(path: str) -> Any:
        raise OSError(f"{path}: file too short")

    monkeypatch.setattr(libdnnl.ctypes, "CDLL", refuse)
    with pytest.raises(OSError, match="file too short"):
        libdnnl._opened(paths[0])


@pytest.mark.parametrize(
    ("version", "runtime", "reason"),
    [
        ((2, 6, 3), OPENMP, r"^libdnnl 2\.6\.3 is not of version 3: pip install onednn-cpu-gomp$"),
        ((3, 13, 2), SYCL, r"^libdnnl 3\.13\.2 is built for SYCL: pip install onednn-cpu-gomp$"),
    ],
)
def test_a_library_that_does_not_fit(
    version: tuple[int, int, int], runtime: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = libdnnl._Version(*version, b"", runtime, 0)
    fake = SimpleNamespace(dnnl_version=lambda: SimpleNamespace(contents=found))
    monkeypatch.setattr(libdnnl, "find", lambda: "libdnnl")
    monkeypatch.setattr(libdnnl.ctypes, "CDLL", lambda path: fake)
    with pytest.raises(ImportError, match=reason):
        libdnnl.load.__wrapped__()


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (3, UnsupportedError, "^no lstm_backward$"),
        (2, RuntimeError, "^dnnl_lstm_backward_primitive_desc_create: invalid arguments$"),
        (9, RuntimeError, "^dnnl_lstm_backward_primitive_desc_create: 9$"),
    ],
)
def test_failures_are_named(
    status: int, error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libdnnl, "function", lambda name: lambda *arguments: status)
    with pytest.raises(error, match=message):
        libdnnl.call("lstm_backward_primitive_desc_create")


@pytest.mark.peer
@pytest.mark.usefixtures("library")
def test_memories_are_copies_and_go_through_formats() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    memory, other = libdnnl.filled(values), libdnnl.Memory(libdnnl.descriptor((2, 3)))
    values[:] = -1.0
    assert other.values.tolist() == [0.0] * 6
    libdnnl.reorder(memory, other)
    assert other.values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    with pytest.raises(RuntimeError, match="reorder_primitive_desc_create: invalid arguments"):
        libdnnl.reorder(memory, libdnnl.Memory(libdnnl.descriptor((3, 2))))

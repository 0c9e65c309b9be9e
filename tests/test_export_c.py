"""Exported C: the bits of the library's baseline from every compiler, and what it needs."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exported_models import CASES, write_under_baseline

pytestmark = pytest.mark.embed

STRICT = ("-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
COMPILERS = {
    "gcc": ("-std=c99",),
    "clang": ("-std=c99",),
    "g++": ("-std=c++11", "-x", "c++"),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    write_under_baseline(folder, CASES)
    return folder


@pytest.fixture(scope="module", params=COMPILERS)
def library(request: Any, exported: Path) -> ctypes.CDLL:
    if shutil.which(request.param) is None:
        pytest.skip(f"needs {request.param}")
    out = exported / f"{request.param}.so"
    sources = sorted(exported.glob("*.c"))
    subprocess.run(
        [
            request.param,
            *STRICT,
            *COMPILERS[request.param],
            "-shared",
            "-fPIC",
            "-o",
            out,
            *sources,
        ],
        check=True,
    )
    return ctypes.CDLL(str(out))


def steps(library: ctypes.CDLL, name: str, x: Any, outputs: int) -> Any:
    """y of each step, from a state whose bytes are not zero before the reset."""
    state = ctypes.create_string_buffer(b"\x7f" * 4096)
    getattr(library, f"{name}_reset")(state)
    step = getattr(library, f"{name}_step")
    y = np.empty((len(x), outputs), np.float32)
    for now, out in zip(x, y, strict=True):
        given = int(now) if x.ndim == 1 else now.ctypes.data_as(ctypes.c_void_p)
        step(state, given, out.ctypes.data_as(ctypes.c_void_p))
    return y


def bits(values: Any) -> Any:
    return values.view(np.uint32)


def test_the_bits_are_those_of_the_baseline(library: ctypes.CDLL, exported: Path) -> None:
    """And of int8 those of the reference, with the core's activations."""
    for case in CASES:
        with np.load(exported / f"{case}.npz") as data:
            x = data["x"]
            for name in data.files[1:]:
                expected = data[name]
                assert np.isfinite(expected).all(), name
                found = steps(library, name, x, expected.shape[1])
                np.testing.assert_array_equal(bits(found), bits(expected), err_msg=name)


def test_an_id_out_of_range_changes_nothing(library: ctypes.CDLL) -> None:
    state = ctypes.create_string_buffer(4096)
    y = np.full(5, 7.0, np.float32)
    given = y.ctypes.data_as(ctypes.c_void_p)
    library.ids_reset(state)
    assert library.ids_step(state, 3, given) == 1
    before = state.raw, y.copy()
    for wrong in (-1, 11, 2**31 - 1, -(2**31)):
        assert library.ids_step(state, wrong, given) == 0
    assert state.raw == before[0]
    np.testing.assert_array_equal(y, before[1])


def test_int8_never_hides_what_is_not_finite(library: ctypes.CDLL) -> None:
    for bad in (np.nan, np.inf, -np.inf):
        x = np.array([[1.0], [bad], [2.0]], np.float32)
        y = steps(library, "amp_int8", x, 1)
        assert np.isnan(y).ravel().tolist() == [False, True, True]


def test_it_needs_no_library_but_for_moving_memory(exported: Path, tmp_path: Path) -> None:
    """No libm, no heap, and no data that changes."""
    for tool in ("gcc", "nm"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    sources = [
        exported / f"{case}.c" for case in ("amp_int8", "ids", "norms", "stack", "convolution")
    ]
    subprocess.run(["gcc", "-Os", "-ffp-contract=off", "-c", *sources], cwd=tmp_path, check=True)
    for path in tmp_path.glob("*.o"):
        listed = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
        symbols = [line.split()[-2:] for line in listed.splitlines()]
        needed = {name for kind, name in symbols if kind == "U"}
        assert needed <= {"memcpy", "memmove", "memset", "_GLOBAL_OFFSET_TABLE_"}
        assert {kind for kind, _ in symbols} <= set("TtrU")
        assert {name for kind, name in symbols if kind == "T"} == {
            f"{path.stem}_reset", f"{path.stem}_step",
        }  # fmt: skip

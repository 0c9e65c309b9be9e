"""The architecture as tests: who includes whom, what a folder may know, one version, docstrings."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_origin

import pytest

import lstmfast

ROOT = Path(__file__).resolve().parents[1]
CPP = ROOT / "cpp"
RANKS = {
    "base": 0,
    "files": 1,
    "kernels": 1,
    "ops": 2,
    "measure": 3,
    "layers": 3,
    "losses": 3,
    "optim": 3,
    "constraints": 3,
    "regularizers": 3,
    "metrics": 4,
    "model": 5,
    "api": 6,
    "include": 6,
    "bindings": 7,
}
# written by CMake, and so in no folder of the sources
GENERATED = {"kernels/isa_list.def"}
SOURCES = sorted(
    path for path in CPP.rglob("*") if path.suffix in {".h", ".hpp", ".cpp", ".inl", ".def"}
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)
STL_FREE = {
    "immintrin.h", "arm_neon.h", "float.h", "math.h", "stddef.h", "stdint.h", "string.h",
}  # fmt: skip

sources_only = pytest.mark.skipif(not SOURCES, reason="no C++ sources next to the tests")


def includes(path: Path) -> list[tuple[str, str]]:
    """Pairs of quote and name; the parts of kernels_isa.cpp, named from their folder, in full."""
    found = INCLUDE.findall(path.read_text(encoding="utf-8"))
    return [
        (quote, f"{own(path)}/{name}" if (path.parent / name).is_file() else name)
        for quote, name in found
    ]


def own(path: Path) -> str:
    return path.relative_to(CPP).parts[0]


@sources_only
def test_every_folder_has_a_rank() -> None:
    assert {own(path) for path in SOURCES} <= RANKS.keys()


@sources_only
def test_includes_go_down() -> None:
    """A file includes only its own folder and lower ranks, by paths from cpp/."""
    wrong = []
    for path in SOURCES:
        for quote, name in includes(path):
            if quote == "<":
                continue
            folder = name.split("/")[0]
            is_there = (CPP / name).is_file() or name in GENERATED
            goes_down = folder == own(path) or RANKS.get(folder, 99) < RANKS.get(own(path), -1)
            if not (is_there and goes_down):
                wrong.append(f"{path.relative_to(CPP)} includes {name}")
    assert wrong == []


@sources_only
def test_only_bindings_know_python() -> None:
    knowing = {
        own(path)
        for path in SOURCES
        for _, name in includes(path)
        if name.startswith("pybind11") or name == "Python.h"
    }
    assert knowing == {"bindings"}


@sources_only
def test_only_simd_knows_intrinsics() -> None:
    """Vector intrinsics stand in kernels/simd alone; some files of base use one instruction."""
    word = re.compile(r"\b(_mm\w*_\w+|__m(128|256|512)\w*|v[a-z]+q?_[fsu](8|16|32|64))\b")
    allowed = {"base/crc32c.cpp", "base/denormals.h", "base/spin.h"}
    using = {str(path.relative_to(CPP)) for path in SOURCES if word.search(path.read_text("utf-8"))}
    assert {name for name in using if not name.startswith("kernels/simd/")} <= allowed


@sources_only
def test_kernels_know_no_library() -> None:
    """What is compiled per ISA includes C headers and base/plain.h: nothing that emits code."""
    wrong = []
    for path in SOURCES:
        if own(path) != "kernels" or path.name == "dispatch.cpp":
            continue
        for quote, name in includes(path):
            if quote == "<":
                good = name in STL_FREE
            else:
                good = name.startswith("kernels/") or name == "base/plain.h"
            if not good:
                wrong.append(f"{path.relative_to(CPP)} includes {name}")
    assert wrong == []


@sources_only
def test_isa_objects_export_no_weak_symbol() -> None:
    """Or the linker could hand the code of one ISA to a processor that lacks it."""
    nm = shutil.which("nm")
    builds = sorted(ROOT.glob("build/*/cpp/bindings/_core*.so"), key=lambda so: so.stat().st_mtime)
    if nm is None or not builds:
        pytest.skip("needs nm and a build in this tree")
    newest = builds[-1].parents[1]
    found = sorted(newest.glob("kernels/**/lstmfast_kernels_*.dir/*_isa.cpp.o"))
    assert found
    for path in found:
        listed = subprocess.run([nm, path], capture_output=True, text=True, check=True).stdout
        kinds = {line.split()[-2] for line in listed.splitlines() if len(line.split()) >= 2}
        assert not kinds & set("WVwvu"), path


@sources_only
def test_files_stay_small() -> None:
    """Under about 300 lines; a longer one says why at its top."""
    long = {}
    for path in [*SOURCES, *(ROOT / "python").rglob("*.py")]:
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > 350 and "long" not in " ".join(lines[:15]).lower():
            long[str(path.relative_to(ROOT))] = len(lines)
    assert long == {}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PACKAGE = Path(lstmfast.__file__).parent
PYTHON = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(name: str) -> set[tuple[str, str]]:
    """Pairs of module and name in it, of each import of ours, for type checkers alone too."""
    found = set()
    path = PYTHON[name]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(each.name, "") for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            # `.` is the package itself
            base = name.split(".")[: len(name.split(".")) + (path.stem == "__init__") - node.level]
            module = ".".join([*(base if node.level else []), *filter(None, [node.module])])
            found |= {(module, each.name) for each in node.names}
    return {pair for pair in found if pair[0].partition(".")[0] == "lstmfast"}


def test_python_imports_have_no_circle() -> None:
    """A module's imports, and theirs, never come back to it."""
    graph = {}
    for name in PYTHON:
        asked = {(f"{module}.{part}", module) for module, part in imports_of(name)}
        graph[name] = {full if full in PYTHON else module for full, module in asked}

    def reached(name: str) -> set[str]:
        seen: set[str] = set()
        left = [name]
        while left:
            new = graph.get(left.pop(), set()) - seen
            seen |= new
            left += new
        return seen

    assert {name for name in PYTHON if name in reached(name)} == set()


def test_the_core_is_imported_by_its_own_name() -> None:
    """Not as a part of the package, which knows everything."""
    found = {name for name in PYTHON if ("lstmfast", "_core") in imports_of(name)}
    assert found == set()


def test_version_has_one_place() -> None:
    version = lstmfast.__version__
    assert importlib.metadata.version("lstmfast") == version
    assert lstmfast.show_config("dict")["lstmfast"] == version
    pyproject = ROOT / "pyproject.toml"
    if pyproject.is_file():
        assert f'\nversion = "{version}"\n' in pyproject.read_text(encoding="utf-8")


def test_import_is_light() -> None:
    """`import lstmfast` loads neither the core nor anything that is not needed yet."""
    code = "import sys; import lstmfast; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in run.stdout.split() if name.startswith("lstmfast")}
    assert loaded == {"lstmfast"}
    code = "import sys; from lstmfast.models import Sequential; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tqdm", "torch", "matplotlib"} & set(run.stdout.split())


def test_all_that_is_listed_is_there() -> None:
    for name in lstmfast.__all__:
        assert getattr(lstmfast, name) is not None
        assert name in dir(lstmfast)


def modules() -> Iterator[ModuleType]:
    yield lstmfast
    for info in pkgutil.walk_packages(lstmfast.__path__, "lstmfast."):
        if not info.name.endswith(("._core", ".__main__")):
            yield importlib.import_module(info.name)


MODULES = {module.__name__: module for module in modules()}


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_documented(name: str) -> None:
    module = MODULES[name]
    assert module.__doc__
    if any(part.startswith("_") for part in name.split(".")):
        return
    for public in getattr(module, "__all__", []):
        value = getattr(module, public)
        is_class = inspect.isclass(value) and get_origin(value) is None  # no alias
        if not (is_class or inspect.isfunction(value)):
            continue
        assert inspect.getdoc(value), f"{name}.{public}"
        if is_class:
            for member, attribute in vars(value).items():
                if not member.startswith("_") and (
                    inspect.isfunction(attribute) or isinstance(attribute, property)
                ):
                    assert inspect.getdoc(attribute), f"{name}.{public}.{member}"


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    if name.startswith("lstmfast.plot."):
        pytest.importorskip("matplotlib")
    assert doctest.testmod(MODULES[name]).failed == 0

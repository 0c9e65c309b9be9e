"""Everything a developer runs, by name: `nox -l` lists it, `nox` runs lint and tests."""

from __future__ import annotations

import shutil

import nox

nox.needs_version = ">=2024.4"
nox.options.sessions = ["lint", "tests"]

EXTENSION = "lstmfast._core"
THREADS = ("1", "2")


def cpp_files(session: nox.Session) -> list[str]:
    listed = session.run("git", "ls-files", "*.cpp", "*.h", "*.inl", external=True, silent=True)
    return str(listed).split()


def dev_tools(*names: str) -> list[str]:
    """The requirements of the `dev` extra for these packages, with their pinned versions."""
    pyproject = nox.project.load_toml("pyproject.toml")
    wanted = pyproject["project"]["optional-dependencies"]["dev"]
    return [line for line in wanted if line.split("=")[0].rstrip("<>~") in names]


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, clang-format and mypy."""
    session.install("numpy", "tqdm", *dev_tools("ruff", "clang-format", "mypy"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("clang-format", "--dry-run", "-Werror", *cpp_files(session))
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """The Python tests on the installed package."""
    session.install(".[plot,test]")
    session.run("pytest", *session.posargs)


@nox.session
def isa(session: nox.Session) -> None:
    """Kernels and invariants on every ISA of this machine, with 1 and 2 threads."""
    session.install(".[test]")
    listed = session.run(
        "python", "-c", "import lstmfast; print(*lstmfast.available_isas())", silent=True
    )
    for name in str(listed).split():
        for threads in THREADS:
            env = {"LSTMFAST_ISA": name, "LSTMFAST_NUM_THREADS": threads}
            session.run("pytest", "-m", "isa", *session.posargs, env=env)


@nox.session
def stubs(session: nox.Session) -> None:
    """The extension's stubs against the extension."""
    session.install(".", *dev_tools("mypy"))
    session.run("python", "-m", "mypy.stubtest", EXTENSION)


def workflow(session: nox.Session, preset: str) -> None:
    if shutil.which("cmake") is None or shutil.which("ninja") is None:
        session.install("cmake", "ninja")
    session.run("cmake", "--workflow", "--preset", preset, external=True)


@nox.session
def cpp(session: nox.Session) -> None:
    """The C++ tests with assertions."""
    workflow(session, "dev")


@nox.session
def asan(session: nox.Session) -> None:
    """The C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer."""
    workflow(session, "asan")


@nox.session
def asan_python(session: nox.Session) -> None:
    """Python under both: the tests marked `fuzz`, or any that are named."""
    session.install(".[test]", "pybind11", "cmake", "ninja")
    wanted = session.posargs or ["-m", "pytest", "-m", "fuzz"]
    session.run("tools/asan_python.sh", *wanted, external=True)


@nox.session
def tsan(session: nox.Session) -> None:
    """The C++ tests under ThreadSanitizer."""
    workflow(session, "tsan")


@nox.session
def aarch64(session: nox.Session) -> None:
    """The C++ tests cross-compiled for 64-bit Arm, under qemu."""
    workflow(session, "aarch64")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks; nothing else may run on the machine meanwhile."""
    session.install(".")
    session.run("lstmfast", "bench", *session.posargs)

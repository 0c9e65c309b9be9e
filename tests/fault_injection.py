"""Runs calls of which one allocation, file operation or thread fails: what must hold then.

The failing is done by `faults.c`, which is compiled here and must be loaded by LD_PRELOAD, so
everything runs in a process of its own (`run_in_process`): it runs the named cases of
`fault_cases.py`, or all, and prints how many calls failed. `share` is the part of all places at
which something fails; 1 is every one.
"""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).with_name("faults.c")
LIMIT = 120.0  # seconds that no single call comes near; what hangs is ended by it

MEMORY, FILES, THREADS = 1, 2, 4


def find_compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path) -> Path:
    """Compile the library that makes calls fail."""
    library = folder / "faults.so"
    compiler = find_compiler()
    assert compiler is not None
    flags = ["-std=gnu11", "-O1", "-fPIC", "-fexceptions", "-shared"]
    libraries = ["-ldl", "-Wl,--no-as-needed", "-lstdc++"]
    command = [compiler, *flags, SOURCE, "-o", library, *libraries]
    subprocess.run(command, check=True)
    return library


# -- what is run ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A kind of call.

    `make` gives the objects it needs, `call` is what meets a fault and returns its results, `after`
    reads what it has changed. `kept` reads what a failed call must leave as it was. Where a call
    works in several steps, of which some may be done, `restore` undoes them.
    """

    name: str
    make: Callable[[Path], Any]
    call: Callable[[Any], Any]
    kept: Callable[[Any], Any] = lambda made: None
    after: Callable[[Any], Any] = lambda made: None
    restore: Callable[[Any], None] = lambda made: None
    kinds: tuple[int, ...] = (MEMORY,)
    raises: Mapping[int, tuple[type[BaseException], ...]] = field(
        default_factory=lambda: {MEMORY: (MemoryError,), FILES: (OSError,), THREADS: ()}
    )
    # is given the objects once a call without faults has followed
    tidy: Callable[[Any], None] = lambda made: None

    def named(self, names: Sequence[str]) -> bool:
        """Whether it has one of the names, or is of a group, whose names end with a dot."""
        return any(self.name == n or (n[-1] == "." and self.name.startswith(n)) for n in names)


def bits(value: Any) -> Any:
    """The value as something that is equal only to the same bits."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, Mapping):
        return {key: bits(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [bits(part) for part in value]
    if is_dataclass(value):
        return [bits(getattr(value, part.name)) for part in fields(value)]
    if isinstance(value, float):
        return value.hex()
    return value


def results(case: Case, made: Any, returned: Any) -> Any:
    return bits([returned, case.after(made)])


@dataclass
class Counts:
    """How many calls met a fault, and how they ended."""

    raised: int = 0
    succeeded: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.raised + other.raised, self.succeeded + other.succeeded)


class Faults:
    """The library, which counts and fails the calls of the extension."""

    def __init__(self, path: str) -> None:
        self.library = ctypes.CDLL(path)
        self.library.faults_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_int, ctypes.c_int]
        self.library.faults_disarm.restype = self.library.faults_failures.restype = ctypes.c_long
        import lstmfast._core

        for name in (Path(lstmfast._core.__file__).name, "libstdc++.so"):
            assert self.library.faults_watch(name.encode()) > 0, name
        self.arm = self.library.faults_arm
        self.disarm = self.library.faults_disarm
        self.failures = self.library.faults_failures


# (kind, sticky, error); error 0: reads and writes do half of what they are asked for
MODES = (
    (MEMORY, False, errno.ENOMEM),
    (MEMORY, True, errno.ENOMEM),
    (FILES, False, errno.EIO),
    (FILES, True, errno.EIO),
    (FILES, False, errno.ENOSPC),
    (FILES, False, errno.EINTR),
    (FILES, False, errno.ENOENT),
    (FILES, True, 0),
    (THREADS, False, errno.EAGAIN),
    (THREADS, True, errno.EAGAIN),
)


def places(share: float, salt: int) -> Iterator[int]:
    """1, 2, and an evenly spread share of what follows, which another salt shifts."""
    for n in count(1):
        if n <= 2 or int((n + salt) * share) > int((n + salt - 1) * share):
            yield n


class Runner:
    """Runs cases with faults in a folder of its own.

    `progress` is a file that tells where a process ended that was killed.
    """

    def __init__(self, faults: Faults, folder: Path, progress: Path) -> None:
        self.faults = faults
        self.folder = folder
        self.progress = progress

    def run(self, case: Case, share: float) -> Counts:
        counts = Counts()
        made = case.make(self.folder)
        expected = results(case, made, case.call(made))
        for salt, (kind, sticky, error) in enumerate(MODES):
            if kind not in case.kinds:
                continue
            for n in places(share, salt):
                where = f"{case.name}: kind {kind}, call {n}, sticky {sticky}, errno {error}"
                self.progress.write_text(where)
                faulthandler.dump_traceback_later(LIMIT, exit=True)
                try:
                    ended = self.one(case, kind, n, sticky, error, expected)
                except Exception as failure:
                    raise AssertionError(f"{where}: {failure!r}") from failure
                if ended is None:
                    break
                counts += ended
        faulthandler.cancel_dump_traceback_later()
        return counts

    def one(
        self, case: Case, kind: int, n: int, sticky: bool, error: int, expected: Any
    ) -> Counts | None:
        """Run the case with the n-th call failing; return None where there are fewer calls."""
        made = case.make(self.folder)
        before = bits(case.kept(made))
        raised: BaseException | None = None
        result = None
        self.faults.arm(kind, n, sticky, error)
        try:
            result = case.call(made)
        except Exception as caught:
            raised = caught
        finally:
            self.faults.disarm()
        if self.faults.failures() == 0:
            assert raised is None, f"raised without a fault: {raised!r}"
            assert results(case, made, result) == expected, "other results"
            return None
        if raised is None:
            assert results(case, made, result) == expected, "success with other results"
            case.tidy(made)
            return Counts(succeeded=1)
        assert isinstance(raised, case.raises[kind]), f"unexpected {raised!r}"
        raised.__traceback__ = None
        assert bits(case.kept(made)) == before, f"not as before, after {raised!r}"
        case.restore(made)
        again = results(case, made, case.call(made))
        assert again == expected, f"other results after {raised!r}"
        case.tidy(made)
        return Counts(raised=1)


def main(progress: str, share: str, *names: str) -> None:
    from fault_cases import CASES

    total = Counts()
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Faults(os.environ["LD_PRELOAD"].split()[0]), Path(folder), Path(progress))
        for case in CASES:
            if not case.named(names):
                continue
            counts = runner.run(case, float(share))
            print(f"{case.name}: {counts.raised} raised, {counts.succeeded} succeeded", flush=True)
            total += counts
    print(f"all: {total.raised} raised, {total.succeeded} succeeded")


def run_in_process(library: Path, share: float, *names: str) -> subprocess.CompletedProcess[str]:
    """Run the cases or groups of these names in a process of their own that has loaded the library.

    Under AddressSanitizer, which is loaded the same way, the library comes before it.
    """
    progress = library.with_name("progress")
    environment = {
        **os.environ,
        "LD_PRELOAD": f"{library} {os.environ.get('LD_PRELOAD', '')}".strip(),
        "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0",
    }
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", __file__, str(progress), str(share), *names],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        done.stderr += f"ended in {progress.read_text()}\n"
    return done


if __name__ == "__main__":
    main(*sys.argv[1:])
